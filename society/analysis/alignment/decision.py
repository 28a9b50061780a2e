"""The stage values, terms and shares of one decision, once everything is read and coded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

import numpy as np

from society.analysis.alignment.attribution import (
    EXACT_PLAYERS,
    ORDERS,
    Attribution,
    Sets,
    shapley_exact,
    shapley_sampled,
)
from society.analysis.alignment.ceilings import benchmark, best_reply, ceiling, floor, replies
from society.analysis.alignment.chains import (
    ORDER,
    SUBJECTIVE,
    UNATTRIBUTED,
    Decomposition,
    Interaction,
    Mode,
    Scale,
    interaction,
    ordering,
    telescope,
)
from society.analysis.alignment.declared import Claims
from society.analysis.alignment.rules import unreplaced
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.actions import Action
from society.core.columns import Column
from society.core.exact import Number, tidy
from society.core.goals import GroupWelfare
from society.core.mechanism import Bound
from society.core.seeds import Noise

S = TypeVar("S")
Method = Literal["auto", "exact", "sampled", "none"]
WELFARE = Yardstick("welfare", GroupWelfare())


@dataclass(frozen=True)
class Deed:
    """What an agent and the others did.

    Attributes:
        joint: everybody's executed action, as a row of codes.
        legal: the own action after parsing and clamping, before governance; None where it was not told apart.
        announced: what the agent had said in public it would do; None where it said nothing.
        replaced: a rule put another action in the place of the one in `joint`, inside the simulator.
    """

    joint: Codes
    legal: int | None = None
    announced: int | None = None
    replaced: bool = False


@dataclass(frozen=True)
class Settings:
    """How a decomposition is computed.

    Attributes:
        shared: welfare with the horizon of the yardstick, for the cooperative benchmark; None leaves it out.
        attribution, orders: how surprise is attributed; `luck` keys the random orders.
        at_most: joint actions tried one by one before a search; None is the default of the ceilings.
        low: declared lower end of the scale.
        respond: how others react to another own action; None holds them at what they did.
        scaled: whether the scale is worked out, which needs the smallest score of any joint action.
    """

    shared: Yardstick | None = WELFARE
    attribution: Method = "auto"
    orders: int = ORDERS
    luck: Noise = field(default_factory=lambda: Noise(0))
    at_most: int | None = None
    low: Number | None = None
    respond: Callable[[Action], Sequence[Action]] | None = None
    scaled: bool = True


@dataclass(frozen=True)
class Case(Generic[S]):
    """One agent's decision in one round, and what it is judged by."""

    worlds: Worlds[S]
    agent: int
    yardstick: Yardstick
    settings: Settings

    def score(self, row: Codes) -> Number:
        """The score of one joint action."""
        return self.worlds.at(row, self.yardstick, self.agent)

    def against(self, beliefs: tuple[tuple[Number, Codes], ...], own: int) -> Number:
        """The score of one own action against what was predicted."""
        return replies(self.worlds, self.yardstick, self.agent, beliefs, np.array([own]))[0]

    def unreplaced(self, beliefs: tuple[tuple[Number, Codes], ...], own: int) -> Number:
        """The score of one own action against what was predicted, had no rule put another in its place.

        An action that exists only through a rule, such as handing one's decision to somebody, asks for being replaced.
        """
        action = self.worlds.action(self.agent, own)
        free = unreplaced(self.worlds.game, self.worlds.state, self.agent, action)
        if free is self.worlds.game:
            return self.against(beliefs, own)
        worlds = Worlds(free, self.worlds.state, self.worlds.luck)
        coded = []
        for probability, row in beliefs:
            joint = [action if s == self.agent else self.worlds.action(s, int(code)) for s, code in enumerate(row)]
            coded.append((probability, worlds.codes(joint)))
        return replies(worlds, self.yardstick, self.agent, tuple(coded), np.array([worlds.code(self.agent, action)]))[0]

    def after(self, deed: Deed, own: int) -> Number:
        """The score of another own action against what the others did, or would then have done."""
        row = deed.joint.copy()
        row[self.agent] = own
        if self.settings.respond is not None and own != deed.joint[self.agent]:
            action = self.worlds.action(self.agent, own)
            others = list(self.settings.respond(action))
            row = self.worlds.codes([*others[: self.agent], action, *others[self.agent :]])
        return self.score(row)

    @property
    def mode(self) -> Mode:
        """Which horizon the scores have."""
        return "myopic" if self.yardstick.value is None else "continuation"

    def reply(
        self, beliefs: tuple[tuple[Number, Codes], ...], also: tuple[int, ...] = (), *, beside: bool = True
    ) -> tuple[Number, list[int], bool]:
        """The most that an own action can score against what was predicted, the actions that do, and whether that is exact."""
        return best_reply(self.worlds, self.yardstick, self.agent, beliefs, also, beside=beside)

    def top(self) -> Bound:
        """The largest score of any joint action."""
        return ceiling(self.worlds, self.yardstick, self.agent, at_most=self.settings.at_most)

    def bottom(self) -> Bound | None:
        """The smallest one; None where it is not worked out."""
        return floor(self.worlds, self.yardstick, self.agent, at_most=self.settings.at_most)

    def cooperation(self) -> Number | None:
        """C: the score at the cooperative benchmark, where that is known."""
        if self.settings.shared is None:
            return None
        shared = benchmark(self.worlds, self.settings.shared, at_most=self.settings.at_most)
        if shared.profile is None or not shared.exact:
            return None
        return self.score(self.worlds.codes(shared.profile))

    def best_after_all(self, deed: Deed, also: tuple[int, ...]) -> Number:
        """The most the agent could have scored, given what the others did. Never below what it did score."""
        if self.settings.respond is None:
            value, _, _ = self.reply(((1, deed.joint),), also, beside=False)
            return max(value, self.score(deed.joint))
        own = {*self.worlds.grid(self.agent, 1001).tolist(), *also}
        return max(self.after(deed, code) for code in sorted(own))

    def scale(self, top: Number, top_exact: bool) -> Scale | None:
        """How much was at stake."""
        low = self.settings.low
        if low is not None:
            return Scale(tidy(top - low), low, "reference", top_exact)
        if not self.settings.scaled:
            return None
        worst = self.bottom()
        if worst is None:
            return None
        return Scale(tidy(top - worst.value), worst.value, "minimum", top_exact and worst.exact)


def decomposed(case: Case[S], claims: Claims, deed: Deed) -> Decomposition:
    """The decomposition of one decision.

    Args:
        case: whose decision, and the yardstick.
        claims: what was declared.
        deed: what was done.
    """
    agent, yardstick, settings = case.agent, case.yardstick, case.settings
    believed = claims.beliefs
    done = int(deed.joint[agent])
    W4 = case.score(deed.joint)
    also = tuple(code for code in (done, claims.intended, deed.announced) if code is not None)
    W1: Number | None = None
    W2: Number | None = None
    W3: Number | None = None
    reply_exact = True
    best: list[int] = []
    if believed:
        W1, best, reply_exact = case.reply(believed, also)
        W3 = case.against(believed, done)
        if claims.intended is not None:
            W2 = case.against(believed, claims.intended)
    best_now = case.best_after_all(deed, also)
    top = case.top()
    found = [stage for stage in (W1, W2, W3, W4, best_now) if stage is not None]
    W0 = top.value if top.exact else max(top.value, *found)
    stages = (W0, W1, W2, W3, W4)
    terms = telescope(stages, ORDER) if believed else {UNATTRIBUTED: tidy(W0 - W4)}
    subjective = None
    if believed and claims.forecast is not None:
        subjective = telescope((W0, claims.forecast, W2, W3, W4), SUBJECTIVE)
    C = case.cooperation()
    crossed: Interaction | None = None
    if W2 is not None and W3 is not None and claims.intended is not None:
        crossed = interaction(W2, W3, case.after(deed, claims.intended), W4)
    climbed = None
    if W1 is not None and W3 is not None:
        own = [(best[0], W1)] + ([] if claims.intended is None or W2 is None else [(claims.intended, W2)])
        grid = [(before, case.after(deed, code)) for code, before in own] + [(W3, W4)]
        climbed = ordering(grid, (*(("planning+say_do",) if W2 is None else ("planning", "say_do")), "surprise"))
    scale = case.scale(W0, top.exact)
    blame = None
    if W3 is not None and settings.attribution != "none":
        blame = attribute(case, believed, deed.joint, scale)
    return Decomposition(
        agent=agent,
        yardstick=yardstick.name,
        mode=case.mode,
        W0=W0,
        W1=W1,
        W2=W2,
        W3=W3,
        W4=W4,
        terms=MappingProxyType(terms),
        subjective=None if subjective is None else MappingProxyType(subjective),
        splits=MappingProxyType(_splits(case, claims, deed, stages, C)),
        beside=MappingProxyType(_beside(case, claims, deed, stages, C)),
        benchmark=C,
        regret=tidy(best_now - W4),
        interaction=crossed,
        ordering=climbed,
        attribution=blame,
        luck=None,
        errors=MappingProxyType({}),
        scale=scale,
        ceiling_exact=top.exact,
        reply_exact=reply_exact,
        ceiling_how=top.how,
        ceiling_profile=top.profile,
        prediction=claims.kind,
        convention=claims.convention,
        valid=claims.valid,
        forecast=claims.forecast,
        desired=claims.desired,
    )


Stages = tuple[Number, Number | None, Number | None, Number | None, Number]


def _splits(case: Case[S], claims: Claims, deed: Deed, stages: Stages, C: Number | None) -> dict[str, Number]:
    W0, W1, W2, W3, _ = stages
    splits: dict[str, Number] = {}
    if C is not None and W1 is not None:
        splits |= {"goal_conflict": tidy(W0 - C), "against_benchmark": tidy(C - W1)}
    if W2 is not None and W3 is not None and deed.legal is not None:
        as_done = deed.legal == deed.joint[case.agent] and not deed.replaced
        lawful = W3 if as_done else case.unreplaced(claims.beliefs, deed.legal)
        splits |= {"parse": tidy(W2 - lawful), "governance": tidy(lawful - W3)}
    return splits


def _beside(case: Case[S], claims: Claims, deed: Deed, stages: Stages, C: Number | None) -> dict[str, Number]:
    W0, W1, W2, W3, W4 = stages
    beside: dict[str, Number] = {}
    if C is not None:
        beside["avoidable"] = tidy(C - W4)
        if W1 is not None and W3 is not None:
            beside["avoidable_inter_agent"] = tidy(C - W1 + W3 - W4)
    if W2 is not None and deed.announced is not None:
        beside["announce"] = tidy(case.against(claims.beliefs, deed.announced) - W2)
    if claims.desired is not None:
        beside["ambition"] = tidy(claims.desired - W0)
    if claims.forecast is not None:
        beside["forecast_error"] = tidy(claims.forecast - W4)
    return beside


def attribute(
    case: Case[S], beliefs: tuple[tuple[Number, Codes], ...], joint: Codes, scale: Scale | None = None
) -> Attribution:
    """Whose behaviour the surprise is, in seat order."""
    worlds, agent, settings = case.worlds, case.agent, case.settings
    others = [seat for seat in range(worlds.agents) if seat != agent]
    surprising = [seat for seat in others if any(row[seat] != joint[seat] for _, row in beliefs)]
    places = np.array(surprising, dtype=np.int64)

    def minus_score(sets: Sets) -> Column:
        total: Column | None = None
        for probability, row in beliefs:
            rows = np.repeat(row.reshape(1, -1), len(sets), axis=0)
            rows[:, agent] = joint[agent]
            rows[:, places] = np.where(sets, joint[places], row[places])
            scores = worlds.score(rows, case.yardstick, agent)
            scores = scores if probability == 1 else scores * probability
            total = scores if total is None else total + scores
        assert total is not None
        return -total

    count = len(surprising)
    shares: list[Number | None] = [None if seat == agent else 0 for seat in range(worlds.agents)]
    difference = list(shares)
    if not count:
        return Attribution("exact", tuple(shares), difference=tuple(difference))
    all_but_one = minus_score(np.concatenate([np.ones((1, count), dtype=np.bool_), ~np.eye(count, dtype=np.bool_)]))
    for place, seat in enumerate(surprising):
        difference[seat] = tidy(all_but_one[0] - all_but_one[1 + place])
    if settings.attribution == "exact" or (settings.attribution == "auto" and count <= EXACT_PLAYERS):
        for seat, share in zip(surprising, shapley_exact(count, minus_score), strict=True):
            shares[seat] = share
        return Attribution("exact", tuple(shares), difference=tuple(difference))
    enough = 0.02 * float(scale.value) if scale is not None else 0.0
    sampled = shapley_sampled(count, minus_score, luck=settings.luck, orders=settings.orders, enough=enough)
    errors: list[float | None] = [None if seat == agent else 0.0 for seat in range(worlds.agents)]
    widths = list(errors)
    for place, seat in enumerate(surprising):
        shares[seat], errors[seat] = sampled.shares[place], sampled.errors[place]
        widths[seat] = sampled.half_widths[place]
    return Attribution("sampled", tuple(shares), tuple(errors), tuple(widths), sampled.orders, tuple(difference))
