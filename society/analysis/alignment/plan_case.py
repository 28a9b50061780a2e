"""The chain of a whole plan: the stage values with plans in the place of actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from society.analysis.alignment.case import Case
from society.analysis.alignment.ceilings import ceiling
from society.analysis.alignment.chains import Mode
from society.analysis.alignment.plans import Plan, Plans
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick, one
from society.core.actions import Action, Joint
from society.core.columns import Column
from society.core.exact import Number, tidy
from society.core.goals import Goal, GroupWelfare, OwnPayoff
from society.core.mechanism import Bound, Mechanism, SpaceOf
from society.core.seeds import Noise


class PlanSpace:
    """Every plan is allowed: what is not possible in a round becomes the nearest possible action there."""

    def contains(self, _: object) -> bool:
        return True

    def grid(self, at_most: int | None = None) -> tuple[Action, ...]:
        raise ValueError("plans are not listed")


class PlanWorlds(Worlds[Any]):
    """Joint plans in the place of joint actions. Codes are places in a table; scores are those of whole episodes."""

    def __init__(self, plans: Plans) -> None:
        super().__init__(plans.games[0], plans.state, one(Noise(plans.seed, plans.first)))
        self.plans = plans
        self.spaces = cast("tuple[SpaceOf, ...]", (PlanSpace(),) * self.agents)
        self._known: dict[tuple[bytes, Goal, int], Number] = {}

    def score(self, codes: Codes, yardstick: Yardstick, agent: int) -> Column:
        return Column.of([self._score(row, yardstick.goal, agent) for row in codes])

    def _score(self, row: Codes, goal: Goal, agent: int) -> Number:
        key = (row.tobytes(), goal, agent)
        if key not in self._known:
            self._known[key] = self.plans.score(cast("Sequence[Plan]", self.joint(row)), goal, agent)
        return self._known[key]


@dataclass(frozen=True)
class PlanCase(Case[Any]):
    """One agent's whole plan, and what it is judged by.

    Attributes:
        optimal: the best value of the first state, and of the state each further round finds, where that is known.
    """

    optimal: tuple[Callable[[Any], Number], ...] = ()

    @property
    def plans(self) -> Plans:
        return cast("PlanWorlds", self.worlds).plans

    @property
    def mode(self) -> Mode:
        return "episode"

    def reply(
        self, beliefs: tuple[tuple[Number, Codes], ...], also: tuple[int, ...] = (), *, beside: bool = True
    ) -> tuple[Number, list[int], bool]:
        candidates = set(also)
        exact = False
        if len(beliefs) == 1:
            row = beliefs[0][1].copy()
            row[self.agent] = min(candidates, default=row[self.agent])  # the own place of a belief means nothing
            joint = cast("Sequence[Plan]", self.worlds.joint(row))
            found = self.plans.best(joint, self.agent, self.yardstick.goal, self.agent, beside=beside)
            if found is not None:
                candidates.add(self.worlds.code(self.agent, cast("Action", found[1])))
                exact = found[2]
        scores = {code: self.against(beliefs, code) for code in sorted(candidates)}
        best = max(scores.values())
        return best, [code for code, score in scores.items() if score == best], exact

    def top(self) -> Bound:
        """The optimum of the mechanism where plans reach it; else the best of what each seat in turn can change."""
        shared = isinstance(self.yardstick.goal, GroupWelfare)
        key = ("best plans", self.yardstick.goal, None if shared else self.agent)
        if key not in self.worlds.memo:
            self.worlds.memo[key] = self._optimum() or self._climbed()
        found: Bound = self.worlds.memo[key]
        return found

    def _optimum(self) -> Bound | None:
        plans, state = self.plans, self.plans.state
        if not self.optimal or plans.discount != 1:
            return None
        total: Number = 0
        taken: list[Joint] = []
        for place, game in enumerate(plans.games):
            if game.over(state):
                break
            noise = Noise(plans.seed, plans.first + place)
            measure = Yardstick("", self.yardstick.goal, self.optimal[place + 1], 1, self.optimal[place](state))
            bound = ceiling(Worlds(game, state, one(noise)), measure, self.agent, at_most=self.settings.at_most)
            if not bound.exact or bound.profile is None:
                return None
            step = game.step(state, bound.profile, noise)
            total += self.yardstick.goal.utility(step, self.agent)
            taken.append(bound.profile)
            state = step.state
        if total != self.optimal[0](plans.state):
            return None
        rest = len(plans.games) - len(taken)
        profile = tuple(
            tuple(joint[seat] for joint in taken) + (taken[-1][seat],) * rest for seat in range(plans.agents)
        )
        return Bound(tidy(total), cast("Joint", profile), True, "dynamic programme of the mechanism")

    def _climbed(self) -> Bound:
        plans, goal = self.plans, self.yardstick.goal
        game, state = plans.games[0], plans.state
        joint: list[Plan] = [(game.space(state, s).grid(2)[0],) * len(plans.games) for s in range(plans.agents)]
        best = plans.score(joint, goal, self.agent)
        for seat in [self.agent, *(s for s in range(plans.agents) if s != self.agent), self.agent]:
            found = plans.best(joint, seat, goal, self.agent)
            if found is not None and found[0] > best:
                best, joint[seat] = found[0], found[1]
        return Bound(best, cast("Joint", tuple(joint)), False, "search through plans, each seat in turn")

    def bottom(self) -> Bound | None:
        return None

    def cooperation(self) -> Number | None:
        return None


def known_values(plans: Plans, goal: Goal, agent: int) -> tuple[Callable[[Any], Number], ...]:
    """The mechanism's optimal value from each round on; empty where it knows none for this goal."""
    mechanism = plans.games[0]
    if not isinstance(mechanism, Mechanism) or not isinstance(goal, (OwnPayoff, GroupWelfare)):
        return ()
    whose = agent if isinstance(goal, OwnPayoff) else None
    values = [mechanism.known_value(left, whose) for left in range(len(plans.games), 0, -1)]
    return () if any(value is None for value in values) else (*(v for v in values if v is not None), lambda _: 0)
