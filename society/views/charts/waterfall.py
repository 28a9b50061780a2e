"""From the best an agent's goal could get down to what happened, a step for everything that was lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from society.core.exact import Number, show
from society.views.charts.drawing import COLOURS, FAINT, GRID, INK, Chart, Drawing, Scale, short
from society.views.tables import Cell

LINE = 19
LABELS = 118
NUMBERS = 76
COLUMN = 480

_COLOURS = {"loss": COLOURS[1], "gain": COLOURS[2], "sum": COLOURS[5]}


@dataclass(frozen=True, slots=True)
class Descent:
    """One way down: ``top - sum of the steps``.

    Attributes:
        name: whose; a chart of several puts it above each.
        top: the best possible.
        steps: what was lost to what, in order; a negative loss is a gain.
        lower_bound: the best possible was searched, and may be higher.
    """

    name: str
    top: Number
    steps: tuple[tuple[str, Number], ...]
    lower_bound: bool = False

    @property
    def end(self) -> Number:
        """What happened."""
        return self.top - sum(loss for _, loss in self.steps)


def waterfall(descents: Sequence[Descent], *, name: str, title: str, unit: str) -> Chart:
    """One small waterfall for each descent, all to the same scale.

    Args:
        descents: at least one.
        name: of the chart, for addresses.
        title: what it shows.
        unit: of the values.
    """
    columns = 1 if len(descents) == 1 else 2
    lines = [descents[k : k + columns] for k in range(0, len(descents), columns)]
    heights = [52 + (max(len(one.steps) for one in line) + 2) * LINE for line in lines]
    drawing = Drawing(COLUMN * columns, sum(heights))
    places = [0.0]
    for one in descents:
        places += _levels(one)
    low, high = min(places), max(places)
    for place, one in enumerate(descents):
        left, top = COLUMN * (place % columns), sum(heights[: place // columns])
        scale = Scale(low, high if high > low else low + 1, left + LABELS, left + COLUMN - NUMBERS)
        _draw(drawing, one, left, top, scale)
    about = f"From the best possible, in {unit}, down to what happened; a step for each thing that was lost on the way, or gained back."
    if any(one.lower_bound for one in descents):
        about += " Where it says ≥, the best possible was searched and may be higher."
    rows: list[dict[str, Cell]] = [
        {"agent": one.name, "best possible": one.top, **dict(one.steps), "happened": one.end} for one in descents
    ]
    return Chart(name, title, about, drawing.svg(name, title, about), rows)


def _levels(one: Descent) -> list[float]:
    levels = [float(one.top)]
    for _, loss in one.steps:
        levels.append(levels[-1] - float(loss))
    return levels


def _draw(drawing: Drawing, one: Descent, left: float, top: float, scale: Scale) -> None:
    drawing.text(left + 4, top + 16, short(one.name, 40), size=13, bold=True)
    levels = _levels(one)
    first, depth = top + 30, LINE - 6
    zero = scale(0)
    drawing.line(
        [(zero, first - 2), (zero, first + (len(one.steps) + 2) * LINE - 4)], colour=GRID, width=1, kind="grid"
    )
    shown = f"≥ {show(one.top)}" if one.lower_bound else show(one.top)
    _bar(drawing, left, first, label="best possible", span=(zero, scale(levels[0])), told=shown, kind="sum", bold=True)
    for place, (step, loss) in enumerate(one.steps):
        line = first + (place + 1) * LINE
        before, after = levels[place], levels[place + 1]
        drawing.line(
            [(scale(before), line - 6), (scale(before), line + depth)], colour=FAINT, width=1, dash="1 2", kind="edge"
        )
        told = "0" if not loss else f"−{show(loss)}" if loss > 0 else f"+{show(-loss)}"
        span = (scale(before), scale(after))
        _bar(drawing, left, line, label=step, span=span, told=told, kind="loss" if loss > 0 else "gain")
    line = first + (len(one.steps) + 1) * LINE
    _bar(
        drawing, left, line, label="happened", span=(zero, scale(levels[-1])), told=show(one.end), kind="sum", bold=True
    )


def _bar(
    drawing: Drawing,
    left: float,
    line: float,
    *,
    label: str,
    span: tuple[float, float],
    told: str,
    kind: Literal["loss", "gain", "sum"],
    bold: bool = False,
) -> None:
    depth, colour = LINE - 6, _COLOURS[kind]
    from_, to = sorted(span)
    drawing.text(left + LABELS - 8, line + 10, label, anchor="end", size=12, fill=INK, bold=bold)
    drawing.box(from_, line, max(1.5, to - from_), depth, fill=colour, kind=kind, tip=f"{label}: {told}")
    drawing.text(to + 5, line + 10, told, size=12, fill=INK, bold=bold)
