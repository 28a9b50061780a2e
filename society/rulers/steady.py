"""A whole episode as one choice: to cooperate in every round, or to defect in every round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from society.core.actions import Action, Choice, Joint
from society.core.arrays import NDArray, np
from society.core.batching import batch_by_steps
from society.core.exact import Number, tidy
from society.core.mechanism import Batch, Facts, Mechanism, Transition
from society.core.seeds import Noise

COOPERATE, DEFECT = "always cooperate", "always defect"

WORLDS = 100
"""Over how many worlds the payoffs of a game of chance are averaged, where their expectation is not known."""


@dataclass(frozen=True, slots=True)
class Once:
    """The only state: the choice is made once, before the episode."""


class SteadyPlay:
    """The game between the two plainest plans of a game with a state, for which a single round says little.

    Whoever cooperates plays, in each round, the action its mechanism calls cooperation in the state of that round;
    whoever defects, the other pole. Payoffs are summed over the episode: expected where the mechanism knows the
    expectation of a round, a mean of `WORLDS` worlds where luck decides otherwise (then `certain` is False).

    Args:
        mechanism: the game; it has poles in its first round.
        rounds: how many rounds are planned.
    """

    symmetric = False

    def __init__(self, mechanism: Mechanism[Any], rounds: int) -> None:  # Any: whatever its state is
        self.mechanism, self.rounds = mechanism, rounds
        self.agents = mechanism.agents

    def initial_state(self) -> Once:
        return Once()

    def over(self, state: Once) -> bool:
        return False

    def space(self, state: Once, agent: int) -> Choice:
        return Choice(options=(COOPERATE, DEFECT))

    def observe(self, state: Once, agent: int) -> Facts:
        return {}

    def poles(self, state: Once) -> tuple[Action, Action]:
        return COOPERATE, DEFECT

    @cached_property
    def certain(self) -> bool:
        """Whether payoffs are exact: no luck, or known expectations."""
        mixed = tuple(agent % 2 == 0 for agent in range(self.agents))
        plans = [mixed, (True,) * self.agents, (False,) * self.agents]
        return all(self._play(plan, seed) == self._play(plan, 0) for plan in plans for seed in range(1, 5))

    def step(self, state: Once, joint: Joint, noise: Noise) -> Transition[Once]:
        plan = [action == COOPERATE for action in joint]
        if self.certain:
            return Transition(state, self._play(plan, noise.seed))
        played = [self._play(plan, seed) for seed in range(WORLDS)]
        means = tuple(tidy(Fraction(sum(column)) / WORLDS) for column in zip(*played, strict=True))
        return Transition(state, means)

    def batch(self, state: Once, joints: NDArray[np.int64], noise: Noise) -> Batch:
        return batch_by_steps(self, state, joints, noise)

    batch_now = batch

    def abstention(self, state: Once, agent: int) -> Action:
        return COOPERATE

    def _play(self, cooperates: Sequence[bool], seed: int) -> tuple[Number, ...]:
        state: Any = self.mechanism.initial_state()
        sums: list[Number] = [0] * self.agents
        for number in range(1, self.rounds + 1):
            poles = None if self.mechanism.over(state) else self.mechanism.poles(state)
            if poles is None:
                break
            joint = tuple(poles[0] if good else poles[1] for good in cooperates)
            step = self.mechanism.step(state, joint, Noise(seed, number))
            expected = self.mechanism.known_expectation(state, joint)
            sums = [total + more for total, more in zip(sums, expected or step.payoffs, strict=True)]
            state = step.state
        return tuple(sums)
