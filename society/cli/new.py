"""`society new`: a scenario to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from society.cli.options import Quiet


def new(
    file: Annotated[Path, typer.Argument(help="The file to write, such as lake.yaml.")],
    base: Annotated[
        str, typer.Option("--from", metavar="SCENARIO", envvar="SOCIETY_FROM", help="Which scenario to copy.")
    ] = "fishery",
    force: Annotated[bool, typer.Option("--force", envvar="SOCIETY_FORCE", help="Overwrite the file.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a scenario to start from.

    Beside it comes the schema that lets an editor complete it. The copy keeps the comments of the original; its
    name becomes that of the file.
    """
    from society.agents.scripted import SCRIPTS
    from society.cli.output import note
    from society.scenario.start import start

    schema_file = start(file, base, force=force, scripts=SCRIPTS.types)
    note(f"wrote {file}" + (f" and {schema_file}" if schema_file else ""), quiet=quiet)
    note(f"next: society check {file}", quiet=quiet)
