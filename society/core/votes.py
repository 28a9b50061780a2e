"""Weighted votes as simple games: who can pass a motion, and how power is spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm

from society.core.exact import Number


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote by which rules can be changed: the votes of each seat, and how many are needed."""

    quota: Number
    weights: tuple[Number, ...]

    def won_by(self, seats: Iterable[int]) -> bool:
        """Whether these seats can change the rules alone."""
        return wins(self.quota, self.weights, seats)


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
    """The normalised Banzhaf index of each seat in one vote [Banzhaf1965]_, exactly; all zero where nobody is decisive."""
    return power_index((Ballot(quota, tuple(weights)),), len(weights))


def power_index(ballots: Sequence[Ballot], n: int) -> tuple[Fraction, ...]:
    """The normalised Banzhaf index of each of n seats where a coalition wins that wins any of the votes.

    Counts the coalitions of the others that lose without the seat and win with it, by their votes, so that it takes time in
    the number of different sums, not of coalitions.
    """
    swings = []
    for seat in range(n):
        sums: dict[tuple[Number, ...], int] = {(0,) * len(ballots): 1}
        for other in range(n):
            if other == seat:
                continue
            longer = dict(sums)
            for totals, count in sums.items():
                more = tuple(min(b.quota, t + b.weights[other]) for b, t in zip(ballots, totals, strict=True))
                longer[more] = longer.get(more, 0) + count
            sums = longer
        swings.append(sum(count for totals, count in sums.items() if _decisive(ballots, totals, seat)))
    whole = sum(swings)
    return tuple(Fraction(count, whole) if whole else Fraction(0) for count in swings)


def _decisive(ballots: Sequence[Ballot], totals: Sequence[Number], seat: int) -> bool:
    lost = all(total < ballot.quota for ballot, total in zip(ballots, totals, strict=True))
    return lost and any(t + b.weights[seat] >= b.quota for b, t in zip(ballots, totals, strict=True))


def smallest_winning(ballots: Sequence[Ballot], seats: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """The coalitions among these seats that win and lose without any one of their members; smaller ones first."""
    found: list[tuple[int, ...]] = []
    among = sorted(set(seats))
    for size in range(1, len(among) + 1):
        for group in combinations(among, size):
            if any(b.won_by(group) for b in ballots) and not any(set(small) <= set(group) for small in found):
                found.append(group)
    return tuple(found)


def concentration(shares: Sequence[Number]) -> Number:
    """The Herfindahl index: the sum of the squared shares; 1/n when even, 1 when one has all [Herfindahl1950]_."""
    return sum(share * share for share in shares)
