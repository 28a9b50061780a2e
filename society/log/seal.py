"""The seal of a run: a digest over what the chain of events does not cover.

The chain holds what happened and nothing that varies between equal runs. Times, tokens, costs, raw bytes and the run's own row
stand outside it; whenever a run stops, one digest over all of these is kept in its row, until it goes on.

A row's digest is SHA-256 over its values in the order of the table's columns, written as a Python tuple in ASCII. That of several
rows is the sum of theirs modulo 2**256: rows can be added and replaced as they come, in any order. Rows of the journal carry
their own digest as their last column, so that a change names its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from society.log.tables import Agent, Run, Session, columns_of

SUMS = 1 << 256
_SESSIONS = ", ".join(columns_of(Session))
_AGENTS = ", ".join(columns_of(Agent))
_RUN = ", ".join(name for name in columns_of(Run) if name != "seal")


def row_digest(row: tuple[Any, ...]) -> int:  # Any: values of any column
    """The digest of one row, as it is written."""
    return int.from_bytes(sha256(ascii(row).encode()).digest())


def as_written(table: type[SQLModel], row: Sequence[Any]) -> tuple[Any, ...]:  # Any: as above
    """A row as it was written: SQLite keeps truth as 0 and 1, PostgreSQL hands out views of bytes."""
    return tuple(
        bytes(value) if type(value) is memoryview else bool(value) if truth and value in (0, 1) else value
        for value, truth in zip(row, _truths(table), strict=True)
    )


@cache
def _truths(table: type[SQLModel]) -> tuple[bool, ...]:
    return tuple("bool" in str(field.annotation) for field in table.model_fields.values())


def rows_digest(table: type[SQLModel], rows: Iterable[Sequence[Any]]) -> int:  # Any: as above
    """The digest of a set of rows as they are read: the sum of theirs."""
    return sum(row_digest(as_written(table, row)) for row in rows) % SUMS


def journal_sum(connection: Connection, run_id: str) -> int:
    """The digest of a run's journal, from the digests its rows carry."""
    rows = connection.execute(text("SELECT digest FROM model_call WHERE run_id = :run"), {"run": run_id})
    return sum(int(row.digest, 16) for row in rows) % SUMS


def seal(connection: Connection, run_id: str, journal: int) -> str:
    """The digest over the run's row (without the seal), its agents, its journal with the given digest, and its sessions.

    Runs of layouts before 4 have no sessions, and their seals are over the rest.
    """
    values = {"run": run_id}
    run = tuple(connection.execute(text(f"SELECT {_RUN} FROM run WHERE id = :run"), values).one())
    agents = connection.execute(text(f"SELECT {_AGENTS} FROM agent WHERE run_id = :run"), values)
    sessions = connection.execute(text(f"SELECT {_SESSIONS} FROM session WHERE run_id = :run"), values).all()
    parts = (run, rows_digest(Agent, agents), journal)
    return f"{row_digest((*parts, rows_digest(Session, sessions)) if sessions else parts):064x}"
