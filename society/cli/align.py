"""`society align RUN`: what was lost between goal and outcome, to what, and to whom."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Run


def align(
    run: Run = "last",
    *,
    log: Log = DEFAULT_LOG,
    rounds: Annotated[bool, typer.Option("--rounds", envvar="SOCIETY_EACH_ROUND", help="Every round as well.")] = False,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", envvar="SOCIETY_AGENT", help="Only this agent.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell what was lost between intent and outcome.

    Each agent's gap between its goal and what it got is taken apart: what it foresaw, what surprised it, what
    its plan cost it,
    and what it did otherwise than it said.
    """
    from society.analysis import align as decompose
    from society.cli.output import result, result_json
    from society.log import open_log
    from society.views.alignment import alignment_json, alignment_text
    from society.views.transcript import seat_of

    with open_log(log) as book:
        alignment = decompose(book.episode(run))
    if json:
        result_json(alignment_json(alignment))
    else:
        seat = None if agent is None else seat_of(agent, alignment.names)
        result(alignment_text(alignment, rounds=rounds, agent=seat))
