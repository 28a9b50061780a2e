"""Shares of runs, with an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

from society.core.exact import Number, tidy
from society.core.record import Record
from society.metrics.sustainability import survival


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of trials and its interval.

    Attributes:
        value: successes / trials; None without trials.
        low, high: the ends of the interval; None without trials.
        level: coverage aimed at.
        method: the name of the interval.
        left_out: trials whose result is unknown.
    """

    value: Number | None
    successes: int
    trials: int
    low: float | None
    high: float | None
    level: float = 0.95
    method: str = "Wilson score interval"
    left_out: int = 0


def wilson(successes: int, trials: int, *, level: float = 0.95, left_out: int = 0) -> Rate:
    """A rate with its Wilson score interval [Wilson1927]_: within [0, 1], and sensible at 0 and at all.

    Raises:
        ValueError: more successes than trials, a negative count, or a level outside (0, 1).
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    if trials == 0:
        return Rate(None, 0, 0, None, None, level, left_out=left_out)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / trials
    spread = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / spread
    half = z / spread * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return Rate(tidy(Fraction(successes, trials)), successes, trials, low, high, level, left_out=left_out)


def survival_rate(records: Iterable[Record], *, level: float = 0.95) -> Rate:
    """The share q of runs whose commons lived to the horizon [Piatti2024]_.

    Runs without a stock, or cut short before anything collapsed, are left out and counted in `left_out`.
    """
    lasted = [(survival(record).value, record.horizon) for record in records]
    known = [rounds == horizon for rounds, horizon in lasted if rounds is not None]
    return wilson(sum(known), len(known), level=level, left_out=len(lasted) - len(known))
