"""A played episode taken apart once, as whole plans: the mode *episode*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from society.analysis.alignment.alignment import Judged, RoundGroup
from society.analysis.alignment.case import Deed, Settings
from society.analysis.alignment.decision import decomposed
from society.analysis.alignment.declared import Claims, read_claims
from society.analysis.alignment.diagnosis import GroupGap
from society.analysis.alignment.plan_case import PlanCase, PlanWorlds, known_values
from society.analysis.alignment.plans import Plans
from society.analysis.alignment.rules import bare
from society.analysis.alignment.worlds import Worlds, Yardstick
from society.core.actions import Action
from society.core.exact import Number, tidy
from society.core.goals import Goal, GroupWelfare, OwnPayoff
from society.core.policy import Declaration
from society.episode import Episode


class WholeEpisode:
    """One episode as one joint plan. An agent's declared plan is what it declared round by round, strung together.

    Args:
        episode: what was played.
        worlds: the simulator of each finished round.
        joints: what everybody chose in each.
        claims: what each agent declared, round by round.
        settings: how it is computed.
        discount: weight of each next round.
    """

    def __init__(
        self,
        episode: Episode,
        worlds: Sequence[Worlds[Any]],
        joints: Sequence[Sequence[Action]],
        claims: Sequence[Sequence[Claims]],
        *,
        settings: Settings,
        discount: Number,
    ) -> None:
        self.scenario, self.settings, self.claims, self.rounds = episode.scenario, settings, claims, list(worlds)
        rules = [bare(one.game, one.state) for one in worlds]
        bared = [mechanism for mechanism, _ in (rule for rule in rules if rule is not None)]
        free = len(bared) == len(worlds)  # without instruments the mechanism alone is the simulator, and is batched
        state = rules[0][1] if free and rules[0] is not None else worlds[0].state
        games = tuple(bared) if free else tuple(one.game for one in worlds)
        self.plans = Plans(games, state, episode.seed, episode.rounds[0].number, discount)
        self.agents = range(self.plans.agents)
        self.actual = tuple(tuple(joint[seat] for joint in joints) for seat in self.agents)
        self.worlds = PlanWorlds(self.plans)

    def judge(self, agent: int) -> list[Judged]:
        """One agent's whole plan under each of its yardsticks."""
        spec = self.scenario.agents[agent]
        wanted: list[tuple[str, Goal]] = [("goal", spec.goal), ("welfare", GroupWelfare())]
        if spec.principal_goal is not None and spec.principal_goal != spec.goal:
            wanted.append(("principal", spec.principal_goal))
        said = self._declared(agent)
        deed = Deed(self.worlds.codes(cast("Sequence[Action]", self.actual)))
        found = []
        for name, goal in wanted:
            stated = said if goal == spec.goal else Declaration(said.intended, said.predicted)
            case = self._case(name, goal, agent)
            gap = decomposed(case, read_claims(self.worlds, agent, stated), deed)
            found.append(Judged(0, agent, gap, None, gap.W4, None, "none", defaulted=False))
        return found

    def group(self) -> RoundGroup:
        """The gap of the whole group over the episode, under own payoff."""
        tops = [self._case("own", OwnPayoff(), agent).top() for agent in self.agents]
        best = self._case("welfare", GroupWelfare(), 0).top()
        realised = self.plans.score(self.actual, GroupWelfare(), 0)
        top = best.value if best.exact else max(best.value, realised)
        exact = best.exact and all(bound.exact for bound in tops)
        return RoundGroup(
            0, GroupGap(tidy(sum(bound.value for bound in tops) - top), tidy(top - realised), exact), True
        )

    def _case(self, name: str, goal: Goal, agent: int) -> PlanCase:
        optimal = known_values(self.plans, goal, agent)
        return PlanCase(self.worlds, agent, Yardstick(name, goal), self.settings, optimal)

    def _declared(self, agent: int) -> Declaration:
        """The declarations of all rounds as one; what was not stated in every round was not stated."""
        claims = [of_round[agent] for of_round in self.claims]
        intended = [one.intended for one in claims]
        predicted = [one.beliefs[0][1] if len(one.beliefs) == 1 else None for one in claims]
        forecasts = [one.forecast for one in claims]
        plan: Any = None  # Any: plans stand where actions do
        others: Any = None  # Any: as above
        if all(code is not None for code in intended):
            plan = tuple(
                w.action(agent, code) for w, code in zip(self.rounds, intended, strict=True) if code is not None
            )
        if all(row is not None for row in predicted):
            rows = [row for row in predicted if row is not None]
            others = tuple(
                tuple(w.action(seat, int(row[seat])) for w, row in zip(self.rounds, rows, strict=True))
                for seat in self.agents
                if seat != agent
            )
        stated = [
            self.plans.discount**place * forecast for place, forecast in enumerate(forecasts) if forecast is not None
        ]
        return Declaration(plan, others, forecast=tidy(sum(stated)) if len(stated) == len(forecasts) else None)
