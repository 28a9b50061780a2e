"""What an agent can expect of a joint action under rules that are enforced by chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from society.core.actions import Joint
from society.core.exact import Number, tidy
from society.core.seeds import Entity, Noise
from society.governance.governed import Governed

_FATES = ("/detect", "/execute")


@dataclass(frozen=True, slots=True)
class _Fated(Noise):
    """Luck in which the fates of one agent's own violations are written: noticed or not, sanctioned or not.

    Attributes:
        agent: whose fates.
        written: the first outcomes; further ones happen, and are noted with their probability in `met`.
    """

    agent: int = 0
    written: tuple[bool, ...] = ()
    met: list[tuple[bool, Number]] = field(default_factory=list)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Only itself: what has been met belongs to one play, which nothing may take for another."""
        return self is other

    def chance(self, probability: Number, purpose: str, entity: Entity = "") -> bool:
        own = entity[0] if isinstance(entity, tuple) else entity
        if not purpose.endswith(_FATES) or own != self.agent or not 0 < probability < 1:
            return Noise.chance(self, probability, purpose, entity)
        place = len(self.met)
        outcome = self.written[place] if place < len(self.written) else True
        self.met.append((outcome, probability if outcome else 1 - probability))
        return outcome


def expected_payoff(
    game: Governed, state: Any, joint: Joint, agent: int, *, elsewhere: Noise
) -> Number:  # Any: a state
    """What the agent makes of its payoff in this round, in expectation over being caught and over being sanctioned.

    All other luck is that of `elsewhere`.
    """
    total: Number = 0
    waiting: list[tuple[bool, ...]] = [()]
    while waiting:
        written = waiting.pop()
        luck = _Fated(elsewhere.seed, elsewhere.round, elsewhere.draw, agent, written)
        felt = game.step(state, joint, luck).felt[agent]
        weight: Number = 1
        for _, probability in luck.met:
            weight *= probability
        total += weight * felt
        so_far = tuple(outcome for outcome, _ in luck.met)
        waiting += [(*so_far[:place], False) for place in range(len(written), len(so_far))]
    return tidy(total)
