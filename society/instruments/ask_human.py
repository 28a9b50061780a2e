"""Asking a human, whose attention is short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from society.core.actions import Action, Choice, Division, Joint
from society.core.acts import Acts, PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact
from society.core.instrument import Moment, Paid, Played
from society.core.mechanism import Mechanism
from society.core.rows import RuleEvent, Transfer
from society.core.seeds import Noise
from society.instruments.delegation import Delegation
from society.instruments.fines import payable, payable_batch


class AskHuman(Delegation):
    """Instead of deciding itself, an agent can ask a human, at a price.

    Of those who ask, at most `capacity` are answered, drawn by lot; the others do nothing this round, and so do those whom
    the human misjudges. Attention is then itself a commons: each further asker makes an answer less likely for all.
    """

    kind: Literal["ask_human"] = "ask_human"
    answer: Exact | str = 0
    """what the human says to do"""
    capacity: int | None = Field(None, ge=0)
    """how many are answered in a round; null: all"""
    reliability: Exact = Field(1, ge=0, le=1)
    """probability that the human judges rightly; otherwise the asker does nothing"""
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

    def answered(self, askers: Sequence[int], noise: Noise, rule: str) -> tuple[int, ...]:
        """Those of the askers whom the human attends to and judges rightly."""
        heard = noise.order(askers, f"{rule}/attention")[: len(askers) if self.capacity is None else self.capacity]
        return tuple(sorted(s for s in heard if noise.chance(self.reliability, f"{rule}/judgement", s)))

    def transform(self, at: Moment, memory: Any, joint: Joint) -> Joint:
        assert at.noise is not None, "actions are replaced while the round is played"
        askers = self.delegators(at, joint)
        heard = self.answered(askers, at.noise, at.rule)
        done: list[Action] = list(joint)
        for seat in askers:
            done[seat] = self.answer if seat in heard else at.mechanism.abstention(at.physical, seat)
        return tuple(done)

    def transform_batch(self, at: Moment, memory: Any, acts: Acts) -> Acts:
        assert at.noise is not None, "actions are replaced while the round is played"
        askers = self.delegating(at, acts)
        turns = at.noise.order(range(at.agents), f"{at.rule}/attention")
        heard = np.zeros_like(askers)
        place = np.cumsum(askers[:, turns], axis=1)
        heard[:, turns] = askers[:, turns] & (place <= (at.agents if self.capacity is None else self.capacity))
        right = [at.noise.chance(self.reliability, f"{at.rule}/judgement", seat) for seat in range(at.agents)]
        heard &= np.array(right)
        seats = range(at.agents)
        idle = {seat: at.mechanism.abstention(at.physical, seat) for seat in seats}
        return acts.replaced(askers & ~heard, idle).replaced(heard, dict.fromkeys(seats, self.answer))

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        askers = self.delegators(at, played.legal)
        events = tuple(RuleEvent("ask", at.rule, (seat,)) for seat in askers)
        rows = [Transfer(s, None, payable(self, self.price, s, played), at.rule, "price") for s in askers]
        return Paid(tuple(row for row in rows if row.amount), events)

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        due = Column.of([self.price]).only(self.delegating(at, played.legal))
        return -payable_batch(self, due, played.balances) if due.num.any() else None
