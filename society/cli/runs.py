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
    """List the runs of a log; the newest come last."""
    from society.cli.output import note, result, result_json
    from society.log import open_log
    from society.views.tables import text_table

    fitting = "" if scenario is None else " WHERE scenario = '{}'".format(scenario.replace("'", "''"))
    question = (
        "SELECT run, scenario, models, seed, status, rounds_played, rounds_planned, welfare, final_stock, collapsed_in, "
        f"defaulted, calls, usd, started FROM run_summary{fitting} ORDER BY run"
    )
    if sql:
        result(question)
        return
    with open_log(log) as book:
        known = {info.id: info for info in book.runs(scenario=scenario)}  # a dead writer's run is interrupted
        found = book.sql(question.replace(":", "\\:")).rows()
    rows = [{**row, "status": known[row["run"]].status, "head": known[row["run"]].head} for row in found]
    rows = [row for row in rows if status in (None, row["status"])][-limit:]
    if json:
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
