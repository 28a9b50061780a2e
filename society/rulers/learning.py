"""What independent learners come to: agents that know nothing, say nothing, and keep a table of what paid.

The baseline of multi-agent learning [SandholmCrites1996]_, [ClausBoutilier1998]_: every agent runs its own tabular Q-learning
[Watkins1992]_ and takes the others for weather. What they fail at is what talk, models of each other or rules have to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import fmean, stdev
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Action, Amount, Joint
from society.core.errors import BadInput
from society.core.exact import Number
from society.core.goals import Goal
from society.core.mechanism import Game, Transition, legalise
from society.core.seeds import Noise

S = TypeVar("S")
Table = NDArray[np.float64]

MOST_ACTIONS = 101
"""Amounts of more values than this are learnt on an even grid of that many."""
SITUATIONS = 10
"""A stock is seen in tenths of what it was at first."""
_LEAST = 0.01
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one group of learners came to.

    Attributes:
        seed: their luck, in trying things out and in the game.
        greedy: what each does in the first round once it no longer tries things out.
        payoffs: each agent's mean utility per round over the last twentieth of the steps, without trying out.
        changes: in how many of the last tenth of the steps the greedy joint action changed; above 0 they had not settled.
        tables: value of each action (last axis) in each situation, by agent.
    """

    seed: int
    greedy: Joint
    payoffs: tuple[float, ...]
    changes: int
    tables: Table

    @property
    def welfare(self) -> float:
        """The sum of `payoffs`."""
        return sum(self.payoffs)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Several groups of learners of one game, each with a seed of its own."""

    lessons: tuple[Lesson, ...]
    steps: int

    @property
    def settled(self) -> Fraction:
        """The share of groups whose greedy joint action no longer changed."""
        return Fraction(sum(not lesson.changes for lesson in self.lessons), len(self.lessons))

    def mean(self, measure: Callable[[Lesson], float]) -> tuple[float, float]:
        """The mean over groups and the half width of its 95 % interval (normal; nan for a single group)."""
        values = [float(measure(lesson)) for lesson in self.lessons]
        half = 1.96 * stdev(values) / sqrt(len(values)) if len(values) > 1 else float("nan")
        return fmean(values), half


@dataclass(frozen=True, slots=True)
class Schooling:
    """How learners learn.

    They try out anything with a chance that falls from 1 to 0.01 over the first four fifths of the steps and is 0 in the last
    twentieth. A game with a stock is seen in tenths of the first stock, begins anew when it is over (or after `rounds`), and
    later payoffs count by `discount`; a game without one is a single situation, and if its rounds are all the same, only the
    payoff of the round counts.

    Attributes:
        steps: rounds played by each group.
        rate: how far one payoff moves a value.
        discount: weight of the next round in games with a stock.
        rounds: length of an episode of such a game; None: until it is over.
    """

    steps: int = 20_000
    rate: float = 0.1
    discount: float = 0.99
    rounds: int | None = None


def learn(
    game: Game[S], seeds: Iterable[int], schooling: Schooling | None = None, *, goals: Sequence[Goal] | None = None
) -> Lessons:
    """Let independent Q-learners play the game against each other, one group for each seed.

    Args:
        game: a mechanism, bare or under instruments; all its agents learn.
        seeds: the luck of each group.
        schooling: how they learn.
        goals: whose utilities are learnt from, one per agent; own payoffs if None.

    Raises:
        BadInput: the actions cannot be listed, or are others in later rounds (proposals and votes).
    """
    how = schooling or Schooling()
    return Lessons(tuple(_Group(game, seed, how, goals).learn() for seed in seeds), how.steps)


class Learnt(Generic[S]):
    """What a seat does after a lesson.

    Args:
        game: what was learnt.
        lesson: what came of it.
    """

    def __init__(self, game: Game[S], lesson: Lesson) -> None:
        self.lesson = lesson
        self._sight = _Sight(game)
        self._game = game

    def action(self, state: S, agent: int) -> Action:
        """The best action of an agent in a state, by what it learnt; the nearest allowed one where that is not allowed now."""
        place = int(self.lesson.tables[agent, self._sight.situation(state)].argmax())
        return legalise(self._game.space(state, agent), self._sight.grids[agent][place])


class _Sight(Generic[S]):
    """What learners see: their first grid of actions, and which tenth of its first level the stock is in."""

    def __init__(self, game: Game[S]) -> None:
        self.game = game
        self.start = game.initial_state()
        spaces = [game.space(self.start, agent) for agent in range(game.agents)]
        try:
            self.grids = [space.grid(MOST_ACTIONS) if isinstance(space, Amount) else space.grid() for space in spaces]
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


class _Group(Generic[S]):
    """One group of learners."""

    def __init__(self, game: Game[S], seed: int, how: Schooling, goals: Sequence[Goal] | None) -> None:
        self.game, self.seed, self.how, self.goals = game, seed, how, goals
        self.sight = _Sight(game)
        self.stateful = self.sight.stateful
        self.discount = how.discount if self.stateful else 0.0
        self.seats = np.arange(game.agents)
        self.sizes = np.array([len(grid) for grid in self.sight.grids])
        self.dice = np.random.Generator(np.random.Philox(key=Noise(seed).bits("learning")))
        self.tables = np.zeros((game.agents, self.sight.situations, self.sizes.max()))
        for agent, size in enumerate(self.sizes.tolist()):
            self.tables[agent, :, size:] = -np.inf  # actions it does not have

    def learn(self) -> Lesson:
        state, here, played = self.sight.start, self._tenth_of_start(), 0
        late, frozen = self.how.steps - self.how.steps // 10, self.how.steps - self.how.steps // 20
        before: NDArray[np.int64] | None = None
        changes, sums = 0, np.zeros(self.game.agents)
        for number in range(self.how.steps):
            if number % _CHUNK == 0:
                tries = self.dice.random((_CHUNK, self.game.agents))
                guesses = (self.dice.random((_CHUNK, self.game.agents)) * self.sizes).astype(np.int64)
            best = self.tables[:, here].argmax(axis=1)
            if number >= late and not self.stateful:
                changes += before is not None and bool((best != before).any())
                before = best
            chance = 0.0 if number >= frozen else max(_LEAST, 1 - (1 - _LEAST) * number / (0.8 * self.how.steps))
            row = np.where(tries[number % _CHUNK] < chance, guesses[number % _CHUNK], best)
            step = self._play(state, row, number)
            gained = self._utilities(step)
            played += 1
            state, there, ended = step.state, self.sight.tenth(step.stock_after), self._ended(step, played)
            values = gained if ended else gained + self.discount * self.tables[:, there].max(axis=1)
            kept = self.tables[self.seats, here, row]
            self.tables[self.seats, here, row] = kept + self.how.rate * (values - kept)
            if self.stateful and number >= late:
                changes += int((self.tables[:, here].argmax(axis=1) != best).any())
            if number >= frozen:
                sums += gained
            here = there
            if ended:
                state, here, played = self.sight.start, self._tenth_of_start(), 0
        first = self.tables[:, self._tenth_of_start()].argmax(axis=1)
        greedy = tuple(grid[int(place)] for grid, place in zip(self.sight.grids, first, strict=True))
        means = tuple((sums / (self.how.steps - frozen)).tolist())
        return Lesson(self.seed, greedy, means, changes, self.tables)

    def _tenth_of_start(self) -> int:
        return self.sight.tenth(self.sight.first)

    def _ended(self, step: Transition[S], played: int) -> bool:
        return step.over or not self.stateful or (self.how.rounds is not None and played >= self.how.rounds)

    def _play(self, state: S, row: NDArray[np.int64], number: int) -> Transition[S]:
        wanted = (grid[place] for grid, place in zip(self.sight.grids, row.tolist(), strict=True))
        try:
            joint = tuple(legalise(self.game.space(state, agent), action) for agent, action in enumerate(wanted))
        except ValueError as problem:
            raise BadInput(f"learners need the same actions in every round: {problem}") from None
        return self.game.step(state, joint, Noise(self.seed, number + 1, 1))

    def _utilities(self, step: Transition[S]) -> NDArray[np.float64]:
        if self.goals is None:
            return np.array([float(payoff) for payoff in step.payoffs])
        return np.array([float(goal.utility(step, agent)) for agent, goal in enumerate(self.goals)])
