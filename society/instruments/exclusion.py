"""Shutting out those who keep breaking rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from society.core.exact import Json
from society.core.instrument import Change, Instrument, Moment, Played
from society.core.limits import just
from society.core.mechanism import SpaceOf
from society.core.rows import RuleEvent


@dataclass(frozen=True, slots=True)
class Barred:
    """By seat: detected violations so far, and the last round of the exclusion (0: none)."""

    counted: tuple[int, ...]
    until: tuple[int, ...]


class Exclusion(Instrument):
    """After so many detected violations of a rule an agent can do nothing for some rounds; then it starts anew.

    Excluding those who do not keep to the rules is the first of the conditions of lasting commons [Ostrom1990]_.
    """

    kind: Literal["exclusion"] = "exclusion"
    source = ("Ostrom1990",)
    after: int = Field(1, ge=1)
    """detected violations that lead to exclusion"""
    lasts: int = Field(1, ge=1)
    """rounds of exclusion"""
    about: str | None = None
    """the rule whose violations count; null: any"""

    memory_type = Barred
    klass = "structural"
    invariant: ClassVar[str] = "Hard: who is excluded does nothing; payoffs are the mechanism's."

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return () if self.about is None else ((self.about, "", ()),)

    def first_memory(self, agents: int) -> Barred:
        return Barred((0,) * agents, (0,) * agents)

    def tell(self, at: Moment, memory: Barred, agent: int) -> Mapping[str, Json]:
        return {
            "excluded": at.round <= memory.until[agent],
            "until": memory.until[agent],
            "counted": memory.counted[agent],
            "out": [at.names[seat] for seat in at.seats if at.round <= memory.until[seat]],
        }

    def restrict(self, at: Moment, memory: Barred, agent: int, space: SpaceOf) -> SpaceOf | None:
        if at.round > memory.until[agent]:
            return None
        return just(space, at.mechanism.abstention(at.physical, agent))

    def remember(self, at: Moment, memory: Barred, played: Played) -> Change:
        counted, until = list(memory.counted), list(memory.until)
        events = []
        for rule, breach in played.broken:
            mine = rule != at.rule and self.about in (None, rule)
            counted[breach.agent] += int(mine and breach.detected and breach.agent in at.seats)
        for seat in at.seats:
            if counted[seat] >= self.after:
                counted[seat], until[seat] = 0, at.round + self.lasts
                events.append(RuleEvent("sanction", at.rule, (seat,), f"excluded up to round {until[seat]}"))
        return Change(Barred(tuple(counted), tuple(until)), events=tuple(events))
