"""Answers that cannot be read, each in its own way, deterministically by position."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from society.core.calls import Finish, Hints, ModelRequest
from society.models.schema import Shape

FREE_FAULTS = ("empty", "invisible", "refusal", "filtered", "length")
SCHEMA_FAULTS = (
    "prose", "cut", "length", "words_for_values", "two_objects", "nan", "refusal", "negative", "twice_the_same_key",
    "other_keys", "list", "filtered", "empty", "invisible",
)  # fmt: skip


def malformed(
    request: ModelRequest, valid: Callable[[Shape, Hints | None], Any]
) -> tuple[str, Finish]:  # Any: the schema's type
    """Unreadable words for this question, and how they end. Asked again, the question gets the next fault."""
    at, schema = request.at, request.schema
    place = 5 * at.round + 3 * at.turn + at.agent + at.attempt + sum(at.stage.encode())
    if not isinstance(schema, dict):
        return _spoil(FREE_FAULTS[place % len(FREE_FAULTS)], "Well, I think")
    return _spoil(SCHEMA_FAULTS[place % len(SCHEMA_FAULTS)], valid(schema, request.hints))


def _spoil(fault: str, answer: Any) -> tuple[str, Finish]:
    endings: dict[str, tuple[str, Finish]] = {
        "empty": ("", "stop"),
        "invisible": ("\u200b\u2060 \n", "stop"),
        "refusal": ("I cannot take part in this.", "refusal"),
        "filtered": ("", "filtered"),
        "length": (json.dumps(answer), "length"),
        "cut": (json.dumps(answer)[:-3].rstrip('}]"') or "{", "stop"),
        "prose": ("That is a hard question, and I would rather wait and see.", "stop"),
        "two_objects": (f"{json.dumps(_leaves(answer, 1))} or rather {json.dumps(_leaves(answer, 2))}", "stop"),
        "words_for_values": (json.dumps(_leaves(answer, ["as much as is right"])), "stop"),
        "nan": (json.dumps(_leaves(answer, float("nan"))), "stop"),
        "negative": (json.dumps(_leaves(answer, -1)), "stop"),
        "twice_the_same_key": ('{"a": 1, "a": 2}', "stop"),
        "other_keys": (json.dumps({"unasked": answer}), "stop"),
        "list": (json.dumps([[answer]]), "stop"),
    }
    return endings[fault]


def _leaves(answer: Any, value: Any) -> Any:
    """The same shape with every leaf replaced."""
    if isinstance(answer, dict):
        return {key: _leaves(part, value) for key, part in answer.items()} or {"answer": value}
    if isinstance(answer, list):
        return [_leaves(part, value) for part in answer] or [value]
    return value
