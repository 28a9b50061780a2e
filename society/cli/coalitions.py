"""`society coalitions RUN`: who declared, talked, acted and gained together, and who holds the power over the rules."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Run


def coalitions(
    run: Run = "last",
    *,
    log: Log = DEFAULT_LOG,
    every_group: Annotated[
        bool,
        typer.Option("--every-group", envvar="SOCIETY_EVERY_GROUP", help="The effect of every group, up to 12 agents."),
    ] = False,
    reactive: Annotated[
        bool, typer.Option("--reactive", envvar="SOCIETY_REACTIVE", help="Without a group, let the others reply too.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell who stood together, and who held power.

    Coalitions by four notions: declared, communicated, acted out, effective; and where the four disagree.
    """
    from society.analysis import coalitions as find
    from society.cli.output import result, result_json
    from society.core.errors import BadInput
    from society.log import open_log
    from society.views.coalitions import coalitions_json, coalitions_text

    with open_log(log) as book:
        episode = book.episode(run)
    try:
        found = find(episode, every_group=every_group or None, outsiders="reactive" if reactive else "frozen")
    except ValueError as problem:
        raise BadInput(str(problem)) from None
    if json:
        result_json(coalitions_json(found))
    else:
        result(coalitions_text(found))
