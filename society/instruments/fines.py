"""What a broken rule costs, and where the money goes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from society.core.actions import Action
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


def split(payer: int | None, payees: Sequence[int], amount: Number, rule: str, reason: str) -> list[Transfer]:
    """Equal rows that add up to the amount, one per payee."""
    each = tidy(Fraction(amount) / len(payees)) if not isinstance(amount, float) else amount / len(payees)
    return [Transfer(payer, payee, each, rule, reason) for payee in payees]
