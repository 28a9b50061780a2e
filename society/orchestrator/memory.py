"""What each agent has seen: one append-only history per seat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import overload

from society.core.policy import Heard, Seen


class Glimpse(Sequence[Seen]):
    """The first entries of a history that goes on growing: what was known at one moment, without a copy."""

    __slots__ = ("_entries", "_length")

    def __init__(self, entries: list[Seen]) -> None:
        self._entries, self._length = entries, len(entries)

    def __len__(self) -> int:
        return self._length

    def __reversed__(self) -> Iterator[Seen]:
        return islice(reversed(self._entries), len(self._entries) - self._length, None)

    @overload
    def __getitem__(self, place: int) -> Seen: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Seen]: ...
    def __getitem__(self, place: int | slice) -> Seen | Sequence[Seen]:
        if isinstance(place, slice):
            start, stop, step = place.indices(self._length)
            return self._entries[start:stop] if step == 1 else [self._entries[k] for k in range(start, stop, step)]
        if not -self._length <= place < self._length:
            raise IndexError(place)
        return self._entries[place % self._length]


class Memory:
    """The histories of all agents."""

    def __init__(self, agents: int) -> None:
        self._histories: list[list[Seen]] = [[] for _ in range(agents)]

    def of(self, agent: int) -> Glimpse:
        """What this agent has seen by now."""
        return Glimpse(self._histories[agent])

    def hear(self, message: Heard) -> None:
        """Deliver a message to its speaker and to those it is for, and to nobody else."""
        for agent, history in enumerate(self._histories):
            if message.to is None or agent == message.speaker or agent in message.to:
                history.append(message)

    def tell(self, agent: int, entry: Seen) -> None:
        """Add an entry to one agent's history."""
        self._histories[agent].append(entry)
