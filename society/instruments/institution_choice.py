"""Voting with the feet: each agent chooses whether rules apply to it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from society.core.actions import Action, Choice
from society.core.exact import Json
from society.core.instrument import Change, Instrument, Moment, Seat, seat_of
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import RuleEvent

WORDS = ("join", "stay out")


class InstitutionChoice(Instrument):
    """Voting with the feet: at the end of each round every agent joins a group with an institution, or stays out of it.

    The rules named in `governs` apply to members alone, those named in `outside` to all others: each group has rules of its
    own, and in the second stage members see to members. With `apart` each group also plays among itself, as the two groups
    in [Gurerk2006]_, where most came to join the one that can sanction; without, all share one commons.
    """

    kind: Literal["institution_choice"] = "institution_choice"
    source = ("Gurerk2006",)
    governs: tuple[str, ...] = Field(min_length=1, description="names of the rules that membership brings")
    outside: tuple[str, ...] = ()
    """names of the rules that apply to those who stay out"""
    apart: bool = False
    """whether members and others each play among themselves; needs a mechanism without a state"""
    start: tuple[Seat, ...] | None = None
    """who is a member in the first round; null: everybody"""
    every: int = Field(1, ge=1)
    """the choice comes at the end of every so many rounds"""

    klass = "structural"
    invariant: ClassVar[str] = (
        "A rule it governs applies to exactly those who chose it last; it moves no payoff itself."
    )

    @model_validator(mode="after")
    def _one_side_each(self) -> Self:
        both = sorted(set(self.governs) & set(self.outside))
        if both:
            raise ValueError(f"{both[0]!r} cannot be a rule of both groups; leave it out of 'governs' and 'outside'")
        return self

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        shared = cls.model_validate({"governs": ["institution_choice"]})
        apart = cls.model_validate({"governs": ["institution_choice"], "start": [0], "apart": True})
        return (shared, apart) if apart.unfit(mechanism) is None else (shared,)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        if not self.apart:
            return None
        if fields(mechanism.state_type) or not mechanism.symmetric:
            return "groups that play apart need a mechanism without a state in which all seats are alike"
        if any(mechanism.of_size(size) is None for size in range(1, mechanism.agents)):
            return "groups of every size have to be able to play it, even one agent alone"
        return None

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return tuple((rule, "", ()) for rule in (*self.governs, *self.outside))

    def resolved(self, names: Sequence[str]) -> Self:
        whole = super().resolved(names)
        if whole.start is None:
            return whole
        return whole.model_copy(update={"start": tuple(sorted({seat_of(seat, names) for seat in whole.start}))})

    def enrolled(self, agents: int) -> Mapping[str, tuple[int, ...]]:
        start = range(agents) if self.start is None else self.start
        inside = tuple(seat for seat in range(agents) if seat in start and self.applies(seat, self.rounds[0]))
        return self._assigned(inside, agents)

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        inside = self._members(at)
        return {
            "member": agent in inside,
            "members": [at.names[seat] for seat in inside],
            "others": [at.names[seat] for seat in range(at.agents) if seat not in inside],
        }

    def groups(self, at: Moment, memory: Any) -> tuple[tuple[int, ...], ...] | None:
        inside = self._members(at)
        return (inside, tuple(seat for seat in range(at.agents) if seat not in inside)) if self.apart else None

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return None if self.apart else ()

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
        assigned = self._assigned(tuple(sorted(after)), at.agents)
        standings = tuple(
            replace(standing, members=assigned[standing.rule]) if standing.rule in assigned else standing
            for standing in at.standings
        )
        moved = [RuleEvent("join", at.rule, (seat,)) for seat in sorted(after - before)]
        moved += [RuleEvent("leave", at.rule, (seat,)) for seat in sorted(before - after)]
        return Change(memory, standings, events=tuple(moved))

    def _members(self, at: Moment) -> tuple[int, ...]:
        standing = next(s for s in at.standings if s.rule == self.governs[0])
        return at.seats if standing.members is None else standing.members

    def _assigned(self, inside: tuple[int, ...], agents: int) -> dict[str, tuple[int, ...]]:
        out = tuple(seat for seat in range(agents) if seat not in inside)
        return dict.fromkeys(self.governs, inside) | dict.fromkeys(self.outside, out)
