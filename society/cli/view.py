"""`society view [RUN]`: a log in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Log


def view(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Open this run: an id, a unique part of one, or `last`.")
    ] = None,
    *,
    log: Log = DEFAULT_LOG,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            envvar="SOCIETY_PORT",
            help="Where to listen; 0: any free port. Default: 8517 or the next.",
        ),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", envvar="SOCIETY_NO_OPEN", help="Open no browser.")] = False,
) -> None:
    """Show a log in the browser, for this machine alone.

    Prints the address with its token; Ctrl-C ends it. For example: society view last --no-open
    """
    from society.cli.output import note, result
    from society.log import open_log
    from society.views.web.serve import serve

    def ready(address: str) -> None:
        result(address)
        if not no_open:
            import webbrowser

            webbrowser.open(address)
        note("Ctrl-C ends it.")

    with open_log(log) as book:
        chosen = None if run is None else book.find(run).id
        serve(book, run=chosen, port=port, ready=ready)
