"""Language models that are deterministic, offline and free.

A mock gets the same request as any model (messages and the JSON Schema of the answer) and returns text in the same envelope, so
that a run with it walks the whole path: prompt, call, parse, repair, log. It cannot read prose. What it knows stands in the
schema: bounds, options, and under the key ``x-society`` of a (sub)schema, each optional:

    role     what the value is for: action (done now), intended (declared), predicted (another's action or their total),
             announced (what it tells others it will do), forecast, desired, message (said to others); anything else is
             filler
    of       what it is of; by this name the request's `hints` are asked for share, greedy and last, where the schema itself
             does not give them
    share    the sustainable or fair value here, in the form of the answer: a number, an option, a list of shares. For a
             prediction it is what the others do if all are fair; for a message, the speaker's own share
    greedy   the selfish value; the largest allowed number if not given (in a public goods game it is 0)
    last     what the others did last time, in the form of the answer: their mean, their most frequent option; null at first
    total    of an array of numbers: what its items must add up to; own is the place of the agent itself in it
    role     moves, on an array: share holds the moves of negotiation that a citizen makes; the greedy make none
    messages true on an array of messages: one is said, where otherwise an array is as short as allowed

    mock:sustainable   takes its share, says so, does so
    mock:greedy        takes as much as it may, and expects the same of others
    mock:conditional   starts with its share, then does what the others did on average
    mock:random        anything allowed, by noise keyed with the request, so that equal requests get equal answers
    mock:liar          promises and declares its share, and acts greedily
    mock:malformed     answers that cannot be read, in a different way from question to question
    mock:script:PATH   answers from a file (see `society.models.script`)

Every answer but those of ``malformed`` validates against its schema: objects, arrays, enums, constants, bounded numbers,
strings with length limits, unions, nulls and references inside the document.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Any

from society.core.calls import Finish, Hints, ModelRequest, ModelResponse, Wish, schema_text
from society.core.seeds import Noise
from society.models.envelope import enveloped
from society.models.malformed import malformed
from society.models.schema import HINT, Shape

PERSONALITIES = ("sustainable", "greedy", "conditional", "random", "liar", "malformed")

_FREE = {"role": "filler"}
_WORDS = "I will do my part, and I ask the same of everybody."
_ACTS = frozenset({"action", "intended", "predicted", "announced"})
_RANGE = {"minimum", "maximum"}
_PLAIN_RANGE = _RANGE | {"type", "description", HINT}
_DEPTH = 40
_MOST_ANSWERS = 4096


class MockModel:
    """One personality; nothing it says depends on what it said before, so one serves any number of runs at once."""

    at_once = True

    def __init__(self, personality: str) -> None:
        if personality not in PERSONALITIES:
            raise ValueError(f"no such personality: {personality!r}")
        self.personality = personality
        self._answers: dict[Hashable, str] = {}

    async def complete(self, request: ModelRequest) -> ModelResponse:
        text, finish = self.answer(request)
        return enveloped(request, text, finish)

    async def close(self) -> None:
        """Nothing is held."""

    def answer(self, request: ModelRequest) -> tuple[str, Finish]:
        """The words of the answer and how it ends."""
        schema = request.schema
        personality = self.personality
        if personality == "malformed":
            return malformed(request, answer_to)
        if not isinstance(schema, dict):
            return _WORDS, "stop"
        if personality == "random":
            noise = Noise(int(request.hash[:15], 16))
            return json.dumps(_Filler(personality, schema, request.hints, noise).fill(schema, "")), "stop"
        return self._always(schema, request.hints), "stop"

    def _always(self, schema: Shape, hints: Hints | None) -> str:
        """What a personality without chance answers to a schema, hinted at alike: the same every time."""
        known = (schema_text(schema)[1], None if hints is None else hints.known)
        text = self._answers.get(known)
        if text is None:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            text = self._answers[known] = json.dumps(_Filler(self.personality, schema, hints).fill(schema, ""))
        return text


def answer_to(schema: Shape, hints: Hints | None = None) -> Any:  # Any: whatever the schema describes
    """A plain valid answer, as the sustainable mock gives it."""
    return _Filler("sustainable", schema, hints).fill(schema, "")


class _Filler:
    """Fills one schema in one spirit."""

    __slots__ = ("hints", "noise", "personality", "root")

    def __init__(self, personality: str, root: Shape, hints: Hints | None, noise: Noise | None = None) -> None:
        self.personality, self.root, self.hints, self.noise = personality, root, hints, noise

    def fill(self, schema: Shape, path: str, index: int = 0, depth: int = 0) -> Any:  # Any: as the schema says
        hint = schema.get(HINT) or _FREE
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._option(schema["enum"], hint, path, index)
        if "$ref" in schema:
            return self.fill(self._resolve(schema["$ref"]), path, index, depth + 1)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._one_of(schema, schema[key], path, index, depth)
        if "allOf" in schema:
            return self.fill(self._merged(schema), path, index, depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list):
            if self.noise and "null" in kind and self.noise.below(2, path + "?"):
                return None
            kind = next((one for one in kind if one != "null"), "null") if depth < _DEPTH else "null"
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        return self._of_kind(kind, schema, path, index, depth)

    def _of_kind(self, kind: str, schema: Shape, path: str, index: int, depth: int) -> Any:
        hint = schema.get(HINT) or _FREE
        if kind == "object":
            return self._object(schema, path, depth)
        if kind == "array":
            return self._array(schema, hint, path, depth)
        if kind in {"integer", "number"}:
            return self._number(schema, hint, path, index, whole=kind == "integer")
        if kind == "string":
            return self._words(schema, hint, index)
        if kind == "boolean":
            return bool(self.noise.below(2, path)) if self.noise else index % 2 == 0
        return None

    def _merged(self, schema: Shape) -> Shape:
        merged: Shape = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            merged = {**(self._resolve(part["$ref"]) if "$ref" in part else part), **merged}
        return merged

    def _resolve(self, ref: str) -> Shape:
        found: Any = self.root
        for part in ref.removeprefix("#/").split("/") if ref != "#" else ():
            found = found[part.replace("~1", "/").replace("~0", "~")]
        shape: Shape = found
        return shape

    def _one_of(self, schema: Shape, options: list[Shape], path: str, index: int, depth: int) -> Any:
        """The first option that is not null; past a great depth, the last one, which ends a recursion if one can."""
        real = [option for option in options if option.get("type") != "null"]
        if not real or (depth >= _DEPTH and len(real) < len(options)):
            return None
        pick = real[self.noise.below(len(real), path + "|")] if self.noise and depth < _DEPTH else real[0]
        if depth >= _DEPTH:
            pick = real[-1]
        if HINT in schema and HINT not in pick:
            pick = {**pick, HINT: schema[HINT]}
        return self.fill(pick, path, index, depth + 1)

    def _object(self, schema: Shape, path: str, depth: int) -> Shape:
        properties = schema.get("properties", {})
        names = properties if depth < _DEPTH else schema.get("required", ())
        return {name: self.fill(properties.get(name, {}), f"{path}/{name}", 0, depth + 1) for name in names}

    def _array(self, schema: Shape, hint: Shape, path: str, depth: int) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        if "total" in hint and least:
            return self._shares(schema, hint, path, least)
        if hint.get("role") == "moves" and self.noise and "items" in schema:
            least = max(least, self.noise.below(2, path))
        wanted = self._wanted(hint)
        if isinstance(wanted, list) and least <= len(wanted) <= most:
            return wanted
        count = int(min(max(least, 1 if hint.get("messages") else 0), most))
        items = schema.get("items", {})
        prefix = schema.get("prefixItems", ())
        return [
            self.fill(prefix[k] if k < len(prefix) else items, f"{path}/{k}", k, depth + 1)
            for k in range(max(count, len(prefix) if least >= len(prefix) else 0))
        ]

    def _shares(self, schema: Shape, hint: Shape, path: str, count: int) -> list[Any]:
        """A division of the total: as hinted, evenly, or all to oneself; at random, by cutting it at random places."""
        wanted, total = self._wanted(hint), hint["total"]
        if isinstance(wanted, list) and len(wanted) == count:
            return wanted
        if self.noise and isinstance(total, int):
            cuts = sorted(self.noise.below(total + 1, path, k) for k in range(count - 1))
            return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]
        if self._selfish(hint):
            return [total if place == hint.get("own", 0) else 0 for place in range(count)]
        whole = schema.get("items", {}).get("type") == "integer"
        if not whole:
            return [total / count] * count
        each, rest = divmod(total, count)
        return [each + (place < rest) for place in range(count)]

    def _selfish(self, hint: Shape) -> bool:
        role = hint.get("role")
        if self.personality == "greedy":
            return role in _ACTS or role == "moves"
        return self.personality == "liar" and role == "action"

    def _wanted(self, hint: Shape) -> Any:
        """The hinted value this personality goes for, or None where nothing is hinted or it does not care."""
        if self.noise:
            return None
        if self._selfish(hint):
            return self._hinted(hint, "greedy")
        if self.personality == "conditional" and hint.get("role") in _ACTS:
            last = self._hinted(hint, "last")
            if last is not None:
                return last
        return self._hinted(hint, "share")

    def _hinted(self, hint: Shape, wish: Wish) -> Any:
        """What the schema says, or the request's hints do."""
        if wish in hint or self.hints is None or "of" not in hint:
            return hint.get(wish)
        return self.hints.value(hint["of"], wish)

    def _option(self, options: list[Any], hint: Shape, path: str, index: int) -> Any:
        if self.noise:
            return options[(self.noise.below(len(options), path) + index) % len(options)]
        wanted = self._wanted(hint)
        return wanted if wanted in options else options[index % len(options)]

    def _number(self, schema: Shape, hint: Shape, path: str, index: int, *, whole: bool) -> int | float:
        if self.noise and whole and not index and _RANGE <= schema.keys() <= _PLAIN_RANGE:
            return int(schema["minimum"]) + self.noise.below(schema["maximum"] - schema["minimum"] + 1, path)
        low, high, step = _bounds(schema, whole)
        if self.noise and math.isfinite(low) and math.isfinite(high):
            value: float = self._anywhere(low, high, step, path)
        else:
            wanted = self._wanted(hint)
            if isinstance(wanted, (int, float)):
                value = wanted
            elif self._selfish(hint) and math.isfinite(high):
                return _tidy(high)
            elif math.isfinite(low) and math.isfinite(high):
                value = math.floor(low + (high - low) / 3) if high - low >= 3 else low
            else:
                value = 0
        return _tidy(_snap(value + index * step if index and step else value, low, high, step))

    def _anywhere(self, low: float, high: float, step: float, path: str) -> float:
        assert self.noise is not None
        places = int((high - low) // step) + 1 if step else 0
        if places:
            return low + step * self.noise.below(places, path)
        first, last = math.ceil(low), math.floor(high)
        if last > first:
            return first + self.noise.below(last - first + 1, path)
        return low

    def _words(self, schema: Shape, hint: Shape, index: int) -> str:
        text = _WORDS
        share = self._hinted(hint, "share") if hint.get("role") == "message" else None
        if share is not None and self.personality != "greedy":
            text = f"My fair share is {share}. I will keep to it, and I ask the same of everybody."
        if hint.get("role") == "message" and self.personality == "greedy":
            text = "I will take what I can get."
        if index:
            text = f"{index}. {text}"
        least: int = schema.get("minLength", 0)
        most: int | None = schema.get("maxLength")
        if most is not None:
            text = text[:most]
        return text + "." * (least - len(text))


def _bounds(schema: Shape, whole: bool) -> tuple[float, float, float]:
    """The lowest and highest allowed number and the step between them (0: any)."""
    step: float = schema.get("multipleOf", 1 if whole else 0)
    low: float = schema.get("minimum", -math.inf)
    high: float = schema.get("maximum", math.inf)
    nudge = step or 1e-6
    if "exclusiveMinimum" in schema and schema["exclusiveMinimum"] >= low:
        low = schema["exclusiveMinimum"] + nudge * (1 if step else max(1, abs(schema["exclusiveMinimum"])))
    if "exclusiveMaximum" in schema and schema["exclusiveMaximum"] <= high:
        high = schema["exclusiveMaximum"] - nudge * (1 if step else max(1, abs(schema["exclusiveMaximum"])))
    if step:
        low = math.ceil(low / step) * step if math.isfinite(low) else low
        high = math.floor(high / step) * step if math.isfinite(high) else high
    return low, high, step


def _snap(value: float, low: float, high: float, step: float) -> float:
    """The allowed number nearest to `value`, or below it where it lies between two."""
    value = min(max(value, low), high)
    if not step:
        return value
    snapped = round(value / step) * step
    return min(max(snapped, low), high)


def _tidy(value: float) -> int | float:
    return int(value) if value == int(value) else value
