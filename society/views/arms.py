"""Arms side by side: sets of runs, what they came to, and how they differ, the run being the unit."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from society.analysis.statistics import (
    Comparison,
    Interval,
    Rate,
    bca_interval,
    compare,
    holm,
    mean_interval,
    survival_curve,
    wilson,
)
from society.core.exact import Json, show
from society.log import Log, RunInfo
from society.metrics import METRICS
from society.views.tables import Cell, text_table

FOCAL, BACKGROUND = "focal_per_capita", "background_per_capita"
"""Payoffs over the run divided by agents: of the focal ones, and of all others."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Arm:
    """A set of runs.

    Attributes:
        labels: what tells it apart, by axis; one entry, `arm`, for a set that somebody named.
        runs: its runs that count: finished and valid.
        invalid: finished runs with too many unreadable answers; missing: runs that are wanted and not finished.
        values: by metric, the value of each run by its seed (and by how agents were moved); None where it does not apply.
        alive: how many kept their commons alive, of those that have one to lose.
    """

    labels: Mapping[str, Json]
    runs: tuple[RunInfo, ...]
    invalid: int
    missing: int
    values: Mapping[str, Mapping[Hashable, float | None]]
    alive: Rate | None

    @property
    def title(self) -> str:
        """Its labels in words."""
        return ", ".join(f"{axis} {label}" if axis != "arm" else str(label) for axis, label in self.labels.items())

    def sample(self, metric: str) -> list[float]:
        """The values there are."""
        return [value for value in self.values[metric].values() if value is not None]


@dataclass(frozen=True)
class Line:
    """One arm under one metric.

    Attributes:
        mean: with Student's t interval; bootstrap: with a BCa interval. None where no run has a value.
        against: the arm it is compared with; None for a baseline, or where there is nothing to compare.
        comparison: this arm minus that one, paired by seed; p_holm: its p-value, corrected for all lines of the metric.
    """

    arm: Arm
    metric: str
    mean: Interval | None
    bootstrap: Interval | None
    against: Arm | None = None
    comparison: Comparison | None = None
    p_holm: float | None = None


def arm_of(
    log: Log, labels: Mapping[str, Json], runs: Sequence[RunInfo], metrics: Sequence[str], *, missing: int = 0
) -> Arm:
    """What a set of runs came to, from the log alone."""
    counted = tuple(run for run in runs if run.status == "completed")
    found = _stored(log, counted, [name for name in metrics if name in METRICS])
    keys = _keys(counted)
    values: dict[str, dict[Hashable, float | None]] = {
        name: {keys[run.id]: found.get((run.id, name)) for run in counted} for name in metrics if name in METRICS
    }
    if FOCAL in metrics or BACKGROUND in metrics:
        focal = _focal(log, counted)
        values[FOCAL] = {keys[run]: pair[0] for run, pair in focal.items()}
        values[BACKGROUND] = {keys[run]: pair[1] for run, pair in focal.items()}
    lived = [not died for _, died in _lives(log, counted)]
    return Arm(
        labels=labels,
        runs=counted,
        invalid=sum(run.status == "invalid" for run in runs),
        missing=missing + sum(run.status not in ("completed", "invalid") for run in runs),
        values=values,
        alive=wilson(sum(lived), len(lived)) if lived else None,
    )


def lines_of(arms: Sequence[Arm], metric: str, against: Mapping[int, int]) -> list[Line]:
    """Every arm under one metric, compared as wanted.

    Args:
        arms: all of them.
        metric: which metric.
        against: by the place of an arm, the place of the one it is compared with.
    """
    lines: list[Line] = []
    for place, arm in enumerate(arms):
        sample = arm.sample(metric)
        mean = mean_interval(sample) if sample else None
        bootstrap = bca_interval(sample) if sample else None
        other = arms[against[place]] if place in against else None
        comparable = other is not None and sample and other.sample(metric)
        difference = compare(other.values[metric], arm.values[metric]) if other is not None and comparable else None
        lines.append(Line(arm, metric, mean, bootstrap, other, difference))
    tested = [k for k, line in enumerate(lines) if line.comparison is not None]
    corrected = holm([line.comparison.test.p for line in lines if line.comparison is not None])
    for k, p in zip(tested, corrected, strict=True):
        line = lines[k]
        lines[k] = Line(line.arm, metric, line.mean, line.bootstrap, line.against, line.comparison, p)
    return lines


def lines_text(lines: Sequence[Line], *, level: float = 0.95) -> str:
    """The lines of one metric as a table, with what limits the comparisons under it."""
    metric = lines[0].metric
    unit = METRICS[metric].unit if metric in METRICS else "payoff per agent"
    intervals = f"{level:.0%} interval"
    rows = [_row(line, intervals) for line in lines]
    parts = [f"{metric} ({unit})", "", text_table(rows)]
    compared = [line.comparison for line in lines if line.comparison is not None]
    if compared:
        how = "paired by seed" if all(c.paired for c in compared) else "as independent samples" if not any(c.paired for c in compared) else "paired by seed where seeds pair"  # fmt: skip
        tests = ", ".join(dict.fromkeys(f"{c.test.method}{'' if c.test.exact else ', sampled'}" for c in compared))
        parts += ["", f"means with t intervals; differences {how}; p: {tests}; Holm over {len(compared)} comparisons"]
    return "\n".join([*parts, *_notes(lines)])


def _notes(lines: Sequence[Line]) -> Iterator[str]:
    """What limits the comparisons, each limit once with those it holds for."""
    noted: dict[str, list[str]] = {}
    compared = [line for line in lines if line.comparison is not None]
    for line in compared:
        assert line.comparison is not None, "those without one were left out"
        if line.comparison.note:
            noted.setdefault(line.comparison.note, []).append(line.arm.title)
    for note, titles in noted.items():
        whom = "all comparisons" if len(titles) == len(compared) else "; ".join(titles)
        yield f"{whom}: {note}"
    smallest = [line.comparison.test.smallest * len(compared) for line in compared if line.comparison is not None]
    if not noted and smallest and min(smallest) > 0.05:
        yield f"all comparisons: under-powered: with Holm over {len(compared)}, no p-value can fall below {min(smallest):.2g}"


def survival_text(log: Log, arms: Sequence[Arm]) -> str:
    """How many runs of each arm lived beyond each round in which some commons of it died; empty where none died at all.

    Runs whose commons lived to their end were only watched so long, and count so (Kaplan-Meier).
    """
    rows: list[dict[str, Cell]] = []
    none_died = {"beyond round": None, "at risk": None, "died then": None, "share alive": None, "95% interval": ""}
    deaths = False
    for arm in arms:
        lives = _lives(log, arm.runs)
        if not lives:
            continue
        shown = arm.alive
        head: dict[str, Cell] = {"arm": arm.title, "alive at the end": None if shown is None else _share(shown)}
        steps = survival_curve([time for time, _ in lives], [died for _, died in lives])
        if not steps:
            rows.append({**head, **none_died})
        for step in steps:
            deaths = True
            rows.append(
                {
                    **head,
                    "beyond round": int(step.time),
                    "at risk": step.at_risk,
                    "died then": step.ended,
                    "share alive": step.share,
                    "95% interval": f"[{show(step.low, 3)}, {show(step.high, 3)}]",
                }
            )
            head = {"arm": "", "alive at the end": ""}
    return f"survival of the commons (Kaplan-Meier, log-log intervals)\n\n{text_table(rows)}" if deaths else ""


def lines_json(lines: Sequence[Line]) -> list[dict[str, Json]]:
    """The same for machines, with the value of every run, so that each number can be computed again."""
    return [
        {
            "metric": line.metric,
            "labels": dict(line.arm.labels),
            "runs": len(line.arm.runs),
            "invalid": line.arm.invalid,
            "missing": line.arm.missing,
            "values": [
                {"run": run, "key": [str(part) for part in key], "value": line.arm.values[line.metric].get(key)}
                for run, key in _keys(line.arm.runs).items()
            ],
            "mean": _interval(line.mean),
            "bootstrap": _interval(line.bootstrap),
            "against": None if line.against is None else dict(line.against.labels),
            "comparison": None if line.comparison is None else _comparison(line.comparison),
            "p_holm": line.p_holm,
        }
        for line in lines
    ]


def _row(line: Line, intervals: str) -> dict[str, Cell]:
    arm, mean, found = line.arm, line.mean, line.comparison
    row: dict[str, Cell] = {
        **{
            axis: label if isinstance(label, (str, int, float, bool)) else str(label)
            for axis, label in arm.labels.items()
        },
        "runs": len(arm.sample(line.metric)),
        "mean": None if mean is None else mean.value,
        intervals: _ends(mean),
    }
    if arm.invalid:
        row["invalid"] = arm.invalid
    if arm.missing:
        row["missing"] = arm.missing
    if found is None:
        return {**row, "difference": None, "its interval": None, "p": None, "p (Holm)": None}
    return {
        **row,
        "difference": found.difference.value,
        "its interval": _ends(found.difference),
        "p": f"{found.test.p:.2g}",
        "p (Holm)": None if line.p_holm is None else f"{line.p_holm:.2g}",
    }


def _ends(interval: Interval | None) -> str | None:
    if interval is None or interval.low is None or interval.high is None:
        return None
    return f"[{show(interval.low, 3)}, {show(interval.high, 3)}]"


def _share(rate: Rate) -> str:
    """A rate in words, with its Wilson interval."""
    ends = "" if rate.low is None or rate.high is None else f" [{show(rate.low, 2)}, {show(rate.high, 2)}]"
    return f"{rate.successes} of {rate.trials}{ends}"


def _interval(interval: Interval | None) -> dict[str, Json] | None:
    if interval is None:
        return None
    return {
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "method": interval.method,
    }


def _comparison(found: Comparison) -> dict[str, Json]:
    return {
        "paired": found.paired,
        "runs": found.runs,
        "left_out": found.left_out,
        "first": found.first,
        "second": found.second,
        "difference": _interval(found.difference),
        "bootstrap": _interval(found.bootstrap),
        "test": {
            "p": found.test.p,
            "method": found.test.method,
            "exact": found.test.exact,
            "smallest": found.test.smallest,
        },
        "effect": found.effect,
        "effect_name": found.effect_name,
        "detectable": found.detectable,
        "note": found.note,
    }


def _keys(runs: Sequence[RunInfo]) -> dict[str, tuple[Hashable, ...]]:
    """What pairs runs of different arms: the seed, how agents and names were moved, and whatever varies within the arm.

    Runs that are alike in all of this are repetitions, and are counted.
    """
    points = {run.id: json.loads(run.cell) if run.cell else {} for run in runs}
    settings = {run.id: {"scenario": run.scenario, **points[run.id].get("axes", {})} for run in runs}
    axes = sorted({axis for labels in settings.values() for axis in labels})
    varied = [axis for axis in axes if len({str(labels.get(axis)) for labels in settings.values()}) > 1]
    seen: dict[tuple[Hashable, ...], int] = {}
    keys: dict[str, tuple[Hashable, ...]] = {}
    for run in runs:
        turned = (int(points[run.id].get("seats", 0)), int(points[run.id].get("names", 0)))
        key = (run.seed, *turned, *((axis, str(settings[run.id].get(axis))) for axis in varied))
        seen[key] = seen.get(key, -1) + 1
        keys[run.id] = (*key, seen[key])
    return keys


def _stored(log: Log, runs: Sequence[RunInfo], metrics: Sequence[str]) -> dict[tuple[str, str], float | None]:
    found: dict[tuple[str, str], float | None] = {}
    for some in _portions([run.id for run in runs]):
        listed, values = _listed(some)
        question = f"SELECT run_id, name, value FROM metric WHERE without_defaulted = :no AND run_id IN ({listed})"
        for row in log.sql(question, {**values, "no": False}):
            if row["name"] in metrics:
                found[row["run_id"], row["name"]] = row["value"]
    return found


def _focal(log: Log, runs: Sequence[RunInfo]) -> dict[str, tuple[float | None, float | None]]:
    """Of each run that tells focal agents apart: what they got per head, and what all others got per head."""
    seats = {run.id: set(json.loads(run.cell or "{}").get("focal", ())) for run in runs}
    sums: dict[str, tuple[list[float], list[float]]] = {run.id: ([], []) for run in runs if seats[run.id]}
    for some in _portions(list(sums)):
        listed, values = _listed(some)
        question = (
            f"SELECT run_id, agent, SUM(payoff) AS got FROM payoff WHERE run_id IN ({listed}) GROUP BY run_id, agent"
        )
        for row in log.sql(question, values):
            sums[row["run_id"]][row["agent"] not in seats[row["run_id"]]].append(float(row["got"]))
    return {run: (_mean(focal), _mean(others)) for run, (focal, others) in sums.items()}


def _lives(log: Log, runs: Sequence[RunInfo]) -> list[tuple[int, bool]]:
    """Of each run with a stock to lose: how many rounds its commons lived, and whether it died then."""
    found: list[tuple[int, bool]] = []
    for some in _portions([run.id for run in runs]):
        listed, values = _listed(some)
        question = (
            "SELECT run_id, MIN(CASE WHEN collapsed THEN round END) AS died, COUNT(stock_before) AS stocked, MAX(round) AS last "
            f"FROM outcome WHERE run_id IN ({listed}) GROUP BY run_id"
        )
        found += [
            (row["died"] or row["last"], row["died"] is not None) for row in log.sql(question, values) if row["stocked"]
        ]
    return found


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


def _listed(ids: Sequence[str]) -> tuple[str, dict[str, str]]:
    names = {f"r{place}": run for place, run in enumerate(ids)}
    return ", ".join(f":{name}" for name in names), names


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
