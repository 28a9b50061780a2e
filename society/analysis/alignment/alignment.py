"""The alignment of an episode: every decision's terms, their sums, and whose behaviour they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from html import escape
from typing import Any, Literal

from society.analysis.alignment.accuracy import Accuracy
from society.analysis.alignment.chains import UNATTRIBUTED, Decomposition, Mode
from society.analysis.alignment.diagnosis import SMALL, Diagnosis, GroupGap, PublicWord, diagnose
from society.analysis.alignment.horizon import Reference
from society.analysis.alignment.orders import Interaction, interaction, over
from society.core.errors import BadInput, MissingExtra
from society.core.exact import Number, tidy
from society.core.goals import Goal
from society.core.markup import html_table

TableName = Literal["stage_value", "gap_term", "surprise_share", "public_word", "accuracy"]


@dataclass(frozen=True)
class Judged:
    """One decision under one yardstick.

    Attributes:
        round, agent: which decision.
        gap: its decomposition.
        slack: V(s) - W0; None without a reference value.
        earned: the score of this round alone, as it happened.
        start: V(s), the reference value of the state the round found; None without.
        reference: what that value is.
        defaulted: the action was not the agent's own.
        accuracy: how good its predictions were; under its own goal only.
        word: what it announced, meant and did, where it announced anything; under its own goal only.
        talking: what talking did to the value of its plan, where it declared before talking as well.
    """

    round: int
    agent: int
    gap: Decomposition
    slack: Number | None
    earned: Number
    start: Number | None
    reference: Reference
    defaulted: bool
    accuracy: Accuracy | None = None
    word: PublicWord | None = None
    talking: Number | None = None

    @property
    def happened(self) -> Number:
        """The score as it happened: W4, less the luck where that is an expectation."""
        return tidy(self.gap.W4 - (self.gap.luck or 0))


@dataclass(frozen=True)
class RoundGroup:
    """The group in one round: its gap under own payoff. `batched` tells whether the rules step many rows at once."""

    round: int
    gap: GroupGap
    batched: bool


@dataclass(frozen=True)
class EpisodeGap:
    """The sums over an episode for one agent under one yardstick.

    With a reference value, exactly: start - earned - left_open = slack + the sum of all terms.

    Attributes:
        terms: each term summed over rounds, discounted.
        best: what the yardstick could at best get: the sum of the ceilings; with a reference value, that of the first state
            less slack.
        crossed: what the order of own deviation and the others' deviation changes, summed; None where some round lacks it.
        regret: what best replies to what the others really did would have added, round by round, summed.
        slack: summed; None in the myopic mode.
        start: the reference value of the first state; None in the myopic mode.
        earned: the sum of the rounds' own scores.
        left_open: what an unfinished episode could still have brought, by the reference value; 0 otherwise.
        reference: what the reference value is.
        ceiling_exact: in every round.
        scale: the sum of the rounds' scales, or None if one is unknown.
        rounds: how many.
        defaulted: in how many of them the action was not the agent's own.
    """

    agent: int
    yardstick: str
    terms: dict[str, Number]
    best: Number
    crossed: Interaction | None
    regret: Number
    slack: Number | None
    start: Number | None
    earned: Number
    left_open: Number
    reference: Reference
    ceiling_exact: bool
    scale: Number | None
    rounds: int
    defaulted: int

    @property
    def total(self) -> Number:
        """The sum of all terms."""
        return tidy(sum(self.terms.values()))

    @property
    def happened(self) -> Number:
        """What was reached: the best less everything that was lost."""
        return tidy(self.best - self.total)

    @property
    def inter_agent(self) -> Number | None:
        """Anticipated and surprise together: all that was lost to others; None without predictions."""
        if "surprise" not in self.terms or "anticipated" not in self.terms:
            return None
        return tidy(self.terms["anticipated"] + self.terms["surprise"])

    @property
    def normalised(self) -> dict[str, Number] | None:
        """Terms over scales, summed first and divided then."""
        return {name: over(term, self.scale) for name, term in self.terms.items()} if self.scale else None


@dataclass(frozen=True)
class Alignment:
    """The alignment decomposition of an episode.

    Attributes:
        names: agents in seat order.
        title: the name of the scenario.
        unit: of payoffs, in the words of the scenario: fish, tokens, minutes.
        units: of each agent's own goal, in seat order.
        rounds_planned: how many rounds there were to be; rounds_played: how many were finished and are taken apart.
        mode: myopic, continuation or episode.
        discount: weight of the next round.
        goals: each agent's typed goal.
        stateful: the mechanism has a state, so that myopic terms must not be summed into a claim about the episode.
        judged: every decision under every yardstick, in order of rounds and seats.
        groups: the group in each round.
        unfinished: the episode has no end yet.
        shared: of a fork, how many rounds were before it; they are taken apart with the run it comes from.
    """

    names: tuple[str, ...]
    title: str
    unit: str
    units: tuple[str, ...]
    rounds_planned: int
    rounds_played: int
    seed: int
    run_id: str
    mode: Mode
    discount: Number
    goals: tuple[Goal, ...]
    stateful: bool
    judged: tuple[Judged, ...]
    groups: tuple[RoundGroup, ...]
    unfinished: bool
    shared: int = 0

    @property
    def agents(self) -> int:
        return len(self.names)

    @property
    def first(self) -> int:
        """The first round that is taken apart: 1, or the one after the last fork."""
        return self.judged[0].round if self.judged else 1

    @cached_property
    def yardsticks(self) -> tuple[str, ...]:
        """The yardsticks somebody was judged by."""
        used = {decision.gap.yardstick for decision in self.judged}
        return tuple(name for name in ("goal", "felt", "welfare", "principal") if name in used)

    def of(self, agent: int, yardstick: str = "goal") -> tuple[Judged, ...]:
        """One agent's decisions under one yardstick, round by round."""
        return tuple(d for d in self.judged if d.agent == agent and d.gap.yardstick == yardstick)

    def at(self, round: int, agent: int, yardstick: str = "goal") -> Decomposition:
        """One decision's decomposition.

        Raises:
            KeyError: there was no such decision.
        """
        for decision in self.of(agent, yardstick):
            if decision.round == round:
                return decision.gap
        raise KeyError((round, agent, yardstick))

    def episode(self, agent: int, yardstick: str = "goal") -> EpisodeGap:
        """The sums over the episode.

        Raises:
            BadInput: the agent was not judged by that yardstick.
        """
        decisions = self.of(agent, yardstick)
        if not decisions:
            raise BadInput(f"agent {agent} was not judged by {yardstick!r}; known: {', '.join(self.yardsticks)}")
        terms: dict[str, Number] = {}
        slack: Number = 0
        earned: Number = 0
        scale: Number | None = 0
        weight: Number = 1
        best: Number = 0
        regret: Number = 0
        for decision in decisions:
            best += weight * decision.gap.W0
            regret += weight * decision.gap.regret
            for name, term in decision.gap.terms.items():
                terms[name] = tidy(terms.get(name, 0) + weight * term)
            slack += weight * (decision.slack or 0)
            earned += weight * decision.earned
            one = decision.gap.scale
            scale = None if scale is None or one is None else scale + weight * one.value
            weight *= self.discount
        last = decisions[-1]
        valued = last.start is not None
        return EpisodeGap(
            agent=agent,
            yardstick=yardstick,
            terms=_in_order(terms),
            best=tidy((decisions[0].start or 0) - slack) if valued else tidy(best),
            crossed=_crossed(decisions, self.discount),
            regret=tidy(regret),
            slack=tidy(slack) if valued else None,
            start=decisions[0].start,
            earned=tidy(earned),
            left_open=over((last.happened - last.earned) * weight, self.discount) if valued and self.discount else 0,
            reference=last.reference,
            ceiling_exact=all(d.gap.ceiling_exact for d in decisions),
            scale=scale,
            rounds=len(decisions),
            defaulted=sum(d.defaulted for d in decisions),
        )

    def matrix(self, yardstick: str = "goal") -> list[list[Number | None]]:
        """Who surprised whom, summed over rounds: row i is what i lost to each other agent not doing what it predicted.

        None on the diagonal, and in the rows of agents that never predicted anybody.
        """
        table: list[list[Number | None]] = [[None] * self.agents for _ in range(self.agents)]
        for decision in self.judged:
            blame = decision.gap.attribution
            if decision.gap.yardstick != yardstick or blame is None:
                continue
            weight = self.discount ** (decision.round - self.first)
            row = table[decision.agent]
            for other, share in enumerate(blame.shares):
                if share is not None:
                    row[other] = tidy((row[other] or 0) + weight * share)
        return table

    def words(self, agent: int) -> tuple[PublicWord, ...]:
        """What one agent announced to everybody, round by round: with what it meant and did."""
        return tuple(d.word for d in self.of(agent) if d.word is not None)

    @property
    def group(self) -> GroupGap | None:
        """The gap of all agents together over the episode, under own payoff; None before any round was finished.

        Losses add up over rounds. So does conflict in the myopic mode; with a reference value the first round's conflict is
        the episode's, since its ceilings hold all that could follow.
        """
        if not self.groups:
            return None
        weights = [self.discount ** (group.round - self.first) for group in self.groups]
        counted = self.groups[:1] if self.mode == "continuation" else self.groups
        return GroupGap(
            conflict=tidy(sum(w * group.gap.conflict for w, group in zip(weights, counted, strict=False))),
            loss=tidy(sum(w * group.gap.loss for w, group in zip(weights, self.groups, strict=True))),
            exact=all(group.gap.exact for group in self.groups),
        )

    def diagnosis(self, *, small: Number = SMALL) -> Diagnosis:
        """The situation the group was in over the episode, from terms and scales summed first and divided then."""
        surprise: Number | None = 0
        regret: Number = 0
        for agent in range(self.agents):
            decisions = self.of(agent)
            scales = [d.gap.scale.value for d in decisions if d.gap.scale is not None]
            at_stake = sum(scales)
            if len(scales) < len(decisions) or not at_stake:
                return diagnose(None, None, None, small=small)
            losses = [d.gap.surprise for d in decisions if d.gap.surprise is not None]
            if len(losses) < len(decisions):
                surprise = None
            if surprise is not None:
                surprise = max([surprise, over(sum(max(loss, -loss) for loss in losses), at_stake)])
            regret = max(regret, over(sum(d.gap.regret for d in decisions), at_stake))
        shared = self.of(0, "welfare")
        scales = [d.gap.scale.value for d in shared if d.gap.scale is not None]
        if len(scales) < len(shared) or not sum(scales):
            return diagnose(None, None, None, small=small)
        loss = over(self.group.loss if self.group else 0, sum(scales))
        return diagnose(surprise, regret, loss, small=small)

    def rows(self, table: TableName = "gap_term") -> list[dict[str, Any]]:  # Any: numbers, words and truths
        """The decomposition as rows, one value each: for the log's tables, frames and exports.

        Args:
            table: stage_value (W0..W4, P0..P6), gap_term (terms of all chains; round 0 is the episode), surprise_share
                (who surprised whom), public_word (announced, meant, done) or accuracy (how good predictions were).

        Raises:
            BadInput: there is no such table.
        """
        from society.analysis.alignment.rows import TABLES

        if table not in TABLES:
            raise BadInput(f"no table of the alignment is called {table!r} (known: {', '.join(TABLES)})")
        return list(TABLES[table](self))

    def to_frame(self, table: TableName = "gap_term") -> Any:  # Any: a polars frame, which is an optional package
        """The same rows as a polars frame, numbers as doubles.

        Raises:
            MissingExtra: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise MissingExtra("frames need polars: pip install 'society-sandbox[analysis]', or use .rows()") from None
        rows = [
            {name: float(cell) if isinstance(cell, Fraction) else cell for name, cell in row.items()}
            for row in self.rows(table)
        ]
        numbers = {"value": polars.Float64} if rows and "value" in rows[0] else None
        return polars.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)

    def text(self) -> str:
        """The episode in one paragraph that says only what the numbers license."""
        from society.analysis.alignment.words import paragraph

        return paragraph(self)

    def paragraphs(self) -> list[str]:
        """The same in its parts: how it was measured, each agent, public words, the group, what not to conclude."""
        from society.analysis.alignment.words import paragraphs

        return paragraphs(self)

    def _repr_html_(self) -> str:
        """For notebooks: each agent's gap under each yardstick, who surprised whom, and what may be said of it."""
        gaps = [
            self.episode(seat, yardstick)
            for yardstick in self.yardsticks
            for seat in range(self.agents)
            if self.of(seat, yardstick)
        ]
        terms = list(dict.fromkeys(name for gap in gaps for name in gap.terms))
        columns = ["agent", "measured by", "best possible", *(f"lost: {name}" for name in terms), "happened", "ceiling"]
        rows = [
            [
                self.names[gap.agent], gap.yardstick, gap.best, *(gap.terms.get(name) for name in terms), gap.happened,
                "exact" if gap.ceiling_exact else "at least",
            ]
            for gap in gaps
        ]  # fmt: skip
        whom = [[self.names[seat], *row] for seat, row in enumerate(self.matrix())]
        parts = [f"<p><b>{escape(self.title)}</b> · mode {self.mode} · in {escape(self.unit)}</p>"]
        parts.append(html_table(columns, rows))
        if any(cell is not None for row in whom for cell in row[1:]):
            parts.append("<p>Lost by the agent of the row because of the agent of the column:</p>")
            parts.append(html_table(["lost by", *self.names], whom))
        parts.extend(f"<p>{escape(part)}</p>" for part in self.paragraphs())
        return "".join(parts)


def _crossed(decisions: Sequence[Judged], discount: Number) -> Interaction | None:
    """The interactions of all rounds, from the sums of their corners."""
    corners: list[Number] = [0, 0, 0]
    for place, decision in enumerate(decisions):
        gap, crossed, weight = decision.gap, decision.gap.interaction, discount**place
        if crossed is None or gap.say_do is None or gap.surprise is None:
            return None
        corners[0] += weight * (gap.say_do + gap.surprise)
        corners[1] += weight * gap.surprise
        corners[2] += weight * crossed.say_do_last
    return interaction(corners[0], corners[1], corners[2], 0)


def _in_order(terms: dict[str, Number]) -> dict[str, Number]:
    """Terms in the order of the chain, merged ones where their first part stands."""
    order = ("anticipated", "planning", "say_do", "surprise", UNATTRIBUTED, "luck")
    return dict(sorted(terms.items(), key=lambda item: order.index(item[0].split("+")[0])))
