"""A whole played episode, taken apart from its log alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from society.analysis.alignment.accuracy import Accuracy, accuracy
from society.analysis.alignment.alignment import Alignment, Judged, RoundGroup
from society.analysis.alignment.attribution import ORDERS
from society.analysis.alignment.case import Case, Deed, Method, Settings
from society.analysis.alignment.ceilings import ceiling
from society.analysis.alignment.chains import Decomposition, Mode
from society.analysis.alignment.decision import decomposed
from society.analysis.alignment.declared import Claims, read_claims
from society.analysis.alignment.diagnosis import Deviation, GroupGap, PublicWord, deviation
from society.analysis.alignment.horizon import Horizon, Reference
from society.analysis.alignment.luck import Lucks, average_worlds, ex_ante, linear
from society.analysis.alignment.principal import principal_chain
from society.analysis.alignment.rules import Held, batched, decisions_of
from society.analysis.alignment.units import goal_unit, payoff_unit
from society.analysis.alignment.whole import WholeEpisode
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick, one
from society.core.actions import Action, Joint
from society.core.errors import LogCorrupt
from society.core.exact import Number, tidy
from society.core.goals import Goal, GroupWelfare, OwnPayoff
from society.core.policy import Declaration
from society.core.seeds import Noise
from society.episode import Episode, Round
from society.governance.governed import GovernedState

ENUMERATED = 20_000
"""Joint actions tried one by one for a ceiling in each round of an episode; beyond that ceilings are searched."""


def align(
    episode: Episode,
    *,
    mode: Mode | None = None,
    discount: Number = 1,
    attribution: Method = "auto",
    orders: int = ORDERS,
    expected: Lucks | None = None,
    announced: Mapping[tuple[int, int], Action] | None = None,
    objectives: Mapping[int, Goal] | None = None,
    impute: bool = False,
    enumerate_up_to: int = ENUMERATED,
) -> Alignment:
    """The alignment decomposition of every decision of an episode, and of the episode.

    Of a fork only its own rounds are taken apart; those it shares stand in the run it comes from.

    Every agent is judged by its own goal and by the welfare of the group; where its principal wants something else, by that
    as well. Nothing but the events is used: the rules are called again, no model is asked, and the same log always gives
    the same numbers.

    Args:
        episode: what was played; rounds that were not finished are left out.
        mode: myopic, continuation (the default where the mechanism has a state), or episode: whole plans at once, those
            of an agent being what it declared round by round, strung together; luck, public words and principals' chains
            belong to single rounds and are left out.
        discount: weight of the next round.
        attribution: how surprise is attributed; see `decompose`.
        orders: random orders, where shares are sampled.
        expected: for ex-ante chains, with luck as a term of its own: how many fresh lucks to average each round over, or
            ``"exact"``: the expectation, in rounds and under yardsticks where the rules know it. By default the luck of
            the round holds in every counterfactual.
        announced: actions announced in public, by (round, seat), where the log holds only words and somebody has read
            them. They count before those the log holds as such; prose is never read here.
        objectives: the objective each agent states itself, by seat, as somebody has typed it; it parts *inner* from
            *capability* in the principal's chain.
        impute: fill missing predictions with the others' last actions. Such decisions are marked as imputed.
        enumerate_up_to: joint actions tried before a ceiling is searched.

    Raises:
        LogCorrupt: the rules do not give what the log says they gave.
    """
    episode = episode.own
    whole = mode == "episode"
    reader = _Reader(episode, "myopic" if whole else mode, discount, None if whole else expected, objectives or {})
    settings = Settings(attribution=attribution, orders=orders, at_most=enumerate_up_to)
    judged: list[Judged] = []
    groups: list[RoundGroup] = []
    last: Joint | None = None
    tables: list[Table] = []
    for played in episode.rounds:
        if played.settled is None:
            continue
        table = reader.round(played, announced or {}, last if impute else None)
        tables.append(table)
        last = table.joint
        if not whole:
            for agent in range(table.worlds.agents):
                judged.extend(reader.judge(table, agent, settings))
            groups.append(reader.group(table, settings))
    if whole and tables:
        plans = WholeEpisode(
            episode,
            [table.worlds for table in tables],
            [table.joint for table in tables],
            [table.claims for table in tables],
            settings=settings,
            discount=discount,
        )
        for agent in range(len(episode.names)):
            judged.extend(plans.judge(agent))
        groups.append(plans.group())
    return Alignment(
        names=episode.names,
        title=episode.scenario.name,
        unit=payoff_unit(episode.scenario),
        units=tuple(goal_unit(spec.goal, episode.scenario) for spec in episode.scenario.agents),
        rounds_planned=episode.scenario.rounds,
        seed=episode.seed,
        run_id=episode.run_id,
        rounds_played=len(tables),
        mode="episode" if whole else reader.horizon.mode or "myopic",
        discount=discount,
        goals=tuple(spec.goal for spec in episode.scenario.agents),
        stateful=reader.stateful,
        judged=tuple(judged),
        groups=tuple(groups),
        unfinished=episode.status == "unfinished",
        shared=episode.shared,
    )


@dataclass(frozen=True)
class Table:
    """One round, coded once for everybody.

    Attributes:
        number: which round.
        worlds: its simulator.
        joint: what everybody chose, within hard limits.
        row: the same as codes.
        claims, early: what each declared before acting, and before talking.
        average, expected: the simulator in expectation and the declarations in its codes; None where only luck counts.
        stated: the declarations as they are in the log.
        replaced: seats whose executed action is not the one they chose.
        defaulted: seats whose action was not their own.
        announced: what seats had said in public they would do.
    """

    number: int
    worlds: Worlds[GovernedState]
    joint: Joint
    row: Codes
    claims: tuple[Claims, ...]
    average: Worlds[GovernedState] | None
    expected: tuple[Claims, ...]
    early: tuple[Claims | None, ...]
    stated: tuple[Declaration | None, ...]
    replaced: frozenset[int]
    defaulted: frozenset[int]
    announced: Mapping[int, Action]

    @cached_property
    def felt(self) -> Worlds[GovernedState]:
        """The worlds in which payoffs are what motivation makes of them."""
        held = self.worlds.game
        assert isinstance(held, Held), "an episode is played under its rules"
        return self.worlds.under(replace(held, felt=True))


class _Reader:
    """Turns rounds of an episode into decisions that can be taken apart."""

    def __init__(
        self,
        episode: Episode,
        mode: Mode | None,
        discount: Number,
        expected: Lucks | None,
        objectives: Mapping[int, Goal],
    ) -> None:
        self.episode, self.expected, self.objectives = episode, expected, objectives
        self.scenario = episode.scenario
        self.game = episode.game
        self.horizon = Horizon(self.game, self.scenario.rounds, episode.seed, mode, discount)
        self.stateful = Horizon(self.game, self.scenario.rounds, episode.seed).mode == "continuation"

    def round(self, played: Round, announced: Mapping[tuple[int, int], Action], last: Joint | None) -> Table:
        """One round, read and checked against the log."""
        settled = played.settled
        assert settled is not None
        before = self.game.state_from_plain(settled.state_before)
        noise = Noise(self.episode.seed, played.number)
        joint = tuple(played.actions[seat].legal for seat in range(self.game.agents))
        held = Held(self.game, decisions_of(self.game, played, before, joint, noise))
        again = held.step(before, joint, noise)
        if again.payoffs != settled.payoffs or again.executed != settled.executed:
            raise LogCorrupt(
                f"run {self.episode.run_id or '?'}, round {played.number}: the rules pay {list(again.payoffs)}, "
                f"the log says {list(settled.payoffs)}"
            )
        worlds = Worlds(held, before, one(noise))
        average = None if self.expected is None else average_worlds(held, before, noise, self.expected)
        seats = range(self.game.agents)
        in_turn = self.scenario.stages.act.order == "sequential"
        stated = tuple(d.declaration if (d := played.declarations.get(seat)) else None for seat in seats)

        def read(in_worlds: Worlds[GovernedState]) -> tuple[Claims, ...]:
            before_it = [tuple(enumerate(joint[:seat])) if in_turn else () for seat in seats]
            return tuple(
                read_claims(in_worlds, seat, stated[seat], observed=before_it[seat], imputed=last) for seat in seats
            )

        early = tuple(
            read_claims(worlds, seat, d.declaration) if (d := played.early.get(seat)) else None for seat in seats
        )
        return Table(
            number=played.number,
            worlds=worlds,
            joint=joint,
            row=worlds.codes(joint),
            claims=read(worlds),
            average=average,
            expected=() if average is None else read(average),
            early=early,
            stated=stated,
            replaced=frozenset(seat for seat in seats if again.executed[seat] != joint[seat]),
            defaulted=frozenset(seat for seat in seats if played.actions[seat].status == "defaulted"),
            announced={
                **played.announced,
                **{seat: action for (number, seat), action in announced.items() if number == played.number},
            },
        )

    def judge(self, table: Table, agent: int, settings: Settings) -> Iterator[Judged]:
        """One agent's decision under each of its yardsticks."""
        spec = self.scenario.agents[agent]
        own = Deed(
            joint=table.row,
            legal=int(table.row[agent]),
            announced=self._code(table, agent),
            replaced=agent in table.replaced,
        )
        wanted: list[tuple[str, Goal]] = [("goal", spec.goal), ("welfare", GroupWelfare())]
        if spec.principal_goal is not None and spec.principal_goal != spec.goal:
            wanted.append(("principal", spec.principal_goal))
        shared = self._aim("welfare", GroupWelfare(), agent, table)
        lasting = replace(settings, shared=shared, luck=Noise(self.episode.seed, table.number))
        if isinstance(spec.goal, OwnPayoff) and self.game.motivated(table.worlds.state, agent):
            wanted.append(("felt", spec.goal))
        for name, goal in wanted:
            measure, reference = self.horizon.yardstick(name, goal, agent, table.number, table.worlds.state)
            feels = name == "felt"
            worlds = table.felt if feels else table.worlds
            case = Case(worlds, agent, measure, settings if feels else lasting)
            same_units = goal == spec.goal and not feels
            claims = self._in_units(case, table.claims[agent], same_units)
            ex_ante_ = None if feels else self._expected(table, case, own, same_units)
            found = ex_ante_ or decomposed(case, claims, own)
            if name == "principal":
                stated = self.objectives.get(agent)
                chain = principal_chain(
                    case,
                    claims,
                    own,
                    goal=self._aim("goal", spec.goal, agent, table),
                    stated=None if stated is None else self._aim("stated", stated, agent, table),
                )
                found = replace(found, principal=chain)
            yield Judged(
                round=table.number,
                agent=agent,
                gap=found,
                slack=None if feels else self._slack(measure, goal, agent, table, found.W0),
                earned=worlds.at(table.row, Yardstick(name, goal), agent),
                start=None if feels else self._start(goal, agent, table),
                reference=reference,
                defaulted=agent in table.defaulted,
                accuracy=self._accuracy(table, agent) if name == "goal" else None,
                word=self._word(table, agent) if name == "goal" else None,
                talking=self._talking(case, table.early[agent], found.W2),
            )

    def _expected(self, table: Table, case: Case[GovernedState], deed: Deed, same_units: bool) -> Decomposition | None:
        """The ex-ante decomposition, or None where only the luck of the round counts."""
        average, agent = table.average, case.agent
        if average is None or (self.expected == "exact" and not linear(case.yardstick.goal)):
            return None
        before = Case(average, agent, case.yardstick, case.settings)
        word = table.announced.get(agent)
        again = replace(
            deed,
            joint=average.codes(table.joint),
            legal=average.code(agent, table.joint[agent]),
            announced=None if word is None else average.code(agent, word),
        )
        claims = self._in_units(before, table.expected[agent], same_units)
        return ex_ante(before, claims, again, case.score(table.row), drawn=self.expected != "exact")

    def _aim(self, name: str, goal: Goal, agent: int, table: Table) -> Yardstick:
        return self.horizon.yardstick(name, goal, agent, table.number, table.worlds.state)[0]

    def _in_units(self, case: Case[GovernedState], claims: Claims, same_units: bool) -> Claims:
        """Forecasts are stated for one round in units of the goal: nothing to another yardstick, and without what follows.

        With a reference value a forecast is completed by the value its own plan leads to under its own beliefs, so that
        model error stays about the round it was made for.
        """
        if not same_units:
            return replace(claims, forecast=None, desired=None)
        if case.yardstick.value is None:
            return claims
        if claims.forecast is None or not claims.beliefs or claims.intended is None:
            return replace(claims, forecast=None, desired=None)
        alone = Case(case.worlds, case.agent, Yardstick("goal", case.yardstick.goal), case.settings)
        plan = case.against(claims.beliefs, claims.intended) - alone.against(claims.beliefs, claims.intended)
        return replace(claims, forecast=tidy(claims.forecast + plan), desired=None)

    def _start(self, goal: Goal, agent: int, table: Table) -> Number | None:
        if self.horizon.mode == "myopic":
            return None
        return self.horizon.value(goal, agent, table.number)[0](table.worlds.state)

    def _slack(self, measure: Yardstick, goal: Goal, agent: int, table: Table, top: Number) -> Number | None:
        start = self._start(goal, agent, table)
        return None if start is None or measure.value is None else tidy(start - top)

    def _code(self, table: Table, agent: int) -> int | None:
        word = table.announced.get(agent)
        return None if word is None else table.worlds.code(agent, word)

    def _talking(self, case: Case[GovernedState], early: Claims | None, last: Number | None) -> Number | None:
        """What talking did to the value of the plan: W2 of the last declaration minus W2 of the one before talking."""
        if early is None or last is None or early.intended is None or not early.beliefs:
            return None
        return tidy(last - case.against(early.beliefs, early.intended))

    def _accuracy(self, table: Table, agent: int) -> Accuracy | None:
        claims = table.claims[agent]
        beliefs: list[tuple[Number, Sequence[Action | None]]] = [
            (probability, [None if s == agent else table.worlds.action(s, int(code)) for s, code in enumerate(row)])
            for probability, row in claims.beliefs
        ]
        stated = table.stated[agent]
        if not beliefs and stated is not None and stated.predicted is not None:
            profile: list[Action | None] = list(stated.predicted)
            profile.insert(agent, None)
            beliefs = [(1, profile)]
        return accuracy(agent, beliefs, table.joint) if beliefs else None

    def _word(self, table: Table, agent: int) -> PublicWord | None:
        if agent not in table.announced:
            return None
        stated = table.stated[agent]
        return PublicWord(
            announced=table.announced[agent],
            intended=None if stated is None else stated.intended,
            done=table.joint[agent],
            deviation=self._deviation(table, agent),
        )

    def _deviation(self, table: Table, agent: int) -> Deviation | None:
        """What breaking its word changed, the others doing what they had announced; None where it kept it."""
        if table.announced[agent] == table.joint[agent]:
            return None
        worlds = table.worlds
        kept = np.stack([table.row, table.row])
        for seat, word in table.announced.items():
            kept[:, seat] = worlds.code(seat, word)
        kept[1, agent] = table.row[agent]
        changes = []
        reference: Reference = "none"
        for name, goal in (("own", OwnPayoff()), ("welfare", GroupWelfare())):
            measure, reference = self.horizon.shared(name, goal, agent, table.number)
            scores = worlds.score(kept, measure, agent)
            changes.append(scores[1] - scores[0])
        everybody = all(seat in table.announced for seat in range(worlds.agents))
        return deviation(changes[0], changes[1], all_announced=everybody, reference=reference)

    def group(self, table: Table, settings: Settings) -> RoundGroup:
        """The gap of the whole group in one round, under own payoff."""
        worlds, agents = table.worlds, range(table.worlds.agents)
        tops = []
        realised: Number = 0
        for agent in agents:
            own, _ = self.horizon.yardstick("own", OwnPayoff(), agent, table.number, worlds.state)
            tops.append(ceiling(worlds, own, agent, at_most=settings.at_most))
        shared, _ = self.horizon.yardstick("welfare", GroupWelfare(), 0, table.number, worlds.state)
        best = ceiling(worlds, shared, 0, at_most=settings.at_most)
        realised = worlds.at(table.row, shared, 0)
        top = best.value if best.exact else max(best.value, realised)
        return RoundGroup(
            round=table.number,
            gap=GroupGap(
                conflict=tidy(sum(bound.value for bound in tops) - top),
                loss=tidy(top - realised),
                exact=best.exact and all(bound.exact for bound in tops),
            ),
            batched=batched(worlds.game),
        )
