"""What independent learners come to: agents that know nothing, say nothing, and keep a table of what paid.

The baseline of multi-agent learning [SandholmCrites1996]_, [ClausBoutilier1998]_: every agent runs its own tabular Q-learning
[Watkins1992]_ and takes the others for weather. What they fail at is what talk, models of each other or rules have to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from society.core.actions import Action
from society.core.errors import BadInput
from society.core.goals import Goal, OwnPayoff
from society.core.mechanism import Game, legalise
from society.rulers.lessons import Lesson, Lessons, Schooling
from society.rulers.school import School, Sight

S = TypeVar("S")


def learn(
    game: Game[S], seeds: Iterable[int], schooling: Schooling | None = None, *, goals: Sequence[Goal] | None = None
) -> Lessons:
    """Let independent Q-learners play the game against each other, one group for each seed.

    Groups learn side by side, all of them in one array; what a group learns does not depend on which others there are.

    Args:
        game: a mechanism, bare or under instruments; all its agents learn.
        seeds: the luck of each group.
        schooling: how they learn.
        goals: whose utilities are learnt from, one per agent; own payoffs if None.

    Raises:
        BadInput: the actions cannot be listed, or are others in later rounds (proposals and votes); fewer than two points.
    """
    how = schooling or Schooling()
    if how.points < 2:
        raise BadInput(f"learners need at least two points of an amount to choose from, not {how.points}")
    if goals is not None and all(isinstance(goal, OwnPayoff) for goal in goals):
        goals = None
    return Lessons(School(game, tuple(seeds), how, goals).learn(), how.steps)


class Learnt(Generic[S]):
    """What a seat does after a lesson.

    Args:
        game: what was learnt.
        lesson: what came of it.
    """

    def __init__(self, game: Game[S], lesson: Lesson) -> None:
        self.lesson = lesson
        self._sight = Sight(game, lesson.tables.shape[-1])
        self._game = game

    def action(self, state: S, agent: int) -> Action:
        """The best action of an agent in a state, by what it learnt; the nearest allowed one where that is not allowed now."""
        place = int(self.lesson.tables[agent, self._sight.situation(state)].argmax())
        return legalise(self._game.space(state, agent), self._sight.grids[agent][place])
