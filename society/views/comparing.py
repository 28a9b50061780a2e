"""A comparison of arms, told: as tables in words, as drawings, and as data from which every number can be computed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from society.analysis.statistics import Comparison, Interval, Rate, Survival, survival_curve
from society.core.exact import Json, show
from society.metrics import METRICS
from society.views.arms import Arm, Line, keys_of
from society.views.charts.drawing import Chart
from society.views.charts.intervals import Estimate, intervals
from society.views.tables import Cell, text_table


def lines_text(lines: Sequence[Line], *, level: float = 0.95) -> str:
    """The lines of one metric as a table, with what limits the comparisons under it."""
    rows = [{**_labels(line.arm), **_row(line, f"{level:.0%} interval")} for line in lines]
    return "\n".join([f"{lines[0].metric} ({unit_of(lines[0].metric)})", "", text_table(rows), *_under(lines)])


def focal_text(focal: Sequence[Line], background: Sequence[Line], *, level: float = 0.95) -> str:
    """What the focal agents got and what that did to all others, side by side.

    Harm is what the others got less of than in the cell compared with; a gain of theirs stands as negative harm.
    """
    ends = f"{level:.0%} interval"
    rows: list[dict[str, Cell]] = []
    for own, others in zip(focal, background, strict=True):
        mine, theirs, found = own.mean, others.mean, others.comparison
        row: dict[str, Cell] = {
            **_labels(own.arm),
            "runs": len(own.arm.sample(own.metric)),
            "focal": None if mine is None else mine.value,
            f"{ends} ": _ends(mine),
            "background": None if theirs is None else theirs.value,
            ends: _ends(theirs),
            "harm to it": None if found is None else -found.difference.value,
            "its interval": None if found is None else _ends(_turned(found.difference)),
            "p (Holm)": None if others.p_holm is None else f"{others.p_holm:.2g}",
        }
        rows.append(row)
    return "\n".join(["payoff per agent: focal agents, and all others", "", text_table(rows), *_under(background)])


def survival_text(arms: Sequence[Arm]) -> str:
    """How many runs of each arm lived beyond each round in which some commons died; empty where none died.

    Runs whose commons lived to their end were only watched so long, and count so (Kaplan-Meier).
    """
    rows: list[dict[str, Cell]] = []
    for arm in arms:
        head: dict[str, Cell] = {
            "arm": arm.title,
            "alive at the end": None if arm.alive is None else _share(arm.alive),
        }
        for step in _curve(arm):
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
    return f"survival of the commons (Kaplan-Meier, log-log intervals)\n\n{text_table(rows)}" if rows else ""


def survival_json(arms: Sequence[Arm]) -> list[dict[str, Json]]:
    """The same for machines, with the lives it is computed from; only arms with a stock to lose."""
    told: list[dict[str, Json]] = []
    for arm in arms:
        lives, alive = arm.lives, arm.alive
        if alive is None:
            continue
        told.append(
            {
                "labels": dict(arm.labels),
                "alive": {"successes": alive.successes, "trials": alive.trials, "low": alive.low, "high": alive.high,
                          "method": "Wilson interval"},
                "lives": [{"rounds": time, "died": died} for time, died in lives],
                "curve": [
                    {"round": step.time, "at_risk": step.at_risk, "died": step.ended, "share": step.share,
                     "low": step.low, "high": step.high}
                    for step in _curve(arm)
                ],
            }
        )  # fmt: skip
    return told


def lines_json(lines: Sequence[Line]) -> list[dict[str, Json]]:
    """The same for machines, with the value of every run, so that each number can be computed again.

    Values with the same `unit` are averaged before anything else is computed from them.
    """
    return [
        {
            "metric": line.metric,
            "labels": dict(line.arm.labels),
            "runs": len(line.arm.runs),
            "units": line.units,
            "unit_is": "seed" if line.by_seed else "run",
            "invalid": line.arm.invalid,
            "missing": line.arm.missing,
            "values": [
                {
                    "run": run,
                    "seed": key.seed,
                    "unit": str(key.unit if line.by_seed else tuple(key)),
                    "value": line.arm.values[line.metric].get(key),
                }
                for run, key in keys_of(line.arm.runs).items()
            ],
            "mean": _interval(line.mean),
            "bootstrap": _interval(line.bootstrap),
            "against": None if line.against is None else dict(line.against.labels),
            "comparison": None if line.comparison is None else _comparison(line.comparison),
            "p_holm": line.p_holm,
        }
        for line in lines
    ]


def lines_chart(lines: Sequence[Line]) -> Chart:
    """The means of one metric with their intervals, over the values of the single runs."""
    metric = lines[0].metric
    estimates = [
        Estimate(
            " · ".join(str(label) for label in line.arm.labels.values()),
            None if line.mean is None else line.mean.value,
            None if line.mean is None else line.mean.low,
            None if line.mean is None else line.mean.high,
            tuple(line.arm.sample(metric)),
        )
        for line in lines
    ]
    about = "The mean of each over its valid runs, with the 95 % interval of Student's t; small dots are single runs."
    title = metric.replace("_", " ")
    return intervals(estimates, name="cells", title=title[0].upper() + title[1:], unit=unit_of(metric), about=about)


def unit_of(metric: str) -> str:
    """What a metric is measured in."""
    return METRICS[metric].unit if metric in METRICS else "payoff per agent"


def _labels(arm: Arm) -> dict[str, Cell]:
    return {
        axis: label if isinstance(label, (str, int, float, bool)) else str(label) for axis, label in arm.labels.items()
    }


def _row(line: Line, intervals_: str) -> dict[str, Cell]:
    arm, mean, found = line.arm, line.mean, line.comparison
    runs = len(arm.sample(line.metric))
    row: dict[str, Cell] = {"runs": runs}
    if line.by_seed and line.units != runs:
        row["seeds"] = line.units
    row |= {"mean": None if mean is None else mean.value, intervals_: _ends(mean)}
    if arm.invalid:
        row["invalid"] = arm.invalid
    if arm.missing:
        row["missing"] = arm.missing
    return {
        **row,
        "difference": None if found is None else found.difference.value,
        "its interval": None if found is None else _ends(found.difference),
        "effect": None if found is None or found.effect is None else show(found.effect, 2),
        "p": None if found is None else f"{found.test.p:.2g}",
        "p (Holm)": None if line.p_holm is None else f"{line.p_holm:.2g}",
    }


def _under(lines: Sequence[Line]) -> Iterator[str]:
    """What stands under a table: how its numbers were made, and what limits them."""
    if lines[0].by_seed and any(line.units != len(line.arm.sample(line.metric)) for line in lines):
        yield ""
        yield "runs of one seed share its chance and are averaged first: seeds are the units"
    compared = [line.comparison for line in lines if line.comparison is not None]
    if not compared:
        return
    how = "paired by seed" if all(c.paired for c in compared) else "as independent samples" if not any(c.paired for c in compared) else "paired by seed where seeds pair"  # fmt: skip
    tests = ", ".join(dict.fromkeys(f"{c.test.method}{'' if c.test.exact else ', sampled'}" for c in compared))
    effects = ", ".join(dict.fromkeys(c.effect_name for c in compared))
    yield ""
    yield f"means with t intervals; differences {how}; effect: {effects}; p: {tests}; Holm over {len(compared)} comparisons"
    yield from _notes(lines)


def _notes(lines: Sequence[Line]) -> Iterator[str]:
    """What limits the comparisons, each limit once with those it holds for."""
    noted: dict[str, list[str]] = {}
    compared = [(line, line.comparison) for line in lines if line.comparison is not None]
    for line, found in compared:
        if found.note:
            noted.setdefault(found.note, []).append(line.arm.title)
    for note, titles in noted.items():
        yield f"{_whom(titles, compared)}: {note}"
    smallest = [found.test.smallest * len(compared) for _, found in compared]
    if not noted and min(smallest) > 0.05:
        yield f"all comparisons: under-powered: with Holm over {len(compared)}, no p-value can fall below {min(smallest):.2g}"
    if not lines[0].by_seed and max(line.units for line in lines) > 1:
        seed = next(key.seed for line in lines for key in line.arm.values[line.metric])
        yield f"all runs have seed {seed}: this is about repetitions of it, and says nothing about others"
    lone = [f"{line.arm.title} ({found.left_out})" for line, found in compared if found.left_out]
    if lone:
        noun = "seeds" if lines[0].by_seed else "runs"
        yield f"{noun} left out of a difference, for want of a partner or a value: {'; '.join(lone)}"
    blind = [
        f"{line.arm.title} ({show(found.detectable, 3)})"
        for line, found in compared
        if found.detectable is not None and (line.p_holm or 0) > 0.05
    ]
    if blind:
        yield f"found nothing, and would have missed a smaller difference than this in more than one of five cases: {'; '.join(blind)}"


def _whom(titles: Sequence[str], compared: Sequence[object]) -> str:
    return "all comparisons" if len(titles) == len(compared) else "; ".join(titles)


def _curve(arm: Arm) -> tuple[Survival, ...]:
    return survival_curve([time for time, _ in arm.lives], [died for _, died in arm.lives])


def _turned(interval: Interval) -> Interval:
    """The interval of the opposite."""
    low = None if interval.high is None else -interval.high
    high = None if interval.low is None else -interval.low
    return Interval(-interval.value, low, high, interval.level, interval.method)


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
