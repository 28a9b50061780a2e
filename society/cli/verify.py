"""`society verify [RUN]`: whether a log contradicts itself."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log


def verify(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run; without one, the whole log.")] = None,
    *,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HASH", envvar="SOCIETY_HEAD", help="The head the run had; kept elsewhere."),
    ] = None,
    log: Log = DEFAULT_LOG,
    json: Json = False,
) -> int:
    """Check the hash chain, every row and the journal against each other; name what is wrong.

    A chain that was cut or made anew as a whole shows only against a head that was kept elsewhere: --head. Exit code 6 if
    anything is wrong.
    """
    from society.cli.output import note, result, result_json
    from society.core.errors import BadInput, LogCorrupt
    from society.log import open_log
    from society.models.settings import ProviderSettings

    if head is not None and run is None:
        raise BadInput("--head belongs to one run; name it: society verify RUN --head HASH")
    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        report = book.verify(run, head=head)
    if json:
        faults = [str(fault) for fault in report.faults]
        result_json({"runs": list(report.runs), "events": report.events, "calls": report.calls, "faults": faults})
    else:
        runs = "1 run" if len(report.runs) == 1 else f"{len(report.runs)} runs"
        for fault in report.faults:
            note(str(fault))
        verdict = "sound" if report.sound else f"NOT SOUND: {len(report.faults)} faults"
        result(f"{runs}, {report.events} events, {report.calls} calls: {verdict}")
    return 0 if report.sound else LogCorrupt.exit_code
