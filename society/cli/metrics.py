"""`society metrics RUN...`: the collective metrics of runs."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Sql


def metrics(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Ids, unique parts of them, or `last`.")
    ] = None,
    *,
    log: Log = DEFAULT_LOG,
    json: Json = False,
    sql: Sql = False,
) -> None:
    """Measure runs: welfare, equality, sustainability.

    Each ratio stands with what it divides by what. The column without_defaulted leaves out decisions that stand
    for unreadable answers. A dash: does not apply.
    """
    from society.cli.output import result, result_json
    from society.log import open_log
    from society.run import Run
    from society.views.sustaining import depletion_sentence
    from society.views.tables import text_table, value
    from society.views.terminal import safe_lines

    with open_log(log) as book:
        chosen = [Run(book.find(ref).id, book) for ref in runs or ["last"]]
        if sql:
            ids = ", ".join(f"'{run.id}'" for run in chosen)
            result(f"SELECT * FROM metric WHERE run_id IN ({ids}) ORDER BY run_id, name")
            return
        tables = {run.id: run.outcome.rows() for run in chosen}
        warnings = {run.id: depletion_sentence(run.episode, run.outcome.measured) for run in chosen}
    if json:
        result_json(
            {run: [{name: value(cell) for name, cell in row.items()} for row in rows] for run, rows in tables.items()}
        )
        return
    for place, (run_id, rows) in enumerate(tables.items()):
        result(("\n" if place else "") + run_id + "\n")
        result(text_table(rows, ["metric", "value", "numerator", "denominator", "without_defaulted", "unit"]))
        if warnings[run_id] is not None:
            result("\n" + "\n".join(safe_lines(str(warnings[run_id]))))
