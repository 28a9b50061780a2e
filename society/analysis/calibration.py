"""How good the detector is: coalitions are planted in synthetic runs, and left out of others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from society.analysis.comovement import Floats, co_movement, naive_correlation
from society.core.seeds import Noise
from society.metrics.rates import Rate, wilson


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the detector did on runs whose truth is known.

    Attributes:
        false_alarms: share of runs without a coalition in which any pair was flagged; promised to be at most the level.
        power: share of runs with a planted pair in which that pair was flagged.
        wrong_pair: share of them in which any other pair was flagged.
        naive_false_alarms: false alarms of a detector that tests raw correlations, on the same runs.
        curve: (level, share of false alarms, power) at several levels: the ROC curve.
        agents, rounds, correlation: what was simulated.
    """

    false_alarms: Rate
    power: Rate
    wrong_pair: Rate
    naive_false_alarms: Rate
    curve: tuple[tuple[float, float, float], ...]
    agents: int
    rounds: int
    correlation: float


def synthetic_run(
    agents: int, rounds: int, correlation: float, noise: Noise, *, pair: tuple[int, int] = (0, 1)
) -> tuple[Floats, Floats]:
    """Actions (rounds x agents) that follow a stock and a common shock, and the stock (rounds x 1).

    The agents of the pair share a part of their own noise so that their residuals correlate as told; 0 plants nothing.
    """
    rng = np.random.default_rng(noise.bits("synthetic run"))
    stock = np.empty(rounds)
    level = 50.0
    for t in range(rounds):
        stock[t] = level
        level = 50 + 0.7 * (level - 50) + 8 * rng.standard_normal()
    own = rng.standard_normal((rounds, agents))
    shared = rng.standard_normal(rounds)
    for agent in pair:
        own[:, agent] = math.sqrt(1 - correlation) * own[:, agent] + math.sqrt(correlation) * shared
    appetite = rng.uniform(0.1, 0.3, agents)
    actions = stock[:, None] * appetite + 1.5 * rng.standard_normal((rounds, 1)) + own
    return actions, stock[:, None]


def calibrate(
    *,
    agents: int = 6,
    rounds: int = 40,
    correlation: float = 0.7,
    runs: int = 100,
    permutations: int = 499,
    level: float = 0.05,
    seed: int = 0,
) -> Calibration:
    """Play the detector on `runs` synthetic runs without a coalition and as many with a planted pair.

    Args:
        agents: how many; at least 3.
        rounds: length of each run.
        correlation: of the planted pair's residuals, 0 to 1.
        runs: of either kind.
        permutations: of each test.
        level: promised family-wise rate of false alarms.
        seed: of everything.
    """
    empty, planted, other, naive = [], [], [], 0
    for run in range(runs):
        actions, stock = synthetic_run(agents, rounds, 0.0, Noise(seed, 0, 2 * run))
        naive += bool(naive_correlation(actions, level=level))
        found = co_movement(actions, stock, permutations=permutations, level=level, seed=run)
        empty.append(min((pair.p for pair in found.pairs), default=1.0))
        actions, stock = synthetic_run(agents, rounds, correlation, Noise(seed, 0, 2 * run + 1))
        found = co_movement(actions, stock, permutations=permutations, level=level, seed=run)
        planted.append(min((pair.p for pair in found.pairs if (pair.first, pair.second) == (0, 1)), default=1.0))
        other.append(min((pair.p for pair in found.pairs if (pair.first, pair.second) != (0, 1)), default=1.0))

    def share(values: list[float], bar: float) -> float:
        return sum(value <= bar for value in values) / runs

    bars = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
    return Calibration(
        false_alarms=wilson(sum(p <= level for p in empty), runs),
        power=wilson(sum(p <= level for p in planted), runs),
        wrong_pair=wilson(sum(p <= level for p in other), runs),
        naive_false_alarms=wilson(naive, runs),
        curve=tuple((bar, share(empty, bar), share(planted, bar)) for bar in bars),
        agents=agents,
        rounds=rounds,
        correlation=correlation,
    )
