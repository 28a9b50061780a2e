"""Groups of independent learners, side by side in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from society.core.actions import Amount, Joint
from society.core.arrays import NDArray, np
from society.core.errors import BadInput
from society.core.exact import Number
from society.core.goals import Goal
from society.core.mechanism import Game, Mechanism, Transition, legalise
from society.core.seeds import Entity, Noise
from society.rulers.lessons import Lesson, Schooling, Table

S = TypeVar("S")

SITUATIONS = 10
"""A stock is seen in tenths of what it was at first."""
_LEAST = 0.01
_CHUNK = 1000


class Sight(Generic[S]):
    """What learners see: their first grid of actions, and which tenth of its first level the stock is in."""

    def __init__(self, game: Game[S], points: int) -> None:
        self.game = game
        self.start = game.initial_state()
        spaces = [game.space(self.start, agent) for agent in range(game.agents)]
        try:
            self.grids = [space.grid(points) if isinstance(space, Amount) else space.grid() for space in spaces]
        except ValueError as problem:
            raise BadInput(f"learners keep a value for every action, and here there are {problem}") from None
        idle = self._idle(self.start)
        self.first = idle.stock_before
        self.stateful = self.first is not None or idle.state != self.start
        self.situations = SITUATIONS + 1 if self.first else 1

    def situation(self, state: S) -> int:
        return self.tenth(self._idle(state).stock_before) if self.first else 0

    def tenth(self, stock: Number | None) -> int:
        """0 for a stock of nothing, else 1 to 10."""
        if not self.first or not stock:
            return 0
        return min(SITUATIONS, 1 + int(stock * SITUATIONS / self.first) - (stock == self.first))

    def _idle(self, state: S) -> Transition[S]:
        least = tuple(space.grid(2)[0] for space in (self.game.space(state, seat) for seat in range(self.game.agents)))
        return self.game.step(state, least, Noise(0))


@dataclass(frozen=True, slots=True)
class _Watched(Noise):
    """Noise that notes whether it was asked for anything."""

    asked: list[str] = field(default_factory=list)

    def bits(self, purpose: str, entity: Entity = "") -> int:
        self.asked.append(purpose)
        return Noise.bits(self, purpose, entity)


@dataclass(slots=True)
class _Where(Generic[S]):
    """Where a group is in its episode."""

    state: S
    played: int = 0


@dataclass(frozen=True, slots=True)
class _Round:
    """What came of one round, by group: utilities by agent, the tenths of the next stocks, and whose episode is over."""

    gained: Table
    tenths: NDArray[np.int64]
    ended: NDArray[np.bool_]


class School(Generic[S]):
    """All groups, side by side: arrays have a group a row."""

    def __init__(self, game: Game[S], seeds: tuple[int, ...], how: Schooling, goals: Sequence[Goal] | None) -> None:
        self.game, self.seeds, self.how, self.goals = game, seeds, how, goals
        self.sight = Sight(game, how.points)
        self.stateful = self.sight.stateful
        self.discount = how.discount if self.stateful else 0.0
        self.groups, self.seats = np.arange(len(seeds))[:, None], np.arange(game.agents)[None, :]
        self.sizes = np.array([len(grid) for grid in self.sight.grids])
        self.dice = [np.random.Generator(np.random.Philox(key=Noise(seed).bits("learning"))) for seed in seeds]
        self.tables = np.zeros((len(seeds), game.agents, self.sight.situations, self.sizes.max()))
        for agent, size in enumerate(self.sizes.tolist()):
            self.tables[:, agent, :, size:] = -np.inf  # actions it does not have
        self.places = [_Where(self.sight.start) for _ in seeds]
        self.codes = None if self.stateful or goals is not None or how.expected else self._codes()

    def learn(self) -> tuple[Lesson, ...]:
        how, groups, seats = self.how, self.groups, self.seats
        begin = self.sight.tenth(self.sight.first)
        here = np.full(len(self.seeds), begin)
        late, frozen = how.steps - how.steps // 10, how.steps - how.steps // 20
        changes, sums = np.zeros(len(self.seeds), dtype=np.int64), np.zeros((len(self.seeds), self.game.agents))
        before: NDArray[np.int64] | None = None
        for number in range(how.steps):
            if number % _CHUNK == 0:
                tries, guesses = self._draw()
            best = self._best(here)
            if number >= late and not self.stateful:
                changes += 0 if before is None else (best != before).any(axis=1)
                before = best
            chance = 0.0 if number >= frozen else max(_LEAST, 1 - (1 - _LEAST) * number / (0.8 * how.steps))
            rows = np.where(tries[number % _CHUNK] < chance, guesses[number % _CHUNK], best)
            came = self._play(rows, number)
            values = came.gained
            if self.discount:
                later = self.tables[groups, seats, came.tenths[:, None]].max(axis=2)
                values = values + self.discount * np.where(came.ended[:, None], 0.0, later)
            at = groups, seats, here[:, None], rows
            kept = self.tables[at]
            self.tables[at] = kept + how.rate * (values - kept)
            if self.stateful and number >= late:
                changes += (self._best(here) != best).any(axis=1)
            if number >= frozen:
                sums += came.gained
            here = np.where(came.ended, begin, came.tenths)
        first = self._best(np.full(len(self.seeds), begin)).tolist()
        means = (sums / (how.steps - frozen)).tolist()
        return tuple(
            Lesson(seed, self._joint(row), tuple(mean), int(changed), table)
            for seed, row, mean, changed, table in zip(self.seeds, first, means, changes, self.tables, strict=True)
        )

    def _best(self, here: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(self.tables[self.groups, self.seats, here[:, None]].argmax(axis=2))

    def _draw(self) -> tuple[Table, NDArray[np.int64]]:
        """For the next steps: whether each agent of each group would try something out, and what."""
        drawn = [
            (dice.random((_CHUNK, self.game.agents)), dice.random((_CHUNK, self.game.agents))) for dice in self.dice
        ]
        tries, guesses = (np.stack(each, axis=1) for each in zip(*drawn, strict=True))
        return tries, (guesses * self.sizes).astype(np.int64)

    def _joint(self, row: Sequence[int]) -> Joint:
        return tuple(grid[place] for grid, place in zip(self.sight.grids, row, strict=True))

    def _codes(self) -> list[NDArray[np.int64]] | None:
        """The code of each action for `Game.batch`; None where amounts are continuous."""
        spaces = [self.game.space(self.sight.start, agent) for agent in range(self.game.agents)]
        if any(isinstance(space, Amount) and space.step is None for space in spaces):
            return None
        return [
            np.array([space.encode(action) for action in grid], dtype=np.int64)
            for space, grid in zip(spaces, self.sight.grids, strict=True)
        ]

    def _play(self, rows: NDArray[np.int64], number: int) -> _Round:
        """One round of every group: of all at once where nothing but the joint action matters."""
        if self.codes is not None:
            codes = np.stack([code[rows[:, seat]] for seat, code in enumerate(self.codes)], axis=1)
            noise = _Watched(0, number + 1)
            batch = self.game.batch(self.sight.start, codes, noise)
            if not noise.asked:
                return _Round(batch.floats(), np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=np.bool_))
            self.codes = None  # luck: each group has its own
        played = [self._step(group, row, number) for group, row in enumerate(rows.tolist())]
        gained, tenths, ended = zip(*played, strict=True)
        return _Round(np.array(gained), np.array(tenths, dtype=np.int64), np.array(ended, dtype=np.bool_))

    def _step(self, group: int, row: list[int], number: int) -> tuple[list[float], int, bool]:
        where = self.places[group]
        try:
            joint = tuple(
                legalise(self.game.space(where.state, agent), action) for agent, action in enumerate(self._joint(row))
            )
        except ValueError as problem:
            raise BadInput(f"learners need the same actions in every round: {problem}") from None
        step = self.game.step(where.state, joint, Noise(self.seeds[group], number + 1, 1))
        gained = self._utilities(where.state, joint, step)
        where.played += 1
        ended = step.over or not self.stateful or where.played == self.how.rounds
        where.state, where.played = (self.sight.start, 0) if ended else (step.state, where.played)
        return gained, self.sight.tenth(step.stock_after), ended

    def _utilities(self, state: S, joint: Joint, step: Transition[S]) -> list[float]:
        if self.goals is not None:
            return [float(goal.utility(step, agent)) for agent, goal in enumerate(self.goals)]
        known = (
            self.game.known_expectation(state, joint)
            if isinstance(self.game, Mechanism) and self.how.expected
            else None
        )
        return [float(payoff) for payoff in known or step.payoffs]
