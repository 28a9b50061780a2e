"""What agents know of each other's past: scores and gossip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Amount, Choice, Division
from society.core.exact import Exact, Json
from society.core.instrument import Change, Instrument, Moment, Played
from society.core.limits import at_least, at_most, only
from society.core.mechanism import Facts, Mechanism, SpaceOf


@dataclass(frozen=True, slots=True)
class Scores:
    """What each observer believes of each agent: ``views[observer][agent]``; `good` is who truly is in good standing."""

    views: tuple[tuple[int, ...], ...]
    good: tuple[bool, ...]


class Reputation(Instrument):
    """Every observer keeps a score of every agent, and is shown it [NowakSigmund1998]_.

    Under ``image`` scoring a good act adds 1 and a bad one takes 1, within -most..most. Under ``standing`` the score is 1 or
    -1, and a bad act while fewer than half of the others are in good standing is no offence. Of each act an observer learns
    with probability `known`; what it learns is true with probability `accuracy`, and the opposite otherwise. Help can then
    pay if `known` exceeds the ratio of its cost to its benefit.
    """

    kind: Literal["reputation"] = "reputation"
    source = ("NowakSigmund1998", "Nowak2006")
    scoring: Literal["image", "standing"] = "image"
    """image: every good act adds a point and every bad one takes one; standing: 1 or -1, and a bad act among mostly bad others is no offence"""
    limit: Exact | None = Field(None, ge=0)
    """amounts on the right side of this are good acts; null: the sustainable share of the mechanism"""
    sense: Literal["at_most", "at_least"] = "at_most"
    """at_most: taking no more is good; at_least: giving no less is good"""
    good: tuple[str, ...] = ()
    """words that are good acts"""
    known: Exact = Field(1, ge=0, le=1)
    """probability that an observer learns of an act"""
    accuracy: Exact = Field(1, ge=0, le=1)
    """probability that what it learns is true"""
    most: int = Field(5, ge=1)
    """largest score, up and down"""

    memory_type = Scores
    klass = "strategic"
    invariant: ClassVar[str] = "It changes what agents know, and neither actions nor payoffs."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Choice):
            return (cls(good=space.options[:1]),)
        rules: list[dict[str, Any]] = [
            {"limit": 3, "known": "1/2", "accuracy": "3/4"},
            {"limit": 2, "scoring": "standing"},
        ]
        return tuple(cls.model_validate(rule) for rule in rules)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        state = mechanism.initial_state()
        space = mechanism.space(state, 0)
        if isinstance(space, Division):
            return "its actions are divisions"
        if isinstance(space, Choice):
            strange = sorted(set(self.good) - set(space.options))
            if strange or not self.good:
                return f"there is no action {strange[0]!r}" if strange else "say which words are 'good' acts"
        if isinstance(space, Amount) and (self.good or (self.limit is None and mechanism.share(state) is None)):
            return "its actions are amounts; give a 'limit'"
        return None

    def first_memory(self, agents: int) -> Scores:
        start = 0 if self.scoring == "image" else 1
        return Scores(((start,) * agents,) * agents, (True,) * agents)

    def observe(self, at: Moment, memory: Scores, agent: int) -> Facts:
        return {at.rule: memory.views[agent]}

    def tell(self, at: Moment, memory: Scores, agent: int) -> Mapping[str, Json]:
        return {"scores": [{"name": at.names[s], "score": memory.views[agent][s]} for s in at.seats]}

    def remember(self, at: Moment, memory: Scores, played: Played) -> Change:
        views = [list(view) for view in memory.views]
        standing = list(memory.good)
        for seat in at.seats:
            good = self._is_good(at, seat, played)
            others = [memory.good[other] for other in at.seats if other != seat]
            if self.scoring == "standing" and not good and 2 * sum(others) < len(others):
                good = memory.good[seat]
            standing[seat] = good
            for observer in at.seats:
                entity = (observer, seat)
                if not played.noise.chance(self.known, f"{at.rule}/known", entity):
                    continue
                heard = good == played.noise.chance(self.accuracy, f"{at.rule}/true", entity)
                step = 1 if heard else -1
                before = views[observer][seat]
                views[observer][seat] = (
                    step if self.scoring == "standing" else max(-self.most, min(self.most, before + step))
                )
        return Change(Scores(tuple(tuple(view) for view in views), tuple(standing)))

    def _is_good(self, at: Moment, seat: int, played: Played) -> bool:
        space = at.mechanism.space(at.physical, seat)
        allowed: SpaceOf | None
        if isinstance(space, Choice):
            allowed = only(space, frozenset(self.good))
        else:
            limit = self.limit if self.limit is not None else at.mechanism.share(at.physical) or 0
            allowed = at_most(space, limit) if self.sense == "at_most" else at_least(space, limit)
        return allowed is not None and allowed.contains(played.executed[seat])
