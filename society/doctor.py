"""What is installed, what works, and how to mend what does not."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from society import __version__
from society.agents.prompting import Prompts
from society.core.calls import ChatMessage, ModelRequest, Position, Sampling
from society.core.errors import SocietyError
from society.models.install import find_weights
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from society.scenario.places import folders, shipped

Verdict = Literal["fine", "absent", "broken"]
"""absent: not installed and not needed by everybody; broken: asked for and does not work."""

EXTRAS = {
    "xllamacpp": ("local", "the embedded language model"),
    "psycopg": ("postgres", "logs in PostgreSQL"),
    "ray": ("ray", "sweeps on several machines"),
    "scipy": ("analysis", "linear programmes and statistics"),
    "networkx": ("analysis", "graphs of coalitions"),
    "polars": ("analysis", "frames"),
    "inspect_ai": ("inspect", "exports as Inspect logs"),
    "vl_convert": ("plot", "figures as PDF"),
}
"""Optional packages: the extra that brings each, and what it is for."""
_CODE = "k7q2"
"""What the schema of the probe demands, and the words of the probe do not mention."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: its name.
        verdict: fine, absent or broken.
        words: what was found.
        mend: the command or step that would mend it; empty where nothing is wrong.
    """

    what: str
    verdict: Verdict
    words: str
    mend: str = ""


async def examine(models: Sequence[str] = (), *, log: str = "") -> list[Finding]:
    """Look at the installation, the extras and the log's place, and put a question to each model named.

    Args:
        models: names of models to probe; each is asked once, with a schema it has to keep.
        log: the log to be used.
    """
    findings = [*_installation(), *_extras(), *_place_of_log(log)]
    try:
        settings = ProviderSettings.read()
    except SocietyError as problem:
        return [*findings, Finding("settings", "broken", str(problem), "correct that setting")]
    keys = (
        "OPENAI_API_KEY is set" if settings.openai_api_key else "OPENAI_API_KEY is not set; needed for openai:NAME only"
    )
    findings.append(Finding("settings", "fine", keys))
    pool = ModelPool(settings)
    try:
        findings += [await _probe(pool, model) for model in models]
    finally:
        await pool.close()
    return findings


def _installation() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fresh = sys.version_info >= (3, 11)
    yield Finding("python", "fine" if fresh else "broken", version, "" if fresh else "install Python 3.11 or later")
    yield Finding("society", "fine", __version__)
    scenarios = shipped()
    if scenarios:
        yield Finding("scenarios", "fine", f"{len(scenarios)} in {', '.join(str(folder) for folder in folders())}")
    else:
        yield Finding("scenarios", "broken", "none found", "reinstall the package, or write one: society new lake.yaml")
    try:
        prompts = Prompts.load()
    except SocietyError as problem:
        yield Finding("prompts", "broken", str(problem), "correct that template, or remove it from ./prompts")
    else:
        own = " (some from ./prompts)" if Path("prompts").is_dir() else ""
        yield Finding("prompts", "fine", f"{len(prompts.names)} templates{own}")


def _extras() -> Iterator[Finding]:
    for module, (extra, purpose) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        mend = "" if there else f"pip install 'society-sandbox[{extra}]'"
        yield Finding(module, "fine" if there else "absent", purpose, mend)
    weights = find_weights()
    if weights is not None:
        yield Finding("weights of local", "fine", weights.name)
    else:
        yield Finding("weights of local", "absent", "not installed", "society models install smollm2")


def _place_of_log(log: str) -> Iterator[Finding]:
    if "://" in log and not log.startswith("sqlite"):
        yield Finding("log", "fine", "a database server; it is reached when a run begins")
        return
    place = Path(log.removeprefix("sqlite:///"))
    nearest = next((p for p in (place, *place.parents) if p.exists()), Path())
    if os.access(nearest, os.W_OK):
        yield Finding("log", "fine", f"{place} can be written (SQLite {sqlite3.sqlite_version})")
    else:
        yield Finding("log", "broken", f"{nearest} cannot be written", "name another place with --log")


async def _probe(pool: ModelPool, model: str) -> Finding:
    """Ask for something that only a model that keeps to its schema can answer."""
    request = ModelRequest(
        at=Position(0, "doctor", 0, 0),
        model=model,
        messages=(ChatMessage("user", "Answer with a JSON object that holds a code of your choice."),),
        schema={
            "type": "object",
            "properties": {"code": {"type": "string", "enum": [_CODE]}},
            "required": ["code"],
            "additionalProperties": False,
        },
        schema_name="probe",
        sampling=Sampling(max_tokens=64),
    )
    what = f"model {model}"
    try:
        response = await pool.client(model).complete(request)
    except SocietyError as problem:
        return Finding(what, "broken", str(problem), "mend what the message names, then look again")
    if response.finish != "stop":
        return Finding(
            what, "broken", f"the answer ended with {response.finish!r} {response.detail}".strip(), "try another model"
        )
    took = f"answered in {response.seconds:.1f} s"
    if _keeps(response.text):
        return Finding(what, "fine", f"{took} and keeps to a schema")
    return Finding(what, "fine", f"{took}, but does not keep to a schema: answers are repaired or asked again")


def _keeps(text: str) -> bool:
    try:
        return bool(json.loads(text) == {"code": _CODE})
    except ValueError:
        return False
