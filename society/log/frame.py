"""A table as it comes out of the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from society.core.errors import MissingExtra
from society.core.markup import html_table

if TYPE_CHECKING:
    import pandas
    import polars

_SHOWN = 20


class Frame:
    """Rows with named columns; as a polars or pandas frame where those are installed.

    Attributes:
        columns: their names, in order.
        values: the rows; null is None.
        sql: the question that gave them.
        types: what the columns hold, where that is known; a truth value is one even where the database keeps 0 and 1.
    """

    def __init__(
        self,
        columns: Sequence[str],
        values: Sequence[Sequence[Any]],  # Any: SQL values
        *,
        sql: str = "",
        types: Mapping[str, type] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.types = dict(types or {})
        truths = {place for place, name in enumerate(self.columns) if self.types.get(name) is bool}
        self.values = [tuple(row) for row in values]
        if truths:
            self.values = [
                tuple(bool(cell) if k in truths and cell is not None else cell for k, cell in enumerate(row))
                for row in self.values
            ]
        self.sql = sql

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[dict[str, Any]]:  # Any: SQL values
        return (dict(zip(self.columns, row, strict=True)) for row in self.values)

    def rows(self) -> list[dict[str, Any]]:  # Any: SQL values
        """The rows as dictionaries; null is None."""
        return list(self)

    def column(self, name: str) -> list[Any]:  # Any: SQL values
        """One column, in the order of the rows.

        Raises:
            ValueError: there is no such column.
        """
        place = self.columns.index(name)
        return [row[place] for row in self.values]

    def to_polars(self) -> polars.DataFrame:
        """The rows as a polars frame.

        Raises:
            MissingExtra: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise MissingExtra("a polars frame needs the extra: pip install 'society-sandbox[analysis]'") from None
        known = {
            str: polars.String,
            int: polars.Int64,
            float: polars.Float64,
            bool: polars.Boolean,
            bytes: polars.Binary,
        }
        schema = {name: known[self.types[name]] if name in self.types else None for name in self.columns}
        values = [tuple(_whole(cell) for cell in row) for row in self.values]
        return polars.DataFrame(values, schema=schema, orient="row", infer_schema_length=None)

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a pandas frame.

        Raises:
            MissingExtra: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtra("a pandas frame needs the extra: pip install 'society-sandbox[analysis]'") from None
        return pandas.DataFrame(self.values, columns=list(self.columns))

    def __repr__(self) -> str:
        return f"Frame({len(self.values)} rows: {', '.join(self.columns)})"

    def _repr_html_(self) -> str:
        """The first rows as an HTML table; all text is escaped."""
        more = f"<p>{len(self.values) - _SHOWN} more rows</p>" if len(self.values) > _SHOWN else ""
        return html_table(self.columns, self.values[:_SHOWN]) + more


def _whole(cell: Any) -> Any:  # Any: SQL values
    """A cell that can be written as UTF-8: half of a surrogate pair is spelled out."""
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) and not cell.isascii() else cell
