"""Rows as aligned text, markdown, or plain values for JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isnan
from typing import Literal

from society.core.exact import Json, Number, show
from society.views.terminal import safe

Cell = str | Number | bool | None


def text_table(rows: Sequence[Mapping[str, Cell]], columns: Sequence[str] | None = None, *, places: int = 3) -> str:
    """Aligned columns under a rule: numbers to the right, words to the left, a dash for "does not apply".

    Args:
        rows: the cells by column; one that a row lacks does not apply.
        columns: which, in which order; default: those of the first row.
        places: most decimals.
    """
    return "\n".join(_text(rows, columns, places))


def markdown_table(rows: Sequence[Mapping[str, Cell]], columns: Sequence[str] | None = None, *, places: int = 3) -> str:
    """The same as a markdown table; words of agents cannot break out of their cell."""
    names = _names(rows, columns)
    if not names:
        return ""
    lines = ["| " + " | ".join(names) + " |"]
    lines.append("|" + "|".join(" ---: " if _numeric(rows, name) else " --- " for name in names) + "|")
    for row in rows:
        cells = (words(row.get(name), places).replace("\\", "\\\\").replace("|", "\\|") for name in names)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def words(cell: Cell | bytes, places: int = 3) -> str:
    """One cell for people."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return safe(cell)
    if isinstance(cell, bytes):  # where a log holds what it should not
        return ascii(cell)
    return show(cell, places)


def value(cell: Cell | bytes) -> Json:
    """One cell for machines: numbers as numbers, what does not apply as null."""
    if isinstance(cell, Fraction):
        return float(cell)
    if isinstance(cell, float) and isnan(cell):
        return None
    return ascii(cell) if isinstance(cell, bytes) else cell


def width(text: str) -> int:
    """Columns a terminal needs: wide East Asian letters take two, combining marks none."""
    return sum(
        0 if unicodedata.category(char)[0] == "M" else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def pad(text: str, columns: int, side: Literal["left", "right"] = "left") -> str:
    """The text filled up with blanks; `side` is where it stands."""
    blanks = " " * max(0, columns - width(text))
    return text + blanks if side == "left" else blanks + text


def _text(rows: Sequence[Mapping[str, Cell]], columns: Sequence[str] | None, places: int) -> list[str]:
    names = _names(rows, columns)
    cells = [[words(row.get(name), places) for name in names] for row in rows]
    wide = [max([width(name), *(width(line[k]) for line in cells)]) for k, name in enumerate(names)]
    sides: list[Literal["left", "right"]] = ["right" if _numeric(rows, name) else "left" for name in names]
    lines = [list(names), ["-" * w for w in wide], *cells]
    return ["  ".join(map(pad, line, wide, sides)).rstrip() for line in lines] if names else []


def _names(rows: Sequence[Mapping[str, Cell]], columns: Sequence[str] | None) -> list[str]:
    return list(columns) if columns is not None else list(rows[0]) if rows else []


def _numeric(rows: Sequence[Mapping[str, Cell]], name: str) -> bool:
    found = [row.get(name) for row in rows]
    known = [cell for cell in found if cell is not None]
    return bool(known) and all(
        isinstance(cell, (int, float, Fraction)) and not isinstance(cell, bool) for cell in known
    )
