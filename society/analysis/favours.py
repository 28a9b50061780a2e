"""Who does what for whom: mutual favouritism in targeted acts, and the collusion table of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from society.analysis.comovement import CoMovement, Floats, Pair, components
from society.analysis.effects import best_reply
from society.core.actions import Action, Joint
from society.core.exact import Number, tidy
from society.core.mechanism import Game
from society.core.seeds import Noise
from society.rulers.scores import Board

S = TypeVar("S")


def favouritism(acts: ArrayLike, *, permutations: int = 999, level: float = 0.05, seed: int = 0) -> CoMovement:
    """Which pairs favour each other in transfers, votes or waived sanctions.

    f_ij is what i did for j less the mean of what it did for the others; a pair's score is the smaller of f_ij and f_ji.
    The largest score of all pairs is compared with what it is when each actor's targets are shuffled within each round.

    Args:
        acts: shape (rounds, n, n): how much i did for j in a round; the diagonal is ignored.
        permutations: how many.
        level: family-wise rate of false alarms.
        seed: of the permutations.

    Raises:
        ValueError: acts of another shape, or numbers that are not finite.
    """
    table = np.array(acts, dtype=np.float64)
    if table.ndim != 3 or table.shape[1] != table.shape[2] or not np.isfinite(table).all():
        raise ValueError(f"acts are finite numbers by round, giver and receiver, not of shape {table.shape}")
    rounds, n, _ = table.shape
    method = f"max-T permutation test of mutual favours, {permutations} permutations of targets"
    if n < 3 or not rounds:
        return CoMovement("no verdict", (), (), level, rounds, method, "at least 3 agents and a round are needed")
    table[:, np.arange(n), np.arange(n)] = 0
    if not table.any():
        return CoMovement("no verdict", (), (), level, rounds, method, "nobody did anything for anybody")
    observed = mutual_favours(table.sum(axis=0))
    others = np.array([[j for j in range(n) if j != i] for i in range(n)])
    upper = np.triu_indices(n, 1)
    rng = np.random.default_rng(Noise(seed).bits("favouritism"))
    given = np.take_along_axis(table, np.broadcast_to(others, (rounds, n, n - 1)), axis=2)
    largest = np.empty(permutations)
    for k in range(permutations):
        total = np.zeros((n, n))
        np.put_along_axis(total, others, rng.permuted(given, axis=2).sum(axis=0), axis=1)
        largest[k] = mutual_favours(total)[upper].max()
    close = 1e-12 * max(1.0, float(np.abs(observed).max()))
    pairs = [
        Pair(
            int(i),
            int(j),
            float(observed[i, j]),
            float((1 + (largest >= observed[i, j] - close).sum()) / (permutations + 1)),
        )
        for i, j in zip(*upper, strict=True)
    ]
    flagged = [(pair.first, pair.second) for pair in pairs if pair.p <= level]
    return CoMovement(
        verdict="flagged" if flagged else "nothing flagged",
        pairs=tuple(sorted(pairs, key=lambda pair: (pair.p, -pair.correlation))),
        groups=components(flagged),
        level=level,
        rounds=rounds,
        method=method,
        note="" if flagged else "no evidence of a coalition is not evidence of none",
    )


def mutual_favours(total: Floats) -> Floats:
    """min(f_ij, f_ji) with f_ij = x_ij - mean of x_ik over the other k, for sums of acts over rounds."""
    n = len(total)
    row = total.sum(axis=1, keepdims=True)
    favour = total - (row - total) / (n - 2)
    return np.asarray(np.minimum(favour, favour.T))


@dataclass(frozen=True, slots=True)
class CollusionTable:
    """What each agent's choices did to each other one [Mazrooei2013]_.

    Attributes:
        effects: effects[i][j] = sum over rounds of u_j as played minus u_j had i taken its baseline action.
        suspects: pairs that helped each other while their choices cost the outsiders.
    """

    effects: tuple[tuple[Number, ...], ...]
    suspects: tuple[tuple[int, int], ...]


def collusion_table(
    game: Game[S],
    rounds: Sequence[tuple[S, Joint, Noise]],
    baseline: Sequence[Sequence[Action]] | None = None,
) -> CollusionTable:
    """The collusion table of an episode; it assumes no pattern and asks the rules.

    Args:
        game: the rules.
        rounds: the state each round found, what was played, and its luck.
        baseline: for each round what each agent would do otherwise, such as its mean action in that state; the best reply
            to what the others did if None, which is what it did where nothing would have been better for it.
    """
    n = game.agents
    sums: list[list[Number]] = [[0] * n for _ in range(n)]
    for number, (state, joint, noise) in enumerate(rounds):
        board = Board(game, state, noise)
        plain = [best_reply(board, list(joint), i) if baseline is None else baseline[number][i] for i in range(n)]
        joints = [joint, *((*joint[:i], plain[i], *joint[i + 1 :]) for i in range(n))]
        scores = board.score_joints(joints)
        for i in range(n):
            for j, gain in enumerate(scores.units[0] - scores.units[i + 1]):
                sums[i][j] = tidy(sums[i][j] + scores.value(gain))
    suspects = []
    for i in range(n):
        for j in range(i + 1, n):
            outside = sum(sums[i][k] + sums[j][k] for k in range(n) if k not in {i, j})
            if min(sums[i][j], sums[j][i]) > 0 and outside < 0:
                suspects.append((i, j))
    return CollusionTable(tuple(map(tuple, sums)), tuple(suspects))
