"""The cooperative benchmark: what everybody would do for the welfare of all, and which of several such joint actions."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from society.analysis.alignment.ceilings import even_splits, extreme, profiles
from society.analysis.alignment.rules import bare, certain
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.columns import Column, blend
from society.core.exact import Number
from society.core.goals import least
from society.core.mechanism import Bound

S = TypeVar("S")

_WEIGHED = 10_000


def benchmark(worlds: Worlds[S], yardstick: Yardstick, *, at_most: int | None = None) -> Bound:
    """The cooperative benchmark a^S: the joint action with the largest welfare.

    Of several the one whose worst-off agent gets most, then the one with the smallest Gini coefficient, then the first in
    lexicographic order. `yardstick` is welfare, with or without a reference value of the next state.
    """
    key = ("benchmark", yardstick, at_most)
    if key not in worlds.memo:
        worlds.memo[key] = _benchmark(worlds, yardstick, at_most)
    found: Bound = worlds.memo[key]
    return found


def _benchmark(worlds: Worlds[S], yardstick: Yardstick, at_most: int | None) -> Bound:
    rules = bare(worlds.game, worlds.state)
    if rules is not None and yardstick.optimal is not None and len(worlds.luck) == 1:
        even = even_splits(worlds)
        scores = worlds.score(even, yardstick, 0) if len(even) else None
        if scores is not None and scores[scores.best()] == yardstick.optimal:
            row = _most_even(worlds, even[scores.ties()])
            return Bound(yardstick.optimal, worlds.joint(row), exact=True, how="dynamic programme of the mechanism")
    if rules is not None and yardstick.value is None and certain(worlds.game, worlds.state):
        known = rules[0].known_optimum(rules[1])
        if known is not None and known.profile is not None:
            return known
    count, chunks = profiles(worlds, None, at_most=at_most)
    if chunks is None:
        return extreme(worlds, yardstick, 0, 1, at_most=at_most)
    best: list[tuple[Number, Codes]] = []
    for chunk in chunks:
        scores = worlds.score(chunk, yardstick, 0)
        ties = scores.ties()
        best.append((scores[int(ties[0])], _most_even(worlds, chunk[ties])))
    top = max(value for value, _ in best)
    row = _most_even(worlds, np.stack([row for value, row in best if value == top]))
    return Bound(top, worlds.joint(row), exact=True, how=f"enumeration of {count} joint actions")


def _most_even(worlds: Worlds[S], rows: Codes) -> Codes:
    """The row whose worst-off agent gets most, then the smallest Gini coefficient, then lexicographically first."""
    if len(rows) == 1:
        only: Codes = rows[0]
        return only
    found = worlds.outcomes(rows)
    weights = [weight for weight, _ in worlds.luck]
    payoffs = [blend([outcome.payoffs[seat] for outcome in found], weights) for seat in range(worlds.agents)]
    poorest = least(payoffs)
    best = np.array(poorest.ties())
    if len(best) > _WEIGHED:
        best = best[:_WEIGHED]
    chosen = [payoff.rows(best) for payoff in payoffs]
    spread: Column | None = None
    for place, one in enumerate(chosen):
        for other in chosen[place + 1 :]:
            distance = abs(one - other)
            spread = distance if spread is None else spread + distance
    if spread is not None:
        best = best[(-spread).ties()]
    first: Codes = min((rows[place] for place in best), key=lambda row: tuple(row.tolist()))
    return first
