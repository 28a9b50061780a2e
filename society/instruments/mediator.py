"""A mediator plays for those who ask it to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Amount, Choice, Division, Joint
from society.core.acts import Acts
from society.core.arrays import np
from society.core.exact import Exact
from society.core.instrument import Moment
from society.core.mechanism import Mechanism
from society.instruments.delegation import Delegation


class Mediator(Delegation):
    """Agents may hand their action to a mediator, whose play depends on how many do [MondererTennenholtz2009]_.

    `plan` says what it plays for each delegator from a number of delegators on. In the prisoner's dilemma, C for two and D
    for one makes delegating an equilibrium with the payoffs of cooperation, and (D, D) remains one. Where actions are words,
    ``delegate`` is one more of them; where they are amounts, delegating is a move during talk, for this round.
    """

    kind: Literal["mediator"] = "mediator"
    source = ("MondererTennenholtz2009",)
    plan: tuple[tuple[int, Exact | str], ...] = Field(((1, 0),), min_length=1)
    """pairs: from this many delegators on, this action is played for each of them"""

    klass = "structural"
    invariant: ClassVar[str] = "It changes no payoff, and no action of anybody who did not delegate."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Division):
            return ()
        grid = space.grid(at_most=5) if isinstance(space, Amount) else space.grid()
        return (cls.model_validate({"plan": [(1, grid[0]), (2, grid[-1])]}),)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        for _, action in self.plan:
            if isinstance(action, str) != isinstance(space, Choice) or (
                isinstance(action, str) and not space.contains(action)
            ):
                return f"{action!r} is not one of its actions"
        return super().unfit(mechanism)

    def transform(self, at: Moment, memory: Any, joint: Joint) -> Joint:
        group = self.delegators(at, joint)
        action = self.planned(len(group))
        if action is None:
            return joint
        return tuple(action if seat in group else own for seat, own in enumerate(joint))

    def transform_batch(self, at: Moment, memory: Any, acts: Acts) -> Acts:
        group = self.delegating(at, acts)
        counts = group.sum(axis=1)
        for count in np.unique(counts).tolist():
            action = self.planned(count)
            if action is not None:
                acts = acts.replaced(group & (counts == count)[:, None], dict.fromkeys(range(at.agents), action))
        return acts

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return (agent, at.rule, None) in at.ledger.delegated

    def planned(self, delegators: int) -> Action | None:
        """What is played for each of so many delegators; None where the plan begins later."""
        reached = [(least, action) for least, action in self.plan if least <= delegators]
        action: int | Fraction | str | None = max(reached, key=lambda step: step[0])[1] if reached else None
        return action
