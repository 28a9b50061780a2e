"""The rounds of a story worth reading first."""

from __future__ import annotations

from fractions import Fraction

from society.core.exact import Json, from_plain
from society.views.story import Line, Story

MOST_ROUNDS = 2


def key_moments(story: Story, most: int = MOST_ROUNDS) -> Story:
    """The same story with few rounds: where meaning and doing were farthest apart, and where the commons died.

    A collapse comes first, then the largest gap between what was meant and what was done, then the first round.
    """
    collapsed = [line.round for line in story.lines if dict(line.values).get("collapsed") is True]
    rounds = sorted({line.round for line in story.lines})
    gaps = {number: sum((gap for gap in _gaps(story, number)), Fraction(0)) for number in rounds}
    by_gap = sorted((number for number in rounds if gaps[number]), key=lambda number: (-gaps[number], number))
    chosen = list(dict.fromkeys([*collapsed[:1], *by_gap, *rounds]))[:most]
    return story.only(rounds=chosen)


def _gaps(story: Story, number: int) -> list[Fraction]:
    meant = {line.agent: dict(line.values).get("intended") for line in _lines(story, number, "meant")}
    return [
        gap
        for line in _lines(story, number, "did")
        if (gap := _gap(meant.get(line.agent), dict(line.values)["executed"])) is not None
    ]


def _lines(story: Story, number: int, kind: str) -> list[Line]:
    return [line for line in story.lines if line.round == number and line.kind == kind]


def _gap(meant: Json, done: Json) -> Fraction | None:
    """How far apart two actions are; 1 for words that differ, None where nothing was meant."""
    if meant is None or done is None:
        return None
    try:
        return abs(Fraction(from_plain(meant)) - Fraction(from_plain(done)))  # type: ignore[arg-type]  # amounts; others raise
    except (TypeError, ValueError):
        return Fraction(int(meant != done))
