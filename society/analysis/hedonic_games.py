"""Which coalition structures last, when each agent cares about who it is with [BogomolnaiaJackson2002]_."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from society.analysis.worth import members, partitions
from society.core.exact import Number

Partition: TypeAlias = tuple[tuple[int, ...], ...]
"""Blocks in order of their smallest member, members ascending."""

MAX_AGENTS = 10
"""10 agents have 115,975 partitions."""


@dataclass(slots=True)
class StablePartitions:
    """All partitions that are stable in each sense, from strong to weak within a line.

    Attributes:
        nash: nobody would rather be in another block, or alone.
        individual: no such move that also hurts nobody in the new block.
        contractual: no such move that also hurts nobody left behind.
        core: no group would all rather be by itself.
        strict_core: no group would by itself be at least as well off in all, and better off in one member.
    """

    nash: list[Partition] = field(default_factory=list)
    individual: list[Partition] = field(default_factory=list)
    contractual: list[Partition] = field(default_factory=list)
    core: list[Partition] = field(default_factory=list)
    strict_core: list[Partition] = field(default_factory=list)


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
    inside = np.array([[mask >> agent & 1 for agent in range(n)] for mask in range(1 << n)], dtype=bool)
    found = StablePartitions()
    for blocks in partitions(n):
        home = [next(block for block in blocks if block >> agent & 1) for agent in range(n)]
        content = np.array([liking[home[agent], agent] for agent in range(n)])
        shape = tuple(members(block) for block in blocks)
        better = liking > content
        if not ((better | ~inside).all(axis=1) & inside.any(axis=1)).any():
            found.core.append(shape)
        no_worse = ((liking >= content) | ~inside).all(axis=1)
        if not (no_worse & (better & inside).any(axis=1)).any():
            found.strict_core.append(shape)
        nash, individual, contractual = _moves(n, liking, blocks, home)
        if nash:
            found.nash.append(shape)
        if individual:
            found.individual.append(shape)
        if contractual:
            found.contractual.append(shape)
    return found


def _moves(n: int, liking: NDArray[np.int64], blocks: tuple[int, ...], home: list[int]) -> tuple[bool, bool, bool]:
    """Whether the partition survives all moves, those that hurt nobody joined, and those that hurt nobody at all."""
    nash = individual = contractual = True
    for agent in range(n):
        own = home[agent]
        for block in (*blocks, 0):
            joined = block | 1 << agent
            if block == own or liking[joined, agent] <= liking[own, agent]:
                continue
            nash = False
            if any(liking[joined, other] < liking[block, other] for other in members(block)):
                continue
            individual = False
            left = own & ~(1 << agent)
            contractual &= any(liking[left, other] < liking[own, other] for other in members(left))
    return nash, individual, contractual


def _ranks(n: int, utility: Callable[[int, frozenset[int]], Number]) -> NDArray[np.int64]:
    """Utilities as ranks, by coalition and agent: comparing them is exact whatever numbers they were."""
    ranks = np.zeros((1 << n, n), dtype=np.int64)
    for agent in range(n):
        masks = [mask for mask in range(1 << n) if mask >> agent & 1]
        values = {mask: utility(agent, frozenset(members(mask))) for mask in masks}
        order = {value: rank for rank, value in enumerate(sorted(set(values.values())))}
        for mask in masks:
            ranks[mask, agent] = order[values[mask]]
    return ranks
