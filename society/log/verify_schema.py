"""Checking the log as a whole: its file, its tables and views, and its dictionary."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from society.log.layout import dictionary, expected_schema
from society.log.schema import SCHEMA_VERSION


def schema_faults(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """What is not as this version makes it: (table, row, what)."""
    if connection.dialect.name == "sqlite":
        yield from _sqlite_faults(connection)
    info = [(row.name, row.value) for row in connection.execute(text("SELECT name, value FROM log_info"))]
    if info != [("schema_version", str(SCHEMA_VERSION))]:
        yield "log_info", "", f"it says {info}, this version writes schema_version {SCHEMA_VERSION}"
    held = {(r.table_name, r.column_name): r.meaning for r in connection.execute(text("SELECT * FROM dictionary"))}
    wanted = {(table, column): meaning for table, column, meaning in dictionary()}
    for key in sorted(held.keys() | wanted.keys()):
        if held.get(key) != wanted.get(key):
            yield "dictionary", f"{key[0]} {key[1]}".strip(), "it is not what this version writes"


def _sqlite_faults(connection: Connection) -> Iterator[tuple[str, str, str]]:
    try:
        told = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(3)")]
    except DatabaseError as problem:
        told = [str(problem.orig)]
    if told != ["ok"]:
        yield "file", "", f"the database is damaged: {told[0]}"
        return
    wanted = expected_schema(connection.dialect)
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    held = {str(row.name): str(row.sql) for row in rows}
    for name in sorted(held.keys() | wanted.keys()):
        if held.get(name, "").split() != wanted.get(name, "").split():
            what = (
                "it is missing"
                if name not in held
                else "it is not part of a log"
                if name not in wanted
                else "it was changed"
            )
            yield "schema", name, what
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield str(row[0]), f"row {row[1]}", f"I14: it refers to a row of {row[2]} that is not there"
