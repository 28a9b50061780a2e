"""An agent that learnt the game by itself, before the first round and without a word."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import PrivateAttr

from society.agents.scripted import Script
from society.agents.scripted.script import Sight
from society.core.actions import Action
from society.core.goals import Goal
from society.core.mechanism import Mechanism
from society.governance.governed import Governed
from society.rulers import Learnt, Schooling, learn
from society.scenario.model import LearnedPolicy, Scenario

Law = Mechanism[Any] | Governed  # Any: each mechanism has its own type of state


class Learner(Script):
    """Does what its table holds best, and expects the others who learnt beside it to do what theirs hold best."""

    kind: str
    _learnt: Learnt[Any] = PrivateAttr()  # Any: as above

    @classmethod
    def of(cls, scenario: Scenario, policy: LearnedPolicy, seed: int) -> Learner:
        """The learner of a scenario, after its lessons."""
        learner = cls(kind="learned")
        law: Law = scenario.mechanism
        if scenario.instruments:
            law = Governed(scenario.mechanism, scenario.instruments, scenario.names)
        how = Schooling(policy.steps, float(policy.rate), float(policy.discount), scenario.rounds)
        learner._learnt = _taught(law, how, seed, tuple(spec.goal for spec in scenario.agents))
        return learner

    def act(self, at: Sight) -> Action:
        return self._learnt.action(at.law[1], at.agent)

    def expects(self, at: Sight) -> tuple[Action | None, ...]:
        seats = range(at.game.agents)
        return tuple(self._learnt.action(at.law[1], seat) for seat in seats if seat != at.agent)


@lru_cache(maxsize=8)
def _taught(law: Law, how: Schooling, seed: int, goals: tuple[Goal, ...]) -> Learnt[Any]:
    """One lesson for all learned seats of a run: they learn together."""
    return Learnt(law, learn(law, [seed], how, goals=goals).lessons[0])
