"""A private declaration, read field by field: what was not stated is None, and what is not allowed is clamped and marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from society.agents.stated import LARGEST, MOST_WORDS, Reading, fields_of, need, read_action, said
from society.agents.transcript import whole
from society.core.actions import Action, Amount
from society.core.errors import Unreadable
from society.core.exact import Number, parse_exact, show, tidy
from society.core.mechanism import SpaceOf
from society.core.policy import Belief, Declaration, Declare

MOST_BELIEFS = 10


def read_declaration(question: Declare, fields: Mapping[str, Any], last: bool) -> Reading[Declaration]:
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
    stated_as = {key: said(fields[key]) for key in asked if key in fields}
    return Reading(declaration, stated_as, outside="; ".join(sheet.faults))


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
        by_name = {str(name).strip().casefold(): value for name, value in fields_of(raw).items()}
        stated = [by_name.get(self.seen.names[seat].casefold()) for seat in self.others]
        if by_name and not any(self.seen.names[seat].casefold() in by_name for seat in self.others):
            raise Unreadable(f"name the others: {', '.join(self.seen.names[seat] for seat in self.others)}")
        found = tuple(
            None if value is None else self.action(self.spaces[seat], value)
            for seat, value in zip(self.others, stated, strict=True)
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
        if not isinstance(raw, list) or len(raw) > MOST_BELIEFS:
            raise Unreadable(f"'distribution' must be a list of at most {MOST_BELIEFS}")
        pairs: list[tuple[int | Fraction, tuple[Action, ...]]] = []
        for item in raw:
            fields = fields_of(item)
            weight = self.number(need(fields, "probability"))
            if weight < 0:
                raise Unreadable("a probability cannot be negative")
            profile = self.profile(need(fields, "actions"))
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
