"""How much each may take, or must give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Amount
from society.core.exact import Exact, Json, Number, plain, tidy
from society.core.instrument import Change, Moment, Played
from society.core.limits import at_least, at_most
from society.core.mechanism import Mechanism, SpaceOf
from society.instruments.fines import Fined


@dataclass(frozen=True, slots=True)
class Saved:
    """What each agent left unused and may use later, by seat."""

    amounts: tuple[Number, ...]


class Quota(Fined):
    """An upper limit for each agent and round, or a lower one for gifts [Ostrom1990]_.

    Without an `amount` it is the sustainable share: what each may take so that the stock can be kept.
    """

    kind: Literal["quota"] = "quota"
    source = ("Ostrom1990",)
    amount: Exact | None = Field(None, ge=0)
    """units per agent and round; null: the sustainable share of the mechanism"""
    sense: Literal["at_most", "at_least"] = "at_most"
    """at_most: a limit on taking; at_least: a duty to give"""
    roll_over: bool = False
    """whether what is left of the quota may be taken in later rounds"""

    memory_type = Saved
    invariant: ClassVar[str] = "Hard: nobody exceeds its quota in any round, savings included."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        rules: list[dict[str, Any]] = [
            {"amount": 4},
            {"amount": 3, "roll_over": True},
            {
                "amount": 4,
                "enforcement": "soft",
                "detection": "1/2",
                "execution": "1/2",
                "fine_per_unit": 2,
                "fine_to": "pot",
            },
            {"amount": 2, "sense": "at_least", "enforcement": "soft", "fine": 3, "fine_to": "victims"},
        ]
        return tuple(cls.model_validate(rule) for rule in rules)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        state = mechanism.initial_state()
        if not isinstance(mechanism.space(state, 0), Amount):
            return "its actions are not amounts"
        if self.amount is None and mechanism.share(state) is None:
            return "it knows no sustainable share; give an 'amount'"
        return None

    def first_memory(self, agents: int) -> Saved:
        return Saved((0,) * agents)

    def limit(self, at: Moment, memory: Saved, agent: int) -> Number:
        """What the agent may take, or must give, in this round."""
        own = self.amount if self.amount is not None else at.mechanism.share(at.physical) or 0
        return tidy(own + memory.amounts[agent]) if self.roll_over else own

    def tell(self, at: Moment, memory: Saved, agent: int) -> Mapping[str, Json]:
        return {"limit": plain(self.limit(at, memory, agent))}

    def restrict(self, at: Moment, memory: Saved, agent: int, space: SpaceOf) -> SpaceOf | None:
        limit = self.limit(at, memory, agent)
        return at_most(space, limit) if self.sense == "at_most" else at_least(space, limit)

    def remember(self, at: Moment, memory: Saved, played: Played) -> Change:
        if not self.roll_over or self.sense == "at_least":
            return Change(memory)
        saved = list(memory.amounts)
        for agent in at.seats:
            used = at.mechanism.level(played.executed[agent]) or 0
            saved[agent] = tidy(max(0, self.limit(at, memory, agent) - used))
        return Change(Saved(tuple(saved)))
