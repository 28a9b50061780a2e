"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Scenarios = Annotated[list[str], typer.Argument(metavar="SCENARIO", help="Files, or names from `society list`.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", envvar="SOCIETY_SET", help="Another value, such as mechanism.capacity=200."
    ),
]
Json = Annotated[bool, typer.Option("--json", envvar="SOCIETY_JSON", help="Print JSON instead of text.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", envvar="SOCIETY_QUIET", help="Say nothing but results and errors.")
]
Log = Annotated[
    str,
    typer.Option(
        "--log", metavar="URL", envvar="SOCIETY_LOG", help="The log: a file, sqlite:///FILE or postgresql://..."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="MODEL", envvar="SOCIETY_MODEL",
        help="Model of all agents: local, mock:NAME, openai:NAME, NAME@http://host:port/v1. Default: the scenario's own.",
    ),
]  # fmt: skip
Output = Annotated[Path | None, typer.Option("--output", "-o", envvar="SOCIETY_OUTPUT", help="Write to this file.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, a unique part of it, or `last`.")]
Sql = Annotated[bool, typer.Option("--sql", envvar="SOCIETY_SQL", help="Print the SQL that gives the same numbers.")]

DEFAULT_LOG = "sqlite:///logs/society.db"
