"""Acting together without saying so: co-movement beyond what everybody sees, with a controlled rate of false alarms.

All agents of a commons follow the same stock, so that raw correlations flag a coalition almost always. Here the state is
regressed out first, common shocks are taken out, and the largest correlation of all pairs is compared with what
permutations of the residuals give [FreedmanLane1983]_ [WestfallYoung1993]_ [PhipsonSmyth2010]_:

    1  H = I - D (D'D)^-1 D',  D = [1, state features]
    2  residuals e_i = H a_i
    3  C_ij = correlation of e_i and e_j, after the mean over agents is taken out of each round
    4  B times: permute each e_i over rounds, apply H again, take out round means, keep the largest correlation m_b
    5  p_ij = (1 + number of b with m_b >= C_ij) / (B + 1)
    6  flag pairs with p_ij <= level; groups are the connected components
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from society.core.seeds import Noise

Floats: TypeAlias = NDArray[np.float64]

FEWEST_ROUNDS = 15
"""Shorter runs get no verdict: nothing could be found in them."""
AUTOCORRELATED = 0.2
_NOTHING = 1e-12

Verdict = Literal["flagged", "nothing flagged", "no verdict"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two agents and how much they move together; `p` is adjusted for looking at all pairs."""

    first: int
    second: int
    correlation: float
    p: float


@dataclass(frozen=True, slots=True)
class CoMovement:
    """The result of the test.

    Attributes:
        verdict: "nothing flagged" is no evidence of absence, and "no verdict" says that the test cannot be made.
        pairs: all pairs whose correlation is defined, the strongest first.
        groups: connected components of the flagged pairs.
        level: the family-wise rate of false alarms that is promised.
        rounds: how many there were.
        method: how the p-values were made.
        bar: the correlation a pair must reach to be flagged in this run; None without a verdict, and for other scores.
        note: why there is no verdict, or what an empty result is worth.
    """

    verdict: Verdict
    pairs: tuple[Pair, ...]
    groups: tuple[tuple[int, ...], ...]
    level: float
    rounds: int
    method: str
    note: str
    bar: float | None = None

    def power(self, correlation: float, agents: int) -> float | None:
        """About how likely a run like this one flags a pair whose residuals correlate so much.

        Taking out the mean over agents changes a correlation; what is left of it is compared with the bar by Fisher's z.
        """
        if self.bar is None:
            return None
        shared = 2 * (1 + correlation) / agents - (agents + 2 * correlation) / agents**2
        seen = (correlation - shared) / (1 - shared)
        distance = math.atanh(min(seen, 0.999)) - math.atanh(min(self.bar, 0.999))
        return NormalDist().cdf(distance * math.sqrt(max(1, self.rounds - 4)))


def co_movement(
    actions: ArrayLike,
    features: ArrayLike | None = None,
    *,
    permutations: int = 999,
    level: float = 0.05,
    seed: int = 0,
) -> CoMovement:
    """Which agents move together beyond what the state explains.

    Args:
        actions: one row a round, one column an agent.
        features: one row a round: what all could see (stock, rule in force, ...); a constant is added.
        permutations: how many.
        level: family-wise rate of false alarms over all pairs.
        seed: of the permutations; the same data and seed give the same result.

    Raises:
        ValueError: actions that are no table, features of another length, or numbers that are not finite.
    """
    moves = _checked(actions, features)
    rounds, n = moves.shape
    method = f"max-T permutation test of residual correlations, {permutations} permutations"
    if rounds < FEWEST_ROUNDS or n < 3:
        why = f"{rounds} rounds are too few (at least {FEWEST_ROUNDS})" if n >= 3 else "at least 3 agents are needed"
        return CoMovement("no verdict", (), (), level, rounds, method, why)
    hat, residuals, block, carried = _residuals(moves, features)
    moving = residuals.std(axis=0) > _NOTHING * np.maximum(1.0, np.abs(moves).max(axis=0))
    if moving.sum() < 3:
        note = "fewer than 3 agents do anything that the state does not explain"
        return CoMovement("no verdict", (), (), level, rounds, method, note)
    seats = np.flatnonzero(moving)
    residuals = residuals[:, seats]
    observed = _correlations(_without_shocks(residuals)[None])[0]
    if block > 1:
        method += f", blocks of {block} rounds, {carried:.2f} of each residual taken out of the next"
    shuffled = hat @ _permuted(residuals, permutations, block, seed)
    upper = np.triu_indices(len(seats), 1)
    largest = _correlations(_without_shocks(shuffled))[:, upper[0], upper[1]].max(axis=1)
    pairs = [
        Pair(
            int(seats[i]),
            int(seats[j]),
            float(observed[i, j]),
            float((1 + (largest >= observed[i, j]).sum()) / (permutations + 1)),
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
        bar=float(np.sort(largest)[-max(1, int(level * (permutations + 1)))]),
    )


def _checked(actions: ArrayLike, features: ArrayLike | None) -> Floats:
    moves = np.asarray(actions, dtype=np.float64)
    if moves.ndim != 2:
        raise ValueError(f"actions are a table of rounds by agents, not of shape {moves.shape}")
    known = np.zeros((len(moves), 1)) if features is None else np.asarray(features, dtype=np.float64)
    if known.ndim == 0 or len(known) != len(moves):
        raise ValueError(f"features are needed for each of the {len(moves)} rounds, not of shape {known.shape}")
    if not (np.isfinite(moves).all() and np.isfinite(known).all()):
        raise ValueError("actions and features have to be finite numbers")
    return moves


def naive_correlation(actions: ArrayLike, *, level: float = 0.05) -> tuple[tuple[int, int], ...]:
    """What a detector flags that tests the raw correlation of every pair (with Bonferroni's correction).

    It is here to be compared with: agents that follow the same stock are correlated without any coalition.
    """
    from scipy.stats import t as student

    moves = np.asarray(actions, dtype=np.float64)
    rounds, n = moves.shape
    found = []
    for i in range(n):
        for j in range(i + 1, n):
            if min(moves[:, i].std(), moves[:, j].std()) < _NOTHING:
                continue
            r = float(np.corrcoef(moves[:, i], moves[:, j])[0, 1])
            bar = r * np.sqrt((rounds - 2) / max(_NOTHING, 1 - r * r))
            if float(student.sf(bar, rounds - 2)) * n * (n - 1) / 2 <= level:
                found.append((i, j))
    return tuple(found)


def _residuals(moves: Floats, features: ArrayLike | None) -> tuple[Floats, Floats, int, float]:
    """The residual maker, the residuals, the length of blocks to permute, and how much of a residual was taken out of the next.

    Residuals that depend on the round before cannot be shuffled freely. Short blocks alone keep too little of a long
    memory, so that first both sides of the regression are freed of it [CochraneOrcutt1949]_. What all share is looked
    through: a common shock without memory hides that of the agents.
    """
    rounds = len(moves)
    design = np.ones((rounds, 1))
    if features is not None:
        design = np.hstack([design, np.asarray(features, dtype=np.float64).reshape(rounds, -1)])
    hat = _residual_maker(design)
    residuals = hat @ moves
    lag = _autocorrelation(_without_shocks(residuals))
    if lag <= AUTOCORRELATED:
        return hat, residuals, 1, 0.0
    # estimated from few rounds it is too small, by about (1 + 3 lag) / rounds [MarriottPope1954]_
    carried = min(0.95, lag + (1 + 3 * lag) / rounds)
    hat = _residual_maker(design[1:] - carried * design[:-1])
    return hat, hat @ (moves[1:] - carried * moves[:-1]), max(2, round(rounds ** (1 / 3))), carried


def _residual_maker(design: Floats) -> Floats:
    """The matrix that takes out what a design explains."""
    return np.asarray(np.eye(len(design)) - design @ np.linalg.pinv(design))


def _without_shocks(series: Floats) -> Floats:
    """Less the mean over agents, round by round, for one table (rounds x agents) or a stack of them."""
    return np.asarray(series - series.mean(axis=-1, keepdims=True))


def _autocorrelation(residuals: Floats) -> float:
    """How much residuals depend on the round before, over all agents that move at all."""
    head, tail = residuals[:-1], residuals[1:]
    length = (residuals**2).sum(axis=0)
    moving = length > _NOTHING
    return float(((head * tail).sum(axis=0)[moving] / length[moving]).mean()) if moving.any() else 0.0


def components(edges: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """The connected groups of a graph."""
    groups: list[set[int]] = []
    for edge in edges:
        touched = [group for group in groups if group & set(edge)]
        groups = [group for group in groups if not group & set(edge)]
        groups.append(set(edge).union(*touched))
    return tuple(sorted(tuple(sorted(group)) for group in groups))


def _correlations(series: Floats) -> Floats:
    """Correlations of the columns of each (rounds x agents) table of a stack."""
    centred = series - series.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1))
    unit = centred / np.maximum(length, _NOTHING)[:, None, :]
    return np.asarray(np.swapaxes(unit, 1, 2) @ unit)


def _permuted(residuals: Floats, times: int, block: int, seed: int) -> Floats:
    """Each agent's residuals in random order of rounds (of blocks of rounds), independently of the others."""
    rounds, n = residuals.shape
    rng = np.random.default_rng(Noise(seed).bits("co-movement"))
    if block == 1:
        return rng.permuted(np.broadcast_to(residuals, (times, rounds, n)).copy(), axis=1)
    result = np.empty((times, rounds, n))
    for k in range(times):
        for agent in range(n):
            turned = np.roll(residuals[:, agent], rng.integers(rounds))
            blocks = [turned[start : start + block] for start in range(0, rounds, block)]
            result[k, :, agent] = np.concatenate([blocks[b] for b in rng.permutation(len(blocks))])
    return result
