"""Tool agents, and one human who can answer only a few."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from society.core.actions import Action, Choice, Joint
from society.core.arrays import NDArray, np
from society.core.columns import over_common_denominator
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Bound, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.merit import merit
from society.mechanisms.stateless import NOTHING, Nothing

OPTIONS = ("act", "ask", "noop")
_ASK = OPTIONS.index("ask")
_OUTCOMES = tuple((word, answered) for answered in (False, True) for word in OPTIONS)


class Attention(Mechanism[Nothing]):
    """Each agent has a proposal, good or bad: carry it out, ask the human, or drop it [HadfieldMenell2017]_.

        act    p G - (1 - p) L
        ask    min(1, B/m) (p h G - (1 - p) (1 - h) L) - k        when m agents ask
        noop   0

    The human judges a proposal rightly with probability h and answers B of the m who ask, drawn by lot; the others drop
    theirs. Asking is worth more than acting while attention suffices, so that attention itself becomes a commons:
    with the defaults eight of ten ask, and four would be best.
    """

    kind: Literal["attention"] = "attention"
    source = ("HadfieldMenell2017",)
    state_type = Nothing

    agents: int = Field(
        10, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    gain: Exact = Field(10, ge=0, le=1_000_000, description="points a good proposal brings (G)")
    loss: Exact = Field(40, ge=0, le=1_000_000, description="points a bad one costs (L)")
    good: Exact = Field("17/20", ge=0, le=1, validate_default=True, description="chance that a proposal is good (p)")
    judgement: Exact = Field(
        "19/20", ge=0, le=1, validate_default=True, description="chance that the human is right (h)"
    )
    cost: Exact = Field(1, ge=0, le=1_000_000, description="points that asking costs (k)")
    slots: int = Field(4, ge=0, le=1000, description="how many the human answers in a round (B)")
    outcomes: Literal["expected", "drawn"] = Field(
        "expected", description="payoffs are expectations, or every proposal and answer is drawn"
    )

    @property
    def acting(self) -> Number:
        """Expected payoff of acting at once."""
        return tidy(self.good * Fraction(self.gain) - (1 - Fraction(self.good)) * self.loss)

    def asking(self, askers: int) -> Number:
        """Expected payoff of asking when this many ask, the agent itself among them."""
        good, right = Fraction(self.good), Fraction(self.judgement)
        answered = good * right * self.gain - (1 - good) * (1 - right) * self.loss
        return tidy(min(Fraction(1), Fraction(self.slots, askers)) * answered - self.cost)

    def initial_state(self) -> Nothing:
        return NOTHING

    def space(self, state: Nothing, agent: int) -> Choice:
        return _CHOICE

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {"slots": self.slots}

    @property
    def symmetric(self) -> bool:
        """Where outcomes are drawn, luck tells the seats apart."""
        return self.outcomes == "expected"

    @property
    def symmetric_in_expectation(self) -> bool:
        return True

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        askers = [agent for agent, word in enumerate(joint) if word == "ask"]
        facts = {"askers": len(askers), "answered": min(self.slots, len(askers))}
        if self.outcomes == "expected":
            return Transition(state=state, payoffs=self._expected(joint), facts=facts)
        answered = set(noise.order(askers, "attention")[: self.slots])
        payoffs = tuple(self._drawn(str(word), agent, agent in answered, noise) for agent, word in enumerate(joint))
        return Transition(state=state, payoffs=payoffs, facts=facts)

    def _expected(self, joint: Joint) -> tuple[Number, ...]:
        askers = joint.count("ask")
        worth = {"act": self.acting, "noop": 0, "ask": self.asking(askers) if askers else 0}
        return tuple(worth[str(word)] for word in joint)

    def _drawn(self, word: str, agent: int, answered: bool, noise: Noise) -> Number:
        good = noise.chance(self.good, "proposal", agent)
        right = noise.chance(self.judgement, "judgement", agent)
        done = word == "act" or (answered and good == right)
        result = (self.gain if good else -self.loss) if done else 0
        return tidy(result - (self.cost if word == "ask" else 0))

    def known_expectation(self, state: Nothing, joint: Joint) -> tuple[Number, ...] | None:
        return self._expected(joint) if self.outcomes == "drawn" else None

    @cached_property
    def _table(self) -> tuple[NDArray[Any], NDArray[Any]]:  # Any: int64 or object, see over_common_denominator
        """Payoffs of each option (columns) by how many ask (rows)."""
        asked = [0, *(self.asking(m) for m in range(1, self.agents + 1))]
        return over_common_denominator([(self.acting, worth, 0) for worth in asked])

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        asks = joints == _ASK
        if self.outcomes == "expected":
            numerators, denominators = self._table
            return Batch(numerators[asks.sum(axis=1)[:, None], joints], denominators)
        seats = range(self.agents)
        lots = noise.order(seats, "attention")
        answered = np.zeros_like(asks)
        answered[:, lots] = asks[:, lots] & (np.cumsum(asks[:, lots], axis=1) <= self.slots)
        drawn = [[self._drawn(word, seat, by, noise) for word, by in _OUTCOMES] for seat in seats]
        numerators, denominators = over_common_denominator(drawn)
        return Batch(numerators[np.arange(self.agents), joints + len(OPTIONS) * answered], denominators)

    def known_value(self, rounds_left: int, agent: int | None) -> Callable[[Nothing], Number]:
        best = self.known_optimum(NOTHING) if agent is None else self.known_ceiling(NOTHING, agent)
        return lambda state: tidy(rounds_left * best.value)

    def poles(self, state: Nothing) -> tuple[Action, Action]:
        """Leaving the human alone, and asking."""
        return self._alone, "ask"

    @property
    def _alone(self) -> str:
        return "act" if self.acting >= 0 else "noop"

    def known_ceiling(self, state: Nothing, agent: int) -> Bound:
        alone = max(self.acting, 0)
        own = "ask" if self.asking(1) > alone else self._alone
        profile = tuple(own if seat == agent else "noop" for seat in range(self.agents))
        return Bound(max(self.asking(1), alone), profile, how="closed form, expected: nobody else asks")

    def known_optimum(self, state: Nothing) -> Bound:
        profiles = sorted(map(self._with_askers, range(self.agents + 1)))  # act, ask, noop: also in alphabetical order
        best = max(profiles, key=lambda profile: merit(self._expected(profile)))
        return Bound(sum(self._expected(best)), best, how="closed form, expected: by the number of askers")

    def _with_askers(self, askers: int) -> tuple[str, ...]:
        others = (self._alone,) * (self.agents - askers)
        asking = ("ask",) * askers
        return (*others, *asking) if self._alone == "act" else (*asking, *others)

    def known_equilibria(self, state: Nothing) -> tuple[Joint, ...] | None:
        """M ask, while asking pays at least as much as not, and one more would not gain. Expected."""
        if self.acting == 0:
            return None  # acting and dropping are then the same to everybody, in any mixture
        alone = max(self.acting, 0)
        return tuple(
            self._with_askers(m)
            for m in range(self.agents + 1)
            if (m == 0 or self.asking(m) >= alone) and (m == self.agents or self.asking(m + 1) <= alone)
        )


_CHOICE = Choice(options=OPTIONS)
