"""Narrowing a space: the actions a rule allows, cut with those that are possible."""

from __future__ import annotations

from society.core.actions import Action, Amount, Choice
from society.core.exact import Number, tidy
from society.core.mechanism import SpaceOf


def at_most(space: SpaceOf, high: Number) -> SpaceOf | None:
    """The part of a space of amounts up to `high`; None where amounts mean nothing."""
    return within(space, ((None, high),))


def at_least(space: SpaceOf, low: Number) -> SpaceOf | None:
    """The part of a space of amounts from `low` on; None where amounts mean nothing."""
    return within(space, ((low, None),))


def within(space: SpaceOf, intervals: tuple[tuple[Number | None, Number | None], ...]) -> SpaceOf | None:
    """The part of a space of amounts inside a union of closed intervals, open-ended where None stands."""
    if not isinstance(space, Amount):
        return None
    kept = []
    for low, high in space.intervals:
        for least, most in intervals:
            bottom = low if least is None else max(low, least)
            top = high if most is None else min(high, most)
            if bottom <= top:
                kept.append((bottom, top))
    return space.model_copy(update={"intervals": _joined(kept)})


def only(space: SpaceOf, options: frozenset[str]) -> SpaceOf | None:
    """The part of a choice that is among `options`; None where there are no words to choose from."""
    if not isinstance(space, Choice):
        return None
    return space.model_copy(update={"options": tuple(o for o in space.options if o in options)})


def intersect(space: SpaceOf, allowed: SpaceOf) -> SpaceOf:
    """What both spaces contain; spaces of different kinds have nothing to say about each other."""
    if isinstance(space, Amount) and isinstance(allowed, Amount):
        return within(space, allowed.intervals) or space
    if isinstance(space, Choice) and isinstance(allowed, Choice):
        return only(space, frozenset(allowed.options)) or space
    return space


def is_empty(space: SpaceOf) -> bool:
    """Whether nothing at all is allowed."""
    if isinstance(space, Amount):
        return not any(_holds_a_step(space, low, high) for low, high in space.intervals)
    return isinstance(space, Choice) and not space.options


def just(space: SpaceOf, action: Action) -> SpaceOf:
    """The space that holds this one action."""
    if isinstance(space, Amount):
        return space.model_copy(update={"intervals": ((action, action),)})
    if isinstance(space, Choice):
        return space.model_copy(update={"options": (action,)})
    return space


def excess(allowed: SpaceOf, action: Action) -> Number:
    """How far an action lies outside what is allowed: the distance to the nearest limit as it was told, 1 for a wrong word.

    A limit of 5/2 where amounts are whole is exceeded by 1/2 with 3, although 2 is the most that keeps it.
    """
    if allowed.contains(action):
        return 0
    if not isinstance(allowed, Amount) or not allowed.intervals or isinstance(action, (str, tuple)):
        return 1
    return tidy(min(max(low - action, action - high) for low, high in allowed.intervals))


def _holds_a_step(space: Amount, low: Number, high: Number) -> bool:
    return space.step is None or -(-low // space.step) <= high // space.step


def _joined(intervals: list[tuple[Number, Number]]) -> tuple[tuple[Number, Number], ...]:
    joined: list[tuple[Number, Number]] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)
