"""Caring for the others' payoffs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from society.core.goals import SocialValueOrientation
from society.instruments.regard import Regard


class SocialOrientation(Regard):
    """Agents feel cos(a) of their own payoff and sin(a) of the mean payoff of the others [Griesinger1973]_.

    Cooperation is weakly dominant in a prisoner's dilemma iff tan(a) >= max((T-R)/(R-S), (P-S)/(T-P)), and giving is in a
    public goods game iff tan(a) >= (1-m)/m.
    """

    kind: Literal["social_orientation"] = "social_orientation"
    source = ("Griesinger1973",)
    degrees: float = Field(45, ge=-90, le=90, allow_inf_nan=False)
    """0: selfish; 45: weighs both alike; 90: altruistic; negative: competitive"""

    invariant: ClassVar[str] = "It changes what payoffs feel like, and no payoff."

    @property
    def regard(self) -> SocialValueOrientation:
        return SocialValueOrientation(degrees=self.degrees)
