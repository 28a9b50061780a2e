"""How hard one provider is pressed, by all runs of this process together.

Calls start in the order in which they came. Four limits hold at once: calls in flight, calls started in any minute
(asyncio-throttle), tokens in any minute, and a pause that whoever is told to wait declares for everybody.

How many calls may be in flight follows what the provider bears (additive increase, multiplicative decrease): half as many after a refusal
that concerns everybody on the key, and one more whenever as many answers as may be in flight have come without another. Calls that were
under way already when it was halved say nothing new: a burst that is refused as a whole halves once.

asyncio-throttle polls, and its waiters overtake each other; behind one fair lock only one of them ever waits in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from asyncio_throttle import Throttler  # type: ignore[attr-defined]  # the package has no __all__

from society.core.calls import ModelClient, ModelRequest, ModelResponse
from society.models.clock import Clock, RealClock
from society.models.counters import Counters
from society.models.faults import RetryLater
from society.models.settings import ProviderSettings
from society.models.sizes import likely_usage

MINUTE = 60.0


class Gate(Protocol):
    """What calls to one provider and key pass through, wherever it is kept."""

    def slot(self, tokens: int) -> AbstractAsyncContextManager[None]:
        """One call of about this many tokens may be made inside; how it ends tells how much the provider bears."""
        ...

    def pause(self, seconds: float) -> None:
        """Let nobody start for this long."""
        ...


class Throttle:
    """The gate to one provider and key.

    Attributes:
        at_once: how many calls may be in flight now.
        paused_until: when calls may start again, by the clock.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Clock | None = None,
        period: float = MINUTE,
    ) -> None:
        self.at_once = self._most_at_once = concurrency
        self._in_flight = self._refusals = self._borne = 0
        self._left = asyncio.Event()
        self._gate = asyncio.Lock()
        self._starts = None if requests_per_minute is None else Throttler(requests_per_minute, period=period)
        self._tokens_per_period, self._period = tokens_per_minute, period
        self._window: deque[tuple[float, int]] = deque()
        self._clock: Clock = clock or RealClock()
        self.paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody start for this long, counted from now; a longer pause already declared stands."""
        self.paused_until = max(self.paused_until, self._clock.now() + seconds)

    @asynccontextmanager
    async def slot(self, tokens: int) -> AsyncIterator[None]:
        """One call of about this many tokens may be made inside; how it ends tells how much the provider bears."""
        async with self._gate:
            await self._wait_for_leave()
            if self._starts is not None:
                await self._starts.acquire()  # type: ignore[no-untyped-call]  # nor annotations
            await self._wait_for_tokens(tokens)
            await self._wait_for_leave()  # what was asked of everybody meanwhile holds as well
            self._in_flight += 1
        refusals = self._refusals
        try:
            yield
        except RetryLater as problem:
            if problem.shared and refusals == self._refusals:
                self._slow_down()
            raise
        else:
            if refusals == self._refusals:
                self._speed_up()
        finally:
            self._in_flight -= 1
            self._left.set()

    async def _wait_for_leave(self) -> None:
        """Until no pause is on and not too many calls are in flight. Only one waits here: the others wait for the lock."""
        while True:
            if (seconds := self.paused_until - self._clock.now()) > 0:
                await self._clock.sleep(seconds)
            elif self._in_flight >= self.at_once:
                self._left.clear()
                await self._left.wait()
            else:
                return

    def _slow_down(self) -> None:
        self._refusals += 1
        self._borne = 0
        self.at_once = max(1, self.at_once // 2)

    def _speed_up(self) -> None:
        self._borne += 1
        if self._borne >= self.at_once and self.at_once < self._most_at_once:
            self._borne = 0
            self.at_once += 1

    async def _wait_for_tokens(self, tokens: int) -> None:
        if self._tokens_per_period is None:
            return
        tokens = min(tokens, self._tokens_per_period)
        while True:
            now = self._clock.now()
            while self._window and now - self._window[0][0] >= self._period:
                self._window.popleft()
            if sum(size for _, size in self._window) + tokens <= self._tokens_per_period:
                self._window.append((now, tokens))
                return
            await self._clock.sleep(self._window[0][0] + self._period - now)


def throttle_of(settings: ProviderSettings, clock: Clock | None = None) -> Throttle:
    """A gate with the limits that are set."""
    return Throttle(
        concurrency=settings.concurrency,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        clock=clock,
    )


class Throttled:
    """A client whose calls pass the gate."""

    def __init__(self, inner: ModelClient, throttle: Gate, counters: tuple[Counters, ...]) -> None:
        self.inner, self.throttle, self.counters = inner, throttle, counters

    async def complete(self, request: ModelRequest) -> ModelResponse:
        tokens = (likely_usage(request, "").tokens_in or 0) + request.sampling.max_tokens
        for counter in self.counters:
            counter.waiting += 1
        waiting = True
        try:
            async with self.throttle.slot(tokens):
                waiting = self._started()
                return await self.inner.complete(request)
        finally:
            if waiting:
                self._started()

    def _started(self) -> bool:
        for counter in self.counters:
            counter.waiting -= 1
        return False

    async def close(self) -> None:
        await self.inner.close()
