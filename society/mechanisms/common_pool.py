"""A renewable commons: a fishery, a pasture, clean water."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from society.core.actions import Action, Amount, Joint
from society.core.arrays import NDArray, np
from society.core.columns import Column
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Bound, Fact, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.amounts import whole_amounts
from society.mechanisms.growth import LUCK_STEPS, Doubling, Growth
from society.mechanisms.rationing import Rationing, ration, ration_batch, row_sums

_TABLE = 4096
"""Stocks up to this size are looked up in one table of next stocks instead of being searched for distinct values."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The shared stock in whole units; a collapsed pool is empty for good."""

    stock: int
    collapsed: bool = False


class Shock(BaseModel):
    """A loss that strikes by chance after growth: a storm, a disease, a spill."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    probability: Exact = Field(ge=0, le=1)
    """chance per round"""
    loss: Exact = Field(ge=0, le=1)
    """share of the stock that is lost, rounded down to whole units"""


class CommonPool(Mechanism[Pool]):
    """Everybody asks for a part of one stock; what is left regrows [Piatti2024]_.

        y = h - sum(granted);  y < collapse_below: the pool dies;  else h' = min(capacity, growth(y))

    Requests are simultaneous whole numbers; a request beyond the stock is rationed, and payoffs are the grants. With the
    defaults (5 agents, 100 units, doubling) 50 units a round can be taken for ever, 10 each. Over T rounds the most that
    can be taken in all is 50 (T - 1) + 100, because the last round may take everything. With three or more agents a unit
    left in the pool returns less than one unit to whoever leaves it, so that selfish play empties the pool at once.

    The pool dies when fewer than `collapse_below` units are left after the harvest: five of five survive, as in the code
    of [Piatti2024]_; its text draws the line one unit higher. A dead pool has stock 0.
    """

    kind: Literal["common_pool"] = "common_pool"
    source = ("Piatti2024", "Ostrom1990")
    state_type = Pool
    payoff_unit = "units"
    quantities = frozenset({"total", "stock_after"})

    agents: int = Field(
        5, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    capacity: int = Field(100, ge=1, le=1_000_000, description="most units the pool can hold")
    stock: int | None = Field(None, ge=0, le=1_000_000, description="units before round 1; null: the capacity")
    growth: Growth = Field(default_factory=Doubling, description="the law of regrowth")
    collapse_below: int = Field(5, ge=0, description="fewer units than this after the harvest, and the pool dies")
    order: Literal["harvest_first", "growth_first"] = Field(
        "harvest_first", description="whether a round harvests and then grows, or grows and then harvests"
    )
    rationing: Rationing = Field("proportional", description="who gets how much when requests exceed the stock")
    priority: tuple[int, ...] = Field(
        (), description="under priority rationing: the seats, counted from 0, in the order served; empty: seat order"
    )
    shock: Shock | None = Field(None, description="a chance loss after growth; null: none")

    @model_validator(mode="after")
    def _stock_fits(self) -> Self:
        if self.stock is not None and self.stock > self.capacity:
            raise ValueError(f"a stock of {self.stock} does not fit a capacity of {self.capacity}")
        if self.priority and self.rationing != "priority":
            raise ValueError("an order of priority has a meaning under 'rationing: priority' only")
        if self.priority and sorted(self.priority) != list(range(self.agents)):
            raise ValueError(f"'priority' names each of the seats 0 to {self.agents - 1} once")
        return self

    @property
    def symmetric(self) -> bool:
        """False: in a short pool the odd unit, the order or the lots tell the seats apart."""
        return False

    @property
    def thresholds(self) -> Mapping[str, Number]:
        return {"dies below": self.collapse_below} if self.collapse_below else {}

    @property
    def most_stock(self) -> int:
        return self.capacity

    def initial_state(self) -> Pool:
        return Pool(self.capacity if self.stock is None else self.stock)

    def over(self, state: Pool) -> bool:
        return state.collapsed

    def space(self, state: Pool, agent: int) -> Amount:
        """Whole units up to the stock; where growth comes first, up to the most the stock can grow to."""
        return Amount.between(0, self._most(state))

    def observe(self, state: Pool, agent: int) -> Facts:
        return {"stock": state.stock, "capacity": self.capacity}

    def step(self, state: Pool, joint: Joint, noise: Noise) -> Transition[Pool]:
        if state.collapsed:
            return self._nothing_left(state)
        luck, struck = self.growth.luck(noise), self._strikes(noise)
        early = self.order == "growth_first"
        found = self._grown(state.stock, luck, struck) if early else state.stock
        granted = ration(whole_amounts(joint), found, self.rationing, noise, self.priority)
        total = sum(granted)
        left = found - total
        collapsed = left < self.collapse_below
        after = 0 if collapsed else left if early else self._grown(left, luck, struck)
        facts: dict[str, Fact] = {
            "remaining": left,
            "regrowth": found - state.stock if early else 0 if collapsed else after - left,
        }
        if self.shock is not None:
            facts["shock"] = struck
        return Transition(
            state=Pool(after, collapsed),
            payoffs=granted,
            granted=granted,
            total=total,
            stock_before=state.stock,
            stock_after=after,
            collapsed=collapsed,
            over=collapsed,
            facts=facts,
        )

    def batch(self, state: Pool, joints: NDArray[np.int64], noise: Noise) -> Batch:
        if state.collapsed:
            joints = np.zeros_like(joints)
        luck, struck = self.growth.luck(noise), self._strikes(noise)
        early = self.order == "growth_first"
        found = self._grown(state.stock, luck, struck) if early else state.stock
        granted = ration_batch(joints, found, self.rationing, noise, self.priority)
        totals = np.minimum(row_sums(joints), found)
        left = found - totals
        dead = left < self.collapse_below
        if state.collapsed:
            dead[:] = True
        if early:
            stocks = np.where(dead, 0, left)
        elif found <= _TABLE:
            stocks = _regrown(self, found, luck, struck)[left]
        else:
            values, places = np.unique(left, return_inverse=True)
            grown = [0 if y < self.collapse_below else self._grown(y, luck, struck) for y in values.tolist()]
            stocks = np.array(grown, dtype=np.int64)[places]
        return Batch(
            numerators=granted,
            denominators=np.ones((1, 1), dtype=np.int64),
            totals=totals,
            stocks=stocks,
            keys=np.where(dead, -1, stocks),
            state_of=_pool_of,
            lasting=True,
            granted=Column(granted),
        )

    def share(self, state: Pool) -> int:
        """floor(f / n), where f is the most that can be taken in all so that the next harvest finds no less.

        Growth counts at its mean, without luck and shocks.
        """
        return self.sustainable(state) // self.agents

    def sustainable(self, state: Pool) -> int:
        """Largest total harvest f = max { x : growth(h - x) >= h, and h - x survives }, or 0 when even resting does not keep the stock."""
        if state.collapsed:
            return 0
        found = self._grown(state.stock) if self.order == "growth_first" else state.stock
        return _sustainable(self, found)

    def most_beside(self, state: Pool, others: Sequence[Action]) -> int | None:
        most = self._certain(state)
        asked = whole_amounts(others)
        return None if most is None else max(0, most - sum(asked))

    def poles(self, state: Pool) -> tuple[Action, Action] | None:
        """Its sustainable share, and everything there is."""
        return self.share(state), self._most(state)

    def known_ceiling(self, state: Pool, agent: int) -> Bound:
        most = self._certain(state)
        if most is None:
            return Bound(self._most(state), None, exact=False, how="the most the stock can grow to")
        profile = tuple(most if seat == agent else 0 for seat in range(self.agents))
        return Bound(most, profile, how="closed form: all of the stock, the others nothing")

    def known_optimum(self, state: Pool) -> Bound | None:
        most = self._certain(state)
        if most is None:
            return None
        each, spare = divmod(most, self.agents)
        profile = tuple(each + (seat >= self.agents - spare) for seat in range(self.agents))
        return Bound(most, profile, how="closed form: all of the stock, shared evenly")

    def known_value(self, rounds_left: int, agent: int | None) -> Callable[[Pool], Number] | None:
        """The most that can still be taken, by all together or by one alone: it is the same, since one may take all.

        An integer dynamic programme over the stock. Where growth or shocks are random it is the expected value of
        the best plan that looks at the stock before each harvest.
        """
        if self.order == "growth_first" and (self.growth.random or self.shock is not None):
            return None  # requests are then made before the stock is known
        values = _values(self, rounds_left)
        return lambda state: 0 if state.collapsed else values[state.stock]

    def known_worst_equilibrium(self, rounds: int) -> Number | None:
        """Everybody asks for everything, always: against that, asking for less changes nothing but one's own part.

        No equilibrium is worse, since by asking for everything each agent is sure of its part of the stock.
        """
        if self.agents == 1 or self.growth.random or self.shock is not None:
            return None
        state, total = self.initial_state(), 0
        for number in range(1, rounds + 1):
            if self.over(state):
                break
            step = self.step(state, (self._most(state),) * self.agents, Noise(0, number))
            state, total = step.state, total + sum(int(grant) for grant in step.payoffs)
        return total

    def _certain(self, state: Pool) -> int | None:
        """The stock that requests will meet, or None while luck decides it."""
        if state.collapsed:
            return 0
        if self.order == "harvest_first":
            return state.stock
        return None if self.growth.random or self.shock is not None else self._grown(state.stock)

    def _most(self, state: Pool) -> int:
        if state.collapsed or self.order == "harvest_first":
            return state.stock
        return self._grown(state.stock, LUCK_STEPS)

    def _grown(self, left: int, luck: int = LUCK_STEPS // 2, struck: bool = False) -> int:
        grown = self.growth.grown(left, self.capacity, luck)
        return grown - int(grown * self.shock.loss) if struck and self.shock is not None else grown

    def _strikes(self, noise: Noise) -> bool:
        return self.shock is not None and noise.chance(self.shock.probability, "shock")

    def _nothing_left(self, state: Pool) -> Transition[Pool]:
        nothing = (0,) * self.agents
        return Transition(state, nothing, granted=nothing, total=0, stock_before=0, stock_after=0, over=True)


def _pool_of(key: int) -> Pool:
    return Pool(0, collapsed=True) if key < 0 else Pool(int(key))


@lru_cache(maxsize=64)
def _regrown(pool: CommonPool, most: int, luck: int, struck: bool) -> NDArray[np.int64]:
    """The stock after growth for each amount that may be left, from 0 to `most`."""
    grown = [0 if left < pool.collapse_below else pool._grown(left, luck, struck) for left in range(most + 1)]
    return np.array(grown, dtype=np.int64)


@lru_cache(maxsize=4096)
def _sustainable(pool: CommonPool, found: int) -> int:
    for left in range(pool.collapse_below, found + 1):
        if pool._grown(left) >= found:
            return found - left
    return 0


@lru_cache(maxsize=512)
def _values(pool: CommonPool, rounds_left: int) -> list[Number]:
    """The best total over the rounds left, by the stock the next round finds."""
    size = range(pool.capacity + 1)
    values: list[Number] = [0 for _ in size]
    for _ in range(rounds_left):
        after = [0 if y < pool.collapse_below else _expected(pool, y, values) for y in size]
        if pool.order == "growth_first":
            after = [0 if y < pool.collapse_below else values[y] for y in size]
        # V(h) = max over y <= h of (h - y) + after(y)
        gains = accumulate((rest - y for y, rest in zip(size, after, strict=True)), max)
        found = [tidy(h + gain) for h, gain in zip(size, gains, strict=True)]
        values = [found[pool._grown(h)] for h in size] if pool.order == "growth_first" else found
    return values


def _expected(pool: CommonPool, left: int, values: list[Number]) -> Number:
    lucks = range(LUCK_STEPS + 1) if pool.growth.random else (LUCK_STEPS // 2,)
    calm = sum(values[pool._grown(left, luck)] for luck in lucks)
    if pool.shock is None:
        return tidy(calm * Fraction(1, len(lucks)))
    hit = sum(values[pool._grown(left, luck, struck=True)] for luck in lucks)
    p = pool.shock.probability
    return tidy(((1 - p) * calm + p * hit) * Fraction(1, len(lucks)))
