"""`society export RUN... --to DIR`: runs for other tools and other people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log


def export(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Ids, unique parts of them, or `last`. Default: last.")
    ] = None,
    *,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", envvar="SOCIETY_TO", help="The folder; it is made if need be.")
    ],
    log: Log = DEFAULT_LOG,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="NAME",
            envvar="SOCIETY_FORMATS",
            help="Only csv, jsonl, parquet, html, svg, pdf or inspect; may be given again. Default: all that can be written here.",
        ),
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option(
            "--table", metavar="NAME", envvar="SOCIETY_TABLES", help="Only this table or view; may be given again."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", envvar="SOCIETY_ALL", help="Every run of the log.")] = False,
    force: Annotated[
        bool, typer.Option("--force", envvar="SOCIETY_FORCE", help="Into a folder that is not empty.")
    ] = False,
    json: Json = False,
) -> None:
    """Take runs out of a log.

    Every table as CSV, JSONL and Parquet, the page of each run as one HTML file that needs neither server nor
    network, its drawings as SVG and PDF, an Inspect log, and a README that describes each column.
    For example: society export last --to results
    """
    from society.cli.output import note, result, result_json
    from society.exports import export as write
    from society.log import open_log

    with open_log(log) as book:
        chosen = [run.id for run in book.runs()] if every else runs or ["last"]
        done = write(book, chosen, to, formats=formats or (), tables=tables or (), force=force)
    if json:
        result_json({"folder": str(to), "files": done.files, "left_out": done.left_out})
        return
    for name, meaning in done.files.items():
        result(f"{to / name}  {meaning}")
    for reason in done.left_out:
        note(f"not written: {reason}")
