"""A grid at a glance: the means of a metric with one axis down and the others across."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from society.core.exact import show
from society.views.arms import Line
from society.views.comparing import unit_of
from society.views.tables import Cell, pad, text_table

_MOST_ACROSS = 6
"""Columns that still fit a terminal."""
_SIGNIFICANT = 0.05


def crossed_text(lines: Sequence[Line]) -> str:
    """The means of one metric, the longest axis down, all others across; empty where that is no table to look at.

    A star marks a cell that differs from the one it is compared with (p after Holm's correction below 0.05); a dash is a cell
    without a value. There is no such table for a single axis, nor where more than six columns would be needed.
    """
    axes = list(lines[0].arm.labels)
    lines = [
        line for line in lines if list(line.arm.labels) == axes
    ]  # cells that were included may stand on some axes alone
    values = {axis: dict.fromkeys(str(line.arm.labels[axis]) for line in lines) for axis in axes}
    down = max(axes, key=lambda axis: len(values[axis]))
    across = [axis for axis in axes if axis != down]
    if not across or not 1 < math.prod(len(values[axis]) for axis in across) <= _MOST_ACROSS:
        return ""
    wide = max(len(_shown(line)) for line in lines)
    rows: dict[str, dict[str, Cell]] = {value: {down: value} for value in values[down]}
    for line in lines:
        labels = line.arm.labels
        rows[str(labels[down])][_title(labels, across)] = pad(_shown(line), wide, "right")
    columns = [down, *dict.fromkeys(_title(line.arm.labels, across) for line in lines)]
    star = any(line.p_holm is not None for line in lines)
    against = f"; * differs from the cell it is compared with, p (Holm) < {_SIGNIFICANT}" if star else ""
    metric = lines[0].metric
    return f"{metric} ({unit_of(metric)}), means at a glance{against}\n\n{text_table(list(rows.values()), columns)}"


def _title(labels: Mapping[str, object], axes: Sequence[str]) -> str:
    return " · ".join(str(labels[axis]) for axis in axes)


def _shown(line: Line) -> str:
    if line.mean is None:
        return "- "
    return show(line.mean.value, 3) + ("*" if line.p_holm is not None and line.p_holm < _SIGNIFICANT else " ")
