"""How strong a social dilemma is: what it pays to defect, and how much transfer or concern for others would end it.

Schelling diagram      payoff of a cooperator and of a defector, by how many others cooperate [Schelling1973]_
greed, fear            [MacyFlache2002]_
self-interest level    how much of its own payoff each may keep so that cooperation is dominant [Willis2024]_
selfishness level      how much concern for welfare makes an optimum an equilibrium [AptSchaefer2014]_
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from society.core.actions import Action, Joint
from society.core.arrays import np
from society.core.exact import Number, tidy
from society.rulers.best import enumerated, optimal_rows
from society.rulers.equilibria import reply_rows
from society.rulers.scores import Board

S = TypeVar("S")

MAX_SUBSETS = 12
"""Up to how many unlike agents all groups of cooperators are tried."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A number of a game; None where there is none, and `how` says why.

    Attributes:
        exact: False when the number is only a bound or an estimate.
    """

    value: Number | None
    exact: bool = True
    how: str = ""


@dataclass(frozen=True, slots=True)
class Schelling:
    """The Schelling diagram of a game at its two poles [Schelling1973]_.

    Attributes:
        cooperation, defection: the two actions.
        cooperator, defector: R_c(k) and R_d(k): mean payoff of one who cooperates (defects) when k others cooperate,
            k = 0..n-1; over all agents and groups of others where seats differ.
    """

    cooperation: Action
    defection: Action
    cooperator: tuple[Number, ...]
    defector: tuple[Number, ...]

    @property
    def greed(self) -> Number:
        """What it pays to be the only one who defects: R_d(n-1) - R_c(n-1); T - R for two."""
        return tidy(self.defector[-1] - self.cooperator[-1])

    @property
    def fear(self) -> Number:
        """What it costs to be the only one who cooperates: R_d(0) - R_c(0); P - S for two."""
        return tidy(self.defector[0] - self.cooperator[0])

    @property
    def is_dilemma(self) -> bool:
        """All cooperating beats all defecting and being the only cooperator, yet greed or fear is positive.

        For two agents also 2R > T + S, so that taking turns does not beat cooperation [MacyFlache2002]_.
        """
        together, alone, none = self.cooperator[-1], self.cooperator[0], self.defector[0]
        turns = len(self.cooperator) != 2 or 2 * together > self.defector[1] + alone
        return together > none and together > alone and turns and (self.greed > 0 or self.fear > 0)

    @property
    def risk_dominant(self) -> Action | None:
        """For two agents: the pole that does better against one who does either with even chances [Han2020]_.

        None for more agents, or if both do equally well.
        """
        good, bad = sum(self.cooperator), sum(self.defector)
        if len(self.cooperator) != 2 or good == bad:
            return None
        return self.cooperation if good > bad else self.defection

    @property
    def grim_discount(self) -> Number | None:
        """Smallest discount factor at which grim trigger sustains cooperation: (T-R)/(T-P), at least 0.

        None if punishment by mutual defection does not hurt a defector (T <= P).
        """
        tempted = self.defector[-1] - self.defector[0]
        if self.greed <= 0:
            return 0
        return tidy(Fraction(self.greed) / Fraction(tempted)) if tempted > self.greed else None

    @property
    def tit_for_tat_discount(self) -> Number | None:
        """The same for tit for tat, for two agents: max((T-R)/(T-P), (T-R)/(R-S)); None for more, or if P < S."""
        if len(self.cooperator) != 2 or self.fear < 0 or self.grim_discount is None:
            return None
        lost = self.cooperator[1] - self.cooperator[0]
        if self.greed <= 0:
            return 0
        return max(self.grim_discount, tidy(Fraction(self.greed) / Fraction(lost))) if lost > 0 else None


def schelling(board: Board[S], poles: tuple[Action, Action]) -> Schelling:
    """The diagram between two actions.

    Raises:
        ValueError: seats differ and there are too many of them to try every group.
    """
    table = by_group(board, poles)
    by_count: dict[tuple[bool, int], list[Number]] = {}
    for group, scores in table.items():
        for agent, score in enumerate(scores):
            inside = agent in group
            by_count.setdefault((inside, len(group) - inside), []).append(score)
    means = {key: tidy(sum(values) / Fraction(len(values))) for key, values in by_count.items()}
    return Schelling(
        cooperation=poles[0],
        defection=poles[1],
        cooperator=tuple(means[True, k] for k in range(board.n)),
        defector=tuple(means[False, k] for k in range(board.n)),
    )


def by_group(board: Board[S], poles: tuple[Action, Action]) -> dict[frozenset[int], tuple[Number, ...]]:
    """Scores of all, by the group that cooperates; where seats are alike, one group of each size."""
    n = board.n
    if board.symmetric:
        groups = [frozenset(range(size)) for size in range(n + 1)]
    elif n <= MAX_SUBSETS:
        groups = [frozenset(g) for size in range(n + 1) for g in itertools.combinations(range(n), size)]
    else:
        raise ValueError(f"the {n} agents differ; groups of cooperators are tried up to {MAX_SUBSETS} agents")
    joints: list[Joint] = [tuple(poles[0] if agent in group else poles[1] for agent in range(n)) for group in groups]
    scores = board.score_joints(joints)
    return {group: tuple(map(scores.value, row)) for group, row in zip(groups, scores.units, strict=True)}


def self_interest_level(board: Board[S], poles: tuple[Action, Action]) -> Finding:
    """s*: the largest share of its own payoff each may keep, the rest going to the others in equal parts, so that
    cooperation is weakly dominant [Willis2024]_.

    Between 1/n and 1; 1 means that there is no dilemma. None if no share does it. Exact: an intersection of intervals.
    """
    n = board.n
    table = by_group(board, poles)
    low, high = Fraction(1, n), Fraction(1)
    for group, scores in table.items():
        for agent in sorted(set(range(n)) - group):
            if board.symmetric and agent != max(group, default=-1) + 1:
                continue
            joined = table[group | {agent}]
            own = Fraction(joined[agent]) - Fraction(scores[agent])
            rest = sum((Fraction(joined[j]) - Fraction(scores[j]) for j in range(n) if j != agent), Fraction(0))
            # s * own + (1 - s) / (n - 1) * rest >= 0
            level = rest / max(1, n - 1)
            slope = own - level
            if slope > 0:
                low = max(low, -level / slope)
            elif slope < 0:
                high = min(high, level / -slope)
            elif level < 0:
                return Finding(None, how="no share makes cooperation dominant")
    if low > high:
        return Finding(None, how="no share makes cooperation dominant")
    return Finding(tidy(high), how=f"intersection of {len(table)} groups of cooperators")


def selfishness_level(board: Board[S], known: Sequence[Joint] = ()) -> Finding:
    """The smallest a >= 0 such that some welfare optimum is a Nash equilibrium of u_i + a * welfare [AptSchaefer2014]_.

    Args:
        board: the stage game.
        known: optimal joint actions, for games that are too large to enumerate; the result is then an upper bound.

    Returns:
        None if no weight does it: somebody gains by a deviation that costs nobody anything.
    """
    exact = board.enumerable
    if exact:
        rows = board.rows()
        optima = [np.asarray(rows[place]) for place in optimal_rows(board.score(rows))]
    else:
        optima = [np.array(board.places(joint), dtype=np.int64) for joint in known]
    levels = [level for level in (_level_at(board, row) for row in optima) if level is not None]
    how = enumerated(board) if exact else f"at {len(optima)} known optima; others could give less"
    if not levels:
        return Finding(None, exact=exact, how=f"no weight makes an optimum stable ({how})")
    best = min(levels)
    return Finding(tidy(best), exact=(exact and board.complete) or best == 0, how=how)


def _level_at(board: Board[S], row: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Fraction | None:
    """The smallest weight that makes this optimum stable, or None if none does."""
    level = Fraction(0)
    seen = set()
    for agent in range(board.n):
        if board.symmetric and row[agent] in seen:
            continue
        seen.add(row[agent])
        scores = board.score(reply_rows(board, row, agent))
        welfare = scores.units.sum(axis=1)
        here = row[agent]
        gains, lost = scores.units[:, agent] - scores.units[here, agent], welfare[here] - welfare
        better = gains > scores.slack
        if (lost[better] <= 0).any():
            return None
        for gain, loss in zip(gains[better].tolist(), lost[better].tolist(), strict=True):  # both in the same units
            level = max(level, Fraction(gain, loss) if isinstance(gain, int) else Fraction(gain) / Fraction(loss))
    return level
