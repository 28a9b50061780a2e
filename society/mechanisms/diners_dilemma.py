"""The bill is split evenly, whatever each has ordered."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from society.core.actions import Action
from society.core.exact import Exact, Number, tidy
from society.mechanisms.option_game import TwoOptionGame
from society.mechanisms.stateless import Nothing


class DinersDilemma(TwoOptionGame):
    """Everybody enjoys its own meal and pays an n-th of all meals [GlanceHuberman1994]_, [Gneezy2004]_.

    The expensive meal is better for whoever orders it when its extra value exceeds an n-th of its extra cost; it is worse
    for the table when its extra value is below its extra cost.
    """

    kind: Literal["diners_dilemma"] = "diners_dilemma"
    source = ("GlanceHuberman1994", "Gneezy2004")

    agents: int = Field(
        6, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    cheap_value: Exact = Field(15, ge=0, le=1_000_000, description="what the cheap meal is worth to its eater")
    cheap_cost: Exact = Field(10, ge=0, le=1_000_000, description="what the cheap meal puts on the bill")
    expensive_value: Exact = Field(25, ge=0, le=1_000_000, description="what the expensive meal is worth to its eater")
    expensive_cost: Exact = Field(30, ge=0, le=1_000_000, description="what the expensive meal puts on the bill")
    options: tuple[str, str] = Field(("cheap", "expensive"), description="the words for the two meals")

    def words_of(self, agent: int) -> tuple[str, ...]:
        return self.options

    @property
    def by_others(self) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        cheap, dear, n = Fraction(self.cheap_cost), Fraction(self.expensive_cost), self.agents
        return (
            tuple(tidy(self.cheap_value - (cheap * (k + 1) + dear * (n - 1 - k)) / n) for k in range(n)),
            tuple(tidy(self.expensive_value - (cheap * k + dear * (n - k)) / n) for k in range(n)),
        )

    def poles(self, state: Nothing) -> tuple[Action, Action]:
        return self.options
