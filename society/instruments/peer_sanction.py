"""Agents punish each other, at a price."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from society.core.actions import Amount
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, Number, tidy
from society.core.instrument import Instrument, Moment, Paid, Played
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import RuleEvent, Transfer
from society.instruments.points import points_given


class PeerSanction(Instrument):
    """A second stage in which everybody can assign points to everybody else, seeing what was done.

    As in [FehrGachter2002]_ (the default): each point costs 1 and removes 3, at most 10 points to each other agent. As in
    [FehrGachter2000]_: ``prices: [0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30]`` for the points to one agent, and ``share: 1/10``,
    each point received removes a tenth of what the agent got before this stage, and at most all of it. Whoever punishes
    always pays; payoffs may become negative unless `allow_debt` is false. With `counter`, whoever got points may answer with
    points of its own, once and to those alone they came from: fear of that makes many punish less [Nikiforakis2008]_.
    """

    kind: Literal["peer_sanction"] = "peer_sanction"
    source = ("FehrGachter2000", "FehrGachter2002", "Nikiforakis2008")
    cost: Exact = Field(1, ge=0)
    """units a point costs the one who assigns it"""
    effect: Exact = Field(3, ge=0)
    """units a point removes from the one who receives it"""
    share: Exact | None = Field(None, ge=0, le=1)
    """share of the receiver's income before this stage that a point removes, instead of `effect`; null: use `effect`"""
    prices: tuple[Exact, ...] | None = None
    """cost of 0, 1, 2 ... points to one agent, instead of `cost`"""
    most: int = Field(10, ge=1, le=1000)
    """most points to one other agent"""
    anonymous: bool = False
    """whether agents are told how many points they got, but not from whom"""
    counter: bool = False
    """whether those who got points may then give points back to those they came from"""

    klass = "structural"
    invariant: ClassVar[str] = "It only destroys: the total falls by the costs and the effects, each a row of its own."

    @model_validator(mode="after")
    def _prices_fit(self) -> Self:
        if self.prices is not None and (len(self.prices) <= self.most or self.prices[0] != 0):
            raise ValueError("'prices' needs 0 first, and one entry for each number of points up to 'most'")
        if self.anonymous and self.counter:
            raise ValueError("nobody can answer points whose giver it is not told: 'anonymous' excludes 'counter'")
        return self

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        prices = (0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30)
        rules: list[dict[str, Any]] = [
            {},
            {"prices": prices, "share": "1/10"},
            {"allow_debt": False, "anonymous": True},
            {"counter": True, "allow_debt": False},
        ]
        return tuple(cls.model_validate(rule) for rule in rules)

    def price(self, points: int) -> Number:
        """What it costs to assign this many points to one agent."""
        return self.cost * points if self.prices is None else self.prices[points]

    def ask(self, at: Moment, memory: Any, played: Played, agent: int) -> Mapping[str, SpaceOf]:
        return self._points_to([seat for seat in at.seats if seat != agent], at, played.balances[agent])

    def reply(self, at: Moment, memory: Any, played: Played, agent: int) -> Mapping[str, SpaceOf]:
        if not self.counter:
            return {}
        punishers = {giver for giver, target, _ in points_given(at, played.decisions, self.most) if target == agent}
        return self._points_to(sorted(punishers), at, played.balances[agent])

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        costs: list[Transfer] = []
        points = [0] * at.agents
        events: list[RuleEvent] = []
        replies = points_given(at, played.replies, self.most) if self.counter else []
        for giver, target, given in (*points_given(at, played.decisions, self.most), *replies):
            price = self.price(given)
            spent = sum(row.amount for row in costs if row.payer == giver)
            if not self.allow_debt and spent + price > played.balances[giver]:
                events.append(RuleEvent("ignored", at.rule, (giver,), "more points than it can pay for", given))
                continue
            costs.append(Transfer(giver, None, price, at.rule, "sanction_cost"))
            points[target] += given
            by = "points" if self.anonymous else f"points by {at.names[giver]}"
            events.append(RuleEvent("sanction", at.rule, (target,), by, given))
        rows = [row for row in costs if row.amount]
        for target, received in enumerate(points):
            loss = self._loss(target, received, played, [row for row in rows if row.payer == target])
            if loss:
                rows.append(Transfer(target, None, loss, at.rule, "sanction"))
        return Paid(tuple(rows), tuple(events))

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        replies = points_given(at, played.replies, self.most) if self.counter else []
        given = [*points_given(at, played.decisions, self.most), *replies]
        if not given:
            return None
        change, points = played.nothing(), played.nothing()
        for giver, target, number in given:
            price = self.price(number)
            paid = played.seats((giver,))
            if not self.allow_debt:
                paid = paid & ((played.balances + change).seat(giver) >= price)[:, None]
            change = change - Column.of([price]).only(paid)
            points = points + Column.of([number]).only(paid.any(axis=1, keepdims=True) & played.seats((target,)))
        return change - self._losses(points, played.balances, change)

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return ()  # points are decisions, and those who made them are told apart by them

    def _losses(self, points: Column, balances: Column, costs: Column) -> Column:
        """What the points received remove, row by row."""
        income = balances.at_least(0)
        loss = points * self.effect
        if self.share is not None:
            part = (points * self.share).at_most(1)
            assert isinstance(part.den, int), "points are whole, and their share is one number"
            loss = income * Column(part.num) / part.den
        if not self.allow_debt:
            loss = loss.at_most((income + costs).at_least(0))
        return loss

    def _points_to(self, targets: Sequence[int], at: Moment, purse: Number) -> dict[str, SpaceOf]:
        most = self.most
        if not self.allow_debt:
            most = max(k for k in range(self.most + 1) if k == 0 or self.price(k) <= purse)
        return {at.names[other]: Amount.between(0, most, unit="points") for other in targets if most}

    def _loss(self, target: int, received: int, played: Played, own: Sequence[Transfer]) -> Number:
        income = max(0, played.balances[target])
        loss = self.effect * received if self.share is None else min(1, self.share * received) * income
        if not self.allow_debt:
            loss = min(loss, max(0, income - sum(row.amount for row in own)))
        return tidy(loss)
