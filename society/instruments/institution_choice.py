"""Voting with the feet: each agent chooses whether rules apply to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Choice
from society.core.exact import Json
from society.core.instrument import Change, Instrument, Moment
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import RuleEvent

WORDS = ("join", "stay out")


class InstitutionChoice(Instrument):
    """At the end of each round every agent chooses whether the rules named in `governs` apply to it in the next one.

    As in [Gurerk2006]_, where most came to join a group that can sanction; here all still share one commons, and the rules
    bind members alone: with a peer sanction, members sanction members. At first the rules apply to everybody in their scope.
    """

    kind: Literal["institution_choice"] = "institution_choice"
    source = ("Gurerk2006",)
    governs: tuple[str, ...] = Field(min_length=1, description="names of the rules that membership brings")
    every: int = Field(1, ge=1)
    """the choice comes at the end of every so many rounds"""

    klass = "structural"
    invariant: ClassVar[str] = "A rule it governs applies to exactly those who chose it last; payoffs never change."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        return (cls.model_validate({"governs": ["institution_choice"]}),)

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return tuple((rule, "", ()) for rule in self.governs)

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        inside = self._members(at)
        return {"member": agent in inside, "members": [at.names[seat] for seat in inside]}

    def ballot(self, at: Moment, memory: Any, agent: int) -> Mapping[str, SpaceOf]:
        return {"membership": Choice(options=WORDS)} if at.round % self.every == 0 else {}

    def decide(self, at: Moment, memory: Any, votes: Mapping[int, Mapping[str, Action]]) -> Change:
        before = set(self._members(at))
        after = set(before)
        for seat, parts in votes.items():
            if parts.get("membership") in WORDS:
                (after.add if parts["membership"] == WORDS[0] else after.discard)(seat)
        if after == before:
            return Change(memory)
        standings = tuple(
            replace(standing, members=tuple(sorted(after))) if standing.rule in self.governs else standing
            for standing in at.standings
        )
        moved = [RuleEvent("join", at.rule, (seat,)) for seat in sorted(after - before)]
        moved += [RuleEvent("leave", at.rule, (seat,)) for seat in sorted(before - after)]
        return Change(memory, standings, events=tuple(moved))

    def _members(self, at: Moment) -> tuple[int, ...]:
        for standing in at.standings:
            if standing.rule in self.governs and standing.members is not None:
                return standing.members
        return at.seats
