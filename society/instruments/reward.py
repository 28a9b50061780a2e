"""Agents reward each other."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Amount
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, tidy
from society.core.instrument import Instrument, Moment, Paid, Played
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import RuleEvent, Transfer
from society.instruments.points import points_given


class Reward(Instrument):
    """A second stage in which everybody can give points to everybody else, seeing what was done.

    A point costs its giver `cost` and brings its receiver `effect`. What the receiver gets beyond the cost is paid in from
    outside; what it gets less is burnt.
    """

    kind: Literal["reward"] = "reward"
    cost: Exact = Field(1, ge=0)
    """units a point costs the one who gives it"""
    effect: Exact = Field(1, ge=0)
    """units a point brings the one who gets it"""
    most: int = Field(10, ge=1, le=1000)
    """most points to one other agent"""

    klass = "structural"
    invariant: ClassVar[str] = "Costs and effects are rows; with an effect equal to the cost they sum to zero."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        rules: list[dict[str, Any]] = [{}, {"effect": 3, "allow_debt": False}, {"cost": 2, "effect": "1/2"}]
        return tuple(cls.model_validate(rule) for rule in rules)

    def ask(self, at: Moment, memory: Any, played: Played, agent: int) -> Mapping[str, SpaceOf]:
        most = self.most
        if not self.allow_debt and self.cost:
            most = min(most, max(0, int(played.balances[agent] // self.cost)))
        if not most:
            return {}
        return {at.names[other]: Amount.between(0, most, unit="points") for other in at.seats if other != agent}

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        rows: list[Transfer] = []
        events: list[RuleEvent] = []
        for giver, target, points in points_given(at, played.decisions, self.most):
            price, worth = tidy(self.cost * points), tidy(self.effect * points)
            spent = sum(row.amount for row in rows if row.payer == giver)
            if not self.allow_debt and spent + price > played.balances[giver]:
                events.append(RuleEvent("ignored", at.rule, (giver,), "more points than it can pay for", points))
                continue
            shared = min(price, worth)
            candidates = (
                Transfer(giver, target, shared, at.rule, "reward"),
                Transfer(giver, None, tidy(price - shared), at.rule, "reward_cost"),
                Transfer(None, target, tidy(worth - shared), at.rule, "reward"),
            )
            rows.extend(row for row in candidates if row.amount)
        return Paid(tuple(rows), tuple(events))

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        given = points_given(at, played.decisions, self.most)
        if not given:
            return None
        costs, gains = played.nothing(), played.nothing()
        for giver, target, points in given:
            price, worth = tidy(self.cost * points), tidy(self.effect * points)
            paid = played.seats((giver,))
            if not self.allow_debt:
                paid = paid & ((played.balances - costs).seat(giver) >= price)[:, None]
            costs = costs + Column.of([price]).only(paid)
            gains = gains + Column.of([worth]).only(paid.any(axis=1, keepdims=True) & played.seats((target,)))
        return gains - costs

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return ()  # points are decisions, and those who made them are told apart by them
