"""Which coalition structures last, when each agent cares about who it is with [BogomolnaiaJackson2002]_."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from society.analysis.worth import members
from society.core.exact import Number

Places: TypeAlias = NDArray[np.int64]
Partition: TypeAlias = tuple[tuple[int, ...], ...]
"""Blocks in order of their smallest member, members ascending."""

MAX_AGENTS = 10
"""10 agents have 115,975 partitions."""


@dataclass(frozen=True, slots=True)
class StablePartitions:
    """All partitions that are stable in each sense, from strong to weak within a line.

    Attributes:
        nash: nobody would rather be in another block, or alone.
        individual: no such move that also hurts nobody in the new block.
        contractual: no such move that also hurts nobody left behind.
        core: no group would all rather be by itself.
        strict_core: no group would by itself be at least as well off in all, and better off in one member.
    """

    nash: list[Partition]
    individual: list[Partition]
    contractual: list[Partition]
    core: list[Partition]
    strict_core: list[Partition]


def stable_partitions(n: int, utility: Callable[[int, frozenset[int]], Number]) -> StablePartitions:
    """All stable partitions of a hedonic game, by looking at every partition.

    Args:
        n: how many agents, at most 10.
        utility: what an agent (first) thinks of being in a coalition (second, with itself in it); only its order counts.

    Raises:
        ValueError: too many agents.
    """
    if not 1 <= n <= MAX_AGENTS:
        raise ValueError(f"partitions are enumerated for 1 to {MAX_AGENTS} agents, not {n}")
    liking = _ranks(n, utility)
    homes = _all_partitions(n)
    content = np.take_along_axis(liking, homes, axis=0)
    moves = _Moves(liking, homes, content)
    return StablePartitions(
        nash=_told(homes[~moves.wanted]),
        individual=_told(homes[~moves.welcome]),
        contractual=_told(homes[~moves.harmless]),
        core=_told(homes[~_blocked(liking, content, strictly=True)]),
        strict_core=_told(homes[~_blocked(liking, content, strictly=False)]),
    )


def _all_partitions(n: int) -> Places:
    """All partitions, one a row: for each agent the mask of its block."""
    labels = np.zeros((1, 1), dtype=np.int64)
    for _ in range(n - 1):
        children = labels.max(axis=1) + 2
        parents = np.repeat(np.arange(len(labels)), children)
        own = np.arange(len(parents)) - np.repeat(np.cumsum(children) - children, children)
        labels = np.column_stack([labels[parents], own])
    homes = np.zeros_like(labels)
    for agent in range(n):
        homes += (labels == labels[:, [agent]]) << agent
    return homes


def _blocked(liking: Places, content: Places, *, strictly: bool) -> NDArray[np.bool_]:
    """Which partitions some group would leave: all of it for something better, or none for worse and one for better."""
    blocked = np.zeros(len(content), dtype=bool)
    left = np.arange(len(content))
    for mask in range(1, len(liking)):
        seats = list(members(mask))
        here, there = content[left][:, seats], liking[mask, seats]
        better, worse = there > here, there < here
        leave = better.all(axis=1) if strictly else better.any(axis=1) & ~worse.any(axis=1)
        if leave.any():
            blocked[left[leave]] = True
            left = left[~leave]
    return blocked


class _Moves:
    """Which partitions some agent would leave for another block or for none.

    Attributes:
        wanted: at all; welcome: without hurting anybody in the new block; harmless: nor anybody left behind.
    """

    def __init__(self, liking: Places, homes: Places, content: Places) -> None:
        self.liking = liking
        self.wanted, self.welcome, self.harmless = np.zeros((3, len(homes)), dtype=bool)
        n = homes.shape[1]
        for agent in range(n):
            bit = 1 << agent
            own, joins = homes[:, agent], self._hurt_by(bit)
            gone = self._hurt_by(-bit)[own]
            for block in (np.zeros_like(own), *(homes[:, other] for other in range(n) if other != agent)):
                joined = block | bit
                wants = (block != own) & (liking[joined, agent] > content[:, agent])
                welcome = wants & ~joins[block]
                self.wanted |= wants
                self.welcome |= welcome
                self.harmless |= welcome & ~gone

    def _hurt_by(self, change: int) -> NDArray[np.bool_]:
        """For every group, whether one of its members (the mover aside) likes it less with an agent more, or less."""
        hurt = np.zeros(len(self.liking), dtype=bool)
        bit = abs(change)
        for mask in range(len(hurt)):
            if bool(mask & bit) == (change < 0):
                seats = list(members(mask & ~bit))
                hurt[mask] = (self.liking[mask ^ bit, seats] < self.liking[mask, seats]).any()
        return hurt


def _told(homes: Places) -> list[Partition]:
    return [tuple(members(int(block)) for block in dict.fromkeys(row.tolist())) for row in homes]


def _ranks(n: int, utility: Callable[[int, frozenset[int]], Number]) -> Places:
    """Utilities as ranks, by coalition and agent: comparing them is exact whatever numbers they were."""
    ranks = np.zeros((1 << n, n), dtype=np.int64)
    for agent in range(n):
        masks = [mask for mask in range(1 << n) if mask >> agent & 1]
        values = {mask: utility(agent, frozenset(members(mask))) for mask in masks}
        order = {value: rank for rank, value in enumerate(sorted(set(values.values())))}
        for mask in masks:
            ranks[mask, agent] = order[values[mask]]
    return ranks
