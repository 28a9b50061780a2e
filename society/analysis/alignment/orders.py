"""What the order of steps changes: own deviation before the others' or after it, and every other order of two ladders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb
from types import MappingProxyType

from society.core.exact import Number, tidy

LARGE_INTERACTION = Fraction(1, 4)
"""Above this share of |say_do| + |surprise| the order of the two matters, and both orders are shown."""


@dataclass(frozen=True)
class Interaction:
    """What the order of own deviation and others' deviation changes.

    Attributes:
        value: I = U(intended, pred) - U(done, pred) - U(intended, done') + U(done, done').
        say_do, surprise: the symmetric versions, averaged over both orders; they add up to the same.
        say_do_last, surprise_first: the opposite order, in which the others are revealed first.
        large: |I| is more than a quarter of |say_do| + |surprise| in the default order.
    """

    value: Number
    say_do: Number
    surprise: Number
    say_do_last: Number
    surprise_first: Number
    large: bool


@dataclass(frozen=True)
class Ordering:
    """The terms between W1 and W4 in every order in which own steps and the others' step can be taken.

    Own steps lead from the best reply over the intended action to what was done; the others' step from what was predicted to
    what they did. A path is named by its steps: O an own one, X the others'. OOX is the causal order of the chain.

    Attributes:
        terms: the names of the terms, in the order of the chain; without an intention planning and say_do are one.
        grid: the score at each step of the own ladder (rows) against predicted and real others (columns).
        paths: for each path its terms. They add up to W1 - W4 in every one.
        average: the mean over all paths, which adds up to the same: for comparing agents or runs.
    """

    terms: tuple[str, ...]
    grid: tuple[tuple[Number, ...], ...]
    paths: Mapping[str, tuple[Number, ...]]
    average: tuple[Number, ...]


def over(value: Number, by: Number) -> Number:
    """The quotient, exactly where both are exact."""
    if isinstance(value, float) or isinstance(by, float):
        return float(value) / float(by)
    return tidy(Fraction(value) / Fraction(by))


def size(value: Number) -> Number:
    """The absolute value."""
    return -value if value < 0 else value


def interaction(f00: Number, f10: Number, f01: Number, f11: Number) -> Interaction:
    """From the four corners: first digit own action, second the others; 0 is declared, 1 is realised."""
    value: Number = (f00 - f10) - (f01 - f11)
    say_do, surprise = f00 - f10, f10 - f11
    return Interaction(
        value=tidy(value),
        say_do=tidy(over(say_do + (f01 - f11), 2)),
        surprise=tidy(over(surprise + (f00 - f01), 2)),
        say_do_last=tidy(f01 - f11),
        surprise_first=tidy(f00 - f01),
        large=size(value) > LARGE_INTERACTION * (size(say_do) + size(surprise)),
    )


def ordering(grid: Sequence[Sequence[Number]], terms: tuple[str, ...]) -> Ordering:
    """Every order of the steps of two ladders, from the scores at their crossings; see `path_average`."""
    own, others = path_average(grid)
    steps, crosses = len(grid) - 1, len(grid[0]) - 1
    paths: dict[str, tuple[Number, ...]] = {}
    for crossing in combinations(range(steps + crosses), crosses):
        name = "".join("X" if place in crossing else "O" for place in range(steps + crosses))
        row = col = 0
        found: dict[str, list[Number]] = {"O": [], "X": []}
        for step in name:
            before = grid[row][col]
            row, col = (row + 1, col) if step == "O" else (row, col + 1)
            found[step].append(tidy(before - grid[row][col]))
        paths[name] = (*found["O"], *found["X"])
    ordered = dict(sorted(paths.items()))
    return Ordering(terms, tuple(tuple(line) for line in grid), MappingProxyType(ordered), (*own, *others))


def path_average(grid: Sequence[Sequence[Number]]) -> tuple[list[Number], list[Number]]:
    """Terms of two ladders, averaged over every order in which they can be climbed [Sprumont2005]_.

    Args:
        grid: the score at each step of the own ladder (rows: best reply, intended, done ...) crossed with each step of the
            others' ladder (columns: predicted, realised ...).

    Returns:
        One term per step of the own ladder, one per step of the others'. They add up to the first corner minus the last.
    """
    steps, others = len(grid) - 1, len(grid[0]) - 1
    paths = comb(steps + others, steps)
    own = [
        _mean(
            [
                (
                    comb(row + col, row) * comb(steps - row - 1 + others - col, others - col),
                    grid[row][col],
                    grid[row + 1][col],
                )
                for col in range(others + 1)
            ],
            paths,
        )
        for row in range(steps)
    ]
    rest = [
        _mean(
            [
                (
                    comb(row + col, row) * comb(steps - row + others - col - 1, steps - row),
                    grid[row][col],
                    grid[row][col + 1],
                )
                for row in range(steps + 1)
            ],
            paths,
        )
        for col in range(others)
    ]
    return own, rest


def _mean(parts: list[tuple[int, Number, Number]], paths: int) -> Number:
    """The mean drop over paths, from (paths through a step, value before it, value after it)."""
    return over(sum(count * (before - after) for count, before, after in parts), paths)
