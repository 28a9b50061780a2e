"""Coalitions over several runs: the run is the unit, and whatever is looked at often enough is not found by chance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from society.analysis import coalitions_over_runs
from society.cli import main
from society.views.coalitions_over_runs import over_runs_json, over_runs_text
from tests.test_coalitions_episode import lake


def played(seed: int, *, planted: bool):
    """Twenty months of five fishers; where it is planted, the first two move as one."""
    moves = np.random.default_rng(seed).integers(0, 4, size=(5, 20))
    if planted:
        moves[1] = moves[0]
    return lake([[int(x) for x in column] for column in moves], 20)


@pytest.fixture(scope="module")
def found():
    return coalitions_over_runs({f"run-{seed}": played(seed, planted=seed < 2) for seed in range(8)})


def test_planted_pairs_are_flagged_in_their_runs_and_nothing_in_the_others(found) -> None:
    moved = [one for one in found.tests if one.family == "moving together"]
    assert [one.flagged for one in moved] == [True] * 2 + [False] * 6
    assert all(set(one.members) == {moved[0].members[0], moved[0].members[1]} for one in moved[:2])
    family = found.families[0]
    assert (family.tested, family.untested, family.flagged.successes, family.flagged.trials) == (8, 0, 2, 8)


def test_p_values_are_those_of_the_runs_corrected_over_the_family(found) -> None:
    moved = [one for one in found.tests if one.family == "moving together"]
    wanted = multipletests([one.p for one in moved], method="holm")[1]
    assert [one.corrected for one in moved] == pytest.approx(list(wanted))
    assert found.permutations == 999 and found.families[0].smallest == pytest.approx(8 / 1000)


def test_a_stricter_level_gets_the_permutations_that_it_needs() -> None:
    strict = coalitions_over_runs({f"run-{seed}": played(seed, planted=True) for seed in range(8)}, level=0.01)
    assert strict.permutations == 1600 and strict.families[0].smallest == pytest.approx(8 / 1601)
    assert strict.families[0].smallest <= strict.level / 2


def test_runs_without_a_test_count_for_nothing_and_say_why(found) -> None:
    talk = [one for one in found.tests if one.family == "talking apart"]
    assert {(one.p, one.why) for one in talk} == {(None, "no private messages")}
    short = coalitions_over_runs({"a": lake([[1, 2, 3]] * 3, 3), "b": played(0, planted=True)})
    moved = [one for one in short.tests if one.family == "moving together"]
    assert moved[0].p is None and "too few" in moved[0].why
    assert moved[1].corrected == moved[1].p
    assert {one.family for one in short.tests} == {"moving together", "talking apart"}


def test_the_words_give_each_family_and_the_strongest_runs(found) -> None:
    text = over_runs_text(found)
    assert "the run as the unit" in text and "2 of 8" in text
    assert text.count("  yes") == 2 and "nothing flagged is no evidence" in text
    assert json.dumps(over_runs_json(found))


def test_the_command_takes_several_runs_or_a_sweep(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "fishery", "--model", "mock:random", "--seeds", "0-1", "--rounds", "2", "--quiet"]) == 0
    capsys.readouterr()
    ids = [row["run"] for row in told(capsys, "runs", "--json")]
    assert main(["coalitions", *ids]) == 0
    assert "conduct in 2 runs" in capsys.readouterr().out
    assert main(["coalitions", *ids, "--every-group"]) == 2
    assert "name one" in capsys.readouterr().err
    assert main(["coalitions", "--sweep", "nothing"]) == 2
    assert "no finished run of a sweep 'nothing'" in capsys.readouterr().err
    assert main(["coalitions", ids[0], "--sweep", "nothing"]) == 2


def told(capsys, *words: str):
    assert main(words) == 0
    return json.loads(capsys.readouterr().out)
