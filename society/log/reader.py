"""Opening a log, asking it, and starting or resuming runs in it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from society.core.calls import Position, canonical_json
from society.core.errors import BadInput, LogCorrupt, LogUnusable, did_you_mean
from society.core.events import Event, RunStarted, canonical_event, event_from_plain
from society.episode import Episode
from society.log.committer import Committer, Job, insert
from society.log.database import DEFAULT_LOG, Place, place_of, read_engine, refusal, write_engine
from society.log.frame import Frame
from society.log.journal import Entry, position_of, response_of
from society.log.lock import AdvisoryLock, FileLock, NoLock, RunLock, is_held, lock_path
from society.log.run_id import new_run_id, utc_now
from society.log.schema import SCHEMA_VERSION
from society.log.seal import journal_sum
from society.log.tables import TABLES, ModelCall, Run, columns_of, name_of
from society.log.text import Redaction, original_text, storable_text
from society.log.views import VIEWS
from society.log.writer import RunWriter, is_free

_UNFINISHED = ("running", "paused", "interrupted", "failed")


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
        return self.status in _UNFINISHED


class Log:
    """One SQL database of runs. Reading and writing use connections of their own; writing begins with the first run.

    Attributes:
        place: where it is.
    """

    def __init__(self, url: str | Path = DEFAULT_LOG, *, secrets: Iterable[str] = ()) -> None:
        self.place: Place = place_of(url)
        self._redaction = Redaction(secrets)
        self._committer: Committer | None = None
        self._reading: Engine | None = None

    def close(self) -> None:
        """Write all that is left and let go of the database; calling it twice is harmless."""
        if self._committer is not None:
            self._committer.close()
            self._committer = None
        if self._reading is not None:
            self._reading.dispose()
            self._reading = None

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Log({self.place.shown!r})"

    # Asking

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that can only read.

        Raises:
            LogUnusable: there is no log here, or it cannot be read.
        """
        if self._reading is None:
            self._reading = self._writing.engine if self.place.memory else read_engine(self.place)
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
        sql = f"SELECT {', '.join(columns_of(Run))} FROM run ORDER BY id"
        with self.connection() as connection:
            found = [self._info(row) for row in connection.execute(text(sql))]
        return [
            run
            for run in found
            if (scenario is None or run.scenario == scenario)
            and (status is None or run.status == status)
            and (model is None or model in run.models.split(","))
            and (sweep is None or run.sweep == sweep)
        ]

    def find(self, ref: str = "last") -> RunInfo:
        """The run named: by id, a unique prefix of it, its readable name, or ``last``.

        Raises:
            BadInput: there is none, or several.
        """
        ids = self._ids()
        if not ids:
            raise BadInput(f"the log at {self.place.shown} has no runs yet")
        if ref == "last":
            return self._run(ids[-1])
        if ref in ids:
            return self._run(ref)
        near = [run for run in ids if ref and (run.startswith(ref) or run.endswith(f"-{ref}") or ref in _names(run))]
        if len(near) == 1:
            return self._run(near[0])
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
        return tuple(event for _, event, _ in self._stored(self.find(ref).id))

    def episode(self, ref: str = "last") -> Episode:
        """The episode of a run, finished or not.

        Raises:
            BadInput: no such run.
            LogCorrupt: the events do not make an episode.
        """
        run_id = self.find(ref).id
        return Episode.from_events((event for _, event, _ in self._stored(run_id)), run_id=run_id)

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
        keys = [str(ordering) for ordering in range(1, min(len(columns), 7) + 1)]
        return self.sql(f"{sql} ORDER BY {', '.join(keys)}", values)

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

    def calls(self, ref: str = "last") -> list[ModelCall]:
        """Every try of every question of a run, in the order of the episode, then of the tries."""
        run_id = self.find(ref).id
        columns = columns_of(ModelCall)
        order = "round, CASE WHEN stage = 'talk' THEN 1 WHEN stage = 'before_talk' THEN 0 WHEN stage = 'declare' THEN 2"
        order += " WHEN stage = 'act' THEN 3 ELSE 4 END, turn, agent, attempt, issue"
        sql = f"SELECT {', '.join(columns)} FROM model_call WHERE run_id = :run ORDER BY {order}"
        with self.connection() as connection:
            found = connection.execute(text(sql), {"run": run_id}).mappings()
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

    # Writing

    @property
    def _writing(self) -> Committer:
        if self._committer is None:
            self._committer = Committer(write_engine(self.place), self.place)
        return self._committer

    def start_run(
        self,
        manifest: RunStarted,
        *,
        models_free: Callable[[str], bool] = is_free,
        command: str = "",
        run_id: str | None = None,
        fork_of: str | None = None,
        fork_round: int | None = None,
        sweep: str | None = None,
        cell: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> RunWriter:
        """Begin a run: its row, its agents and its manifest are on disk when this returns (free runs do not wait).

        Args:
            manifest: all that determines the run; the sink takes it again as its first event.
            models_free: which models can be asked again at no cost and with the same answer.
            command: the command line, for the record.
            run_id: a chosen id; by default a new one is made from the time.
            fork_of: the run whose first rounds this one shares, if it is a fork.
            fork_round: how many rounds it shares.
            sweep: the sweep it belongs to, if any.
            cell: its point in the sweep.

        Raises:
            LogUnusable: the log cannot be written.
            Paused: the disk is full.
            MissingExtra: PostgreSQL without its driver.
        """
        manifest = self._clean(manifest)
        scenario = manifest.scenario if isinstance(manifest.scenario, dict) else {}
        title = str(scenario.get("name") or "run")
        new_id, name = new_run_id(title)
        run_id = run_id or new_id
        if run_id != new_id:
            name = run_id
        if not -(2**63) <= manifest.seed < 2**63:
            raise BadInput(f"the seed {manifest.seed} is too long; seeds have at most 63 bits")
        committer = self._writing
        writer = RunWriter(
            committer,
            self._lock(run_id),
            run_id,
            name,
            manifest,
            models_free=models_free,
            redaction=self._redaction,
            told=[canonical_event(manifest)],
        )
        row = {
            "id": run_id,
            "name": name,
            "scenario": title,
            "seed": manifest.seed,
            "models": ",".join(dict.fromkeys(manifest.models)),
            "status": "running",
            "reason": "",
            "rounds_planned": scenario.get("rounds") or 0,
            "rounds_played": 0,
            "started": utc_now(),
            "ended": None,
            "calls": 0,
            "calls_unpriced": 0,
            "events": 1,
            "head": "",
            "version": manifest.version,
            "schema_version": SCHEMA_VERSION,
            "command": storable_text(self._redaction.text(command)),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "fork_of": fork_of,
            "fork_round": fork_round,
            "sweep": sweep,
            "cell": None if cell is None else canonical_json(cell),
        }

        def prepare(job: Job) -> None:
            writer.begin(job)
            chain, job.rows[:] = list(job.rows), []
            row["head"] = writer.head
            job.rows.append(("run", tuple(row.get(column) for column in columns_of(Run))))
            job.rows.extend(("agent", agent) for agent in agent_rows(run_id, manifest))
            job.rows.extend(chain)

        begun = committer.submit(writer, prepare)
        if not writer.all_free:
            try:
                begun.result()
            except BaseException:
                writer.abandon()
                raise
        return writer

    def resume_run(self, ref: str = "last", *, models_free: Callable[[str], bool] = is_free) -> RunWriter:
        """Go on with a run that was left. Play it again from the start: committed answers are recalled, events compared.

        Raises:
            BadInput: no such run, or it has ended.
            LogUnusable: somebody else is writing it.
            LogCorrupt: its events do not fit together.
        """
        run = self.find(ref)
        if not run.resumable:
            raise BadInput(f"run {run.id} is {run.status}; there is nothing to go on with")
        lock = self._lock(run.id)
        try:
            return self._taken_up(run.id, lock, models_free)
        except BaseException:
            lock.release()
            raise

    def _taken_up(self, run_id: str, lock: RunLock, models_free: Callable[[str], bool]) -> RunWriter:
        run = self._run(run_id)  # once more, under the lock
        if run.status not in _UNFINISHED:
            raise BadInput(f"run {run.id} is {run.status}; there is nothing to go on with")
        stored = self._stored(run.id)
        if not stored or not isinstance(stored[0][1], RunStarted):
            raise LogCorrupt(f"run {run.id}: its first event is not a manifest")
        manifest = stored[0][1]
        entries: dict[Position, Entry] = {}
        issues: dict[Position, int] = {}
        sql = f"SELECT {', '.join(columns_of(ModelCall))} FROM model_call WHERE run_id = :run"
        with self.connection() as connection:
            for row in connection.execute(text(sql), {"run": run.id}):
                at = position_of(row)
                if row.status == "answered":
                    entries[at] = Entry(row.request_hash, row.prompt, response_of(row))
                issues[at] = max(issues.get(at, 0), row.issue + 1)
            journal = journal_sum(connection, run.id)
        writer = RunWriter(
            self._writing,
            lock,
            run.id,
            run.name,
            manifest,
            models_free=models_free,
            redaction=self._redaction,
            entries=entries,
            issues=issues,
            told=[body for body, _, _ in stored],
            journal=journal,
            prompt_of=self.prompt,
        )
        writer.go_on([event for _, event, _ in stored], stored[-1][2])
        owner = {"run": run.id, "host": socket.gethostname(), "pid": os.getpid()}

        def prepare(job: Job) -> None:
            job.updates.append(lambda connection: _own(connection, owner))

        self._writing.submit(writer, prepare).result()
        return writer

    def write(
        self, rows: Sequence[tuple[str, tuple[Any, ...]]], *, before: Sequence[str] = (), **values: Any
    ) -> None:  # Any: SQL values
        """Insert rows that analyses computed, after the statements `before`; all in one transaction."""
        owner = _Anybody()

        def prepare(job: Job) -> None:
            def run(connection: Connection) -> None:
                for statement in before:
                    connection.execute(text(statement), values)
                insert(connection, rows)

            job.updates.append(run)

        self._writing.submit(owner, prepare).result()

    # Inside

    def _lock(self, run_id: str) -> RunLock:
        if self.place.memory:
            return NoLock()
        if self.place.file is None:
            return AdvisoryLock(self._writing.engine, run_id)
        _ = self._writing  # the file and its folder are checked before a lock is put beside it
        return FileLock(self.place.file, run_id)

    def _clean(self, manifest: RunStarted) -> RunStarted:
        if not self._redaction:
            return manifest
        clean = event_from_plain(json.loads(self._redaction.text(canonical_event(manifest))))
        assert isinstance(clean, RunStarted)
        return clean

    def _ids(self) -> list[str]:
        with self.connection() as connection:
            return [str(row[0]) for row in connection.execute(text("SELECT id FROM run ORDER BY started, id"))]

    def _run(self, run_id: str) -> RunInfo:
        sql = f"SELECT {', '.join(columns_of(Run))} FROM run WHERE id = :run"
        with self.connection() as connection:
            row = connection.execute(text(sql), {"run": run_id}).one()
        return self._info(row)

    def _info(self, row: Any) -> RunInfo:  # Any: a row of the table run
        fields = {name: _shown(value) for name, value in row._mapping.items()}
        if fields["status"] == "running" and self._left(str(fields["id"])):
            fields |= {"status": "interrupted", "reason": "its process is gone"}
        return RunInfo(**fields)

    def _left(self, run_id: str) -> bool:
        """Whether a run that calls itself running has no writer."""
        if self.place.file is None:
            return False
        return not is_held(lock_path(self.place.file, run_id))

    def _stored(self, run_id: str) -> list[tuple[str, Event, str]]:
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


class _Anybody:
    failure: BaseException | None = None


def open_log(url: str | Path = DEFAULT_LOG, *, secrets: Iterable[str] = ()) -> Log:
    """Open a log by URL or by the path of a SQLite file. Nothing is made until something is written.

    Args:
        url: ``sqlite:///logs/society.db``, ``postgresql://user@host/name``, or a path.
        secrets: values (keys) that must never be stored; they are taken out of everything that is written.

    Raises:
        LogUnusable: not a URL of a log.
    """
    return Log(url, secrets=secrets)


def agent_rows(run_id: str, manifest: RunStarted) -> list[tuple[Any, ...]]:  # Any: SQL values
    """The rows of `agent`: a pure function of the manifest."""
    scenario: Any = manifest.scenario if isinstance(manifest.scenario, dict) else {}  # Any: JSON
    specs = scenario.get("agents") or ()
    rows = []
    for seat, (name, model) in enumerate(zip(manifest.agents, manifest.models, strict=True)):
        spec = specs[seat] if seat < len(specs) and isinstance(specs[seat], dict) else {}
        principal = spec.get("principal_goal")
        rows.append(
            (
                run_id,
                seat,
                storable_text(name),
                model,
                str((spec.get("policy") or {}).get("kind", "llm")),
                storable_text(str(spec.get("role", ""))),
                storable_text(str(spec.get("persona", ""))),
                canonical_json(spec.get("goal") or {}),
                None if principal is None else canonical_json(principal),
            )
        )
    return rows


def _own(connection: Connection, owner: Mapping[str, Any]) -> None:  # Any: SQL values
    connection.execute(
        text("UPDATE run SET status = 'running', reason = '', ended = NULL, host = :host, pid = :pid WHERE id = :run"),
        owner,
    )


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

__all__ = ["Log", "LogUnusable", "RunInfo", "agent_rows", "open_log"]
