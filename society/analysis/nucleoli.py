"""The nucleolus: the payment that makes the largest complaint as small as possible, then the next largest, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from society.analysis.cores import excess, indicator
from society.analysis.programmes import echelon, minimise, solve
from society.analysis.worth import Worth, inexact, proper, tabulate, told
from society.core.exact import Number


def nucleolus(n: int, value: Worth) -> tuple[Number, ...] | None:
    """The nucleolus of a game [Schmeidler1969]_, exactly.

    None if the agents could get more alone than together, since nobody can then be paid what it could get alone; the
    `prenucleolus` exists always.
    """
    table = tabulate(n, value)
    if table[-1] < sum(table[1 << agent] for agent in range(n)):
        return None
    return told(_lexicographic(n, table, rational=True), as_floats=inexact(n, value))


def prenucleolus(n: int, value: Worth) -> tuple[Number, ...]:
    """The nucleolus without the demand that nobody is paid less than it could get alone."""
    return told(_lexicographic(n, tabulate(n, value), rational=False), as_floats=inexact(n, value))


class _Span:
    """The linear span of some coalitions, grown one by one."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, list[Fraction]]] = []

    @property
    def rank(self) -> int:
        return len(self.rows)

    def holds(self, vector: Sequence[int]) -> bool:
        return bool(self.held(np.array([vector], dtype=np.int64))[0])

    def held(self, vectors: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of many 0/1 vectors, one a row, lie in the span: those at right angles to all that is.

        Whole numbers suffice: the entries of a normal are minors of a 0/1 matrix of at most 16 rows.
        """
        n = vectors.shape[1]
        leads = {lead for lead, _ in self.rows}
        normals = []
        for free in (place for place in range(n) if place not in leads):
            normal = [Fraction(int(place == free)) for place in range(n)]
            for lead, row in self.rows:
                normal[lead] = -row[free]
            common = lcm(*(x.denominator for x in normal))
            normals.append([int(x * common) for x in normal])
        if not normals:
            return np.ones(len(vectors), dtype=bool)
        return np.asarray((vectors @ np.array(normals, dtype=np.int64).T == 0).all(axis=1))

    def add(self, vector: Sequence[int]) -> bool:
        """True if the vector was new."""
        if self.holds(vector):
            return False
        self.rows = echelon([*(row for _, row in self.rows), vector])
        return True


def _lexicographic(n: int, table: list[Fraction], *, rational: bool) -> list[Fraction]:
    """A sequence of linear programmes; each fixes the coalitions whose price is positive.

    Those are tight in every optimal solution, and their prices add up to 1, so each programme fixes at least one
    coalition that did not follow from the ones before: at most n - 1 programmes.
    """
    span = _Span()
    fixed_rows: list[list[int]] = []
    fixed: list[Fraction] = []

    def fix(vector: list[int], paid: Fraction) -> None:
        if span.add(vector):
            fixed_rows.append(vector)
            fixed.append(paid)

    fix([1] * n, table[-1])
    open_masks = list(proper(n))
    inside = np.array([indicator(mask, n) for mask in range(1 << n)], dtype=np.int64)
    near: Sequence[Fraction] | None = None
    while span.rank < n:
        masks = np.array(open_masks)
        open_masks = masks[~span.held(inside[masks])].tolist()
        alone = [agent for agent in range(n) if rational and not span.holds(indicator(1 << agent, n))]
        best = minimise(
            cost=[*([0] * n), 1],
            rows=[[*indicator(m, n), 1] for m in open_masks] + [[*indicator(1 << a, n), 0] for a in alone],
            least=[*(table[m] for m in open_masks), *(table[1 << a] for a in alone)],
            equal_rows=[[*row, 0] for row in fixed_rows],
            equal=fixed,
            near=near,
        )
        near = best.point
        for mask, price in zip(open_masks, best.prices, strict=False):
            if price > 0:
                fix(indicator(mask, n), table[mask] - best.value)
        for agent, price in zip(alone, best.prices[len(open_masks) :], strict=True):
            if price > 0:
                fix(indicator(1 << agent, n), table[1 << agent])
    paid = solve(fixed_rows, fixed)
    assert paid is not None, "n independent equations have one solution"
    return paid


def kohlberg(n: int, value: Worth, payment: Sequence[Number], *, rational: bool = True) -> bool:
    """Whether a payment is the nucleolus, by Kohlberg's criterion [Kohlberg1971]_: a check by another road.

    For every level, the coalitions whose excess reaches it must be balanced: no shift of payments, among those that
    take nothing from an agent who gets just what it could get alone, helps one of them and hurts none.

    Args:
        n: how many agents.
        value: what a coalition is worth.
        payment: what each agent gets.
        rational: False to check for the prenucleolus.
    """
    table = tabulate(n, value)
    exact = tuple(Fraction(x) for x in payment)
    if len(exact) != n:
        raise ValueError(f"a payment to each of {n} agents is needed, not {len(exact)}")
    if sum(exact) != table[-1] or (rational and any(exact[a] < table[1 << a] for a in range(n))):
        return False
    tight = [indicator(1 << a, n) for a in range(n) if rational and exact[a] == table[1 << a]]
    levels: dict[Fraction, list[list[int]]] = {}
    for mask in proper(n):
        levels.setdefault(excess(table, exact, mask), []).append(indicator(mask, n))
    span, top = _Span(), list[list[int]]()
    span.add([1] * n)
    for level in sorted(levels, reverse=True):
        reached = levels[level]
        top += reached
        grew = [span.add(vector) for vector in reached]
        if any(grew) and not _balanced(n, top, tight):
            return False
        if span.rank == n:
            return True
    return True


def _balanced(n: int, top: list[list[int]], tight: list[list[int]]) -> bool:
    """No shift y with y(N) = 0 and y >= 0 on all of `top` and `tight` is positive anywhere on `top`."""
    total = [-sum(column) for column in zip(*top, strict=True)]
    capped = [[-x for x in vector] for vector in top]
    best = minimise(
        cost=total,
        rows=[*top, *tight, *capped],
        least=[*([0] * len(top)), *([0] * len(tight)), *([-1] * len(top))],
        equal_rows=[[1] * n],
        equal=[0],
    )
    return best.value == 0
