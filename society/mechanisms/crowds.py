"""Payoffs of many profiles of routes at once: all that matters is how many take which route."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, TypeAlias

from society.core.arrays import NDArray, np

Ways: TypeAlias = Sequence[tuple[int, ...]]
"""Routes as the places of their edges."""
Counts: TypeAlias = "NDArray[np.int64]"
Times: TypeAlias = "NDArray[Any]"  # Any: int64, or object for big integers

MOST_CROWDS = 20_000
"""Up to so many crowds their payoffs are kept in a table."""


@dataclass(frozen=True, slots=True)
class Group:
    """Agents with one trip: their seats, and the routes they choose from."""

    seats: Sequence[int]
    ways: Ways


@dataclass(frozen=True, slots=True)
class _Part:
    """A group's part of the table.

    Attributes:
        digits: what each route adds to the number of a crowd.
        payoffs: by crowd and route, at ``crowd * number of routes + route``.
    """

    digits: Counts
    payoffs: Times


class Crowds:
    """Payoffs of rows of picks.

    Args:
        groups: who goes where, and how.
        minutes: numerators of the minutes of each edge when 0, 1, ... n agents use it, an edge a row.
    """

    def __init__(self, groups: Sequence[Group], minutes: Times) -> None:
        self.groups, self.minutes = groups, minutes
        self.agents = minutes.shape[1] - 1

    def payoffs(self, picks: Counts) -> Times:
        """Numerators of the payoffs, shape (B, n), for places of routes, shape (B, n)."""
        columns = np.ascontiguousarray(picks.T)
        paid = np.empty(columns.shape, dtype=self.minutes.dtype)
        if self._table is None:
            self._one_by_one(columns, paid)
            return paid.T
        crowd = np.zeros(len(picks), dtype=np.int64)
        for group, part in zip(self.groups, self._table, strict=True):
            for seat in group.seats:
                crowd += part.digits.take(columns[seat])
        for group, part in zip(self.groups, self._table, strict=True):
            for seat in group.seats:
                np.take(part.payoffs, crowd * len(group.ways) + columns[seat], out=paid[seat])
        return paid.T

    @cached_property
    def _table(self) -> list[_Part] | None:
        """None for too many crowds. A crowd's number has a digit for each route but the last of each group: its users."""
        bases = [(len(group.seats) + 1,) * (len(group.ways) - 1) for group in self.groups]
        shape = tuple(base for own in bases for base in own)
        crowds = prod(shape)
        if crowds > MOST_CROWDS:
            return None
        users = list(np.indices(shape).reshape(len(shape), crowds))
        worth = [prod(shape[place + 1 :]) for place in range(len(shape))]
        digits, takers = [], []
        for group, own in zip(self.groups, bases, strict=True):
            counted, users = users[: len(own)], users[len(own) :]
            rest = np.maximum(0, len(group.seats) - sum(counted, np.zeros(crowds, dtype=np.int64)))
            takers.append([*counted, rest])
            digits.append(np.array([*worth[: len(own)], 0], dtype=np.int64))
            worth = worth[len(own) :]
        needed = self._needed(takers)
        return [_Part(own, -minutes.T.ravel()) for own, minutes in zip(digits, needed, strict=True)]

    def _one_by_one(self, columns: Counts, paid: Times) -> None:
        takers = [
            [np.sum([columns[seat] == route for seat in group.seats], axis=0) for route in range(len(group.ways))]
            for group in self.groups
        ]
        for group, minutes in zip(self.groups, self._needed(takers), strict=True):
            for seat in group.seats:
                paid[seat] = -np.take_along_axis(minutes, columns[seat][None, :], axis=0)[0]

    def _needed(self, takers: Sequence[Iterable[Counts]]) -> list[Times]:
        """Minutes that each route of each group needs in many worlds, shape (routes, worlds), by who takes which."""
        worlds = next(iter(takers[0])).shape
        users = np.zeros((len(self.minutes), *worlds), dtype=np.int64)
        for group, counts in zip(self.groups, takers, strict=True):
            for way, count in zip(group.ways, counts, strict=True):
                users[list(way)] += count
        np.minimum(users, self.agents, out=users)  # crowds of more agents than there are have a number, but never come
        times = np.stack([np.take(column, used) for column, used in zip(self.minutes, users, strict=True)])
        return [np.stack([times[list(way)].sum(axis=0) for way in group.ways]) for group in self.groups]
