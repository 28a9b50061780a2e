"""Advice that is computed, not written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from society.core.actions import Action, action_to_plain
from society.core.exact import Json
from society.core.instrument import Instrument, Moment
from society.core.mechanism import Mechanism


class Advice(Instrument):
    """Each agent is told an action that serves the group: its sustainable share, or its part in the best joint action."""

    kind: Literal["advice"] = "advice"
    says: Literal["share", "optimum"] = "share"
    """share: what each may take so that the stock can be kept; optimum: its part in the largest sum of payoffs"""

    klass = "structural"
    invariant: ClassVar[str] = "It changes what agents are told, and neither actions nor payoffs."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        return (cls(says="share"), cls(says="optimum"))

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        if self._advised(mechanism, mechanism.initial_state(), 0) is None:
            return "it knows no sustainable share" if self.says == "share" else "it knows no best joint action"
        return None

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        return {"advised": action_to_plain(self._advised(at.mechanism, at.physical, agent))}

    def _advised(self, mechanism: Mechanism[Any], physical: Any, agent: int) -> Action | None:  # Any: its state
        if self.says == "share":
            return mechanism.share(physical)
        best = mechanism.known_optimum(physical)
        return None if best is None or best.profile is None else best.profile[agent]
