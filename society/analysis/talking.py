"""Who talks to whom in private: reciprocity and communities of the graph of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from society.analysis.worth import members
from society.core.exact import Number, tidy
from society.core.seeds import Noise

EXACT_AGENTS = 10
"""Up to how many agents the best of all partitions is found; above, Louvain's method proposes one."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The private channels of a stretch of talk.

    Attributes:
        messages: messages[i][j], from i to j; broadcasts do not count.
        reciprocity: sum of min(M_ij, M_ji) over sum of M_ij; None without private messages.
        modularity: of the best partition [LeichtNewman2008]_; None without private messages.
        partition: that partition.
        p: how often shuffled recipients give so much modularity, with the observed one added; None without messages.
        exact: the partition is the best of all.
        method: how p was made.
    """

    messages: tuple[tuple[int, ...], ...]
    reciprocity: Number | None
    modularity: Number | None
    partition: tuple[tuple[int, ...], ...]
    p: float | None
    exact: bool
    method: str


def private_channels(messages: Sequence[Sequence[int]], *, permutations: int = 199, seed: int = 0) -> Channels:
    """Communities in private talk, against talk whose senders choose recipients at random.

    The null keeps how much each agent sends and shuffles to whom, uniformly over the others.

    Args:
        messages: how many messages went from i to j. Characters would not do: they are not chosen one by one.
        permutations: how many shuffles.
        seed: of the shuffles.

    Raises:
        ValueError: the table is not square, or counts below 0.
    """
    table = np.array(messages, dtype=np.int64)
    n = len(table)
    if table.shape != (n, n) or (table < 0).any():
        raise ValueError(
            f"messages are counted from each agent to each, none below 0; not a table of shape {table.shape}"
        )
    np.fill_diagonal(table, 0)
    told = tuple(tuple(int(x) for x in row) for row in table)
    whole = int(table.sum())
    method = f"permutation test of the largest modularity, {permutations} shuffles of recipients"
    if not whole:
        return Channels(told, None, None, (), None, n <= EXACT_AGENTS, method)
    both = tidy(Fraction(int(np.minimum(table, table.T).sum()), whole))
    shuffled = _shuffled(table, permutations, seed)
    stack = np.concatenate([table[None], shuffled])
    if n <= EXACT_AGENTS:
        best, blocks = _best_partitions(_gains(stack))
        largest, partition = best, blocks
    else:
        found = [_louvain(one, seed) for one in stack]
        largest = np.array([quality for quality, _ in found])
        partition = found[0][1]
    p = float((1 + (largest[1:] >= largest[0]).sum()) / (permutations + 1))
    modularity = tidy(Fraction(int(largest[0]), whole * whole))
    return Channels(told, both, modularity, partition, p, n <= EXACT_AGENTS, method)


def _gains(stack: NDArray[np.int64]) -> NDArray[np.int64]:
    """The products m M_ij - k_i^out k_j^in for each table of a stack: whole numbers, m^2 times the modularity of a pair."""
    whole = stack.sum(axis=(1, 2))[:, None, None]
    return np.asarray(whole * stack - stack.sum(axis=2)[:, :, None] * stack.sum(axis=1)[:, None, :])


def _best_partitions(gains: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[tuple[int, ...], ...]]:
    """The largest modularity of any partition (times m^2) for each table, and the best partition of the first.

    A dynamic programme over subsets: the best partition of a set is its best block with the lowest member plus the best
    partition of the rest.
    """
    draws, n, _ = gains.shape
    block = np.zeros((1 << n, draws), dtype=np.int64)
    for mask in range(1, 1 << n):
        low = (mask & -mask).bit_length() - 1
        rest = list(members(mask & (mask - 1)))
        block[mask] = (
            block[mask & (mask - 1)]
            + gains[:, low, low]
            + gains[:, low, rest].sum(axis=1)
            + gains[:, rest, low].sum(axis=1)
        )
    best = np.zeros((1 << n, draws), dtype=np.int64)
    choice = [0] * (1 << n)
    for mask in range(1, 1 << n):
        low = mask & -mask
        others = mask ^ low
        sub = others
        best[mask] = block[low] + best[others]
        choice[mask] = low
        while sub:
            value = block[sub | low] + best[others ^ sub]
            if value[0] > best[mask, 0]:
                choice[mask] = sub | low
            np.maximum(best[mask], value, out=best[mask])
            sub = (sub - 1) & others
    blocks, left = [], (1 << n) - 1
    while left:
        blocks.append(members(choice[left]))
        left ^= choice[left]
    return best[-1], tuple(blocks)


def _louvain(table: NDArray[np.int64], seed: int) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """A good partition of a large graph and its modularity times m^2."""
    import networkx as nx

    graph = nx.from_numpy_array(table, create_using=nx.DiGraph)
    found = nx.community.louvain_communities(graph, weight="weight", seed=seed)
    gains = _gains(table[None])[0]
    blocks = tuple(sorted(tuple(sorted(int(agent) for agent in block)) for block in found))
    return int(sum(gains[np.ix_(block, block)].sum() for block in blocks)), blocks


def _shuffled(table: NDArray[np.int64], times: int, seed: int) -> NDArray[np.int64]:
    """Tables in which every sender's messages went to others drawn at random."""
    n = len(table)
    rng = np.random.default_rng(Noise(seed).bits("recipients"))
    result = np.zeros((times, n, n), dtype=np.int64)
    for sender in range(n):
        others = [agent for agent in range(n) if agent != sender]
        if others:
            sent = int(table[sender].sum())
            result[:, sender, others] = rng.multinomial(sent, [1 / len(others)] * len(others), size=times)
    return result
