"""The layout of a log: the tables, indices and views this version makes, and which layout a database has.

A layout has a number, which stands in `log_info`. A new log is made as this version has it; an older one is brought there
step by step (`migrations`), in one transaction, and is then the same to the letter.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

from society.core.errors import LogUnusable
from society.log.schema import SCHEMA_VERSION
from society.log.tables import TABLES, columns_of, name_of, table_of
from society.log.views import VIEWS, create_view


def expected_schema(dialect: Any) -> dict[str, str]:  # Any: SQLAlchemy does not type dialects
    """The statement that makes each table, index and view, by name."""
    if dialect.name not in _SCHEMAS:
        _SCHEMAS[dialect.name] = _compiled_schema(dialect)
    return _SCHEMAS[dialect.name]


_SCHEMAS: dict[str, dict[str, str]] = {}


def _compiled_schema(dialect: Any) -> dict[str, str]:  # Any: as above
    made = {name_of(t): str(CreateTable(table_of(t)).compile(dialect=dialect)).strip() for t in TABLES}
    for table in TABLES:
        for index in sorted(table_of(table).indexes, key=lambda i: str(i.name)):
            made[str(index.name)] = str(CreateIndex(index).compile(dialect=dialect)).strip()
    made.update({view.name: create_view(view, dialect.name) for view in VIEWS})
    return made


@cache
def dictionary() -> list[tuple[str, str, str]]:
    """What every table, view and column holds."""
    rows: list[tuple[str, str, str]] = []
    for table in TABLES:
        declared = table_of(table)
        rows.append((name_of(table), "", str(declared.comment)))
        rows.extend((name_of(table), name, str(declared.columns[name].comment)) for name in columns_of(table))
    for view in VIEWS:
        rows.append((view.name, "", view.meaning))
        rows.extend((view.name, name, meaning) for name, meaning in view.columns.items())
    return rows


def layout_of(connection: Connection) -> int | None:
    """The number of the layout a database has; None where it is no log."""
    if not inspect(connection).has_table("log_info"):
        return None
    value = connection.scalar(text("SELECT value FROM log_info WHERE name = 'schema_version'"))
    return int(value) if str(value).isdecimal() else None


def is_older(connection: Connection) -> bool:
    """Whether the log has a layout that this version can bring up to date."""
    held = layout_of(connection)
    return held is not None and held < SCHEMA_VERSION


def check(connection: Connection, shown: str) -> None:
    """Go on only with a log of this version's layout.

    Args:
        connection: to the database.
        shown: its place, for the message.

    Raises:
        LogUnusable: it is no log, or has another layout; the message names the mend.
    """
    held = layout_of(connection)
    if held is None:
        raise LogUnusable(f"{shown} is not a log of this program; name another with --log")
    if held > SCHEMA_VERSION:
        raise LogUnusable(
            f"{shown} has layout {held}, and this version of society knows layouts up to {SCHEMA_VERSION}: a newer version "
            "wrote it; pip install --upgrade society-sandbox"
        )
    if held < SCHEMA_VERSION:
        raise LogUnusable(
            f"{shown} has layout {held}, this version needs {SCHEMA_VERSION}: make a copy, stop whatever writes into it, then "
            "`society db upgrade --log URL`"
        )


def make(connection: Connection, shown: str) -> None:
    """Make the tables in an empty database; a log that is there already is only checked.

    Raises:
        LogUnusable: the database holds something else, or a log of another layout.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)  # one process makes the tables, others wait
    if layout_of(connection) is not None:
        check(connection, shown)
        return
    if connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise LogUnusable(f"{shown} is a database of something else; name another file with --log")
    for statement in expected_schema(connection.dialect).values():
        _run(connection, statement)
    info = text("INSERT INTO log_info (name, value) VALUES ('schema_version', :value)")
    connection.execute(info, {"value": str(SCHEMA_VERSION)})
    _explain(connection)


def upgrade(connection: Connection, shown: str) -> tuple[int, int]:
    """Bring a log to this version's layout, within the transaction of the connection.

    Args:
        connection: to the database; in SQLite one that does not enforce references, since tables may be made anew.
        shown: its place, for messages.

    Returns:
        the layout it had, and the one it has now; the same where nothing was to be done.

    Raises:
        LogUnusable: it is no log, or has a newer layout.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)
    held = layout_of(connection)
    if held is None or held >= SCHEMA_VERSION:
        check(connection, shown)
        return SCHEMA_VERSION, SCHEMA_VERSION
    from society.log.migrations import steps_after

    for name in inspect(connection).get_view_names():
        connection.exec_driver_sql(f"DROP VIEW {name}")
    for step in steps_after(connection, held):
        step()
    if connection.dialect.name == "sqlite":
        _to_the_letter(connection)
    for view in VIEWS:
        _run(connection, create_view(view, connection.dialect.name))
    connection.execute(text("DELETE FROM dictionary"))
    _explain(connection)
    connection.execute(
        text("UPDATE log_info SET value = :value WHERE name = 'schema_version'"), {"value": str(SCHEMA_VERSION)}
    )
    return held, SCHEMA_VERSION


def _to_the_letter(connection: Connection) -> None:
    """Make tables anew that hold the right columns in other words: SQLite keeps, and `society verify` compares, their text."""
    wanted = expected_schema(connection.dialect)
    held = {row.name: row.sql for row in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master")}
    for table in TABLES:
        name = name_of(table)
        if str(held.get(name)).split() == wanted[name].split():
            continue
        there = {column["name"] for column in inspect(connection).get_columns(name)}
        columns = ", ".join(column for column in columns_of(table) if column in there)
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE held_before AS SELECT {columns} FROM {name}")
        connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.exec_driver_sql(wanted[name])
        for index in table_of(table).indexes:
            connection.exec_driver_sql(wanted[str(index.name)])
        connection.exec_driver_sql(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM held_before")
        connection.exec_driver_sql("DROP TABLE held_before")


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement)


def _explain(connection: Connection) -> None:
    """Write down what every table and column holds: as rows, and where the database has comments, as these."""
    if connection.dialect.name == "postgresql":
        for table_name, column_name, meaning in dictionary():
            _comment(connection, table_name, column_name, meaning)
    connection.execute(
        text("INSERT INTO dictionary (table_name, column_name, meaning) VALUES (:t, :c, :m)"),
        [{"t": t, "c": c, "m": m} for t, c, m in dictionary()],
    )


def _comment(connection: Connection, table_name: str, column_name: str, meaning: str) -> None:
    words = meaning.replace("'", "''")
    view = any(view.name == table_name for view in VIEWS)
    what = f"COLUMN {table_name}.{column_name}" if column_name else f"{'VIEW' if view else 'TABLE'} {table_name}"
    _run(connection, f"COMMENT ON {what} IS '{words}'")


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7042871)")
