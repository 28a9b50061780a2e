"""Effective coalitions: what acting together brought the members, and what it cost the others.

A group's gain is measured against a profile in which its members act as they would without a coalition: a baseline the
caller knows, else their individual best replies, repeated from what was played until nobody moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Joint
from society.core.exact import Number, tidy
from society.core.mechanism import Game
from society.core.seeds import Noise
from society.rulers.scores import Board

S = TypeVar("S")

MAX_AGENTS = 12
"""Up to how many agents every group is looked at."""
_SWEEPS = 100

Outsiders = Literal["frozen", "reactive"]
Effect = Literal["cooperative", "exploitative", "sacrificial", "destructive", "neutral"]


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """What one group brought about in one round.

    Attributes:
        members: the group.
        gains: each agent's payoff as played minus without the coalition, in seat order.
        inside, outside: sums over members and over the others.
        effect: by the signs of both: cooperative (+,+), exploitative (+,-), sacrificial (-,+), destructive (-,-).
        effective: the members gained together.
        rational: no member lost.
        without: the joint action without the coalition.
        settled: the best replies came to rest; False means that the last of 100 sweeps was taken.
        outsiders: whether the others were held to what they did, or replied to the change.
    """

    members: tuple[int, ...]
    gains: tuple[Number, ...]
    inside: Number
    outside: Number
    effect: Effect
    effective: bool
    rational: bool
    without: Joint
    settled: bool
    outsiders: Outsiders


def group_effects(
    game: Game[S],
    state: S,
    joint: Joint,
    noise: Noise,
    *,
    baseline: Joint | None = None,
    groups: Sequence[Sequence[int]] | None = None,
    outsiders: Outsiders = "frozen",
    tolerance: float = 1e-9,
) -> tuple[GroupEffect, ...]:
    """The effect of every group of two or more, in one round.

    Args:
        game: the rules, bare or governed.
        state: what the round found.
        joint: what was played.
        noise: the luck of that round, the same in every counterfactual.
        baseline: what each agent does without a coalition; individual best replies if None.
        groups: the groups to look at; all of them, up to 12 agents, if None.
        outsiders: frozen at what they did, or replying.
        tolerance: what counts as no gain, relative to the largest payoff; only for payoffs in floats.

    Raises:
        ValueError: all groups of more than 12 agents.
    """
    n = game.agents
    if groups is None:
        if n > MAX_AGENTS:
            raise ValueError(f"every group of up to {MAX_AGENTS} agents is looked at; name the groups among {n}")
        groups = [group for size in range(2, n + 1) for group in combinations(range(n), size)]
    board = Board(game, state, noise)
    chosen, rested = [], []
    for group in groups:
        without, settled = _without(board, joint, tuple(group), baseline, outsiders)
        chosen.append(without)
        rested.append(settled)
    scores = board.score_joints([joint, *chosen])
    slack = tolerance * max(1.0, float(np.abs(scores.units).max())) if scores.units.dtype == np.float64 else 0
    found = []
    for place, group in enumerate(groups):
        gained = scores.units[0] - scores.units[place + 1]
        within = np.isin(np.arange(n), group)
        inside, outside = gained[within].sum(), gained[~within].sum()
        found.append(
            GroupEffect(
                members=tuple(sorted(group)),
                gains=tuple(scores.value(x) for x in gained),
                inside=tidy(scores.value(inside)),
                outside=tidy(scores.value(outside)) if n > len(group) else 0,
                effect=effect_of(inside, outside, slack),
                effective=bool(inside > slack),
                rational=bool((gained[within] >= -slack).all()),
                without=chosen[place],
                settled=rested[place],
                outsiders=outsiders,
            )
        )
    return tuple(found)


def effect_of(inside: Any, outside: Any, slack: float) -> Effect:  # Any: numpy scalars of the table's kind
    """The class of an effect by the signs of what members and outsiders gained."""
    signs = (int(inside > slack) - int(inside < -slack), int(outside > slack) - int(outside < -slack))
    known: dict[tuple[int, int], Effect] = {
        (1, 1): "cooperative",
        (1, -1): "exploitative",
        (-1, 1): "sacrificial",
        (-1, -1): "destructive",
    }
    return known.get(signs, "neutral")


def _without(
    board: Board[S], joint: Joint, group: tuple[int, ...], baseline: Joint | None, outsiders: Outsiders
) -> tuple[Joint, bool]:
    """What is played without the coalition, and whether the replies came to rest."""
    row = list(joint)
    if baseline is not None:
        for agent in group:
            row[agent] = baseline[agent]
    movers = [agent for agent in group if baseline is None]
    if outsiders == "reactive":
        movers += [agent for agent in range(board.n) if agent not in group]
    if not movers:
        return tuple(row), True
    for _ in range(_SWEEPS):
        before = list(row)
        for agent in sorted(movers):
            row[agent] = best_reply(board, row, agent)
        if row == before:
            return tuple(row), True
    return tuple(row), False


def best_reply(board: Board[S], row: list[Any], agent: int) -> Any:  # Any: an action
    """The agent's best reply; its present action if none is better, else the first of the best."""
    grid = board.grids[agent]
    if all(action in board.grids[seat] for seat, action in enumerate(row)):
        places = np.array(board.places(tuple(row)), dtype=np.int64)
        tried: NDArray[np.int64] = np.repeat(places[None, :], len(grid), axis=0)
        tried[:, agent] = np.arange(len(grid))
        scores = board.score(tried)
    else:
        scores = board.score_joints([(*row[:agent], action, *row[agent + 1 :]) for action in grid])
    best = scores.units[:, agent] >= scores.units[:, agent].max() - scores.slack
    if row[agent] in grid and best[grid.index(row[agent])]:
        return row[agent]
    return grid[int(np.argmax(best))]
