"""`society verify [RUN]`: whether a log contradicts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Quiet

if TYPE_CHECKING:
    from society.auditing import Audit

MANY = 200
"""Runs; before more of them are derived again, it is said how to leave that out."""


def verify(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run; without one, the whole log.")] = None,
    *,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HASH", envvar="SOCIETY_HEAD", help="The head the run had; kept elsewhere."),
    ] = None,
    rows: Annotated[
        bool, typer.Option("--rows", envvar="SOCIETY_ROWS", help="Only the rows: do not derive runs again.")
    ] = False,
    log: Log = DEFAULT_LOG,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check the hash chain, every row and the journal against each other; name what is wrong.

    Each run is also derived again from its answers, as by `society replay`, and so is what analyses stored of it. It says
    which invariants were looked at, and in how many rows. A chain that was cut or made anew as a whole shows only against a
    head that was kept elsewhere: --head. Exit code 6 if anything is wrong.
    """
    import asyncio

    from society.auditing import audit
    from society.cli.output import note, result, result_json
    from society.core.errors import BadInput, LogCorrupt
    from society.log import open_log
    from society.models.settings import ProviderSettings
    from society.views.terminal import safe_lines

    if head is not None and run is None:
        raise BadInput("--head belongs to one run; name it: society verify RUN --head HASH")

    def told(done: int, runs: int) -> None:
        if done == 0 and runs > MANY and not (quiet or json):
            note(f"the rows are read; now {runs} runs are derived again (--rows leaves that out)")

    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        found = asyncio.run(audit(book, run, head=head, deep=not rows, told=told))
    if json:
        result_json(_as_json(found))
    else:
        for fault in found.report.faults:
            note("\n".join(safe_lines(str(fault))))
        result(_in_words(found, quiet=quiet))
    if not quiet:
        again = "" if rows else f", and {found.seconds[1]:.1f} s for deriving runs again (--rows leaves that out)"
        note(f"{found.seconds[0]:.1f} s for the rows{again}")
    return 0 if found.report.sound else LogCorrupt.exit_code


def _in_words(found: Audit, *, quiet: bool) -> str:
    from society.invariants import INVARIANTS
    from society.views.tables import text_table

    report = found.report
    runs = "1 run" if len(report.runs) == 1 else f"{len(report.runs)} runs"
    faults = "1 fault" if len(report.faults) == 1 else f"{len(report.faults)} faults"
    verdict = f"{runs}, {report.events} events, {report.calls} calls: " + (
        "sound" if report.sound else f"NOT SOUND: {faults}"
    )
    if quiet:
        return verdict
    table = [
        {"": name, "rows": report.checked.get(name), "what holds in each": what} for name, what in INVARIANTS.items()
    ]
    told = [verdict, "", text_table(table), "", f"derived again: {found.derived} of {len(report.runs)} runs"]
    told += [f"{many} more were not: {why}" for why, many in found.left_out.items()]
    if not report.checked.get("I12"):
        told.append("I12 was not looked at: no key is configured here")
    return "\n".join(told)


def _as_json(found: Audit) -> dict[str, Any]:  # Any: JSON
    from society.invariants import INVARIANTS

    report = found.report
    return {
        "sound": report.sound,
        "runs": list(report.runs),
        "events": report.events,
        "calls": report.calls,
        "faults": [str(fault) for fault in report.faults],
        "invariants": [
            {
                "name": name,
                "what": what,
                "rows": report.checked.get(name, 0),
                "faults": sum(fault.what.startswith(f"{name}:") for fault in report.faults),
            }
            for name, what in INVARIANTS.items()
        ],
        "derived_again": found.derived,
        "not_derived_again": dict(found.left_out),
    }
