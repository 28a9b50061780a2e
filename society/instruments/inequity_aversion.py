"""Envy and guilt about unequal payoffs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from society.core.exact import Exact, Number
from society.core.goals import InequityAversion as Goal
from society.core.instrument import Instrument, Moment, Played


class InequityAversion(Instrument):
    """Agents mind being behind others, by alpha, and ahead of them, by beta [FehrSchmidt1999]_."""

    kind: Literal["inequity_aversion"] = "inequity_aversion"
    source = ("FehrSchmidt1999",)
    alpha: Exact = Field(1, ge=0)
    """weight of being behind others"""
    beta: Exact = Field("1/4", ge=0, validate_default=True)
    """weight of being ahead of others"""

    klass = "motivational"
    invariant: ClassVar[str] = "It changes what payoffs feel like, and no payoff; equal payoffs feel as they are."

    def feel(self, at: Moment, memory: Any, played: Played, felt: tuple[Number, ...]) -> tuple[Number, ...]:
        goal, outcome = Goal(alpha=self.alpha, beta=self.beta), replace(played.outcome, payoffs=played.balances)
        change = {seat: goal.utility(outcome, seat) - played.balances[seat] for seat in at.seats}
        return tuple(value + change.get(seat, 0) for seat, value in enumerate(felt))
