"""Asking a log: runs, events, episodes, tables, prompts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Self, get_args

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from society.core.errors import BadInput, LogCorrupt, did_you_mean
from society.core.events import Event, event_from_plain
from society.episode import Episode
from society.log.column_types import column_types
from society.log.database import Place, read_engine, refusal
from society.log.frame import Frame
from society.log.lock import is_held, is_held_there, lock_path
from society.log.tables import TABLES, ModelCall, Run, columns_of, name_of, table_of
from society.log.text import original_text
from society.log.views import VIEWS

UNFINISHED = ("running", "paused", "interrupted", "failed")


@dataclass(frozen=True)
class RunInfo:
    """The row of one run; columns as in the table `run`. `status` is interrupted where a running run has no writer left."""

    id: str
    name: str
    scenario: str
    seed: int
    models: str
    status: str
    reason: str
    rounds_planned: int
    rounds_played: int
    started: str
    ended: str | None
    calls: int
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    calls_unpriced: int
    events: int
    head: str
    seal: str | None
    version: str
    schema_version: int
    command: str
    host: str
    pid: int
    fork_of: str | None
    fork_round: int | None
    sweep: str | None
    cell: str | None

    @property
    def resumable(self) -> bool:
        """Whether `society resume` can go on with it."""
        return self.status in UNFINISHED


class Reader:
    """A log as it is read, through a connection that can only read.

    Attributes:
        place: where it is.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._reading: Engine | None = None

    def close(self) -> None:
        """Let go of the database; calling it twice is harmless."""
        if self._reading is not None:
            self._reading.dispose()
            self._reading = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _engine(self) -> Engine:
        return read_engine(self.place)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that can only read.

        Raises:
            LogUnusable: there is no log here, or it cannot be read.
        """
        if self._reading is None:
            self._reading = self._engine()
        try:
            with self._reading.connect() as connection:
                yield connection
        except SQLAlchemyError as problem:
            raise refusal(problem, self.place) from problem

    def runs(
        self,
        *,
        scenario: str | None = None,
        status: str | None = None,
        model: str | None = None,
        sweep: str | None = None,
    ) -> list[RunInfo]:
        """The runs of this log, oldest first; only those that fit what is given."""
        wanted = {"scenario": scenario, "sweep": sweep}
        fitting = " AND ".join(f"{name} = :{name}" for name, value in wanted.items() if value is not None)
        sql = (
            f"SELECT {', '.join(columns_of(Run))} FROM run{' WHERE ' if fitting else ''}{fitting} ORDER BY started, id"
        )
        with self.connection() as connection:
            rows = connection.execute(text(sql), {name: value for name, value in wanted.items() if value is not None})
            found = [self._info(connection, row) for row in rows.all()]
        return [
            run for run in found if status in (None, run.status) and (model is None or model in run.models.split(","))
        ]

    def find(self, ref: str = "last") -> RunInfo:
        """The run named: by id, a unique prefix of it, its readable name, or ``last``.

        Raises:
            BadInput: there is none, or several.
        """
        return self.run(self.named(ref))

    def named(self, ref: str) -> str:
        """The id of the run named, as `find` takes names.

        Raises:
            BadInput: there is none, or several.
        """
        ids = self.ids()
        if not ids:
            raise BadInput(f"the log at {self.place.shown} has no runs yet")
        if ref == "last":
            return ids[-1]
        if ref in ids:
            return ref
        near = [run for run in ids if ref and (run.startswith(ref) or run.endswith(f"-{ref}") or ref in _names(run))]
        if len(near) == 1:
            return near[0]
        if near:
            shown = ", ".join(near[:5]) + (" ..." if len(near) > 5 else "")
            raise BadInput(f"{len(near)} runs match {ref!r}: {shown}; give more of the id")
        raise BadInput(f"no run {ref!r} in {self.place.shown}{did_you_mean(ref, ids)}; `society runs` lists them")

    def events(self, ref: str = "last") -> tuple[Event, ...]:
        """The events of a run, in order.

        Raises:
            BadInput: no such run.
            LogCorrupt: a stored event cannot be read.
        """
        return tuple(event for _, event, _ in self.stored(self.find(ref).id))

    def episode(self, ref: str = "last") -> Episode:
        """The episode of a run, finished or not.

        Raises:
            BadInput: no such run.
            LogCorrupt: the events do not make an episode.
        """
        run_id = self.find(ref).id
        return Episode.from_events((event for _, event, _ in self.stored(run_id)), run_id=run_id)

    def frame(self, name: str, *, run: str | None = None) -> Frame:
        """A whole table or view, or the rows of one run of it.

        Raises:
            BadInput: no such table, view or run.
        """
        known = self.tables
        if name not in known:
            raise BadInput(f"no table or view {name!r}{did_you_mean(name, known)} (known: {', '.join(known)})")
        columns = known[name]
        sql, values = f"SELECT {', '.join(columns)} FROM {name}", {}
        if run is not None:
            place = next((c for c in ("run_id", "run") if c in columns), "id" if name == "run" else None)
            if place is None:
                raise BadInput(f"{name!r} does not belong to single runs")
            sql, values = f"{sql} WHERE {place} = :run", {"run": self.find(run).id}
        answer = self.sql(f"{sql} ORDER BY {', '.join(_orders()[name])}", values)
        return Frame(answer.columns, answer.values, sql=answer.sql, types=column_types()[name])

    def sql(self, question: str, values: Mapping[str, Any] | None = None) -> Frame:  # Any: SQL values
        """The answer to any question in SQL; values stand in it as ``:name``."""
        with self.connection() as connection:
            found = connection.execute(text(question), dict(values or {}))
            rows = [tuple(_shown(value) for value in row) for row in found]
            return Frame(tuple(found.keys()), rows, sql=question)

    @cached_property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of every table and view."""
        return {name_of(t): columns_of(t) for t in TABLES} | {view.name: tuple(view.columns) for view in VIEWS}

    def calls(self, ref: str = "last", *, round: int | None = None, agent: int | None = None) -> list[ModelCall]:
        """Every try of every question of a run, in the order of the episode, then of the tries.

        Args:
            ref: the run.
            round: only of this round.
            agent: only to this seat.
        """
        run_id = self.find(ref).id
        columns = columns_of(ModelCall)
        order = "round, CASE WHEN stage = 'talk' THEN 1 WHEN stage = 'before_talk' THEN 0 WHEN stage = 'declare' THEN 2"
        order += " WHEN stage = 'act' THEN 3 ELSE 4 END, turn, agent, attempt, issue"
        only = {name: value for name, value in (("round", round), ("agent", agent)) if value is not None}
        fitting = "".join(f" AND {name} = :{name}" for name in only)
        sql = f"SELECT {', '.join(columns)} FROM model_call WHERE run_id = :run{fitting} ORDER BY {order}"
        with self.connection() as connection:
            found = connection.execute(text(sql), {"run": run_id, **only}).mappings()
            return [ModelCall(**{name: _shown(value) for name, value in row.items()}) for row in found]

    def prompt(self, call_or_hash: ModelCall | str | None) -> list[tuple[str, str]]:
        """The messages of a prompt as (role, content), oldest first."""
        last = call_or_hash.prompt if isinstance(call_or_hash, ModelCall) else call_or_hash
        messages: list[tuple[str, str]] = []
        with self.connection() as connection:
            while last:
                row = connection.execute(_PROMPT, {"hash": last}).first()
                if row is None:
                    raise LogCorrupt(f"the log lacks message {last[:12]} of a prompt")
                messages.append((row.role, original_text(row.content)))
                last = row.before
        return messages[::-1]

    def left_behind(self) -> frozenset[str]:
        """The ids of runs that call themselves running and have no writer; wherever they are shown they are interrupted."""
        with self.connection() as connection:
            ids = connection.execute(text("SELECT id FROM run WHERE status = 'running'")).scalars().all()
            return frozenset(str(run) for run in ids if self._left(connection, str(run)))

    def ids(self) -> list[str]:
        """The ids of all runs, oldest first.

        Raises:
            LogCorrupt: some row has an id that is no text, so that nothing could be asked of it.
        """
        with self.connection() as connection:
            found = connection.execute(text("SELECT id FROM run ORDER BY started, id")).scalars().all()
        strange = [run for run in found if type(run) is not str or not run]
        if strange:
            raise LogCorrupt(
                f"{self.place.shown}: table run, row with id {ascii(strange[0])[:80]}: this is the name of no run; `society verify` "
                "tells what else is wrong"
            )
        return list(found)

    def run(self, run_id: str) -> RunInfo:
        """The row of the run with exactly this id."""
        sql = f"SELECT {', '.join(columns_of(Run))} FROM run WHERE id = :run"
        with self.connection() as connection:
            row = connection.execute(text(sql), {"run": run_id}).one()
            return self._info(connection, row)

    def _info(self, connection: Connection, row: Any) -> RunInfo:  # Any: a row of the table run
        for (name, kinds), value in zip(_kinds().items(), row, strict=True):
            if type(value) not in kinds:
                raise LogCorrupt(
                    f"run {ascii(row.id)[:80]}: {name} is {ascii(value)[:80]}, no value of its kind; `society verify` tells what "
                    "else is wrong"
                )
        values: list[Any] = [original_text(value) if type(value) is str else value for value in row]  # Any: SQL values
        info = RunInfo(*values)
        if info.status == "running" and self._left(connection, info.id):
            return replace(info, status="interrupted", reason="its process is gone")
        return info

    def _left(self, connection: Connection, run_id: str) -> bool:
        """Whether a run that calls itself running has no writer."""
        if self.place.memory:
            return False
        if self.place.file is None:
            return not is_held_there(connection, run_id)
        return not is_held(lock_path(self.place.file, run_id))

    def stored(self, run_id: str) -> list[tuple[str, Event, str]]:
        """The events of a run with their text and hash, in order.

        Raises:
            LogCorrupt: a stored event cannot be read.
        """
        sql = text("SELECT seq, body, hash FROM event WHERE run_id = :run ORDER BY seq")
        with self.connection() as connection:
            rows = connection.execute(sql, {"run": run_id}).all()
        stored: list[tuple[str, Event, str]] = []
        for row in rows:
            try:
                stored.append((row.body, event_from_plain(json.loads(row.body)), row.hash))
            except (ValueError, TypeError, KeyError) as problem:
                raise LogCorrupt(f"run {run_id}, event {row.seq} cannot be read: {problem}") from None
        return stored


@cache
def _orders() -> dict[str, tuple[str, ...]]:
    """The columns each table and view is sorted by: the key, or the order of the story."""
    keys = {name_of(t): tuple(c.name for c in table_of(t).primary_key.columns) for t in TABLES}
    return keys | {view.name: view.order for view in VIEWS}


@cache
def _kinds() -> dict[str, tuple[type, ...]]:
    """What the values of each column of a run's row can be."""
    kinds = column_types()[name_of(Run)]
    nullable = {name for name, field in Run.model_fields.items() if type(None) in get_args(field.annotation)}
    return {
        name: (kind, *((int,) if kind is float else ()), *((type(None),) if name in nullable else ()))
        for name, kind in kinds.items()
    }


def _shown(value: Any) -> Any:  # Any: SQL values
    if isinstance(value, memoryview):
        return bytes(value)
    return original_text(value) if isinstance(value, str) else value


def _names(run_id: str) -> tuple[str, ...]:
    """The shorter names a run answers to: its scenario and words without the time, its two words without the digits."""
    _, _, rest = run_id.partition("-")
    words = rest.split("-")
    return (rest, "-".join(words[-3:]), "-".join(words[-3:-1]))


_PROMPT = text("SELECT before, role, content FROM prompt WHERE hash = :hash")
