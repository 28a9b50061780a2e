"""Payments that no coalition can better: the core and the least core."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from society.analysis.programmes import Optimum, minimise
from society.analysis.worth import Worth, inexact, members, proper, tabulate, told
from society.core.exact import Number, tidy


@dataclass(frozen=True, slots=True)
class LeastCore:
    """The payments that leave the worst-treated coalition as content as possible.

    Attributes:
        epsilon: its excess v(S) - x(S); negative if every coalition gets more than it could alone. None for one agent.
        point: one such payment.
    """

    epsilon: Number | None
    point: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Core:
    """Whether some payment leaves no coalition better off alone.

    Attributes:
        exists: the core is not empty.
        point: a payment in it, or None.
        needed: the least total that would satisfy every proper coalition; the core exists iff it is at most v(N)
            [Bondareva1963]_ [Shapley1967]_.
    """

    exists: bool
    point: tuple[Number, ...] | None
    needed: Number


def indicator(mask: int, n: int) -> list[int]:
    """The 0/1 vector of a coalition."""
    return [mask >> agent & 1 for agent in range(n)]


def least_core(n: int, value: Worth) -> LeastCore:
    """Minimise e subject to x(N) = v(N) and x(S) >= v(S) - e for every proper coalition [Maschler1979]_."""
    table, floats = tabulate(n, value), inexact(n, value)
    if n == 1:
        return LeastCore(None, told([table[1]], as_floats=floats))
    best = _least_excess(n, table)
    (epsilon,) = told([best.value], as_floats=floats)
    return LeastCore(epsilon, told(best.point[:n], as_floats=floats))


def _least_excess(n: int, table: list[Fraction]) -> Optimum:
    return minimise(
        cost=[*([0] * n), 1],
        rows=[[*indicator(mask, n), 1] for mask in proper(n)],
        least=[table[mask] for mask in proper(n)],
        equal_rows=[[*([1] * n), 0]],
        equal=[table[-1]],
    )


def core(n: int, value: Worth) -> Core:
    """Whether the core exists, and a payment in it: x(N) = v(N) and x(S) >= v(S) for all S [Gillies1959]_."""
    table, floats = tabulate(n, value), inexact(n, value)
    if n == 1:
        (alone,) = told([table[1]], as_floats=floats)
        return Core(True, (alone,), alone)
    cheapest = minimise([1] * n, [indicator(mask, n) for mask in proper(n)], [table[mask] for mask in proper(n)])
    (needed,) = told([cheapest.value], as_floats=floats)
    if cheapest.value > table[-1]:
        return Core(False, None, needed)
    rest = (table[-1] - cheapest.value) / n
    return Core(True, told([x + rest for x in cheapest.point], as_floats=floats), needed)


def excess(table: list[Fraction], payment: tuple[Fraction, ...], mask: int) -> Fraction:
    """What a coalition could get alone, less what it is paid."""
    return table[mask] - sum((payment[agent] for agent in members(mask)), Fraction(0))


def in_core(n: int, value: Worth, payment: tuple[Number, ...]) -> bool:
    """Whether a payment is in the core."""
    table = tabulate(n, value)
    exact = tuple(Fraction(x) for x in payment)
    return tidy(sum(exact)) == tidy(table[-1]) and all(excess(table, exact, mask) <= 0 for mask in proper(n))
