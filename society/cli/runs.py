"""`society runs`: what a log holds."""

from __future__ import annotations

from collections.abc import Sequence
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

    conditions = [] if scenario is None else [f"r.scenario = {_quoted(scenario)}"]
    if sql:
        result(_question([*conditions, *([] if status is None else [f"r.status = {_quoted(status)}"])], limit))
        return
    with open_log(log) as book:
        book.ids()  # a row that no id leads to is told here, not listed
        left = book.left_behind()  # a dead writer's run is interrupted, whatever it calls itself
        dead = ", ".join(_quoted(run) for run in sorted(left)) or "''"
        now = f"CASE WHEN r.id IN ({dead}) THEN 'interrupted' ELSE r.status END"
        conditions += [] if status is None else [f"{now} = {_quoted(status)}"]
        found = book.sql(_question(conditions, limit).replace(":", "\\:")).rows()
    rows = [{**row, "status": "interrupted" if row["run"] in left else row["status"]} for row in found]
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


def _question(conditions: Sequence[str], limit: int) -> str:
    fitting = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    newest = f"SELECT r.id FROM run AS r{fitting} ORDER BY r.started DESC, r.id DESC LIMIT {limit}"
    return (
        "SELECT s.run, s.scenario, s.models, s.seed, s.status, s.rounds_played, s.rounds_planned, s.welfare, s.final_stock, "
        "s.collapsed_in, s.defaulted, s.calls, s.usd, s.sessions, s.seconds, s.started, r.head FROM run AS r JOIN run_summary AS s ON s.run = r.id "
        f"WHERE r.id IN ({newest}) ORDER BY r.started, r.id"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
