"""A model's words as a typed answer, strictly.

Keys that were not asked for are ignored, an agent's name or a round among them: who speaks follows from the slot. Two objects
that both answer the question, and differently, are no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Generic, TypeVar, cast

from society.agents.extracting import Found, find, refuses
from society.agents.schemas import EVERYBODY
from society.agents.transcript import whole
from society.core.actions import Action, Amount, Choice
from society.core.errors import OutOfRange, Unreadable
from society.core.exact import Json, Number, parse_exact, plain, show, tidy
from society.core.mechanism import SpaceOf
from society.core.moves import read_moves
from society.core.policy import Act, Belief, Decide, Declaration, Declare, Draft, Question, Speak, Utterance

T = TypeVar("T")

LARGEST = 10**15
"""A number from here on is no misjudged quantity but a mistake or an attack."""
MOST_DRAFTS = 10
MOST_WORDS = 2_000
"""Longest objective, in characters; the rest is cut."""


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
    for candidate in found.candidates:
        try:
            reading = reader(candidate)
        except Unreadable as problem:
            fault = fault or problem
            continue
        if not any(reading.value == other.value and reading.submitted == other.submitted for other in readings):
            readings.append(reading)
    if len(readings) > 1:
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
        return lambda raw: read_action(space, _need(_fields(raw), "action"))
    if isinstance(question, Decide):
        parts = question.parts
        return lambda raw: _read_parts(parts, _fields(raw))
    if isinstance(question, Declare):
        return lambda raw: _read_declaration(question, _fields(raw), last)
    if isinstance(question, Speak):
        return lambda raw: _read_utterance(question, _fields(raw))
    raise TypeError(f"no answer is known for a {type(question).__name__}")


def _fields(raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise Unreadable("the answer must be one JSON object")
    return raw


def _need(fields: Mapping[str, Any], key: str) -> Any:
    if fields.get(key) is None:
        raise Unreadable(f"the answer has no {key!r}")
    return fields[key]


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


def exact_data(raw: Any) -> Any:
    """The value with decimals as exact numbers."""
    if isinstance(raw, Decimal):
        return parse_exact(raw)
    if isinstance(raw, list):
        return [exact_data(item) for item in raw]
    if isinstance(raw, dict):
        return {key: exact_data(item) for key, item in raw.items()}
    return raw


def _said(raw: Any) -> Json:
    """What was said, as plain JSON for the log."""
    if isinstance(raw, Decimal):
        return plain(parse_exact(raw))
    if isinstance(raw, list):
        return [_said(item) for item in raw[:100]]
    if isinstance(raw, dict):
        return {whole(str(key)): _said(item) for key, item in list(raw.items())[:100]}
    return whole(raw)[:MOST_WORDS] if isinstance(raw, str) else raw


def read_action(space: SpaceOf, raw: Any) -> Reading[Action]:
    """An action, or the nearest allowed one with the reason in `outside`."""
    said = _said(raw)
    try:
        return Reading(space.read(exact_data(raw)), said)
    except OutOfRange as problem:
        asked = problem.asked
        nearest = cast("Action | None", problem.nearest)
        if nearest is None or (isinstance(asked, (int, Fraction)) and not -LARGEST < asked < LARGEST):
            raise Unreadable(str(problem)) from None
        return Reading(nearest, said, outside=str(problem))


def _read_parts(parts: Mapping[str, SpaceOf], fields: Mapping[str, Any]) -> Reading[Mapping[str, Action]]:
    readings: dict[str, Reading[Action]] = {}
    for name, space in parts.items():
        try:
            readings[name] = read_action(space, _need(fields, name))
        except Unreadable as problem:
            raise Unreadable(f"{name}: {problem}") from None
    outside = "; ".join(f"{name}: {reading.outside}" for name, reading in readings.items() if reading.outside)
    return Reading(
        {name: reading.value for name, reading in readings.items()},
        {name: reading.submitted for name, reading in readings.items()},
        outside=outside,
    )


# Talk


def _read_utterance(question: Speak, fields: Mapping[str, Any]) -> Reading[Utterance]:
    if "messages" in fields:
        raw = fields["messages"]
        items = [] if raw is None else raw
        if not isinstance(items, list) or len(items) > MOST_DRAFTS:
            raise Unreadable(f"'messages' must be a list of at most {MOST_DRAFTS}")
        drafts = [_read_draft(question, _fields(item), "text") for item in items]
    elif "message" in fields:
        drafts = [_read_draft(question, fields, "message")]
    else:
        raise Unreadable("the answer has no 'messages'" if question.private else "the answer has no 'message'")
    kept = tuple(draft for draft in drafts if draft.text.strip())
    moves = read_moves(exact_data(fields.get("moves")), question.offers, question.seen.names) if question.offers else ()
    said: list[Json] = [{"to": None if d.to is None else list(d.to), "text": d.text} for d in kept]
    return Reading(Utterance(kept, moves), [*said, _said(fields["moves"])] if moves else said)


def _read_draft(question: Speak, fields: Mapping[str, Any], key: str) -> Draft:
    text = fields.get(key)
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise Unreadable(f"{key!r} must be text")
    return Draft(_recipients(question, fields.get("to")) if question.private else None, whole(text))


def _recipients(question: Speak, raw: Any) -> tuple[int, ...] | None:
    seen = question.seen
    named = [raw] if isinstance(raw, str) else raw
    if named is None or named == []:
        named = [EVERYBODY]
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise Unreadable("'to' must be a list of names")
    seats = {name.casefold(): seat for seat, name in enumerate(seen.names)}
    if any(name.strip().casefold() == EVERYBODY and EVERYBODY not in seats for name in named):
        if not question.public:
            raise Unreadable("'to' must name who hears it; there are no public messages here")
        return None
    found: set[int] = set()
    for name in named:
        seat = seats.get(name.strip().casefold())
        if seat is None:
            raise Unreadable(f"'to' names {name[:40]!r}, and nobody is called that")
        found.add(seat)
    found.discard(seen.agent)
    if not found:
        raise Unreadable("'to' names only yourself")
    return tuple(sorted(found))


# Declarations


def _read_declaration(question: Declare, fields: Mapping[str, Any], last: bool) -> Reading[Declaration]:
    """A declaration from its fields; null and missing are "not stated", and a value that is not allowed is clamped."""
    sheet = _Sheet(question, last)
    stated: dict[str, Any] = {
        "intended": sheet.take(fields, "intended", lambda raw: sheet.action(question.seen.space, raw)),
        "forecast": sheet.take(fields, "forecast", sheet.number),
        "desired": sheet.take(fields, "desired", sheet.number),
        "objective": sheet.take(fields, "objective", sheet.words),
    }
    if question.predict == "per_agent":
        stated["predicted"] = sheet.take(fields, "predicted", sheet.profile)
    elif question.predict == "total":
        stated["predicted_total"] = sheet.take(fields, "predicted_total", sheet.total)
    else:
        stated["distribution"] = sheet.take(fields, "distribution", sheet.beliefs)
    if all(value is None for value in stated.values()):
        raise Unreadable("; ".join(sheet.faults) or "nothing was declared")
    declaration = Declaration(**stated, valid=not sheet.faults)
    asked = ("intended", "predicted", "predicted_total", "distribution", "forecast", "desired", "objective")
    said = {key: _said(fields[key]) for key in asked if key in fields}
    return Reading(declaration, said, outside="; ".join(sheet.faults))


class _Sheet:
    """Reads the fields of one declaration and keeps what was wrong with them."""

    def __init__(self, question: Declare, last: bool) -> None:
        self.seen, self.last, self.faults = question.seen, last, list[str]()
        self.others = [seat for seat in range(len(self.seen.names)) if seat != self.seen.agent]
        self.spaces = question.spaces
        self.question = question

    def take(self, fields: Mapping[str, Any], key: str, reader: Callable[[Any], Any]) -> Any:
        """One field, or None where it was not stated (or, at the last attempt, was unreadable)."""
        raw = fields.get(key)
        if raw is None:
            return None
        try:
            return reader(raw)
        except Unreadable as problem:
            if not self.last:
                raise Unreadable(f"{key}: {problem}") from None
            self.faults.append(f"{key}: {problem}")
            return None

    def action(self, space: SpaceOf, raw: Any) -> Action:
        reading = read_action(space, raw)
        if reading.outside:
            self.faults.append(reading.outside)
        return reading.value

    def number(self, raw: Any) -> int | Fraction:
        try:
            value = parse_exact(raw)
        except ValueError as problem:
            raise Unreadable(str(problem)) from None
        if not -LARGEST < value < LARGEST:
            raise Unreadable("that number is out of bounds")
        return value

    def words(self, raw: Any) -> str | None:
        if not isinstance(raw, str):
            raise Unreadable("words are needed here")
        return whole(raw)[:MOST_WORDS].strip() or None

    def profile(self, raw: Any) -> tuple[Action | None, ...] | None:
        """One action per other agent, by name; an agent that is not named is "not stated"."""
        by_name = {str(name).strip().casefold(): value for name, value in _fields(raw).items()}
        names = [self.seen.names[seat] for seat in self.others]
        if by_name and not any(name.casefold() in by_name for name in names):
            raise Unreadable(f"name the others: {', '.join(names)}")
        found = tuple(
            None if by_name.get(name.casefold()) is None else self.action(self.spaces[seat], by_name[name.casefold()])
            for seat, name in zip(self.others, names, strict=True)
        )
        return None if all(action is None for action in found) else found

    def total(self, raw: Any) -> Number:
        value = self.number(raw)
        amounts = [self.spaces[seat] for seat in self.others]
        if not all(isinstance(space, Amount) and space.intervals for space in amounts):
            return value
        low = sum((space.low for space in amounts if isinstance(space, Amount)), Fraction(0))
        high = sum((space.high for space in amounts if isinstance(space, Amount)), Fraction(0))
        inside = tidy(min(max(value, low), high))
        if inside != value:
            self.faults.append(f"the others together can only reach {low} to {high}, not {show(value)}")
        return inside

    def beliefs(self, raw: Any) -> tuple[Belief, ...] | None:
        """Several profiles with probabilities; those that do not add up to 1 are scaled to it."""
        if not isinstance(raw, list) or len(raw) > MOST_DRAFTS:
            raise Unreadable(f"'distribution' must be a list of at most {MOST_DRAFTS}")
        pairs: list[tuple[int | Fraction, tuple[Action, ...]]] = []
        for item in raw:
            fields = _fields(item)
            weight = self.number(_need(fields, "probability"))
            if weight < 0:
                raise Unreadable("a probability cannot be negative")
            profile = self.profile(_need(fields, "actions"))
            if profile is None or any(action is None for action in profile):
                raise Unreadable("each possible case needs an action of every other agent")
            pairs.append((weight, tuple(action for action in profile if action is not None)))
        whole_weight = sum((Fraction(weight) for weight, _ in pairs), Fraction(0))
        if not pairs:
            return None
        if whole_weight <= 0:
            raise Unreadable("the probabilities must add up to 1")
        if abs(whole_weight - 1) > Fraction(1, 100):
            self.faults.append(f"the probabilities add up to {float(whole_weight):.3g}, not 1")
        return tuple(Belief(Fraction(weight) / whole_weight, actions) for weight, actions in pairs)
