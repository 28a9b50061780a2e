"""The sweeps of a log, and one sweep: its cells under one metric, with intervals and differences."""

from __future__ import annotations

import json
from typing import Any

from society.core.errors import BadInput, did_you_mean
from society.core.exact import Json, show
from society.log import Log, RunInfo
from society.metrics import METRICS
from society.views.arms import Arm, Line, arm_of, lines_of
from society.views.comparing import lines_chart, survival_text
from society.views.web.runs_table import HEADLINES


def sweeps_values(log: Log) -> dict[str, Any]:  # Any: what templates show
    """The sweeps there are, the newest first: name, cells, runs, how many are completed, when the first was started."""
    found = log.sql(
        "SELECT sweep, COUNT(DISTINCT cell) AS cells, COUNT(*) AS runs,"
        " SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed, MIN(started) AS started"
        " FROM run WHERE sweep IS NOT NULL GROUP BY sweep ORDER BY MIN(started) DESC"
    )
    return {"sweeps": found.rows()}


def sweep_values(
    log: Log, name: str, metric: str = "", baseline: str = ""
) -> dict[str, Any]:  # Any: what templates show
    """One sweep under one metric.

    Args:
        log: where it is.
        name: the sweep.
        metric: which; empty: the first headline that some run has a value for.
        baseline: what each cell is compared with: the cell that differs from it only in being so, as ``AXIS=VALUE``; empty:
            the value of the last axis that was played first.

    Raises:
        BadInput: no such sweep, metric or baseline.
    """
    runs = log.runs(sweep=name)
    if not runs:
        raise BadInput(f"there is no sweep {name[:80]!r} in this log")
    if metric and metric not in METRICS:
        raise BadInput(f"there is no metric {metric[:40]!r}{did_you_mean(metric, METRICS)}")
    known = _measured(log, name)
    chosen = metric or next((one for one in (*HEADLINES, *sorted(METRICS)) if one in known), HEADLINES[0])
    arms = _arms(log, runs, chosen)
    baselines = [
        f"{axis}={value}" for axis in arms[0].labels for value in dict.fromkeys(str(arm.labels[axis]) for arm in arms)
    ]
    if baseline and baseline not in baselines:
        raise BadInput(f"there is no baseline {baseline[:80]!r}{did_you_mean(baseline, baselines)}")
    base = baseline or _first_played(arms)
    lines = lines_of(arms, chosen, _against(arms, base))
    return {
        "name": name,
        "metric": chosen,
        "unit": METRICS[chosen].unit,
        "metrics": [one for one in (*HEADLINES, *sorted(set(METRICS) - set(HEADLINES))) if one in known],
        "axes": list(arms[0].labels),
        "baseline": base,
        "baselines": baselines,
        "lines": lines,
        "rows": [_row(line) for line in lines],
        "chart": lines_chart(lines),
        "runs": len(runs),
        "unfinished": sum(arm.missing for arm in arms),
        "invalid": sum(arm.invalid for arm in arms),
        "survival": survival_text(arms),
    }


def _first_played(arms: list[Arm]) -> str:
    """The value of the last axis with several values that was played first."""
    axes = [axis for axis in arms[0].labels if len({str(arm.labels[axis]) for arm in arms}) > 1] or list(arms[0].labels)
    first = min(arms, key=lambda arm: min((run.started for run in arm.runs), default="~"))
    return f"{axes[-1]}={first.labels[axes[-1]]}"


def _against(arms: list[Arm], baseline: str) -> dict[int, int]:
    """For each cell the place of the one that differs from it only in having the value of the baseline."""
    axis, _, value = baseline.partition("=")
    others = [json.dumps({k: v for k, v in arm.labels.items() if k != axis}) for arm in arms]
    bases = {other: place for place, other in enumerate(others) if str(arms[place].labels[axis]) == value}
    return {place: bases[other] for place, other in enumerate(others) if bases.get(other, place) != place}


def _measured(log: Log, name: str) -> frozenset[str]:
    found = log.sql(
        "SELECT DISTINCT m.name FROM metric AS m JOIN run AS r ON r.id = m.run_id WHERE r.sweep = :sweep AND m.value IS NOT NULL",
        {"sweep": name},
    )
    return frozenset(found.column("name")) & frozenset(METRICS)


def _arms(log: Log, runs: list[RunInfo], metric: str) -> list[Arm]:
    """The cells in the order of their settings; runs that only turn seats or names belong to one cell."""
    cells: dict[str, list[RunInfo]] = {}
    labels: dict[str, dict[str, Json]] = {}
    settings: dict[tuple[str | None, str], tuple[str, dict[str, Json]]] = {}
    for run in runs:
        where = (run.cell, run.scenario)
        if where not in settings:
            axes = json.loads(run.cell or "{}").get("axes") or {"scenario": run.scenario}
            settings[where] = json.dumps(axes), axes
        key, axes = settings[where]
        labels[key] = axes
        cells.setdefault(key, []).append(run)
    ordered = sorted(cells, key=lambda key: [_place(value) for value in labels[key].values()])
    return [arm_of(log, labels[key], cells[key], [metric]) for key in ordered]


def _place(value: Json) -> tuple[float, str]:
    """Numbers by size, before words by the alphabet."""
    return (float(value), "") if isinstance(value, (int, float)) else (float("inf"), str(value))


def _row(line: Line) -> list[str]:
    found, mean = line.comparison, line.mean
    return [
        *(str(label) for label in line.arm.labels.values()),
        show(len(line.arm.sample(line.metric))),
        show(None if mean is None else mean.value, 3),
        "" if mean is None or mean.low is None else f"{show(mean.low, 3)} to {show(mean.high, 3)}",
        show(None if found is None else found.difference.value, 3),
        ""
        if found is None or found.difference.low is None
        else f"{show(found.difference.low, 3)} to {show(found.difference.high, 3)}",
        "" if line.p_holm is None else f"{line.p_holm:.2g}",
    ]
