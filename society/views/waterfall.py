"""A waterfall in plain text: from the best possible down to what happened, a bar for everything on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from society.core.exact import Number, show
from society.views.tables import pad

COLUMNS = 44
_WHOLE, _LOST, _GAINED = "█", "▒", "░"


class Fall(NamedTuple):
    """What is drawn: a title, where it starts, the changes on the way (losses are negative), and where it ends."""

    title: str
    start: tuple[str, Number]
    steps: Sequence[tuple[str, Number]]
    end: tuple[str, Number]


def waterfall_lines(fall: Fall, *, columns: int = COLUMNS) -> list[str]:
    """The lines of one waterfall. Bars share one scale that holds 0; a change that is not 0 shows at least one mark."""
    return [fall.title, *_lines(fall, columns)]


def _lines(fall: Fall, columns: int) -> Iterator[str]:
    levels = [float(fall.start[1])]
    for _, change in fall.steps:
        levels.append(levels[-1] + float(change))
    low, high = min(0.0, *levels), max(0.0, *levels)
    per_column = columns / (high - low) if high > low else 0.0

    def bar(one: float, other: float, mark: str) -> str:
        first, last = sorted((round((one - low) * per_column), round((other - low) * per_column)))
        return " " * min(first, columns - 1) + mark * max(last - first, 1 if one != other else 0)

    labels = [fall.start[0], *(name for name, _ in fall.steps), fall.end[0]]
    numbers = [show(fall.start[1]), *(_signed(change) for _, change in fall.steps), show(fall.end[1])]
    wide, deep = max(map(len, labels)), max(map(len, numbers))
    bars = [
        bar(0, levels[0], _WHOLE),
        *(
            bar(levels[k], levels[k + 1], _LOST if levels[k + 1] < levels[k] else _GAINED)
            for k in range(len(fall.steps))
        ),
        bar(0, float(fall.end[1]), _WHOLE),
    ]
    for label, number, drawn in zip(labels, numbers, bars, strict=True):
        yield f"  {pad(label, wide)}  {pad(number, deep, 'right')}  {drawn}".rstrip()


def _signed(change: Number) -> str:
    return "0" if not change else f"{'+' if change > 0 else '-'}{show(change if change > 0 else -change)}"
