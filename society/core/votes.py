"""Weighted votes as simple games: who can pass a motion, and how power is spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm

from society.core.exact import Number


def wins(quota: Number, weights: Sequence[Number], seats: Iterable[int]) -> bool:
    """Whether these seats together reach the quota."""
    return sum(weights[seat] for seat in set(seats)) >= quota


def majority(weights: Sequence[Number]) -> Number:
    """The smallest quota of whole votes that is more than half of them; for broken weights, just more than half cannot be
    said, and half of them plus the smallest weight's unit stands.
    """
    total = sum(weights)
    unit = Fraction(1, lcm(*(Fraction(weight).denominator for weight in weights)))
    return unit * (Fraction(total) / unit // 2 + 1)


def banzhaf(quota: Number, weights: Sequence[Number]) -> tuple[Fraction, ...]:
    """The normalised Banzhaf index of each seat [Banzhaf1965]_, exactly; all zero where nobody is ever decisive.

    Counts the coalitions of the others that lose without the seat and win with it, by their weight, so that it takes
    time in the number of different sums, not of coalitions.
    """
    swings = []
    for seat, own in enumerate(weights):
        sums: dict[Number, int] = {0: 1}
        for other, weight in enumerate(weights):
            if other != seat:
                longer = dict(sums)
                for total, count in sums.items():
                    longer[total + weight] = longer.get(total + weight, 0) + count
                sums = longer
        swings.append(sum(count for total, count in sums.items() if total < quota <= total + own))
    whole = sum(swings)
    return tuple(Fraction(count, whole) if whole else Fraction(0) for count in swings)


def concentration(shares: Sequence[Number]) -> Number:
    """The Herfindahl index: the sum of the squared shares; 1/n when even, 1 when one has all [Herfindahl1950]_."""
    return sum(share * share for share in shares)
