"""Small games for tests of rulers and analysis. Their `kind` has no default, so that no registry finds them."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from society.core.actions import Amount, Choice
from society.core.mechanism import Batch, Mechanism, Transition


@dataclass(frozen=True, slots=True)
class Here:
    """The only state."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How much is left."""

    left: int


class Table(Mechanism[Here]):
    """A two-player game given as rows of (row payoff, column payoff)."""

    kind: str = ...
    agents: int = 2
    options: tuple[str, ...]
    cells: tuple[tuple[tuple[int, int], ...], ...]
    state_type = Here

    @property
    def symmetric(self):
        size = range(len(self.options))
        return all(self.cells[r][c] == self.cells[c][r][::-1] for r in size for c in size)

    def initial_state(self):
        return Here()

    def space(self, state, agent):
        return Choice(options=self.options)

    def observe(self, state, agent):
        return {}

    def step(self, state, joint, noise):
        row, column = (self.options.index(action) for action in joint)
        return Transition(state=state, payoffs=self.cells[row][column])

    def poles(self, state):
        return self.options[0], self.options[1]


def two_by_two(t, r, p, s):
    """A symmetric game by its temptation, reward, punishment and sucker's payoff."""
    return Table(kind="two", options=("C", "D"), cells=(((r, r), (s, t)), ((t, s), (p, p))))


class Pool(Mechanism[Here]):
    """The common-pool resource of experiments: outside wage 5, share of 23 X - X^2/4."""

    kind: str = ...
    endowment: int = 10
    state_type = Here

    def initial_state(self):
        return Here()

    def space(self, state, agent):
        return Amount.between(0, self.endowment)

    def observe(self, state, agent):
        return {}

    def step(self, state, joint, noise):
        total = sum(joint)
        payoffs = tuple(5 * self.endowment + x * (18 - Fraction(total, 4)) for x in joint)
        return Transition(state=state, payoffs=payoffs, total=total)

    def batch(self, state, joints, noise):
        quarters = 20 * self.endowment + joints * (72 - joints.sum(axis=1, keepdims=True))
        return Batch(numerators=quarters, denominators=np.array([[4]]), totals=joints.sum(axis=1))


class Gifts(Mechanism[Here]):
    """The linear public good."""

    kind: str = ...
    endowment: int = 20
    back: Fraction = Fraction(2, 5)
    state_type = Here

    def initial_state(self):
        return Here()

    def space(self, state, agent):
        return Amount.between(0, self.endowment)

    def observe(self, state, agent):
        return {}

    def step(self, state, joint, noise):
        total = sum(joint)
        return Transition(state, tuple(self.endowment - gift + self.back * total for gift in joint), total=total)

    def poles(self, state):
        return self.endowment, 0


class Volunteers(Mechanism[Here]):
    """Somebody has to pay the cost; then everybody has the benefit."""

    kind: str = ...
    benefit: int
    cost: int
    state_type = Here

    def initial_state(self):
        return Here()

    def space(self, state, agent):
        return Choice(options=("volunteer", "wait"))

    def observe(self, state, agent):
        return {}

    def step(self, state, joint, noise):
        gain = self.benefit if "volunteer" in joint else 0
        return Transition(state, tuple(gain - self.cost * (action == "volunteer") for action in joint))

    def poles(self, state):
        return "volunteer", "wait"


class Lake(Mechanism[Stock]):
    """What is left doubles, up to the capacity; short stock goes to the lower seat first."""

    kind: str = ...
    capacity: int = 8
    state_type = Stock

    @property
    def symmetric(self):
        return False

    def initial_state(self):
        return Stock(self.capacity)

    def over(self, state):
        return state.left == 0

    def space(self, state, agent):
        return Amount.between(0, state.left)

    def observe(self, state, agent):
        return {}

    def step(self, state, joint, noise):
        left, got = state.left, []
        for asked in joint:
            got.append(min(left, asked))
            left -= got[-1]
        after = min(self.capacity, 2 * left)
        return Transition(Stock(after), tuple(got), tuple(got), sum(got), state.left, after, after == 0, after == 0)
