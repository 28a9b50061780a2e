"""`society fork RUN --round K --set ...`: a new run that shares the first rounds of another one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Quiet, Run, Set


def fork(
    run: Run = "last",
    *,
    round_: Annotated[
        int, typer.Option("--round", metavar="K", min=1, envvar="SOCIETY_ROUND", help="How many rounds are shared.")
    ],
    set_: Set = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", metavar="MODEL", envvar="SOCIETY_MODEL", help="Another model of all agents that name none."
        ),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, envvar="SOCIETY_ROUNDS", help="How many rounds in all.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds", metavar="SEEDS", envvar="SOCIETY_SEEDS", help="Other luck: one fork each, as 7 or 0-9."
        ),
    ] = None,
    log: Log = DEFAULT_LOG,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=1000, metavar="N", envvar="SOCIETY_PARALLEL", help="Runs at a time.")
    ] = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play a new run that shares the first K rounds of another one and differs after.

    Nobody is asked again about the shared rounds, and nothing is paid for them; the state, the agreements and what agents
    remember are carried over. For example: society fork last --round 6 --set mechanism.growth.factor=3/2
    Exit codes as of `society run`.
    """
    from society.cli.output import note
    from society.cli.performing import Branch, Job, Stopped, exit_code, perform
    from society.cli.results import report
    from society.forking import prepare
    from society.log import open_log
    from society.models.names import parse_name
    from society.models.settings import ProviderSettings
    from society.scenario.seeds import parse_seeds

    changes = [*(set_ or ()), *([f"rounds={rounds}"] if rounds is not None else [])]
    try:
        chosen = parse_seeds(seeds) if seeds is not None else None
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--seeds") from None
    if model is not None:
        parse_name(model)
    command = " ".join(["society", *sys.argv[1:]])
    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        planned = prepare(book.episode(run), round=round_, overrides=changes, model=model)
        jobs = [
            Job(planned.scenario, model, seed, branch=Branch(planned.run, round_, tuple(changes)))
            for seed in chosen or (planned.seed,)
        ]
        try:
            played, code = perform(jobs, book, parallel=parallel, quiet=quiet or json, command=command), None
        except Stopped as stopped:
            played, code = stopped.played, stopped.code
        report(played, book, (), json=json, quiet=quiet)
        ended = exit_code(played)
    if code is not None:
        note("interrupted; `society resume` goes on where it stopped, and pays for nothing twice")
        return code
    return ended
