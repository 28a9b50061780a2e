"""`society db`: the database behind a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Output, Quiet

if TYPE_CHECKING:
    from society.log import Log as Book

app = typer.Typer(
    help="Look after the database behind a log.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _db() -> None:
    """Keep each command one of its own."""


From = Annotated[str, typer.Argument(metavar="FROM", help="The log that is read: a file or a URL.")]
To = Annotated[str, typer.Argument(metavar="TO", help="The log that is written: a file or a URL.")]


@app.command("upgrade")
def upgrade(*, log: Log = DEFAULT_LOG, json: Json = False) -> None:
    """Bring a log of an earlier version to the layout of this one.

    All of it or nothing, and nothing that was logged changes. A SQLite file is upgraded by whatever opens it first;
    a PostgreSQL database only by this command: make a copy, and stop whatever writes into it. For example:
    society db upgrade --log postgresql://me@host/society
    """
    from society.cli.output import result, result_json
    from society.log.database import place_of, upgrade_log

    place = place_of(log)
    before, after = upgrade_log(place)
    if json:
        result_json({"log": place.shown, "layout_before": before, "layout": after})
    elif before == after:
        result(f"{place.shown} has layout {after}, as this version needs; nothing was to be done")
    else:
        result(f"{place.shown}: layout {before} became {after}; `society verify --log URL` checks it")


@app.command("copy")
def copy(source: From, target: To, *, json: Json = False, quiet: Quiet = False) -> None:
    """Copy a whole log into a new place, SQLite or PostgreSQL, losing nothing.

    An interrupted copy is finished by `society db merge`. For example:
    society db copy logs/society.db postgresql://me@host/society
    """
    from society.core.errors import BadInput
    from society.log import open_log

    with open_log(source) as read, open_log(target) as written:
        read.runs()  # a source that is none is told before a target is made
        written.prepare()
        held = len(written.runs())
        if held:
            raise BadInput(f"{written.place.shown} holds {held} runs already; `society db merge` adds to them")
        _copy(read, written, json=json, quiet=quiet)


@app.command("merge")
def merge(source: From, target: To, *, json: Json = False, quiet: Quiet = False) -> None:
    """Add the runs of one log to another, SQLite or PostgreSQL.

    A run that is there already stays; one that went on since is continued; a run that went on differently in both
    stops the command, with nothing of it touched. For example:
    society db merge laptop.db postgresql://me@host/society
    """
    from society.log import open_log

    with open_log(source) as read, open_log(target) as written:
        read.runs()
        _copy(read, written, json=json, quiet=quiet)


def _copy(read: Book, written: Book, *, json: bool, quiet: bool) -> None:
    from society.cli.output import note, result, result_json
    from society.cli.progress import Board, shown
    from society.log.copying import copy_runs

    board = Board()
    going = board.begin(f"{read.place.shown} to {written.place.shown}", 0)

    def told(done: int, of: int) -> None:
        going.stage(done, of, "runs", None)

    with shown(board, quiet=quiet or json):
        found = copy_runs(read, written, told=told)
    if json:
        result_json(
            {
                "from": read.place.shown,
                "to": written.place.shown,
                "copied": found.copied,
                "continued": found.continued,
                "there": found.there,
                "left_out": found.left_out,
                "rows": found.rows,
            }
        )
        return
    result(
        f"{len(found.copied)} runs copied, {len(found.continued)} continued, {len(found.there)} there already; "
        f"{found.rows} rows written to {written.place.shown}"
    )
    if found.left_out:
        note(
            f"{len(found.left_out)} runs are being written just now and were left out: {', '.join(found.left_out[:3])}"
        )
    note(f"next: society verify --log {written.place.shown}", quiet=quiet)


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
