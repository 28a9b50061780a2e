"""The Banzhaf index: how often an agent makes the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from society.analysis.weighted_votes import swings
from society.analysis.worth import Worth, inexact, tabulate, told
from society.core.exact import Number


@dataclass(frozen=True, slots=True)
class Banzhaf:
    """The index in its three forms [Banzhaf1965]_.

    Attributes:
        raw: summed marginal contributions; in a voting game the number of coalitions an agent turns into winning ones.
        absolute: raw / 2^(n-1), the probability of being decisive when all others toss coins.
        normalised: raw shares that add up to 1; None if nobody ever makes a difference.
    """

    raw: tuple[Number, ...]
    absolute: tuple[Number, ...]
    normalised: tuple[Number, ...] | None


def banzhaf(
    n: int | None = None,
    value: Worth | None = None,
    *,
    quota: Number | None = None,
    weights: Sequence[Number] | None = None,
) -> Banzhaf:
    """The Banzhaf index of a game, or of a weighted voting game, exactly.

    Args:
        n: how many agents, at most 16.
        value: what a coalition is worth, see `shapley`.
        quota: instead of them, what the weights of a winning coalition reach.
        weights: one per agent; counted by generating functions, so that there may be many.

    Raises:
        ValueError: neither or both descriptions of a game; a negative weight.
    """
    if (value is None) == (weights is None) or (weights is None) != (quota is None):
        raise ValueError("give either n and value, or quota and weights")
    if weights is not None and quota is not None:
        return _indices([Fraction(sum(counts)) for counts in swings(quota, weights)], as_floats=False)
    assert value is not None
    if n is None:
        raise ValueError("say how many agents: n")
    table = tabulate(n, value)
    common = lcm(*(worth.denominator for worth in table))
    whole = [int(worth * common) for worth in table]
    everything = sum(whole)
    # the worth of all coalitions with an agent, less that of all without it
    raw = [Fraction(2 * sum(whole[m] for m in range(1 << n) if m >> i & 1) - everything, common) for i in range(n)]
    return _indices(raw, as_floats=inexact(n, value))


def _indices(raw: list[Fraction], *, as_floats: bool) -> Banzhaf:
    whole = sum(raw, Fraction(0))
    return Banzhaf(
        raw=told(raw, as_floats=as_floats),
        absolute=told([x / 2 ** (len(raw) - 1) for x in raw], as_floats=as_floats),
        normalised=told([x / whole for x in raw], as_floats=as_floats) if whole else None,
    )
