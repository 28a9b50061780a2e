r"""The ex-ante chain: what was lost before luck decided, and what luck then did.

Every stage value is an expectation over the same lucks, and one more step leads to what happened:

    luck = E[U(done, done')] - U(done, done'; the luck of the round)

An expectation is exact where the rules know it, and an average over fresh lucks otherwise. These are common to all stages,
so that the standard errors of the terms, which are differences, are paired [GlassermanYao1992]_.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.analysis.alignment.case import Case, Deed
from society.analysis.alignment.chains import Decomposition
from society.analysis.alignment.decision import decomposed
from society.analysis.alignment.declared import Claims
from society.analysis.alignment.replies import best_reply
from society.analysis.alignment.rules import Expected, expects
from society.analysis.alignment.worlds import Codes, Worlds, fresh, one
from society.core.exact import Number, tidy
from society.core.goals import Goal, GroupWelfare, OwnPayoff, RelativePayoff, SocialValueOrientation, Weighted
from society.core.mechanism import Game
from society.core.seeds import Noise

S = TypeVar("S")
Lucks: TypeAlias = int | Literal["exact"]
"""How many fresh lucks to average over, or the exact expectation where the rules know it."""
LUCKS = 256
"""How many are drawn where nobody says how many."""


def average_worlds(game: Game[S], state: S, noise: Noise, lucks: Lucks) -> Worlds[S] | None:
    """One round in expectation; None where an exact expectation is asked for and not known."""
    if lucks != "exact":
        return Worlds(game, state, fresh(noise, lucks))
    return Worlds(Expected(game), state, one(noise)) if expects(game, state) else None


def linear(goal: Goal) -> bool:
    """Whether the expected score follows from expected payoffs."""
    if isinstance(goal, Weighted):
        return all(linear(part.goal) for part in goal.parts)
    return isinstance(goal, (OwnPayoff, GroupWelfare, RelativePayoff, SocialValueOrientation))


def ex_ante(case: Case[S], claims: Claims, deed: Deed, happened: Number, *, drawn: bool) -> Decomposition:
    """The chain of one decision in expectation, with luck as its last term.

    Args:
        case: whose decision, in worlds of several lucks or of expected payoffs, and the yardstick.
        claims: what was declared, in the codes of those worlds.
        deed: what was done, in the same codes.
        happened: the score under the luck of the round.
        drawn: the lucks are a sample, so that terms have standard errors.
    """
    found = decomposed(case, claims, deed)
    luck = tidy(found.W4 - happened)
    return replace(
        found,
        luck=luck,
        terms=MappingProxyType({**found.terms, "luck": luck}),
        errors=MappingProxyType(_spread(case, found, claims, deed.joint) if drawn else {}),
    )


def _spread(case: Case[S], found: Decomposition, claims: Claims, joint: Codes) -> dict[str, float]:
    """Standard errors of the terms over the lucks, paired: both ends of a term saw the same lucks."""
    worlds, agent, yardstick = case.worlds, case.agent, case.yardstick
    beliefs, intended = claims.beliefs, claims.intended

    def each(own: int, others: tuple[tuple[Number, Codes], ...]) -> NDArray[np.float64]:
        total = np.zeros(len(worlds.luck))
        for probability, row in others:
            line = row.copy()
            line[agent] = own
            outcomes = worlds.outcomes(line.reshape(1, -1))
            total += float(probability) * np.array(
                [float(worlds.scored(outcome, yardstick, agent)[0]) for outcome in outcomes]
            )
        return total

    done = int(joint[agent])
    stages: list[NDArray[np.float64]] = []
    if found.ceiling_profile is not None:
        top = worlds.codes(found.ceiling_profile)
        stages.append(each(int(top[agent]), ((1, top),)))
    if beliefs:
        _, replies, _ = best_reply(worlds, yardstick, agent, beliefs)
        stages.append(each(replies[0], beliefs))
        if intended is not None:
            stages.append(each(intended, beliefs))
        stages.append(each(done, beliefs))
    stages.append(each(done, ((1, joint),)))
    names = [name for name in found.terms if name != "luck"][-(len(stages) - 1) :] if len(stages) > 1 else []
    errors = {
        name: _standard_error(before - after)
        for name, before, after in zip(names, stages[:-1], stages[1:], strict=True)
    }
    return {**errors, "luck": _standard_error(stages[-1])}


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / sqrt(len(values))) if len(values) > 1 else 0.0
