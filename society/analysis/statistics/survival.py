"""How long commons last, runs that were only watched so long included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from society.core.exact import Number


@dataclass(frozen=True, slots=True)
class Survival:
    """A step of a survival curve: the share that lived beyond `time`, of those at risk then."""

    time: float
    at_risk: int
    ended: int
    share: float
    low: float
    high: float


def survival_curve(times: Sequence[Number], ended: Sequence[bool], *, level: float = 0.95) -> tuple[Survival, ...]:
    """The Kaplan-Meier estimate [KaplanMeier1958]_ with log-log intervals (Greenwood's variance).

    Args:
        times: how many rounds each run lived, or was watched.
        ended: True where it collapsed then; False where it was only watched so long.
        level: coverage of the pointwise intervals.

    Raises:
        ValueError: the two differ in length.
    """
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    share, variance, steps = 1.0, 0.0, []
    for time in sorted({float(t) for t, over in zip(times, ended, strict=True) if over}):
        at_risk = sum(float(t) >= time for t in times)
        deaths = sum(float(t) == time and over for t, over in zip(times, ended, strict=True))
        share *= 1 - deaths / at_risk
        if share <= 0:
            steps.append(Survival(time, at_risk, deaths, 0.0, 0.0, 0.0))
            break
        variance += deaths / (at_risk * (at_risk - deaths))
        half = z * math.sqrt(variance) / abs(math.log(share))
        steps.append(Survival(time, at_risk, deaths, share, share ** math.exp(half), share ** math.exp(-half)))
    return tuple(steps)
