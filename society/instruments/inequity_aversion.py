"""Envy and guilt about unequal payoffs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from society.core.exact import Exact
from society.core.goals import InequityAversion as Goal
from society.instruments.regard import Regard


class InequityAversion(Regard):
    """Agents mind being behind others, by alpha, and ahead of them, by beta [FehrSchmidt1999]_."""

    kind: Literal["inequity_aversion"] = "inequity_aversion"
    source = ("FehrSchmidt1999",)
    alpha: Exact = Field(1, ge=0)
    """weight of being behind others"""
    beta: Exact = Field("1/4", ge=0, validate_default=True)
    """weight of being ahead of others"""

    invariant: ClassVar[str] = "It changes what payoffs feel like, and no payoff; equal payoffs feel as they are."

    @property
    def regard(self) -> Goal:
        return Goal(alpha=self.alpha, beta=self.beta)
