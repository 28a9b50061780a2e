"""Caring for the others' payoffs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from society.core.exact import Number
from society.core.goals import SocialValueOrientation
from society.core.instrument import Instrument, Moment, Played


class SocialOrientation(Instrument):
    """Agents feel cos(a) of their own payoff and sin(a) of the mean payoff of the others [Griesinger1973]_.

    Cooperation is weakly dominant in a prisoner's dilemma iff tan(a) >= max((T-R)/(R-S), (P-S)/(T-P)), and giving is in a
    public goods game iff tan(a) >= (1-m)/m.
    """

    kind: Literal["social_orientation"] = "social_orientation"
    source = ("Griesinger1973",)
    degrees: float = Field(45, ge=-90, le=90, allow_inf_nan=False)
    """0: selfish; 45: weighs both alike; 90: altruistic; negative: competitive"""

    klass = "motivational"
    invariant: ClassVar[str] = "It changes what payoffs feel like, and no payoff."

    def feel(self, at: Moment, memory: Any, played: Played, felt: tuple[Number, ...]) -> tuple[Number, ...]:
        goal, outcome = SocialValueOrientation(degrees=self.degrees), replace(played.outcome, payoffs=played.balances)
        change = {seat: goal.utility(outcome, seat) - played.balances[seat] for seat in at.seats}
        return tuple(value + change.get(seat, 0) for seat, value in enumerate(felt))
