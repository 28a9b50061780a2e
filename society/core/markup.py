"""Tables as HTML, for notebooks and pages: all words are escaped, numbers stand to the right."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape


def html_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table under its column names.

    Args:
        columns: the names.
        rows: the cells; numbers are set to the right, what does not apply (None) is left empty, all else is escaped as it
            stands.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool):
        return f'<td style="text-align:right">{escape(str(value))}</td>'
    return f'<td style="text-align:left">{escape(str(value))}</td>'
