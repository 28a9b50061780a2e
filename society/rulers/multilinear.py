"""Where as many multilinear functions as there are unknowns vanish together, inside the unit cube.

A multilinear function is given by its values at the corners; on any box its extremes are among the values at the corners of
the box. A box on which some function has one sign only holds no zero and is dropped, the others are halved, until Newton's
method finds the one zero that is left in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from society.core.arrays import NDArray, np

Values: TypeAlias = "NDArray[np.float64]"
"""A function's values at the corners: one axis of two for each unknown."""

_MOST_BOXES = 250
"""Points that are apart need far fewer boxes; curves need more at every halving."""
_SMALL = 2.0**-7
_STEPS = 12
_SAME = 1e-9
_FLAT = 1e-6
_EPSILON = 1e-15


def zeros(functions: Sequence[Values]) -> list[Values]:
    """The common zeros strictly inside the cube, in lexicographic order; none where they form a curve or a surface."""
    unknowns = len(functions)
    scaled = [values / max(1e-300, float(np.abs(values).max())) for values in functions]
    low, width = np.zeros((1, unknowns)), 1.0
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * unknowns, indexing="ij"), axis=-1).reshape(-1, unknowns)
    while len(low) and width > _SMALL:
        width /= 2
        low = (low[:, None, :] + width * corners).reshape(-1, unknowns)
        low = low[_mixed_signs(scaled, low, width)]
        if len(low) > _MOST_BOXES:
            return []
    found: list[Values] = []
    for box in low:
        root = _newton(scaled, box + width / 2)
        if root is not None and all(np.abs(root - other).max() > _SAME for other in found):
            found.append(root)
    return sorted(found, key=lambda root: root.tolist())


def at(values: Values, points: Values) -> Values:
    """The function at each of many points, shape (B, unknowns)."""
    level = np.broadcast_to(values, (len(points), *values.shape))
    for place in range(points.shape[1]):
        share = points[:, place].reshape(-1, *[1] * (level.ndim - 2))
        level = (1 - share) * level[:, 0] + share * level[:, 1]
    return level


def _mixed_signs(functions: Sequence[Values], low: Values, width: float) -> NDArray[np.bool_]:
    """Which boxes may hold a zero of all functions."""
    kept = np.ones(len(low), dtype=np.bool_)
    for values in functions:
        level = np.broadcast_to(values, (len(low), *values.shape))
        for place in range(low.shape[1]):
            start = low[:, place].reshape(-1, *[1] * (level.ndim - 1))
            first, second = np.take(level, [0], axis=1 + place), np.take(level, [1], axis=1 + place)
            start = start.reshape(-1, *[1] * (first.ndim - 1))
            ends = [(1 - edge) * first + edge * second for edge in (start, start + width)]
            level = np.concatenate(ends, axis=1 + place)
        flat = level.reshape(len(low), -1)
        kept &= (flat.min(axis=1) <= 1e-13) & (flat.max(axis=1) >= -1e-13)
    return kept


def _newton(functions: Sequence[Values], start: Values) -> Values | None:
    """The zero that Newton's method comes to from here, if it stays near, stays inside and comes fast.

    It comes slowly to where curves of zeros pass or two zeros touch, and those are left out.
    """
    here, step = start, np.ones_like(start)
    for _ in range(_STEPS):
        rest = np.array([at(values, here[None])[0] for values in functions])
        slopes = np.array([[_slope(values, here, place) for place in range(len(here))] for values in functions])
        if np.linalg.svd(slopes, compute_uv=False)[-1] < _FLAT:
            return None
        step = np.linalg.solve(slopes, rest)
        here = here - step
        if np.abs(here - start).max() > 8 * _SMALL:
            return None
        if np.abs(step).max() < _EPSILON:
            break
    arrived = np.abs(step).max() < 1e3 * _EPSILON
    return here if arrived and (here > _SAME).all() and (here < 1 - _SAME).all() else None


def _slope(values: Values, here: Values, place: int) -> float:
    """The derivative by one unknown: of a multilinear function, the difference of its two ends."""
    ends = np.stack([here, here])
    ends[:, place] = 0, 1
    low, high = at(values, ends)
    return float(high - low)
