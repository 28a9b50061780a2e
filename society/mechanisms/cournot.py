"""Sellers who choose how much to bring to one market."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from society.core.actions import Joint
from society.core.exact import Exact, tidy
from society.core.mechanism import Transition
from society.core.seeds import Noise
from society.mechanisms.appropriation import Appropriation
from society.mechanisms.stateless import Nothing


class Cournot(Appropriation):
    """The more all sell, the lower the price [Cournot1838]_: payoff_i = x_i * (demand - slope * X - cost).

    With two sellers, demand 120 and slope 1 the payoff is -x_i^2 - x_1 x_2 + 120 x_i: competition sells 80 in all, and
    60 would earn the sellers most [OesterleSharon2023]_. What is best for the sellers is worst for the buyers, whose
    surplus, slope * X^2 / 2, each round's facts carry: cooperation among agents that harms outsiders.
    """

    kind: Literal["cournot"] = "cournot"
    source = ("Cournot1838", "OesterleSharon2023")
    payoff_unit = "euros"

    agents: int = Field(
        2, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    demand: Exact = Field(120, gt=0, le=1_000_000, description="price of the first unit")
    slope: Exact = Field(1, gt=0, le=1000, description="how much every unit sold lowers the price")
    cost: Exact = Field(0, ge=0, le=1_000_000, description="cost of a unit to its seller")
    capacity: int = Field(120, ge=1, le=100_000, description="most units one agent can sell in a round")

    @property
    def most(self) -> int:
        return self.capacity

    @property
    def terms(self) -> tuple[Fraction, Fraction, Fraction]:
        return Fraction(0), Fraction(self.demand) - Fraction(self.cost), Fraction(self.slope)

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        sold = super().step(state, joint, noise)
        total = Fraction(sold.total or 0)
        facts = {
            "price": tidy(self.demand - self.slope * total),
            "buyers_surplus": tidy(self.slope * total**2 / 2),
        }
        return Transition(state=state, payoffs=sold.payoffs, total=sold.total, facts=facts)
