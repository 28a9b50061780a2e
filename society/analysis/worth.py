"""Cooperative games: what every coalition is worth, as a table over bitmasks.

Bit i of a mask stands for agent i. A table holds ``2**n`` values; entry 0 is the empty coalition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

from society.core.exact import Number, tidy

Worth: TypeAlias = Callable[[frozenset[int]], Number] | Sequence[Number]
"""What a coalition is worth: a function of the set of its members, or a table by bitmask."""

MAX_AGENTS = 16
"""Up to how many agents every coalition is looked at."""


def members(mask: int) -> tuple[int, ...]:
    """The agents of a bitmask, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return tuple(found)


def mask_of(agents: Sequence[int] | frozenset[int]) -> int:
    """The bitmask of some agents."""
    return sum(1 << agent for agent in set(agents))


def proper(n: int) -> range:
    """The masks of all coalitions but the empty and the grand one."""
    return range(1, (1 << n) - 1)


def tabulate(n: int, value: Worth) -> list[Fraction]:
    """The worth of every coalition, exactly, by bitmask.

    Raises:
        ValueError: no or too many agents, a table of another length, or an empty coalition that is worth something.
    """
    if not 1 <= n <= MAX_AGENTS:
        raise ValueError(f"every coalition is looked at for 1 to {MAX_AGENTS} agents, not {n}; sample instead")
    if callable(value):
        table = [_exactly(value(frozenset(members(mask)))) for mask in range(1 << n)]
    else:
        if len(value) != 1 << n:
            raise ValueError(f"{n} agents form {1 << n} coalitions (with the empty one), not {len(value)}")
        table = [_exactly(worth) for worth in value]
    if table[0] != 0:
        raise ValueError(f"the empty coalition must be worth 0, not {tidy(table[0])}")
    return table


def _exactly(worth: Number) -> Fraction:
    try:
        return Fraction(worth)
    except (ValueError, OverflowError, TypeError):
        raise ValueError(f"a coalition is worth a finite number, not {worth!r}") from None


def inexact(n: int, value: Worth) -> bool:
    """Whether the game is given in floats, so that results should be floats too."""
    if callable(value):
        return isinstance(value(frozenset(range(n))), float)
    return any(isinstance(worth, float) for worth in value)


def told(values: Sequence[Fraction], *, as_floats: bool) -> tuple[Number, ...]:
    """Results in the kind of number the game was given in."""
    return tuple(float(value) if as_floats else tidy(value) for value in values)


def partitions(n: int) -> Iterator[tuple[int, ...]]:
    """All partitions of n agents, each as a tuple of masks in order of their smallest member."""

    def extend(agent: int, blocks: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if agent == n:
            yield blocks
            return
        for place, block in enumerate(blocks):
            yield from extend(agent + 1, (*blocks[:place], block | 1 << agent, *blocks[place + 1 :]))
        yield from extend(agent + 1, (*blocks, 1 << agent))

    return extend(0, ())
