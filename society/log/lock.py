"""One writer a run: a lock of the operating system, which dies with the process that holds it.

For SQLite it is a locked file in the folder ``<database>.locks``; for PostgreSQL an advisory lock of a session
that is kept for them.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from society.core.errors import LogUnusable

_TRIES, _PAUSE = 3, 0.01
"""Whoever asks whether a run is being written holds its lock for an instant; so a refusal is believed the third time."""


class RunLock(Protocol):
    """Held as long as a run is written."""

    def release(self) -> None:
        """Let go; calling it twice is harmless."""
        ...


class FileLock:
    """A lock on a file next to a SQLite database.

    Raises:
        LogUnusable: another process, or another writer in this one, holds it; the message says who.
    """

    def __init__(self, database: Path, run_id: str) -> None:
        self._path = lock_path(database, run_id)
        self._path.parent.mkdir(exist_ok=True)
        tries = _TRIES
        while True:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = _owner(handle)
                os.close(handle)
                if tries := tries - 1:
                    time.sleep(_PAUSE)  # another run may be looking at the lock just now; no event loop waits here long
                    continue
                raise LogUnusable(f"run {run_id} is being written by {owner}; wait for it, or stop it first") from None
            if _same_file(handle, self._path):
                break
            os.close(handle)  # its last holder removed the file between our opening and locking it
        told = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        os.write(handle, told)
        os.ftruncate(handle, len(told))  # in this order: ext4 writes a file that was emptied to the disk at its close
        self._handle: int | None = handle

    def release(self) -> None:
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


class AdvisoryLocks:
    """Session locks of PostgreSQL, all on one connection that is kept for them: a server has few connections, a sweep many runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._held: set[str] = set()
        self._session = 0
        self._one_at_a_time = threading.Lock()

    def take(self, run_id: str) -> AdvisoryLock:
        """Lock a run.

        Raises:
            LogUnusable: another session, or another writer in this process, holds the lock; the message says who.
        """
        with self._one_at_a_time:
            for _ in range(1 + _STALE):
                self._connect()
                if self._answers():
                    break
                self._hang_up()  # the next commit takes the other locks again
            self._connect()
            assert self._connection is not None, "it was just made"
            if run_id in self._held or not self._taken(run_id):
                owner = self._connection.execute(_OWNER, {"run": run_id}).first()
                who = f"process {owner.pid} on {owner.host}" if owner else "another process"
                raise LogUnusable(f"run {run_id} is being written by {who}; wait for it, or stop it first")
            self._held.add(run_id)
        return AdvisoryLock(self, run_id)

    def check(self, connection: Connection) -> None:
        """Go on only if every lock is held still; a session that the server ended takes its locks again.

        Raises:
            LogUnusable: another process has taken one of the runs meanwhile.
        """
        with self._one_at_a_time:
            if not self._held or (
                self._connection is not None
                and (connection.scalar(_STILL, {"pid": self._session}) or 0) >= len(self._held)
            ):
                return
            self._hang_up()
            self._connect()
            for run_id in sorted(self._held):
                if not self._taken(run_id):
                    self._held.discard(run_id)
                    raise LogUnusable(f"run {run_id} was taken by another process while the server was away")

    def give_back(self, run_id: str) -> None:
        """Let go of one run."""
        with self._one_at_a_time:
            if run_id not in self._held or self._connection is None:
                return
            self._held.discard(run_id)
            try:
                self._connection.execute(_GIVE_BACK, {"number": _number(run_id)})
            except SQLAlchemyError:  # the session is gone, and its locks with it
                self._close()

    def close(self) -> None:
        """Let go of all; calling it twice is harmless."""
        with self._one_at_a_time:
            self._close()

    def _connect(self) -> None:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._session = int(self._connection.scalar(_SESSION) or 0)
            self._connection.execute(_LOOKED_AFTER)

    def _taken(self, run_id: str) -> bool:
        assert self._connection is not None, "the caller connected"
        return bool(self._connection.scalar(_TAKE, {"number": _number(run_id)}))

    def _answers(self) -> bool:
        assert self._connection is not None, "the caller looked"
        try:
            return bool(self._connection.scalar(_SESSION))
        except SQLAlchemyError:
            return False

    def _close(self) -> None:
        self._held.clear()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # ends the session, and its locks with it
            self._connection.close()
            self._connection = None


class AdvisoryLock:
    """The lock of one run in PostgreSQL."""

    def __init__(self, locks: AdvisoryLocks, run_id: str) -> None:
        self._locks, self._run_id = locks, run_id

    def release(self) -> None:
        self._locks.give_back(self._run_id)


def is_held_there(connection: Connection, run_id: str) -> bool:
    """Whether some session of the PostgreSQL server is writing the run."""
    high, low = _advisory(run_id)[:4], _advisory(run_id)[4:]
    found = connection.scalar(_ADVISORY_LOCKS, {"high": int.from_bytes(high), "low": int.from_bytes(low)})
    return bool(found)


def _advisory(run_id: str) -> bytes:
    return sha256(run_id.encode()).digest()[:8]


def _number(run_id: str) -> int:
    return int.from_bytes(_advisory(run_id), signed=True)


_LOOKED_AFTER = text(
    "SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),"
    " set_config('tcp_keepalives_count', '3', false)"
)
"""The server is to notice within a minute when the machine of a writer is gone; by default it takes two hours."""
_TAKE = text("SELECT pg_try_advisory_lock(:number)")
_GIVE_BACK = text("SELECT pg_advisory_unlock(:number)")
_STALE = 5
"""Connections that the pool may hold and that the server has ended."""
_SESSION = text("SELECT pg_backend_pid()")
_STILL = text("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :pid")
_OWNER = text("SELECT pid, host FROM run WHERE id = :run")

_ADVISORY_LOCKS = text(
    "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND classid = CAST(:high AS oid) AND objid = CAST(:low AS oid)"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class NoLock:
    """For a database in memory, which nobody else can open."""

    def release(self) -> None:
        return


def lock_path(database: Path, run_id: str) -> Path:
    """Where the lock of a run stands."""
    return locks_of(database) / run_id


def locks_of(database: Path) -> Path:
    """The folder of the locks of a SQLite database."""
    return database.with_name(database.name + ".locks")


def is_held(path: Path) -> bool:
    """Whether somebody is writing the run whose lock stands there."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _owner(handle: int) -> str:
    try:
        told = json.loads(os.pread(handle, 1000, 0))
        return f"process {int(told['pid'])} on {told['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
