"""The simplex method in rationals, with Bland's rule so that it always ends [Bland1977]_.

Slow and certain: it is used where an answer in floating point could not be proved optimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Vector = Sequence[int | Fraction]


class Unbounded(ValueError):
    """A linear programme whose objective falls without end."""


def solve_exactly(
    cost: Vector, rows: Sequence[Vector], least: Vector, equal_rows: Sequence[Vector] = (), equal: Vector = ()
) -> tuple[Fraction, tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Minimise cost . y over free y with rows . y >= least and equal_rows . y == equal.

    Works on the dual: maximise least . p + equal . q with rows' p + equal_rows' q == cost, p >= 0 and q free, which has
    as many equations as there are variables here.

    Returns:
        The value, an optimal point and the prices p of the inequalities.

    Raises:
        ValueError: the programme has no solution.
        Unbounded: it has no bound.
    """
    columns = [*rows, *equal_rows, *([-x for x in row] for row in equal_rows)]
    gains = [*least, *equal, *(-x for x in equal)]
    height, width = len(cost), len(columns)
    # one artificial column for each equation, so that there is a basis to start from
    table = [[Fraction(column[i]) for column in columns] for i in range(height)]
    for i in range(height):
        sign = -1 if cost[i] < 0 else 1
        table[i] = [
            *(sign * x for x in table[i]),
            *(Fraction(sign * (i == j)) for j in range(height)),
            Fraction(sign * cost[i]),
        ]
    # the artificial columns keep the signs of the equations, so that they carry the dual of the dual: the point y
    for i in range(height):
        for j in range(height):
            table[i][width + j] = Fraction(int(i == j))
    signs = [-1 if x < 0 else 1 for x in cost]
    basis = list(range(width, width + height))
    _pivot(table, basis, [Fraction(0)] * width + [Fraction(-1)] * height, width + height)
    if any(b >= width and table[i][-1] != 0 for i, b in enumerate(basis)):
        raise Unbounded("the linear programme has no bound")
    full = [Fraction(x) for x in gains] + [Fraction(0)] * height
    if not _pivot(table, basis, full, width):
        raise ValueError("the linear programme has no solution")
    used = [full[b] for b in basis]
    value = sum((g * row[-1] for g, row in zip(used, table, strict=True)), Fraction(0))
    point = tuple(
        signs[j] * sum((g * row[width + j] for g, row in zip(used, table, strict=True)), Fraction(0))
        for j in range(height)
    )
    prices = [Fraction(0)] * len(rows)
    for i, b in enumerate(basis):
        if b < len(rows):
            prices[b] = table[i][-1]
    return value, point, tuple(prices)


def _pivot(table: list[list[Fraction]], basis: list[int], gains: Sequence[Fraction], allowed: int) -> bool:
    """Maximise gains over the columns below `allowed`; False if there is no bound."""
    while True:
        used = [(gains[b], row) for b, row in zip(basis, table, strict=True) if gains[b]]
        inside = set(basis)
        entering = next(
            (
                j
                for j in range(allowed)
                if j not in inside and gains[j] > sum((g * row[j] for g, row in used if row[j]), Fraction(0))
            ),
            None,
        )
        if entering is None:
            return True
        ratios = [(row[-1] / row[entering], basis[i], i) for i, row in enumerate(table) if row[entering] > 0]
        # an artificial column that stays in the basis at zero must leave rather than grow negative
        ratios += [
            (Fraction(0), basis[i], i)
            for i, row in enumerate(table)
            if basis[i] >= allowed and row[-1] == 0 and row[entering] < 0
        ]
        if not ratios:
            return False
        _, _, leaving = min(ratios)
        pivot = table[leaving][entering]
        table[leaving] = [x / pivot for x in table[leaving]]
        for i, row in enumerate(table):
            if i != leaving and row[entering]:
                factor = row[entering]
                table[i] = [x - factor * y if y else x for x, y in zip(row, table[leaving], strict=True)]
        basis[leaving] = entering
