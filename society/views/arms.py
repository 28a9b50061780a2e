"""Arms side by side: sets of runs, what they came to, and how they differ, the run being the unit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from society.analysis.statistics import (
    Comparison,
    Interval,
    Rate,
    bca_interval,
    compare,
    holm,
    mean_interval,
    wilson,
)
from society.core.exact import Json
from society.log import Log, RunInfo
from society.metrics import METRICS

FOCAL, BACKGROUND = "focal_per_capita", "background_per_capita"
"""Payoffs over the run divided by agents: of the focal ones, and of all others."""
_AT_ONCE = 500


class Key(NamedTuple):
    """Which run of an arm: what pairs it with a run of another arm.

    Attributes:
        seed: of all its chance; seats, names: by how many places agents, and names, were moved.
        setting: the scenario and the arms that vary within the set.
        repeat: which of several runs that are alike in all of this.
    """

    seed: int
    seats: int
    names: int
    setting: tuple[tuple[str, str], ...]
    repeat: int

    @property
    def unit(self) -> Hashable:
        """What its chance is shared with: rotations and replicates of one seed are no independent runs."""
        return (self.seed, self.setting)


@dataclass(frozen=True)
class Arm:
    """A set of runs.

    Attributes:
        labels: what tells it apart, by axis; one entry, `arm`, for a set that somebody named.
        runs: its runs that count: finished and valid.
        invalid: finished runs with too many unreadable answers; missing: runs that are wanted and not finished.
        values: by metric, the value of each run; None where it does not apply.
        lives: of each run with a stock to lose, how many rounds its commons lived, and whether it died then.
    """

    labels: Mapping[str, Json]
    runs: tuple[RunInfo, ...]
    invalid: int
    missing: int
    values: Mapping[str, Mapping[Key, float | None]]
    lives: tuple[tuple[int, bool], ...] = ()

    @property
    def alive(self) -> Rate | None:
        """How many kept their commons alive, of those that have one to lose."""
        return wilson(sum(not died for _, died in self.lives), len(self.lives)) if self.lives else None

    @property
    def title(self) -> str:
        """Its labels in words."""
        return ", ".join(f"{axis} {label}" if axis != "arm" else str(label) for axis, label in self.labels.items())

    def sample(self, metric: str) -> list[float]:
        """The values there are, one a run."""
        return [value for value in self.values[metric].values() if value is not None]

    def units(self, metric: str, *, by_seed: bool) -> dict[Hashable, float | None]:
        """What enters a statistic: the mean of all runs of one seed (in one setting), or each run where the seed is the same."""
        runs: dict[Hashable, list[float]] = {}
        for key, value in self.values[metric].items():
            runs.setdefault(key.unit if by_seed else key, []).extend([] if value is None else [value])
        return {unit: _mean(values) for unit, values in runs.items()}


@dataclass(frozen=True)
class Line:
    """One arm under one metric.

    Attributes:
        by_seed: runs of one seed were averaged before anything else, so that seeds are the units; False where all runs share one.
        sample: the value of each unit.
        mean: with Student's t interval; None where no run has a value.
        against: the arm it is compared with; None for a baseline, or where there is nothing to compare.
        comparison: this arm minus that one, paired by seed; p_holm: its p-value, corrected for all lines of the metric.
    """

    arm: Arm
    metric: str
    by_seed: bool
    sample: tuple[float, ...]
    mean: Interval | None
    against: Arm | None = None
    comparison: Comparison | None = None
    p_holm: float | None = None

    @property
    def units(self) -> int:
        """How many units have a value."""
        return len(self.sample)

    @cached_property
    def bootstrap(self) -> Interval | None:
        """The mean with a BCa interval."""
        return bca_interval(self.sample) if self.sample else None


def arm_of(
    log: Log, labels: Mapping[str, Json], runs: Sequence[RunInfo], metrics: Sequence[str], *, missing: int = 0
) -> Arm:
    """What a set of runs came to, from the log alone."""
    counted = tuple(run for run in runs if run.status == "completed")
    found = _stored(log, counted, [name for name in metrics if name in METRICS])
    keys = keys_of(counted)
    values: dict[str, dict[Key, float | None]] = {
        name: {keys[run.id]: found.get((run.id, name)) for run in counted} for name in metrics if name in METRICS
    }
    if FOCAL in metrics or BACKGROUND in metrics:
        focal = _focal(log, counted)
        values[FOCAL] = {keys[run]: pair[0] for run, pair in focal.items()}
        values[BACKGROUND] = {keys[run]: pair[1] for run, pair in focal.items()}
    return Arm(
        labels=labels,
        runs=counted,
        invalid=sum(run.status == "invalid" for run in runs),
        missing=missing + sum(run.status not in ("completed", "invalid") for run in runs),
        values=values,
        lives=tuple(_lives(log, counted)),
    )


def lines_of(arms: Sequence[Arm], metric: str, against: Mapping[int, int]) -> list[Line]:
    """Every arm under one metric, compared as wanted.

    Args:
        arms: all of them.
        metric: which metric.
        against: by the place of an arm, the place of the one it is compared with.
    """
    seeds = {key.seed for arm in arms for key in arm.values[metric]}
    by_seed = len(seeds) > 1
    lines: list[Line] = []
    for place, arm in enumerate(arms):
        units = arm.units(metric, by_seed=by_seed)
        sample = tuple(value for value in units.values() if value is not None)
        other = arms[against[place]] if place in against else None
        theirs = {} if other is None else other.units(metric, by_seed=by_seed)
        if not by_seed and max(len(units), len(theirs)) > 1:  # which repetition is paired with which would be arbitrary
            theirs = {(unit, "other"): value for unit, value in theirs.items()}
        comparable = sample and any(value is not None for value in theirs.values())
        difference = compare(theirs, units) if comparable else None
        lines.append(Line(arm, metric, by_seed, sample, mean_interval(sample) if sample else None, other, difference))
    tested = [k for k, line in enumerate(lines) if line.comparison is not None]
    corrected = holm([line.comparison.test.p for line in lines if line.comparison is not None])
    for k, p in zip(tested, corrected, strict=True):
        lines[k] = replace(lines[k], p_holm=p)
    return lines


def keys_of(runs: Sequence[RunInfo]) -> dict[str, Key]:
    """The key of each run of an arm, by its id."""
    known = {cell: json.loads(cell) if cell else {} for cell in {run.cell for run in runs}}
    points = {run.id: known[run.cell] for run in runs}
    settings = {run.id: {"scenario": run.scenario, **points[run.id].get("axes", {})} for run in runs}
    axes = sorted({axis for labels in settings.values() for axis in labels})
    varied = [axis for axis in axes if len({str(labels.get(axis)) for labels in settings.values()}) > 1]
    seen: Counter[Key] = Counter()
    keys: dict[str, Key] = {}
    for run in runs:
        point = points[run.id]
        setting = tuple((axis, str(settings[run.id].get(axis))) for axis in varied)
        key = Key(run.seed, int(point.get("seats", 0)), int(point.get("names", 0)), setting, 0)
        keys[run.id] = key._replace(repeat=seen[key])
        seen[key] += 1
    return keys


def _stored(log: Log, runs: Sequence[RunInfo], metrics: Sequence[str]) -> dict[tuple[str, str], float | None]:
    found: dict[tuple[str, str], float | None] = {}
    for some in _portions([run.id for run in runs]):
        listed, values = _listed(some)
        names = {f"m{place}": name for place, name in enumerate(metrics)}
        question = f"SELECT run_id, name, value FROM metric WHERE without_defaulted = :no AND name IN ({', '.join(f':{name}' for name in names)}) AND run_id IN ({listed})"
        for row in log.sql(question, {**values, **names, "no": False}) if names else ():
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
