"""An episode is built from its events alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from handmade_run import NAMES, events, first_round, manifest, second_round

from society.core.errors import LogCorrupt
from society.core.events import Acted, RunEnded, canonical_event, chain_next, chain_start
from society.episode import Episode


def test_an_episode_tells_each_round_as_it_was_played() -> None:
    episode = Episode.from_events(events(), run_id="a")
    assert (episode.run_id, episode.names, episode.seed, episode.status) == ("a", NAMES, 1, "completed")
    assert episode.scenario.name == "lake"
    assert [r.number for r in episode.rounds] == [1, 2]
    first = episode.rounds[0]
    assert [turn.agent for turn in first.turns] == [0, 1, 2]
    assert first.turns[0].messages[1].to == (1,)
    assert first.declarations[0].declaration is not None and first.declarations[0].declaration.intended == 5
    assert first.declarations[2].declaration is None
    assert {agent: acted.legal for agent, acted in first.actions.items()} == {0: 12, 1: 20, 2: 0}
    assert [decided.purpose for decided in first.decisions] == ["peer_sanction", "assembly"]
    assert episode.settled[1].stock_after == 0


def test_the_record_holds_the_numbers_metrics_need() -> None:
    record = Episode.from_events(events()).record()
    assert (record.agents, record.horizon, len(record.rounds)) == (3, 2, 2)
    first, second = record.rounds
    assert first.payoffs == (12, 17, 0) and first.material == (12, 20, 0)
    assert (first.stock_before, first.total, first.stock_after) == (100, 32, 100)
    assert first.share == 16  # of 100 fish 50 can go for good: 16 each for three, rounded down
    assert first.defaulted == (False, False, True)
    assert first.sanctioned == (False, True, False)
    assert (second.collapsed, second.granted) == (True, (46, 46, 8))
    assert record.gains == (58, 63, 8)
    assert record.without_defaulted().gains == (58, 63, 8)  # Cy's defaulted round brought nothing


def test_an_unfinished_episode_keeps_the_round_it_was_in() -> None:
    second = second_round()
    place = next(k for k, event in enumerate(second) if isinstance(event, Acted))
    told = [manifest(), *first_round(), *second[: place + 2]]
    episode = Episode.from_events(told)
    assert episode.status == "unfinished" and episode.ended is None
    assert episode.rounds[1].settled is None and set(episode.rounds[1].actions) == {0, 1}
    assert len(episode.record().rounds) == 1


def test_the_head_is_the_chain_of_all_events() -> None:
    told = events()
    head = chain_start(manifest())
    for event in told[1:]:
        head = chain_next(head, canonical_event(event))
    assert Episode.from_events(told).head == head
    assert Episode.from_events([*told[:-1], replace(told[-1], reason="else")]).head != head


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([], id="nothing"),
        pytest.param(first_round(), id="no manifest"),
        pytest.param([manifest(), manifest()], id="two manifests"),
        pytest.param([manifest(), first_round()[6], first_round()[6]], id="one agent acts twice"),
        pytest.param([manifest(), first_round()[3], first_round()[3]], id="one agent declares twice"),
        pytest.param([manifest(), first_round()[0], first_round()[0]], id="one turn twice"),
        pytest.param([manifest(), first_round()[-1], first_round()[6]], id="acting after the round was settled"),
        pytest.param([manifest(), *second_round()], id="a round is missing"),
        pytest.param([manifest(), RunEnded("completed", "", 0), first_round()[0]], id="after the end"),
    ],
)
def test_events_that_are_no_episode_are_refused(told: list) -> None:
    with pytest.raises(LogCorrupt):
        Episode.from_events(told)
