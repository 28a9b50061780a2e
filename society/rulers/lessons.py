"""What learners are taught, and what they have learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import fmean, stdev
from typing import TypeAlias

from society.core.actions import Joint
from society.core.arrays import NDArray, np

Table: TypeAlias = "NDArray[np.float64]"

MOST_ACTIONS = 101
"""On how many points of an amount learners keep values, unless they are told."""


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
        points: amounts of more values than this are learnt on an even grid of so many.
        expected: where the mechanism knows the expected payoffs of a round, they are learnt from, and not what luck made of
            it: a lottery that is drawn leaves its mark on a table that forgets.
    """

    steps: int = 20_000
    rate: float = 0.1
    discount: float = 0.99
    rounds: int | None = None
    points: int = MOST_ACTIONS
    expected: bool = False
