"""`-o FILE`: a comparison as a drawing or as a table, by the ending of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from society.core.errors import BadInput

if TYPE_CHECKING:
    from society.views.arms import Line

TABLES, DRAWINGS = (".csv", ".jsonl", ".parquet"), (".svg", ".pdf", ".png")

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        envvar="SOCIETY_OUTPUT",
        help="Draw means and intervals into FILE.svg (or .pdf, .png; a file a metric where there are several), or write all "
        "numbers into FILE.csv (or .jsonl, .parquet), and the value of every run into FILE-runs beside it.",
    ),
]


def check_output(file: Path | None) -> None:
    """Refuse a file that cannot be written, before anything is played or computed for it.

    Raises:
        BadInput: its ending says neither a table nor a drawing, or its folder is not there.
    """
    if file is None:
        return
    if file.suffix not in (*TABLES, *DRAWINGS):
        raise BadInput(f"{file}: a comparison is written as {', '.join(TABLES)}, or drawn as {', '.join(DRAWINGS)}")
    if not file.absolute().parent.is_dir():
        raise BadInput(f"{file}: there is no folder {file.parent}")


def save(tables: Sequence[Sequence[Line]], file: Path) -> list[Path]:
    """Write the lines of all metrics; gives the files that were made."""
    if file.suffix in TABLES:
        from society.exports.comparison import write_comparison

        return write_comparison(tables, file)
    from society.views.comparing import lines_chart

    made: list[Path] = []
    for lines in tables:
        one = file if len(tables) == 1 else file.with_stem(f"{file.stem}-{lines[0].metric}")
        lines_chart(lines).save(one)
        made.append(one)
    return made
