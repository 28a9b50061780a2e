"""Two arms, paired by seed where seeds pair."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import numpy as np

from society.analysis.statistics.effect_sizes import hedges_g
from society.analysis.statistics.intervals import Interval, bca_interval, mean_interval
from society.analysis.statistics.permutation import Test, permutation_test, sign_flip_test
from society.analysis.statistics.sample import TIE, sample_of, spread_of
from society.core.exact import Number
from society.core.markup import html_table


@dataclass(frozen=True)
class Comparison:
    """Two arms, second minus first.

    Attributes:
        paired: runs were matched by seed; else the arms share no seeds and are two independent samples.
        runs: pairs, or runs of both arms together.
        left_out: runs without a partner or without a value.
        first, second: means of the runs that entered.
        difference: mean difference with its t interval.
        test: of no difference.
        effect: standardised difference, named by `effect_name`; None where nothing varies.
        detectable: the difference that 80% of such comparisons would find at 5%; None where nothing varies.
        note: what limits the comparison, or empty.
        gaps: the difference of each pair; empty for independent samples.
    """

    paired: bool
    runs: int
    left_out: int
    first: float
    second: float
    difference: Interval
    test: Test
    effect: float | None
    effect_name: str
    detectable: float | None
    note: str
    gaps: tuple[float, ...] = field(default=(), repr=False)

    @cached_property
    def bootstrap(self) -> Interval | None:
        """The mean difference with a BCa interval; of pairs only."""
        return bca_interval(self.gaps, level=self.difference.level) if self.gaps else None

    def _repr_html_(self) -> str:
        """For notebooks: both means, the difference with its intervals, the test by name, and what limits it."""
        told: list[list[object]] = [
            ["second - first", one.value, one.low, one.high, f"{one.level:.0%} {one.method}"]
            for one in (self.difference, self.bootstrap)
            if one is not None
        ]
        rows: list[list[object]] = [
            ["first", self.first, None, None, f"mean of {self.runs} {'pairs' if self.paired else 'runs of both'}"],
            ["second", self.second, None, None, f"{self.left_out} runs left out"],
            *told,
            ["p", self.test.p, None, None, self.test.method + ("" if self.test.exact else ", sampled")],
            [self.effect_name, self.effect, None, None, "standardised difference"],
        ]
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return html_table(["", "value", "from", "to", "what it is"], rows) + note


def compare(
    first: Mapping[Hashable, Number | None], second: Mapping[Hashable, Number | None], *, level: float = 0.95
) -> Comparison:
    """Two arms by seed. Runs whose seed both arms have are pairs; without any common seed the samples are independent.

    Args:
        first: value of each run of the first arm, by seed; None where the metric does not apply.
        second: the same of the second arm.
        level: coverage of the intervals.

    Raises:
        ValueError: an arm has no value at all.
    """
    one = {seed: float(x) for seed, x in first.items() if x is not None}
    two = {seed: float(x) for seed, x in second.items() if x is not None}
    common = [seed for seed in one if seed in two]
    if not one or not two:
        raise ValueError("one of the arms has no run with a value")
    if common:
        a, b = [one[seed] for seed in common], [two[seed] for seed in common]
        return _paired(a, b, len(first) + len(second) - 2 * len(common), level)
    return _independent(list(one.values()), list(two.values()), len(first) + len(second) - len(one) - len(two), level)


def _paired(a: list[float], b: list[float], left_out: int, level: float) -> Comparison:
    scale = max(map(abs, (*a, *b)))
    gaps = sample_of(b) - sample_of(a)
    gaps[np.abs(gaps) <= TIE * scale] = 0.0  # what rounding makes of equal values
    spread = spread_of(gaps, scale)
    if not spread:
        gaps = np.full(len(gaps), gaps[0])
    told = tuple(float(gap) for gap in gaps)
    test = sign_flip_test(told, scale=scale)
    return Comparison(
        paired=True,
        runs=len(gaps),
        left_out=left_out,
        first=float(np.mean(a)),
        second=float(np.mean(b)),
        difference=mean_interval(told, level=level),
        test=test,
        effect=float(np.mean(gaps)) / spread if spread else None,
        effect_name="Cohen's d of the differences",
        detectable=_detectable(spread / math.sqrt(len(gaps)), len(gaps) - 1),
        note=_note(test, len(gaps), "pairs"),
        gaps=told,
    )


def _independent(a: list[float], b: list[float], left_out: int, level: float) -> Comparison:
    test = permutation_test(a, b)
    gap = float(np.mean(b) - np.mean(a))
    low = high = detectable = None
    if len(a) > 1 and len(b) > 1:
        from scipy.stats import t as student

        parts = (spread_of(sample_of(a)) ** 2 / len(a), spread_of(sample_of(b)) ** 2 / len(b))
        error = math.sqrt(sum(parts))
        free = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1)) if error else 1.0
        half = float(student.ppf((1 + level) / 2, free)) * error
        low, high, detectable = gap - half, gap + half, _detectable(error, free)
    return Comparison(
        paired=False,
        runs=len(a) + len(b),
        left_out=left_out,
        first=float(np.mean(a)),
        second=float(np.mean(b)),
        difference=Interval(gap, low, high, level, "Welch's t interval"),
        test=test,
        effect=hedges_g(a, b),
        effect_name="Hedges' g",
        detectable=detectable,
        note=_note(test, len(a) + len(b), "runs"),
    )


def _detectable(error: float, free: float) -> float | None:
    """What a two-sided t test at 5% finds in 80% of cases."""
    if error <= 0 or free < 1:
        return None
    from scipy.stats import t as student

    return float(student.ppf(0.975, free) + student.ppf(0.8, free)) * error


def _note(test: Test, runs: int, noun: str) -> str:
    if test.smallest > 0.05:
        return f"under-powered: with {runs} {noun} no p-value can fall below {test.smallest:.3g}"
    return ""
