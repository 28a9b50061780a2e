"""When a commit fails and when it is tried again: locked databases, servers that went away, commits nobody heard the end of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from society.core.errors import LogUnusable
from society.log.projection import SqlRow

PATIENCE = 90.0
"""Seconds a commit is tried again while the database is locked or away; then the run pauses."""
LAST_PATIENCE = 5.0
"""Seconds for the last words of a run that has failed already."""
FIRST_WAIT, LONGEST_WAIT = 0.01, 2.0
"""Seconds between two tries: the first wait, doubled each time, and the longest."""

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_AGAIN = ("40001", "40P01", "55P03")
"""PostgreSQL: serialization failure, deadlock, lock not available."""
_AWAY = ("08", "57P01", "57P02", "57P03", "53300")
"""PostgreSQL: no connection, the server is told to stop, has crashed, starts, takes no more connections."""


def is_full(problem: BaseException) -> bool:
    """The disk has no room left."""
    cause = getattr(problem, "orig", problem)
    code = getattr(cause, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_FULL


def is_locked(problem: BaseException) -> bool:
    """Somebody else holds the database; a later try may find it free."""
    cause = getattr(problem, "orig", problem)
    code = getattr(cause, "sqlite_errorcode", None)
    return (isinstance(code, int) and code & 0xFF in _LOCKED) or getattr(cause, "sqlstate", None) in _AGAIN


def is_away(problem: BaseException) -> bool:
    """The server went away, maybe in the middle of a commit; a later try may reach it."""
    cause: Any = getattr(problem, "orig", problem)
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_AWAY)
    if isinstance(cause, sqlite3.Error):
        return False
    return bool(getattr(problem, "connection_invalidated", False)) or type(cause).__name__ == "OperationalError"


def is_written(connection: Connection, rows: Iterable[tuple[str, SqlRow]]) -> bool:
    """Whether a transaction whose commit was cut off was carried out: all of its rows are there, or none.

    A session, an event or a try of a question names it; where there is none, writing again does no harm.

    Raises:
        LogUnusable: something else stands in its place, so that somebody else is writing the run.
    """
    for table, row in rows:
        if table == "session":
            own = dict(zip(("run", "ordinal", "started", "host", "pid"), (*row[:3], *row[-2:]), strict=True))
            return connection.scalar(_SESSION, own) is not None
        if table == "event":
            held = connection.scalar(_EVENT, {"run": row[0], "seq": row[1]})
            if held is not None and held != row[-1]:
                raise LogUnusable(
                    f"run {row[0]!r} was written by somebody else while the server was away; nothing is lost"
                )
            return held is not None
        if table == "model_call":
            names = ("run", "round", "stage", "turn", "agent", "attempt", "issue")
            return bool(connection.scalar(_CALL, dict(zip(names, row[:7], strict=True))) == row[-1])
    return False


_SESSION = text(
    "SELECT 1 FROM session WHERE run_id = :run AND ordinal = :ordinal AND started = :started AND host = :host AND pid = :pid"
)
_EVENT = text("SELECT hash FROM event WHERE run_id = :run AND seq = :seq")
_CALL = text(
    "SELECT digest FROM model_call WHERE run_id = :run AND round = :round AND stage = :stage AND turn = :turn"
    " AND agent = :agent AND attempt = :attempt AND issue = :issue"
)
