"""An elected leader who sets rules for a term."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Choice
from society.core.exact import Exact, Json
from society.core.instrument import Amendment, Change, Instrument, Moment, Seat, seat_of
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import RuleEvent
from society.core.votes import Ballot
from society.instruments.amending import Amendable, amended, touched_values, worded


@dataclass(frozen=True, slots=True)
class Office:
    """Who leads, and since which round."""

    leader: int | None = None
    since: int = 1


class Leader(Instrument):
    """At the end of a round without a leader everybody votes for one; the leader then sets the rules of `powers`.

    The most votes win; of equals, the one whose turn it is by seat and round. A term lasts `term` rounds. Each round the
    others can vote the leader out, if their share of the votes reaches `recall` [BaldassarriGrossman2011]_.
    """

    kind: Literal["leader"] = "leader"
    source = ("BaldassarriGrossman2011",)
    powers: tuple[Amendable, ...] = ()
    """what the leader sets at the end of each round in office, for the next one"""
    term: int = Field(4, ge=1)
    """rounds in office"""
    recall: Exact | None = Field(None, gt=0, le=1)
    """share of all votes that ends a term early; null: there is no recall"""
    incumbent: Seat | None = None
    """who leads from the start; null: nobody"""

    memory_type = Office
    klass = "structural"
    invariant: ClassVar[str] = (
        "Only the leader in office changes rules, only those in its powers; payoffs never change."
    )

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        powers = [{"rule": "leader", "field": "term", "low": 1, "high": 9}]
        return (
            cls.model_validate({"powers": powers, "incumbent": 0, "recall": "1/2"}),
            cls.model_validate({"term": 1}),
        )

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return tuple((item.rule, item.field, touched_values(item)) for item in self.powers)

    def resolved(self, names: Sequence[str]) -> Self:
        whole = super().resolved(names)
        if whole.incumbent is None:
            return whole
        return whole.model_copy(update={"incumbent": seat_of(whole.incumbent, names)})

    def first_memory(self, agents: int) -> Office:
        assert not isinstance(self.incumbent, str), "seats are resolved when the game is set up"
        return Office(self.incumbent)

    def tell(self, at: Moment, memory: Office, agent: int) -> Mapping[str, Json]:
        leader = memory.leader
        return {
            "leader": None if leader is None else at.names[leader],
            "leading": leader == agent,
            "ends": memory.since + self.term - 1,
            "sets": [item.term for item in self.powers],
        }

    def ballot(self, at: Moment, memory: Office, agent: int) -> Mapping[str, SpaceOf]:
        if self._vacant(at, memory):
            names = tuple(at.names[seat] for seat in at.seats)
            return {"leader": Choice.model_construct(options=names)}  # a name may hold what a word may not
        if agent == memory.leader:
            return {item.term: item.space for item in self.powers}
        return {"recall": Choice(options=("yes", "no"))} if self.recall is not None else {}

    def decide(self, at: Moment, memory: Office, votes: Mapping[int, Mapping[str, Action]]) -> Change:
        if self._vacant(at, memory):
            return self._elect(at, votes)
        leader = memory.leader
        passed, events = list[Amendment](), list[RuleEvent]()
        terms = tuple(votes.get(leader, {}).items()) if leader is not None else ()
        if terms and leader is not None:
            passed.append(Amendment(amended(at.standings, terms, self.powers), (leader,), worded(terms)))
        against = tuple(
            seat for seat, parts in sorted(votes.items()) if parts.get("recall") == "yes" and seat != leader
        )
        if self.recall is not None and leader is not None and len(against) >= self.recall * len(at.seats):
            events.append(RuleEvent("recall", at.rule, (leader, *against)))
            memory = Office(None, at.round + 1)
        return Change(memory, events=tuple(events), amendments=tuple(passed))

    def charter(self, at: Moment, memory: Office) -> Ballot | None:
        if memory.leader is None or not self.powers:
            return None
        return Ballot(1, tuple(int(seat == memory.leader) for seat in range(at.agents)))

    def _vacant(self, at: Moment, memory: Office) -> bool:
        return memory.leader is None or at.round >= memory.since + self.term - 1

    def _elect(self, at: Moment, votes: Mapping[int, Mapping[str, Action]]) -> Change:
        cast = {seat: str(parts["leader"]) for seat, parts in votes.items() if parts.get("leader") in at.names}
        if not cast:
            return Change(Office(None, at.round + 1))
        counts = Counter(list(at.names).index(name) for name in cast.values())
        winner = max(counts, key=lambda seat: (counts[seat], -((seat - at.round) % at.agents)))
        events = [RuleEvent("vote", at.rule, (seat,), cast[seat]) for seat in sorted(cast)]
        return Change(Office(winner, at.round + 1), events=(*events, RuleEvent("elect", at.rule, (winner,))))
