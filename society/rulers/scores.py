"""Scores of many joint actions at once, as integers over one denominator, so that comparing them is exact.

Joint actions are rows of places: place k of agent i is the k-th value of that agent's grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, lcm, prod
from typing import Any, Generic, TypeVar

from society.core.actions import Action, Amount, Joint
from society.core.arrays import NDArray, np
from society.core.batching import stack
from society.core.columns import over_common_denominator
from society.core.exact import Number, tidy
from society.core.goals import Goal
from society.core.mechanism import Batch, Game, Mechanism, encode
from society.core.seeds import Noise

S = TypeVar("S")

MAX_ENTRIES = 8_000_000
"""Largest table (joint actions x agents) that is enumerated; beyond it rulers search and say so."""
CONTINUOUS_POINTS = 101
"""How many points of a continuous amount are tried."""
_CHUNK = 1 << 16
_SAFE = 2**50  # leaves room for sums over a thousand agents in 64 bits
_TOLERANCE = 1e-9
_PROBES = 24


@dataclass(frozen=True, slots=True)
class Scores:
    """Row b, column i: ``units[b, i] / per`` is the score of agent i under joint action b."""

    units: NDArray[Any]  # Any: int64, object for big integers, or float64 where the rules are not rational
    per: int = 1

    @property
    def slack(self) -> float:
        """How much two scores may differ and still count as equal: 0 where they are exact."""
        if self.units.dtype != np.float64 or not self.units.size:
            return 0
        return _TOLERANCE * max(1.0, float(np.abs(self.units).max()))

    def value(self, units: Any) -> Number:  # Any: a numpy scalar of whatever the table holds
        """A number of the table in payoff units."""
        return float(units) if isinstance(units, float) else tidy(Fraction(int(units), self.per))


def join(parts: Sequence[Scores]) -> Scores:
    """Tables below each other, over one denominator."""
    common = lcm(*(part.per for part in parts))
    scaled = [_scale(part.units, common // part.per) for part in parts]
    return Scores(np.concatenate(scaled) if len(scaled) > 1 else scaled[0], common)


def _scale(units: NDArray[Any], factor: int) -> NDArray[Any]:
    if factor == 1:
        return units
    if units.dtype == np.int64 and int(np.abs(units).max(initial=0)) * factor >= _SAFE:
        units = units.astype(object)
    return np.asarray(units * factor)


def scores_of(batch: Batch) -> Scores:
    """The payoffs of a batch over one denominator."""
    if batch.numerators.dtype == np.float64:
        return Scores(batch.floats())
    below = batch.denominators.ravel()
    common = lcm(*(int(value) for value in np.unique(below)))
    if below.size == 1:
        return Scores(batch.numerators, common)
    if common >= _SAFE or int(np.abs(batch.numerators).max(initial=0)) * common >= _SAFE:
        factors = np.array([[common // int(value)] for value in below], dtype=object)
        return Scores(batch.numerators.astype(object) * factors, common)
    return Scores(batch.numerators * (common // below)[:, None], common)


@dataclass(frozen=True, slots=True)
class _Columns:
    """A batch as an outcome, column by column, so that goals can score it."""

    payoffs: tuple[NDArray[Any], ...]
    total: NDArray[Any] | None
    stock_after: NDArray[Any] | None


class Board(Generic[S]):
    """The stage game of one state: grids, and scores of rows of places.

    Args:
        game: a mechanism, bare or under instruments.
        state: the state the round finds.
        noise: the luck of the round; None for expected payoffs where the mechanism knows them, else one fixed world.
        goals: whose utilities are the scores, one per agent; own payoffs if None.
    """

    def __init__(
        self, game: Game[S], state: S, noise: Noise | None = None, goals: Sequence[Goal] | None = None
    ) -> None:
        self.game, self.state, self.noise = game, state, noise or Noise(0, 1)
        self._fair = noise is None and goals is None
        self.goals = None if goals is None else tuple(goals)
        self.n = game.agents
        self.spaces = [game.space(state, agent) for agent in range(self.n)]

    @cached_property
    def grids(self) -> tuple[tuple[Action, ...], ...]:
        """The actions of each agent that are tried."""
        return tuple(space.grid(CONTINUOUS_POINTS) if _continuous(space) else space.grid() for space in self.spaces)

    @cached_property
    def unlisted(self) -> str:
        """Why the actions of some agent cannot be listed; empty where they can."""
        try:
            return "" if self.grids else "no agents"
        except ValueError as problem:
            return str(problem)

    @cached_property
    def complete(self) -> bool:
        """Whether the grids hold every action there is."""
        return not any(_continuous(space) for space in self.spaces)

    @cached_property
    def _codes(self) -> list[NDArray[np.int64]] | None:
        if any(_continuous(space) for space in self.spaces):
            return None
        return [
            np.array([space.encode(action) for action in grid], dtype=np.int64)
            for space, grid in zip(self.spaces, self.grids, strict=True)
        ]

    def joint(self, row: Sequence[int]) -> Joint:
        """The joint action at a row of places."""
        return tuple(grid[int(place)] for grid, place in zip(self.grids, row, strict=True))

    def score(self, rows: NDArray[np.int64]) -> Scores:
        """Scores of rows of places, shape (B, n)."""
        if self.expected:
            return self._expectations([self.joint(row) for row in rows.tolist()])
        chunks = [rows[start : start + _CHUNK] for start in range(0, max(1, len(rows)), _CHUNK)]
        return join([self._scores(self._batch(chunk, lasting=False)) for chunk in chunks])

    def outcomes(self) -> Iterator[tuple[S, Number]]:
        """For every next state that some joint action leads to, the largest sum of scores on the way to it."""
        best: dict[S, Number] = {}
        rows = self.rows()
        for start in range(0, len(rows), _CHUNK):
            batch = self._batch(rows[start : start + _CHUNK])
            scores = self._scores(batch)
            welfare = scores.units.sum(axis=1)
            keys = np.zeros(len(welfare), dtype=np.int64) if batch.keys is None else batch.keys
            for key in np.unique(keys).tolist():
                state: S = self.state if batch.state_of is None else batch.state_of(key)  # type: ignore[assignment]  # a batch does not name its state's type
                top = scores.value(welfare[keys == key].max())
                best[state] = max(best.get(state, top), top)
        yield from best.items()

    def score_joints(self, joints: Sequence[Joint]) -> Scores:
        """Scores of joint actions that need not be on the grid."""
        if self.expected:
            return self._expectations(joints)
        if self._codes is not None and all(
            space.contains(action) for joint in joints for space, action in zip(self.spaces, joint, strict=True)
        ):
            return self._scores(self.game.batch_now(self.state, encode(self.game, self.state, joints), self.noise))
        return self._scores(stack([self.game.step(self.state, joint, self.noise) for joint in joints]))

    @cached_property
    def expected(self) -> bool:
        """Whether scores are exact expectations over the luck of the round."""
        if not self._fair or not isinstance(self.game, Mechanism):
            return False
        probe = tuple(self.game.abstention(self.state, agent) for agent in range(self.n))
        return self.game.known_expectation(self.state, probe) is not None

    def _expectations(self, joints: Sequence[Joint]) -> Scores:
        assert isinstance(self.game, Mechanism), "only mechanisms know expectations"
        found = [self.game.known_expectation(self.state, joint) for joint in joints]
        table = [
            self.game.step(self.state, joint, self.noise).payoffs if payoffs is None else payoffs
            for joint, payoffs in zip(joints, found, strict=True)
        ]
        numerators, denominators = over_common_denominator(table)
        return Scores(numerators, int(denominators[0, 0]))

    def _batch(self, rows: NDArray[np.int64], *, lasting: bool = True) -> Batch:
        if self._codes is None:
            return stack([self.game.step(self.state, self.joint(row), self.noise) for row in rows.tolist()])
        codes = np.stack([code[rows[:, agent]] for agent, code in enumerate(self._codes)], axis=1)
        play = self.game.batch if lasting else self.game.batch_now
        return play(self.state, codes, self.noise)

    def _scores(self, batch: Batch) -> Scores:
        scores = scores_of(batch)
        if self.goals is None:
            return scores
        exact = np.frompyfunc(scores.value, 1, 1)
        columns = _Columns(
            tuple(exact(scores.units[:, agent].astype(object)) for agent in range(self.n)), batch.totals, batch.stocks
        )
        utilities = [goal.utility(columns, agent) for agent, goal in enumerate(self.goals)]
        table = np.stack([np.broadcast_to(np.asarray(u, dtype=object), len(scores.units)) for u in utilities], axis=1)
        numerators, denominators = over_common_denominator(table.tolist())
        return Scores(numerators, int(denominators[0, 0]))

    @cached_property
    def symmetric(self) -> bool:
        """All seats alike: as the mechanism declares it, and as a few permuted joint actions confirm for this state."""
        game = self.game
        if not isinstance(game, Mechanism) or len(set(self.grids)) > 1:
            return False
        if not (game.symmetric_in_expectation if self.expected else game.symmetric):
            return False
        if self.goals is not None and len(set(self.goals)) > 1:
            return False
        probe = Noise(0)
        values = len(self.grids[0])
        drawn = [[probe.below(values, "probe", (k, agent)) for agent in range(self.n)] for k in range(_PROBES)]
        starts = np.array([*drawn, np.linspace(0, values - 1, self.n).round()], dtype=np.int64)
        straight = self.score(starts)
        for order in (np.roll(np.arange(self.n), 1), np.arange(self.n)[::-1]):
            both = join([straight, self.score(starts[:, order])])
            before, after = both.units[: len(starts), order], both.units[len(starts) :]
            if np.abs(after - before).max() > both.slack:
                return False
        return True

    @cached_property
    def size(self) -> int:
        """How many joint actions there are, up to the order of the seats where the game is symmetric."""
        if self.symmetric:
            return comb(len(self.grids[0]) + self.n - 1, self.n)
        return prod(len(grid) for grid in self.grids)

    @property
    def enumerable(self) -> bool:
        return self.size * self.n <= MAX_ENTRIES

    @property
    def replies_enumerable(self) -> bool:
        """Whether every own action against every combination of the others can be scored (symmetric games)."""
        actions = len(self.grids[0])
        return comb(actions + self.n - 2, self.n - 1) * actions * self.n <= MAX_ENTRIES

    def rows(self) -> NDArray[np.int64]:
        """Every joint action as a row of places, in lexicographic order (of sorted rows, where symmetric)."""
        if self.symmetric:
            return combinations(len(self.grids[0]), self.n)
        shape = tuple(len(grid) for grid in self.grids)
        return np.indices(shape).reshape(self.n, -1).T.astype(np.int64)

    def places(self, joint: Joint) -> list[int]:
        """The places of a joint action.

        Raises:
            ValueError: some action is not on the grid.
        """
        return [grid.index(action) for grid, action in zip(self.grids, joint, strict=True)]


def combinations(values: int, size: int) -> NDArray[np.int64]:
    """All ascending rows of `size` places below `values`, in lexicographic order."""
    if size == 0:
        return np.zeros((1, 0), dtype=np.int64)
    flat: Iterator[int] = itertools.chain.from_iterable(itertools.combinations_with_replacement(range(values), size))
    return np.fromiter(flat, dtype=np.int64).reshape(-1, size)


def _continuous(space: object) -> bool:
    return isinstance(space, Amount) and space.step is None
