"""Weighted votes: how many coalitions of each size an agent turns into winning ones.

Coalitions are counted by weight and size through the generating function prod (1 + y x^w). The counts of all sizes of one
weight are packed into one whole number, a field of n + 1 bits for each size, so that joining an agent is a shift and a sum.
Taking an agent out again is the division by its factor, so that the product is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from society.core.exact import Number


def swings(quota: Number, weights: Sequence[Number]) -> list[list[int]]:
    """For each agent, by size from 0, how many coalitions of the others lose without it and win with it.

    Raises:
        ValueError: no weights, or a negative one.
    """
    if not weights:
        raise ValueError("a vote needs at least one weight")
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight cannot be negative")
    common = lcm(*(Fraction(x).denominator for x in (quota, *weights)))
    whole = [int(Fraction(weight) * common) for weight in weights]
    needed, n = int(Fraction(quota) * common), len(whole)
    losing = _by_weight(whole, needed, n + 1)
    found: dict[int, list[int]] = {}
    for weight in set(whole):
        packed = 0
        if weight:
            others: dict[int, int] = {}
            for total in sorted(losing):
                others[total] = losing[total] - (others.get(total - weight, 0) << n + 1)
            packed = sum(count for total, count in others.items() if total >= needed - weight)
        found[weight] = [packed >> size * (n + 1) & (1 << n + 1) - 1 for size in range(n)]
    return [found[weight] for weight in whole]


def _by_weight(weights: Sequence[int], below: int, width: int) -> dict[int, int]:
    """By total weight under `below`, the packed counts of coalitions by size."""
    counts = {0: 1} if below > 0 else {}
    for weight in weights:
        joined = dict(counts)
        for total, count in counts.items():
            if total + weight < below:
                joined[total + weight] = joined.get(total + weight, 0) + (count << width)
        counts = joined
    return counts
