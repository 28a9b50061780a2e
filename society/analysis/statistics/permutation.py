"""Tests of no difference: exact where that is cheap, and right with ties."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from society.analysis.statistics.sample import RESAMPLES, TIE, portions, sample_of
from society.core.exact import Number

EXACT_PAIRS = 16
"""Up to how many pairs all 2^n flips are looked at."""
EXACT_SPLITS = 50_000
"""Up to how many divisions into two groups all are looked at."""


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


def sign_flip_test(differences: Sequence[Number], *, seed: int = 0, scale: float = 0.0) -> Test:
    """Whether paired differences centre on 0: how many flips of signs give a mean as far from 0 [Fisher1935]_.

    Exact up to 16 pairs; ties, zero differences among them, are counted as at least as far. `scale` is the size of the values
    that the differences are of: what is smaller than their rounding is a tie.
    """
    sample = np.sort(sample_of(differences))  # so that the order of runs changes nothing
    n = len(sample)
    observed = abs(float(sample.sum()))
    bar = observed - TIE * max(float(np.abs(sample).sum()), n * scale)
    if n <= EXACT_PAIRS:
        sums = np.zeros(1)
        for value in sample:
            sums = np.concatenate([sums - value, sums + value])
        return Test(float((np.abs(sums) >= bar).mean()), "sign-flip test", True, min(1.0, 2.0 ** (1 - n)))
    rng, hits = np.random.default_rng(seed), 0
    for size in portions(RESAMPLES, n):
        bits = rng.integers(256, size=(size, -(-n // 8)), dtype=np.uint8)
        positive = np.unpackbits(bits, axis=1)[:, :n].astype(np.float64)
        hits += int((np.abs(2 * (positive @ sample) - sample.sum()) >= bar).sum())
    return Test((hits + 1) / (RESAMPLES + 1), "sign-flip test", False, 1 / (RESAMPLES + 1))


def permutation_test(first: Sequence[Number], second: Sequence[Number], *, seed: int = 0) -> Test:
    """Whether two independent samples differ in their means: how many divisions of all values differ as much.

    Exact while there are at most 50,000 divisions; ties count as at least as much.
    """
    a, b = sample_of(first), sample_of(second)
    every = np.concatenate([np.sort(a), np.sort(b)])  # so that the order of runs changes nothing
    centred = every - every.mean()
    bar = abs(float(centred[: len(a)].sum())) - TIE * float(np.abs(every).sum())
    count = math.comb(len(every), len(a))
    if count <= EXACT_SPLITS:
        chosen = np.array(list(itertools.combinations(range(len(every)), len(a))))
        sums = np.abs(centred[chosen].sum(axis=1))
        smallest = (2 if len(a) == len(b) else 1) / count
        return Test(float((sums >= bar).mean()), "permutation test", True, min(1.0, smallest))
    rng, hits = np.random.default_rng(seed), 0
    for size in portions(RESAMPLES, len(every)):
        shuffled = rng.permuted(np.broadcast_to(centred, (size, len(every))), axis=1)[:, : len(a)]
        hits += int((np.abs(shuffled.sum(axis=1)) >= bar).sum())
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
