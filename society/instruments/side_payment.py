"""Payments that one agent promises another."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Amount, Choice, Division
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact
from society.core.instrument import Instrument, Moment, Paid, Played
from society.core.ledger import Gift
from society.core.limits import at_least, at_most, just
from society.core.mechanism import Mechanism, SpaceOf
from society.core.moves import Offer
from society.core.rows import RuleEvent, Transfer
from society.instruments.fines import passed_on_batch, payable


class SidePayment(Instrument):
    """During talk an agent may promise to pay another, with or without a condition on what the other does.

    The promise binds the one who makes it, and is paid when the round settles. Such offers need not make play efficient
    [JacksonWilkie2005]_.
    """

    kind: Literal["side_payment"] = "side_payment"
    source = ("JacksonWilkie2005",)
    most: Exact = Field(10, ge=0)
    """most units one agent may promise in a round"""
    condition: Literal["none", "at_most", "at_least", "exactly"] = "none"
    """what the promise depends on: nothing, or the receiver's action at most, at least or exactly what is named"""

    klass = "structural"
    invariant: ClassVar[str] = "Its transfers sum to zero, and nobody pays who did not promise."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        rules: list[dict[str, Any]] = [{}, {"condition": "exactly", "allow_debt": False}, {"condition": "at_most"}]
        return tuple(cls.model_validate(rule) for rule in rules)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        if self.condition == "none":
            return None
        if isinstance(space, Division):
            return "a division cannot be a condition"
        if isinstance(space, Choice) and self.condition != "exactly":
            return "words can only be meant exactly"
        return None

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        others = tuple(seat for seat in at.seats if seat != agent)
        space = at.mechanism.space(at.physical, agent)
        if not others or not self.most or (isinstance(space, Amount) and not space.intervals):
            return ()
        terms: dict[str, SpaceOf] = {} if self.condition == "none" else {"action": space}
        amount = Amount.between(0, self.most, step=1 if self.most == self.most // 1 else None)
        return (Offer("transfer", at.rule, seats=others, terms=terms, amount=amount),)

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        rows: list[Transfer] = []
        events: list[RuleEvent] = []
        for gift in at.ledger.gifts:
            if gift.rule == at.rule and self._due(at, gift, played.executed[gift.to]):
                amount = payable(self, gift.amount, gift.by, played, rows)
                if amount:
                    rows.append(Transfer(gift.by, gift.to, amount, at.rule, "side_payment"))
                if amount < gift.amount:
                    events.append(RuleEvent("defy", at.rule, (gift.by,), "could not pay", gift.amount - amount))
        return Paid(tuple(rows), tuple(events))

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        change: Column | None = None
        for place, gift in enumerate(at.ledger.gifts):
            if gift.rule != at.rule:
                continue
            earned = played.executed.where((at.rule, place), partial(self._earned, at, gift))
            due = Column.of([gift.amount]).only(earned.any(axis=1, keepdims=True) & played.seats((gift.by,)))
            change = passed_on_batch(self, due, played.seats((gift.to,)), played.balances, change)
        return change

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return None if any(gift.rule == at.rule for gift in at.ledger.gifts) else ()

    def _earned(self, at: Moment, gift: Gift, seat: int, action: Action) -> bool:
        return seat == gift.to and self._due(at, gift, action)

    def _due(self, at: Moment, gift: Gift, action: Action) -> bool:
        if not gift.terms:
            return True
        named = dict(gift.terms)["action"]
        space = at.mechanism.space(at.physical, gift.to)
        if self.condition == "exactly" or isinstance(named, (str, tuple)):
            return just(space, named).contains(action)
        met = at_most(space, named) if self.condition == "at_most" else at_least(space, named)
        return met is not None and met.contains(action)
