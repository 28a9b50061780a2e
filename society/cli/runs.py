"""`society runs`: what a log holds."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Sql


def runs(
    *,
    log: Log = DEFAULT_LOG,
    scenario: Annotated[
        str | None, typer.Option("--scenario", envvar="SOCIETY_SCENARIO", help="Only of this scenario.")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status", envvar="SOCIETY_STATUS", help="Only completed, invalid, paused, interrupted, failed or running."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, envvar="SOCIETY_LIMIT", help="The newest so many.")
    ] = 50,
    json: Json = False,
    sql: Sql = False,
) -> None:
    """List the runs of a log: scenario, model, seed, status, headline numbers, cost. The newest come last."""
    from society.cli.output import note, result, result_json
    from society.log import open_log
    from society.views.tables import text_table

    question = (
        "SELECT * FROM (SELECT run, scenario, models, seed, status, rounds_played, rounds_planned, welfare, final_stock, "
        "collapsed_in, defaulted, calls, usd, started FROM run_summary "
        "WHERE (:scenario IS NULL OR scenario = :scenario) AND (:status IS NULL OR status = :status) "
        "ORDER BY run DESC LIMIT :limit) AS newest ORDER BY run"
    )
    with open_log(log) as book:
        infos = {info.id: info.status for info in book.runs()}
        found = book.sql(question, {"scenario": scenario, "status": None, "limit": limit}).rows()
    rows = [
        {**row, "status": infos.get(row["run"], row["status"])} for row in found
    ]  # a dead writer's run is interrupted
    rows = [row for row in rows if status in (None, row["status"])]
    if sql:
        result(question)
    elif json:
        result_json(rows)
    elif not rows:
        note("no runs fit")
    else:
        shown = [{**row, "rounds": f"{row['rounds_played']}/{row['rounds_planned']}"} for row in rows]
        names = (
            "run",
            "scenario",
            "models",
            "seed",
            "status",
            "rounds",
            "welfare",
            "final_stock",
            "collapsed_in",
            "calls",
            "usd",
        )
        result(text_table(shown, names))
