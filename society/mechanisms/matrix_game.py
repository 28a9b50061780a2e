"""Games given by a table: the prisoner's dilemma, chicken, the stag hunt, and any other."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from society.core.actions import Action
from society.core.batching import over_common_denominator
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Fact, Facts
from society.core.seeds import Noise
from society.mechanisms.option_game import OptionGame
from society.mechanisms.stateless import Nothing

Preset = Literal["prisoners_dilemma", "mild_prisoners_dilemma", "donation", "chicken", "stag_hunt", "risky_stag_hunt"]

TRPS: dict[Preset, tuple[int, int, int, int]] = {
    "prisoners_dilemma": (5, 3, 1, 0),
    "mild_prisoners_dilemma": (4, 3, 2, 1),
    "donation": (3, 2, 0, -1),
    "chicken": (4, 3, 1, 2),
    "stag_hunt": (3, 4, 2, 1),
    "risky_stag_hunt": (3, 4, 3, 0),
}
"""Temptation, reward, punishment and sucker's payoff [Axelrod1984]_, [MacyFlache2002]_."""


class MatrixGame(OptionGame):
    """Everybody picks an option at once, and a table says what each gets. Given in one of four ways:

    preset     a named game of two options; the default is the prisoner's dilemma 5, 3, 1, 0
    trps       (T, R, P, S): what D gets against C, C against C, D against D, C against D
    table      two agents, any options: table[i][j] = [payoff of agent 0, payoff of agent 1]
    by_others  n agents alike, two options: for each option the payoffs when 0, 1, ... n-1 others pick the first one

    With preset or trps and more than two agents, everybody plays one option against each other agent and gets the mean.
    """

    kind: Literal["matrix_game"] = "matrix_game"
    source = ("Axelrod1984", "MacyFlache2002")

    agents: int = Field(2, ge=2, le=1000, description="number of agents; in a scenario file it follows from 'agents'")
    options: tuple[str, ...] = Field(
        ("C", "D"), min_length=2, max_length=100, description="the words agents choose from"
    )
    preset: Preset | None = Field(None, description="a named game; null with nothing else given: prisoners_dilemma")
    trps: tuple[Exact, Exact, Exact, Exact] | None = Field(None, description="points: T, R, P, S of a two-option game")
    table: tuple[tuple[tuple[Exact, Exact], ...], ...] | None = Field(
        None, description="points: table[row option][column option] = [payoff of agent 0, payoff of agent 1]"
    )
    by_others: tuple[tuple[Exact, ...], tuple[Exact, ...]] | None = Field(
        None, description="points: for each option, the payoff when 0 .. n-1 others pick the first option"
    )

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        given = [name for name in ("preset", "trps", "table", "by_others") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of preset, trps, table and by_others, not {' and '.join(given)}")
        if len(set(self.options)) < len(self.options):
            raise ValueError("two options have the same word")
        size = len(self.options)
        if self.table is None:
            if size != 2:
                raise ValueError(f"{size} options need a table; preset, trps and by_others are games of two options")
        elif self.agents != 2 or len(self.table) != size or any(len(row) != size for row in self.table):
            raise ValueError(f"a table is for 2 agents and has {size} rows of {size} cells, one per option")
        if self.by_others is not None and any(len(row) != self.agents for row in self.by_others):
            raise ValueError(f"by_others has {self.agents} payoffs per option, for 0 to {self.agents - 1} others")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        return self.options

    @property
    def symmetric(self) -> bool:
        table = self.table
        if table is None:
            return True
        size = range(len(table))
        return all(table[i][j] == (table[j][i][1], table[j][i][0]) for i in size for j in size)

    @cached_property
    def _schelling(self) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        """Payoffs by option and by the number of others who pick the first one."""
        if self.by_others is not None:
            return self.by_others
        t, r, p, s = self.trps or TRPS[self.preset or "prisoners_dilemma"]
        others = self.agents - 1
        return (
            tuple(tidy(Fraction(k * r + (others - k) * s, 1) / others) for k in range(others + 1)),
            tuple(tidy(Fraction(k * t + (others - k) * p, 1) / others) for k in range(others + 1)),
        )

    def pays(self, picks: tuple[int, ...]) -> tuple[Number, ...]:
        if self.table is not None:
            return self.table[picks[0]][picks[1]]
        first = picks.count(0)
        return tuple(self._schelling[pick][first - (pick == 0)] for pick in picks)

    def observe(self, state: Nothing, agent: int) -> Facts:
        facts: dict[str, Fact] = {"options": ", ".join(self.words), "row": agent == 0}
        if self.table is None:
            facts["first_option"], facts["second_option"] = self._schelling
        return facts

    @cached_property
    def _cells(self) -> tuple[NDArray[Any], NDArray[Any]]:  # Any: int64 or object, see over_common_denominator
        if self.table is None:
            return over_common_denominator(self._schelling)
        return over_common_denominator([cell for row in self.table for cell in row])

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        numerators, denominators = self._cells
        if self.table is not None:
            return Batch(numerators[joints[:, 0] * len(self.options) + joints[:, 1]], denominators)
        first = joints == 0
        others = first.sum(axis=1, dtype=np.int64)[:, None] - first
        return Batch(numerators[joints, others], denominators)

    def poles(self, state: Nothing) -> tuple[Action, Action] | None:
        """The first option is called cooperation, where there are two and the seats are alike."""
        return (self.options[0], self.options[1]) if self.table is None else None
