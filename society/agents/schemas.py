"""The JSON Schema of the answer to each question.

Every property is required and further ones are refused, which is what servers that enforce schemas agree on. Limits stand in the
schema and again in the description, for servers that drop them. Keys are short, plain and the same in every scenario.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any, cast

from society.core.actions import Amount
from society.core.exact import Json, show
from society.core.policy import Act, Decide, Declare, Question, Speak

Schema = dict[str, Json]

MOST_MESSAGES = 3
MOST_BELIEFS = 4
OBJECTIVE_CHARACTERS = 120
EVERYBODY = "everybody"


def answer_schema(question: Question[Any]) -> Schema:  # Any: a question of whatever answer type
    """The schema of the answer to a question.

    Raises:
        TypeError: an unknown kind of question.
    """
    if isinstance(question, Speak):
        return _speak(question)
    if isinstance(question, Declare):
        return _declare(question)
    if isinstance(question, Act):
        return _object({"action": question.seen.space.answer_schema()})
    if isinstance(question, Decide):
        return _object({name: space.answer_schema() for name, space in question.parts.items()})
    raise TypeError(f"no answer is known for a {type(question).__name__}")


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
        "description": "what you say; empty to stay silent",
    }
    if not question.private:
        return _object({"message": text})
    seen = question.seen
    others = [name for seat, name in enumerate(seen.names) if seat != seen.agent]
    names: list[Json] = [*([EVERYBODY] if question.public else []), *others]
    to: Schema = {
        "type": "array",
        "items": {"type": "string", "enum": names},
        "minItems": 1,
        "maxItems": max(1, len(others)),
        "description": "who hears it",
    }
    messages: Schema = {"type": "array", "items": _object({"to": to, "text": text}), "maxItems": MOST_MESSAGES}
    return _object({"messages": messages})


def _declare(question: Declare) -> Schema:
    seen = question.seen
    spaces = {
        name: space.answer_schema()
        for seat, (name, space) in enumerate(zip(seen.names, question.spaces, strict=False))
        if seat != seen.agent
    }
    properties: dict[str, Json] = {"intended": seen.space.answer_schema()}
    if question.predict == "per_agent" and spaces:
        properties["predicted"] = _object(spaces)
    if question.predict == "total" and question.totals and spaces:
        properties["predicted_total"] = _total(question)
    if question.predict == "distribution" and spaces:
        belief = _object({"probability": {"type": "number", "minimum": 0, "maximum": 1}, "actions": _object(spaces)})
        properties["distribution"] = {"type": "array", "items": belief, "minItems": 1, "maxItems": MOST_BELIEFS}
    properties["forecast"] = {"type": "number", "description": "the score you expect this round"}
    properties["desired"] = {"type": "number", "description": "the score you would like this round"}
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
    low = reduce(lambda total, space: total + space.low, amounts, 0)
    high = reduce(lambda total, space: total + space.high, amounts, 0)
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
    kind = schema.get("type")
    if kind == "object" and isinstance(schema.get("properties"), Mapping):
        properties = cast("Mapping[str, Json]", schema["properties"])
        shown = [f"{json.dumps(key, ensure_ascii=False)}: {shape(value)}" for key, value in _grouped(properties)]
        return "{" + ", ".join(shown) + "}"
    if kind == "array" and "description" not in schema:
        return f"[{shape(schema.get('items'))}, ...]"
    words = schema.get("description")
    return f"<{words if isinstance(words, str) else kind}>"


def _grouped(properties: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The properties; of many that are alike, the words of the first stand for all."""
    first: Json = None
    for key, value in properties.items():
        alike = isinstance(value, Mapping) and isinstance(first, Mapping) and value == first
        yield key, {"type": "the same"} if alike else value
        first = value if first is None else first
