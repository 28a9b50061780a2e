"""The most that everybody may keep of its own payoff, when what is passed on may go to anybody."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TypeVar

from society.analysis.programmes import minimise
from society.core.exact import tidy
from society.core.mechanism import Game
from society.rulers import Finding, Ruler
from society.rulers.dilemma import MAX_SUBSETS, by_group

S = TypeVar("S")

MAX_AGENTS = 8


def general_self_interest_level(ruler: Ruler[S] | Game[S]) -> Finding:
    """g*: the largest share of its own payoff that each agent can keep, the rest going to anybody in any proportion, so
    that cooperation is weakly dominant [Willis2024]_.

    A linear programme over all ways to pass payoffs on, solved exactly. At least s*, which passes on in equal parts; equal
    to it where all seats are alike, and 0 where no s* exists but some transfer of everything does. None if nothing does.

    Raises:
        ValueError: more than 8 agents.
    """
    judged = ruler if isinstance(ruler, Ruler) else Ruler(ruler)
    board, poles = judged.board, judged.poles
    n = board.n
    if poles is None:
        return Finding(None, how="no pair of actions is called cooperation and defection")
    if n > min(MAX_AGENTS, MAX_SUBSETS):
        raise ValueError(f"a programme with {n * n} transfers is solved for at most {MAX_AGENTS} agents, not {n}")
    groups = [frozenset(g) for size in range(n + 1) for g in itertools.combinations(range(n), size)]
    table = by_group(board, poles)
    if board.symmetric:
        few = {len(group): scores for group, scores in table.items()}
        # where seats are alike, the first `size` seats cooperate in the table
        table = {group: tuple(few[len(group)][0 if agent in group else -1] for agent in range(n)) for group in groups}
    width = n * n + 1
    rows: list[list[Fraction]] = []
    least: list[int] = []
    for agent in range(n):
        keeps = [Fraction(0)] * width
        keeps[agent * n + agent], keeps[-1] = Fraction(1), Fraction(-1)
        rows.append(keeps)
        least.append(0)
        for group in groups:
            if agent in group:
                continue
            row = [Fraction(0)] * width
            for giver in range(n):
                gain = Fraction(table[group | {agent}][giver]) - Fraction(table[group][giver])
                row[giver * n + agent] = gain
            rows.append(row)
            least.append(0)
    for place in range(n * n):
        rows.append([Fraction(int(place == column)) for column in range(width)])
        least.append(0)
    whole = [[int(giver * n <= column < (giver + 1) * n) for column in range(width)] for giver in range(n)]
    try:
        best = minimise([*([0] * (n * n)), -1], rows, least, whole, [1] * n)
    except ValueError:
        return Finding(None, how="no transfer makes cooperation dominant")
    return Finding(tidy(-best.value), how=f"linear programme over {n * n} transfers, exact")
