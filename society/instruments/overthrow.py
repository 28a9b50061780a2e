"""Rules that lose their force when they are defied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.exact import Exact, Json, Number, tidy
from society.core.instrument import Amendment, Breach, Change, Instrument, Moment, Played, Standing, Telling
from society.core.mechanism import Mechanism
from society.core.moves import Offer
from society.core.rows import RuleEvent


class Overthrow(Instrument):
    """Agents can announce that they will not pay the sanctions of a rule; a rule that is defied too much lapses.

        strength' = strength - wear * (share of agents defying) + repair * (share of sanctions due that were executed)

    kept within 0..1. Below `least` the rule is no longer in force, without any vote: that is an ``overthrow``, told with
    those who defied it in that round.
    """

    kind: Literal["overthrow"] = "overthrow"
    over: tuple[str, ...] = ()
    """names of the rules that can be defied"""
    wear: Exact = Field("1/2", ge=0, validate_default=True)
    """strength lost per round when everybody defies"""
    repair: Exact = Field("1/4", ge=0, validate_default=True)
    """strength gained per round when every sanction due is executed"""
    least: Exact = Field("1/4", ge=0, le=1, validate_default=True)
    """a rule weaker than this lapses"""

    klass = "structural"
    invariant: ClassVar[str] = (
        "Strength stays within 0 and 1; it changes no payoff by itself, only which sanctions are paid."
    )

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        return (cls.model_validate({"over": ["overthrow"], "wear": 1}), cls())

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return tuple((rule, "", ()) for rule in self.over)

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Telling]:
        known = [s for s in at.standings if s.rule in self.over and s.in_force]
        return {"defiable": [{"name": s.rule, "strength": s.strength} for s in known]}

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        standing = [s.rule for s in at.standings if s.rule in self.over and s.in_force]
        return tuple(Offer("defy", rule) for rule in standing if (agent, rule) not in at.ledger.defying)

    def remember(self, at: Moment, memory: Any, played: Played) -> Change:
        standings = {standing.rule: standing for standing in at.standings}
        spent, events = dict[str, tuple[int, ...]](), list[RuleEvent]()
        for rule in self.over:
            if not standings[rule].in_force:
                continue
            breaches = [breach for name, breach in played.broken if name == rule]
            announced = {seat for seat, name in at.ledger.defying if name == rule}
            defying = tuple(sorted(announced | {b.agent for b in breaches if b.detected and not b.executed}))
            strength = self._worn(standings[rule].strength, len(defying), breaches, at)
            standings[rule] = replace(standings[rule], strength=strength)
            if strength < self.least:
                spent[rule] = defying
                events.append(RuleEvent("lapse", rule, (), "its strength is spent", strength))
        worn = tuple(standings[s.rule] for s in at.standings)
        return Change(memory, worn, events=tuple(events), amendments=self._lapsed(worn, spent))

    def _lapsed(self, standings: tuple[Standing, ...], spent: Mapping[str, tuple[int, ...]]) -> tuple[Amendment, ...]:
        """Each rule whose strength is spent goes out of force, without a vote."""
        found = []
        for rule, defying in spent.items():
            standings = tuple(replace(s, in_force=False) if s.rule == rule else s for s in standings)
            strength = next(s.strength for s in standings if s.rule == rule)
            found.append(Amendment(standings, defying, "defied until it lapsed", "overthrow", rule, strength))
        return tuple(found)

    def _worn(self, strength: Number, defying: int, breaches: Sequence[Breach], at: Moment) -> Number:
        due = sum(1 for breach in breaches if breach.detected)
        done = sum(1 for breach in breaches if breach.executed)
        change = -self.wear * _share(defying, len(at.seats)) + self.repair * _share(done, due)
        return tidy(max(0, min(1, strength + change)))


def _share(part: int, whole: int) -> Number:
    return tidy(Fraction(part, whole)) if whole else 0
