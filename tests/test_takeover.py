"""Two thirds take over a constitution: the seizure is told in the log, the transcript, `coalitions` and the page, by exactly
those who voted for it.
"""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from society import analysis, open_log, play
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.scenario.load import loads
from society.views.coalitions import coalitions_text
from society.views.web.one_file import one_file

NAMES = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo")


def part(name, votes):
    steps = (
        [{"rounds": [2], "move": {"move": "motion", "rule": "constitution", "terms": TERMS}}] if name == "Ann" else []
    )
    answers = [{"rule": "constitution", "parts": {"*": "yes" if name in votes else "no"}}]
    parameters = {"actions": [5], "steps": steps, "answers": answers}
    return {"name": name, "policy": {"kind": "scripted", "rule": "written", "parameters": parameters}}


HEAVY = [2, 1, 1, 1, 1, 1]
TERMS = {"constitution.weights": " ".join(map(str, HEAVY)), "constitution.quota": 2}


def constitution(**more):
    agenda = [
        {"rule": "constitution", "field": "weights", "tuples": [[1] * 6, HEAVY]},
        {"rule": "constitution", "field": "quota", "low": 2, "high": 6},
    ]
    return {"kind": "constitution", "quota": 4, "agenda": agenda, **more}


def takeover(votes, *further):
    return loads(
        json.dumps(
            {
                "name": "takeover",
                "rounds": 3,
                "mechanism": {"kind": "common_pool", "stock": 100, "capacity": 100},
                "agents": [part(name, votes) for name in NAMES],
                "stages": {"declare": {"predict": "off"}},
                "instruments": [constitution(), *further],
            }
        )
    )


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'society.db'}"


@pytest.mark.parametrize(
    "votes", [("Ann", "Bo", "Cy", "Di"), ("Ann", "Bo", "Di", "Ed"), ("Ann", "Bo", "Cy", "Ed", "Flo")]
)
async def test_two_thirds_that_take_over_are_named_everywhere_and_nobody_else_is(url, votes):
    run = await play(takeover(votes), log=url)
    seats = [NAMES.index(name) for name in votes]
    with open_log(url) as book:
        rows = book.sql("SELECT event, round, agents FROM rule_event WHERE event IN ('amend', 'seizure')").rows()
    assert [(row["event"], row["round"], json.loads(row["agents"])) for row in rows] == [
        ("amend", 2, seats),
        ("seizure", 2, seats),
    ]
    carried = ", ".join(votes)
    (told,) = re.findall(r"constitution: POWER SEIZED by ([^:]*):(.*)", run.transcript())
    assert told[0] == carried and "can now change the rules alone: Ann" in told[1]
    found = analysis.coalitions(run.episode, permutations=19)
    (seized,) = found.seizures
    assert (seized.round, seized.seizure.carried_by, seized.seizure.alone) == (2, tuple(seats), ((0,),))
    assert all(len(group) == 4 for group in seized.seizure.minimal), "four of the votes for it were enough"
    text = " ".join(coalitions_text(found).split())
    assert f"Seizure in round 2 (constitution), carried by {carried}, after which Ann can rule alone" in text
    with open_log(url) as book:
        page = unescape(re.sub(r"<[^>]+>", " ", one_file(book, run.id)))
    assert f"POWER SEIZED by {carried}" in page


async def test_without_two_thirds_there_is_no_seizure(url):
    run = await play(takeover(("Ann", "Bo", "Cy")), log=url)
    assert not [e for s in run.episode.settled for e in s.rule_events if e.event in ("amend", "seizure")]
    assert "Nobody seized power." in coalitions_text(analysis.coalitions(run.episode, permutations=19))


async def test_who_could_rule_alone_by_another_vote_seizes_nothing(url):
    """Where rules can be changed by several votes, power is that over all of them: the log and the analysis agree."""
    council = constitution(name="council", weights=[6, 1, 1, 1, 1, 1], quota=6)
    run = await play(takeover(NAMES, council), log=url)
    told = [e for s in run.episode.settled for e in s.rule_events if e.event in ("amend", "seizure")]
    assert [e.event for e in told] == ["amend"], "Ann could change the rules alone before, as the council"
    assert analysis.coalitions(run.episode, permutations=19).seizures == ()


def test_a_rule_defied_until_it_lapses_is_no_seizure_and_is_told_by_those_who_defied_it():
    rules = [
        {"kind": "quota", "amount": 5, "enforcement": "soft", "fine": 3},
        {"kind": "overthrow", "over": ["quota"], "wear": 1, "least": "1/2"},
    ]
    from society.core.moves import Move

    lake = MECHANISMS.parse({"kind": "common_pool", "agents": 4})
    game = Governed(lake, tuple(INSTRUMENTS.parse(rule) for rule in rules))
    state = game.initial_state()
    for seat in (0, 1, 3):
        state, _ = game.move(state, seat, (Move("defy", "quota"),))
    done = game.step(state, (9, 9, 2, 9), Noise(1, 1))
    events = [(e.event, e.agents) for e in done.rule_events if e.event in ("overthrow", "seizure", "lapse")]
    assert ("overthrow", (0, 1, 3)) in events and "seizure" not in dict(events)
