"""A voter who looks one round ahead."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from society.agents.scripted.script import Script, Sight
from society.agents.scripted.sequence import written
from society.core.actions import Action, Choice


class MyopicVoter(Script):
    """Votes yes iff what it gets in this round is no less if the proposal passes than if it does not.

    It finds both by calling the rules with everybody else for it and everybody else against it. Where it may propose
    something, it hands in `proposal`, or nothing.
    """

    kind: Literal["myopic_voter"] = "myopic_voter"
    proposal: JsonValue = None
    """a motion's name or a division of the pie; null: it proposes nothing"""

    def act(self, at: Sight) -> Action:
        if not isinstance(at.space, Choice) or "yes" not in at.space.options:
            fallback = at.game.abstention(at.state, at.agent)
            return fallback if self.proposal is None else written(self.proposal, at.space)
        if "no" not in at.space.options:
            return "yes"
        return "yes" if self._gets(at, "yes") >= self._gets(at, "no") else "no"

    def _gets(self, at: Sight, word: str) -> float:
        spaces = [at.game.space(at.state, seat) for seat in range(at.game.agents)]
        joint = tuple(word if space.contains(word) else space.grid()[0] for space in spaces)
        return float(at.game.step(at.state, joint, at.noise.other(1)).payoffs[at.agent])
