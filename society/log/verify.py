"""Does a log prove itself? Every row is checked against the events, and the events against their chain.

What is checked for each run, with the invariants it stands for:

    I1, I4 to I6    what holds in every round: see `society.invariants`
    I2   attempts at one question are counted without gaps, and so are the tries of each
    I3   the hash of each question follows from what is stored of it
    I7   what only one agent may know stands in nobody else's prompt, unless somebody said it
    I9   each event's hash follows from the one before
    I10  the cost of the run is the sum of its calls; no session spent more than its budget and its calls in flight allow
    I11  events are counted without gaps
    I12  no key that is configured here stands anywhere in the log
    I13  every table of what was said, meant and done holds exactly the rows that the events give
    I14  no row belongs to a run that is not there, or refers to a row that is not
    I15  in a run that has ended, every try of a question has ended or was given up for a later one
    I16  the log is read through a connection that cannot write

and that the row, agents, sessions and journal of a run that has stopped are as they were sealed; that prompts are what their hashes say; that stored
results are as they were stored; that tables and views are those this version makes, and each value is of its column's kind.

A chain and a seal show every change that is not made with care. Whoever rewrites the events and recomputes all hashes after them
is found only by a head that was kept elsewhere: `head`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from society.core.events import RunStarted, setting_of
from society.log.findings import Fault, Findings, Report
from society.log.projection import Projector, agent_rows
from society.log.reader import Reader
from society.log.tables import PROJECTED, TABLES, Agent, columns_of, name_of
from society.log.text import Redaction
from society.log.verify_chain import episode_of, fork_faults, read_chain, run_faults, telling_faults
from society.log.verify_journal import content_faults, journal_faults, stray_content
from society.log.verify_privacy import leaked_words, stored_secrets
from society.log.verify_results import ENDED, closing_faults, stored_results
from society.log.verify_rows import any_bytes, compare, kind_faults, reference_faults
from society.log.verify_schema import database_faults, reading_only, schema_faults

__all__ = ["Fault", "Report", "verify"]


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
    found = Findings()
    only = None if ref is None else log.named(ref)
    with log.connection() as connection, any_bytes(connection):
        ids = connection.execute(text("SELECT id FROM run ORDER BY id")).scalars().all()
        runs = [run for run in ids if _is_name(run)] if only is None else [only]
        if not log.place.memory:  # what only this process has is read and written through one connection
            found.count("I16")
            found.all(reading_only(connection))
        if only is None:
            found.all(database_faults(connection))
        with found.about("schema"):
            found.all(schema_faults(connection))
        found.count("I12", stored_secrets(connection, secrets or Redaction(), found))  # of the whole log
        found.run = only or ""
        found.all(kind_faults(connection, only))
        with found.about("prompt"):
            found.all(content_faults(connection, only))
        if only is None:
            strange = [ascii(run)[:80] for run in ids if not _is_name(run)]
            found.all(("run", f"id {shown}", "this is the name of no run; it is not looked at") for shown in strange)
            found.all(stray_content(connection))
            found.count("I14", _strangers(connection, runs, found))
            found.all(reference_faults(connection))
        events = calls = 0
        for run_id in runs:
            found.run = run_id
            with found.about("run"):
                counted = _run(connection, run_id, head, found)
                events, calls = events + counted[0], calls + counted[1]
    return Report(tuple(runs), events, calls, tuple(found.faults), dict(found.checked))


def _run(connection: Connection, run_id: str, head: str | None, found: Findings) -> tuple[int, int]:
    """Check one run; returns how many events and calls it has."""
    run = connection.execute(text("SELECT * FROM run WHERE id = :run"), {"run": run_id}).mappings().one()
    chain = read_chain(connection, run_id, found)
    events = chain.events
    if run["status"] in ENDED and run["events"] > len(events):
        what = f"it is missing, or cannot be trusted; the run counts {run['events']} events"
        found.fault("event", f"seq {len(events)}", what)
    if head is not None and head != chain.head:
        what = f"the chain ends in {chain.head}, not in the head that was kept: {head}"
        found.fault("event", f"seq {len(events) - 1}", what)
    if not events or not isinstance(events[0], RunStarted):
        found.fault("event", "seq 0", "the first event is not a manifest")
        return len(events), 0
    episode = episode_of(events, run_id)
    if episode is not None:
        found.count("I7", leaked_words(connection, episode, found))
    telling_faults(events, run, ENDED, found)
    run_faults(events, run, found)
    fork_faults(connection, events, run, found)
    named = agent_rows(run_id, events[0].agents, setting_of(events))
    found.count("I13", compare(connection, run_id, Agent, named, found.fault))
    projector = Projector(run_id)
    expected: dict[str, list[tuple[object, ...]]] = {name_of(table): [] for table in PROJECTED}
    for seq, event in enumerate(events):
        for name, row in projector.rows(seq, event):
            expected[name].append(row)
    for table in PROJECTED:
        found.count("I13", compare(connection, run_id, table, expected[name_of(table)], found.fault))
    calls = journal_faults(connection, run_id, ended=run["status"] in ENDED, found=found)
    closing_faults(connection, run, chain, calls, found)
    stored_results(connection, run_id, found)
    return len(events), calls.rows


def _is_name(run_id: object) -> bool:
    """Whether an id is a text by which its run can be found; half a surrogate stands for a byte that is no text."""
    return isinstance(run_id, str) and bool(run_id) and not any("\ud800" <= letter <= "\udfff" for letter in run_id)


def _strangers(connection: Connection, runs: Sequence[str], found: Findings) -> int:
    """I14: rows of runs that are not there; returns how many rows say whose they are."""
    known, rows = set(runs), 0
    for table in TABLES:
        if "run_id" in columns_of(table):
            counted = text(f"SELECT run_id, COUNT(*) AS rows FROM {name_of(table)} GROUP BY run_id ORDER BY run_id")
            for row in connection.execute(counted):
                rows += row.rows
                if row.run_id not in known:
                    found.fault(name_of(table), f"run {row.run_id}", "I14: there is no such run")
    return rows
