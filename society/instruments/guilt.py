"""A bad conscience."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, Literal

from pydantic import Field

from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, Json, Number
from society.core.instrument import Instrument, Moment, Played


class Guilt(Instrument):
    """Breaking a rule feels as bad as losing `cost` units, detected or not."""

    kind: Literal["guilt"] = "guilt"
    cost: Exact = Field(1, ge=0)
    """units a violation feels like"""
    about: str | None = None
    """the rule it is about; null: any"""

    klass = "motivational"
    invariant: ClassVar[str] = (
        "It changes what payoffs feel like, and no payoff; whoever keeps the rules feels nothing."
    )

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return () if self.about is None else ((self.about, "", ()),)

    def feel(self, at: Moment, memory: Any, played: Played, felt: tuple[Number, ...]) -> tuple[Number, ...]:
        broke = {b.agent for rule, b in played.broken if self.about in (None, rule)} & set(at.seats)
        return tuple(value - self.cost if seat in broke else value for seat, value in enumerate(felt))

    def feel_batch(self, at: Moment, memory: Any, played: PlayedBatch, felt: Column) -> Column:
        about = [breaches for rule, breaches in played.broken.items() if self.about in (None, rule)]
        broke = played.executed.where((at.rule, "broke"), lambda seat, action: any(b(seat, action) for b in about))
        return felt - Column.of([self.cost]).only(broke & played.seats(at.seats))

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return ()
