"""A call market: all orders of a round are cleared at once, at one price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from society.core.exact import Number, tidy
from society.core.ledger import Order


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a call market came to.

    Attributes:
        price: of every unit; None when nothing changed hands.
        trades: (buyer, seller, units), by the first unit each pair exchanged.
    """

    price: Number | None = None
    trades: tuple[tuple[int, int, int], ...] = ()


def cleared(orders: Sequence[Order], held: Sequence[Number]) -> Cleared:
    """The trades that bring most to buyers and sellers together, by their own limits.

    The highest bid meets the lowest ask, unit by unit, while the bid is no less; of equal ones the earlier order comes
    first. All pay the price midway between the last bid and the last ask that met. Nobody sells more whole units than it
    holds.
    """
    sells = [replace(o, units=min(o.units, int(held[o.by]))) for o in orders if o.side == "sell"]
    bids = sorted((o for o in orders if o.side == "buy"), key=lambda order: -order.price)
    asks = sorted(sells, key=lambda order: order.price)
    buyers = [order for order in bids for _ in range(order.units)]
    sellers = [order for order in asks for _ in range(order.units)]
    met = [(bid, ask) for bid, ask in zip(buyers, sellers, strict=False) if bid.price >= ask.price]
    if not met:
        return Cleared()
    last_bid, last_ask = met[-1]
    price = tidy(Fraction(last_bid.price + last_ask.price) / 2)
    counts = Counter((bid.by, ask.by) for bid, ask in met)
    return Cleared(price, tuple((buyer, seller, units) for (buyer, seller), units in counts.items()))
