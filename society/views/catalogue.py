"""The kinds there are: what each is, its fields with their units, and where it comes from."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from society.core.errors import UnknownKind, did_you_mean
from society.core.exact import Json
from society.core.goals import Goal
from society.core.instrument import Instrument
from society.core.mechanism import Mechanism
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.metrics import METRICS
from society.views.rulers import instance_of


@dataclass(frozen=True, slots=True)
class FieldCard:
    """One parameter.

    Attributes:
        type: in words, with its bounds.
        default: as it would be written in a scenario file; None where one must be given.
        about: what it means, with its unit.
    """

    name: str
    type: str
    default: str | None
    about: str


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that can be named.

    Attributes:
        summary: the first line of `about`; sources: keys of references.bib.
        facts: further things worth knowing, by name.
    """

    kind: str
    name: str
    summary: str
    about: str = ""
    fields: tuple[FieldCard, ...] = ()
    sources: tuple[str, ...] = ()
    facts: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "kind": self.kind,
            "name": self.name,
            "summary": self.summary,
            "about": self.about,
            "fields": [{"name": f.name, "type": f.type, "default": f.default, "about": f.about} for f in self.fields],
            "sources": list(self.sources),
            "facts": dict(self.facts or {}),
        }


def mechanisms() -> dict[str, Card]:
    """Every stage game, by name."""
    return {
        name: card_of(
            "mechanism",
            name,
            kind,
            sources=kind.source,
            facts={"payoff unit": kind.payoff_unit, "measures": _measured(kind)},
        )
        for name, kind in MECHANISMS.types.items()
    }


def _measured(kind: type[Mechanism[Any]]) -> str:
    measured: object = kind.quantities
    if isinstance(measured, frozenset):
        return ", ".join(sorted(measured)) or "payoffs only"
    return "depends on its parameters"  # a property of the single game


def instruments() -> dict[str, Card]:
    """Every governance instrument, by name."""
    games = [game for kind in MECHANISMS.types.values() if (game := instance_of(kind)) is not None]
    return {
        name: card_of("instrument", name, kind, sources=kind.source, facts=_of_instrument(name, kind, games))
        for name, kind in INSTRUMENTS.types.items()
    }


def _of_instrument(name: str, kind: type[Instrument], games: Sequence[Mechanism[Any]]) -> dict[str, str]:
    """Its class, what holds whatever happens, when agents meet it, what it can govern, and how a scenario writes it."""
    fitting = [(game, next((e for e in kind.examples(game) if e.unfit(game) is None), None)) for game in games]
    governs = [game.kind for game, example in fitting if example is not None]
    every = len(governs) == len(games)
    meets = [words for hook, words in _MEETINGS.items() if getattr(kind, hook) is not getattr(Instrument, hook)]
    example = next((e for _, e in fitting if e is not None), None)
    return {
        "class": f"{kind.klass} (Kollock1998)",
        "always": kind.invariant,
        "agents meet it": "; ".join(meets) or "in what they are told",
        "can govern": "every mechanism" if every else ", ".join(governs),
        "in a scenario": f"instruments: [{{{', '.join([f'kind: {name}', *_written(example)])}}}]",
    }


_MEETINGS = {
    "offers": "in talk, by moves beside words",
    "widen": "as one more action",
    "restrict": "in what they may do",
    "ask": "after acting, by a decision of their own",
    "ballot": "at the end of the round, by a vote",
    "feel": "in what payoffs are worth to them",
}


def _written(example: Instrument | None) -> list[str]:
    """What an example sets beside its kind, as a scenario file writes it."""
    if example is None:
        return []
    plain = example.model_dump(mode="json", exclude_defaults=True)
    return [f"{name}: {json.dumps(value)}" for name, value in plain.items() if name != "kind"]


def goals() -> dict[str, Card]:
    """Every goal, by name."""
    kinds = get_args(get_args(Goal)[0])
    return {name: card_of("goal", name, kind) for kind in kinds for name in [str(kind.model_fields["kind"].default)]}


def metrics() -> dict[str, Card]:
    """Every collective metric, by name."""
    found = {}
    for name, metric in sorted(METRICS.items()):
        facts = {"unit": metric.unit, "better": metric.better or "neither way"}
        about = inspect.getdoc(metric.function) or metric.about
        sources = (metric.source,) if metric.source else ()
        found[name] = Card("metric", name, _summary(about), about, sources=sources, facts=facts)
    return found


def card_of(
    noun: str,
    name: str,
    model: type[BaseModel],
    *,
    sources: tuple[str, ...] = (),
    facts: Mapping[str, str] | None = None,
) -> Card:
    """The card of a kind that is a pydantic model."""
    about = inspect.cleandoc(model.__doc__ or "")
    return Card(noun, name, _summary(about), about, fields_of(model), sources, facts)


def fields_of(model: type[BaseModel]) -> tuple[FieldCard, ...]:
    """The parameters of a kind, as a scenario file writes them."""
    schema = model.model_json_schema()
    defs = schema.get("$defs", {})
    schema = defs[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema  # a kind that holds its own kind
    needed = schema.get("required", [])
    return tuple(
        card
        for name, shape in schema.get("properties", {}).items()
        if name != "kind" and not (name == "agents" and issubclass(model, Mechanism))
        for card in (
            FieldCard(
                name,
                type_words(_limited(model, name, shape), defs),
                None if name in needed else _default(model, name),
                " ".join(str(shape.get("description", "")).split()),
            ),
            *_inner(name, shape, defs),
        )
    )


def _limited(model: type[BaseModel], name: str, shape: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: JSON Schema
    """The schema of a parameter with its limits: those of exact numbers are not in it."""
    if "anyOf" not in shape or name not in model.model_fields:
        return shape
    limits = {key: getattr(m, key) for m in model.model_fields[name].metadata for key in _LIMITS if hasattr(m, key)}
    return {**shape, **limits}


_LIMITS = ("ge", "gt", "le", "lt")


def _inner(name: str, shape: Mapping[str, Any], defs: Mapping[str, Any]) -> list[FieldCard]:  # Any: JSON Schema
    """The fields of the records that a parameter is, may be, or is a list of; each with the kind it belongs to."""
    cards: dict[tuple[str, str | None], FieldCard] = {}
    for record, listed in _records(shape, defs):
        needed = record.get("required", [])
        kind = record["properties"].get("kind", {}).get("const")
        if kind is not None and listed:
            continue  # too many to tell beside the list itself
        for field, inner in record["properties"].items():
            if field == "kind" or (field, kind) in cards:
                continue
            about = " ".join(str(inner.get("description", "")).split())
            cards[field, kind] = FieldCard(
                f"{name}{'[]' if listed else ''}.{field}",
                type_words(inner, defs),
                None if field in needed else _plain_default(inner.get("default")),
                about if kind is None else f"{kind}: {about}",
            )
    return list(cards.values())


def _records(
    shape: Mapping[str, Any],  # Any: JSON Schema
    defs: Mapping[str, Any],  # Any: as above
    *,
    listed: bool = False,
) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Every record that a shape names, itself, as one of its alternatives or in a list of them, and whether in a list."""
    named = defs.get(str(shape.get("$ref", "")).rsplit("/", 1)[-1])
    if named is not None and "properties" in named:
        yield named, listed
    elif named is not None:
        yield from _records(named, defs, listed=listed)
    elif isinstance(shape.get("items"), dict):
        yield from _records(shape["items"], defs, listed=True)
    for option in shape.get("anyOf") or shape.get("oneOf") or []:
        yield from _records(option, defs, listed=listed)


def type_words(shape: Mapping[str, Any], defs: Mapping[str, Any]) -> str:  # Any: JSON Schema
    """A JSON Schema in words, such as ``whole number, 1 to 1000``."""
    if "$ref" in shape:
        return _named(str(shape["$ref"]).rsplit("/", 1)[1], defs)
    if "const" in shape:
        return str(shape["const"])
    if "enum" in shape:
        return " | ".join(str(option) for option in shape["enum"])
    options = shape.get("anyOf") or shape.get("oneOf")
    if options is not None:
        spelled = _apart(type_words(option, defs) for option in options)
        if {"number", "text"} == set(spelled) and options[-1].get("pattern", "").startswith(r"^-?\d"):
            return "number" + _bounds(shape)
        return " | ".join(spelled)
    kind = shape.get("type")
    if kind == "array":
        return f"list of {type_words(shape['items'], defs)}" if shape.get("items") else "list"
    plain = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true | false", "null": "null"}
    return plain.get(str(kind), "map" if kind == "object" else "any value") + _bounds(shape)


def _apart(spelled: Iterable[str]) -> list[str]:
    """Alternatives that say more than another: a word for its usual numbers says less than the kind with its parameters."""
    words = list(dict.fromkeys(word for text in spelled for word in text.split(" | ")))
    return [word for word in words if not any(other.startswith(f"{word}(") for other in words)]


def pick(cards: Mapping[str, Card], name: str, noun: str) -> Card:
    """The card of a name.

    Raises:
        UnknownKind: there is none; the nearest is named.
    """
    if name not in cards:
        raise UnknownKind(f"no {noun} is called {name[:80]!r}{did_you_mean(name, cards)} (known: {', '.join(cards)})")
    return cards[name]


def _named(name: str, defs: Mapping[str, Any]) -> str:
    shape = defs.get(name, {})
    kind = shape.get("properties", {}).get("kind", {})
    if "const" in kind:
        rest = [field for field in shape["properties"] if field != "kind"]
        return f"{kind['const']}({', '.join(rest)})" if rest else str(kind["const"])
    if "properties" in shape:
        return f"{{{', '.join(shape['properties'])}}}"
    return "any value" if name == "Json" else type_words(shape, defs) if shape else name


def _bounds(shape: Mapping[str, Any]) -> str:
    low, high = shape.get("minimum", shape.get("ge")), shape.get("maximum", shape.get("le"))
    if low is not None and high is not None:
        return f", {low} to {high}"
    parts = [
        f"{words} {shape[key]}"
        for key, words in (
            ("minimum", "at least"),
            ("ge", "at least"),
            ("exclusiveMinimum", "more than"),
            ("gt", "more than"),
            ("maximum", "at most"),
            ("le", "at most"),
            ("exclusiveMaximum", "less than"),
            ("lt", "less than"),
            ("maxLength", "characters at most"),
        )
        if key in shape
    ]
    return f", {' and '.join(parts)}" if parts else ""


def _default(model: type[BaseModel], name: str) -> str:
    value = model.model_fields[name].get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return str(getattr(value, "kind", "{}"))
    return _plain_default(value)


def _plain_default(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_plain_default(item) for item in value)}]"
    return str(value) if value != "" else '""'


def _summary(about: str) -> str:
    return " ".join(about.split("\n\n", maxsplit=1)[0].split())
