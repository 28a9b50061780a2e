"""Estimates with their intervals, one line each: cells of a sweep, arms of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from society.core.exact import show
from society.views.charts.drawing import COLOURS, FAINT, GRID, Chart, Drawing, Scale, short, ticks
from society.views.tables import Cell

LINE = 26
LABELS = 300
WIDTH = 960


@dataclass(frozen=True, slots=True)
class Estimate:
    """One line: a mean over runs with the ends of its interval; None where there is none. `points` are the single runs."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    points: tuple[float, ...] = ()


def intervals(estimates: Sequence[Estimate], *, name: str, title: str, unit: str, about: str) -> Chart:
    """A dot and its interval for each estimate, over the values of the single runs.

    Args:
        estimates: at least one.
        name: of the chart, for addresses.
        title: what it shows.
        unit: of the values.
        about: what the interval is.
    """
    known = [v for e in estimates for v in (e.value, e.low, e.high, *e.points) if v is not None]
    marks = ticks(min([*known, 0.0]), max([*known, 0.0])) if any(known) else [0.0, 1.0]
    height = 20 + LINE * len(estimates) + 40
    drawing = Drawing(WIDTH, height)
    x = Scale(marks[0], marks[-1], LABELS, WIDTH - 120)
    for mark in marks:
        drawing.line([(x(mark), 12), (x(mark), height - 36)], colour=GRID, kind="grid")
        drawing.text(x(mark), height - 20, show(mark), anchor="middle", size=11, fill=FAINT, kind="faint")
    drawing.text(WIDTH - 120, height - 4, unit, anchor="end", size=11, fill=FAINT, kind="faint")
    for place, one in enumerate(estimates):
        y = 20 + LINE * (place + 0.5)
        drawing.text(LABELS - 14, y + 4, short(one.name, 42), anchor="end", size=12)
        for place_of_run in dict.fromkeys(round(x(point), 1) for point in one.points):  # dots on dots show nothing
            drawing.dot(place_of_run, y, 2.5, fill=FAINT, kind="point")
        if one.value is None:
            drawing.text(LABELS, y + 4, "no run has a value", size=11, fill=FAINT, kind="faint")
            continue
        if one.low is not None and one.high is not None:
            drawing.line([(x(one.low), y), (x(one.high), y)], colour=COLOURS[0], width=2, kind="s0")
            for end in (one.low, one.high):
                drawing.line([(x(end), y - 5), (x(end), y + 5)], colour=COLOURS[0], width=2, kind="s0")
        told = show(one.value, 3)
        drawing.dot(x(one.value), y, 5, fill=COLOURS[0], kind="f0", tip=f"{one.name}: {told}")
        drawing.text(WIDTH - 8, y + 4, told, anchor="end", size=12, bold=True)
    rows: list[dict[str, Cell]] = [
        {"cell": one.name, "mean": one.value, "low": one.low, "high": one.high, "runs": len(one.points)}
        for one in estimates
    ]
    return Chart(name, title, about, drawing.svg(name, title, about), rows)
