"""Checking the events of a run: their chain, the episode they tell, and the rounds a fork shares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from society.core.errors import SocietyError
from society.core.events import (
    Acted,
    Decided,
    Declared,
    Event,
    Forked,
    RunEnded,
    RunStarted,
    Settled,
    Spoke,
    canonical_event,
    chain_next,
    chain_start,
    event_from_plain,
)
from society.episode import Episode
from society.invariants import Invariants
from society.log.findings import Findings

_ANSWERS = (Spoke, Declared, Acted, Decided)


class Chain(NamedTuple):
    """The events of a run as far as they can be trusted, and the hash of the last one."""

    events: tuple[Event, ...]
    head: str


def read_chain(connection: Connection, run_id: str, found: Findings) -> Chain:
    """I9, I11: the events that follow one from the other, up to the first that does not."""
    rows = connection.execute(
        text("SELECT seq, round, kind, body, hash FROM event WHERE run_id = :run ORDER BY seq"), {"run": run_id}
    ).all()
    found.count("I9", len(rows))
    found.count("I11", len(rows))
    events: list[Event] = []
    last = ""
    for place, row in enumerate(rows):
        here = f"seq {row.seq}"
        if row.seq != place:
            found.fault("event", f"seq {place}", f"I11: it is missing; the next one is {row.seq}")
            break
        try:
            event = event_from_plain(json.loads(row.body))
            canonical = canonical_event(event)
            first = isinstance(event, RunStarted) and not events
            follows = chain_start(event) if first and isinstance(event, RunStarted) else chain_next(last, row.body)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as problem:
            found.fault("event", here, f"it cannot be read: {ascii(str(problem))[:200]}")
            break
        if canonical != row.body:
            found.fault("event", here, "its text is not canonical")
        last = follows
        if last != row.hash:
            found.fault("event", here, f"I9: its hash is {row.hash}, but {last} follows from the events")
            break
        if (row.kind, row.round) != (event.kind, getattr(event, "round", None)):
            found.fault("event", here, f"its columns say {row.kind} in round {row.round}, its body says otherwise")
        events.append(event)
    return Chain(tuple(events), last)


def telling_faults(events: Sequence[Event], run: Any, ended: Sequence[str], found: Findings) -> None:  # Any: a row
    """I1, I4 to I6: whether the events make one episode, in which what must hold in every round does, and that ended as the run's row says."""
    try:
        episode = Episode.from_events(events, run_id=str(run["id"]))
    except SocietyError as problem:
        found.fault("event", "", str(problem))
        return
    told = next((event.status for event in events if isinstance(event, RunEnded)), None)
    if run["status"] in ended and run["status"] != told:  # a run cut off after its last event is left, not closed
        found.fault("run", "", f"its status is {run['status']}, its events end with {told or 'nothing'}")
    if len(episode.rounds) and episode.rounds[-1].settled is None and told == "completed":
        last = episode.rounds[-1].number
        found.fault("outcome", f"round {last}", "I1: the run is completed, and the round is not settled")
    found.count("I1", sum(isinstance(event, _ANSWERS) for event in events))
    rounds = [event for event in events if isinstance(event, Settled)]
    found.count("I4", len(rounds))
    found.count("I5", sum(len(event.payoffs) + len(event.transfers) for event in rounds))
    found.count("I6", len(rounds))
    with found.about("event"):
        found.all(Invariants().broken(events))


def run_faults(events: Sequence[Event], run: Any, found: Findings) -> None:  # Any: a row
    """Whether the run's row says of itself what its events say: scenario, seed, models, rounds, version."""
    from society.core.events import setting_of
    from society.log.opening import run_row

    forks = [place for place, event in enumerate(events) if isinstance(event, Forked)]
    setting = setting_of(events)
    wanted = run_row(("", ""), setting, events[1 : forks[-1] + 1] if forks else (), 0, {})
    for column in ("scenario", "seed", "models", "rounds_planned", "version"):
        if run[column] != wanted[column]:
            found.fault("run", f"column {column}", f"it is {run[column]!a}, the events say {wanted[column]!a}")


def fork_faults(connection: Connection, events: Sequence[Event], run: Any, found: Findings) -> None:  # Any: a row
    """Whether a fork shares its first rounds with the run it says it comes from, as long as that is here."""
    forks = [(seq, event.round) for seq, event in enumerate(events) if isinstance(event, Forked)]
    if run["fork_of"] is None:
        if forks:
            found.fault("run", "", "its events say that it is a fork, its row does not say of what")
        return
    if not forks or forks[-1][1] != run["fork_round"]:
        found.fault("run", "", f"it says it is forked after round {run['fork_round']}, its events say otherwise")
        return
    sql = text("SELECT run_id, hash FROM event WHERE seq = :seq AND run_id IN (:own, :base)")
    last = forks[-1][0] - 1
    shared = connection.execute(sql, {"seq": last, "own": run["id"], "base": run["fork_of"]})
    hashes = {row.run_id: row.hash for row in shared}
    if hashes.get(run["id"]) != hashes.get(run["fork_of"]):
        found.fault("event", f"seq {last}", f"the rounds before it are not those of run {run['fork_of']}")


def episode_of(events: Sequence[Event], run_id: str) -> Episode | None:
    """The episode, where it can be read by this version; what cannot is told by `telling_faults`."""
    with suppress(SocietyError, ValueError, TypeError, KeyError, AttributeError, LookupError, ArithmeticError):
        episode = Episode.from_events(events, run_id=run_id)
        _ = [phase.scenario for phase in episode.phases]
        return episode
    return None
