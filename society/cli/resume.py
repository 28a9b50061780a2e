"""`society resume [RUN]`: go on after a crash, an interrupt or a spent budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Quiet
from society.core.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from society.log import Log as Book
    from society.log import RunInfo


def resume(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id or a unique part of it.")] = None,
    *,
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep", metavar="NAME", envvar="SOCIETY_SWEEP", help="All runs of this sweep that were left or failed."
        ),
    ] = None,
    parallel: Annotated[
        int,
        typer.Option("--parallel", min=1, max=10_000, metavar="N", envvar="SOCIETY_PARALLEL", help="Runs at a time."),
    ] = 50,
    usd: Annotated[
        str | None, typer.Option("--usd", metavar="X", envvar="SOCIETY_USD", help="Another budget in all: US dollars.")
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option("--tokens", min=1, envvar="SOCIETY_TOKENS", help="Another budget in all: tokens in and out."),
    ] = None,
    minutes: Annotated[
        str | None,
        typer.Option("--minutes", metavar="X", envvar="SOCIETY_MINUTES", help="Another budget in all: minutes."),
    ] = None,
    log: Log = DEFAULT_LOG,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a run that was left.

    No committed answer is asked for, or paid for, again. Without a RUN, the last one that was left. A run that failed
    is tried again from where it failed. Exit codes as of `society run`. For example: society resume --sweep governance
    """
    from pydantic import ValidationError

    from society.cli.output import note
    from society.cli.performing import Job, Stopped, exit_code, perform
    from society.cli.results import report
    from society.log import open_log
    from society.models.settings import ProviderSettings
    from society.scenario.model import Budget

    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        if run is not None and sweep is not None:
            raise BadInput("a RUN or a --sweep, not both")
        left = _left_of(book, sweep) if sweep is not None else [book.find(run) if run is not None else _last_left(book)]
        given = {name: value for name, value in (("usd", usd), ("tokens", tokens), ("minutes", minutes)) if value}
        jobs: list[Job] = []
        for info in left:
            scenario = book.episode(info.id).scenario
            try:
                budget = Budget.model_validate({**scenario.budget.model_dump(), **given}) if given else None
            except ValidationError as problem:
                raise BadInput(f"--{problem.errors()[0]['loc'][0]}: {problem.errors()[0]['msg']}") from None
            jobs.append(Job(scenario, None, info.seed, resumes=info.id, budget=budget))
        try:
            played, code = perform(jobs, book, parallel=parallel, quiet=quiet or json, command=""), None
        except Stopped as stopped:
            played, code = stopped.played, stopped.code
        report(played, book, (), json=json, quiet=quiet)
        ended = exit_code(played)
    if code is not None:
        note("interrupted; `society resume` goes on where it stopped, and pays for nothing twice")
        return code
    return ended


def _last_left(book: Book) -> RunInfo:
    left = [info for info in book.runs() if info.resumable]
    if not left:
        raise BadInput(f"every run in {book.place.shown} has ended; there is nothing to go on with")
    return left[-1]


def _left_of(book: Book, sweep: str) -> list[RunInfo]:
    runs = book.runs(sweep=sweep)
    if not runs:
        known = {info.sweep for info in book.runs() if info.sweep}
        raise BadInput(f"no sweep {sweep[:80]!r} in {book.place.shown}{did_you_mean(sweep, known)}")
    left = [info for info in runs if info.resumable and info.status != "running"]
    if not left:
        raise BadInput(f"every run of {sweep} in {book.place.shown} has ended; there is nothing to go on with")
    return left
