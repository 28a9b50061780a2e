"""The slow and certain way to step many joint actions: one by one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Joint
from society.core.exact import Number
from society.core.mechanism import Batch, Game, SpaceOf, Transition
from society.core.seeds import Noise

S = TypeVar("S")

_INT64 = 2**62


def batch_by_steps(game: Game[S], state: S, joints: NDArray[np.int64], noise: Noise) -> Batch:
    """`Mechanism.batch` by calling `step` on every row."""
    spaces = [game.space(state, agent) for agent in range(game.agents)]
    return stack([game.step(state, joint, noise) for joint in decoded(spaces, joints)])


def decoded(spaces: Sequence[SpaceOf], joints: NDArray[np.int64]) -> list[Joint]:
    """Rows of codes as joint actions."""
    return [tuple(space.decode(code) for space, code in zip(spaces, row, strict=True)) for row in joints.tolist()]


def batch_by_classes(
    game: Game[S], state: S, joints: NDArray[np.int64], classes: NDArray[np.int64], noise: Noise
) -> Batch:
    """`Mechanism.batch` by calling `step` on one row of each class; rows of one class have the same outcome."""
    _, first, place = np.unique(classes, return_index=True, return_inverse=True)
    few = batch_by_steps(game, state, joints[first], noise)
    assert few.keys is not None, "stacked steps have states"
    return Batch(
        numerators=few.numerators[place],
        denominators=few.denominators,
        totals=None if few.totals is None else few.totals[place],
        stocks=None if few.stocks is None else few.stocks[place],
        keys=few.keys[place],
        state_of=few.state_of,
    )


def stack(steps: Sequence[Transition[S]]) -> Batch:
    """Transitions from one state as a `Batch`."""
    numerators, denominators = over_common_denominator([step.payoffs for step in steps])
    states: list[S] = []
    keys = np.zeros(len(steps), dtype=np.int64)
    seen: dict[S, int] = {}
    for row, step in enumerate(steps):
        if step.state not in seen:
            seen[step.state] = len(states)
            states.append(step.state)
        keys[row] = seen[step.state]
    return Batch(
        numerators=numerators,
        denominators=denominators,
        totals=_column([step.total for step in steps]),
        stocks=_column([step.stock_after for step in steps]),
        keys=keys,
        state_of=states.__getitem__,
    )


def over_common_denominator(rows: Sequence[Sequence[Number]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Payoffs as integers over one denominator, or as floats over 1 when any of them is a float."""
    flat = [value for row in rows for value in row]
    one = np.ones((1, 1), dtype=np.int64)
    if any(isinstance(value, float) for value in flat):
        return np.array([[float(value) for value in row] for row in rows], dtype=np.float64), one
    common = lcm(*(Fraction(value).denominator for value in flat)) if flat else 1
    whole = [[int(value * common) for value in row] for row in rows]
    small = common < _INT64 and all(abs(value) < _INT64 for row in whole for value in row)
    dtype = np.int64 if small else object
    return np.array(whole, dtype=dtype), np.array([[common]], dtype=dtype)


def _column(values: Sequence[Number | None]) -> NDArray[Any] | None:
    if any(value is None for value in values):
        return None
    whole = all(isinstance(value, int) and abs(value) < _INT64 for value in values)
    return np.array(values, dtype=np.int64 if whole else object)
