"""One set of limits for several processes: the gates of all providers, and the purse of the sweep, kept in one place.

A worker asks for everything under a ticket of its own, so that what a dead worker held is given back: its calls no longer count as in
flight, and what was set aside for them counts as spent, since they may have been billed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from society.core.calls import Usage
from society.core.errors import Paused
from society.models.budget import RunBudget
from society.models.faults import RetryLater
from society.models.prices import Price
from society.models.settings import ProviderSettings
from society.models.throttle import Throttle, throttle_of

Ticket = tuple[int, int]
"""A worker, and which of its requests."""


@dataclass(slots=True)
class _Entry:
    slot: AbstractAsyncContextManager[None]
    entering: asyncio.Task[None]


@dataclass(slots=True)
class SharedLimits:
    """The place where the limits are kept. Its methods are asked from elsewhere, under tickets.

    Attributes:
        settings: the limits of each provider; purse: what all workers together may spend, if that is bounded.
        keeping: what makes a gate; tests give their own.
    """

    settings: ProviderSettings
    purse: RunBudget | None = None
    keeping: Callable[[ProviderSettings], Throttle] = throttle_of
    _gates: dict[str, Throttle] = field(default_factory=dict)
    _inside: dict[Ticket, _Entry] = field(default_factory=dict)
    _held: dict[Ticket, tuple[int, float]] = field(default_factory=dict)
    _given_up: set[Ticket] = field(default_factory=set)
    _gone: set[int] = field(default_factory=set)

    async def enter(self, place: str, ticket: Ticket, tokens: int) -> None:
        """Wait until a call of about so many tokens may be made at a provider."""
        if self._is_given_up(ticket):
            return
        slot = self._gate(place).slot(tokens)
        entry = _Entry(slot, asyncio.ensure_future(_entered(slot)))
        self._inside[ticket] = entry
        await asyncio.wait({entry.entering})  # it is cancelled where whoever waits has left
        if not entry.entering.cancelled():
            entry.entering.result()

    async def leave(self, ticket: Ticket, ended: BaseException | None) -> None:
        """The call is over, with an answer or with what came instead, or nobody waits for it any more."""
        entry = self._inside.pop(ticket, None)
        if entry is None:
            self._given_up.add(ticket)  # it overtook its own question
            return
        if not entry.entering.done():
            entry.entering.cancel()
            with suppress(asyncio.CancelledError):
                await entry.entering
        else:
            await entry.slot.__aexit__(None if ended is None else type(ended), ended, None)

    async def pause(self, place: str, seconds: float) -> None:
        """A provider asked somebody to wait: all wait."""
        self._gate(place).pause(seconds)

    async def hold(self, ticket: Ticket, tokens: int, usd: float) -> str:
        """Set aside the most that one call can use; the words of why not, or nothing."""
        if self.purse is None:
            return ""
        try:
            await self.purse.hold(tokens, usd)
        except Paused as problem:
            return str(problem)
        if self._is_given_up(ticket):
            self.purse.release(tokens, usd, None)
        else:
            self._held[ticket] = (tokens, usd)
        return ""

    async def release(self, ticket: Ticket, used: Usage | None) -> None:
        """Give back what was set aside and book what was used."""
        if self.purse is None:
            return
        if ticket in self._held:
            self.purse.release(*self._held.pop(ticket), used)
        else:
            self._given_up.add(ticket)

    async def forget(self, worker: int) -> None:
        """A worker is gone: nothing of it is in flight, and what was set aside for it may have been billed."""
        self._gone.add(worker)
        for ticket in [ticket for ticket in self._inside if ticket[0] == worker]:
            await self.leave(ticket, asyncio.CancelledError())
        for ticket in [ticket for ticket in self._held if ticket[0] == worker]:
            tokens, usd = self._held[ticket]
            await self.release(ticket, Usage(tokens, 0, None, usd, True))

    def _is_given_up(self, ticket: Ticket) -> bool:
        if ticket in self._given_up:
            self._given_up.discard(ticket)
            return True
        return ticket[0] in self._gone

    def _gate(self, place: str) -> Throttle:
        if place not in self._gates:
            self._gates[place] = self.keeping(self.settings)
        return self._gates[place]


async def _entered(slot: AbstractAsyncContextManager[None]) -> None:
    await slot.__aenter__()


class Desk(Protocol):
    """How a worker reaches the limits: calls of `SharedLimits` that are waited for, and calls that are not."""

    def ask(self, method: str, *arguments: object) -> Awaitable[object]:
        """Call a method and wait for what it says."""
        ...

    def tell(self, method: str, *arguments: object) -> None:
        """Call a method and go on."""
        ...


class Limits:
    """The limits as one worker sees them."""

    def __init__(self, desk: Desk, worker: int) -> None:
        self.desk, self.worker = desk, worker
        self._numbers = count()

    def ticket(self) -> Ticket:
        """A new one."""
        return self.worker, next(self._numbers)

    def gate(self, place: str) -> RemoteGate:
        """The gate of a provider and key, kept elsewhere."""
        return RemoteGate(self, place)

    def purse(self) -> RemotePurse:
        """The purse of the sweep, kept elsewhere."""
        return RemotePurse(self)


@dataclass(frozen=True, slots=True)
class RemoteGate:
    """A gate (see `society.models.throttle.Gate`) that is kept elsewhere."""

    limits: Limits
    place: str

    @asynccontextmanager
    async def slot(self, tokens: int) -> AsyncIterator[None]:
        """One call of about this many tokens may be made inside; how it ends is told there."""
        ticket = self.limits.ticket()
        ended: BaseException | None = asyncio.CancelledError()
        try:
            await self.limits.desk.ask("enter", self.place, ticket, tokens)
            yield
            ended = None
        except RetryLater as problem:
            ended = RetryLater("it was refused", shared=problem.shared)
            raise
        finally:
            self.limits.desk.tell("leave", ticket, ended)

    def pause(self, seconds: float) -> None:
        """Let nobody start for this long, on any worker."""
        self.limits.desk.tell("pause", self.place, seconds)


class RemotePurse:
    """A purse (see `society.models.budget.Purse`) that is kept elsewhere; prices were checked where the sweep was started."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[tuple[int, float], list[Ticket]] = {}

    def check_price(self, model: str, price: Price | None) -> None:
        """As `RunBudget.check_price`, for a purse in US dollars.

        Raises:
            BadInput: the price is unknown.
        """
        RunBudget(usd=1).check_price(model, price)

    async def hold(self, tokens: int, usd: float) -> None:
        """Set aside the most that one call can use.

        Raises:
            Paused: what is left does not cover it.
        """
        ticket = self._limits.ticket()
        try:
            lacking = await self._limits.desk.ask("hold", ticket, tokens, usd)
        except asyncio.CancelledError:
            self._limits.desk.tell("release", ticket, None)
            raise
        if lacking:
            raise Paused(str(lacking))
        self._held.setdefault((tokens, usd), []).append(ticket)

    def release(self, tokens: int, usd: float, used: Usage | None) -> None:
        """Give back what was set aside and book what was used."""
        tickets = self._held[tokens, usd]
        self._limits.desk.tell("release", tickets.pop(), used)
        if not tickets:
            del self._held[tokens, usd]
