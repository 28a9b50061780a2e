"""Sanctions that grow with every further violation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Amount
from society.core.exact import Exact, Number, tidy
from society.core.instrument import Breach, Change, Enforcement, Moment, Played, Telling
from society.core.limits import at_least, at_most, excess
from society.core.mechanism import Mechanism, SpaceOf
from society.instruments.fines import Fined


@dataclass(frozen=True, slots=True)
class Offences:
    """By seat: detected violations that still count, and clean rounds since the last one."""

    counted: tuple[int, ...]
    clean: tuple[int, ...]


class GraduatedSanction(Fined):
    """A limit whose k-th detected violation costs first * growth ** (k - 1) [Ostrom1990]_.

    After `forget` rounds without a detected violation an agent starts anew. With first 2, growth 2 and detection 1/2 the
    expected cost is 1, 2, 4, 8, 16: a gain of 12 is deterred from the fifth violation on.
    """

    kind: Literal["graduated_sanction"] = "graduated_sanction"
    source = ("Ostrom1990",)
    enforcement: Enforcement = "soft"
    """hard: cannot be broken; soft: can be broken, is detected and sanctioned by chance; advisory: words only"""
    limit: Exact | None = Field(None, ge=0)
    """units per agent and round; null: the sustainable share of the mechanism"""
    sense: Literal["at_most", "at_least"] = "at_most"
    """at_most: a limit on taking; at_least: a duty to give"""
    first: Exact = Field(2, ge=0)
    """units the first violation costs"""
    growth: Exact = Field(2, ge=1)
    """how many times the last cost the next one is"""
    forget: int | None = Field(None, ge=1)
    """clean rounds after which violations no longer count; null: they always count"""

    memory_type = Offences
    invariant: ClassVar[str] = "Whoever keeps the rule pays nothing, and no violation costs less than the one before."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        rules: list[dict[str, Any]] = [{"limit": 3, "detection": "1/2"}, {"limit": 2, "sense": "at_least", "forget": 1}]
        return tuple(cls.model_validate(rule) for rule in rules)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        state = mechanism.initial_state()
        if not isinstance(mechanism.space(state, 0), Amount):
            return "its actions are not amounts"
        if self.limit is None and mechanism.share(state) is None:
            return "it knows no sustainable share; give a 'limit'"
        return None

    def first_memory(self, agents: int) -> Offences:
        return Offences((0,) * agents, (0,) * agents)

    def cost(self, violation: int) -> Number:
        """What the k-th counted violation costs, k from 1."""
        return tidy(self.first * self.growth ** (violation - 1))

    def tell(self, at: Moment, memory: Offences, agent: int) -> Mapping[str, Telling]:
        next_cost = self.cost(memory.counted[agent] + 1)
        return {"allowed": self._limit(at), "counted": memory.counted[agent], "next_cost": next_cost}

    def restrict(self, at: Moment, memory: Offences, agent: int, space: SpaceOf) -> SpaceOf | None:
        limit = self._limit(at)
        return at_most(space, limit) if self.sense == "at_most" else at_least(space, limit)

    def breach(self, at: Moment, memory: Offences, agent: int, allowed: SpaceOf, action: Action) -> Breach:
        return Breach(agent, due=self.cost(memory.counted[agent] + 1), excess=excess(allowed, action))

    def peculiar(self, at: Moment, memory: Offences, agent: int) -> Hashable | None:
        return (super().peculiar(at, memory, agent), memory.counted[agent])

    def remember(self, at: Moment, memory: Offences, played: Played) -> Change:
        caught = {breach.agent for breach in played.breaches if breach.detected}
        counted, clean = list(memory.counted), list(memory.clean)
        for agent in at.seats:
            if agent in caught:
                counted[agent], clean[agent] = counted[agent] + 1, 0
                continue
            clean[agent] += 1
            if self.forget is not None and clean[agent] >= self.forget:
                counted[agent] = 0
        return Change(Offences(tuple(counted), tuple(clean)))

    def _limit(self, at: Moment) -> Number:
        return self.limit if self.limit is not None else at.mechanism.share(at.physical) or 0
