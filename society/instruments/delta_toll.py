"""Tolls that learn from the delays they see."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, Number, tidy
from society.core.instrument import Change, Instrument, Moment, Paid, Played, Telling
from society.core.mechanism import Mechanism
from society.instruments.tax import collected, collected_batch


@dataclass(frozen=True, slots=True)
class Tolls:
    """What each road costs now, by its name; those that are not named are free."""

    now: tuple[tuple[str, Number], ...] = ()


class DeltaToll(Instrument):
    """Every road (or other shared facility) has a toll that follows the delay on it [Sharon2017]_.

        toll_e  <-  rate * weight * (l_e(f) - l_e(0)) + (1 - rate) * toll_e

    The delay is how much longer the road takes with those who used it than when it is empty. Tolls are known before anybody
    chooses, start at zero, and change after the round. Where travel times grow linearly and the flow settles, a weight of 1
    leads to the marginal cost that one more user is to the others, the Pigouvian toll.
    """

    kind: Literal["delta_toll"] = "delta_toll"
    source = ("Sharon2017", "Pigou1920")
    rate: Exact = Field("1/2", gt=0, le=1, validate_default=True)
    """how far a toll moves in one round towards what the last delay asks for (R)"""
    weight: Exact = Field(1, ge=0)
    """units of payoff that a toll asks per unit of delay (beta)"""
    rebate: Exact = Field(0, ge=0, le=1)
    """share of the revenue that is paid back to those it applies to, in equal parts; the rest is burnt"""

    memory_type = Tolls
    klass = "structural"
    invariant: ClassVar[str] = (
        "With a rebate of 1 it changes no total; a toll lies between nothing and the largest delay seen times the weight."
    )

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        return (cls(), cls.model_validate({"rate": 1, "weight": "1/3", "rebate": 1}))

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        state = mechanism.initial_state()
        joint = tuple(mechanism.abstention(state, agent) for agent in range(mechanism.agents))
        return "nothing in it is used by the way, as roads are" if mechanism.delays(state, joint) is None else None

    def tell(self, at: Moment, memory: Tolls, agent: int) -> Mapping[str, Telling]:
        return {"tolls": [[name, toll] for name, toll in memory.now if toll]}

    def toll(self, at: Moment, memory: Tolls, agent: int, action: Action) -> Number:
        """What an action of the agent costs: the tolls of all it uses."""
        now = dict(memory.now)
        return tidy(sum(now.get(name, 0) for name in at.mechanism.facilities(at.physical, agent, action)))

    def pay(self, at: Moment, memory: Tolls, played: Played) -> Paid:
        due = {agent: self.toll(at, memory, agent, played.executed[agent]) for agent in at.seats}
        return collected(self, at, played, due, self.rebate)

    def pay_batch(self, at: Moment, memory: Tolls, played: PlayedBatch) -> Column | None:
        if not at.seats or not any(toll for _, toll in memory.now):
            return None
        due = played.executed.each((at.rule, "toll"), lambda seat, action: self.toll(at, memory, seat, action))
        return collected_batch(self, at, played, due, self.rebate)

    def peculiar(self, at: Moment, memory: Tolls, agent: int) -> Hashable | None:
        return ()

    def remember(self, at: Moment, memory: Tolls, played: Played) -> Change:
        seen, before = at.mechanism.delays(at.physical, played.executed) or {}, dict(memory.now)
        moved = {
            name: tidy(self.rate * self.weight * delay + (1 - self.rate) * before.get(name, 0))
            for name, delay in seen.items()
        }
        return Change(Tolls(tuple(sorted(moved.items()))))
