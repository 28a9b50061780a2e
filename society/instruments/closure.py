"""Closing the commons, or a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Choice
from society.core.exact import Exact, Json
from society.core.instrument import Change, Instrument, Moment, Played
from society.core.limits import just, only
from society.core.mechanism import Mechanism, SpaceOf


@dataclass(frozen=True, slots=True)
class Gate:
    """The last round of a closure that the stock brought about; 0 when there was none."""

    closed_until: int = 0


class Closure(Instrument):
    """No action but doing nothing, or none of some words, while it is closed.

    Without `stock_below` it is closed in all the rounds it applies to (a closed season, a closed road); with it, for
    `lasts` rounds after each round that ends with less stock than that.
    """

    kind: Literal["closure"] = "closure"
    words: tuple[str, ...] = ()
    """the actions or routes that are closed; empty: all"""
    stock_below: Exact | None = Field(None, ge=0)
    """closes when a round leaves less than this; null: always closed"""
    lasts: int = Field(1, ge=1)
    """rounds a closure lasts"""

    memory_type = Gate
    klass = "structural"
    invariant: ClassVar[str] = "Hard: nothing that is closed is done; payoffs are the mechanism's."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Choice):
            return (cls(words=space.options[:1]), cls(rounds=(2, 2)))
        return (cls.model_validate({"stock_below": 90}), cls.model_validate({"rounds": (2, 2)}))

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        known = space.options if isinstance(space, Choice) else ()
        strange = [word for word in self.words if word not in known]
        if strange:
            return f"there is no action {strange[0]!r} to close"
        if self.stock_below is not None and "stock_after" not in mechanism.quantities:
            return "it has no stock"
        return None

    def tell(self, at: Moment, memory: Gate, agent: int) -> Mapping[str, Json]:
        return {"closed": self.closed(at, memory), "until": memory.closed_until}

    def closed(self, at: Moment, memory: Gate) -> bool:
        """Whether it is closed in this round."""
        return self.stock_below is None or at.round <= memory.closed_until

    def restrict(self, at: Moment, memory: Gate, agent: int, space: SpaceOf) -> SpaceOf | None:
        if not self.closed(at, memory):
            return None
        if self.words and isinstance(space, Choice):
            return only(space, frozenset(space.options) - set(self.words))
        return just(space, at.mechanism.abstention(at.physical, agent))

    def remember(self, at: Moment, memory: Gate, played: Played) -> Change:
        stock = played.outcome.stock_after
        if self.stock_below is None or stock is None or stock >= self.stock_below:
            return Change(memory)
        return Change(Gate(at.round + self.lasts))
