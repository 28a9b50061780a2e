"""Does a log prove itself? Every row is checked against the events, and the events against their chain.

What is checked for each run, with the invariants it stands for:

    I1, I4 to I6    what holds in every round: see `society.invariants`
    I2   attempts at one question are counted without gaps, and so are the tries of each
    I3   the hash of each question follows from what is stored of it
    I7   what only one agent may know stands in nobody else's prompt, unless somebody said it
    I9   each event's hash follows from the one before
    I10  the cost of the run is the sum of its calls
    I11  events are counted without gaps
    I12  no key that is configured here stands anywhere in the log
    I14  no row belongs to a run that is not there, or refers to a row that is not
    I15  in a run that has ended, every try of a question has ended or was given up for a later one

and that every table of what was said, meant and done holds exactly the rows that the events give; that the run's row, its agents
and its journal are as they were sealed; that prompts are what their hashes say; that stored results are as they were stored; and
that tables and views are those this version makes.

A chain and a seal show every change that is not made with care. Whoever rewrites the events and recomputes all hashes after them
is found only by a head that was kept elsewhere: `head`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from society.core.errors import LogCorrupt, SocietyError
from society.core.events import (
    Event,
    Forked,
    RunEnded,
    RunStarted,
    canonical_event,
    chain_next,
    chain_start,
    event_from_plain,
    setting_of,
)
from society.episode import Episode
from society.invariants import Invariants
from society.log.projection import Projector, agent_rows
from society.log.reader import Reader
from society.log.results import results_digest
from society.log.seal import as_written, seal
from society.log.tables import COMPUTED, PROJECTED, TABLES, Agent, columns_of, name_of
from society.log.text import Redaction
from society.log.verify_journal import content_faults, journal_faults, stray_content
from society.log.verify_privacy import leaked_words, stored_secrets
from society.log.verify_schema import schema_faults

ENDED = ("completed", "invalid")


class Fault(NamedTuple):
    """Something that is not as it must be: in which run (empty: the log as a whole), table and row, and what."""

    run: str
    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.run or 'log'}: {self.table} {self.row}: {self.what}".replace("  ", " ")


@dataclass(frozen=True)
class Report:
    """What verification found.

    Attributes:
        runs: the runs that were checked.
        events: how many events they have.
        calls: how many rows their journals have.
        faults: what is wrong, the first bad row first; empty if all is well.
    """

    runs: tuple[str, ...]
    events: int
    calls: int
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        return not self.faults

    def require(self) -> None:
        """Go on only if all is well.

        Raises:
            LogCorrupt: naming the first bad row.
        """
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            raise LogCorrupt(f"the log does not verify: {self.faults[0]}{more}")


def verify(log: Reader, ref: str | None = None, *, head: str | None = None, secrets: Redaction | None = None) -> Report:
    """Check one run, or (without `ref`) every run and the log as a whole.

    Args:
        log: the log.
        ref: a run.
        head: the hash the run's last event must have, as it was printed when the run ended.
        secrets: keys that must stand nowhere in the log.

    Raises:
        BadInput: no such run.
        LogUnusable: the log cannot be read.
    """
    runs = [log.find(ref).id] if ref is not None else [run.id for run in log.runs()]
    faults: list[Fault] = []
    counts = [0, 0]
    with log.connection() as connection:
        if ref is None:
            faults += [Fault("", *found) for found in schema_faults(connection)]
            faults += [Fault("", *found) for found in content_faults(connection)]
            faults += [Fault("", *found) for found in stray_content(connection)]
            faults += list(_strangers(connection, runs))
        faults += [Fault("", *found) for found in stored_secrets(connection, secrets or Redaction())]
        for run_id in runs:
            if ref is not None:
                faults += [Fault(run_id, *found) for found in content_faults(connection, run_id)]
            faults += _run_faults(connection, run_id, head, counts)
    return Report(tuple(runs), counts[0], counts[1], tuple(faults))


def _run_faults(connection: Connection, run_id: str, head: str | None, counts: list[int]) -> list[Fault]:
    found: list[Fault] = []

    def fault(table: str, row: str, what: str) -> None:
        found.append(Fault(run_id, table, row, what))

    run = connection.execute(text("SELECT * FROM run WHERE id = :run"), {"run": run_id}).mappings().one()
    events, last = _chain(connection, run_id, fault)
    counts[0] += len(events)
    if run["status"] in ENDED and run["events"] > len(events):
        fault(
            "event", f"seq {len(events)}", f"it is missing, or cannot be trusted; the run counts {run['events']} events"
        )
    if head is not None and head != last:
        fault("event", f"seq {len(events) - 1}", f"the chain ends in {last}, not in the head that was kept: {head}")
    if not events or not isinstance(events[0], RunStarted):
        fault("event", "seq 0", "the first event is not a manifest")
        return found
    manifest = events[0]
    with suppress(SocietyError, ValueError):  # told below, or no scenario of this version
        episode = Episode.from_events(events, run_id=run_id)
        found += [Fault(run_id, *leak) for leak in leaked_words(connection, episode)]
    _telling(events, run, fault)
    _forking(connection, events, run, fault)
    _compare(connection, run_id, Agent, agent_rows(run_id, manifest.agents, setting_of(events)), fault)
    projector = Projector(run_id)
    expected: dict[str, list[tuple[Any, ...]]] = {name_of(table): [] for table in PROJECTED}  # Any: SQL values
    for seq, event in enumerate(events):
        for name, row in projector.rows(seq, event):
            expected[name].append(row)
    for table in PROJECTED:
        _compare(connection, run_id, table, expected[name_of(table)], fault)
    calls = journal_faults(connection, run_id, ended=run["status"] in ENDED, fault=fault)
    counts[1] += calls.rows
    closed = run["status"] != "running" and run["ended"] is not None
    if closed and run["status"] in ENDED:
        if (run["events"], run["head"]) != (len(events), last):
            fault(
                "run",
                "",
                f"it counts {run['events']} events up to {run['head']}, the chain has {len(events)} up to {last}",
            )
        if (run["calls"], run["usd"]) != (calls.answered, run["usd"] if calls.usd is None else calls.usd):
            fault(
                "run", "", f"I10: it counts {run['calls']} calls for {run['usd']} USD, the journal has {calls.answered}"
            )
        if run["seal"] != seal(connection, run_id, calls.digest):
            fault("run", "", "its row, its agents or its journal are not as they were when the run ended (seal)")
    elif run["seal"] is not None:
        fault("run", "", "it has a seal, though it has not ended")
    _stored_results(connection, run_id, fault)
    return found


def _chain(
    connection: Connection, run_id: str, fault: Any
) -> tuple[list[Event], str]:  # Any: a function of three texts
    """The events as they can be read, and the hash of the last one; faults are told to `fault`."""
    rows = connection.execute(
        text("SELECT seq, round, kind, body, hash FROM event WHERE run_id = :run ORDER BY seq"), {"run": run_id}
    ).all()
    events: list[Event] = []
    last = ""
    for place, row in enumerate(rows):
        here = f"seq {row.seq}"
        if row.seq != place:
            fault("event", f"seq {place}", f"I11: it is missing; the next one is {row.seq}")
            break
        try:
            event = event_from_plain(json.loads(row.body))
            canonical = canonical_event(event)
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            fault("event", here, f"it cannot be read: {problem}")
            break
        if canonical != row.body:
            fault("event", here, "its text is not canonical")
        first = isinstance(event, RunStarted) and not events
        last = chain_start(event) if first and isinstance(event, RunStarted) else chain_next(last, row.body)
        if last != row.hash:
            fault("event", here, f"I9: its hash is {row.hash}, but {last} follows from the events")
            break
        if (row.kind, row.round) != (event.kind, getattr(event, "round", None)):
            fault("event", here, f"its columns say {row.kind} in round {row.round}, its body says otherwise")
        events.append(event)
    return events, last


def _telling(events: Sequence[Event], run: Any, fault: Any) -> None:  # Any: a row, and a function of three texts
    """Whether the events make one episode that ended as the run's row says."""
    try:
        episode = Episode.from_events(events, run_id=str(run["id"]))
    except SocietyError as problem:
        fault("event", "", str(problem))
        return
    ended = next((event.status for event in events if isinstance(event, RunEnded)), None)
    if run["status"] in ENDED and run["status"] != ended:  # a run cut off after its last event is left, not closed
        fault("run", "", f"its status is {run['status']}, its events end with {ended or 'nothing'}")
    if len(episode.rounds) and episode.rounds[-1].settled is None and ended == "completed":
        fault("outcome", f"round {episode.rounds[-1].number}", "I1: the run is completed, and the round is not settled")
    for broken in Invariants().broken(events):
        fault(*broken)


def _forking(connection: Connection, events: Sequence[Event], run: Any, fault: Any) -> None:  # Any: as above
    """Whether a fork shares its first rounds with the run it says it comes from, as long as that is here."""
    forks = [(seq, event.round) for seq, event in enumerate(events) if isinstance(event, Forked)]
    if run["fork_of"] is None:
        if forks:
            fault("run", "", "its events say that it is a fork, its row does not say of what")
        return
    if not forks or forks[-1][1] != run["fork_round"]:
        fault("run", "", f"it says it is forked after round {run['fork_round']}, its events say otherwise")
        return
    sql = text("SELECT run_id, hash FROM event WHERE seq = :seq AND run_id IN (:own, :base)")
    found = connection.execute(sql, {"seq": forks[-1][0] - 1, "own": run["id"], "base": run["fork_of"]})
    hashes = {row.run_id: row.hash for row in found}
    if hashes.get(run["id"]) != hashes.get(run["fork_of"]):
        fault("event", f"seq {forks[-1][0] - 1}", f"the rounds before it are not those of run {run['fork_of']}")


def _compare(
    connection: Connection,
    run_id: str,
    table: type[SQLModel],
    expected: Sequence[tuple[Any, ...]],  # Any: SQL values
    fault: Any,  # Any: a function of three texts
) -> None:
    """Whether a table holds exactly these rows of the run."""
    columns = columns_of(table)
    keys = [columns.index(c.name) for c in table.__table__.primary_key.columns]  # type: ignore[attr-defined]  # sqlmodel hides __table__
    sql = f"SELECT {', '.join(columns)} FROM {name_of(table)} WHERE run_id = :run"
    held = {_key(row, keys): row for row in _read(connection, table, sql, run_id)}
    wanted = {_key(row, keys): row for row in expected}  # an action is told twice; the later row stands
    for key, row in wanted.items():
        here = ", ".join(f"{columns[place]} {value}" for place, value in zip(keys[1:], key[1:], strict=True))
        if key not in held:
            fault(name_of(table), here, "the row is missing")
        elif held[key] != row:
            for name, now, before in zip(columns, held[key], row, strict=True):
                if now != before:
                    fault(name_of(table), here, f"{name} is {now!r}, the events say {before!r}")
    for key in held.keys() - wanted.keys():
        here = ", ".join(f"{columns[place]} {value}" for place, value in zip(keys[1:], key[1:], strict=True))
        fault(name_of(table), here, "no event gives this row")


def _read(
    connection: Connection, table: type[SQLModel], sql: str, run_id: str
) -> Iterator[tuple[Any, ...]]:  # Any: SQL values
    return (as_written(table, row) for row in connection.execute(text(sql), {"run": run_id}))


def _key(row: Sequence[Any], keys: Sequence[int]) -> tuple[Any, ...]:  # Any: SQL values
    return tuple(row[place] for place in keys)


def _stored_results(connection: Connection, run_id: str, fault: Any) -> None:  # Any: a function of three texts
    """Whether the results of analyses are as they were stored."""
    sql = text("SELECT table_name, rows, digest, version, computed FROM derived WHERE run_id = :run")
    stored = {row.table_name: row for row in connection.execute(sql, {"run": run_id})}
    for table in COMPUTED:
        sql_rows = f"SELECT {', '.join(columns_of(table))} FROM {name_of(table)} WHERE run_id = :run"
        rows = list(_read(connection, table, sql_rows, run_id))
        kept = stored.pop(name_of(table), None)
        if kept is None:
            if rows:
                fault(name_of(table), "", f"its {len(rows)} rows were not stored by an analysis")
        elif (kept.rows, kept.digest) != (len(rows), results_digest(table, rows, kept.version, kept.computed)):
            fault(name_of(table), "", f"its {len(rows)} rows are not those that were stored")
    for name in stored:
        fault("derived", f"table_name {name}", "there is no such table of results")


def _strangers(connection: Connection, runs: Sequence[str]) -> Iterator[Fault]:
    """I14: rows of runs that are not there."""
    known = set(runs)
    for table in TABLES:
        if "run_id" in columns_of(table):
            for row in connection.execute(text(f"SELECT DISTINCT run_id FROM {name_of(table)}")):
                if row.run_id not in known:
                    yield Fault("", name_of(table), f"run {row.run_id}", "I14: there is no such run")
