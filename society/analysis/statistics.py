"""Comparing runs: the run is the unit, runs with the same seed are pairs, and every interval and test says its name.

mean_interval, bca_interval           how well a mean is known
sign_flip_test, permutation_test      exact where that is cheap, and right with ties
compare                               two arms, paired by seed
holm                                  several tests at once
survival_curve                        how long commons last, runs cut short included
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from society.core.exact import Number
from society.core.markup import html_table
from society.metrics.rates import Rate, wilson

__all__ = ["Comparison", "Interval", "Rate", "Test", "bca_interval", "cliffs_delta", "compare", "hedges_g", "holm",
           "mean_interval", "permutation_test", "sign_flip_test", "survival_curve", "wilson"]  # fmt: skip

EXACT_PAIRS = 16
"""Up to how many pairs all 2^n flips are looked at."""
EXACT_SPLITS = 50_000
"""Up to how many divisions into two groups all are looked at."""
RESAMPLES = 9_999
_TIE = 1e-10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval for a mean, or for another number of a sample.

    Attributes:
        value: the estimate.
        low, high: the ends; None where the sample is too small to say.
        level: coverage aimed at.
        method: how it was made.
    """

    value: float
    low: float | None
    high: float | None
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Test:
    """A test of no difference, two-sided.

    Attributes:
        p: the p-value.
        method: the name of the test.
        exact: every arrangement was looked at; else `RESAMPLES` random ones, with the observed one added.
        smallest: the smallest p-value this test could have given with so many runs.
    """

    __test__ = False  # no test for pytest to collect

    p: float
    method: str
    exact: bool
    smallest: float


def mean_interval(values: Sequence[Number], *, level: float = 0.95) -> Interval:
    """The mean with Student's t interval [Student1908]_.

    Raises:
        ValueError: no values.
    """
    sample = _sample(values)
    mean = float(sample.mean())
    if len(sample) < 2:
        return Interval(mean, None, None, level, "t interval")
    from scipy.stats import t as student

    half = float(student.ppf((1 + level) / 2, len(sample) - 1)) * float(sample.std(ddof=1)) / math.sqrt(len(sample))
    return Interval(mean, mean - half, mean + half, level, "t interval")


def bca_interval(
    values: Sequence[Number],
    statistic: Callable[[Floats], Floats] | None = None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """A bias-corrected and accelerated bootstrap interval [Efron1987]_, of the mean unless told otherwise.

    Args:
        values: the sample.
        statistic: from an array to a number for each of its rows (the last axis is the sample).
        level: coverage aimed at.
        resamples: how many samples are drawn with replacement.
        seed: of the generator that draws them.
    """
    sample = _sample(values)
    measure = statistic or (lambda rows: np.asarray(rows.mean(axis=-1)))
    estimate = float(measure(sample[None, :])[0])
    method = f"BCa bootstrap, {resamples} resamples"
    if len(sample) < 2:
        return Interval(estimate, None, None, level, method)
    if np.ptp(sample) == 0:
        return Interval(estimate, estimate, estimate, level, method)
    from scipy.stats import norm

    draws = np.random.default_rng(seed).integers(len(sample), size=(resamples, len(sample)))
    resampled = np.sort(measure(sample[draws]))
    below = float((resampled < estimate).sum() + 0.5 * (resampled == estimate).sum()) / resamples
    bias = float(norm.ppf(min(max(below, 0.5 / resamples), 1 - 0.5 / resamples)))
    keep = ~np.eye(len(sample), dtype=bool)
    left_out = measure(np.broadcast_to(sample, keep.shape)[keep].reshape(len(sample), -1))
    lean = left_out.mean() - left_out
    spread = float((lean**2).sum())
    accelerated = float((lean**3).sum()) / (6 * spread**1.5) if spread else 0.0

    def end(share: float) -> float:
        z = bias + float(norm.ppf(share))
        return float(np.quantile(resampled, float(norm.cdf(bias + z / (1 - accelerated * z)))))

    return Interval(estimate, end((1 - level) / 2), end((1 + level) / 2), level, method)


def sign_flip_test(differences: Sequence[Number], *, seed: int = 0) -> Test:
    """Whether paired differences centre on 0: how many flips of signs give a mean as far from 0 [Fisher1935]_.

    Exact up to 16 pairs; ties, zero differences among them, are counted as at least as far.
    """
    sample = _sample(differences)
    n = len(sample)
    observed = abs(float(sample.sum()))
    bar = observed - _TIE * max(1.0, float(np.abs(sample).sum()))
    if n <= EXACT_PAIRS:
        sums = np.zeros(1)
        for value in sample:
            sums = np.concatenate([sums - value, sums + value])
        return Test(float((np.abs(sums) >= bar).mean()), "sign-flip test", True, min(1.0, 2.0 ** (1 - n)))
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(RESAMPLES, n))
    hits = int((np.abs(signs @ sample) >= bar).sum())
    return Test((hits + 1) / (RESAMPLES + 1), "sign-flip test", False, 1 / (RESAMPLES + 1))


def permutation_test(first: Sequence[Number], second: Sequence[Number], *, seed: int = 0) -> Test:
    """Whether two independent samples differ in their means: how many divisions of all values differ as much.

    Exact while there are at most 50,000 divisions; ties count as at least as much.
    """
    a, b = _sample(first), _sample(second)
    every = np.concatenate([a, b])
    centred = every - every.mean()
    bar = abs(float(centred[: len(a)].sum())) - _TIE * max(1.0, float(np.abs(every).sum()))
    count = math.comb(len(every), len(a))
    if count <= EXACT_SPLITS:
        chosen = np.array(list(itertools.combinations(range(len(every)), len(a))))
        sums = np.abs(centred[chosen].sum(axis=1))
        smallest = (2 if len(a) == len(b) else 1) / count
        return Test(float((sums >= bar).mean()), "permutation test", True, min(1.0, smallest))
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(centred, (RESAMPLES, len(every))), axis=1)[:, : len(a)]
    hits = int((np.abs(shuffled.sum(axis=1)) >= bar).sum())
    return Test((hits + 1) / (RESAMPLES + 1), "permutation test", False, 1 / (RESAMPLES + 1))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted so that any false one among a family is as rare as promised [Holm1979]_."""
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, k in enumerate(order):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = reached
    return tuple(adjusted)


def cliffs_delta(first: Sequence[Number], second: Sequence[Number]) -> float:
    """How much more often a value of the second sample is larger than smaller: -1 to 1, ties count for neither."""
    a, b = _sample(first), _sample(second)
    return float(np.sign(b[:, None] - a[None, :]).mean())


def hedges_g(first: Sequence[Number], second: Sequence[Number]) -> float | None:
    """Difference of means (second minus first) in pooled standard deviations, corrected for small samples
    [Hedges1981]_. None if nothing varies or there are fewer than two values a side.
    """
    a, b = _sample(first), _sample(second)
    free = len(a) + len(b) - 2
    if len(a) < 2 or len(b) < 2:
        return None
    pooled = math.sqrt(((len(a) - 1) * float(a.var(ddof=1)) + (len(b) - 1) * float(b.var(ddof=1))) / free)
    return (1 - 3 / (4 * free - 1)) * float(b.mean() - a.mean()) / pooled if pooled else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms, second minus first.

    Attributes:
        paired: runs were matched by seed; else the arms share no seeds and are two independent samples.
        runs: pairs, or runs of both arms together.
        left_out: runs without a partner or without a value.
        first, second: means of the runs that entered.
        difference: mean difference with its t interval; bootstrap: the same with a BCa interval (paired only).
        test: of no difference.
        effect: standardised difference, named by `effect_name`; None where nothing varies.
        detectable: the difference that 80% of such comparisons would find at 5%; None where nothing varies.
        note: what limits the comparison, or empty.
    """

    paired: bool
    runs: int
    left_out: int
    first: float
    second: float
    difference: Interval
    bootstrap: Interval | None
    test: Test
    effect: float | None
    effect_name: str
    detectable: float | None
    note: str

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
    gaps = [y - x for x, y in zip(a, b, strict=True)]
    test = sign_flip_test(gaps)
    spread = float(np.std(gaps, ddof=1)) if len(gaps) > 1 else 0.0
    return Comparison(
        paired=True,
        runs=len(gaps),
        left_out=left_out,
        first=float(np.mean(a)),
        second=float(np.mean(b)),
        difference=mean_interval(gaps, level=level),
        bootstrap=bca_interval(gaps, level=level),
        test=test,
        effect=float(np.mean(gaps)) / spread if spread else None,
        effect_name="Cohen's d of the differences",
        detectable=_detectable(spread / math.sqrt(len(gaps)), len(gaps) - 1),
        note=_note(test, len(gaps), "pairs"),
    )


def _independent(a: list[float], b: list[float], left_out: int, level: float) -> Comparison:
    test = permutation_test(a, b)
    gap = float(np.mean(b) - np.mean(a))
    low = high = detectable = None
    if len(a) > 1 and len(b) > 1:
        from scipy.stats import t as student

        parts = (float(np.var(a, ddof=1)) / len(a), float(np.var(b, ddof=1)) / len(b))
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
        bootstrap=None,
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


@dataclass(frozen=True, slots=True)
class Survival:
    """A step of a survival curve: the share that lived beyond `time`, of those at risk then."""

    time: float
    at_risk: int
    ended: int
    share: float
    low: float
    high: float


def survival_curve(times: Sequence[Number], ended: Sequence[bool], *, level: float = 0.95) -> tuple[Survival, ...]:
    """The Kaplan-Meier estimate [KaplanMeier1958]_ with log-log intervals (Greenwood's variance).

    Args:
        times: how many rounds each run lived, or was watched.
        ended: True where it collapsed then; False where it was only watched so long.
        level: coverage of the pointwise intervals.

    Raises:
        ValueError: the two differ in length.
    """
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    share, variance, steps = 1.0, 0.0, []
    for time in sorted({float(t) for t, over in zip(times, ended, strict=True) if over}):
        at_risk = sum(float(t) >= time for t in times)
        deaths = sum(float(t) == time and over for t, over in zip(times, ended, strict=True))
        share *= 1 - deaths / at_risk
        if share <= 0:
            steps.append(Survival(time, at_risk, deaths, 0.0, 0.0, 0.0))
            break
        variance += deaths / (at_risk * (at_risk - deaths))
        half = z * math.sqrt(variance) / abs(math.log(share))
        steps.append(Survival(time, at_risk, deaths, share, share ** math.exp(half), share ** math.exp(-half)))
    return tuple(steps)


def _sample(values: Sequence[Number]) -> Floats:
    if not len(values):
        raise ValueError("a statistic needs at least one value")
    return np.array([float(value) for value in values])
