"""What a comparison exports is enough to compute every one of its numbers again, and other packages come to the same."""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from society.cli import main

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages it brings
    from statsmodels.duration.survfunc import SurvfuncRight
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import TTestPower
    from statsmodels.stats.proportion import proportion_confint
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

LAKE = """
name: lake
rounds: 4
seeds: [7]
mechanism: {kind: common_pool, capacity: 60}
agents: [{name: Ann}, {name: Ben}, {name: Cy}]
stages: {talk: off}
models: {default: "mock:random"}
"""
SWEEP = """
name: noisy
scenarios: [lake.yaml]
seeds: 0-7
replicates: 2
seats: rotated
axes:
  mechanism.capacity: [60, 90, 400]
  cast: {random: {}, mixed: {agents: [{name: Ann}, {name: Ben, policy: {kind: scripted, rule: sequence, actions: [5]}}, {name: Cy}]}}
baseline: {cast: random}
metrics: [total_welfare, survival, gini]
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A sweep with noise in it, as `--json` tells it, and two comparisons of its runs."""
    folder = tmp_path_factory.mktemp("noisy")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("lake.yaml").write_text(LAKE)
        Path("noisy.yaml").write_text(SWEEP)
        return {"folder": folder, "sweep": printed("sweep", "noisy.yaml", "--workers", "1", "--json")}


def printed(*arguments: str) -> Any:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(arguments) == 0
    return json.loads(out.getvalue())


def units(line: dict[str, Any]) -> dict[str, float]:
    """The values that enter: runs of one unit averaged."""
    runs = defaultdict(list)
    for row in line["values"]:
        if row["value"] is not None:
            runs[row["unit"]].append(row["value"])
    return {unit: float(np.mean(values)) for unit, values in runs.items()}


def by_labels(lines: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(line["metric"], json.dumps(line["labels"])): line for line in lines}


def test_a_cell_s_mean_and_interval_are_those_of_its_seeds(told: dict[str, Any]) -> None:
    lines = told["sweep"]["lines"]
    assert len(lines) == 3 * 6
    for line in lines:
        sample = list(units(line).values())
        assert (line["runs"], line["units"], line["unit_is"]) == (16, len(sample), "seed")
        mean = line["mean"]
        assert mean["value"] == pytest.approx(np.mean(sample)) and mean["method"] == "t interval"
        assert (mean["low"], mean["high"]) == pytest.approx(DescrStatsW(sample).tconfint_mean(0.05))
        if np.ptp(sample):
            theirs = stats.bootstrap((sample,), np.mean, method="BCa", rng=np.random.default_rng(1)).confidence_interval
            width = theirs.high - theirs.low
            assert abs(line["bootstrap"]["low"] - theirs.low) < 0.1 * width
            assert abs(line["bootstrap"]["high"] - theirs.high) < 0.1 * width


def test_a_paired_difference_its_interval_p_value_effect_and_power_are_those_of_other_packages(
    told: dict[str, Any],
) -> None:
    known = by_labels(told["sweep"]["lines"])
    compared = 0
    for line in known.values():
        found = line["comparison"]
        if found is None:
            assert line["labels"]["cast"] == "random"
            continue
        mine, theirs = units(line), units(known[line["metric"], json.dumps(line["against"])])
        gaps = np.array([mine[unit] - theirs[unit] for unit in mine if unit in theirs])
        assert found["paired"] and found["runs"] == len(gaps)
        assert found["difference"]["value"] == pytest.approx(gaps.mean())
        ends = (found["difference"]["low"], found["difference"]["high"])
        assert ends == pytest.approx(DescrStatsW(gaps).tconfint_mean(0.05))
        test = stats.permutation_test((gaps,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert found["test"]["exact"] and found["test"]["p"] == pytest.approx(test.pvalue)
        compared += 1
        if not gaps.std():
            assert found["effect"] is None and found["detectable"] is None
            continue
        assert found["effect"] == pytest.approx(gaps.mean() / gaps.std(ddof=1))
        power = TTestPower().power(found["detectable"] / gaps.std(ddof=1), len(gaps), 0.05)
        assert power == pytest.approx(0.8, abs=0.02)
    assert compared == 3 * 3


def test_p_values_of_a_family_are_corrected_as_holm_did(told: dict[str, Any]) -> None:
    for metric in ("total_welfare", "survival", "gini"):
        family = [line for line in told["sweep"]["lines"] if line["metric"] == metric and line["comparison"]]
        plain = [line["comparison"]["test"]["p"] for line in family]
        assert [line["p_holm"] for line in family] == pytest.approx(list(multipletests(plain, method="holm")[1]))


def test_the_survival_of_commons_is_kaplan_s_and_meier_s(told: dict[str, Any]) -> None:
    curves = 0
    for arm in told["sweep"]["survival"]:
        times, died = [row["rounds"] for row in arm["lives"]], [int(row["died"]) for row in arm["lives"]]
        assert (arm["alive"]["successes"], arm["alive"]["trials"]) == (len(died) - sum(died), len(died))
        low, high = proportion_confint(len(died) - sum(died), len(died), method="wilson")
        assert (arm["alive"]["low"], arm["alive"]["high"]) == pytest.approx((low, high))
        theirs = SurvfuncRight(times, died)
        assert [step["round"] for step in arm["curve"]] == list(theirs.surv_times)
        assert [step["share"] for step in arm["curve"]] == pytest.approx(list(theirs.surv_prob))
        assert [step["at_risk"] for step in arm["curve"]] == list(theirs.n_risk)
        curves += bool(arm["curve"])
    assert curves >= 2


def test_sets_without_common_seeds_are_independent_samples(
    told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(told["folder"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = printed("compare", runs_of(told, range(4)), runs_of(told, range(4, 8)), "-M", "total_welfare", "--json")
    first, second = found["lines"]
    a, b = list(units(first).values()), list(units(second).values())
    comparison = second["comparison"]
    assert (len(a), len(b), comparison["paired"]) == (4, 4, False)
    welch = CompareMeans(DescrStatsW(b), DescrStatsW(a)).tconfint_diff(0.05, usevar="unequal")
    assert (comparison["difference"]["low"], comparison["difference"]["high"]) == pytest.approx(welch)
    test = stats.permutation_test((b, a), lambda x, y, axis: np.mean(x, axis) - np.mean(y, axis), vectorized=True, n_resamples=np.inf)  # fmt: skip
    assert comparison["test"]["p"] == pytest.approx(test.pvalue)


def runs_of(told: dict[str, Any], seeds: range) -> str:
    """The ids of the runs of the first cell with these seeds."""
    return ",".join(row["run"] for row in told["sweep"]["lines"][0]["values"] if row["seed"] in seeds)


def test_repetitions_of_one_seed_are_samples_and_say_so(
    told: dict[str, Any], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lake.yaml").write_text(LAKE)
    models = ("mock:random", "mock:sustainable")
    for model in models * 3:
        assert main(["run", "lake.yaml", "--model", model, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["compare", *(f"model={model}" for model in models), "-M", "total_welfare"]) == 0
    text = capsys.readouterr().out
    assert "all runs have seed 7: this is about repetitions of it, and says nothing about others" in text
    assert "as independent samples" in text


def test_a_comparison_is_drawn(told: dict[str, Any], monkeypatch, capsys, tmp_path: Path) -> None:
    monkeypatch.chdir(told["folder"])
    sets = ["mechanism.capacity=60", "mechanism.capacity=400"]
    assert main(["compare", *sets, "-M", "survival", "-o", str(tmp_path / "one.svg")]) == 0
    assert (tmp_path / "one.svg").read_text().startswith("<svg") and "Survival" in (tmp_path / "one.svg").read_text()
    assert main(["compare", *sets, "-M", "survival", "-M", "gini", "-o", str(tmp_path / "two.svg")]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"one.svg", "two-survival.svg", "two-gini.svg"}
    told_ = capsys.readouterr()
    assert "wrote" in told_.err and "found nothing, and would have missed" in told_.out
