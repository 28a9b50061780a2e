"""The JSON Schema of the answer to each question.

Every property is required and further ones are refused, which is what servers that enforce schemas agree on. Limits stand in the
schema and again in the description, for servers that drop them. Keys are short, plain and the same in every scenario.

Under one key that never leaves the process (`HINT`), offline models are told what each value is for (``role``) and of whom or
what it is (``of``); what they go by is asked of `society.agents.hints`, so that a schema is the same in every situation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from society.core.actions import Amount, Division
from society.core.exact import Json, show
from society.core.mechanism import SpaceOf
from society.core.moves import moves_schema
from society.core.policy import Act, Decide, Declare, Question, Speak
from society.governance.institution import HUMAN
from society.models.schema import HINT

Schema = dict[str, Json]

MOST_MESSAGES = 3
MOST_BELIEFS = 4
OBJECTIVE_CHARACTERS = 120
MOST_ALIKE = 10
"""Longest row of properties with one shape that a prompt lists one by one."""
MOST_OPTIONS = 100
"""Longest list of words that a prompt spells out."""
EVERYBODY = "everybody"


def answer_schema(question: Question[Any]) -> Schema:  # Any: whatever the answer is
    """The schema of the answer to a question.

    Raises:
        TypeError: an unknown kind of question.
    """
    if isinstance(question, Speak):
        return _speak(question)
    if isinstance(question, Declare):
        return _declare(question)
    if isinstance(question, Act):
        return _object({"action": _own("action", question.seen.space, question)})
    if isinstance(question, Decide):
        in_place = question.purpose.endswith(HUMAN)  # for another, offline models decide as they would for themselves
        return _object(
            {
                name: _own("action", space, question) if in_place else {**space.answer_schema(), HINT: _decided(space)}
                for name, space in question.parts.items()
            }
        )
    raise TypeError(f"no answer is known for a {type(question).__name__}")


def _own(role: str, space: SpaceOf, question: Question[Any]) -> Schema:
    """An action of the agent itself."""
    return {**space.answer_schema(), HINT: {"role": role, "of": "own", **_divided(space, question.seen.agent)}}


def _divided(space: SpaceOf, seat: int) -> dict[str, Json]:
    """What the shares of a division add up to, and the place of the agent whose action it is."""
    return {"total": _decimal(space.total), "own": seat} if isinstance(space, Division) else {}


def _decided(space: SpaceOf) -> Schema:
    """Offline models punish and reward nobody, unless they are random."""
    least = {"share": _decimal(space.low)} if isinstance(space, Amount) and space.intervals else {}
    return {"role": "decided", **least}


def _decimal(value: int | Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def _object(properties: Mapping[str, Json]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _speak(question: Speak) -> Schema:
    text: Schema = {
        "type": "string",
        "maxLength": question.most_characters,
        "description": "what you say",
        HINT: {"role": "message", "of": "message"},
    }
    moves = moves_schema(question.offers, question.seen.names)
    further: dict[str, Json] = {} if moves is None else {"moves": {**moves, HINT: {"role": "moves", "of": "moves"}}}
    if not question.private:
        return _object({"message": text, **_announced(question), **further})
    seen = question.seen
    others = [name for seat, name in enumerate(seen.names) if seat != seen.agent]
    names: list[Json] = [*([EVERYBODY] if question.public else []), *others]
    to: Schema = {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1, "maxItems": len(names)}
    messages: Schema = {
        "type": "array",
        "items": _object({"to": to, "text": text, **_announced(question)}),
        "maxItems": MOST_MESSAGES,
        HINT: {"messages": True},
    }
    return _object({"messages": messages, **further})


def _announced(question: Speak) -> dict[str, Json]:
    """The action a message announces, or nothing where messages announce none."""
    if not question.announce:
        return {}
    own = _own("announced", question.seen.space, question)
    hint = own.pop(HINT)
    return {"announced": {"anyOf": [own, {"type": "null"}], HINT: hint}}


def _declare(question: Declare) -> Schema:
    seen = question.seen
    others: dict[str, Json] = {
        name: {**space.answer_schema(), HINT: {"role": "predicted", "of": str(seat), **_divided(space, seat)}}
        for seat, (name, space) in enumerate(zip(seen.names, question.spaces, strict=False))
        if seat != seen.agent
    }
    properties: dict[str, Json] = {"intended": _own("intended", seen.space, question)}
    if question.predict == "per_agent" and others:
        properties["predicted"] = _object(others)
    if question.predict == "total" and question.totals and others:
        properties["predicted_total"] = {**_total(question), HINT: {"role": "predicted", "of": "total"}}
    if question.predict == "distribution" and others:
        certain: Schema = {"role": "predicted", "share": 1, "greedy": 1, "last": 1}  # it is the only case
        probability: Schema = {"type": "number", "minimum": 0, "maximum": 1, HINT: certain}
        belief = _object({"probability": probability, "actions": _object(others)})
        properties["distribution"] = {"type": "array", "items": belief, "minItems": 1, "maxItems": MOST_BELIEFS}
    score: Schema = {"type": "number", "description": "the score you expect"}
    properties["forecast"] = {**score, HINT: {"role": "forecast", "of": "score"}}
    properties["desired"] = {**score, "description": "the score you want", HINT: {"role": "desired", "of": "score"}}
    if question.objective:
        properties["objective"] = {
            "type": "string",
            "maxLength": OBJECTIVE_CHARACTERS,
            "description": "what you are after, in a few words",
        }
    return _object(properties)


def _total(question: Declare) -> Schema:
    others = [space for seat, space in enumerate(question.spaces) if seat != question.seen.agent]
    amounts = [space for space in others if isinstance(space, Amount) and space.intervals]
    shape: Schema = {"type": "number", "description": "what all others together will do"}
    if len(amounts) < len(others):
        return shape
    low = sum((space.low for space in amounts), Fraction(0))
    high = sum((space.high for space in amounts), Fraction(0))
    if all(space.step is not None and space.step % 1 == 0 for space in amounts):
        shape["type"] = "integer"
    shape["minimum"], shape["maximum"] = float(low), float(high)
    if shape["type"] == "integer":
        shape["minimum"], shape["maximum"] = int(low), int(high)
    shape["description"] = f"what all others together will do, from {show(low)} to {show(high)}"
    return shape


def shape(schema: Json) -> str:
    """A schema as one line for the prompt: keys with, in angle brackets, what belongs there.

    ``{"action": <a whole number from 0 to 100 fish>}``
    """
    if not isinstance(schema, Mapping):
        return "<anything>"
    properties, options, variants = schema.get("properties"), schema.get("enum"), schema.get("anyOf")
    if isinstance(properties, Mapping):
        pairs = [f"{json.dumps(key, ensure_ascii=False)}: {words}" for key, words in _shapes(properties)]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(options, (list, tuple)) and schema.get("type") == "string":
        words = [json.dumps(option, ensure_ascii=False) for option in options[:MOST_OPTIONS]]
        if len(options) > MOST_OPTIONS:
            words.append("another one")
        return words[0] if len(words) == 1 else f"<{' or '.join(words)}>"
    if isinstance(variants, (list, tuple)):
        return " or ".join(shape(variant) for variant in variants)
    items, described = schema.get("items"), schema.get("description")
    if isinstance(items, Mapping) and ({"properties", "anyOf", "enum"} & set(items) or described is None):
        return f"[{shape(items)}, ...]"
    return f"<{described or schema.get('type')}>"


def _shapes(properties: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The shape of each property. What is the same as before is not repeated, and in a long row not listed either."""
    before, alike = "", 0
    for key, value in properties.items():
        words = shape(value)
        alike = alike + 1 if words == before else 0
        before = words
        if alike == MOST_ALIKE:
            yield "...", "<the same for each of the others>"
        if alike < MOST_ALIKE:
            yield key, "<the same>" if alike and len(words) > len("<the same>") else words
