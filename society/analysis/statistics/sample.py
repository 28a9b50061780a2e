"""Samples: numbers, one a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from society.core.exact import Number

Floats: TypeAlias = NDArray[np.float64]
RESAMPLES = 9_999
"""How many random samples are drawn where not all can be looked at."""
TIE = 1e-12
"""Two numbers closer than this, in units of what they are sums of, are told apart by rounding alone."""
_AT_ONCE = 1_000_000


def sample_of(values: Sequence[Number]) -> Floats:
    """The values as an array.

    Raises:
        ValueError: there are none.
    """
    if not len(values):
        raise ValueError("a statistic needs at least one value")
    return np.array([float(value) for value in values])


def spread_of(sample: Floats, scale: float = 0.0) -> float:
    """The standard deviation (n - 1); exactly 0 where the values differ by rounding alone, and for a single one.

    Args:
        sample: the values.
        scale: the size of the numbers they are differences of, if they are.
    """
    if len(sample) < 2 or np.ptp(sample) <= TIE * max(scale, float(np.abs(sample).max())):
        return 0.0
    return float(sample.std(ddof=1))


def portions(rows: int, width: int) -> list[int]:
    """So many rows in portions of which each fits easily into memory."""
    size = max(1, _AT_ONCE // max(1, width))
    return [min(size, rows - start) for start in range(0, rows, size)]
