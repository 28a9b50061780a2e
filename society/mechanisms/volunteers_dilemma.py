"""One has to do it, and it costs that one something."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from society.core.actions import Action
from society.core.exact import Exact, Number, tidy
from society.mechanisms.option_game import TwoOptionGame
from society.mechanisms.stateless import Nothing


class VolunteersDilemma(TwoOptionGame):
    """All get the benefit as soon as anybody volunteers; whoever volunteers pays the cost [Diekmann1985]_.

    Pure equilibria: exactly one volunteers. In the mixed one everybody waits with probability (c/b)^(1/(n-1)), so that
    larger groups fail more often. The group's best, n b - c, is reached by any single volunteer.
    """

    kind: Literal["volunteers_dilemma"] = "volunteers_dilemma"
    source = ("Diekmann1985",)

    agents: int = Field(
        5, ge=2, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    benefit: Exact = Field(10, gt=0, le=1_000_000, description="points for each agent if anybody volunteers (b)")
    cost: Exact = Field(
        2, gt=0, le=1_000_000, description="points for each volunteer to pay (c); less than the benefit"
    )
    options: tuple[str, str] = Field(("volunteer", "wait"), description="the words for doing it and for leaving it")

    @model_validator(mode="after")
    def _worth_it(self) -> Self:
        if self.cost >= self.benefit:
            raise ValueError("the cost has to be less than the benefit, else nobody has a reason to volunteer")
        return self

    def words_of(self, agent: int) -> tuple[str, ...]:
        return self.options

    @property
    def by_others(self) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        done = tidy(Fraction(self.benefit) - Fraction(self.cost))
        return (done,) * self.agents, (0, *(self.benefit for _ in range(self.agents - 1)))

    def poles(self, state: Nothing) -> tuple[Action, Action]:
        return self.options
