"""`society cost`: calls, tokens and US dollars."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Sql


def cost(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help="Ids, unique parts of them, or `last`; default: the whole log."),
    ] = None,
    *,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="WHAT",
            envvar="SOCIETY_BY",
            help="agent, stage, model, cell, scenario, sweep or run; may be given again. Default: model.",
        ),
    ] = None,
    sweep: Annotated[
        str | None, typer.Option("--sweep", metavar="NAME", envvar="SOCIETY_SWEEP", help="Only runs of this sweep.")
    ] = None,
    log: Log = DEFAULT_LOG,
    json: Json = False,
    sql: Sql = False,
) -> None:
    """Tell what models used: calls, tokens and US dollars.

    Dollars are as they were charged when a call was made, with the day of the price table. What is not known is a
    dash, never 0. For example: society cost --sweep governance --by cell --by model
    """
    from society.cli.output import result, result_json
    from society.core.errors import BadInput, did_you_mean
    from society.log import open_log
    from society.views.cost import Asked, costs, costs_json, costs_text, price_dates

    if runs and sweep is not None:
        raise BadInput("runs or a --sweep, not both")
    with open_log(log) as book:
        if sweep is not None and not book.runs(sweep=sweep):
            known = {run.sweep for run in book.runs() if run.sweep}
            raise BadInput(f"no sweep {sweep[:80]!r} in {book.place.shown}{did_you_mean(sweep, known)}")
        asked = Asked(tuple(by or ["model"]), tuple(book.find(ref).id for ref in runs or ()), sweep)
        if sql:
            result(asked.sql)
            return
        lines, dates = costs(book, asked), price_dates(book, asked)
    if json:
        result_json(costs_json(lines, dates))
    else:
        result(costs_text(lines, dates))
