"""The linear public goods game."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from society.core.actions import Action, Amount, Joint
from society.core.arrays import NDArray, np
from society.core.exact import Exact, tidy
from society.core.mechanism import Batch, Bound, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.amounts import whole_amounts
from society.mechanisms.stateless import NOTHING, Nothing


class PublicGoods(Mechanism[Nothing]):
    """Gifts are multiplied and shared equally, whoever gave [FehrGachter2000]_.

        payoff_i = endowment - c_i + mpcr * sum(c)

    A social dilemma while 1/n < mpcr < 1: each does best to give nothing, and all do best if all give everything. The
    marginal per-capita return `mpcr` may be given as the group's `multiplier` instead: mpcr = multiplier / n.
    """

    kind: Literal["public_goods"] = "public_goods"
    source = ("FehrGachter2000", "FehrGachter2002")
    state_type = Nothing
    payoff_unit = "tokens"
    quantities = frozenset({"total"})

    agents: int = Field(
        4, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    endowment: int = Field(20, ge=1, le=1_000_000, description="tokens per agent and round (E)")
    mpcr: Exact | None = Field(
        None,
        gt=0,
        le=1000,
        description="tokens each agent gets per token given by anybody (m); null: 2/5, or by multiplier",
    )
    multiplier: Exact | None = Field(
        None, gt=0, le=1_000_000, description="tokens the group gets per token given, instead of mpcr"
    )

    @model_validator(mode="after")
    def _one_return(self) -> Self:
        if self.mpcr is not None and self.multiplier is not None:
            raise ValueError("give either mpcr or multiplier, not both: mpcr = multiplier / agents")
        return self

    @property
    def back(self) -> Fraction:
        """What each agent gets back per token given: the marginal per-capita return."""
        if self.multiplier is not None:
            return Fraction(self.multiplier) / self.agents
        return Fraction(2, 5) if self.mpcr is None else Fraction(self.mpcr)

    def initial_state(self) -> Nothing:
        return NOTHING

    def space(self, state: Nothing, agent: int) -> Amount:
        return Amount.between(0, self.endowment)

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {"endowment": self.endowment, "back": tidy(self.back), "sharers": self.agents}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        gifts = whole_amounts(joint)
        total = sum(gifts)
        payoffs = tuple(tidy(self.endowment - gift + self.back * total) for gift in gifts)
        return Transition(state=state, payoffs=payoffs, total=total)

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        back = self.back
        totals = joints.sum(axis=1)
        kept = (self.endowment - joints) * back.denominator
        return Batch(
            numerators=kept + (back.numerator * totals)[:, None],
            denominators=np.array([[back.denominator]], dtype=np.int64),
            totals=totals,
        )

    def poles(self, state: Nothing) -> tuple[Action, Action]:
        return self.endowment, 0

    def known_ceiling(self, state: Nothing, agent: int) -> Bound:
        own = 0 if self.back < 1 else self.endowment
        profile = tuple(own if seat == agent else self.endowment for seat in range(self.agents))
        value = self.step(state, profile, Noise(0)).payoffs[agent]
        return Bound(value, profile, how="closed form: the others give everything")

    def known_optimum(self, state: Nothing) -> Bound:
        each = self.endowment if self.back * self.agents > 1 else 0
        profile = (each,) * self.agents
        return Bound(self.step(state, profile, Noise(0)).welfare, profile, how="closed form: all give the same")

    def known_equilibria(self, state: Nothing) -> tuple[Joint, ...] | None:
        """Nobody gives (or everybody everything, where a gift pays for itself). With mpcr 1 every profile is one."""
        if self.back == 1:
            return None
        return ((0 if self.back < 1 else self.endowment,) * self.agents,)
