"""`society schema`: the JSON Schema of scenario files."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import Output


def schema(
    output: Output = None,
    *,
    sweep: Annotated[bool, typer.Option("--sweep", envvar="SOCIETY_SWEEP", help="Of sweep files instead.")] = False,
) -> None:
    """Print the JSON Schema of the scenario file.

    Editors complete and check scenarios with it: save it beside them and begin each file with the line
    `# yaml-language-server: $schema=./schema.json`.
    """
    import json

    from society.agents.scripted import SCRIPTS
    from society.cli.output import result
    from society.scenario.schema import schema as build
    from society.sweep.schema import sweep_schema

    text = json.dumps(sweep_schema() if sweep else build(SCRIPTS.types), indent=2, ensure_ascii=False)
    if output is None:
        result(text)
    else:
        output.write_text(text + "\n", "utf-8")
