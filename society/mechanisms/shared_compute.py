"""Agents that share an API quota, a build queue, a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from society.core.actions import Action, Amount, Joint
from society.core.arrays import NDArray, np
from society.core.columns import Column
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Bound, Fact, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.amounts import whole_amounts
from society.mechanisms.appropriation import equilibria_by_total
from society.mechanisms.merit import even_profile


@dataclass(frozen=True, slots=True)
class Quota:
    """Tokens in the bucket (None: no bucket), and rounds of outage still to come."""

    tokens: int | None = None
    outage: int = 0


class Bucket(BaseModel):
    """A token bucket: B' = min(size, B - served + refill); emptying it stops the service for some rounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    size: int = Field(200, ge=1, le=100_000)
    """most tokens it holds; it starts full"""
    refill: int = Field(50, ge=0, le=100_000)
    """tokens added each round"""
    outage: int = Field(2, ge=0, le=1000)
    """rounds without service after the bucket has been emptied"""


class SharedCompute(Mechanism[Quota]):
    """A service answers so many requests a round; beyond that, everybody's requests fail alike.

        payoff_i = value * x_i * min(1, K/X) - cost * x_i

    A Tullock contest for the service once it is short: selfish play sends (n-1)/n * value K / cost requests in all and
    burns most of what the service is worth [Tullock1980]_; the best total is K, shared evenly. With a bucket, K is what
    it holds, but no more than the capacity, and 0 in an outage; requests are then still paid for.
    """

    kind: Literal["shared_compute"] = "shared_compute"
    source = ("Tullock1980",)
    state_type = Quota
    payoff_unit = "points"

    agents: int = Field(
        5, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    capacity: int = Field(100, ge=1, le=100_000, description="requests served per round (K)")
    value: Exact = Field(1, gt=0, le=1_000_000, description="points for each request served (v)")
    cost: Exact = Field(
        "1/5", ge=0, le=1_000_000, validate_default=True, description="points for each request sent (c)"
    )
    most: int | None = Field(
        None, ge=0, le=100_000, description="most requests of one agent per round; null: the capacity"
    )
    bucket: Bucket | None = Field(None, description="a store of requests that can run dry; null: none")

    @model_validator(mode="after")
    def _worth_sending(self) -> Self:
        if self.cost >= self.value:
            raise ValueError("a request costs at least what it is worth: nobody would send any")
        return self

    @property
    def quantities(self) -> frozenset[str]:  # type: ignore[override]  # depends on the bucket
        return frozenset({"total"} if self.bucket is None else {"total", "stock_after"})

    @property
    def repeated(self) -> bool:
        return self.bucket is None

    @property
    def limit(self) -> int:
        """The most requests of one agent."""
        return self.capacity if self.most is None else self.most

    @property
    def thresholds(self) -> Mapping[str, Number]:
        return {"service": self.capacity}

    @property
    def most_stock(self) -> int | None:
        return None if self.bucket is None else self.bucket.size

    def initial_state(self) -> Quota:
        return Quota() if self.bucket is None else Quota(self.bucket.size)

    def service(self, state: Quota) -> int:
        """K of this round."""
        if state.tokens is None:
            return self.capacity
        return 0 if state.outage else min(self.capacity, state.tokens)

    def space(self, state: Quota, agent: int) -> Amount:
        return Amount.between(0, self.limit)

    def observe(self, state: Quota, agent: int) -> Facts:
        facts: dict[str, Fact] = {"service": self.service(state), "most": self.limit}
        if state.tokens is not None:
            facts |= {"tokens": state.tokens, "outage": state.outage}
        return facts

    def step(self, state: Quota, joint: Joint, noise: Noise) -> Transition[Quota]:
        sent = whole_amounts(joint)
        total, service = sum(sent), self.service(state)
        rate = min(Fraction(1), Fraction(service, total)) if total else Fraction(1)
        granted = tuple(tidy(x * rate) for x in sent)
        served = min(total, service)
        after = self._next(state, served)
        return Transition(
            state=after,
            payoffs=tuple(tidy(x * (self.value * rate - self.cost)) for x in sent),
            granted=granted,
            total=total,
            stock_before=state.tokens,
            stock_after=after.tokens,
            facts={"served": served, "outage": after.outage} if self.bucket else {"served": served},
        )

    def _next(self, state: Quota, served: int) -> Quota:
        if self.bucket is None or state.tokens is None:
            return state
        left = state.tokens - served
        empty = left == 0 and state.outage == 0
        return Quota(
            min(self.bucket.size, left + self.bucket.refill), self.bucket.outage if empty else max(0, state.outage - 1)
        )

    def batch(self, state: Quota, joints: NDArray[np.int64], noise: Noise) -> Batch:
        service = self.service(state)
        value, cost = Fraction(self.value), Fraction(self.cost)
        over = lcm(value.denominator, cost.denominator)
        worth, price = int(value * over), int(cost * over)
        totals = joints.sum(axis=1)
        # value * x * served / divisor, with divisor = X where the service is short and 1 where it is not
        short = totals > service
        divisor = np.where(short, totals, 1)
        gain = np.where(short, worth * service, worth) - price * divisor
        granted = Column(joints * np.where(short, service, 1)[:, None], divisor[:, None])
        numerators, denominators = joints * gain[:, None], (over * divisor)[:, None]
        if state.tokens is None:
            return Batch(numerators, denominators, totals, granted=granted)
        served = np.minimum(totals, service)
        reached = [self._next(state, s) for s in range(service + 1)]
        stocks = np.array([after.tokens for after in reached], dtype=np.int64)[served]
        return Batch(numerators, denominators, totals, stocks, served, reached.__getitem__, granted=granted)

    def share(self, state: Quota) -> int | None:
        """With a bucket: an even part of what it regains in a round, whole tokens."""
        together = self.sustainable(state)
        return None if together is None else together // self.agents

    def sustainable(self, state: Quota) -> int | None:
        """With a bucket: what it regains in a round, as far as it can be served."""
        return None if self.bucket is None else min(self.bucket.refill, self.service(state))

    def poles(self, state: Quota) -> tuple[Action, Action]:
        """An even part of the service, and as much as selfish play sends."""
        service = self.service(state)
        n, worth = self.agents, Fraction(self.value)
        selfish = Fraction(self.limit) if self.cost == 0 else (n - 1) * worth * service / (Fraction(self.cost) * n * n)
        fair = min(self.limit, service // n)
        return fair, max(fair, min(self.limit, int(selfish)))

    def known_ceiling(self, state: Quota, agent: int) -> Bound:
        own = min(self.limit, self.service(state))
        profile = tuple(own if seat == agent else 0 for seat in range(self.agents))
        return Bound(tidy(own * (self.value - self.cost)), profile, how="closed form: the others send nothing")

    def known_optimum(self, state: Quota) -> Bound:
        service = self.service(state)
        total = min(service, self.limit * self.agents)
        profile = even_profile(total, self.agents)
        if self.cost == 0:  # requests too many cost nothing, and make the parts exactly equal
            profile = (min(self.limit, -(-service // self.agents)),) * self.agents
        return Bound(tidy(total * (self.value - self.cost)), profile, how="closed form: exactly what is served")

    def known_equilibria(self, state: Quota) -> tuple[Joint, ...] | None:
        """One request more and one request less both do not gain; payoffs are concave in one's own requests."""
        service, value, cost = self.service(state), Fraction(self.value), Fraction(self.cost)

        def rate(total: int) -> Fraction:
            return Fraction(1) if total <= service else Fraction(service, total)

        def replies(total: int) -> list[int]:
            here, more, fewer = rate(total), rate(total + 1), rate(max(0, total - 1))
            # u(x+1) - u(x) = value (more + x (more - here)) - cost;  u(x) - u(x-1) = value (fewer + x (here - fewer)) - cost
            low, high = Fraction(0), Fraction(self.limit)
            if more < here:
                low = (value * more - cost) / (value * (here - more))
            elif value * more > cost:
                low = Fraction(self.limit)
            if here < fewer:
                high = (value * fewer - cost) / (value * (fewer - here))
            elif value * fewer < cost:
                high = Fraction(0)
            inside = set(range(max(0, -int(-low // 1)), min(self.limit, int(high // 1)) + 1))
            if low <= 0:
                inside.add(0)
            if high >= self.limit:
                inside.add(self.limit)
            return sorted(inside)

        return equilibria_by_total(self.agents, range(self.limit * self.agents + 1), replies)

    def known_value(self, rounds_left: int, agent: int | None) -> Callable[[Quota], Number]:
        """A dynamic programme over tokens and outage: all together, or one agent alone in the service."""
        limit = self.limit * self.agents if agent is None else self.limit
        margin = Fraction(self.value) - Fraction(self.cost)
        if self.bucket is None:
            return lambda state: tidy(rounds_left * margin * min(self.capacity, limit))
        served = _most_served(self, limit, rounds_left)
        return lambda state: tidy(margin * served[state.outage][state.tokens or 0])


@lru_cache(maxsize=128)
def _most_served(game: SharedCompute, limit: int, rounds_left: int) -> list[list[int]]:
    """The most requests that can still be served, by rounds of outage to come and tokens."""
    bucket = game.bucket
    assert bucket is not None
    values = [[0] * (bucket.size + 1) for _ in range(bucket.outage + 1)]
    for _ in range(rounds_left):
        best: list[list[int]] = []
        for outage in range(bucket.outage + 1):
            row: list[int] = []
            for tokens in range(bucket.size + 1):
                state = Quota(tokens, outage)
                most = min(limit, game.service(state))
                row.append(max(_then(values, game._next(state, s)) + s for s in range(most + 1)))
            best.append(row)
        values = best
    return values


def _then(values: list[list[int]], state: Quota) -> int:
    return values[state.outage][state.tokens or 0]
