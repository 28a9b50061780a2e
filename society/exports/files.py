"""A table as a file, written a part at a time."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from society.core.errors import MissingExtra
from society.log.frame import Frame

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def write_jsonl(parts: Iterable[Frame], path: Path) -> int:
    """One JSON object a row, exactly as in the log; bytes are in base64. Tells how many rows.

    Everything beyond ASCII is escaped, so that no letter can end a line for any reader.
    """
    rows = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        for part in parts:
            for row in part:
                file.write(json.dumps(row, default=_encoded, allow_nan=False) + "\n")
                rows += 1
    return rows


def write_csv(parts: Iterable[Frame], path: Path) -> int:
    """Comma-separated values under a line of names; null is an empty cell. Tells how many rows.

    Words that a spreadsheet would take for a formula get an apostrophe before them.
    """
    rows = 0
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        for part in parts:
            if rows == 0 and file.tell() == 0:
                writer.writerow(part.columns)
            writer.writerows([_cell(value) for value in row] for row in part.values)
            rows += len(part)
    return rows


def write_parquet(parts: Iterable[Frame], path: Path) -> int:
    """A typed, compressed table. Tells how many rows.

    Raises:
        MissingExtra: polars is not installed.
    """
    try:
        import polars
    except ImportError:
        raise MissingExtra("Parquet needs polars: pip install 'society-sandbox[analysis]'") from None
    whole = polars.concat([part.to_polars() for part in parts])
    whole.write_parquet(path, compression="zstd", statistics=False)
    return len(whole)


WRITERS: dict[str, Callable[[Iterable[Frame], Path], int]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}


def _cell(value: Any) -> Any:  # Any: SQL values
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    """Whether a spreadsheet shows it as a number, or as text that is none of its formulas: -3, -2/5, +1e3."""
    top, _, bottom = text.partition("/")
    try:
        float(top)
        return not bottom or bottom.isdecimal()
    except ValueError:
        return False


def _encoded(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    raise TypeError(f"the log holds no {type(value).__name__}")
