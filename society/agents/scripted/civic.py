"""A citizen: one who uses the institutions there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from society.agents.scripted.script import SCRIPTS, Script, Sight, defected
from society.core.actions import Action, Amount, Choice
from society.core.exact import Exact
from society.core.mechanism import SpaceOf
from society.core.moves import MOST_MOVES, Move, Offer
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
        found: list[Move] = []
        for offer in question.offers:
            if offer.kind in ("sign", "accept", "join"):
                found += [Move(offer.kind, offer.rule, target=target) for target in offer.targets]
            elif offer.kind == "vote":
                found += [Move("vote", offer.rule, target=target, choice="yes") for target in offer.targets]
            elif offer.kind == "propose" and at.agent == 0 and not self._agreed(at, offer):
                terms = tuple((name, self._term(at, name, space)) for name, space in offer.terms.items())
                found.append(Move("propose", offer.rule, members=offer.seats, terms=terms))
            elif offer.kind == "motion" and at.agent == 0:
                waiting = tuple((name, "yes") for name in offer.terms if name in self._out_of_force(at))
                moved = at.standing is not None and any(m.terms == waiting for m in at.standing.ledger.open_motions)
                found += [] if moved else [Move("motion", offer.rule, terms=waiting)] if waiting else []
        return tuple(found[:MOST_MOVES])

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

    def _term(self, at: Sight, name: str, space: SpaceOf) -> Action:
        if name != "penalty":
            return space.nearest(at.poles[0]) or space.grid(at_most=2)[0]
        assert isinstance(space, Amount), "a penalty is an amount"
        return space.high if self.penalty is None else min(self.penalty, space.high)

    def _agreed(self, at: Sight, offer: Offer) -> bool:
        """Whether an agreement under this rule binds it, or waits for others."""
        ledger = at.standing.ledger if at.standing is not None else None
        return ledger is not None and any(
            at.agent in proposal.accepted for proposal in ledger.under(offer.rule, "open", "in_force")
        )

    def _out_of_force(self, at: Sight) -> frozenset[str]:
        standings = at.standing.standings if at.standing is not None else ()
        return frozenset(f"{standing.rule}.in_force" for standing in standings if not standing.in_force)
