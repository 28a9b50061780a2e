"""A citizen: one who uses the institutions there are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from pydantic import Field

from society.agents.citizenship import civil_moves, civil_term
from society.agents.scripted.script import SCRIPTS, Script, Sight, defected
from society.core.actions import Action, Amount, Choice
from society.core.exact import Exact
from society.core.mechanism import SpaceOf
from society.core.moves import Move
from society.core.policy import Decide, Speak


class Civic(Script):
    """Acts as another script, and does its part in every institution that serves the group.

    It signs and accepts what is proposed to it, and votes yes. The first agent proposes one agreement with all the others,
    to cooperate at the largest penalty there is, and moves to bring rules into force that are not. Those who were seen to
    defect get `points` of disapproval. It joins what can be joined, and asks nobody to decide for it.
    """

    kind: Literal["civic"] = "civic"
    acts: str = "best_reply"
    """the script whose actions it takes, with the defaults of that"""
    points: int = Field(2, ge=0)
    """points of disapproval for each agent that was seen to defect"""
    penalty: Exact | None = Field(None, ge=0)
    """the penalty it writes into a contract; null: the largest that is allowed"""

    def act(self, at: Sight) -> Action:
        return self._other.act(at)

    def expects(self, at: Sight) -> tuple[Action | None, ...] | None:
        return self._other.expects(at)

    def moves(self, at: Sight, question: Speak) -> tuple[Move, ...]:
        return civil_moves(question.offers, at.agent, at.standing, partial(self._term, at))

    def decide(self, at: Sight, question: Decide) -> Mapping[str, Action]:
        abstained = super().decide(at, question)
        return {name: self._decided(at, question, name, space, abstained) for name, space in question.parts.items()}

    @property
    def _other(self) -> Script:
        return SCRIPTS.parse({"kind": self.acts})

    def _decided(
        self, at: Sight, question: Decide, name: str, space: SpaceOf, abstained: Mapping[str, Action]
    ) -> Action:
        if isinstance(space, Choice):
            return next((word for word in ("yes", "join") if word in space.options), abstained[name])
        names = at.seen.names
        if not isinstance(space, Amount) or name not in names or question.so_far is None:
            return abstained[name]
        done = question.so_far.requested[names.index(name)]
        guilty = done is not None and defected(done, at.game.poles(at.state))
        return (space.nearest(self.points) or 0) if guilty else abstained[name]

    def _term(self, at: Sight, name: str, space: SpaceOf) -> Action | None:
        return civil_term(name, space, at.poles[0], self.penalty)
