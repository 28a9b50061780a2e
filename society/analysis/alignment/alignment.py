"""The alignment of an episode: every decision's terms, their sums, and whose behaviour they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any, Literal

from society.analysis.alignment.accuracy import Accuracy
from society.analysis.alignment.chains import UNATTRIBUTED, Decomposition, Mode, over
from society.analysis.alignment.diagnosis import SMALL, Diagnosis, GroupGap, PublicWord, diagnose
from society.analysis.alignment.horizon import Reference
from society.core.errors import BadInput, MissingExtra
from society.core.exact import Number, tidy
from society.core.goals import Goal
from society.core.markup import html_table

TableName = Literal["stage_value", "gap_term", "surprise_share"]


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
    def normalised(self) -> dict[str, Number] | None:
        """Terms over scales, summed first and divided then."""
        return {name: over(term, self.scale) for name, term in self.terms.items()} if self.scale else None


@dataclass(frozen=True)
class Alignment:
    """The alignment decomposition of an episode.

    Attributes:
        names: agents in seat order.
        mode: myopic or continuation.
        discount: weight of the next round.
        goals: each agent's typed goal.
        stateful: the mechanism has a state, so that myopic terms must not be summed into a claim about the episode.
        judged: every decision under every yardstick, in order of rounds and seats.
        groups: the group in each round.
        unfinished: the episode has no end yet.
    """

    names: tuple[str, ...]
    seed: int
    run_id: str
    mode: Mode
    discount: Number
    goals: tuple[Goal, ...]
    stateful: bool
    judged: tuple[Judged, ...]
    groups: tuple[RoundGroup, ...]
    unfinished: bool

    @property
    def agents(self) -> int:
        return len(self.names)

    @cached_property
    def yardsticks(self) -> tuple[str, ...]:
        """The yardsticks somebody was judged by."""
        used = {decision.gap.yardstick for decision in self.judged}
        return tuple(name for name in ("goal", "welfare", "principal") if name in used)

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
        for decision in decisions:
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
            weight = self.discount ** (decision.round - 1)
            row = table[decision.agent]
            for other, share in enumerate(blame.shares):
                if share is not None:
                    row[other] = tidy((row[other] or 0) + weight * share)
        return table

    @property
    def group(self) -> GroupGap | None:
        """The gap of all agents together over the episode, under own payoff; None before any round was finished.

        Losses add up over rounds. So does conflict in the myopic mode; with a reference value the first round's conflict is
        the episode's, since its ceilings hold all that could follow.
        """
        if not self.groups:
            return None
        weights = [self.discount ** (group.round - 1) for group in self.groups]
        counted = self.groups if self.mode == "myopic" else self.groups[:1]
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
            table: stage_value (W0..W4, P0..P6), gap_term (terms of all chains; round 0 is the episode), or
                surprise_share (who surprised whom).
        """
        makers = {"stage_value": self._stage_rows, "gap_term": self._term_rows, "surprise_share": self._share_rows}
        if table not in makers:
            raise BadInput(f"no table of the alignment is called {table!r} (known: {', '.join(makers)})")
        return list(makers[table]())

    def to_frame(self, table: TableName = "gap_term") -> Any:  # Any: a polars frame, which is an optional package
        """The same rows as a polars frame, numbers as doubles.

        Raises:
            MissingExtra: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise MissingExtra("frames need polars: pip install 'society-sandbox[analysis]', or use .rows()") from None
        rows = [{**row, "value": float(row["value"])} for row in self.rows(table)]
        return polars.DataFrame(rows, infer_schema_length=None)

    def text(self) -> str:
        """The episode in one paragraph that says only what the numbers license."""
        from society.analysis.alignment.words import paragraph

        return paragraph(self)

    def _repr_html_(self) -> str:
        """For notebooks: the episode's gap of each agent under each yardstick, term by term, and what may be said of it."""
        gaps = [
            self.episode(seat, yardstick)
            for yardstick in self.yardsticks
            for seat in range(self.agents)
            if self.of(seat, yardstick)
        ]
        terms = list(dict.fromkeys(name for gap in gaps for name in gap.terms))
        rows = [
            [self.names[gap.agent], gap.yardstick, gap.total, *(gap.terms.get(name) for name in terms)] for gap in gaps
        ]
        return html_table(["agent", "measured by", "gap", *terms], rows) + f"<p>{escape(self.text())}</p>"

    def _keys(self, decision: Judged) -> dict[str, Any]:  # Any: as in `rows`
        gap = decision.gap
        return {
            "round": decision.round,
            "agent": decision.agent,
            "yardstick": gap.yardstick,
            "mode": gap.mode,
            "defaulted": decision.defaulted,
        }

    def _stage_rows(self) -> Iterator[dict[str, Any]]:  # Any: as in `rows`
        for decision in self.judged:
            gap = decision.gap
            principal = decision.gap.principal.stages if decision.gap.principal else {}
            exact = {"W0": gap.ceiling_exact, "W1": gap.reply_exact, "P0": gap.ceiling_exact}
            others = {"C": gap.benchmark, "forecast": gap.forecast, "V": decision.start}
            known = {name: value for name, value in others.items() if value is not None}
            for stage, value in {**gap.stages, **known, **principal}.items():
                yield {**self._keys(decision), "stage": stage, "value": value, "exact": exact.get(stage, True)}

    def _term_rows(self) -> Iterator[dict[str, Any]]:  # Any: as in `rows`
        for decision in self.judged:
            for chain, term, value in _terms(decision):
                exact = decision.gap.ceiling_exact or term not in _FROM_THE_CEILING
                yield {**self._keys(decision), "chain": chain, "term": term, "value": value, "exact": exact}
        for yardstick in self.yardsticks:
            for agent in range(self.agents):
                if not self.of(agent, yardstick):
                    continue
                whole = self.episode(agent, yardstick)
                keys = {"round": 0, "agent": agent, "yardstick": yardstick, "mode": self.mode, "defaulted": False}
                sums = {**whole.terms, **({} if whole.slack is None else {"slack": whole.slack})}
                for term, value in sums.items():
                    exact = whole.ceiling_exact or term not in _FROM_THE_CEILING
                    yield {**keys, "chain": "causal", "term": term, "value": value, "exact": exact}

    def _share_rows(self) -> Iterator[dict[str, Any]]:  # Any: as in `rows`
        for decision in self.judged:
            blame = decision.gap.attribution
            if blame is None:
                continue
            for other, share in enumerate(blame.shares):
                if share is not None:
                    error = None if blame.errors is None else blame.errors[other]
                    yield {
                        **self._keys(decision),
                        "cause": other,
                        "value": share,
                        "se": error,
                        "method": blame.method,
                        "orders": blame.orders,
                    }


_FROM_THE_CEILING = frozenset({"anticipated", "aspiration", "goal_conflict", "ambition", "slack", UNATTRIBUTED})


def _terms(decision: Judged) -> Iterator[tuple[str, str, Number]]:
    gap = decision.gap
    yield from (("causal", name, term) for name, term in gap.terms.items())
    yield from (("subjective", name, term) for name, term in (gap.subjective or {}).items())
    yield from (("split", name, term) for name, term in gap.splits.items())
    yield from (("beside", name, term) for name, term in gap.beside.items())
    yield "beside", "regret", gap.regret
    if decision.slack is not None:
        yield "causal", "slack", decision.slack
    if gap.interaction is not None:
        yield "beside", "interaction", gap.interaction.value
        yield "symmetric", "say_do", gap.interaction.say_do
        yield "symmetric", "surprise", gap.interaction.surprise
        yield "others_first", "say_do", gap.interaction.say_do_last
        yield "others_first", "surprise", gap.interaction.surprise_first
    if gap.ordering is not None:
        yield from (
            ("all_orders", name, term) for name, term in zip(gap.ordering.terms, gap.ordering.average, strict=True)
        )
    if decision.gap.principal is not None:
        yield from (("principal", name, term) for name, term in decision.gap.principal.terms.items())
    if decision.talking is not None:
        yield "beside", "talking", decision.talking
    if decision.word is not None and decision.word.deviation is not None:
        yield "public_word", "own_gain", decision.word.deviation.own_gain
        yield "public_word", "welfare_change", decision.word.deviation.welfare_change


def _in_order(terms: dict[str, Number]) -> dict[str, Number]:
    """Terms in the order of the chain, merged ones where their first part stands."""
    order = ("anticipated", "planning", "say_do", "surprise", UNATTRIBUTED, "luck")
    return dict(sorted(terms.items(), key=lambda item: order.index(item[0].split("+")[0])))
