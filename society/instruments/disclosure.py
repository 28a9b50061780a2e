"""Private information: what agents are not told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from society.core.errors import did_you_mean
from society.core.instrument import Instrument, Moment
from society.core.mechanism import Mechanism


class Disclosure(Instrument):
    """Facts of the state that the agents in its scope are not told; they read ``unknown`` instead.

    It hides words, not limits: where the largest possible action follows from a hidden stock, it still shows.
    """

    kind: Literal["disclosure"] = "disclosure"
    hide: tuple[str, ...] = ()
    """names of facts of the mechanism, such as stock"""

    klass = "structural"
    invariant: ClassVar[str] = "It changes what agents are told, and neither actions nor payoffs."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        return (cls(hide=tuple(mechanism.observe(mechanism.initial_state(), 0))[:1]),)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        known = mechanism.observe(mechanism.initial_state(), 0)
        strange = [name for name in self.hide if name not in known]
        return f"it tells no fact {strange[0]!r}{did_you_mean(strange[0], known)}" if strange else None

    def hidden(self, at: Moment, memory: Any, agent: int) -> frozenset[str]:
        return frozenset(self.hide)
