"""One round played again with other actions, everything else being as it was."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import society
from society.analysis import what_if
from society.cli import main
from society.core.errors import BadInput
from society.core.exact import tidy
from society.episode import Episode
from society.scenario.places import shipped


@pytest.fixture(scope="module")
def episode_of(tmp_path_factory: pytest.TempPathFactory):
    """An episode of any shipped scenario, played once by mocks."""
    log = f"sqlite:///{tmp_path_factory.mktemp('log') / 's.db'}"
    played: dict[str, Episode] = {}

    def get(name: str) -> Episode:
        if name not in played:
            scenario = society.load(name)
            short = scenario.model_copy(update={"rounds": min(scenario.rounds, 3)})
            played[name] = society.play_sync(short, model="mock:conditional", seed=1, log=log).episode
        return played[name]

    return get


@pytest.mark.parametrize("name", sorted(shipped()))
def test_with_nothing_changed_every_round_comes_out_as_it_did(name: str, episode_of) -> None:
    episode = episode_of(name)
    for place, settled in enumerate(episode.settled):
        found = what_if(episode, settled.round, {})
        assert found.was == found.would_be
        assert (found.was.payoffs, found.was.executed) == (settled.payoffs, settled.executed)
        later = [s.payoffs for s in episode.settled[place + 1 :]]
        assert (
            found.rest_was == found.rest_would_be == tuple(map(tidy, map(sum, zip(*later, strict=True)))) or not later
        )


def test_a_bigger_catch_is_paid_for_by_what_grows_back(episode_of) -> None:
    """Of 100 fish Ann takes 40 and the others 10 each: 20 are left, and 40 the next month."""
    episode = society_fishery(episode_of)
    found = what_if(episode, 1, {0: 40})
    assert found.was.payoffs == (10,) * 5 and found.would_be.payoffs == (40, 10, 10, 10, 10)
    assert (found.was.stock_after, found.would_be.stock_after) == (100, 40)
    assert (found.was.welfare, found.would_be.welfare, found.later) == (50, 80, 2)
    # month 2: all ask for 10 and get 8; nothing is left, and the lake is dead in month 3
    assert found.rest_would_be == (8,) * 5 and found.rest_was == (20,) * 5
    assert not found.would_be.collapsed


def society_fishery(episode_of) -> Episode:
    episode = episode_of("fishery")
    assert [s.executed for s in episode.settled] == [(10,) * 5] * 3
    return episode


@given(amounts=st.lists(st.integers(0, 100), min_size=5, max_size=5))
def test_what_would_have_been_is_what_the_rules_give(episode_of, amounts: list[int]) -> None:
    episode = episode_of("fishery")
    found = what_if(episode, 1, dict(enumerate(amounts)))
    asked = sum(amounts)
    granted = [Fraction(a) if asked <= 100 else Fraction(100 * a, asked) for a in amounts]
    assert sum(found.would_be.payoffs) == sum(granted) == min(asked, 100)
    assert all(abs(x - y) < 1 for x, y in zip(found.would_be.payoffs, granted, strict=True))


def test_what_cannot_be_is_told(episode_of) -> None:
    with pytest.raises(BadInput, match="could not choose that in round 1: expected a whole number"):
        what_if(episode_of("fishery"), 1, {0: 101})
    with pytest.raises(BadInput, match="round 7 was not finished; there are 3"):
        what_if(episode_of("fishery"), 7, {})


def test_the_command_tells_it_in_words_and_numbers(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "fishery", "--model", "mock:sustainable", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["whatif", "--round", "1", "--act", "Ann=40"]) == 0
    text = capsys.readouterr().out
    assert "month 1, had Ann chosen 40 and not 10:" in text
    assert "together they would have got 80 and not 50" in text and "fish left: 40 and not 100" in text
    assert main(["whatif", "last", "--round", "3", "--act", "Ann=40", "--act", "Ben=0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["changed"] == {"Ann": 40, "Ben": 0} and told["rest"]["rounds"] == 0
    assert told["would_be"]["payoffs"] == [40, 0, 10, 10, 10]


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--round", "1", "--act", "Ann"], "write NAME=ACTION, such as Ann=5"),
        (["--round", "1", "--act", "An=5"], "did you mean 'Ann'"),
        (["--round", "1", "--act", "Ann=lots"], "expected a whole number from 0 to 100"),
        (["--round", "9", "--act", "Ann=5"], "round 9 was not finished; 3 were"),
    ],
)
def test_a_mistake_is_told_with_its_mend(tmp_path, monkeypatch, capsys, arguments, mend) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "fishery", "--model", "mock:sustainable", "--quiet"]) == 0
    assert main(["whatif", *arguments]) == 2
    assert mend in capsys.readouterr().err


def test_a_division_is_written_share_by_share(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "divide_the_pie", "--model", "mock:greedy", "--rounds", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["whatif", "--round", "1", "--act", "Ann=30,30,30", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == {"Ann": [30, 30, 30]}
