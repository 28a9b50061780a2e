"""Lines over rounds: one panel with axes, a grid, named lines and marks that tell their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from society.core.exact import show
from society.views.charts.drawing import COLOURS, DASHES, FAINT, GRID, Drawing, Scale, short, ticks

MOST_LABELS = 16


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a value for each round, None where there is none."""

    name: str
    values: tuple[float | None, ...]
    area: bool = False
    marks: bool = True


def lines(
    drawing: Drawing,
    series: Sequence[Series],
    rounds: Sequence[int],
    *,
    left: float = 0,
    top: float = 0,
    width: float,
    height: float,
    x_label: str,
    y_label: str,
    notes: Sequence[str] = (),
    legend: bool = True,
    end: str = "",
) -> None:
    """Draw lines into a drawing.

    Args:
        drawing: where.
        series: at most as many as there are colours.
        rounds: the rounds the values belong to.
        left: place of the panel.
        top: place of the panel.
        width: of the panel with its labels.
        height: of the panel with its labels.
        x_label: what a round is called.
        y_label: what the values are, with their unit.
        notes: a word for each round that is shown when it is pointed at.
        legend: name the lines at the right.
        end: what the last place is called where it stands after the last round.
    """
    known = [v for one in series for v in one.values if v is not None]
    marks = ticks(min([0.0, *known]), max([0.0, *known, 1e-9] if any(known) else [1.0]))
    right = 110 if legend else 12
    x = Scale(rounds[0], rounds[-1], left + 52, left + width - right)
    if len(rounds) == 1:
        x = Scale(rounds[0] - 1, rounds[0] + 1, left + 52, left + width - right)
    y = Scale(marks[0], marks[-1], top + height - 34, top + 24)
    drawing.text(left + 4, top + 12, y_label, size=11, fill=FAINT, kind="faint")
    for mark in marks:
        drawing.line([(left + 52, y(mark)), (left + width - right, y(mark))], colour=GRID, kind="grid")
        drawing.text(left + 46, y(mark) + 4, show(mark), anchor="end", size=11, fill=FAINT, kind="faint")
    step = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, len(rounds)) if len(rounds) / n <= MOST_LABELS)
    for number in [n for n in rounds if n == rounds[0] or n % step == 0]:
        if not end or number <= rounds[-1] - max(1, step / 2):
            drawing.text(x(number), top + height - 18, str(number), anchor="middle", size=11, fill=FAINT, kind="faint")
    if end:
        drawing.text(x(rounds[-1]), top + height - 18, end, anchor="middle", size=11, fill=FAINT, kind="faint")
    drawing.text(left + width - right, top + height - 3, x_label, anchor="end", size=11, fill=FAINT, kind="faint")
    ends: list[tuple[float, int, str]] = []
    for place, one in enumerate(series):
        colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
        drawn = [(x(number), y(value)) for number, value in zip(rounds, one.values, strict=True) if value is not None]
        if not drawn:
            continue
        for stretch in _stretches(one.values):
            drawing.line([(x(rounds[k]), y(one.values[k] or 0)) for k in stretch], colour=colour, dash=dash, width=2, kind=f"s{place}")  # fmt: skip
        if one.marks and len(rounds) <= 60:
            for at in drawn:
                drawing.dot(*at, 3, fill=colour, kind=f"f{place}")
        ends.append((drawn[-1][1], place, one.name))
    if legend:
        _legend(drawing, ends, left + width - right + 8, top + height - 34)
    half = (x(rounds[-1]) - x(rounds[0])) / max(1, len(rounds) - 1) / 2 or 20
    for k, number in enumerate(rounds):
        told = [f"{one.name} {show(value)}" for one in series if (value := one.values[k]) is not None]
        last = bool(end) and number == rounds[-1]
        tip = f"{end if last else f'{x_label} {number}'}: {', '.join(told)}" + (
            f"; {notes[k]}" if notes and notes[k] else ""
        )
        drawing.box(x(number) - half, top + 20, 2 * half, height - 54, fill="transparent", kind="hit", tip=tip, round_=None if last else number)  # fmt: skip


def _stretches(values: Sequence[float | None]) -> list[list[int]]:
    """Places of values without a gap between them."""
    found: list[list[int]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append(place)
    return [stretch for stretch in found if stretch]


def _legend(drawing: Drawing, ends: list[tuple[float, int, str]], left: float, lowest: float) -> None:
    """Names at the ends of the lines, moved apart where they would overlap, and none below the axis."""
    ends = sorted(ends)
    for at, (_, place, name) in zip(_apart([height for height, _, _ in ends], lowest), ends, strict=True):
        drawing.line([(left - 4, at), (left + 12, at)], colour=COLOURS[place % len(COLOURS)], dash=DASHES[place % len(DASHES)], width=2, kind=f"s{place}")  # fmt: skip
        drawing.text(left + 16, at + 4, short(name), size=11)


def _apart(heights: Sequence[float], lowest: float, apart: float = 15) -> list[float]:
    """Rising heights, pushed down until neighbours are apart, then up again from the lowest that is allowed."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + apart) if placed else height)
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], lowest - apart * (len(placed) - 1 - k))
    return placed
