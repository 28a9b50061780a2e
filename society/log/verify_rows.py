"""Checking rows: that a table holds exactly those that are wanted, that each value is of its column's kind, that what is referred to is there.

Everything here reads whatever bytes a log holds: what cannot be a value of its column is a fault with a row, not an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from society.log.column_types import column_types
from society.log.seal import as_written
from society.log.tables import TABLES, columns_of, name_of, table_of

FaultTold = Callable[[str, str, str], None]
"""Told of table, row and what is wrong."""

_SHOWN = 200


@contextmanager
def any_bytes(connection: Connection) -> Iterator[None]:
    """Within, text that is no UTF-8 can be read: each byte that is none is half a surrogate. Only SQLite keeps such text."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection  # Any: sqlite3's connection
    before, driver.text_factory = driver.text_factory, _any_text
    try:
        yield
    finally:
        driver.text_factory = before


def _any_text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def keys_of(table: type[SQLModel]) -> list[str]:
    """The columns of a table's key."""
    return [str(column.name) for column in table_of(table).primary_key.columns]


def compare(
    connection: Connection,
    run_id: str,
    table: type[SQLModel],
    expected: Iterable[tuple[Any, ...]],  # Any: SQL values
    fault: FaultTold,
    *,
    source: str = "the events say",
) -> int:
    """Tell of each row of a run that a table does not hold exactly as expected; returns how many it holds.

    Values are compared by how they are written: 0.0 and -0.0 are two. `source` introduces what a message says is right.
    """
    columns = columns_of(table)
    keys = [columns.index(name) for name in keys_of(table)]

    def here(key: Sequence[Any]) -> str:  # Any: SQL values
        return ", ".join(f"{columns[place]} {value}" for place, value in zip(keys[1:], key[1:], strict=True))

    sql = text(f"SELECT {', '.join(columns)} FROM {name_of(table)} WHERE run_id = :run")
    held = {
        _key(row, keys): row for row in (as_written(table, row) for row in connection.execute(sql, {"run": run_id}))
    }
    wanted = {_key(row, keys): row for row in expected}  # an action is told twice; the later row stands
    for key, row in wanted.items():
        if key not in held:
            fault(name_of(table), here(key), "I13: the row is missing")
        elif ascii(held[key]) != ascii(row):
            for name, now, before in zip(columns, held[key], row, strict=True):
                if ascii(now) != ascii(before):
                    what = f"I13: {name} is {_shown(now)}, {source} {_shown(before)}"
                    fault(name_of(table), here(key), what)
    for key in held.keys() - wanted.keys():
        fault(name_of(table), here(key), "I13: no event gives this row")
    return len(held)


def kind_faults(connection: Connection, run_id: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Values that are not of their column's kind (of one run, or all): (table, row, what). Only SQLite keeps such values."""
    if connection.dialect.name != "sqlite":
        return
    for table in TABLES:
        name, keys = name_of(table), keys_of(table)
        tests = [f"NOT ({_fits(table, column)})" for column in columns_of(table)]
        whose = "run_id" if "run_id" in columns_of(table) else "id" if name == "run" else None
        if run_id is not None and whose is None:
            continue
        only = "" if run_id is None else f" AND {whose} = :run"
        shown = ", ".join([*keys, *tests])
        sql = f"SELECT {shown} FROM {name} WHERE ({' OR '.join(tests)}){only} ORDER BY {', '.join(keys)}"
        for row in connection.execute(text(sql), {} if run_id is None else {"run": run_id}):
            here = ", ".join(f"{key} {_shown(value)}" for key, value in zip(keys, row, strict=False))
            for column, wrong in zip(columns_of(table), row[len(keys) :], strict=True):
                if wrong:
                    yield name, here, f"{column} holds no value of its kind"


def _fits(table: type[SQLModel], column: str) -> str:
    """The condition that a value is of its column's kind."""
    kind = column_types()[name_of(table)][column]
    wanted = {str: "text", bytes: "blob", float: "real", int: "integer", bool: "integer"}[kind]
    condition = f"typeof({column}) = '{wanted}'" + (f" AND {column} IN (0, 1)" if kind is bool else "")
    declared = table_of(table).columns[column]
    return f"({condition} OR {column} IS NULL)" if declared.nullable else condition


def reference_faults(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """I14: rows that refer to rows that are not there: (table, row, what)."""
    if connection.dialect.name == "sqlite":
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield str(row[0]), f"row {row[1]}", f"I14: it refers to a row of {row[2]} that is not there"
        return
    for table in TABLES:
        name, keys = name_of(table), keys_of(table)
        for reference in table_of(table).foreign_key_constraints:
            pairs = [(str(part.parent.name), str(part.column.name)) for part in reference.elements]
            there = name_of(_by_name(str(reference.referred_table.name)))
            stated = " AND ".join(f"a.{own} IS NOT NULL" for own, _ in pairs)
            meets = " AND ".join(f"b.{other} = a.{own}" for own, other in pairs)
            shown = ", ".join(f"a.{key}" for key in keys)
            sql = f"SELECT {shown} FROM {name} AS a WHERE {stated} AND NOT EXISTS (SELECT 1 FROM {there} AS b WHERE {meets})"
            for row in connection.execute(text(sql)):
                here = ", ".join(f"{key} {_shown(value)}" for key, value in zip(keys, row, strict=True))
                yield name, here, f"I14: it refers to a row of {there} that is not there"


def _by_name(name: str) -> type[SQLModel]:
    return next(table for table in TABLES if name_of(table) == name)


def _key(row: Sequence[Any], keys: Sequence[int]) -> tuple[Any, ...]:  # Any: SQL values
    return tuple(row[place] for place in keys)


def _shown(value: object) -> str:
    words = ascii(value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]} ..."
