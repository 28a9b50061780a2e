"""`society db`: the database behind a log."""

from __future__ import annotations

import typer

from society.cli.options import DEFAULT_LOG, Log, Output

app = typer.Typer(
    help="Look after the database behind a log.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _db() -> None:
    """Keep each command one of its own, even while there is only one."""


@app.command("datasette")
def datasette(*, log: Log = DEFAULT_LOG, output: Output = None) -> None:
    """Write what datasette needs to show a log well.

    Descriptions of all tables and columns, labels, facets, and ready questions. For example:
    society db datasette -o datasette.json && datasette -m datasette.json logs/society.db
    """
    import json

    from society.cli.output import note, result
    from society.core.errors import BadInput
    from society.log import open_log
    from society.log.datasette import metadata

    with open_log(log) as book:
        file = book.place.file
    if file is None:
        raise BadInput("datasette reads SQLite files; `society export RUN --to DIR` takes runs out of this log")
    told = json.dumps(metadata(file.stem), indent=2, ensure_ascii=False)
    if output is None:
        result(told)
    else:
        output.write_text(told + "\n", "utf-8")
        note(f"wrote {output}; next: datasette -m {output} {file}")
