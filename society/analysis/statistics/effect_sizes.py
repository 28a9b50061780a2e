"""How large a difference is, in units that can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from society.analysis.statistics.sample import sample_of, spread_of
from society.core.exact import Number


def cliffs_delta(first: Sequence[Number], second: Sequence[Number]) -> float:
    """How much more often a value of the second sample is larger than smaller: -1 to 1, ties count for neither."""
    a, b = sample_of(first), sample_of(second)
    return float(np.sign(b[:, None] - a[None, :]).mean())


def hedges_g(first: Sequence[Number], second: Sequence[Number]) -> float | None:
    """Difference of means (second minus first) in pooled standard deviations, corrected for small samples
    [Hedges1981]_. None if nothing varies or there are fewer than two values a side.
    """
    a, b = sample_of(first), sample_of(second)
    free = len(a) + len(b) - 2
    if len(a) < 2 or len(b) < 2:
        return None
    pooled = math.sqrt(((len(a) - 1) * spread_of(a) ** 2 + (len(b) - 1) * spread_of(b) ** 2) / free)
    return (1 - 3 / (4 * free - 1)) * float(b.mean() - a.mean()) / pooled if pooled else None
