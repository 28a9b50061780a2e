"""A new scenario file from an existing one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from society.core.errors import BadInput
from society.scenario.load import load
from society.scenario.places import SUFFIXES, find_scenario, read_bytes
from society.scenario.schema import MODELINE, schema

SCHEMA_FILE = "schema.json"


def start(
    file: Path, base: str, *, force: bool = False, scripts: Mapping[str, type[BaseModel]] | None = None
) -> Path | None:
    """Copy a scenario, comments and all, under the name of the new file, with the schema beside it.

    Returns:
        the schema's file if it was written, None if one was there.

    Raises:
        BadInput: the file exists, is no YAML file by its name, or its folder cannot be written.
    """
    if file.suffix not in SUFFIXES:
        raise BadInput(f"a scenario file ends in .yaml; write {file.with_suffix('.yaml').name}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", file.stem):
        raise BadInput("the file's name becomes the scenario's: letters, digits, dots, hyphens and underscores")
    if file.exists() and not force:
        raise BadInput(f"{file} exists; --force overwrites it")
    source = find_scenario(base)
    load(source)
    text = read_bytes(source).decode("utf-8-sig")
    text = re.sub(r"(?m)^name:.*$", f"name: {file.stem}", text, count=1)
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(MODELINE))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{MODELINE}./{SCHEMA_FILE}\n{text}", "utf-8")
        beside = file.parent / SCHEMA_FILE
        if beside.exists():
            return None
        beside.write_text(json.dumps(schema(scripts), indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as problem:
        raise BadInput(f"{file} cannot be written: {problem.strerror}") from None
    return beside
