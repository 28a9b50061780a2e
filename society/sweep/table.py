"""What a sweep came to: every cell with its interval, and its difference from the cell it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from society.log import Log
from society.sweep.file import Sweep
from society.sweep.grid import Cell, Planned, baseline_of
from society.sweep.held import held_runs
from society.views.arms import BACKGROUND, FOCAL, Arm, Line, arm_of, lines_of
from society.views.comparing import focal_text, lines_text, survival_text
from society.views.crossing import crossed_text


def metrics_of(sweep: Sweep) -> tuple[str, ...]:
    """What the table shows: the metrics of the file, and where agents are focal, what they and the others got."""
    return (*((FOCAL, BACKGROUND) if sweep.settings.focal else ()), *sweep.settings.metrics)


def arms_of(log: Log, sweep: Sweep, grid: Sequence[Cell], planned: Sequence[Planned]) -> list[Arm]:
    """Every cell as an arm: the runs of it that the log holds."""
    held = held_runs(log, sweep.settings.name, planned)
    arms: list[Arm] = []
    for cell in grid:
        wanted = [one.key for one in planned if one.cell is cell]
        runs = [held[key] for key in wanted if key in held]
        labels = dict(cell.labels) or {"scenario": cell.scenario.name}
        arms.append(arm_of(log, labels, runs, metrics_of(sweep), missing=len(wanted) - len(runs)))
    return arms


def table_of(sweep: Sweep, grid: Sequence[Cell], arms: Sequence[Arm]) -> list[list[Line]]:
    """For every metric, one line a cell."""
    bases = [baseline_of(sweep, grid, cell) for cell in grid]
    places = {id(cell): place for place, cell in enumerate(grid)}
    against = {place: places[id(base)] for place, base in enumerate(bases) if base is not None}
    return [lines_of(arms, metric, against) for metric in metrics_of(sweep)]


def told(arms: Sequence[Arm], table: Sequence[Sequence[Line]]) -> str:
    """All tables in words: the grid at a glance, focal agents beside the background, each metric, and how long commons lived."""
    by_metric = {lines[0].metric: lines for lines in table}
    parts = [glance for lines in table if (glance := crossed_text(lines))]
    parts += [focal_text(by_metric[FOCAL], by_metric[BACKGROUND])] if FOCAL in by_metric else []
    parts += [lines_text(lines) for metric, lines in by_metric.items() if metric not in (FOCAL, BACKGROUND)]
    lived = survival_text(arms)
    return "\n\n".join([*parts, *([lived] if lived else [])])
