"""A log as it is written: starting runs, going on with them, keeping results."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, text

from society.core.calls import Position
from society.core.canonical import canonical_json
from society.core.errors import BadInput, LogCorrupt, NotBegun, Paused
from society.core.events import Forked, RunStarted, canonical_event, event_from_plain, setting_of
from society.log.committer import Committer, Job
from society.log.database import DEFAULT_LOG, place_of, write_engine
from society.log.forking import NOTHING_SHARED, Shared, manifest_of, shared_events, shared_part
from society.log.journal import Entry, position_of, response_of
from society.log.lock import AdvisoryLocks, FileLock, NoLock, RunLock
from society.log.opening import run_row, title_of
from society.log.projection import agent_rows
from society.log.reader import UNFINISHED, Reader
from society.log.replay import Rerun
from society.log.results import Result, replacing
from society.log.run_id import new_run_id
from society.log.seal import journal_sum, seal
from society.log.sessions import OpenSession, budget_in, sessions_of
from society.log.tables import ModelCall, Run, columns_of
from society.log.text import Redaction, storable_text, without_password
from society.log.used import used
from society.log.writer import RunWriter, is_free

if TYPE_CHECKING:
    from society.log.verify import Report
    from society.scenario.model import Budget

S = TypeVar("S", RunStarted, Forked)


class Log(Reader):
    """One SQL database of runs. Reading and writing use connections of their own; writing begins with the first run.

    Attributes:
        place: where it is.
    """

    def __init__(self, url: str | Path = DEFAULT_LOG, *, secrets: Iterable[str] = ()) -> None:
        super().__init__(place_of(url))
        self._redaction = Redaction(secrets)
        self._committer: Committer | None = None
        self._locks: AdvisoryLocks | None = None

    def close(self) -> None:
        """Write all that is left and let go of the database; calling it twice is harmless."""
        if self._committer is not None:
            self._committer.close()
            self._committer = None
        if self._locks is not None:
            self._locks.close()
            self._locks = None
        super().close()

    def __repr__(self) -> str:
        return f"Log({self.place.shown!r})"

    def prepare(self) -> None:
        """Make the log if there is none yet, so that it can be asked what it holds.

        Raises:
            LogUnusable: it cannot be written.
        """
        _ = self._writing

    def _engine(self) -> Engine:
        return self._writing.engine if self.place.memory else super()._engine()

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
        sweep: str | None = None,
        cell: Mapping[str, Any] | None = None,  # Any: JSON
        wait: bool = True,
    ) -> RunWriter:
        """Begin a run: its row, its agents and its manifest are on disk when this returns.

        Args:
            manifest: all that determines the run; the sink takes it again as its first event.
            models_free: which models can be asked again at no cost and with the same answer.
            command: the command line, for the record.
            run_id: a chosen id; by default a new one is made from the time.
            sweep: the sweep it belongs to, if any.
            cell: its point in the sweep.
            wait: False: return at once; the first stage waits, and raises what went wrong (that of a free run goes on).

        Raises:
            LogUnusable: the log cannot be written.
            Paused: the disk is full.
            MissingExtra: PostgreSQL without its driver.
        """
        manifest = self._clean(manifest)
        new_id, name = new_run_id(title_of(manifest))
        ids = (new_id, name) if run_id in (None, new_id) else (run_id, run_id)
        columns = {"command": command, "sweep": sweep, "cell": None if cell is None else canonical_json(cell)}
        return self._begin(ids, manifest, manifest, models_free=models_free, columns=columns, wait=wait)

    def fork_run(
        self, ref: str, forked: Forked, *, models_free: Callable[[str], bool] = is_free, command: str = ""
    ) -> RunWriter:
        """Begin a run that shares the first rounds of another one, up to `forked`; see `RunWriter.shared`.

        Raises:
            BadInput: no such run, or it has not finished so many rounds.
            LogUnusable, Paused: as in `start_run`.
        """
        base, forked = self.find(ref), self._clean(forked)
        ids = new_run_id(title_of(forked))
        shared = shared_part(self, base.id, ids[0], forked.round)
        manifest = manifest_of(shared.events)
        if manifest is None:
            raise LogCorrupt(f"run {base.id}: its first event is not a manifest")
        columns = {"command": command, "fork_of": base.id, "fork_round": forked.round}
        return self._begin(ids, manifest, forked, shared=shared, models_free=models_free, columns=columns)

    def _begin(
        self,
        ids: tuple[str, str],
        manifest: RunStarted,
        setting: RunStarted | Forked,
        *,
        shared: Shared = NOTHING_SHARED,
        models_free: Callable[[str], bool],
        columns: dict[str, Any],  # Any: SQL values
        wait: bool = True,
    ) -> RunWriter:
        """Begin a run whose first events are those shared and then, if it is a fork, its `setting`."""
        if not -(2**63) <= setting.seed < 2**63:
            raise BadInput(f"the seed {setting.seed} is too long; seeds have at most 63 bits")
        run_id, name = ids
        earlier = (*shared.events[1:], setting) if shared.events else ()
        committer = self._writing
        writer = RunWriter(
            committer,
            self._lock(run_id),
            OpenSession(run_id, budget_in(setting)),
            name,
            manifest,
            models_free=models_free,
            redaction=self._redaction,
            told=() if earlier else [canonical_event(manifest)],
            shared=(manifest, *earlier) if earlier else (),
        )
        row = run_row(ids, setting, earlier, len(shared.calls), columns)
        row["command"] = storable_text(self._redaction.text(without_password(columns["command"])))

        def prepare(job: Job) -> None:
            writer.rows.begin(job, earlier, shared.calls)
            chain, job.rows[:] = list(job.rows), []
            row["head"] = writer.head
            job.rows.append(("run", tuple(row.get(column) for column in columns_of(Run))))
            job.rows.append(("session", writer.session.row()))
            job.rows.extend(("agent", agent) for agent in agent_rows(run_id, manifest.agents, setting))
            job.rows.extend(chain)

        writer.begun = committer.submit(writer, prepare, hurried=wait or not writer.all_free)
        if wait:
            try:
                writer.begun.result()
            except BaseException as problem:
                writer.abandon()
                if isinstance(problem, Paused):
                    raise NotBegun.because(problem) from problem
                raise
        return writer

    def resume_run(
        self, ref: str = "last", *, models_free: Callable[[str], bool] = is_free, budget: Budget | None = None
    ) -> RunWriter:
        """Go on with a run that was left. Play it again from the start: committed answers are recalled, events compared.

        Args:
            ref: the run.
            models_free: as in `start_run`.
            budget: what it may use in all from here on; by default what its scenario says.

        Raises:
            BadInput: no such run, or it has ended.
            LogUnusable: somebody else is writing it.
            LogCorrupt: its events do not fit together, or it is not as it was when it stopped.
        """
        run = self.find(ref)
        if not run.resumable:
            raise BadInput(f"run {run.id} is {run.status}; there is nothing to go on with")
        lock = self._lock(run.id)
        try:
            return self._taken_up(run.id, lock, models_free, budget)
        except BaseException:
            lock.release()
            raise

    def _taken_up(
        self, run_id: str, lock: RunLock, models_free: Callable[[str], bool], budget: Budget | None
    ) -> RunWriter:
        run = self.run(run_id)  # once more, under the lock
        if run.status not in UNFINISHED:
            raise BadInput(f"run {run.id} is {run.status}; there is nothing to go on with")
        stored = self.stored(run.id)
        events = [event for _, event, _ in stored]
        manifest = manifest_of(events)
        if manifest is None:
            raise LogCorrupt(f"run {run.id}: its first event is not a manifest")
        shared = shared_events(events)
        entries, issues = self._committed(run.id)
        with self.connection() as connection:
            journal, used_earlier = journal_sum(connection, run.id), used(connection, run.id)
            if run.seal is not None and (run.seal, run.head) != (seal(connection, run.id, journal), stored[-1][2]):
                raise LogCorrupt(
                    f"run {run.id} is not as it was when it stopped (seal); `society verify {run.id}` tells what was changed"
                )
            ordinal = len(sessions_of(connection, run.id))
        budget = budget_in(setting_of(shared or (manifest,))) if budget is None else budget
        writer = RunWriter(
            self._writing,
            lock,
            OpenSession(run.id, budget, ordinal),
            run.name,
            manifest,
            models_free=models_free,
            redaction=self._redaction,
            entries=entries,
            issues=issues,
            told=[body for body, _, _ in stored[len(shared) :]],
            shared=shared,
            journal=journal,
            prompt_of=self.prompt,
        )
        writer.rows.go_on(events, stored[-1][2])
        writer.used = used_earlier
        owner = {"run": run.id, "host": socket.gethostname(), "pid": os.getpid()}

        def prepare(job: Job) -> None:
            job.rows.append(("session", writer.session.row()))
            job.updates.append(lambda connection: _own(connection, owner))

        self._writing.submit(writer, prepare).result()
        return writer

    def _committed(self, run_id: str) -> tuple[dict[Position, Entry], dict[Position, int]]:
        """The answers of a run by position, and the number of the next try at each."""
        entries: dict[Position, Entry] = {}
        issues: dict[Position, int] = {}
        sql = f"SELECT {', '.join(columns_of(ModelCall))} FROM model_call WHERE run_id = :run"
        with self.connection() as connection:
            for row in connection.execute(text(sql), {"run": run_id}):
                at = position_of(row)
                if row.status == "answered":
                    entries[at] = Entry(row.request_hash, row.prompt, response_of(row))
                issues[at] = max(issues.get(at, 0), row.issue + 1)
        return entries, issues

    def rerun(self, ref: str = "last") -> Rerun:
        """The journal and the sink of a run that is to be derived again; nothing is written.

        Raises:
            BadInput: no such run.
            LogCorrupt: its events cannot be read.
        """
        run = self.find(ref)
        stored = self.stored(run.id)
        events = [event for _, event, _ in stored]
        manifest = manifest_of(events)
        if manifest is None:
            raise LogCorrupt(f"run {run.id}: its first event is not a manifest")
        entries, _ = self._committed(run.id)
        told = [body for body, _, _ in stored]
        return Rerun(run.id, manifest, entries, told, self._redaction, shared=shared_events(events))

    def store(self, ref: str, table: str, rows: Iterable[Result]) -> None:
        """Keep what an analysis computed of a run, in place of what it stored before.

        Args:
            ref: the run.
            table: stage_value, gap_term, surprise_share or metric.
            rows: by column; ``run_id`` is filled in; nan is stored as null.

        Raises:
            BadInput: no such run, table or column.
        """
        self.write(replacing(self.find(ref).id, table, rows))

    async def keep(self, run_id: str, table: str, rows: Iterable[Result]) -> None:
        """As `store`, of a run by its whole id, while the event loop goes on."""
        await self._writing.commit(_Anybody(), replacing(run_id, table, rows))

    def write(self, prepare: Callable[[Job], None]) -> None:
        """Write what `prepare` puts into a job, in one transaction; it is on disk when this returns.

        Raises:
            LogUnusable: it cannot be written.
            Paused: the disk is full.
        """
        self._writing.submit(_Anybody(), prepare).result()

    @contextmanager
    def locked(self, run_id: str) -> Iterator[None]:
        """Be the only writer of a run for a while.

        Raises:
            LogUnusable: somebody is writing it.
        """
        lock = self._lock(run_id)
        try:
            yield
        finally:
            lock.release()

    def verify(self, ref: str | None = None, *, head: str | None = None) -> Report:
        """Check one run, or all and the log as a whole; see `society.log.verify`."""
        from society.log.verify import verify

        return verify(self, ref, head=head, secrets=self._redaction)

    def _lock(self, run_id: str) -> RunLock:
        if self.place.memory:
            return NoLock()
        if self.place.file is None:
            if self._locks is None:
                self._locks = AdvisoryLocks(self._writing.engine)
                self._writing.guard = self._locks.check
            return self._locks.take(run_id)
        _ = self._writing  # the file and its folder are checked before a lock is put beside it
        return FileLock(self.place.file, run_id)

    def _clean(self, setting: S) -> S:
        """The manifest or the fork without secrets."""
        if not self._redaction:
            return setting
        clean = event_from_plain(json.loads(self._redaction.text(canonical_event(setting))))
        assert isinstance(clean, type(setting))
        return clean


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


def _own(connection: Connection, owner: Mapping[str, Any]) -> None:  # Any: SQL values
    connection.execute(
        text(
            "UPDATE run SET status = 'running', reason = '', ended = NULL, seal = NULL, host = :host, pid = :pid WHERE id = :run"
        ),
        owner,
    )
