"""Checking the log as a whole: its file, its tables, indices and views, and its dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from society.log.layout import dictionary, expected_schema
from society.log.schema import SCHEMA_VERSION
from society.log.tables import TABLES, columns_of, name_of, table_of
from society.log.views import VIEWS

Faults = Iterator[tuple[str, str, str]]
"""Table, row and what is wrong."""


def reading_only(connection: Connection) -> Faults:
    """I16: whether this connection could write."""
    if connection.dialect.name == "postgresql":
        refuses = connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
    else:
        refuses = bool(connection.exec_driver_sql("PRAGMA query_only").scalar())
    if not refuses:
        yield "log", "", "I16: it is open for writing while it is checked"


def database_faults(connection: Connection) -> Faults:
    """Whether the pages of a SQLite file fit together, and its header is one that this program writes."""
    if connection.dialect.name != "sqlite":
        return
    try:
        told = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(3)")]
    except DatabaseError as problem:
        told = [str(problem.orig)]
    if told != ["ok"]:
        yield "file", "", f"the database is damaged: {told[0]}"
    for name in ("application_id", "user_version"):
        if value := connection.exec_driver_sql(f"PRAGMA {name}").scalar():
            yield "file", "", f"its {name} is {value}, and this program writes none"


def schema_faults(connection: Connection) -> Faults:
    """What is not as this version makes it: tables, indices, views, what stands in `log_info` and in `dictionary`."""
    if connection.dialect.name == "sqlite":
        yield from _sqlite_faults(connection)
    else:
        yield from _postgres_faults(connection)
    info = [(row.name, row.value) for row in connection.execute(text("SELECT name, value FROM log_info"))]
    if info != [("schema_version", str(SCHEMA_VERSION))]:
        yield "log_info", "", f"it says {info}, this version writes schema_version {SCHEMA_VERSION}"
    held = {(r.table_name, r.column_name): r.meaning for r in connection.execute(text("SELECT * FROM dictionary"))}
    wanted = {(table, column): meaning for table, column, meaning in dictionary()}
    for key in sorted(held.keys() | wanted.keys(), key=ascii):
        if held.get(key) != wanted.get(key):
            yield "dictionary", f"{key[0]} {key[1]}".strip(), "it is not what this version writes"


def _sqlite_faults(connection: Connection) -> Faults:
    """SQLite keeps the text of every statement that made something."""
    wanted = expected_schema(connection.dialect)
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    held = {str(row.name): str(row.sql) for row in rows}
    for name in sorted(held.keys() | wanted.keys()):
        if name not in held:
            yield "schema", name, "it is missing"
        elif name not in wanted:
            yield "schema", name, "it is not part of a log"
        elif held[name] != wanted[name]:
            yield "schema", name, "it was changed"


def _postgres_faults(connection: Connection) -> Faults:
    """PostgreSQL keeps no text: columns, keys and indices are compared one by one, views by how they are carried out."""
    inspector: Any = inspect(connection)  # Any: SQLAlchemy types its answers loosely
    there = set(inspector.get_table_names())
    for table in TABLES:
        name = name_of(table)
        if name not in there:
            yield "schema", name, "it is missing"
            continue
        yield from ((("schema", name, what)) for what in _table_faults(inspector, table))
    standing = set(inspector.get_view_names())
    for view in VIEWS:
        if view.name not in standing:
            yield "schema", view.name, "it is missing"
            continue
        sql = expected_schema(connection.dialect)[view.name].removeprefix(f"CREATE VIEW {view.name} AS ")
        if _plan(connection, f"SELECT * FROM {view.name}") != _plan(
            connection, f"SELECT * FROM ({sql}) AS {view.name}"
        ):
            yield "schema", view.name, "it was changed"
    ours = [name_of(table) for table in TABLES] + [view.name for view in VIEWS]
    for question, what in _ADDED:
        for row in connection.execute(text(question), {"names": ours}):
            yield "schema", row[0], f"{what} {row[1]} is not part of a log"


def _table_faults(inspector: Any, table: Any) -> Iterator[str]:  # Any: as above
    name, declared = name_of(table), table_of(table)
    dialect = inspector.dialect
    held = {column["name"]: column for column in inspector.get_columns(name)}
    for column in columns_of(table):
        wanted = declared.columns[column]
        found = held.pop(column, None)
        if found is None:
            yield f"column {column} is missing"
        elif _kind(found["type"], dialect) != _kind(wanted.type, dialect) or found["nullable"] != wanted.nullable:
            yield f"column {column} was changed"
        elif found["default"] is not None:
            yield f"column {column} has a default"
    yield from (f"column {column} is not part of a log" for column in held)
    if inspector.get_pk_constraint(name)["constrained_columns"] != [c.name for c in declared.primary_key.columns]:
        yield "its key was changed"
    references = {
        (tuple(one["constrained_columns"]), one["referred_table"], tuple(one["referred_columns"]))
        for one in inspector.get_foreign_keys(name)
    }
    meant = {
        (
            tuple(part.parent.name for part in one.elements),
            one.referred_table.name,
            tuple(part.column.name for part in one.elements),
        )
        for one in declared.foreign_key_constraints
    }
    if references != meant:
        yield "its references were changed"
    indices = {(one["name"], tuple(one["column_names"]), bool(one["unique"])) for one in inspector.get_indexes(name)}
    if indices != {(str(i.name), tuple(c.name for c in i.columns), bool(i.unique)) for i in declared.indexes}:
        yield "its indices were changed"


def _kind(declared: Any, dialect: Any) -> str:  # Any: as above
    name = str(declared.compile(dialect))
    return "DOUBLE PRECISION" if name == "FLOAT" else name


def _plan(connection: Connection, sql: str) -> list[str]:
    """How the server carries out a question: equal for equal questions, whatever they are called."""
    question = f"EXPLAIN (VERBOSE, COSTS OFF) {sql}".replace("%", "%%")
    return [str(row[0]) for row in connection.exec_driver_sql(question)]


_ADDED = (
    (
        "SELECT c.relname, t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid"
        " WHERE (NOT t.tgisinternal OR t.tgenabled <> 'O') AND c.relname = ANY(:names)"
        " AND c.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY 1, 2",
        "trigger",
    ),
    (
        "SELECT c.relname, r.rulename FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class"
        " WHERE r.rulename <> '_RETURN' AND c.relname = ANY(:names)"
        " AND c.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY 1, 2",
        "rule",
    ),
    (
        "SELECT c.relname, CAST(CASE WHEN c.relrowsecurity THEN 'of row security' ELSE 'of inheritance' END AS text)"
        " FROM pg_class AS c WHERE (c.relrowsecurity OR c.relhassubclass) AND c.relname = ANY(:names)"
        " AND c.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY 1",
        "a rule",
    ),
)
"""What a server can have beside tables and views that changes what is read or written."""
