"""`society sweep FILE`: a grid of settings."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Quiet, Set
from society.cli.saving import Output, check_output, save


def sweep(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A sweep file, or the name of a shipped one.")],
    *,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", metavar="SEEDS", envvar="SOCIETY_SEEDS", help="Others than the file's: 0-9."),
    ] = None,
    set_: Set = None,
    log: Log = DEFAULT_LOG,
    parallel: Annotated[
        int,
        typer.Option("--parallel", min=1, max=10_000, metavar="N", envvar="SOCIETY_PARALLEL", help="Runs at a time."),
    ] = 50,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=256,
            metavar="N",
            envvar="SOCIETY_WORKERS",
            help="Processes, for mocks and scripts, which think; default: one a processor. With --ray: workers of the cluster.",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="ADDRESS",
            envvar="SOCIETY_RAY",
            help="Play on a Ray cluster: local, auto, host:port or ray://host:port. The log is then a PostgreSQL URL.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", envvar="SOCIETY_DRY_RUN", help="Play nothing; tell cells, calls, tokens and cost."),
    ] = False,
    table: Annotated[
        bool, typer.Option("--table", envvar="SOCIETY_TABLE", help="Play nothing; print the table of what is there.")
    ] = False,
    output: Output = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play a grid of settings, and compare its cells.

    Every cell is played with every seed; what the log holds already is not played again, so that the same command
    goes on after an interrupt, a spent budget or a crash, and plays only what was added to the file. Exit code 1 if
    a run failed, 4 if the sweep paused, 5 if a provider refused. For example: society sweep fishery_models --dry-run,
    or on a cluster: society sweep governance --ray auto --log postgresql://me@host/society
    """
    from society.cli.extras import need
    from society.cli.output import note, result, result_json
    from society.cli.sweeping import How, expected, perform_sweep
    from society.log import open_log
    from society.models.settings import ProviderSettings
    from society.scenario.seeds import parse_seeds
    from society.sweep.engine import still_to_play
    from society.sweep.file import load_sweep
    from society.sweep.grid import cells, plan
    from society.sweep.table import arms_of, table_of, told
    from society.views.comparing import lines_json, survival_json

    if not dry_run:
        need("scipy", "the intervals of a sweep")
    check_output(output)
    try:
        chosen = parse_seeds(seeds) if seeds is not None else None
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--seeds") from None
    read = load_sweep(file)
    grid = cells(read, set_ or ())
    planned = plan(read, grid, chosen)
    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        empty = book.place.file is not None and not book.place.file.exists()
        if dry_run:
            left = still_to_play(book, read.settings.name, planned)[0] if not empty else None
            return expected(read, grid, planned, left, json=json)
        book.prepare()
        left, stood = still_to_play(book, read.settings.name, planned)
        if not quiet and not json:
            note(f"{len(grid)} cells, {len(planned)} runs; {stood} are there already")
        tally, code = perform_sweep(
            planned, () if table else left, book, read, quiet=quiet or json,
            how=How(parallel, workers, ray, " ".join(["society", *sys.argv[1:]])),
        )  # fmt: skip
        arms = arms_of(book, read, grid, planned)
        lines = table_of(read, grid, arms)
        lives = survival_json(arms)
        text = "" if json else told(arms, lines)
    for made in save(lines, output) if output is not None else ():
        note(f"wrote {made}")
    if json:
        result_json(
            {
                "sweep": read.settings.name,
                "cells": len(grid),
                "runs": len(planned),
                "there_before": stood,
                "played": tally.played,
                "failures": tally.failures,
                "lines": [row for metric in lines for row in lines_json(metric)],
                "survival": lives,
            }
        )
    else:
        result(text)
    for title, reason in list(tally.failures.items())[:5]:
        note(f"{title}: {reason}")
    if len(tally.failures) > 5:
        note(f"and {len(tally.failures) - 5} more runs that were stopped")
    missing = len(planned) - stood - tally.played
    if missing and not table:
        note(f"{missing} runs are missing; the same command goes on, and pays for nothing twice")
    return code
