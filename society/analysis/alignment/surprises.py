"""Whose behaviour the surprise of one decision is: the others revealed set by set."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from society.analysis.alignment.attribution import EXACT_PLAYERS, Attribution, Sets, shapley_exact, shapley_sampled
from society.analysis.alignment.case import Case
from society.analysis.alignment.chains import Scale
from society.analysis.alignment.worlds import Codes
from society.core.columns import Column
from society.core.exact import Number, tidy

S = TypeVar("S")


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
