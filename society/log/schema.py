"""How tables are declared: every table and every column says what it holds, in the database itself.

PostgreSQL keeps comments as such. SQLite has none, but keeps the text of ``CREATE TABLE``: there the comments stand inside it,
so that ``.schema`` in any SQLite shell explains the log.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, LargeBinary, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import registry
from sqlalchemy.schema import CreateColumn
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = 4
"""Of the log's layout. Raised with every change of a table, view or meaning; each has a step in `migrations`."""


class Row(SQLModel, registry=registry()):
    """A row of some table of the log. Rows are written from events by `projection`, never by hand."""


def key(comment: str) -> Any:  # Any: as sqlmodel types its fields
    """A column of the primary key."""
    return Field(primary_key=True, description=comment, sa_column_kwargs={"comment": comment})


def run_key() -> Any:  # Any: as sqlmodel types its fields
    """The run a row belongs to, as the first column of its key."""
    comment = "the run this row belongs to"
    return Field(primary_key=True, foreign_key="run.id", description=comment, sa_column_kwargs={"comment": comment})


def column(comment: str, *, index: bool = False, refers: str | None = None) -> Any:  # Any: as sqlmodel types its fields
    """Any other column; nullable exactly where its type says so."""
    options: dict[str, Any] = {"foreign_key": refers} if refers else {}  # Any: options of several types
    return Field(index=index, description=comment, sa_column_kwargs={"comment": comment}, **options)


def number(comment: str) -> Any:  # Any: as sqlmodel types its fields
    """A quantity as a double, for queries; the exact value stands beside it as text where it matters."""
    return Field(description=comment, sa_column_kwargs={"comment": comment})


def big(comment: str) -> Any:  # Any: as sqlmodel types its fields
    """A whole number of up to 63 bits."""
    return Field(sa_type=BigInteger, description=comment, sa_column_kwargs={"comment": comment})


def blob(comment: str) -> Any:  # Any: as sqlmodel types its fields
    """Bytes as they came."""
    return Field(sa_type=LargeBinary, description=comment, sa_column_kwargs={"comment": comment})


def words(comment: str) -> Any:  # Any: as sqlmodel types its fields
    """Text of any length."""
    return Field(sa_type=Text, description=comment, sa_column_kwargs={"comment": comment})


def of_agent(comment: str, *columns: str, clustered: bool = True) -> tuple[Any, ...]:  # Any: as SQLAlchemy wants it
    """Table arguments: the named columns are seats of the same run, `agent` if none is named."""
    seats = [
        ForeignKeyConstraint(["run_id", column_name], ["agent.run_id", "agent.seat"])
        for column_name in columns or ("agent",)
    ]
    return (*seats, of_run(comment, clustered=clustered))


def of_run(comment: str, *, clustered: bool = True) -> dict[str, Any]:  # Any: as SQLAlchemy wants it
    """Table arguments: the comment, and rows kept in the order of their key."""
    return {"comment": comment, **({"sqlite_with_rowid": False} if clustered else {})}


@compiles(CreateColumn, "sqlite")
def _with_comment(element: CreateColumn, compiler: Any, **options: Any) -> str:  # Any: SQLAlchemy's hook is untyped
    text: str = compiler.visit_create_column(element, **options)
    declared: Column[Any] = element.element
    return f"{text} /* {declared.comment} */" if text and declared.comment else text
