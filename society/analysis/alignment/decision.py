"""The stage values, terms and shares of one decision, once everything is read and coded."""

from __future__ import annotations

from types import MappingProxyType
from typing import TypeVar

from society.analysis.alignment.case import Case, Deed
from society.analysis.alignment.chains import ORDER, SUBJECTIVE, UNATTRIBUTED, Decomposition, telescope
from society.analysis.alignment.declared import Claims
from society.analysis.alignment.orders import Interaction, interaction, ordering
from society.analysis.alignment.surprises import attribute
from society.core.exact import Number, tidy

S = TypeVar("S")


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
