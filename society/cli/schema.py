"""`society schema`: the JSON Schema of scenario files."""

from __future__ import annotations

from society.cli.options import Output


def schema(output: Output = None) -> None:
    """Print the JSON Schema of the scenario file.

    Editors complete and check scenarios with it: save it beside them and begin each file with the line
    `# yaml-language-server: $schema=./schema.json`.
    """
    import json

    from society.agents.scripted import SCRIPTS
    from society.cli.output import result
    from society.scenario.schema import schema as build

    text = json.dumps(build(SCRIPTS.types), indent=2, ensure_ascii=False)
    if output is None:
        result(text)
    else:
        output.write_text(text + "\n", "utf-8")
