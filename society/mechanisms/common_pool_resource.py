"""The common-pool resource game of the laboratory."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from society.core.exact import Exact
from society.mechanisms.appropriation import Appropriation


class CommonPoolResource(Appropriation):
    """Tokens go into an outside market with a fixed wage, or into a pool that yields less the more all put in.

        payoff_i = wage * (endowment - x_i) + (x_i / X) * (a X - b X^2)        [Ostrom1992]_, [Ostrom1994]_

    With the defaults (8 agents, wage 5, a = 23, b = 1/4) selfish play puts in 64 tokens in all, the group's best is 36.
    Payoffs are cents and can be negative.
    """

    kind: Literal["common_pool_resource"] = "common_pool_resource"
    source = ("Ostrom1992", "Ostrom1994")
    payoff_unit = "cents"

    agents: int = Field(
        8, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    endowment: int = Field(
        25, ge=1, le=100_000, description="tokens per agent and round (e); 10 and 25 in the laboratory"
    )
    wage: Exact = Field(5, ge=-1000, le=1_000_000, description="cents per token kept out of the pool (w)")
    a: Exact = Field(23, ge=-1000, le=1_000_000, description="cents the first token in the pool yields")
    b: Exact = Field("1/4", gt=0, le=1000, validate_default=True, description="cents each token takes off every yield")

    @property
    def most(self) -> int:
        return self.endowment

    @property
    def terms(self) -> tuple[Fraction, Fraction, Fraction]:
        return Fraction(self.wage), Fraction(self.a), Fraction(self.b)
