"""What a broken rule costs, and where the money goes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from society.core.actions import Action
from society.core.acts import Mask, PlayedBatch
from society.core.arrays import np
from society.core.columns import Column
from society.core.exact import Exact, Number, tidy
from society.core.instrument import Breach, Instrument, Moment, Paid, Played, Seat, seat_of
from society.core.limits import excess
from society.core.mechanism import SpaceOf
from society.core.rows import RuleEvent, Transfer

FineTo: TypeAlias = Literal["burn", "pot", "victims", "enforcer"]


class Fined(Instrument):
    """A rule about actions whose breach is fined."""

    fine: Exact = Field(0, ge=0)
    """units per violation"""
    fine_per_unit: Exact = Field(0, ge=0)
    """units per unit beyond what is allowed"""
    fine_to: FineTo = "burn"
    """burn: nobody gets it; pot: shared equally next round; victims: those who kept the rule; enforcer: one agent"""
    enforcer: Seat | None = None
    """who gets the fines, for fine_to: enforcer"""

    invariant: ClassVar[str] = "It takes fines from those who broke it, and every unit taken is a row."

    @model_validator(mode="after")
    def _enforcer_named(self) -> Self:
        if (self.enforcer is not None) != (self.fine_to == "enforcer"):
            raise ValueError("'enforcer' is given exactly when fine_to is 'enforcer'")
        return self

    def resolved(self, names: Sequence[str]) -> Self:
        whole = super().resolved(names)
        if whole.enforcer is None:
            return whole
        return whole.model_copy(update={"enforcer": seat_of(whole.enforcer, names)})

    def breach(self, at: Moment, memory: Any, agent: int, allowed: SpaceOf, action: Action) -> Breach:
        beyond = excess(allowed, action)
        return Breach(agent, due=tidy(self.fine + self.fine_per_unit * beyond), excess=beyond)

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        transfers: list[Transfer] = []
        events: list[RuleEvent] = []
        broke = {breach.agent for breach in played.breaches}
        for breach in played.breaches:
            if not breach.executed or not breach.due:
                continue
            amount = self.payable(breach.due, breach.agent, played, transfers)
            if amount < breach.due:
                events.append(RuleEvent("defy", at.rule, (breach.agent,), "could not pay", tidy(breach.due - amount)))
            transfers.extend(self._rows(at, breach.agent, amount, sorted(set(at.seats) - broke)))
        return Paid(tuple(transfers), tuple(events))

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        due = played.executed.each(
            (at.rule, "due"), lambda seat, action: sum(b.due for b in played.breaches(seat, action) if b.executed)
        )
        return passed_on_batch(self, due, self._receivers(at, played), played.balances) if due.num.any() else None

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return agent == self.enforcer

    def _receivers(self, at: Moment, played: PlayedBatch) -> Mask:
        if self.fine_to == "enforcer":
            assert isinstance(self.enforcer, int), "seats are resolved when the game is set up"
            return played.seats((self.enforcer,))
        if self.fine_to != "victims":
            return played.seats(())
        broke = played.executed.where((at.rule, "broke"), lambda seat, action: bool(played.breaches(seat, action)))
        return played.seats(at.seats) & ~broke

    def _rows(self, at: Moment, payer: int, amount: Number, victims: list[int]) -> list[Transfer]:
        if self.fine_to == "enforcer":
            assert isinstance(self.enforcer, int), "seats are resolved when the game is set up"
            return [Transfer(payer, self.enforcer, amount, at.rule, "fine")]
        if self.fine_to == "victims" and victims:
            return split(payer, victims, amount, at.rule, "fine")
        return [Transfer(payer, None, amount, at.rule, "pot" if self.fine_to == "pot" else "fine")]

    def payable(self, due: Number, agent: int, played: Played, rows: Sequence[Transfer] = ()) -> Number:
        """What of a due amount the agent pays: all of it, or what it has got where debt is not allowed."""
        return payable(self, due, agent, played, rows)


def payable(instrument: Instrument, due: Number, agent: int, played: Played, rows: Sequence[Transfer] = ()) -> Number:
    """What of a due amount the agent pays: all, or where debt is not allowed what is left of its balance after `rows`."""
    if instrument.allow_debt:
        return due
    out = sum(row.amount for row in rows if row.payer == agent)
    back = sum(row.amount for row in rows if row.payee == agent)
    return tidy(max(0, min(due, played.balances[agent] - out + back)))


def payable_batch(instrument: Instrument, due: Column, balances: Column) -> Column:
    """`payable`, row by row, before any other row."""
    return due if instrument.allow_debt else due.at_most(balances).at_least(0)


def passed_on_batch(
    instrument: Instrument, due: Column, receivers: Mask, balances: Column, change: Column | None = None
) -> Column:
    """What changes when seats pay what is due, as far as `payable`, in equal parts to the receivers of their row.

    Where a row has no receivers the money is burnt. Seats pay in their order, after `change`.
    """
    count = np.maximum(receivers.sum(axis=1, keepdims=True), 1)
    if instrument.allow_debt:
        moved = due.across().among(count).only(receivers) - due
        return moved if change is None else change + moved
    for seat in np.flatnonzero(due.num.any(axis=0)).tolist():
        mine = np.arange(due.num.shape[1]) == seat
        left = balances if change is None else balances + change
        paid = due.at_most(left).at_least(0).only(mine[None, :]).reduced()
        moved = paid.across().among(count).only(receivers) - paid
        change = moved if change is None else (change + moved).reduced()
    return due * 0 if change is None else change


def net(rows: Sequence[Transfer], agents: int) -> Column:
    """What transfers add to each seat and take from it, shape (1, seats)."""
    change: list[Number] = [0] * agents
    for row in rows:
        if row.payer is not None:
            change[row.payer] -= row.amount
        if row.payee is not None:
            change[row.payee] += row.amount
    found = Column.of(change)
    return Column(found.num[None, :], found.den)


def split(payer: int | None, payees: Sequence[int], amount: Number, rule: str, reason: str) -> list[Transfer]:
    """Equal rows that add up to the amount, one per payee."""
    each = tidy(Fraction(amount) / len(payees)) if not isinstance(amount, float) else amount / len(payees)
    return [Transfer(payer, payee, each, rule, reason) for payee in payees]
