"""Linear programmes with exact answers.

HiGHS (through scipy) proposes an optimal basis in floating point; solving that basis in rationals and checking primal
feasibility, dual feasibility and equality of the two objectives proves it optimal. Where the proof fails, because of
scale or degeneracy, exact pivots start from scratch (`society.analysis.pivots`).

Programmes over coalitions have tens of thousands of inequalities for a dozen variables, and nearly all are slack: they
are solved with some, and those that the solution breaks are added until it breaks none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from society.analysis.pivots import Unbounded, solve_exactly

Vector: TypeAlias = Sequence[int | Fraction]
Objects: TypeAlias = NDArray[np.object_]
"""Python's own numbers in an array."""

_TIGHT = 1e-7
_WORD = 2**61
"""Sums of whole numbers below this are exact in 64 bits."""
_FEW = 300
"""With so many inequalities a programme is solved at once; with more, row by row as they are needed."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """An optimal solution and its proof.

    Attributes:
        value: the objective.
        point: the variables.
        prices: the dual of each inequality, >= 0; one that is positive is tight in every optimal solution.
    """

    value: Fraction
    point: tuple[Fraction, ...]
    prices: tuple[Fraction, ...]


def minimise(
    cost: Vector,
    rows: Sequence[Vector],
    least: Vector,
    equal_rows: Sequence[Vector] = (),
    equal: Vector = (),
    *,
    near: Sequence[Fraction] | None = None,
) -> Optimum:
    """Minimise cost . y over free y with rows . y >= least and equal_rows . y == equal, exactly.

    `near` is a point that the solution may be close to: the search begins with the inequalities that are tightest there.

    Raises:
        ValueError: the programme has no solution or no bound.
    """
    system = _System.of(rows, least, width=len(cost))
    chosen = _first_rows(least) if near is None or len(rows) <= _FEW else system.tightest(near)
    while True:
        part = system.part(chosen) if len(chosen) < len(rows) else system
        try:
            best = _solved(cost, [rows[k] for k in chosen], [least[k] for k in chosen], equal_rows, equal, system=part)
        except Unbounded:
            if len(chosen) == len(rows):
                raise
            chosen = list(range(len(rows)))[:: max(1, len(rows) // (2 * len(chosen)))]
            continue
        broken = [] if part is system else system.broken(best.point).tolist()
        if not broken:
            prices = [Fraction(0)] * len(rows)
            for k, price in zip(chosen, best.prices, strict=True):
                prices[k] = price
            return Optimum(best.value, best.point, tuple(prices))
        chosen += broken[:_FEW]


def _first_rows(least: Vector) -> list[int]:
    """The inequalities to begin with: all of them if they are few, else the most demanding and the two ends."""
    if len(least) <= _FEW:
        return list(range(len(least)))
    part = _FEW // 3
    demanding = np.argsort([-float(low) for low in least], kind="stable")[:part].tolist()
    return sorted({*demanding, *range(part), *range(len(least) - part, len(least))})


@dataclass(frozen=True, slots=True)
class _System:
    """Inequalities in whole numbers: matrix @ y * parts >= bounds, in machine words where these hold all that can come."""

    matrix: NDArray[np.int64] | Objects
    bounds: NDArray[np.int64] | Objects
    parts: int

    @classmethod
    def of(cls, rows: Sequence[Vector], least: Vector, *, width: int) -> _System:
        """The same as rows . y >= least."""
        parts = lcm(*{Fraction(low).denominator for low in least})
        bounds = np.array([int(low * parts) for low in least], dtype=object)
        matrix = np.array(rows).reshape(len(rows), width)  # machine words where all are whole and short
        if matrix.dtype == np.int64 and max(map(abs, bounds.tolist()), default=0) < _WORD:
            return cls(matrix, bounds.astype(np.int64), parts)
        return cls(np.array(rows, dtype=object).reshape(len(rows), width), bounds, parts)

    def part(self, chosen: Sequence[int]) -> _System:
        """Some of the inequalities."""
        return _System(self.matrix[chosen], self.bounds[chosen], self.parts)

    def tightest(self, point: Sequence[Fraction]) -> list[int]:
        """The few inequalities with the least to spare at a point, about."""
        spare = (
            self.matrix.astype(np.float64) @ np.array(point, dtype=np.float64)
            - self.bounds.astype(np.float64) / self.parts
        )
        return sorted(np.argsort(spare, kind="stable")[:_FEW].tolist())

    def broken(self, point: Sequence[Fraction]) -> NDArray[np.int64]:
        """The inequalities that a point breaks, the worst first; exactly."""
        common = lcm(*(x.denominator for x in point))
        scaled = [int(x * common) * self.parts for x in point]
        matrix, bounds = self.matrix, self.bounds
        largest = max(int(np.abs(bounds).max()) * common, int(np.abs(matrix).max()) * sum(map(abs, scaled)))
        if matrix.dtype == object or largest >= _WORD:
            matrix, bounds = matrix.astype(object), bounds.astype(object)
            lacking = bounds * common - matrix @ np.array(scaled, dtype=object)
        else:
            lacking = bounds * common - matrix @ np.array(scaled, dtype=np.int64)
        broken = np.flatnonzero(lacking > 0)
        return broken[np.argsort([-float(x) for x in lacking[broken]], kind="stable")]


def _solved(
    cost: Vector, rows: Sequence[Vector], least: Vector, equal_rows: Sequence[Vector], equal: Vector, *, system: _System
) -> Optimum:
    proposed = _proposal(cost, rows, least, equal_rows, equal, system=system)
    if proposed is not None:
        return proposed
    value, point, prices = solve_exactly(cost, rows, least, equal_rows, equal)
    return Optimum(value, point, prices)


def _proposal(
    cost: Vector, rows: Sequence[Vector], least: Vector, equal_rows: Sequence[Vector], equal: Vector, *, system: _System
) -> Optimum | None:
    from scipy.optimize import linprog

    matrix = np.array(rows, dtype=np.float64)
    lower = np.array(least, dtype=np.float64)
    answer = linprog(
        np.array(cost, dtype=np.float64),
        A_ub=-matrix,
        b_ub=-lower,
        A_eq=np.array(equal_rows, dtype=np.float64) if equal_rows else None,
        b_eq=np.array(equal, dtype=np.float64) if equal_rows else None,
        bounds=(None, None),
        method="highs-ds",
    )
    if answer.status != 0:
        return None
    scale = max(1.0, float(np.abs(lower).max(initial=0)))
    tight = np.flatnonzero(matrix @ answer.x - lower <= _TIGHT * scale).tolist()
    priced = np.flatnonzero(-answer.ineqlin.marginals > _TIGHT).tolist()
    point = solve([*equal_rows, *(rows[k] for k in tight)], [*equal, *(least[k] for k in tight)])
    columns = [*(rows[k] for k in priced), *equal_rows]
    weights = solve([[column[j] for column in columns] for j in range(len(cost))], list(cost))
    if point is None or weights is None:
        return None
    value = dot(cost, point)
    bound = dot(weights, [*(least[k] for k in priced), *equal])
    if value != bound or any(weight < 0 for weight in weights[: len(priced)]):
        return None
    if len(system.broken(point)):
        return None
    prices = [Fraction(0)] * len(rows)
    for k, weight in zip(priced, weights, strict=False):
        prices[k] = weight
    return Optimum(value, tuple(point), tuple(prices))


def dot(a: Vector, b: Vector) -> Fraction:
    """The inner product, exactly."""
    return sum((Fraction(x * y) for x, y in zip(a, b, strict=True) if x and y), Fraction(0))


def solve(rows: Sequence[Vector], right: Vector) -> list[Fraction] | None:
    """The only solution of linear equations, or None if there is none or more than one."""
    width = len(rows[0]) if rows else 0
    reduced = echelon([[*row, value] for row, value in zip(rows, right, strict=True)])
    if len(reduced) != width or any(lead >= width for lead, _ in reduced):
        return None
    return [row[width] for _, row in sorted(reduced)]


def echelon(rows: Sequence[Vector]) -> list[tuple[int, list[Fraction]]]:
    """The reduced rows of a matrix that are not zero, each with the place of its leading 1."""
    found: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        rest = [Fraction(x) for x in row]
        for lead, known in found:
            if rest[lead]:
                factor = rest[lead]
                rest = [x - factor * y for x, y in zip(rest, known, strict=True)]
        lead = next((place for place, x in enumerate(rest) if x), -1)
        if lead < 0:
            continue
        scaled = [x / rest[lead] for x in rest]
        found = [
            (place, [x - known[lead] * y for x, y in zip(known, scaled, strict=True)] if known[lead] else known)
            for place, known in found
        ]
        found.append((lead, scaled))
    return found
