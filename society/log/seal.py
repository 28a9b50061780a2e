"""The seal of a run: a digest over what the chain of events does not cover.

The chain holds what happened and nothing that varies between equal runs. Times, tokens, costs, raw bytes and the run's own row
stand outside it; once a run has ended, one digest over all of these is kept in its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from society.core.calls import canonical_json
from society.log.tables import Agent, ModelCall, Run, columns_of

SEALED_BY_ITSELF = "seal"


def digest_of(rows: Iterable[Sequence[Any]]) -> str:  # Any: values of any column
    """SHA-256 over rows, one canonical JSON list a line; bytes as hexadecimal digits."""
    running = sha256()
    for row in rows:
        running.update(canonical_json([_plain(value) for value in row]).encode())
        running.update(b"\n")
    return running.hexdigest()


def seal(connection: Connection, run_id: str) -> str:
    """The digest over the run's row (without the seal), its agents and its journal, as they stand."""
    return digest_of(_sealed_rows(connection, run_id))


def _sealed_rows(connection: Connection, run_id: str) -> Iterable[Sequence[Any]]:  # Any: as above
    run_columns = [name for name in columns_of(Run) if name != SEALED_BY_ITSELF]
    questions = (
        (columns_of(Agent), "agent", "run_id", "seat"),
        (columns_of(ModelCall), "model_call", "run_id", "round, stage, turn, agent, attempt, issue"),
    )
    run = connection.execute(text(f"SELECT {', '.join(run_columns)} FROM run WHERE id = :run"), {"run": run_id})
    yield from (tuple(row) for row in run)
    for columns, table, key, order in questions:
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = :run ORDER BY {order}"
        found = [tuple(row) for row in connection.execute(text(sql), {"run": run_id})]
        yield (table, len(found))
        yield from sorted(found, key=lambda row: [str(value) for value in row[:7]]) if table == "model_call" else found


def _plain(value: Any) -> Any:  # Any: as above
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, bool):
        return int(value)  # SQLite keeps truth as 0 and 1
    if isinstance(value, float):
        return repr(value)
    return value
