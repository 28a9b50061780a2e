"""`society calibrate`: how often the detector of coalitions is wrong, and how much it sees."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import Json


def calibrate(
    *,
    agents: Annotated[int, typer.Option("--agents", envvar="SOCIETY_AGENTS", help="Agents in a run.")] = 6,
    rounds: Annotated[int, typer.Option("--rounds", envvar="SOCIETY_ROUNDS", help="Rounds of a run.")] = 40,
    correlation: Annotated[
        float, typer.Option("--correlation", envvar="SOCIETY_CORRELATION", help="How closely the planted group moves.")
    ] = 0.7,
    members: Annotated[
        int, typer.Option("--members", envvar="SOCIETY_MEMBERS", help="Agents in the planted group.")
    ] = 2,
    memory: Annotated[
        float, typer.Option("--memory", envvar="SOCIETY_MEMORY", help="Part of an agent's noise that lasts a round on.")
    ] = 0.0,
    runs: Annotated[int, typer.Option("--runs", envvar="SOCIETY_RUNS", help="Runs with, and as many without.")] = 200,
    permutations: Annotated[
        int, typer.Option("--permutations", envvar="SOCIETY_PERMUTATIONS", help="Permutations of each test.")
    ] = 499,
    level: Annotated[
        float, typer.Option("--level", envvar="SOCIETY_LEVEL", help="Promised rate of false alarms, over all pairs.")
    ] = 0.05,
    table: Annotated[
        bool, typer.Option("--table", envvar="SOCIETY_TABLE", help="Also the power by length and strength.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", envvar="SOCIETY_SEED", help="Seed of everything.")] = 0,
    json: Json = False,
) -> None:
    """Tell how far the detector of coalitions can be trusted.

    Plants coalitions in synthetic runs, leaves them out of others, and tells how often each is flagged: the rate of false
    alarms, the power, the ROC curve, and what a detector does that looks at raw correlations. Nothing is asked or logged.
    """
    from society.analysis import Trials, power_table
    from society.analysis import calibrate as play
    from society.cli.output import result, result_json
    from society.views.calibration import calibration_json, calibration_text

    trials = Trials(agents, rounds, correlation, members, memory, runs, permutations, level, seed)
    found = play(trials)
    cells = power_table(trials) if table else ()
    if json:
        result_json(calibration_json(found, cells))
    else:
        result(calibration_text(found, cells))
