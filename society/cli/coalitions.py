"""`society coalitions RUN...`: who declared, talked, acted and gained together, and who holds the power over the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log

if TYPE_CHECKING:
    from society.log import Log as Book


def coalitions(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN", help="Ids, unique parts of them, or `last`; several are tested together. Default: last."
        ),
    ] = None,
    *,
    sweep: Annotated[
        str | None,
        typer.Option("--sweep", metavar="NAME", envvar="SOCIETY_SWEEP", help="All finished runs of this sweep."),
    ] = None,
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

    Of one run: coalitions by four notions, declared, communicated, acted out, effective, and where the four disagree. Of
    several: what tests of conduct flag, the run as the unit, each family of tests corrected over all runs (Holm).
    For example: society coalitions --sweep governance
    """
    from society.analysis import coalitions as find
    from society.analysis import coalitions_over_runs
    from society.cli.output import result, result_json
    from society.core.errors import BadInput
    from society.log import open_log
    from society.views.coalitions import coalitions_json, coalitions_text
    from society.views.coalitions_over_runs import over_runs_json, over_runs_text

    if runs and sweep is not None:
        raise BadInput("runs or a --sweep, not both")
    with open_log(log) as book:
        chosen = _finished(book, sweep) if sweep is not None else list(dict.fromkeys(runs or ["last"]))
        if len(chosen) > 1 or sweep is not None:
            if every_group or reactive:
                raise BadInput("--every-group and --reactive tell of the effect of groups in one run; name one")
            ids = list(dict.fromkeys(book.find(ref).id for ref in chosen))
            together = coalitions_over_runs({run: book.episode(run) for run in ids})
            if json:
                result_json(over_runs_json(together))
            else:
                result(over_runs_text(together))
            return
        episode = book.episode(chosen[0])
    try:
        found = find(episode, every_group=every_group or None, outsiders="reactive" if reactive else "frozen")
    except ValueError as problem:
        raise BadInput(str(problem)) from None
    if json:
        result_json(coalitions_json(found))
    else:
        result(coalitions_text(found))


def _finished(book: Book, sweep: str) -> list[str]:
    """The finished and valid runs of a sweep.

    Raises:
        BadInput: there are none.
    """
    from society.core.errors import BadInput, did_you_mean

    found = [run.id for run in book.runs(sweep=sweep, status="completed")]
    if not found:
        known = {run.sweep for run in book.runs() if run.sweep}
        raise BadInput(f"no finished run of a sweep {sweep[:80]!r} in {book.place.shown}{did_you_mean(sweep, known)}")
    return found
