"""A model's words as a typed answer, strictly.

Keys that were not asked for are ignored, an agent's name or a round among them: who speaks follows from the slot. Two objects
that both answer the question, and differently, are no answer, even where only one of the two would be allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from society.agents.declarations import read_declaration
from society.agents.extracting import Found, find, refuses
from society.agents.stated import Reading, fields_of, need, read_action
from society.agents.transcript import whole
from society.agents.utterances import read_utterance
from society.core.actions import Action, Amount, Choice
from society.core.errors import OutOfRange, Unreadable
from society.core.mechanism import SpaceOf
from society.core.policy import Act, Decide, Declare, Draft, Question, Speak, Utterance

T = TypeVar("T")


def read(text: str, question: Question[T], *, last: bool = False) -> Reading[T]:
    """Read the answer to a question.

    Args:
        text: the model's words.
        question: what was asked.
        last: nobody will be asked again: of a declaration, what can be read counts and the rest is "not stated".

    Raises:
        OutOfRange: the answer is plain but not allowed; `nearest` holds the reading that may stand instead.
        Unreadable: anything else.
    """
    found = find(text)
    reader = _reader(question, last)
    readings: list[Reading[Any]] = []
    fault: Unreadable | None = None
    keys: list[set[str]] = []  # of the objects that were read, and of those that were not
    failed: list[set[str]] = []
    for candidate in found.candidates:
        names = set(candidate) if isinstance(candidate, dict) else set()
        try:
            reading = reader(candidate)
        except Unreadable as problem:
            fault = fault or problem
            failed.append(names)
            continue
        keys.append(names)
        if not any(reading.value == other.value and reading.submitted == other.submitted for other in readings):
            readings.append(reading)
    rivals = any(read & unread for read in keys for unread in failed)
    if len(readings) > 1 or rivals:
        raise Unreadable("the answer holds two different answers; give one JSON object only")
    if not readings:
        return _bare(found, question, fault)
    result = readings[0]
    if found.mended:
        result = Reading(result.value, result.submitted, True, result.outside)
    if result.outside and isinstance(question, (Act, Decide)):
        raise OutOfRange(result.outside, asked=result.submitted, nearest=result)
    return result


def _reader(question: Question[Any], last: bool) -> Callable[[Any], Reading[Any]]:
    if isinstance(question, Act):
        space = question.seen.space
        return lambda raw: read_action(space, need(fields_of(raw), "action"))
    if isinstance(question, Decide):
        parts = question.parts
        return lambda raw: _read_parts(parts, fields_of(raw))
    if isinstance(question, Declare):
        return lambda raw: read_declaration(question, fields_of(raw), last)
    if isinstance(question, Speak):
        return lambda raw: read_utterance(question, fields_of(raw))
    raise TypeError(f"no answer is known for a {type(question).__name__}")


def _read_parts(parts: Mapping[str, SpaceOf], fields: Mapping[str, Any]) -> Reading[Mapping[str, Action]]:
    readings: dict[str, Reading[Action]] = {}
    for name, space in parts.items():
        try:
            readings[name] = read_action(space, need(fields, name))
        except Unreadable as problem:
            raise Unreadable(f"{name}: {problem}") from None
    outside = "; ".join(f"{name}: {reading.outside}" for name, reading in readings.items() if reading.outside)
    return Reading(
        {name: reading.value for name, reading in readings.items()},
        {name: reading.submitted for name, reading in readings.items()},
        outside=outside,
    )


def _bare(found: Found, question: Question[Any], fault: Unreadable | None) -> Reading[Any]:
    """An answer without an object: a number or word alone, or (in talk) plain prose."""
    bare = found.candidates[0] if len(found.candidates) == 1 else found.prose
    if isinstance(question, Act) and isinstance(bare, (str, int, Decimal)) and not isinstance(bare, bool):
        space = question.seen.space
        if isinstance(space, Amount) and not isinstance(bare, str):
            return _outside_raised(read_action(space, bare))
        if isinstance(space, Choice) and isinstance(bare, str):
            return _outside_raised(read_action(space, bare.strip("\"'`*. \n")))
    talks = isinstance(question, Speak) and question.public
    if talks and not found.candidates and _is_prose(found.prose) and not refuses(found.prose):
        drafts = (Draft(None, whole(found.prose)),)
        return Reading(Utterance(drafts), [{"to": None, "text": drafts[0].text}], True)
    raise fault or Unreadable("the answer must be one JSON object")


def _outside_raised(reading: Reading[Any]) -> Reading[Any]:
    mended = Reading(reading.value, reading.submitted, True, reading.outside)
    if mended.outside:
        raise OutOfRange(mended.outside, asked=mended.submitted, nearest=mended)
    return mended


def _is_prose(text: str) -> bool:
    return bool(text) and not set(text) & set("{}[]<>`") and any(character.isalpha() for character in text)
