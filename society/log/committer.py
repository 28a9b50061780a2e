"""One thread that writes: what several runs hand over meanwhile goes to disk together, in one transaction.

The event loop never waits for the disk and never computes rows; whoever needs to know that something is safe awaits its future.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from society.log.database import Place, refusal
from society.log.lock import locks_of
from society.log.projection import SqlRow, SqlValue
from society.log.recovery import FIRST_WAIT, LONGEST_WAIT, PATIENCE, is_away, is_full, is_locked, is_written
from society.log.reserve import NoReserve, Reserve
from society.log.tables import TABLES, ModelCall, columns_of, name_of

MOST_JOBS = 512
"""Jobs in one transaction at most."""
MOST_HURRIED = 64
"""The same where somebody waits: the first of many go on while the next are written. Were they all let go at once, the event loop
would be idle until then, and after it none of them would be sent before all of them are worded."""
LINGER = 0.02
"""Seconds that jobs nobody waits for are kept for company, so that free runs do not commit stage by stage."""
PACE = 0.004
"""Seconds from the beginning of a commit to that of the next: a job alone goes to disk at once, and of many those that come meanwhile
go together, since a commit costs as much as a dozen of its rows."""
_CHUNKS = (32, 16, 8, 4, 2, 1)
"""Rows in one INSERT. Each statement gives up the interpreter's lock once, so few large ones do not wait for a busy loop; and each
size is prepared once and kept, which takes memory by the row, so that only a few sizes are used.
"""

_ORDER = {name_of(table): place for place, table in enumerate(TABLES)}
_COLUMNS = {name_of(table): columns_of(table) for table in TABLES}
_SHARED = ("prompt", "answer_schema")
"""Tables whose rows are named by their content; what is there already stays."""
_LATER = {
    "action": (3, ("executed", "executed_text", "requested", "requested_text", "granted", "granted_text")),
    "model_call": (7, columns_of(ModelCall)[7:]),
}
"""Tables whose rows are told twice, with the number of columns of their key and the columns that come later: an action is complete
once its round is settled, a call once its answer is there."""


Update: TypeAlias = Callable[[Connection], None]
"""Statements to run after the inserts of the same job."""


class Owner(Protocol):
    """Whose job it is. After a failure nothing more of the same owner is written: what follows would not fit."""

    failure: BaseException | None


@dataclass(eq=False)
class Job:
    """What is written together: rows to insert, then updates. `prepare` fills it, in the writer's thread.

    Attributes:
        done: done when it is on disk, or holds what went wrong: of a thread, or of the event loop that waits.
        hurried: somebody waits for it.
        patience: how many seconds a database that is locked or away is waited for.
    """

    owner: Owner
    prepare: Callable[[Job], None]
    done: Future[None] | asyncio.Future[None]
    hurried: bool = True
    rows: list[tuple[str, SqlRow]] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    patience: float = PATIENCE
    problem: BaseException | None = None

    def fail(self, problem: BaseException) -> None:
        self.owner.failure = self.owner.failure or problem
        self.problem = problem

    def tell(self) -> None:
        """Let whoever waits go on; called where it waits."""
        if self.done.done():  # it does not wait any more
            return
        if self.problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(self.problem)


class Committer:
    """The writer's thread and its queue.

    Attributes:
        patience: seconds that a database that is locked or away is waited for, before a run pauses.
        reserve: room on the disk for what is in hand when it gets full.
        guard: looked at in every transaction before anything is written; raises if the run has another writer by now.
    """

    patience = PATIENCE
    guard: Callable[[Connection], None] | None = None

    def __init__(self, engine: Engine, place: Place) -> None:
        self.engine, self.place = engine, place
        self.reserve = NoReserve() if place.file is None else Reserve(locks_of(place.file))
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._hurry = threading.Event()  # somebody waits for what is queued; without, putting it there wakes nobody
        self._began = 0.0
        self._thread = threading.Thread(target=self._work, name="society-log", daemon=True)
        self._thread.start()
        self._closed = False

    def submit(
        self, owner: Owner, prepare: Callable[[Job], None], *, hurried: bool = True, patience: float | None = None
    ) -> Future[None]:
        """Queue a job; its future is done when it is on disk, or holds what went wrong. Unhurried ones wait for company."""
        done: Future[None] = Future()
        self._put(Job(owner, prepare, done, hurried, patience=self.patience if patience is None else patience))
        return done

    async def commit(self, owner: Owner, prepare: Callable[[Job], None], *, patience: float | None = None) -> None:
        """Queue a job, and wait until it is on disk. It is written as well when the waiting is cancelled.

        Raises:
            Exception: whatever went wrong with it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(Job(owner, prepare, done, patience=self.patience if patience is None else patience))
        await done

    def close(self) -> None:
        """Write all that is queued, then stop. Calling it twice is harmless."""
        if not self._closed:
            self._closed = True
            self._put(None)
            self._thread.join()
            self.engine.dispose()
            self.reserve.give()

    def _put(self, job: Job | None) -> None:
        self._queue.put(job)
        if job is None or job.hurried:
            self._hurry.set()

    def _work(self) -> None:
        going = True
        while going:
            jobs, going = self._gathered()
            ready = [job for job in jobs if self._prepare(job)]
            if ready:
                self._write(ready)
            _tell(jobs)

    def _gathered(self) -> tuple[list[Job], bool]:
        """What is queued now (while nobody waits for any of it, what comes soon as well), and whether more may come."""
        jobs: list[Job] = []
        job = self._queue.get()
        if job is not None and not job.hurried:
            self._hurry.wait(LINGER)
        if (
            self._hurry.is_set() and self._queue.qsize() < MOST_HURRIED
        ):  # in the writer's own thread: company comes meanwhile
            time.sleep(max(0.0, self._began + PACE - time.monotonic()))  # no event loop waits here
        hurried = False
        while job is not None:
            jobs.append(job)
            hurried = hurried or job.hurried
            if len(jobs) >= (MOST_HURRIED if hurried else MOST_JOBS):
                break
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                self._hurry.clear()
                if not self._queue.empty():  # somebody may have come between the two
                    self._hurry.set()
                break
        self._began = time.monotonic()
        return jobs, job is not None

    def _prepare(self, job: Job) -> bool:
        if job.owner.failure is not None:
            job.fail(job.owner.failure)
            return False
        try:
            job.prepare(job)
        except BaseException as problem:  # whoever waits for the job is told
            job.fail(problem)
            return False
        return True

    def _write(self, jobs: Sequence[Job]) -> None:
        try:
            self._commit(jobs)
        except (SQLAlchemyError, sqlite3.Error) as problem:
            if is_full(problem) and self.reserve.give():  # what is in hand is still written; nothing more will be asked
                self._write(jobs)
                return
            if len(jobs) > 1 and not (is_locked(problem) or is_away(problem)):
                for job in jobs:  # one of them may be at fault: each on its own then
                    if job.owner.failure is None:
                        self._write([job])
                    else:
                        job.fail(job.owner.failure)
                return
            refused = refusal(problem, self.place, writing=True)
            for job in jobs:
                job.fail(refused)
        except BaseException as problem:  # whoever waits for the job is told
            for job in jobs:
                job.fail(problem)

    def _commit(self, jobs: Sequence[Job]) -> None:
        """Write, and try again while the database is locked or away; a commit that was cut off is looked up first.

        Raises:
            SQLAlchemyError: it cannot be written, or patience is at its end.
            LogUnusable: another process has taken the run meanwhile.
        """
        until = time.monotonic() + min(job.patience for job in jobs)
        cut_off, wait = False, FIRST_WAIT
        while True:
            try:
                with self.engine.begin() as connection:
                    if self.guard is not None:
                        self.guard(connection)
                    rows = [row for job in jobs for row in job.rows]
                    if not (cut_off and is_written(connection, rows)):
                        insert(connection, rows)
                    for job in jobs:
                        for update in job.updates:
                            update(connection)
            except (SQLAlchemyError, sqlite3.Error) as problem:
                away = is_away(problem)
                if not (away or is_locked(problem)) or time.monotonic() > until:
                    raise
                cut_off = cut_off or away
                time.sleep(wait)  # in the writer's own thread: the database is another's for a while
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                return


def insert(connection: Connection, rows: Iterable[tuple[str, SqlRow]]) -> None:
    """Insert rows of many tables, what is referred to first, a few large statements for each table."""
    by_table: dict[str, Any] = {}  # Any: a list of rows, or (where rows replace each other) a dict of them by key
    for table, row in rows:
        if table in _LATER:
            by_table.setdefault(table, {})[row[: _LATER[table][0]]] = row
        elif table in _SHARED:
            by_table.setdefault(table, {})[row[0]] = row
        else:
            by_table.setdefault(table, []).append(row)
    dialect, execute = connection.dialect.name, _execute_of(connection)
    for table in sorted(by_table, key=_ORDER.__getitem__):
        found = by_table[table]
        listed: Sequence[SqlRow] = list(found.values()) if isinstance(found, dict) else found
        start = 0
        for size in _CHUNKS:
            while len(listed) - start >= size:
                chunk = listed[start : start + size]
                execute(_insert_statement(table, size, dialect), tuple(chain.from_iterable(chunk)))
                start += size


def _execute_of(connection: Connection) -> Callable[[str, tuple[SqlValue, ...]], object]:
    """What carries out a statement: SQLite's own function, at half the cost; a server's driver under the care of SQLAlchemy, which
    knows its errors.
    """
    driver = connection.connection.driver_connection
    return driver.execute if isinstance(driver, sqlite3.Connection) else connection.exec_driver_sql


@cache
def _insert_statement(table: str, rows: int, dialect: str) -> str:
    columns = _COLUMNS[table]
    mark = "%s" if dialect == "postgresql" else "?"
    row = f"({', '.join([mark] * len(columns))})"
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"
    if table in _LATER:
        width, names = _LATER[table]
        later = ", ".join(f"{name} = excluded.{name}" for name in names)
        return f"{statement} ON CONFLICT ({', '.join(columns[:width])}) DO UPDATE SET {later}"
    return f"{statement} ON CONFLICT DO NOTHING" if table in _SHARED else statement


def _tell(jobs: Sequence[Job]) -> None:
    """Let all who wait for these jobs go on: each event loop is woken once for all of its own."""
    waiting: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        if isinstance(job.done, asyncio.Future):
            waiting.setdefault(job.done.get_loop(), []).append(job)
        else:
            job.tell()
    for loop, told in waiting.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell_all, told)


def _tell_all(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.tell()


async def safe(done: Future[None]) -> None:
    """Wait until a job is on disk, without giving it up when the waiting is cancelled.

    Raises:
        Exception: whatever went wrong with the job.
    """
    if done.done():
        done.result()
    else:
        await asyncio.shield(asyncio.wrap_future(done))
