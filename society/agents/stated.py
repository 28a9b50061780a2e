"""What an answer states: fields of an object, and actions read from them by their space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Generic, TypeVar, cast

from society.agents.transcript import whole
from society.core.actions import Action
from society.core.errors import OutOfRange, Unreadable
from society.core.exact import Json, parse_exact, plain
from society.core.mechanism import SpaceOf

T = TypeVar("T")

LARGEST = 10**15
"""A number from here on is no misjudged quantity but a mistake or an attack."""
MOST_WORDS = 2_000
"""Longest text that is kept of an answer, in characters; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A read answer.

    Attributes:
        value: the answer.
        submitted: what was said, before any clamping.
        mended: the words were not plainly one JSON object as asked for.
        outside: why the value is the nearest allowed one and not what was said; empty if it is what was said.
    """

    value: T
    submitted: Json
    mended: bool = False
    outside: str = ""


def fields_of(raw: Any) -> Mapping[str, Any]:
    """The fields of an object.

    Raises:
        Unreadable: it is something else.
    """
    if not isinstance(raw, dict):
        raise Unreadable("the answer must be one JSON object")
    return raw


def need(fields: Mapping[str, Any], key: str) -> Any:
    """The value of a field that must be there.

    Raises:
        Unreadable: it is missing or null.
    """
    if fields.get(key) is None:
        raise Unreadable(f"the answer has no {key!r}")
    return fields[key]


def exact_data(raw: Any) -> Any:
    """The value with decimals as exact numbers."""
    if type(raw) is int or type(raw) is str:
        return raw
    if isinstance(raw, Decimal):
        return parse_exact(raw)
    if isinstance(raw, list):
        return [exact_data(item) for item in raw]
    if isinstance(raw, dict):
        return {key: exact_data(item) for key, item in raw.items()}
    return raw


def said(raw: Any) -> Json:
    """What was said, as plain JSON for the log."""
    if type(raw) is int:
        return raw
    if isinstance(raw, Decimal):
        return plain(parse_exact(raw))
    if isinstance(raw, list):
        return [said(item) for item in raw[:100]]
    if isinstance(raw, dict):
        return {whole(str(key)): said(item) for key, item in list(raw.items())[:100]}
    return whole(raw)[:MOST_WORDS] if isinstance(raw, str) else raw


def read_action(space: SpaceOf, raw: Any) -> Reading[Action]:
    """An action, or the nearest allowed one with the reason in `outside`."""
    submitted = said(raw)
    try:
        return Reading(space.read(exact_data(raw)), submitted)
    except OutOfRange as problem:
        asked = problem.asked
        nearest = cast("Action | None", problem.nearest)
        if nearest is None or (isinstance(asked, (int, Fraction)) and not -LARGEST < asked < LARGEST):
            raise Unreadable(str(problem)) from None
        return Reading(nearest, submitted, outside=str(problem))
