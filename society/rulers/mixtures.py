"""Mixed equilibria of small games, where every agent draws its action by lot [Nash1951]_."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import comb
from typing import TypeVar

from society.core.arrays import NDArray, np
from society.core.exact import Number, tidy
from society.rulers.mixing_groups import mixing_groups, payoff
from society.rulers.scores import Board

S = TypeVar("S")
Row = Sequence[Fraction]

_WIDTH = 2.0**-52
MOST_ACTIONS = 6
"""Games of two agents with more actions than this for one of them have too many supports to try."""
MOST_AGENTS = 4
"""Up to how many unlike agents of two actions each every group that may mix is tried."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A mixed equilibrium.

    Attributes:
        strategies: for each agent the probability of each action of its grid.
        payoffs: each agent's expected payoff.
        exact: the numbers are rational and exact; else floats that solve the indifference to the last digits.
    """

    strategies: tuple[tuple[Number, ...], ...]
    payoffs: tuple[Number, ...]
    exact: bool

    @property
    def first(self) -> tuple[Number, ...]:
        """Each agent's probability of the first action of its grid."""
        return tuple(strategy[0] for strategy in self.strategies)


def mixed_equilibria(board: Board[S]) -> tuple[Mixed, ...] | None:
    """The equilibria in which at least two agents mix; None where they are not computed.

    Two agents of few actions: supports of equal size are tried one by one. More agents with two actions each: if their seats
    are alike, the equilibria in which all mix alike; if not, and they are few, every group that may mix beside the others'
    sure actions. Those are all equilibria (of that form) of a game in which no mixture has more best replies than it has
    actions; in others there may be whole lines of equilibria, which are left out.
    """
    if board.unlisted:
        return None
    sizes = [len(grid) for grid in board.grids]
    if board.n == 2 and max(sizes) <= MOST_ACTIONS:
        return _of_two(board)
    if board.n > 2 and board.symmetric and set(sizes) == {2}:
        return _of_equals(board)
    if 2 < board.n <= MOST_AGENTS and set(sizes) == {2}:
        return _of_few(board)
    return None


def _of_two(board: Board[S]) -> tuple[Mixed, ...]:
    rows, columns = (range(len(grid)) for grid in board.grids)
    scores = board.score(np.array(list(product(rows, columns)), dtype=np.int64))
    exact = scores.slack == 0
    cells = [[Fraction(scores.value(x)) for x in cell] for cell in scores.units]
    ours = [[cells[r * len(columns) + c][0] for c in columns] for r in rows]
    theirs = [[cells[r * len(columns) + c][1] for r in rows] for c in columns]
    found = []
    for size in range(2, min(len(rows), len(columns)) + 1):
        for mine, yours in product(combinations(rows, size), combinations(columns, size)):
            column = _making_indifferent(ours, mine, yours)
            row = None if column is None else _making_indifferent(theirs, yours, mine)
            if column is not None and row is not None:
                payoffs = (_mean(ours[mine[0]], column), _mean(theirs[yours[0]], row))
                numbers = [tuple(_number(x, exact) for x in strategy) for strategy in (row, column)]
                found.append(Mixed(tuple(numbers), tuple(_number(x, exact) for x in payoffs), exact))
    return tuple(found)


def _making_indifferent(table: Sequence[Row], own: Sequence[int], rival: Sequence[int]) -> list[Fraction] | None:
    """The rival's mixture over its support against which all of an agent's support is best; None if there is none.

    The table holds the agent's scores, its own actions down, the rival's across.
    """
    # sum over j of table[i][j] y_j - v = 0 for every i in the support; sum over j of y_j = 1
    system = [[*(table[i][j] for j in rival), Fraction(-1), Fraction(0)] for i in own]
    solved = solve([*system, [*(Fraction(1) for _ in rival), Fraction(0), Fraction(1)]])
    if solved is None or min(solved[:-1]) <= 0:
        return None
    mixture = [Fraction(0)] * len(table[0])
    for place, weight in zip(rival, solved, strict=False):
        mixture[place] = weight
    return mixture if all(_mean(row, mixture) <= solved[-1] for row in table) else None


def solve(system: Sequence[Sequence[Fraction]]) -> list[Fraction] | None:
    """The only solution of n linear equations in n unknowns, each given as its coefficients and its right side; None if
    there is no solution or more than one.
    """
    left = [list(row) for row in system]
    for place in range(len(left)):
        pivot = next((row for row in range(place, len(left)) if left[row][place]), None)
        if pivot is None:
            return None
        left[place], left[pivot] = left[pivot], left[place]
        left[place] = [value / left[place][place] for value in left[place]]
        for row in range(len(left)):
            if row != place and left[row][place]:
                factor = left[row][place]
                left[row] = [a - factor * b for a, b in zip(left[row], left[place], strict=True)]
    return [row[-1] for row in left]


def _mean(values: Row, weights: Row) -> Fraction:
    return sum((value * weight for value, weight in zip(values, weights, strict=True)), Fraction(0))


def _of_equals(board: Board[S]) -> tuple[Mixed, ...]:
    """Roots in (0, 1) of the expected gain of the first action over the second, when each other plays it with p."""
    n = board.n
    first, second = one_against(board, (0, 1))
    gains = [a - b for a, b in zip(first, second, strict=True)]
    found = []
    for p in _roots(gains):
        payoff = tidy(_expected(first if isinstance(p, Fraction) else [float(value) for value in first], p))
        found.append(Mixed(((tidy(p), tidy(1 - p)),) * n, (payoff,) * n, isinstance(p, Fraction)))
    return tuple(found)


def _of_few(board: Board[S]) -> tuple[Mixed, ...]:
    """Unlike agents with two actions each."""
    scores = board.score(np.array(list(product((0, 1), repeat=board.n)), dtype=np.int64))
    values = [Fraction(scores.value(x)) for x in scores.units.ravel()]
    cells = np.array(values, dtype=object).reshape(*[2] * board.n, board.n)
    found = []
    for chances in mixing_groups(cells):
        exact = scores.slack == 0 and all(isinstance(chance, Fraction) for chance in chances)
        payoffs = tuple(payoff(cells, chances, agent) for agent in range(board.n))
        strategies = tuple((_number(1 - chance, exact), _number(chance, exact)) for chance in chances)
        found.append(Mixed(strategies, tuple(_number(value, exact) for value in payoffs), exact))
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


def _roots(gains: Row) -> list[Fraction | float]:
    """Where sum_k C(m, k) p^k (1-p)^(m-k) gains[k] is 0, for p strictly between 0 and 1; rational roots exactly.

    The gains are the polynomial's Bernstein coefficients: without a change of sign among them there is no root, and halving
    the interval (de Casteljau) keeps them, without the loss of digits that powers of p would bring.
    """
    if not any(gains):
        return []
    near: list[float] = []
    _narrow(np.array([float(gain) for gain in gains]), 0.0, 1.0, near)
    found: list[Fraction | float] = []
    for root in near:
        guess = Fraction(root).limit_denominator(10_000)
        best: Fraction | float = guess if _expected(gains, guess) == 0 else root
        if 0 < best < 1 and all(abs(float(best) - float(other)) > _WIDTH * 8 for other in found):
            found.append(best)
    return found


def _narrow(gains: NDArray[np.float64], low: float, high: float, near: list[float]) -> None:
    signs = np.sign(gains[gains != 0])
    if not (signs[1:] != signs[:-1]).any():
        return
    middle = (low + high) / 2
    if high - low < _WIDTH:
        near.append(middle)
        return
    left, right, level = [gains[0]], [gains[-1]], gains
    while len(level) > 1:
        level = (level[1:] + level[:-1]) / 2
        left.append(level[0])
        right.append(level[-1])
    _narrow(np.array(left), low, middle, near)
    if level[0] == 0:
        near.append(middle)
    _narrow(np.array(right[::-1]), middle, high, near)


def _expected(values: Sequence[Number], p: Fraction | float) -> Number:
    """The mean of values[k] where each of len(values) - 1 others picks the first action with chance p, and k of them do."""
    m = len(values) - 1
    return sum(comb(m, k) * p**k * (1 - p) ** (m - k) * value for k, value in enumerate(values))


def _number(value: Fraction | float, exact: bool) -> Number:
    return tidy(value) if exact else float(value)
