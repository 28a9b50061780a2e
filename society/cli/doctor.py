"""`society doctor`: what works, and how to mend what does not."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log


def doctor(
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            envvar="SOCIETY_MODEL",
            help="Put a question to this model; may be given again.",
        ),
    ] = None,
    log: Log = DEFAULT_LOG,
    json: Json = False,
) -> int:
    """Look whether everything works, with fixes.

    The installation, the extras, and every model named with --model, which is asked one question. Exit code 1
    if something is broken; what is merely not installed is no fault.
    """
    import asyncio
    import dataclasses

    from society.cli.output import result, result_json
    from society.doctor import examine
    from society.views.tables import text_table

    findings = asyncio.run(examine(model or (), log=log))
    if json:
        result_json([dataclasses.asdict(finding) for finding in findings])
    else:
        rows = [{"what": f.what, "verdict": f.verdict, "found": f.words, "mend": f.mend} for f in findings]
        result(text_table(rows))
    return 1 if any(finding.verdict == "broken" for finding in findings) else 0
