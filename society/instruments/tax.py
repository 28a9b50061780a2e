"""Taxes and subsidies."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Choice, Division
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, Number, tidy
from society.core.instrument import Instrument, Moment, Paid, Played
from society.core.mechanism import Mechanism
from society.core.rows import Transfer
from society.instruments.fines import payable, payable_batch, split


class Tax(Instrument):
    """A tax per unit, or per word chosen, with a lump-sum rebate [Pigou1920]_.

        r'_i = r_i - tau_i + rebate * sum(tau) / n,    tau_i = rate * max(0, amount_i - free)

    A negative rate is a subsidy; with a rebate it is paid by all alike. A Pigouvian tax equals the marginal external cost at
    the optimum. For choices and routes, `charges` names what each word costs (a toll).
    """

    kind: Literal["tax"] = "tax"
    source = ("Pigou1920",)
    rate: Exact = 0
    """units per unit of action; negative: a subsidy"""
    free: Exact = Field(0, ge=0)
    """this much of the action goes untaxed"""
    rebate: Exact = Field(0, ge=0, le=1)
    """share of the revenue that is paid back to those it applies to, in equal parts; the rest is burnt"""
    base: Literal["taken", "asked"] = "taken"
    """taken: what was granted of a short stock; asked: the action itself"""
    charges: tuple[tuple[str, Exact], ...] = ()
    """for choices: words and what each costs"""

    invariant: ClassVar[str] = (
        "With a rebate of 1 it changes no total; without, the total falls by exactly the revenue."
    )

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Choice):
            words = tuple((word, place) for place, word in enumerate(space.options))
            return (cls(charges=words), cls(charges=words, rebate=1))
        return tuple(
            cls.model_validate(fields)
            for fields in ({"rate": "3/2"}, {"rate": 2, "rebate": 1, "free": 1}, {"rate": -1, "rebate": "1/2"})
        )

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Division):
            return "a division has no amount to tax"
        if isinstance(space, Choice):
            strange = [word for word, _ in self.charges if word not in space.options]
            if strange:
                return f"there is no action {strange[0]!r} to charge for"
        elif self.charges:
            return "'charges' is for choices; use 'rate'"
        return None

    def charge(self, at: Moment, played: Played, agent: int) -> Number:
        """tau_i, negative for a subsidy."""
        taken = played.outcome.granted if self.base == "taken" else None
        return self._on(at, played.executed[agent], None if taken is None else taken[agent])

    def _on(self, at: Moment, action: Action, taken: Number | None) -> Number:
        if isinstance(action, str):
            return dict(self.charges).get(action, 0)
        amount = at.mechanism.level(action) if taken is None else taken
        return tidy(self.rate * max(0, (amount or 0) - self.free))

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        return collected(self, at, played, {s: self.charge(at, played, s) for s in at.seats}, self.rebate)

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return ()

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        if not at.seats:
            return None
        return collected_batch(self, at, played, self._charges(at, played), self.rebate)

    def _charges(self, at: Moment, played: PlayedBatch) -> Column:
        """tau_i, row by row."""
        words = isinstance(at.mechanism.space(at.physical, 0), Choice)
        if self.base == "taken" and played.granted is not None and not words:
            return (played.granted - self.free).at_least(0) * self.rate
        return played.executed.each((at.rule, "charge"), lambda seat, action: self._on(at, action, None))


def collected(
    instrument: Instrument, at: Moment, played: Played, charges: Mapping[int, Number], rebate: Number
) -> Paid:
    """Charges collected from the seats they fall on (negative ones paid out), and the rebate of what came in."""
    rows: list[Transfer] = []
    for agent, charge in charges.items():
        if charge > 0:
            rows.append(Transfer(agent, None, payable(instrument, charge, agent, played), at.rule, instrument.kind))
        elif charge < 0:
            rows.append(Transfer(None, agent, -charge, at.rule, "subsidy"))
    revenue = sum(row.amount if row.payee is None else -row.amount for row in rows)
    back = tidy(rebate * revenue)
    if back > 0:
        rows.extend(split(None, at.seats, back, at.rule, "rebate"))
    elif back < 0:
        rows.extend(
            Transfer(row.payee, None, row.amount, at.rule, "levy") for row in split(None, at.seats, -back, at.rule, "")
        )
    return Paid(tuple(rows))


def collected_batch(instrument: Instrument, at: Moment, played: PlayedBatch, charges: Column, rebate: Number) -> Column:
    """`collected` for many joint actions at once: what each agent gets or pays by it."""
    own = played.seats(at.seats)
    charge = charges.only(own)
    paid = payable_batch(instrument, charge.at_least(0), played.balances) + charge.at_most(0)
    return (paid.across() * rebate / len(at.seats)).only(own) - paid
