r"""What a round is worth beyond itself: reference values of states, and the sum over an episode.

In a commons with a state a round's payoff alone misleads: taking too much looks like a gain. With a reference value V_t(s)
of what can still be had from round t on (V after the last round is 0) each round is scored by

    u_t = rho_t + discount * V_{t+1}(next state)

where rho_t is the round's own score, and then exactly, for any V at all,

    V_1(s_1) - sum rho_t - V_end(s_end) = sum over t of [ slack_t + the terms of round t ],   slack_t = V_t(s_t) - W0_t

(rounds discounted; V_end is what an unfinished episode leaves open, 0 otherwise). It is the performance difference lemma
[KakadeLangford2002]_ and the identity of potential shaping [Ng1999]_. With the optimal V of the yardstick slack is 0; a poor
V makes slack large, which is why slack is always shown.

    myopic        V = 0: for games without a state
    continuation  V is the mechanism's optimal value where it knows one, else what everybody following a named reference
                  policy brings under the same noise
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from society.analysis.alignment.chains import Mode
from society.analysis.alignment.rules import physical
from society.analysis.alignment.worlds import Yardstick
from society.core.actions import Action
from society.core.errors import BadInput
from society.core.exact import Number, tidy
from society.core.goals import Goal, GroupWelfare, OwnPayoff
from society.core.instrument import words_only
from society.core.mechanism import Mechanism, legalise
from society.core.seeds import Noise
from society.governance.governed import Governed

Reference = Literal["optimum", "optimum without instruments", "everybody takes its share", "everybody abstains", "none"]
Value = Callable[[Any], Number]


@dataclass
class Horizon:
    """Reference values of one episode.

    Args:
        game: the governed rules.
        rounds: how many were planned.
        seed: keys the noise of reference policies.
        mode: myopic or continuation; by default continuation where the mechanism has a state.
        discount: weight of the next round.

    Raises:
        BadInput: the mode `episode`, which replays whole plans and has no rounds to value.
    """

    game: Governed
    rounds: int
    seed: int
    mode: Mode | None = None
    discount: Number = 1

    def __post_init__(self) -> None:
        if self.mode == "episode":
            raise BadInput("whole plans are decomposed by decompose() over a game of plans; here rounds are valued")
        if self.mode is None:
            self.mode = "myopic" if self.game.mechanism.repeated else "continuation"
        self._values: dict[tuple[Goal, int, int], tuple[Value, Reference]] = {}

    def yardstick(self, name: str, goal: Goal, agent: int, number: int, state: object) -> tuple[Yardstick, Reference]:
        """The yardstick of one round for one agent, with the reference value of what follows, and that value's name."""
        if self.mode == "myopic":
            return Yardstick(name, goal), "none"
        value, reference = self.value(goal, agent, number + 1)
        optimal = self.value(goal, agent, number)[0](state) if reference == "optimum" else None
        return Yardstick(name, goal, value, self.discount, optimal), reference

    def value(self, goal: Goal, agent: int, number: int) -> tuple[Value, Reference]:
        """V of the rounds from `number` on, as a function of the state that round finds, and where it comes from."""
        if isinstance(goal, GroupWelfare):
            agent = 0  # the same for everybody
        key = (goal, agent, number)
        if key not in self._values:
            self._values[key] = self._value(goal, agent, number)
        return self._values[key]

    def shared(self, name: str, goal: Goal, agent: int, number: int) -> tuple[Yardstick, Reference]:
        """The yardstick of one round with what follows valued at what everybody doing its share would bring.

        For what a step does to others and to oneself: an optimal value would count as lost what only a dictator could have had.
        """
        if self.mode == "myopic":
            return Yardstick(name, goal), "none"
        policy = self._policy(goal, agent)
        if number >= self.rounds:
            return Yardstick(name, goal, _nothing, self.discount), policy.name
        after = _remembered(lambda state: policy.worth(state, number + 1))
        return Yardstick(name, goal, after, self.discount), policy.name

    def _policy(self, goal: Goal, agent: int) -> _Policy:
        return _Policy(self.game.mechanism, goal, agent, rounds=self.rounds, seed=self.seed, discount=self.discount)

    def _value(self, goal: Goal, agent: int, number: int) -> tuple[Value, Reference]:
        left = self.rounds + 1 - number
        whose = agent if isinstance(goal, OwnPayoff) else None
        known = None
        if self.discount == 1 and isinstance(goal, (OwnPayoff, GroupWelfare)):
            known = self.game.mechanism.known_value(max(left, 0), whose)
        if known is not None:
            free = all(words_only(instrument) for instrument in self.game.instruments)
            reference: Reference = "optimum" if free else "optimum without instruments"
            if left <= 0:
                return _nothing, reference
            return _remembered(known), reference
        policy = self._policy(goal, agent)
        if left <= 0:
            return _nothing, policy.name
        return _remembered(lambda state: policy.worth(state, number)), policy.name


def _remembered(value: Value) -> Value:
    """The value of the physical part of a state, worked out once per state."""
    known: dict[object, Number] = {}

    def of(state: Any) -> Number:  # Any: each mechanism has its own type of state
        here = physical(state)
        if here not in known:
            known[here] = value(here)
        return known[here]

    return of


def _nothing(_: object) -> Number:
    return 0


class _Policy:
    """Everybody follows one simple rule to the end: takes its sustainable share, or abstains where there is none."""

    def __init__(
        self, mechanism: Mechanism[Any], goal: Goal, agent: int, *, rounds: int, seed: int, discount: Number
    ) -> None:
        self.mechanism, self.goal, self.agent = mechanism, goal, agent
        self.rounds, self.seed, self.discount = rounds, seed, discount
        shared = mechanism.share(mechanism.initial_state()) is not None
        self.name: Reference = "everybody takes its share" if shared else "everybody abstains"
        self._worth: dict[tuple[object, int], Number] = {}

    def worth(self, state: Any, number: int) -> Number:
        """What the rounds from `number` on bring from this state."""
        path: list[tuple[tuple[object, int], Number]] = []
        after: Number = 0
        while number <= self.rounds and not self.mechanism.over(state):
            if (state, number) in self._worth:
                after = self._worth[state, number]
                break
            joint = tuple(self._act(state, seat) for seat in range(self.mechanism.agents))
            step = self.mechanism.step(state, joint, Noise(self.seed, number))
            path.append(((state, number), self.goal.utility(step, self.agent)))
            state, number = step.state, number + 1
        for key, now in reversed(path):
            after = tidy(now + self.discount * after)
            self._worth[key] = after
        return after

    def _act(self, state: Any, seat: int) -> Action:
        share = self.mechanism.share(state)
        if share is None:
            return self.mechanism.abstention(state, seat)
        return legalise(self.mechanism.space(state, seat), share)
