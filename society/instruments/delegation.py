"""Handing one's action over: by a word among the actions, or by a move during talk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from society.core.actions import Amount, Choice, Division, Joint
from society.core.acts import Acts, Mask
from society.core.exact import Json
from society.core.instrument import Instrument, Moment
from society.core.mechanism import Mechanism, SpaceOf
from society.core.moves import Offer


class Delegation(Instrument):
    """An instrument to which agents can hand over their action of this round.

    Where actions are words, `word` is one more of them; where they are amounts, it is a move during talk.
    """

    word: ClassVar[str] = "delegate"

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Division):
            return "its actions are divisions"
        if isinstance(space, Choice) and self.word in space.options:
            return f"it has an action {self.word!r} of its own"
        return None

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        handed_over = (agent, at.rule, None) in at.ledger.delegated
        if isinstance(at.mechanism.space(at.physical, agent), Amount) and not handed_over:
            return (Offer("delegate", at.rule),)
        return ()

    def widen(self, at: Moment, memory: Any, agent: int, space: SpaceOf) -> SpaceOf:
        return self.widened(space)

    def widened(self, space: SpaceOf) -> SpaceOf:
        """The space with the word for handing over, where actions are words."""
        if isinstance(space, Choice) and self.word not in space.options:
            return space.model_copy(update={"options": (*space.options, self.word)})
        return space

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        return {"handed_over": (agent, at.rule) in {entry[:2] for entry in at.ledger.delegated}}

    def delegators(self, at: Moment, joint: Joint) -> tuple[int, ...]:
        """Those who handed over their action."""
        asked = {seat for seat, rule, _ in at.ledger.delegated if rule == at.rule}
        return tuple(seat for seat in at.seats if seat in asked or joint[seat] == self.word)

    def delegating(self, at: Moment, acts: Acts) -> Mask:
        """`delegators`, row by row."""
        asked = {seat for seat, rule, _ in at.ledger.delegated if rule == at.rule} & set(at.seats)
        return acts.where(
            (at.rule, "delegates"),
            lambda seat, action: seat in asked or (seat in at.seats and action == self.word),
        )
