"""Nash equilibria of a stage game: all pure ones, and the mixed ones of small games [Nash1951]_."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Joint
from society.core.exact import Number, tidy
from society.rulers.best import enumerated, others_and_own, starts
from society.rulers.scores import Board

S = TypeVar("S")

_SWEEPS = 100


@dataclass(frozen=True, slots=True)
class Equilibria:
    """Pure Nash equilibria of a stage game.

    Attributes:
        profiles: the joint actions.
        exact: they are all there are; False when they are only those found (each is an equilibrium of the tried grid).
        how: one line for the reader.
        up_to_order: each stands for all its permutations of the seats.
    """

    profiles: tuple[Joint, ...]
    exact: bool
    how: str
    up_to_order: bool = False

    def __iter__(self) -> Iterator[Joint]:
        return iter(self.profiles)

    def __len__(self) -> int:
        return len(self.profiles)


@dataclass(frozen=True, slots=True)
class Mixed:
    """A mixed equilibrium of a game of two actions.

    Attributes:
        first: each agent's probability of its first action (the first of its grid), strictly between 0 and 1.
        payoffs: each agent's expected payoff.
        exact: the numbers are rational and exact; else floats that solve the indifference to the last digits.
    """

    first: tuple[Number, ...]
    payoffs: tuple[Number, ...]
    exact: bool


def pure_equilibria(board: Board[S]) -> Equilibria:
    """All pure Nash equilibria by enumeration; for games too large for that, those that best replies lead to."""
    if board.symmetric:
        if board.replies_enumerable:
            return Equilibria(_of_equals(board), board.complete, enumerated(board), up_to_order=True)
    elif board.enumerable:
        return Equilibria(_of_all(board), board.complete, enumerated(board))
    return _by_best_replies(board)


def _of_all(board: Board[S]) -> tuple[Joint, ...]:
    shape = tuple(len(grid) for grid in board.grids)
    rows = board.rows()
    scores = board.score(rows)
    stable = np.ones(shape, dtype=bool)
    for agent in range(board.n):
        own = scores.units[:, agent].reshape(shape)
        stable &= own >= own.max(axis=agent, keepdims=True) - scores.slack
    return tuple(board.joint(rows[place].tolist()) for place in np.flatnonzero(stable.ravel()))


def _of_equals(board: Board[S]) -> tuple[Joint, ...]:
    """A combination is stable iff each action in it is a best reply to the rest."""
    others, rows = others_and_own(board)
    scores = board.score(rows)
    own = scores.units[:, 0].reshape(len(others), -1)
    replies = own >= own.max(axis=1, keepdims=True) - scores.slack
    index = {tuple(row): place for place, row in enumerate(others.tolist())}
    found = set()
    for place, action in np.argwhere(replies).tolist():
        profile = sorted([*others[place].tolist(), action])
        if tuple(profile) in found:
            continue
        rest = {a: index[tuple(_without(profile, a))] for a in set(profile)}
        if all(replies[rest[a], a] for a in rest):
            found.add(tuple(profile))
    return tuple(board.joint(profile) for profile in sorted(found))


def _without(profile: Sequence[int], action: int) -> list[int]:
    left = list(profile)
    left.remove(action)
    return left


def reply_rows(board: Board[S], row: NDArray[np.int64], agent: int) -> NDArray[np.int64]:
    """The row with each of the agent's actions in its place."""
    tried = np.repeat(row[None, :], len(board.grids[agent]), axis=0)
    tried[:, agent] = np.arange(len(board.grids[agent]))
    return tried


def _by_best_replies(board: Board[S]) -> Equilibria:
    found = set()
    for start in starts(board):
        row = start.copy()
        for _ in range(_SWEEPS):
            before = row.copy()
            for agent in range(board.n):
                tried = reply_rows(board, row, agent)
                scores = board.score(tried)
                own = scores.units[:, agent]
                if own[row[agent]] < own.max() - scores.slack:
                    row = tried[int(np.argmax(own))]
            if (row == before).all():
                found.add(tuple(sorted(row.tolist()) if board.symmetric else row.tolist()))
                break
    return Equilibria(
        tuple(board.joint(row) for row in sorted(found)),
        exact=False,
        how=f"best replies from {len(starts(board))} starts; there may be more",
        up_to_order=board.symmetric,
    )


def mixed_equilibria(board: Board[S]) -> tuple[Mixed, ...] | None:
    """Fully mixed equilibria: of games of two agents with two actions each, and, for more agents with two actions,
    the symmetric ones of symmetric games. None for other games.
    """
    if any(len(grid) != 2 for grid in board.grids) or board.n == 1:
        return None
    if board.symmetric:
        return _mixed_of_equals(board)
    return _mixed_of_two(board) if board.n == 2 else None


def _mixed_of_two(board: Board[S]) -> tuple[Mixed, ...]:
    scores = board.score(board.rows())
    table = [[[Fraction(scores.value(x)) for x in scores.units[2 * r + c]] for c in (0, 1)] for r in (0, 1)]
    exact = scores.slack == 0
    chances: list[Fraction] = []
    for agent in (0, 1):
        # the agent's mixture that makes the other one indifferent
        rival = [[table[x][y][1] if agent == 0 else table[y][x][0] for y in (0, 1)] for x in (0, 1)]
        below = rival[0][0] - rival[0][1] - rival[1][0] + rival[1][1]
        if below == 0:
            return ()
        chance = (rival[1][1] - rival[1][0]) / below
        if not 0 < chance < 1:
            return ()
        chances.append(chance)
    p, q = chances
    weights = ((p * q, p * (1 - q)), ((1 - p) * q, (1 - p) * (1 - q)))
    cells = [(r, c) for r in (0, 1) for c in (0, 1)]
    payoffs = [sum((weights[r][c] * table[r][c][i] for r, c in cells), Fraction(0)) for i in (0, 1)]
    numbers = (_number(p, exact), _number(q, exact))
    return (Mixed(numbers, tuple(_number(x, exact) for x in payoffs), exact),)


def _mixed_of_equals(board: Board[S]) -> tuple[Mixed, ...]:
    """Roots in (0, 1) of the expected gain of the first action over the second, when each other plays it with p."""
    n = board.n
    first, second = one_against(board, (0, 1))
    gains = [a - b for a, b in zip(first, second, strict=True)]
    power = [Fraction(0)] * n  # coefficients of sum_k C(n-1, k) p^k (1-p)^(n-1-k) gains[k], by power of p
    for k, gain in enumerate(gains):
        for extra in range(n - k):
            power[k + extra] += comb(n - 1, k) * comb(n - 1 - k, extra) * (-1) ** extra * gain
    found = []
    for p in _roots(power):
        chance = [comb(n - 1, k) * p**k * (1 - p) ** (n - 1 - k) for k in range(n)]
        payoff = tidy(sum(c * value for c, value in zip(chance, first, strict=True)))
        found.append(Mixed((tidy(p),) * n, (payoff,) * n, isinstance(p, Fraction)))
    return tuple(found)


def one_against(board: Board[S], pair: tuple[int, int]) -> tuple[list[Fraction], list[Fraction]]:
    """In a symmetric game: the score of one who plays the first (second) of two places when k others play the first."""
    n = board.n
    values = []
    for own in pair:
        rows = np.array([[own, *([pair[0]] * k), *([pair[1]] * (n - 1 - k))] for k in range(n)], dtype=np.int64)
        scores = board.score(rows)
        values.append([Fraction(scores.value(x)) for x in scores.units[:, 0]])
    return values[0], values[1]


def _roots(power: list[Fraction]) -> list[Fraction | float]:
    """Simple roots strictly between 0 and 1, rational ones exactly."""
    if not any(power):
        return []
    candidates = np.roots([float(c) for c in reversed(power)])
    found: list[Fraction | float] = []
    for root in sorted(candidates.real[np.abs(candidates.imag) < 1e-7].tolist()):
        near = Fraction(root).limit_denominator(10_000)
        exact = sum(c * near**k for k, c in enumerate(power)) == 0
        if 1e-12 < root < 1 - 1e-12 and (near if exact else root) not in found:
            found.append(near if exact else root)
    return found


def _number(value: Fraction, exact: bool) -> Number:
    return tidy(value) if exact else float(value)
