"""Opening databases: engines with the right settings, and clear errors for what can be wrong with a file.

SQLite is written in WAL mode with full synchronisation, by transactions that take the write lock at their start, so that writers
in several processes wait for each other and never fail halfway. It is read read-only, with an untrusted schema.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from society.core.errors import LogUnusable, MissingExtra, Paused
from society.log.layout import check, is_older, make, upgrade
from society.log.recovery import is_away, is_locked

DEFAULT_LOG = "sqlite:///logs/society.db"
BUSY_SECONDS = 60.0
LOCKED_SECONDS = 5.0
"""How long one try of a commit waits for the write lock."""
_CACHED_STATEMENTS = 128
"""Prepared statements that a connection keeps; see `society.log.committer.insert`, which makes few."""


class Place(NamedTuple):
    """Where a log is: its URL, and its file if it is one."""

    url: str
    file: Path | None
    memory: bool = False

    @property
    def shown(self) -> str:
        """The place without a password."""
        return str(self.file) if self.file else make_url(self.url).render_as_string(hide_password=True)


def place_of(url: str | Path) -> Place:
    """Read a URL, or the path of a SQLite file.

    Raises:
        LogUnusable: a URL of a database this package does not write.
    """
    if isinstance(url, Path) or "://" not in url:
        path = Path(url)
        return Place(f"sqlite:///{path}", path)
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LogUnusable(f"{url!r} is not the URL of a log, such as {DEFAULT_LOG}") from None
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            return Place("sqlite://", None, memory=True)
        return Place(url, Path(str(parsed.database)))
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        shown = parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return Place(shown, None)
    raise LogUnusable(f"a log is a SQLite file or a PostgreSQL database, not {parsed.get_backend_name()!r}")


def write_engine(place: Place) -> Engine:
    """The engine of the one writer thread; makes the file and its tables when there are none, and brings an older file up to date.

    Raises:
        LogUnusable: the folder is missing or read-only, the file is no log, or it has another layout that cannot be mended here.
        MissingExtra: PostgreSQL without its driver.
    """
    if place.file is None and not place.memory:
        engine = _postgres(place)
        event.listen(engine, "connect", _wait_for_the_disk)
    elif place.memory:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args=_sqlite_arguments())
        _prepare_sqlite(engine, wal=False)
    else:
        _writable(place)
        engine = create_engine(f"sqlite:///{place.file}", poolclass=StaticPool, connect_args=_sqlite_arguments())
        _prepare_sqlite(engine, wal=True)
    try:
        _bring_up_to_date(engine, place)
        with engine.begin() as connection:
            make(connection, place.shown)
            if engine.dialect.name == "sqlite":  # the committer tries again by itself, and knows when to give up
                connection.exec_driver_sql(f"PRAGMA busy_timeout={int(1000 * LOCKED_SECONDS)}")
    except (SQLAlchemyError, sqlite3.Error) as problem:
        engine.dispose()
        raise refusal(problem, place) from problem
    except BaseException:
        engine.dispose()
        raise
    return engine


def read_engine(place: Place) -> Engine:
    """An engine that can only read; a file of an older layout is brought up to date first.

    Raises:
        LogUnusable: there is no such log, it is no log, or it has another layout that cannot be mended here.
        MissingExtra: PostgreSQL without its driver.
    """
    if place.file is None:
        one_moment = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        engine = _postgres(place, execution_options=one_moment, pool_pre_ping=True)
    else:
        if not place.file.exists():
            raise LogUnusable(f"there is no log at {place.shown} yet; play something first, or name another with --log")
        engine = create_engine("sqlite://", creator=lambda: _open_to_read(place), poolclass=NullPool)
        event.listen(engine, "begin", _one_moment)
    try:
        _bring_up_to_date(engine, place)
        with engine.connect() as connection:
            check(connection, place.shown)
    except (SQLAlchemyError, sqlite3.Error) as problem:
        engine.dispose()
        raise refusal(problem, place) from problem
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade_log(place: Place) -> tuple[int, int]:
    """Bring a log to this version's layout, all of it or nothing.

    Returns:
        the layout it had, and the one it has now; the same where nothing was to be done.

    Raises:
        LogUnusable: there is no log, it cannot be written, or a newer version made it.
        MissingExtra: PostgreSQL without its driver.
    """
    if place.file is None:
        engine = _postgres(place)
    elif not place.file.exists():
        raise LogUnusable(f"there is no log at {place.shown}")
    else:
        engine = create_engine(f"sqlite:///{place.file}", poolclass=NullPool, connect_args=_sqlite_arguments())
        _prepare_sqlite(engine, wal=True, references=False)
    try:
        with engine.begin() as connection:
            done = upgrade(connection, place.shown)
            if place.file is not None and done[0] != done[1]:
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise LogUnusable(
                        f"{place.shown} was left as it was: table {broken[0]} refers to rows that are not there"
                    )
    except (SQLAlchemyError, sqlite3.Error) as problem:
        raise refusal(problem, place) from problem
    finally:
        engine.dispose()
    return done


def _bring_up_to_date(engine: Engine, place: Place) -> None:
    """SQLite files follow the version that opens them; a server's database is upgraded when its keeper says so."""
    if place.file is None:
        return
    with engine.connect() as connection:
        older = is_older(connection)
    if older:
        upgrade_log(place)


def refusal(problem: BaseException, place: Place, *, writing: bool = False) -> Exception:
    """The error to show for a failure of the database; a run that is being written pauses where a later try may succeed."""
    cause = getattr(problem, "orig", problem)
    code = getattr(cause, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if writing and is_locked(problem):
        return Paused(
            f"{place.shown} is locked by another program that does not let go; nothing is lost: when it has, go on with "
            "`society resume`"
        )
    if writing and is_away(problem):
        return Paused(
            f"the server of {place.shown} does not answer ({_first_line(cause)}); nothing is lost: when it does, go on with "
            "`society resume`"
        )
    if primary == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == "53100":
        return Paused(
            f"the disk of {place.shown} is full; nothing is lost: make room, then go on with `society resume`"
        )
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:  # logs are written without this journal from their first table on
        return LogUnusable(
            f"there is no log at {place.shown} yet: who was making it died; play something, which mends it"
        )
    meanings = {
        sqlite3.SQLITE_NOTADB: "is not a SQLite database",
        sqlite3.SQLITE_CORRUPT: "is damaged or cut short; restore it from a copy",
        sqlite3.SQLITE_READONLY: "cannot be written: the file or its folder is read-only",
        sqlite3.SQLITE_PERM: "cannot be opened: no permission",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that the folder exists and can be written",
        sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
        sqlite3.SQLITE_BUSY: "is locked by another program that does not let go",
        sqlite3.SQLITE_LOCKED: "is locked by another program that does not let go",
    }
    if place.file is not None and _half_gone(place.file):
        wal, shm = (f"{place.file.name}-{part}" for part in ("wal", "shm"))
        return LogUnusable(
            f"{place.shown} cannot be used without the file {wal}, which holds what was written last: put it back beside the log, "
            f"or remove {shm} to go on with what the log itself holds"
        )
    if primary in meanings:
        return LogUnusable(f"{place.shown} {meanings[primary]}")
    return LogUnusable(f"the log at {place.shown} cannot be used: {_first_line(cause)}")


def _half_gone(file: Path) -> bool:
    """Whether one of the two files that stand beside a log in use is there without the other."""
    beside = [file.with_name(f"{file.name}-{part}").exists() for part in ("wal", "shm")]
    return beside == [False, True]


def _first_line(cause: BaseException) -> str:
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)


def _writable(place: Place) -> None:
    assert place.file is not None
    folder = place.file.parent
    if not folder.is_dir():
        if folder != Path("logs"):
            raise LogUnusable(f"the folder {folder} does not exist; make it, or name another place with --log")
        folder.mkdir()
    if place.file.is_dir():
        raise LogUnusable(f"{place.file} is a folder, not a log")
    if not os.access(folder, os.W_OK):
        raise LogUnusable(f"the folder {folder} is read-only; name another place with --log")


def _sqlite_arguments() -> dict[str, Any]:  # Any: arguments of sqlite3.connect
    return {
        "check_same_thread": False,
        "isolation_level": None,
        "timeout": BUSY_SECONDS,
        "cached_statements": _CACHED_STATEMENTS,
    }


def _prepare_sqlite(engine: Engine, *, wal: bool, references: bool = True) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _: object) -> None:
        if wal:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "PRAGMA fullfsync=ON"
        )  # on macOS a sync ends in the drive's cache without it; no difference elsewhere
        connection.execute(f"PRAGMA foreign_keys={'ON' if references else 'OFF'}")
        connection.execute("PRAGMA trusted_schema=OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _wait_for_the_disk(connection: Any, _: object) -> None:  # Any: a connection of psycopg
    """A commit is on the server's disk when it returns, whatever its keeper has set for others; more than that stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def _one_moment(connection: Connection) -> None:
    """All that is read through one connection is read as of one moment."""
    connection.exec_driver_sql("BEGIN")


def _open_to_read(place: Place) -> sqlite3.Connection:
    assert place.file is not None
    address = f"file:{quote(str(place.file.absolute()))}?mode=ro"
    settings: dict[str, Any] = {
        "uri": True,
        "check_same_thread": False,
        "isolation_level": None,
    }  # Any: of several types
    connection: sqlite3.Connection = sqlite3.connect(address, timeout=BUSY_SECONDS, **settings)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if os.access(place.file.parent, os.W_OK):
            raise
        connection = sqlite3.connect(f"{address}&immutable=1", **settings)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _postgres(place: Place, **options: Any) -> Engine:  # Any: options of create_engine
    try:
        return create_engine(place.url, **options)
    except ImportError:  # of the driver
        raise MissingExtra("a PostgreSQL log needs the extra: pip install 'society-sandbox[postgres]'") from None
    except DatabaseError as problem:
        raise refusal(problem, place) from problem
