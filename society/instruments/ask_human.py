"""Asking a human, whose attention is short."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Choice, Division, Joint
from society.core.acts import Acts, PlayedBatch
from society.core.arrays import np
from society.core.columns import Column
from society.core.exact import Exact
from society.core.instrument import Moment, Paid, Played
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import RuleEvent, Transfer
from society.instruments.delegation import Delegation
from society.instruments.fines import payable, payable_batch


class AskHuman(Delegation):
    """Instead of deciding itself, an agent can ask a human, at a price [HadfieldMenell2017]_.

    Of those who ask, at most `capacity` are answered, drawn by lot; the others do nothing this round. Attention is then itself
    a commons: each further asker makes an answer less likely for all. Where the scenario has a `human`, that one is asked,
    once all have acted, and sees what the asker has seen. Where it has none, where no answer comes (in time), and in a
    counterfactual in which others ask, the rule answers: `answer` with probability `reliability`, else the asker does nothing.
    """

    kind: Literal["ask_human"] = "ask_human"
    source = ("HadfieldMenell2017",)
    answer: Exact | str = 0
    """what the rule answers where no human does"""
    capacity: int | None = Field(None, ge=0)
    """how many are answered in a round; null: all"""
    reliability: Exact = Field(1, ge=0, le=1)
    """probability that the rule, where it answers, judges rightly; otherwise the asker does nothing"""
    price: Exact = Field(0, ge=0)
    """units that asking costs, answered or not"""

    word: ClassVar[str] = "ask"
    klass = "structural"
    invariant: ClassVar[str] = (
        "Only askers pay and only their actions change; no more are answered than there is attention."
    )

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Division):
            return ()
        answer = space.grid(at_most=5)[0]
        return (cls.model_validate({"answer": answer, "capacity": 1, "reliability": "3/4", "price": 1}),)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(self.answer, str) != isinstance(space, Choice) or (
            isinstance(self.answer, str) and not space.contains(self.answer)
        ):
            return f"{self.answer!r} is not one of its actions"
        return super().unfit(mechanism)

    def heard(self, at: Moment, joint: Joint) -> tuple[int, ...]:
        """Those of the askers who are attended to, drawn by lot."""
        assert at.noise is not None, "nobody is asked before all have acted"
        askers = self.delegators(at, joint)
        return tuple(sorted(at.noise.order(askers, f"{at.rule}/attention")[: self.capacity]))

    def consult(self, at: Moment, memory: Any, legal: Joint, agent: int, space: SpaceOf) -> Mapping[str, SpaceOf]:
        return {"action": space} if agent in self.heard(at, legal) else {}

    def transform(self, at: Moment, memory: Any, joint: Joint) -> Joint:
        done: list[Action] = list(joint)
        heard = self.heard(at, joint)
        for seat in self.delegators(at, joint):
            said = self._said(at, seat)[0] if seat in heard else None
            done[seat] = at.mechanism.abstention(at.physical, seat) if said is None else said
        return tuple(done)

    def _said(self, at: Moment, seat: int) -> tuple[Action | None, str]:
        """What one who is attended to is told to do, None for nothing, and by whom."""
        assert at.noise is not None, "as above"
        if seat in at.answers:
            return at.answers[seat]["action"], "the human answers"
        if at.noise.chance(self.reliability, f"{at.rule}/judgement", seat):
            return self.answer, "the rule answers"
        return None, "misjudged"

    def transform_batch(self, at: Moment, memory: Any, acts: Acts) -> Acts:
        assert at.noise is not None, "actions are replaced while the round is played"
        askers = self.delegating(at, acts)
        turns = at.noise.order(range(at.agents), f"{at.rule}/attention")
        heard = np.zeros_like(askers)
        place = np.cumsum(askers[:, turns], axis=1)
        heard[:, turns] = askers[:, turns] & (place <= (at.agents if self.capacity is None else self.capacity))
        seats = range(at.agents)
        said = {seat: self._said(at, seat)[0] for seat in seats}
        heard &= np.array([said[seat] is not None for seat in seats])
        idle = {seat: at.mechanism.abstention(at.physical, seat) for seat in seats}
        told = {seat: action for seat, action in said.items() if action is not None}
        return acts.replaced(askers & ~heard, idle).replaced(heard, told)

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        askers, heard = self.delegators(at, played.legal), self.heard(at, played.legal)
        fates = {seat: self._said(at, seat)[1] if seat in heard else "not attended to" for seat in askers}
        events = tuple(RuleEvent("ask", at.rule, (seat,), fates[seat]) for seat in askers)
        rows = [Transfer(s, None, payable(self, self.price, s, played), at.rule, "price") for s in askers]
        return Paid(tuple(row for row in rows if row.amount), events)

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        due = Column.of([self.price]).only(self.delegating(at, played.legal))
        return -payable_batch(self, due, played.balances) if due.num.any() else None

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return None  # each has a lot of its own in who is heard
