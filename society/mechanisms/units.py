"""A short stock handed out unit after unit, each to the one with the lowest lot among those who still ask for more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from society.core.arrays import NDArray, np
from society.core.seeds import Noise


def lot(noise: Noise, unit: int, seat: int) -> tuple[int, int]:
    """A seat's lot for a unit; each has its own, so that requests change nobody's luck."""
    return noise.bits("unit", (unit, seat)), seat


def unit_by_unit(columns: NDArray[Any], stock: int, noise: Noise) -> NDArray[Any]:
    """The grants to many rows of requests, one row of the array for each seat.

    Goes from one agent that has got all it wanted to the next: in between, only who still asks matters.
    """
    n = len(columns)
    if n > 12 or stock * n << n > _MOST_WINS:
        return _unit_after_unit(columns, stock, noise)
    table = _wins(noise, stock, n)
    parts = [_dealt(columns[:, first : first + _CHUNK], stock, table) for first in range(0, columns.shape[1], _CHUNK)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _dealt(columns: NDArray[Any], stock: int, table: _Wins) -> NDArray[Any]:
    n = len(columns)
    left = columns.astype(np.intp)
    start = np.zeros_like(left[0])  # where the tables begin about those who still ask
    for seat in range(n):
        start += (left[seat] > 0) * ((stock + 1) << seat)
    unit = np.zeros_like(start)
    while (unit < stock).any():
        here, end = start + unit, np.full_like(unit, stock)
        for seat in range(n):
            left[seat] += table.won[seat].take(here, mode="clip")  # from here on: which of its wins satisfies it
            np.minimum(end, table.when[seat].take(start + np.minimum(left[seat], stock), mode="clip"), out=end)
        unit = np.minimum(end + 1, stock)
        there = start + unit
        for seat in range(n):
            left[seat] -= table.won[seat].take(there, mode="clip")
        start -= table.step.take(start + end, mode="clip")  # whoever got that unit asks no more
    return np.asarray(columns - left)


_CHUNK = 4096
"""So many rows at a time stay in a processor's cache."""
_MOST_WINS = 2_000_000
"""The largest table of wins that is worth its making."""


@dataclass(frozen=True, slots=True)
class _Wins:
    """Who wins which unit, for every group that still asks; a group is a number with a bit for each seat, and place
    ``group * (stock + 1) + k`` of a table is about it and k.

    Attributes:
        won: by seat: how many of the first k units it wins.
        when: by seat: the unit, counted from 0, that is its k-th win; the stock, if there is none.
        step: how far up the tables are about the group without the seat that wins unit k; 0 for k = stock.
    """

    won: NDArray[np.intp]
    when: NDArray[np.intp]
    step: NDArray[np.intp]


@lru_cache(maxsize=16)
def _wins(noise: Noise, stock: int, n: int) -> _Wins:
    groups, units = np.arange(1 << n), range(stock)
    orders = [sorted(range(n), key=lambda seat: lot(noise, unit, seat)) for unit in units]  # called at once
    winner = np.full((1 << n, stock), -1)
    for seats in np.array(orders, dtype=np.int64).reshape(stock, n).T[::-1]:
        winner = np.where(groups[:, None] >> seats & 1, seats, winner)
    wins = winner == np.arange(n)[:, None, None]
    won = np.zeros((n, 1 << n, stock + 1), dtype=np.intp)
    np.cumsum(wins, axis=2, out=won[:, :, 1:])
    when = np.full_like(won, stock)
    seat, group, unit = np.nonzero(wins)
    when[seat, group, won[seat, group, unit] + 1] = unit
    step = np.zeros_like(won[0])
    step[1:, :stock] = (stock + 1) << winner[1:]
    return _Wins(won.reshape(n, -1), when.reshape(n, -1), step.ravel())


def _unit_after_unit(columns: NDArray[Any], stock: int, noise: Noise) -> NDArray[Any]:
    seats = range(len(columns))
    wanted = columns.copy()
    for unit in range(stock):
        free = np.ones_like(columns[0], dtype=bool)  # rows in which nobody has got this unit yet
        for seat in sorted(seats, key=lambda seat: lot(noise, unit, seat)):
            wins = free & (wanted[seat] > 0)
            wanted[seat] -= wins
            free ^= wins
    return np.asarray(columns - wanted)
