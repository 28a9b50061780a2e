"""`society transcript RUN`: the story of a run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Output, Run


def transcript(
    run: Run = "last",
    *,
    log: Log = DEFAULT_LOG,
    rounds: Annotated[
        str | None,
        typer.Option("--round", metavar="N", envvar="SOCIETY_ROUND", help="Only these rounds: 3, 2-4 or 1,5."),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", metavar="NAME", envvar="SOCIETY_AGENT", help="Only what one agent did or heard."),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            "--stage", envvar="SOCIETY_STAGE", help="Only talk, declare, act, decide or settle; may be given again."
        ),
    ] = None,
    calls: Annotated[
        bool, typer.Option("--calls", envvar="SOCIETY_CALLS", help="With every prompt and raw answer.")
    ] = False,
    style: Annotated[
        Literal["text", "markdown", "json", "html"],
        typer.Option("--format", envvar="SOCIETY_FORMAT", help="How it is written."),
    ] = "text",
    json: Json = False,
    output: Output = None,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", envvar="SOCIETY_NO_PAGER", help="Print at once, however long it is.")
    ] = False,
) -> None:
    """Tell a run's story: said, meant, done, got. On a terminal it is shown page by page."""
    import os
    import shutil
    import sys

    from society.cli.output import note, result, result_paged
    from society.log import open_log
    from society.views.calls import calls_text
    from society.views.transcript import pick, rendered

    if json:
        style = "json"
    with open_log(log) as book:
        info = book.find(run)
        chosen = pick(book.episode(info.id), rounds=rounds, agent=agent, stages=stage)
        terminal = output is None and sys.stdout.isatty()
        text = rendered(
            chosen,
            style,
            colour=terminal and "NO_COLOR" not in os.environ,
            width=shutil.get_terminal_size().columns if terminal else 100,
        )
        if calls:
            text += "\n\n" + calls_text(book, info.id, chosen)
    if output is None and (no_pager or style != "text"):
        result(text)
    elif output is None:
        result_paged(text)
    else:
        output.write_text(text + "\n", "utf-8", errors="backslashreplace")
        note(f"wrote {output}")
