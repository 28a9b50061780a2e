"""Keeping what analyses computed from a run, under a digest, so that a changed row shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from society import __version__
from society.core.errors import BadInput, did_you_mean
from society.log.committer import Job, insert
from society.log.run_id import utc_now
from society.log.seal import row_digest, rows_digest
from society.log.tables import COMPUTED, columns_of, name_of
from society.log.text import storable_text

Result = Mapping[str, Any]  # Any: SQL values
"""One row of a table of results, by column; the run is filled in."""


def computed_table(name: str) -> type[SQLModel]:
    """The table of results of that name.

    Raises:
        BadInput: there is none.
    """
    tables = {name_of(table): table for table in COMPUTED}
    if name not in tables:
        raise BadInput(f"no table of results {name!r}{did_you_mean(name, tables)} (known: {', '.join(tables)})")
    return tables[name]


def replacing(run_id: str, table: str, rows: Iterable[Result]) -> Callable[[Job], None]:
    """What puts these rows of a run in place of those that a table holds of it, as a part of a job.

    Raises:
        BadInput: no such table.
    """
    kept, listed = computed_table(table), list(rows)

    def prepare(job: Job) -> None:
        job.updates.append(lambda connection: replace_results(connection, run_id, kept, listed))

    return prepare


def replace_results(
    connection: Connection,
    run_id: str,
    table: type[SQLModel],
    rows: Iterable[Result],
) -> None:
    """Put these rows in place of all that the table holds of the run. Columns that are not given are null.

    Raises:
        BadInput: a row names a column that is not there.
    """
    listed = stored_rows(table, run_id, rows)
    name, run = name_of(table), {"run": run_id}
    connection.execute(text(f"DELETE FROM {name} WHERE run_id = :run"), run)
    connection.execute(text("DELETE FROM derived WHERE run_id = :run AND table_name = :name"), {**run, "name": name})
    now = utc_now()
    digest = results_digest(table, listed, __version__, now)
    insert(connection, [(name, row) for row in listed])
    insert(connection, [("derived", (run_id, name, len(listed), digest, __version__, now))])


def stored_rows(
    table: type[SQLModel],
    run_id: str,
    rows: Iterable[Mapping[str, Any]],  # Any: SQL values
) -> list[tuple[Any, ...]]:  # Any: as above
    """Rows of results as the log keeps them, in the order of the table's columns.

    Raises:
        BadInput: a row names a column that is not there.
    """
    columns, reals = columns_of(table), _reals(table)
    listed: list[tuple[Any, ...]] = []  # Any: SQL values
    for row in rows:
        strange = sorted(set(row) - set(columns))
        if strange:
            raise BadInput(f"{name_of(table)} has no column {strange[0]!r}{did_you_mean(strange[0], columns)}")
        given = {**row, "run_id": run_id}
        listed.append(tuple(_stored(name in reals, given.get(name)) for name in columns))
    return listed


@cache
def _reals(table: type[SQLModel]) -> frozenset[str]:
    """The columns of a table that hold real numbers."""
    return frozenset(name for name, field in table.model_fields.items() if "float" in str(field.annotation))


def results_digest(
    table: type[SQLModel], rows: Sequence[tuple[Any, ...]], version: str, computed: str
) -> str:  # Any: SQL values
    """The digest that stored results stand under: over the rows, who computed them and when."""
    return f"{row_digest((len(rows), rows_digest(table, rows), version, computed)):064x}"


def _stored(real: bool, value: Any) -> Any:  # Any: SQL values
    if isinstance(value, str):
        return storable_text(value)
    if real and value is not None:
        number = float(value)
        return None if math.isnan(number) else number  # nan means "does not apply", and that is null
    return value
