r"""Whose behaviour the surprise is: the Shapley value of revealing who really did what.

For one agent, let those in a set S play what they did and the rest what was predicted of them:
v(S) = W3 - U(done, (done_S, predicted_-S)). Then v(nobody) = 0, v(all) = surprise, and agent j carries

    share_j = sum over S without j of |S|! (k-1-|S|)! / k! * (v(S + j) - v(S))          [Shapley1953]_

The shares add up to the surprise exactly, and whoever was predicted exactly carries 0; only the others count in k. Up to a
dozen of them every set is tried. Beyond that random orders are drawn, each with its reverse [Mitchell2022]_, whose marginals
add up to the surprise as well, so that the estimates do too [Castro2009]_.

A share is accounting, not guilt: it says neither who caused what in a legal sense nor what would deter it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import atan, cos, factorial, pi, sin, sqrt
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from society.core.columns import Column, Whole
from society.core.exact import Number, tidy
from society.core.seeds import Noise

Sets: TypeAlias = NDArray[np.bool_]
"""Sets of players, one a row: True where a player belongs to it."""
Worth: TypeAlias = Callable[[Sets], Column]

EXACT_PLAYERS = 12
"""Up to this many surprising agents every set is tried: 4096 simulated rounds."""
ORDERS = 400
"""Random orders otherwise: half of them drawn, half their reverses."""
_FIRST_LOOK = 25
"""Pairs of orders before the first thought of stopping early."""


@dataclass(frozen=True)
class Attribution:
    """How one agent's surprise is divided among the others.

    Attributes:
        method: exact, or sampled.
        shares: in seat order, in units of the yardstick; None at the agent's own seat. They add up to the surprise.
        errors: standard errors in seat order, from the means of pairs of orders; None where the method is exact.
        half_widths: of 95 % confidence intervals (Student's t); None where the method is exact.
        orders: how many orders were used; 0 where every set was tried.
        difference: what each other's deviation took from the agent with all others as they were; cheaper, and does
            not add up [WolpertTumer2001]_. None at the own seat.
    """

    method: Literal["exact", "sampled"]
    shares: tuple[Number | None, ...]
    errors: tuple[float | None, ...] | None = None
    half_widths: tuple[float | None, ...] | None = None
    orders: int = 0
    difference: tuple[Number | None, ...] = ()


def shapley_exact(players: int, worth: Worth) -> list[Number]:
    """The Shapley value by trying every set; `worth` gets all 2^players of them at once."""
    values, denominator = worth(_all_sets(players)).common()
    if values.dtype == np.int64 and int(np.abs(values).max()) >= 2**48:
        values = values.astype(object)
    rough = values.dtype == np.float64
    sums = [(of_size.sum(), of_size @ members) for of_size, members in _by_size(values, players)]
    orders = factorial(players)
    shares: list[Number] = []
    for player in range(players):
        total: Any = 0  # Any: whole numbers of any size, or a float
        for size, (everybody, with_player) in enumerate(sums):
            inside = float(with_player[player]) if rough else int(with_player[player])
            outside = (float(everybody) if rough else int(everybody)) - inside
            if size:
                total += inside * (factorial(size - 1) * factorial(players - size))
            if size < players:
                total -= outside * (factorial(size) * factorial(players - 1 - size))
        shares.append(total / orders if rough else tidy(Fraction(total, orders * denominator)))
    return shares


def _by_size(values: Whole, players: int) -> Iterator[tuple[Whole, Whole]]:
    """The values of the sets of each size, and who belongs to them."""
    for rows, members in _rows_by_size(players):
        yield values[rows], members if values.dtype == np.int64 else members.astype(values.dtype)


@cache
def _all_sets(players: int) -> Sets:
    return (np.arange(1 << players)[:, None] >> np.arange(players) & 1).astype(np.bool_)


@cache
def _rows_by_size(players: int) -> tuple[tuple[NDArray[np.intp], NDArray[np.int64]], ...]:
    sets = _all_sets(players)
    sizes = sets.sum(axis=1)
    rows = [np.flatnonzero(sizes == size) for size in range(players + 1)]
    return tuple((chosen, sets[chosen].astype(np.int64)) for chosen in rows)


@dataclass(frozen=True)
class Sampled:
    """Estimated shares of the players, in order."""

    shares: list[Number]
    errors: list[float]
    half_widths: list[float]
    orders: int


def shapley_sampled(
    players: int, worth: Worth, *, luck: Noise, orders: int = ORDERS, enough: float = 0.0, antithetic: bool = True
) -> Sampled:
    """The Shapley value from random orders of the players.

    Args:
        players: how many.
        worth: the value of sets, in batches.
        luck: which orders are drawn; equal luck gives equal estimates.
        orders: how many; with `antithetic` every second one is the reverse of the one before.
        enough: stop as soon as every half-width is below this.
        antithetic: pair each order with its reverse, which makes the intervals narrower.
    """
    means: list[NDArray[np.object_]] = []
    step = 2 if antithetic else 1
    sampled = _summary(players, means, 0)
    for drawn in range(0, orders, step):
        order = luck.order(range(players), f"order {drawn // step}")
        pair = [order, order[::-1]] if antithetic else [order]
        marginals = [_marginals(players, worth, one) for one in pair]
        means.append(sum(marginals[1:], marginals[0]) * Fraction(1, len(marginals)))
        if len(means) % _FIRST_LOOK == 0 or drawn + step >= orders:
            sampled = _summary(players, means, (drawn + step))
            if enough and max(sampled.half_widths) < enough:
                break
    return sampled


def _marginals(players: int, worth: Worth, order: Sequence[int]) -> NDArray[np.object_]:
    """What each player adds when it joins those before it in one order."""
    sets = np.zeros((players + 1, players), dtype=np.bool_)
    for place, player in enumerate(order):
        sets[place + 1 :, player] = True
    values = worth(sets)
    steps = [values[place + 1] - values[place] for place in range(players)]
    added = np.empty(players, dtype=object)
    for place, player in enumerate(order):
        added[player] = Fraction(steps[place]) if not isinstance(steps[place], float) else steps[place]
    return added


def _summary(players: int, means: list[NDArray[np.object_]], orders: int) -> Sampled:
    if not means:
        return Sampled([0] * players, [0.0] * players, [0.0] * players, 0)
    count = len(means)
    shares = [tidy(sum(mean[player] for mean in means) / count) for player in range(players)]
    rough = np.array([[float(value) for value in mean] for mean in means])
    errors = rough.std(axis=0, ddof=1) / sqrt(count) if count > 1 else np.full(players, np.inf)
    reach = student_t(0.975, count - 1) if count > 1 else 1.0
    return Sampled(shares, [float(e) for e in errors], [float(e) * reach for e in errors], orders)


@cache
def student_t(probability: float, freedom: int) -> float:
    """The quantile of Student's t distribution [Student1908]_ for a probability above one half.

    By bisection on the finite series that the distribution function is for whole degrees of freedom.
    """
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if _student_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _student_below(value: float, freedom: int) -> float:
    angle = atan(value / sqrt(freedom))
    term, total = (cos(angle), cos(angle)) if freedom % 2 else (1.0, 1.0)
    first = 3 if freedom % 2 else 2
    for k in range(first, freedom - 1, 2):
        term *= (k - 1) / k * cos(angle) ** 2
        total += term
    odd = angle + (sin(angle) * total if freedom > 1 else 0.0)
    return 0.5 + odd / pi if freedom % 2 else 0.5 + sin(angle) * total / 2
