"""The Shapley value: each agent's marginal contribution, averaged over all orders of joining."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from society.analysis.weighted_votes import swings
from society.analysis.worth import Worth, inexact, tabulate, told
from society.core.exact import Number, tidy
from society.core.seeds import Noise


def shapley(
    n: int | None = None,
    value: Worth | None = None,
    *,
    quota: Number | None = None,
    weights: Sequence[Number] | None = None,
) -> tuple[Number, ...]:
    """The Shapley value of a game [Shapley1953]_, exactly.

        phi_i = sum over S without i of |S|! (n-1-|S|)! / n! * (v(S with i) - v(S))

    Args:
        n: how many agents, at most 16; `shapley_sampled` takes more, and a weighted vote any number.
        value: what a coalition is worth: a function of a frozenset of seats from 0, or a table by bitmask.
        quota: instead of them, a weighted voting game; the value is then the index of [ShapleyShubik1954]_.
        weights: the votes of each agent.

    Raises:
        ValueError: neither or both descriptions of a game, too many agents, a negative weight, or a quota of nothing.
    """
    if (value is None) == (weights is None) or (weights is None) != (quota is None):
        raise ValueError("give either n and value, or quota and weights")
    if weights is not None and quota is not None:
        return _of_votes(quota, weights)
    assert value is not None
    if n is None:
        raise ValueError("say how many agents: n")
    table = tabulate(n, value)
    common = math.lcm(*(worth.denominator for worth in table))
    whole = [int(worth * common) for worth in table]
    factorial = [math.factorial(k) for k in range(n + 1)]
    shares = []
    for agent in range(n):
        bit = 1 << agent
        by_size = [0] * n
        for mask in range(1 << n):
            if not mask & bit:
                by_size[mask.bit_count()] += whole[mask | bit] - whole[mask]
        total = sum(factorial[size] * factorial[n - 1 - size] * gain for size, gain in enumerate(by_size))
        shares.append(Fraction(total, factorial[n] * common))
    return told(shares, as_floats=inexact(n, value))


def _of_votes(quota: Number, weights: Sequence[Number]) -> tuple[Number, ...]:
    if quota <= 0:
        raise ValueError(f"the empty coalition must lose: the quota must be above 0, not {quota}")
    n = len(weights)
    factorial = [math.factorial(k) for k in range(n + 1)]
    return tuple(
        tidy(Fraction(sum(factorial[k] * factorial[n - 1 - k] * c for k, c in enumerate(counts)), factorial[n]))
        for counts in swings(quota, weights)
    )


@dataclass(frozen=True, slots=True)
class Sampled:
    """Estimates with intervals.

    Attributes:
        values: the estimates; they add up to the worth of the grand coalition exactly.
        half_widths: half the width of each interval.
        permutations: how many orders of joining were looked at.
        level: coverage aimed at.
        method: how the interval is made.
    """

    values: tuple[Number, ...]
    half_widths: tuple[float, ...]
    permutations: int
    level: float = 0.95
    method: str = "t interval over antithetic pairs of permutations"


def shapley_sampled(
    n: int,
    value: Callable[[frozenset[int]], Number],
    *,
    permutations: int = 400,
    seed: int = 0,
    level: float = 0.95,
) -> Sampled:
    """The Shapley value by sampling orders of joining, each with its reverse [Mitchell2022]_.

    Unbiased and exactly efficient for any number of permutations; a null player gets exactly 0. The interval is of
    Student's t over the means of the pairs; where an agent makes a difference in few orders only, it is too narrow.

    Args:
        n: how many agents, any number.
        value: what a coalition is worth.
        permutations: how many orders, an even number from 4.
        seed: of the keyed noise that draws them.
        level: coverage of the intervals.
    """
    pairs = permutations // 2
    if permutations % 2 or pairs < 2:
        raise ValueError(f"an even number of at least 4 permutations is needed, not {permutations}")
    from scipy.stats import t as student

    known: dict[frozenset[int], Fraction] = {}

    def worth(coalition: frozenset[int]) -> Fraction:
        if coalition not in known:
            known[coalition] = Fraction(value(coalition))
        return known[coalition]

    means: list[list[Fraction]] = [[] for _ in range(n)]
    for draw in range(pairs):
        order = Noise(seed, 0, draw).order(range(n), "permutation")
        gained = [Fraction(0)] * n
        for run in (order, order[::-1]):
            joined: frozenset[int] = frozenset()
            for agent in run:
                grown = joined | {agent}
                gained[agent] += worth(grown) - worth(joined)
                joined = grown
        for agent in range(n):
            means[agent].append(gained[agent] / 2)
    values = [sum(row, Fraction(0)) / pairs for row in means]
    factor = float(student.ppf((1 + level) / 2, pairs - 1)) / math.sqrt(pairs)
    spread = [
        math.sqrt(float(sum(((x - mean) ** 2 for x in row), Fraction(0))) / (pairs - 1))
        for row, mean in zip(means, values, strict=True)
    ]
    floats = isinstance(value(frozenset(range(n))), float)
    estimates = tuple(float(v) if floats else tidy(v) for v in values)
    return Sampled(estimates, tuple(factor * s for s in spread), permutations, level)
