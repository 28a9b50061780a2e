"""Contracts that bind: signed by all they name, and paid out by rule."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field

from society.core.actions import Action, Amount, Choice
from society.core.acts import PlayedBatch
from society.core.arrays import np
from society.core.columns import Column
from society.core.exact import Exact, Json, Number, tidy
from society.core.instrument import Breach, Instrument, Moment, Paid, Played
from society.core.limits import at_least, at_most, excess, just, only
from society.core.mechanism import Mechanism, SpaceOf
from society.core.moves import Offer, Terms
from society.core.rows import RuleEvent, Transfer
from society.governance.detection import fate
from society.governance.negotiation import proposal_offers
from society.instruments.agreements import on_the_table
from society.instruments.fines import passed_on_batch, payable, split


class _Signed(NamedTuple):
    number: str
    members: tuple[int, ...]
    terms: Terms


class Contract(Instrument):
    """Agents write contracts about what they will do; whoever breaks one pays those who keep it [Haupt2024]_.

    A contract names its members, an action (or a limit) and a penalty. It is in force when all named have signed, from the
    end of that talk on. Each breaking member pays the penalty, and `per_unit` times what it went beyond the limit, in equal
    parts to the keeping members; when nobody keeps it, nothing moves. Without signatures there is no contract.

    Hard contracts are always paid out. Soft ones are when the breach is detected and the payment executed; of a detected
    breach, what the `bond` covers is paid in any case.
    """

    kind: Literal["contract"] = "contract"
    source = ("Haupt2024",)
    sense: Literal["at_most", "at_least", "exactly"] = "at_most"
    """what a limit means for amounts; words are always meant exactly"""
    most_penalty: Exact = Field(20, ge=0)
    """largest penalty that can be written into a contract"""
    per_unit: Exact = Field(0, ge=0)
    """units per unit beyond the limit, in addition to the penalty"""
    bond: Exact = Field(0, ge=0)
    """units each member has deposited: what it owes is paid from them even if execution fails"""
    patience: int = Field(0, ge=0)
    """rounds after this one in which a contract can still be signed"""
    lasts: int | None = Field(1, ge=1)
    """rounds a contract binds; null: to the end"""
    imposed: Exact | str | None = None
    """an action or limit that everybody is bound to from the start, without signing; null: none"""
    imposed_penalty: Exact = Field(0, ge=0)
    """the penalty of the imposed contract"""

    klass = "structural"
    invariant: ClassVar[str] = "Its transfers sum to zero, and only members of a contract in force pay or are paid."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        state = mechanism.initial_state()
        action = mechanism.abstention(state, 0)
        sure: list[dict[str, Any]] = [{}, {"lasts": None, "enforcement": "soft", "detection": "1/2", "bond": 1}]
        if isinstance(action, (int, Fraction, str)):
            sure.append({"imposed": action, "imposed_penalty": 3, "sense": "exactly", "allow_debt": False})
        return tuple(cls.model_validate(fields) for fields in sure)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        if not isinstance(space, (Amount, Choice)):
            return "its actions are divisions"
        if self.imposed is not None and isinstance(self.imposed, str) != isinstance(space, Choice):
            return f"{self.imposed!r} is not one of its actions"
        return None

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        return on_the_table(at, agent)

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        space = at.mechanism.space(at.physical, agent)
        if not isinstance(space, (Amount, Choice)):
            return ()
        if isinstance(space, Amount) and not space.intervals:
            return ()
        word = "action" if isinstance(space, Choice) else "limit"
        terms: dict[str, SpaceOf] = {word: space, "penalty": Amount.between(0, self.most_penalty, step=None)}
        others = tuple(seat for seat in at.seats if seat != agent)
        return proposal_offers(
            at.ledger, at.rule, agent, others, at.round,
            terms=terms, binding=True, patience=self.patience, lasts=self.lasts,
        )  # fmt: skip

    def signed(self, at: Moment) -> tuple[_Signed, ...]:
        """The contracts that bind in this round."""
        found = [_Signed(str(p.id), tuple(sorted(p.accepted)), p.terms) for p in at.ledger.under(at.rule, "in_force")]
        if self.imposed is not None and len(at.seats) > 1:
            word = "action" if isinstance(self.imposed, str) else "limit"
            found.insert(0, _Signed("imposed", at.seats, ((word, self.imposed), ("penalty", self.imposed_penalty))))
        return tuple(found)

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        rows: list[Transfer] = []
        events: list[RuleEvent] = []
        for contract in self.signed(at):
            broke = [breach for breach in played.breaches if breach.about == contract.number]
            kept = sorted(set(contract.members) - {breach.agent for breach in broke})
            for breach in broke if kept else ():
                owed = self._owed(breach)
                paid = payable(self, owed, breach.agent, played, rows)
                if paid:
                    rows.extend(split(breach.agent, kept, paid, at.rule, "penalty" if breach.executed else "bond"))
                if paid < owed:
                    events.append(RuleEvent("defy", at.rule, (breach.agent,), "could not pay", tidy(owed - paid)))
        return Paid(tuple(rows), tuple(events))

    def breaches_of(
        self, at: Moment, memory: Any, allowed: SpaceOf | None, agent: int, action: Action
    ) -> tuple[Breach, ...]:
        mine = [contract for contract in self.signed(at) if agent in contract.members]
        return tuple(breach for contract in mine if (breach := self._breach(at, contract, agent, action)) is not None)

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        change: Column | None = None
        for contract in self.signed(at):

            def under(seat: int, action: Action, number: str = contract.number) -> list[Breach]:
                return [breach for breach in played.breaches(seat, action) if breach.about == number]

            broke = played.executed.where((at.rule, contract.number), lambda seat, action: bool(under(seat, action)))
            owed = played.executed.each(
                (at.rule, contract.number, "owed"), lambda seat, action: sum(map(self._owed, under(seat, action)))
            )
            kept = played.seats(contract.members) & ~broke
            change = passed_on_batch(
                self, owed.only(np.asarray(kept.any(axis=1, keepdims=True))), kept, played.balances, change
            )
        return change

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        assert at.noise is not None, "agents are told apart while the round is played"
        mine = [contract.number for contract in self.signed(at) if agent in contract.members]
        return tuple((number, fate(self, at.rule, at.noise, agent, number)) for number in mine)

    def _owed(self, breach: Breach) -> Number:
        """What a breach costs: the penalty, or what the bond covers of it."""
        return breach.due if breach.executed else min(self.bond, breach.due) if breach.detected else 0

    def _breach(self, at: Moment, contract: _Signed, member: int, action: Action) -> Breach | None:
        terms = dict(contract.terms)
        space = at.mechanism.space(at.physical, member)
        allowed = self._kept(space, terms)
        if allowed is None or allowed.contains(action):
            return None
        beyond: Number = excess(allowed, action)
        penalty = terms["penalty"]
        assert not isinstance(penalty, (str, tuple)), "a penalty is a number"
        return Breach(member, tidy(penalty + self.per_unit * beyond), beyond, about=contract.number)

    def _kept(self, space: SpaceOf, terms: Mapping[str, Action]) -> SpaceOf | None:
        if "action" in terms:
            return only(space, frozenset({str(terms["action"])}))
        limit = terms["limit"]
        assert not isinstance(limit, (str, tuple)), "a limit is a number"
        if self.sense == "exactly":
            return just(space, limit)
        return at_most(space, limit) if self.sense == "at_most" else at_least(space, limit)
