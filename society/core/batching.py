"""The slow and certain way to step many joint actions: one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from society.core.actions import Joint
from society.core.arrays import NDArray, np
from society.core.columns import Column, over_common_denominator
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
        granted=None if few.granted is None else few.granted.rows(place),
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
        granted=_granted(steps),
    )


def _column(values: Sequence[Number | None]) -> NDArray[Any] | None:
    if any(value is None for value in values):
        return None
    whole = all(isinstance(value, int) and abs(value) < _INT64 for value in values)
    return np.array(values, dtype=np.int64 if whole else object)


def _granted(steps: Sequence[Transition[S]]) -> Column | None:
    rows = [step.granted for step in steps if step.granted is not None]
    if not rows or len(rows) < len(steps):
        return None
    numerators, common = over_common_denominator(rows)
    return Column(numerators, int(common[0, 0]))
