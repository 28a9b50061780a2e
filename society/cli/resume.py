"""`society resume [RUN]`: go on after a crash, an interrupt or a spent budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Quiet
from society.core.errors import BadInput

if TYPE_CHECKING:
    from society.log import Log as Book
    from society.log import RunInfo


def resume(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run's id or a unique part of it.")] = None,
    *,
    log: Log = DEFAULT_LOG,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a run that was left; no committed answer is asked for, or paid for, again.

    Without a RUN, the last one that was left. Exit codes as of `society run`.
    """
    from society.cli.output import note
    from society.cli.performing import Job, Stopped, exit_code, perform
    from society.cli.results import report
    from society.log import open_log
    from society.scenario.model import Scenario

    with open_log(log) as book:
        info = book.find(run) if run is not None else _last_left(book)
        episode = book.episode(info.id)
        job = Job(Scenario.model_validate(episode.manifest.scenario), None, info.seed, resumes=info.id)
        try:
            played, code = perform([job], book, parallel=1, quiet=quiet or json, command=""), None
        except Stopped as stopped:
            played, code = stopped.played, stopped.code
        report(played, book, (), json=json, quiet=quiet)
    if code is not None:
        note("interrupted; `society resume` goes on where it stopped, and pays for nothing twice")
        return code
    return exit_code(played)


def _last_left(book: Book) -> RunInfo:
    left = [info for info in book.runs() if info.resumable]
    if not left:
        raise BadInput(f"every run in {book.place.shown} has ended; there is nothing to go on with")
    return left[-1]
