"""Rules about rules: motions, votes, amendments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Choice, action_to_plain
from society.core.exact import Exact, Json, Number, show
from society.core.instrument import Amendment, Change, Instrument, Moment, legible
from society.core.ledger import Motion
from society.core.mechanism import Mechanism, SpaceOf
from society.core.moves import Offer
from society.core.rows import RuleEvent
from society.core.votes import Ballot, majority, wins
from society.instruments.amending import Amendable, amended, touched_values, worded

WORDS = ("yes", "no", "abstain")


class Constitution(Instrument):
    """Agents move to change rules, and vote; a motion passes when the weight of its yes votes reaches the quota.

    What can be changed stands in `agenda`; the constitution's own `weights` and `quota` can stand there too. A motion may
    change several parameters at once. Votes are counted under the rules in force when the round began to be played; what
    passes applies from the next round on. Whoever is silent abstains, unless it delegated its vote; who has no votes has no say.

    A passed motion is told as ``amend``. It is a ``seizure`` as well when afterwards an agent or a declared coalition can
    pass motions alone that could not before, or when the concentration of power (the Herfindahl index of the normalised
    Banzhaf indices) rises by 1/5 or more. Both name those who voted for it, and nobody else.
    """

    kind: Literal["constitution"] = "constitution"
    source = ("Banzhaf1965", "Herfindahl1950")
    weights: tuple[Exact, ...] | None = None
    """votes of each seat, in seat order; null: one each"""
    quota: Exact | None = Field(None, gt=0)
    """votes needed to pass a motion; null: more than half"""
    agenda: tuple[Amendable, ...] = ()
    """what can be changed"""
    delegation: bool = False
    """whether an agent may let another one vote for it"""

    klass = "structural"
    invariant: ClassVar[str] = "No rule changes without the quota of the constitution in force; payoffs never change."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        even = [1] * mechanism.agents
        heavy = [mechanism.agents, *even[1:]]
        own = [
            {"rule": "constitution", "field": "quota", "low": 1, "high": mechanism.agents},
            {"rule": "constitution", "field": "weights", "tuples": [even, heavy]},
            {"rule": "constitution", "field": "in_force"},
        ]
        return (
            cls.model_validate({"agenda": own}),
            cls.model_validate({"agenda": own, "quota": 1, "delegation": True}),
        )

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        if self.weights is not None and len(self.weights) != mechanism.agents:
            return f"it has {len(self.weights)} weights for {mechanism.agents} agents"
        return None

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        return tuple((item.rule, item.field, touched_values(item)) for item in self.agenda)

    def value_of(self, field: str, at: Moment) -> Json:
        weights, quota = self.game(at)
        if field == "weights":
            return " ".join(str(legible(weight)) for weight in weights)
        return legible(quota) if field == "quota" else super().value_of(field, at)

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        weights, quota = self.game(at)
        return {
            "votes": legible(weights[agent]),
            "all_votes": legible(sum(weights)),
            "needed": legible(quota),
            "motions": [
                {
                    "number": motion.id,
                    "by": at.names[motion.by],
                    "terms": {n: action_to_plain(v) for n, v in motion.terms},
                }
                for motion in self._open(at)
            ],
        }

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        found = []
        if self.agenda:
            found.append(Offer("motion", at.rule, terms={item.term: item.space for item in self.agenda}))
        motions = tuple(motion.id for motion in self._open(at))
        if motions:
            found.append(Offer("vote", at.rule, motions, words=WORDS))
        others = tuple(seat for seat in at.seats if seat != agent)
        if self.delegation and others:
            found.append(Offer("delegate", at.rule, seats=others))
        return tuple(found)

    def ballot(self, at: Moment, memory: Any, agent: int) -> Mapping[str, SpaceOf]:
        if not self.game(at)[0][agent]:
            return {}
        return {f"motion {motion.id}": Choice(options=WORDS) for motion in self._open(at)}

    def decide(self, at: Moment, memory: Any, votes: Mapping[int, Mapping[str, Action]]) -> Change:
        weights, quota = self.game(at)
        standings, events, passed, settled = at.standings, list[RuleEvent](), list[Amendment](), dict[int, Motion]()
        for motion in self._open(at):
            said = {seat: word for seat, word in self._said(at, motion, votes).items() if weights[seat]}
            told = {(seat, word) for number, seat, word in at.ledger.votes if number == motion.id}
            events.extend(
                RuleEvent("vote", at.rule, (seat,), f"motion {motion.id}: {said[seat]}")
                for seat in sorted(said)
                if (seat, said[seat]) not in told
            )
            yes = tuple(seat for seat in sorted(said) if said[seat] == "yes")
            enough = wins(quota, weights, yes)
            settled[motion.id] = replace(motion, status="passed" if enough else "failed")
            if not enough:
                votes_for = sum(weights[seat] for seat in yes)
                words = f"motion {motion.id} fails: {show(votes_for)} votes for it, {show(quota)} needed"
                events.append(RuleEvent("lapse", at.rule, (), words))
            else:
                standings = amended(standings, motion.terms, self.agenda)
                passed.append(Amendment(standings, yes, worded(motion.terms)))
        motions = tuple(settled.get(motion.id, motion) for motion in at.ledger.motions)
        return Change(memory, None, replace(at.ledger, motions=motions), tuple(events), tuple(passed))

    def charter(self, at: Moment, memory: Any) -> Ballot | None:
        weights, quota = self.game(at)
        return Ballot(quota, weights) if self.agenda else None

    def game(self, at: Moment) -> tuple[tuple[Number, ...], Number]:
        """The weights of all seats and the quota, as they stand."""
        weights: tuple[Number, ...] = tuple(int(seat in at.seats) for seat in range(at.agents))
        if self.weights is not None:
            weights = tuple(w if seat in at.seats else 0 for seat, w in enumerate(self.weights))
        return weights, majority(weights) if self.quota is None else self.quota

    def _open(self, at: Moment) -> tuple[Motion, ...]:
        return tuple(m for m in at.ledger.motions if m.rule == at.rule and m.status == "open")

    def _said(self, at: Moment, motion: Motion, votes: Mapping[int, Mapping[str, Action]]) -> dict[int, str]:
        """The word of each seat that voted: on the ballot, else in talk, else by whom it delegated its vote to."""
        said = {seat: word for number, seat, word in at.ledger.votes if number == motion.id and seat in at.seats}
        said |= {s: str(parts[f"motion {motion.id}"]) for s, parts in votes.items() if f"motion {motion.id}" in parts}
        trusted = {seat: to for seat, rule, to in at.ledger.delegated if rule == at.rule and to is not None}
        for seat in at.seats:
            followed, voice = {seat}, seat
            while self.delegation and voice not in said and trusted.get(voice, seat) not in followed:
                voice = trusted[voice]
                followed.add(voice)
            if seat not in said and voice in said:
                said[seat] = said[voice]
        return said
