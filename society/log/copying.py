"""Copying runs from one log into another, SQLite or PostgreSQL, losing nothing: each run whole or not at all, digests and all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from society.core.errors import BadInput
from society.log.committer import Job, insert
from society.log.journal_tables import AnswerSchema, Prompt
from society.log.later_tables import Derived
from society.log.opened import Log
from society.log.projection import SqlRow
from society.log.reader import RunInfo
from society.log.seal import as_written
from society.log.tables import COMPUTED, TABLES, Run, columns_of, name_of

Standing: TypeAlias = Literal["absent", "same", "behind", "ahead", "apart"]
"""How far the copy that stands there already is, seen from the run that is to be copied."""

Rows: TypeAlias = list[tuple[str, SqlRow]]

_OF_RUNS = tuple(t for t in TABLES if "run_id" in columns_of(t))
_USED_PROMPTS = """
WITH RECURSIVE used(hash) AS (
  SELECT DISTINCT prompt FROM model_call WHERE run_id = :run AND prompt IS NOT NULL
  UNION SELECT p.before FROM prompt AS p JOIN used AS u ON p.hash = u.hash WHERE p.before IS NOT NULL
) SELECT {columns} FROM prompt WHERE hash IN (SELECT hash FROM used) ORDER BY place, hash"""
_USED_SCHEMAS = """
SELECT {columns} FROM answer_schema WHERE hash IN (SELECT answer_schema FROM model_call WHERE run_id = :run) ORDER BY hash"""


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of copying.

    Attributes:
        copied: runs that were not there.
        continued: runs that were there up to some point, and now are there as far as they go.
        there: runs that were there already, as far or further.
        left_out: runs that somebody is writing just now, and forks of these.
        rows: how many rows were written.
    """

    copied: tuple[str, ...]
    continued: tuple[str, ...]
    there: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: int


def copy_runs(source: Log, target: Log, *, told: Callable[[int, int], None] | None = None) -> Copied:
    """Add every run of a log to another; what is there already is left as it is, so that an interrupted copy just goes on.

    Args:
        source: the log that is read.
        target: the log that is written, made if there is none.
        told: told after each run how many are done, and of how many.

    Raises:
        BadInput: both are one log, or a run went on differently in each; nothing of that run is touched.
        LogUnusable: one of them cannot be used, or somebody is writing the copy of a run.
    """
    if source.place.url == target.place.url:
        raise BadInput("this is one log, not two")
    target.prepare()
    found: dict[str, list[str]] = {"copied": [], "continued": [], "there": [], "left_out": []}
    rows, runs = 0, _parents_first(source.runs())
    for done, run in enumerate(runs, 1):
        if run.status == "running" or run.fork_of in found["left_out"]:
            found["left_out"].append(run.id)
        else:
            outcome, written = _copy(source, target, run)
            found[outcome].append(run.id)
            rows += written
        if told is not None:
            told(done, len(runs))
    return Copied(
        tuple(found["copied"]), tuple(found["continued"]), tuple(found["there"]), tuple(found["left_out"]), rows
    )


def _copy(source: Log, target: Log, run: RunInfo) -> tuple[str, int]:
    """Bring one run over; returns what came of it, and how many rows were written."""
    with source.connection() as here:
        with target.connection() as there:
            standing = _standing(here, there, run.id)
            kept = _kept(there, run.id)
        if standing == "apart":
            raise BadInput(
                f"run {run.id} went on differently in {source.place.shown} and in {target.place.shown}; keep one of the two"
            )
        if standing in ("same", "ahead"):
            late = [t for t in COMPUTED if name_of(t) in _kept(here, run.id) - kept] if standing == "same" else []
            rows = list(_results(here, run.id, late))
            if rows:
                target.write(lambda job: job.rows.extend(rows))
            return "there", len(rows)
        rows = [*_shared(here, run.id), *_own(here, run.id)]

    def prepare(job: Job) -> None:
        if standing == "behind":
            job.updates.append(lambda connection: _replace(connection, run.id, rows))
        else:
            job.rows.extend(rows)

    if standing == "absent":
        target.write(prepare)
        return "copied", len(rows)
    with target.locked(run.id):
        target.write(prepare)
    return "continued", len(rows)


def _standing(here: Connection, there: Connection, run_id: str) -> Standing:
    mine, theirs = _row(here, run_id), _row(there, run_id)
    if theirs is None:
        return "absent"
    if mine == theirs:
        return "same"
    (events, calls), (their_events, their_calls) = _chain(here, run_id), _chain(there, run_id)
    shorter = min(len(events), len(their_events))
    if events[:shorter] != their_events[:shorter]:
        return "apart"
    further = (len(their_events), their_calls, theirs[-1] or "") > (len(events), calls, mine[-1] or "" if mine else "")
    return "ahead" if further else "behind"


def _row(connection: Connection, run_id: str) -> tuple[Any, ...] | None:  # Any: SQL values
    """The row of a run; when it last stopped comes last."""
    columns = [c for c in columns_of(Run) if c != "ended"]
    sql = text(f"SELECT {', '.join(columns)}, ended FROM run WHERE id = :run")
    row = connection.execute(sql, {"run": run_id}).first()
    return None if row is None else tuple(row)


def _chain(connection: Connection, run_id: str) -> tuple[list[str], int]:
    """The hashes of a run's events, and how many tries its journal has."""
    hashes = connection.execute(text("SELECT hash FROM event WHERE run_id = :run ORDER BY seq"), {"run": run_id})
    calls = connection.scalar(text("SELECT COUNT(*) FROM model_call WHERE run_id = :run"), {"run": run_id})
    return [str(row.hash) for row in hashes], int(calls or 0)


def _kept(connection: Connection, run_id: str) -> set[str]:
    """The tables that hold results of this run."""
    found = connection.execute(text("SELECT table_name FROM derived WHERE run_id = :run"), {"run": run_id})
    return {str(row.table_name) for row in found}


def _shared(connection: Connection, run_id: str) -> Iterator[tuple[str, SqlRow]]:
    """Prompts and schemas the run uses; what the other log has of them already stays."""
    yield from _rows(connection, Prompt, _USED_PROMPTS, run_id)
    yield from _rows(connection, AnswerSchema, _USED_SCHEMAS, run_id)


def _own(connection: Connection, run_id: str) -> Iterator[tuple[str, SqlRow]]:
    yield from _rows(connection, Run, "SELECT {columns} FROM run WHERE id = :run", run_id)
    for table in _OF_RUNS:
        yield from _rows(connection, table, f"SELECT {{columns}} FROM {name_of(table)} WHERE run_id = :run", run_id)


def _results(connection: Connection, run_id: str, tables: Sequence[type[SQLModel]]) -> Iterator[tuple[str, SqlRow]]:
    """Results, each set with the digest it stands under."""
    for table in tables:
        name = name_of(table)
        yield from _rows(connection, table, f"SELECT {{columns}} FROM {name} WHERE run_id = :run", run_id)
        digest = f"SELECT {{columns}} FROM derived WHERE run_id = :run AND table_name = '{name}'"
        yield from _rows(connection, Derived, digest, run_id)


def _rows(connection: Connection, table: type[SQLModel], sql: str, run_id: str) -> Iterator[tuple[str, SqlRow]]:
    question = text(sql.format(columns=", ".join(columns_of(table))))
    for row in connection.execute(question, {"run": run_id}):
        yield name_of(table), as_written(table, row)


def _replace(connection: Connection, run_id: str, rows: Rows) -> None:
    """Put these rows in place of all that stands there of a run; other runs may refer to its own row, so that one is changed."""
    for table in reversed(_OF_RUNS):
        connection.execute(text(f"DELETE FROM {name_of(table)} WHERE run_id = :run"), {"run": run_id})
    columns = columns_of(Run)
    changes = ", ".join(f"{column} = :{column}" for column in columns)
    for name, row in rows:
        if name == name_of(Run):
            connection.execute(text(f"UPDATE run SET {changes} WHERE id = :id"), dict(zip(columns, row, strict=True)))
    insert(connection, (entry for entry in rows if entry[0] != name_of(Run)))


def _parents_first(runs: Sequence[RunInfo]) -> list[RunInfo]:
    """Runs in their order, but none before the one it is a fork of."""
    by_id, placed = {run.id: run for run in runs}, dict[str, RunInfo]()

    def place(run: RunInfo) -> None:
        if run.id not in placed:
            if run.fork_of in by_id:
                place(by_id[run.fork_of])
            placed[run.id] = run

    for run in runs:
        place(run)
    return list(placed.values())
