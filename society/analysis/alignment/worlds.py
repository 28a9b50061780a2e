"""One round as a function of what everybody does: the simulator that every counterfactual is a call of.

Joint actions travel as rows of integers. Where a space has codes of its own they are used, so that the mechanism's batched
rules do the work; anything else (a division, a continuous amount, an action off the grid) gets a code from a table here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Action, Amount, Choice, Division, Joint
from society.core.batching import stack
from society.core.columns import Column, blend
from society.core.exact import Number
from society.core.goals import Goal, GroupWelfare
from society.core.mechanism import Batch, Game, SpaceOf
from society.core.seeds import Noise

S = TypeVar("S")
Codes = NDArray[np.int64]
"""Joint actions as integers, shape (rows, agents)."""

_TABLE = 1 << 40
"""Codes from here on are places in a table of actions."""
_MOST_DIVISIONS = 20_000
"""More ways to divide a total are not tried one by one: each leads to a state of its own."""
_CLOSE = 1 << 16
"""Keys of next states that lie within this range are counted and not sorted."""
_KEPT_ROWS = 1 << 19
"""How many simulated rows one world remembers."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What many joint actions lead to, as columns: an `Outcome` in the sense of the goals."""

    payoffs: tuple[Column, ...]
    total: Column | None
    stock_after: Column | None
    batch: Batch

    @property
    def welfare(self) -> Column:
        """The sum of all payoffs, row by row."""
        num, den = self.batch.numerators, self.payoffs[0].den
        small = num.dtype == np.int64 and num.size and int(np.abs(num).max()) < 2**62 // num.shape[1]
        return Column(num.sum(axis=1), den) if small else sum(self.payoffs[1:], self.payoffs[0])

    def continued(
        self, value: Callable[[Any], Number], known: dict[int, Number]
    ) -> Column:  # Any: each game has its own
        """A reference value of the next state, row by row. `known` keeps it by key where keys last."""
        keys, state_of = self.batch.keys, self.batch.state_of
        assert keys is not None and state_of is not None
        known = known if self.batch.lasting else {}
        distinct, place = _distinct(keys)
        values = []
        for key in distinct.tolist():
            if key not in known:
                known[key] = value(state_of(key))
            values.append(known[key])
        return Column.of(values).rows(place)


def _distinct(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The different keys, and which of them each row has: without sorting where they lie close together."""
    low = int(keys.min()) if len(keys) else 0
    if not len(keys) or int(keys.max()) - low > _CLOSE:
        return np.unique(keys, return_inverse=True)
    shifted = keys - low
    found = np.flatnonzero(np.bincount(shifted))
    place = np.zeros(found[-1] + 1, dtype=np.intp)
    place[found] = np.arange(len(found))
    return found + low, place[shifted]


@dataclass(frozen=True)
class Yardstick:
    """What outcomes are scored by, the same for every term of one decomposition.

    Attributes:
        name: own, welfare, goal, principal, stated, or the kind of a goal given by hand.
        goal: the score of one round.
        value: the reference value of the state that follows; None where only this round counts.
        discount: weight of that value.
        optimal: the optimal value of the state the round finds, where `value` is the optimal one of the states after it.
    """

    name: str
    goal: Goal
    value: Callable[[Any], Number] | None = None
    discount: Number = 1
    optimal: Number | None = None


class Worlds(Generic[S]):
    """One state and its luck.

    Args:
        game: the rules.
        state: what the round finds.
        luck: noises and their weights, which sum to 1; several of them give expectations.
    """

    def __init__(self, game: Game[S], state: S, luck: Sequence[tuple[Number, Noise]]) -> None:
        self.game, self.state = game, state
        self.luck = tuple(luck)
        self.agents = game.agents
        self.spaces = tuple(game.space(state, agent) for agent in range(game.agents))
        self._tables: list[dict[Action, int]] = [{} for _ in self.spaces]
        self._actions: list[list[Action]] = [[] for _ in self.spaces]
        self._kept: dict[tuple[int, bytes], tuple[Outcomes, ...]] = {}
        self._later: dict[Callable[[Any], Number], dict[int, Number]] = {}
        self._rows = 0
        self._grids: dict[tuple[SpaceOf | int, int | None], NDArray[np.int64]] = {}
        self.memo: dict[Hashable, Any] = {}  # Any: answers of several questions about this world

    def under(self, game: Game[S]) -> Worlds[S]:
        """The same state, luck and codes of actions under another game of the same actions."""
        other = Worlds(game, self.state, self.luck)
        other._tables, other._actions = self._tables, self._actions
        return other

    def code(self, agent: int, action: Action) -> int:
        """The action of a seat as an integer."""
        space = self.spaces[agent]
        if isinstance(space, Amount) and space.step is not None and not isinstance(action, (str, tuple, float)):
            if action % space.step == 0:
                return space.encode(action)
        elif space.contains(action) and (isinstance(space, Choice) or _numbered(space)):
            return space.encode(action)
        table, known = self._tables[agent], self._actions[agent]
        if action not in table:
            table[action] = _TABLE + len(known)
            known.append(action)
        return table[action]

    def codes(self, joint: Sequence[Action]) -> Codes:
        """A joint action as one row."""
        return np.array([self.code(agent, action) for agent, action in enumerate(joint)], dtype=np.int64)

    def action(self, agent: int, code: int) -> Action:
        """Back from `code`."""
        if code >= _TABLE:
            return self._actions[agent][code - _TABLE]
        return self.spaces[agent].decode(code)

    def joint(self, row: Iterable[int]) -> Joint:
        """A row as the joint action it stands for."""
        return tuple(self.action(agent, int(code)) for agent, code in enumerate(row))

    def grid(self, agent: int, at_most: int | None = None) -> Codes:
        """What a seat can do, as codes; evenly thinned to `at_most` when that is given.

        Raises:
            ValueError: a continuous amount without `at_most`, or a grid beyond what is enumerated.
        """
        space = self.spaces[agent]
        coded = _numbered(space) or (isinstance(space, Amount) and space.step is not None)
        key = (space if coded else agent, at_most)  # equal spaces that are numbered have equal codes
        if key not in self._grids:
            if isinstance(space, Division) and at_most is None:
                if space.count > _MOST_DIVISIONS:
                    raise ValueError(f"{space.count} divisions are too many to try them all")
                self._grids[key] = np.arange(space.count, dtype=np.int64)
                return self._grids[key]
            grid = space.grid(at_most)
            if isinstance(space, Amount) and coded and at_most is None and len(space.intervals) == 1:
                self._grids[key] = np.arange(space.encode(grid[0]), space.encode(grid[-1]) + 1, dtype=np.int64)
            else:
                self._grids[key] = np.array([self.code(agent, action) for action in grid], dtype=np.int64)
        return self._grids[key]

    def outcomes(self, codes: Codes) -> tuple[Outcomes, ...]:
        """What the rows lead to, once per luck."""
        key = (len(codes), codes.tobytes())
        if key not in self._kept:
            found = tuple(self._play(codes, noise) for _, noise in self.luck)
            self._rows += len(codes) * len(self.luck)
            if self._rows > _KEPT_ROWS:
                self._kept.clear()
                self._rows = len(codes) * len(self.luck)
            self._kept[key] = found
        return self._kept[key]

    def score(self, codes: Codes, yardstick: Yardstick, agent: int) -> Column:
        """The score of every row under a yardstick, for one agent; an expectation where there are several lucks."""
        columns = [self.scored(outcome, yardstick, agent) for outcome in self.outcomes(codes)]
        return blend(columns, [weight for weight, _ in self.luck])

    def scored(self, outcome: Outcomes, yardstick: Yardstick, agent: int) -> Column:
        """The scores of one luck's outcomes."""
        if isinstance(yardstick.goal, GroupWelfare):
            now = outcome.welfare
        else:
            now = Column.of(yardstick.goal.utility(outcome, agent))
        if yardstick.value is None or outcome.batch.keys is None:
            later = 0 if yardstick.value is None else yardstick.value(self.state)
            return now + later * yardstick.discount
        known = self._later.setdefault(yardstick.value, {})
        return now + outcome.continued(yardstick.value, known) * yardstick.discount

    def at(self, joint: Codes, yardstick: Yardstick, agent: int) -> Number:
        """The score of one joint action."""
        return self.score(joint.reshape(1, -1), yardstick, agent)[0]

    def _play(self, codes: Codes, noise: Noise) -> Outcomes:
        if codes.size and codes.max() < _TABLE:
            batch = self.game.batch(self.state, codes, noise)
        else:
            batch = stack([self.game.step(self.state, self.joint(row), noise) for row in codes.tolist()])
        dens = batch.denominators
        den: Any = int(dens[0, 0]) if len(dens) == 1 else dens[:, 0]  # Any: one integer or one per row
        if batch.numerators.dtype == np.float64:
            payoffs = tuple(Column(batch.numerators[:, i] / den) for i in range(self.agents))
        else:
            payoffs = tuple(Column(batch.numerators[:, i], den) for i in range(self.agents))
        return Outcomes(
            payoffs=payoffs,
            total=None if batch.totals is None else Column.of(batch.totals),
            stock_after=None if batch.stocks is None else Column.of(batch.stocks),
            batch=batch,
        )


def _numbered(space: SpaceOf) -> bool:
    """Whether it is a total to divide in so few ways that each has a number."""
    return isinstance(space, Division) and space.count < _TABLE


def one(noise: Noise) -> tuple[tuple[Number, Noise], ...]:
    """The luck that happened, for certain."""
    return ((1, noise),)


def fresh(noise: Noise, draws: int) -> tuple[tuple[Number, Noise], ...]:
    """That many alternative lucks of the same round, equally likely."""
    return tuple((Fraction(1, draws), noise.other(draw)) for draw in range(1, draws + 1))
