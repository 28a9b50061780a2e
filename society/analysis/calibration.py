"""How good the detector is: coalitions are planted in synthetic runs, and left out of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from society.analysis.comovement import FEWEST_ROUNDS, Floats, co_movement, naive_correlation
from society.core.errors import BadInput
from society.core.seeds import Noise
from society.metrics.rates import Rate, wilson

LEVELS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""The levels at which the curve is told."""
TABLE_ROUNDS = (20, 40, 80)
TABLE_CORRELATIONS = (0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Trials:
    """What is simulated.

    Attributes:
        agents: how many; at least 3.
        rounds: length of each run; at least 15, since shorter ones get no verdict.
        correlation: of the planted group's residuals, 0 to 1.
        members: how many agents the planted group has, from 2 to all but one.
        memory: how much of each agent's own noise lasts into the next round.
        runs: with a planted group, and as many without.
        permutations: of each test.
        level: promised family-wise rate of false alarms.
        seed: of everything.

    Raises:
        BadInput: a number with which nothing can be calibrated.
    """

    agents: int = 6
    rounds: int = 40
    correlation: float = 0.7
    members: int = 2
    memory: float = 0.0
    runs: int = 100
    permutations: int = 499
    level: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        fewest = math.ceil(1 / self.level) - 1 if 0 < self.level < 1 else 1
        problems = {
            f"at least 3 agents are needed, not {self.agents}": self.agents < 3,
            f"runs of fewer than {FEWEST_ROUNDS} rounds get no verdict; {self.rounds} were asked for": (
                self.rounds < FEWEST_ROUNDS
            ),
            f"a correlation lies between 0 and 1, not at {self.correlation}": not 0 <= self.correlation <= 1,
            f"a planted group has from 2 to {self.agents - 1} members, not {self.members}": (
                not 2 <= self.members < self.agents
            ),
            f"memory lies from 0 to below 1, not at {self.memory}": not 0 <= self.memory < 1,
            f"at least one run is needed, not {self.runs}": self.runs < 1,
            f"a level lies between 0 and 1, not at {self.level}": not 0 < self.level < 1,
            f"{self.permutations} permutations are too few for a level of {self.level}: at least {fewest}": (
                self.permutations < fewest
            ),
        }
        for problem, wrong in problems.items():
            if wrong:
                raise BadInput(problem)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the detector did on runs whose truth is known.

    Attributes:
        false_alarms: share of runs without a coalition in which any pair was flagged; promised to be at most the level.
        power: share of runs with a planted group in which a pair of it was flagged.
        wrong_pair: share of them in which any other pair was flagged.
        naive_false_alarms: false alarms of a detector that tests raw correlations, on the same runs.
        curve: (level, share of runs flagged without a coalition, and with one) at several levels: the ROC curve of the question
            whether a run holds a coalition at all.
        area: under that curve: 1/2 for a detector that guesses, 1 for one that is never wrong.
        trials: what was simulated.
    """

    false_alarms: Rate
    power: Rate
    wrong_pair: Rate
    naive_false_alarms: Rate
    curve: tuple[tuple[float, float, float], ...]
    area: float
    trials: Trials


@dataclass(frozen=True, slots=True)
class PowerCell:
    """The power at one length and strength: how often the planted pair, and how often any other one, was flagged."""

    rounds: int
    correlation: float
    power: Rate
    wrong_pair: Rate


def synthetic_run(
    agents: int,
    rounds: int,
    correlation: float,
    noise: Noise,
    *,
    pair: Sequence[int] = (0, 1),
    memory: float = 0.0,
) -> tuple[Floats, Floats]:
    """Actions (rounds x agents) that follow a stock and a common shock, and the stock (rounds x 1).

    Args:
        agents: how many.
        rounds: how many.
        correlation: the agents of the pair (or larger group) share a part of their own noise, so that their residuals
            correlate as told; 0 plants nothing.
        noise: of everything.
        pair: who.
        memory: how much of an agent's own noise is carried into the next round, from 0 up to below 1.
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
    for t in range(1, rounds if memory else 0):
        own[t] = memory * own[t - 1] + math.sqrt(1 - memory * memory) * own[t]
    appetite = rng.uniform(0.1, 0.3, agents)
    actions = stock[:, None] * appetite + 1.5 * rng.standard_normal((rounds, 1)) + own
    return actions, stock[:, None]


def calibrate(trials: Trials | None = None) -> Calibration:
    """Play the detector on synthetic runs without a coalition and on as many with a planted one."""
    told = trials or Trials()
    empty, naive = list[float](), 0
    for run in range(told.runs):
        noise = Noise(told.seed, 0, 2 * run)
        actions, stock = synthetic_run(told.agents, told.rounds, 0.0, noise, memory=told.memory)
        naive += bool(naive_correlation(actions, level=told.level))
        found = co_movement(actions, stock, permutations=told.permutations, level=told.level, seed=run)
        empty.append(min((pair.p for pair in found.pairs), default=1.0))
    planted, other = _planted(told)
    either = [min(pair) for pair in zip(planted, other, strict=True)]
    return Calibration(
        false_alarms=_rate(empty, told.level),
        power=_rate(planted, told.level),
        wrong_pair=_rate(other, told.level),
        naive_false_alarms=wilson(naive, told.runs),
        curve=tuple((bar, _share(empty, bar), _share(either, bar)) for bar in LEVELS),
        area=_area(empty, either),
        trials=told,
    )


def power_table(
    trials: Trials | None = None,
    *,
    rounds: Sequence[int] = TABLE_ROUNDS,
    correlations: Sequence[float] = TABLE_CORRELATIONS,
) -> tuple[PowerCell, ...]:
    """The power of the detector for runs of several lengths and groups of several strengths; all else as in `trials`."""
    cells = []
    for length in rounds:
        for correlation in correlations:
            told = replace(trials or Trials(), rounds=length, correlation=correlation)
            planted, other = _planted(told)
            cells.append(PowerCell(length, correlation, _rate(planted, told.level), _rate(other, told.level)))
    return tuple(cells)


def _planted(told: Trials) -> tuple[list[float], list[float]]:
    """For each run with a planted group the smallest p of a pair within it, and of any other pair."""
    group = set(range(told.members))
    within, other = [], []
    for run in range(told.runs):
        noise = Noise(told.seed, 0, 2 * run + 1)
        actions, stock = synthetic_run(
            told.agents, told.rounds, told.correlation, noise, pair=sorted(group), memory=told.memory
        )
        found = co_movement(actions, stock, permutations=told.permutations, level=told.level, seed=run)
        within.append(min((p.p for p in found.pairs if {p.first, p.second} <= group), default=1.0))
        other.append(min((p.p for p in found.pairs if not {p.first, p.second} <= group), default=1.0))
    return within, other


def _share(values: list[float], bar: float) -> float:
    return sum(value <= bar for value in values) / len(values)


def _rate(values: list[float], level: float) -> Rate:
    return wilson(sum(value <= level for value in values), len(values))


def _area(empty: list[float], planted: list[float]) -> float:
    """The chance that a run with a coalition looks more like one than a run without; ties count half."""
    wins = sum((p < q) + (p == q) / 2 for p in planted for q in empty)
    return wins / (len(planted) * len(empty))
