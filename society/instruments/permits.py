"""Permits to take, that can be sold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Amount, Choice
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, Number, plain, tidy
from society.core.instrument import Change, Moment, Paid, Played, Telling
from society.core.ledger import Order, Proposal
from society.core.limits import at_most
from society.core.mechanism import Mechanism, SpaceOf
from society.core.moves import Offer
from society.core.rows import RuleEvent, Transfer
from society.governance.negotiation import proposal_offers
from society.instruments.agreements import on_the_table
from society.instruments.clearing import cleared
from society.instruments.fines import Fined, net


@dataclass(frozen=True, slots=True)
class Banked:
    """Permits kept from earlier rounds, by seat."""

    amounts: tuple[Number, ...]


class Permits(Fined):
    """Each agent gets permits every round and may sell them; nobody may take more than it holds [Dales1968]_.

    In `pairs` a sale is a proposal to one other agent: so many of the proposer's permits for so much money. Once signed, the
    permits have changed hands in that round, and the price is paid when the round settles. Permits that the seller does not
    hold are not sold. In an `auction` each agent may place one order a round, to buy or to sell; when talk is over all are
    cleared at one price, the highest bids with the lowest asks. With `bank`, what is not used is kept.
    """

    kind: Literal["permits"] = "permits"
    source = ("Dales1968",)
    grant: Exact | None = Field(None, ge=0)
    """permits per agent and round, in units of action; null: the sustainable share of the mechanism"""
    market: Literal["pairs", "auction"] = "pairs"
    """pairs: each sale is agreed with one other; auction: all bids and asks of a round are cleared at one price"""
    most_price: Exact = Field(100, ge=0)
    """largest price of one sale; in an auction, of one permit"""
    bank: bool = False
    """whether unused permits are kept for later rounds"""

    memory_type = Banked
    klass = "structural"
    invariant: ClassVar[str] = "Permits change hands and are never made by trade; prices sum to zero."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        soft = {"grant": 2, "enforcement": "soft", "fine_per_unit": 3, "fine_to": "victims", "bank": True}
        auction = {"grant": 2, "market": "auction"}
        return tuple(cls.model_validate(fields) for fields in ({"grant": 3}, soft, auction))

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        state = mechanism.initial_state()
        if not isinstance(mechanism.space(state, 0), Amount):
            return "its actions are not amounts"
        if self.grant is None and mechanism.share(state) is None:
            return "it knows no sustainable share; give a 'grant'"
        return None

    def first_memory(self, agents: int) -> Banked:
        return Banked((0,) * agents)

    def tell(self, at: Moment, memory: Banked, agent: int) -> Mapping[str, Telling]:
        orders = [
            {"by": at.names[o.by], "side": o.side, "units": o.units, "price": plain(o.price)} for o in self._orders(at)
        ]
        return {"held": self.holdings(at, memory)[agent], "orders": orders, **on_the_table(at, agent)}

    def offers(self, at: Moment, memory: Banked, agent: int) -> tuple[Offer, ...]:
        if self.market == "auction":
            return self._order_offer(at, memory, agent)
        held = self.holdings(at, memory)[agent]
        others = tuple(seat for seat in at.seats if seat != agent)
        permits = Amount.between(0, max(0, held), step=1)
        terms: dict[str, SpaceOf] = {"permits": permits, "price": Amount.between(0, self.most_price, step=None)}
        offers = proposal_offers(at.ledger, at.rule, agent, others, at.round, terms=terms, binding=True, lasts=1)
        return tuple(offer for offer in offers if held >= 1 or offer.kind not in ("propose", "counter"))

    def _order_offer(self, at: Moment, memory: Banked, agent: int) -> tuple[Offer, ...]:
        own = self._granted(at, memory)[agent]
        most = max(1, *(int(amount) for amount in self._granted(at, memory)))
        terms: dict[str, SpaceOf] = {
            "side": Choice(options=("buy", "sell") if own >= 1 else ("buy",)),
            "units": Amount.between(1, most * max(1, len(at.seats) - 1), step=1),
            "price": Amount.between(0, self.most_price, step=None),
        }
        return (Offer("order", at.rule, terms=terms),) if len(at.seats) > 1 else ()

    def _orders(self, at: Moment) -> tuple[Order, ...]:
        return tuple(order for order in at.ledger.orders if order.rule == at.rule and order.by in at.seats)

    def _granted(self, at: Moment, memory: Banked) -> list[Number]:
        """What each seat holds before anything is sold."""
        grant = self.grant if self.grant is not None else at.mechanism.share(at.physical) or 0
        return [tidy(grant + memory.amounts[seat]) if seat in at.seats else 0 for seat in range(at.agents)]

    def holdings(self, at: Moment, memory: Banked) -> tuple[Number, ...]:
        """The permits each seat holds after the sales of this round."""
        return self._traded(at, memory)[0]

    def _traded(self, at: Moment, memory: Banked) -> tuple[tuple[Number, ...], tuple[Proposal, ...]]:
        """What each seat holds, and the sales of permits that were not there."""
        held, void = self._granted(at, memory), []
        if self.market == "auction":
            for buyer, seller, units in cleared(self._orders(at), held).trades:
                held[seller], held[buyer] = tidy(held[seller] - units), tidy(held[buyer] + units)
        for sale in self.sales(at):
            permits, buyer = sale.term("permits"), _buyer(sale)
            if held[sale.by] < permits:
                void.append(sale)
                continue
            held[sale.by] = tidy(held[sale.by] - permits)
            held[buyer] = tidy(held[buyer] + permits)
        return tuple(held), tuple(void)

    def sales(self, at: Moment) -> tuple[Proposal, ...]:
        """The sales agreed in this round."""
        return tuple(p for p in at.ledger.under(at.rule, "in_force") if p.since == at.round and len(p.members) == 2)

    def restrict(self, at: Moment, memory: Banked, agent: int, space: SpaceOf) -> SpaceOf | None:
        return at_most(space, self.holdings(at, memory)[agent])

    def pay(self, at: Moment, memory: Banked, played: Played) -> Paid:
        fines, sold = super().pay(at, memory, played), self._sold(at, memory)
        return Paid((*fines.transfers, *sold.transfers), (*fines.events, *sold.events))

    def pay_batch(self, at: Moment, memory: Banked, played: PlayedBatch) -> Column | None:
        fines, sold = super().pay_batch(at, memory, played), self._sold(at, memory).transfers
        if not sold:
            return fines
        return net(sold, at.agents) + (played.nothing() if fines is None else fines)

    def peculiar(self, at: Moment, memory: Banked, agent: int) -> Hashable | None:
        sold = net(self._sold(at, memory).transfers, at.agents).seat(agent)
        return (super().peculiar(at, memory, agent), sold[0])

    def _sold(self, at: Moment, memory: Banked) -> Paid:
        """What is paid for permits, whatever anybody does."""
        rows, events = list[Transfer](), list[RuleEvent]()
        market = cleared(self._orders(at), self._granted(at, memory))
        for buyer, seller, units in market.trades:
            assert market.price is not None, "what is traded has a price"
            if market.price:
                rows.append(Transfer(buyer, seller, tidy(market.price * units), at.rule, "price"))
        void = self._traded(at, memory)[1]
        for sale in self.sales(at):
            if sale in void:
                events.append(RuleEvent("ignored", at.rule, (sale.by,), f"sale {sale.id}: no such permits"))
            elif sale.term("price"):
                rows.append(Transfer(_buyer(sale), sale.by, sale.term("price"), at.rule, "price"))
        return Paid(tuple(rows), tuple(events))

    def remember(self, at: Moment, memory: Banked, played: Played) -> Change:
        if not self.bank:
            return Change(memory)
        held = self.holdings(at, memory)
        used = [at.mechanism.level(action) or 0 for action in played.executed]
        left = tuple(tidy(max(0, have - spent)) for have, spent in zip(held, used, strict=True))
        return Change(Banked(tuple(left[s] if s in at.seats else memory.amounts[s] for s in range(at.agents))))


def _buyer(sale: Proposal) -> int:
    return next(seat for seat in sale.members if seat != sale.by)
