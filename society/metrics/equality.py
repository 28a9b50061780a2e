"""How evenly the gains fell."""

from __future__ import annotations

from collections.abc import Sequence

from society.core.exact import Number
from society.core.record import Record
from society.metrics.measure import Measured, metric, ratio


def _differences(gains: Sequence[Number]) -> Number:
    """Sum of |R_i - R_j| over ordered pairs."""
    pairs: list[Number] = [max(a, b) - min(a, b) for a in gains for b in gains]
    return sum(pairs)


@metric("equality", unit="1/n (one gets all) to 1 (all gain the same)", source="Perolat2017", better="higher")
def equality(record: Record) -> Measured:
    """Equality E: 1 minus the Gini coefficient of the gains [Perolat2017]_.

    E = 1 - sum |R_i - R_j| / (2 n sum R_i), over ordered pairs. None if any gain is negative or all are 0: look at
    the mean absolute difference then.
    """
    gains = record.gains
    scale = 2 * record.agents * sum(gains)
    if min(gains) < 0:
        return Measured(None, None, scale)
    return ratio(scale - _differences(gains), scale)


@metric("gini", unit="0 (all gain the same) to (n - 1)/n (one gets all)", source="Gini1912", better="lower")
def gini(record: Record) -> Measured:
    """Gini coefficient of the agents' total gains.

    Mean absolute difference of all ordered pairs, a pair of an agent with itself included, over twice the mean
    [Gini1912]_. None if any gain is negative or all are 0.
    """
    gains = record.gains
    scale = 2 * record.agents * sum(gains)
    if min(gains) < 0:
        return Measured(None, None, scale)
    return ratio(_differences(gains), scale)


@metric("mean_absolute_difference", unit="payoff units; 0 means all gain the same", better="lower")
def mean_absolute_difference(record: Record) -> Measured:
    """Mean difference of the gains of two different agents: sum |R_i - R_j| / (n (n - 1)).

    Has a meaning for losses too. None with a single agent.
    """
    return ratio(_differences(record.gains), record.agents * (record.agents - 1))


@metric("resource_hhi", unit="1/n (equal) to 1 (one holds all)", source="Herfindahl1950", better="lower")
def resource_hhi(record: Record) -> Measured:
    """Concentration of the gains: the Herfindahl-Hirschman index, sum of squared shares.

    sum (R_i / sum R)^2. None if the gains add up to 0 or one is negative, since shares mean nothing then.
    """
    gains = record.gains
    whole = sum(gains) ** 2
    if min(gains) < 0:
        return Measured(None, None, whole)
    return ratio(sum(gain * gain for gain in gains), whole)
