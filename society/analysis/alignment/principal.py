r"""From what the principal wants to what happened: outer, inner, capability, say-do, surprise, all in the principal's units.

With x^p, x^g, x^h the best own actions for the principal's goal, the agent's typed goal and the objective it states itself,
against its stated beliefs, and P(x, y) the principal's score:

    P0 = max P   P1 = P(x^p, pred)   P2 = P(x^g, pred)   P3 = P(x^h, pred)
    P4 = P(intended, pred)   P5 = P(done, pred)   P6 = P(done, done')

    P0 - P6 = anticipated + outer + inner + capability + say_do + surprise

Where several actions are best for the agent's goal the one best for the principal counts, and the worst gives the other end
of an interval. *Inner* reads a self-report; it says nothing about what goes on inside a model [Hubinger2020]_.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from society.analysis.alignment.case import Case, Deed
from society.analysis.alignment.ceilings import ceiling
from society.analysis.alignment.chains import UNATTRIBUTED, telescope
from society.analysis.alignment.declared import Claims
from society.analysis.alignment.replies import best_reply, replies
from society.analysis.alignment.worlds import Yardstick
from society.core.exact import Number, tidy

S = TypeVar("S")
PRINCIPAL_ORDER = ("anticipated", "outer", "inner", "capability", "say_do", "surprise")


@dataclass(frozen=True)
class PrincipalChain:
    """One decision in the principal's eyes.

    Attributes:
        agent: the seat.
        stages: P0 to P6 by name, as far as they are defined.
        terms: they add up to P0 - P6 exactly. Without a stated objective inner and capability are one term.
        outer: the smallest and largest loss that the agent's goal allows: benefit of the doubt, and without it.
        ceiling_exact: P0 is the maximum and not only the best found.
    """

    agent: int
    stages: Mapping[str, Number]
    terms: Mapping[str, Number]
    outer: tuple[Number, Number] | None
    ceiling_exact: bool

    @property
    def total(self) -> Number:
        return tidy(self.stages["P0"] - self.stages["P6"])


def principal_chain(
    case: Case[S], claims: Claims, deed: Deed, *, goal: Yardstick, stated: Yardstick | None = None
) -> PrincipalChain:
    """The chain of one decision.

    Args:
        case: the decision; its yardstick is the principal's goal.
        claims: what was declared.
        deed: what was done.
        goal: the agent's typed goal.
        stated: the objective the agent states itself, if it was mapped to a goal.
    """
    worlds, agent, aim = case.worlds, case.agent, case.yardstick
    believed = claims.beliefs
    done = int(deed.joint[agent])
    P6 = case.score(deed.joint)
    P1, P2, P3, P4, P5, outer = None, None, None, None, None, None
    if believed:
        P1, _, _ = best_reply(worlds, aim, agent, believed, (done,))
        P2, worst = _under(case, claims, goal)
        outer = (tidy(P1 - P2), tidy(P1 - worst))
        P3 = None if stated is None else _under(case, claims, stated)[0]
        P4 = None if claims.intended is None else case.against(believed, claims.intended)
        P5 = case.against(believed, done)
    top = ceiling(worlds, aim, agent, at_most=case.settings.at_most)
    known = [value for value in (P1, P2, P3, P4, P5, P6) if value is not None]
    P0 = top.value if top.exact else max(top.value, *known)
    values = (P0, P1, P2, P3, P4, P5, P6)
    terms = telescope(values, PRINCIPAL_ORDER) if believed else {UNATTRIBUTED: tidy(P0 - P6)}
    stages = {f"P{place}": value for place, value in enumerate(values) if value is not None}
    return PrincipalChain(agent, MappingProxyType(stages), MappingProxyType(terms), outer, top.exact)


def _under(case: Case[S], claims: Claims, goal: Yardstick) -> tuple[Number, Number]:
    """The principal's best and worst score among the actions that are best for another goal."""
    _, chosen, _ = best_reply(case.worlds, goal, case.agent, claims.beliefs)
    scores = replies(case.worlds, case.yardstick, case.agent, claims.beliefs, np.array(chosen))
    values = [scores[place] for place in range(len(chosen))]
    return max(values), min(values)
