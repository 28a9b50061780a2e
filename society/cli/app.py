"""All commands in one application.

Every file below imports nothing but typer and what it needs to declare its options; the rooms are imported when a command
runs. Help is drawn without rich, which takes longer to import than all the rest.
"""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli import (
    align,
    calibrate,
    check,
    coalitions,
    compare,
    cost,
    db,
    doctor,
    export,
    fork,
    listing,
    metrics,
    models,
    new,
    play,
    replay,
    resume,
    run,
    runs,
    schema,
    show,
    sweep,
    transcript,
    verify,
    view,
    whatif,
)


def _version(on: bool) -> None:
    if on:
        from society import __version__

        typer.echo(f"society {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="society",
    help="A sandbox for multi-agent AI safety: language-model agents in text-based commons.",
    epilog="`society COMMAND --help` tells more. Every option can also be given as SOCIETY_* in the environment or .env.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="SOCIETY_DEBUG", help="Show where in the code an error comes from.")
    ] = False,
) -> None:
    """Options of `society` itself; `--debug` is taken out by `main`, wherever it stands."""


app.command("run")(run.run)
app.command("resume")(resume.resume)
app.command("play")(play.play)
app.command("check")(check.check)
app.command("list")(listing.list_kinds)
app.command("show")(show.show)
app.command("runs")(runs.runs)
app.command("transcript")(transcript.transcript)
app.command("align")(align.align)
app.command("coalitions")(coalitions.coalitions)
app.command("calibrate")(calibrate.calibrate)
app.command("sweep")(sweep.sweep)
app.command("metrics")(metrics.metrics)
app.command("compare")(compare.compare)
app.command("cost")(cost.cost)
app.command("export")(export.export)
app.command("replay")(replay.replay)
app.command("fork")(fork.fork)
app.command("whatif")(whatif.whatif)
app.command("verify")(verify.verify)
app.command("view")(view.view)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)
app.command("new")(new.new)
app.add_typer(models.app, name="models")
app.add_typer(db.app, name="db")
