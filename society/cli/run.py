"""`society run SCENARIO...`: play."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Quiet, Scenarios, Set


def run(
    scenarios: Scenarios,
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            envvar="SOCIETY_MODEL",
            help="Model of all agents that name none; again for a run with each. Default: the scenario's own.",
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", metavar="SEEDS", envvar="SOCIETY_SEEDS", help="One run each: 7, 0-9 or 0-4,10."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, envvar="SOCIETY_ROUNDS", help="How many rounds.")
    ] = None,
    set_: Set = None,
    log: Log = DEFAULT_LOG,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=1000, metavar="N", envvar="SOCIETY_PARALLEL", help="Runs at a time.")
    ] = 1,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", envvar="SOCIETY_DRY_RUN", help="Play nothing; tell calls, tokens and cost expected."),
    ] = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="METRIC<X",
            envvar="SOCIETY_FAIL_ON",
            help="Exit code 3 if a run's metric is so, as in survival<12.",
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play scenarios with language models; everything is logged.

    Progress shows on a terminal. Exit code 0 whatever the agents did; 1 if a run failed or is invalid; 3 if a --fail-on
    condition holds; 4 if a run paused (`society resume` goes on); 5 if a provider refused; 130 or 143 if interrupted.
    """
    from society.cli.conditions import parse_condition
    from society.cli.output import note
    from society.cli.performing import Job, Stopped, exit_code, perform
    from society.cli.results import dry_run_report, report
    from society.log import open_log
    from society.models.names import parse_name
    from society.models.settings import ProviderSettings
    from society.scenario.load import load
    from society.scenario.seeds import parse_seeds

    changes = [*(set_ or ()), *([f"rounds={rounds}"] if rounds is not None else [])]
    conditions = [parse_condition(text) for text in fail_on or ()]
    try:
        chosen = parse_seeds(seeds) if seeds is not None else None
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--seeds") from None
    for name in model or ():
        parse_name(name)
    loaded = [load(name, changes) for name in scenarios]
    models: list[str | None] = [*model] if model else [None]
    jobs = [Job(scenario, name, seed) for scenario in loaded for name in models for seed in chosen or scenario.seeds]
    if dry_run:
        return dry_run_report(jobs, json=json)
    command = " ".join(["society", *sys.argv[1:]])
    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        try:
            played, code = perform(jobs, book, parallel=parallel, quiet=quiet or json, command=command), None
        except Stopped as stopped:
            played, code = stopped.played, stopped.code
        held = report(played, book, conditions, json=json, quiet=quiet)
        ended = exit_code(played) or (3 if held else 0)
    if code is not None:
        note("interrupted; `society resume` goes on where it stopped, and pays for nothing twice")
        return code
    return ended
