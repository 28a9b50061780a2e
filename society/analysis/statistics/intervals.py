"""How well a number of a sample is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from society.analysis.statistics.sample import RESAMPLES, TIE, Floats, portions, sample_of, spread_of
from society.core.exact import Number


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


def mean_interval(values: Sequence[Number], *, level: float = 0.95) -> Interval:
    """The mean with Student's t interval [Student1908]_.

    Raises:
        ValueError: no values.
    """
    sample = sample_of(values)
    mean = float(sample.mean())
    if len(sample) < 2:
        return Interval(mean, None, None, level, "t interval")
    from scipy.stats import t as student

    half = float(student.ppf((1 + level) / 2, len(sample) - 1)) * spread_of(sample) / math.sqrt(len(sample))
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
        seed: of the generator that draws them, ``numpy.random.default_rng(seed).integers(n, size=(resamples, n))``: the
            draws, and but for rounding the interval, of ``scipy.stats.bootstrap`` with that generator and the sorted sample.
    """
    sample = np.sort(sample_of(values))  # so that the order of runs changes nothing
    measure = statistic or (lambda rows: np.asarray(rows.mean(axis=-1)))
    estimate = float(measure(sample[None, :])[0])
    method = f"BCa bootstrap, {resamples} resamples"
    if len(sample) < 2:
        return Interval(estimate, None, None, level, method)
    if spread_of(sample) == 0:
        return Interval(estimate, estimate, estimate, level, method)
    from scipy.stats import norm

    rng, n = np.random.default_rng(seed), len(sample)
    resampled = np.sort(np.concatenate([measure(sample[rng.integers(n, size=(k, n))]) for k in portions(resamples, n)]))
    tie = TIE * max(abs(estimate), float(np.abs(sample).max()))  # sums of the same numbers differ with their order
    below = float((resampled < estimate - tie).sum() + (resampled <= estimate + tie).sum()) / (2 * resamples)
    bias = float(norm.ppf(min(max(below, 0.5 / resamples), 1 - 0.5 / resamples)))
    left_out = _without_each(sample, measure)
    lean = left_out.mean() - left_out
    spread = float((lean**2).sum())
    accelerated = float((lean**3).sum()) / (6 * spread**1.5) if spread else 0.0

    def end(share: float) -> float:
        z = bias + float(norm.ppf(share))
        return float(np.quantile(resampled, float(norm.cdf(bias + z / (1 - accelerated * z)))))

    return Interval(estimate, end((1 - level) / 2), end((1 + level) / 2), level, method)


def _without_each(sample: Floats, measure: Callable[[Floats], Floats]) -> Floats:
    """The statistic of all values but one, for each of them."""
    rest, found, start = np.arange(len(sample) - 1), [], 0
    for size in portions(len(sample), len(sample)):
        left = np.arange(start, start + size)[:, None]
        found.append(measure(sample[rest + (rest >= left)]))
        start += size
    return np.concatenate(found)
