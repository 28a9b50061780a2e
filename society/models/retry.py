"""The one place where a failed call is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

from society.core.calls import ModelClient, ModelRequest, ModelResponse
from society.core.errors import Paused
from society.models.clock import Clock, RealClock
from society.models.counters import Counters
from society.models.faults import RetryLater
from society.models.throttle import Gate

FIRST_WAIT, LONGEST_BACKOFF, SHORTEST_WAIT = 1.0, 60.0, 0.1
"""Seconds."""


class Retry:
    """Tries again, with exponentially growing waits of random length, within bounds on tries and on time.

    Full jitter: each wait is uniform between (almost) nothing and the exponential ceiling, so that agents that failed together do
    not come back together. A wait that the provider asked for is never cut short.

    Args:
        max_tries: most tries of one call; seconds: the time after which no further try is started.
        throttle: the gate of the provider, closed for everybody when it asks to wait.
        jitter: a source of numbers in [0, 1).
    """

    def __init__(
        self,
        inner: ModelClient,
        *,
        max_tries: int,
        seconds: float,
        throttle: Gate | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        counters: tuple[Counters, ...] = (),
    ) -> None:
        self.inner, self.max_tries, self.seconds = inner, max_tries, seconds
        self.throttle, self.counters = throttle, counters
        self._clock: Clock = clock or RealClock()
        self._jitter = jitter

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """The answer of the first try that brings one.

        Raises:
            Paused: none did within the bounds.
        """
        started = self._clock.now()
        tries = 0
        while True:
            try:
                return await self.inner.complete(request)
            except RetryLater as problem:
                failure = problem
            tries += 1
            wait = self.wait(tries, failure.seconds)
            elapsed = self._clock.now() - started
            if tries >= self.max_tries or elapsed + wait > self.seconds:
                times = "once" if tries == 1 else f"{tries} times"
                raise Paused(f"tried {times} in {elapsed:.0f} s without an answer; the last time: {failure}") from None
            for counter in self.counters:
                counter.retries += 1
            if failure.shared and self.throttle is not None:
                self.throttle.pause(wait)
                for counter in self.counters:
                    counter.pauses += 1
            await self._clock.sleep(wait)

    def wait(self, tries: int, asked: float | None) -> float:
        """Seconds to wait after so many failed tries, when the provider asked for `asked` seconds."""
        if asked is not None:
            return asked * (1 + 0.1 * self._jitter())
        ceiling = min(LONGEST_BACKOFF, FIRST_WAIT * 2.0 ** (tries - 1))
        return max(SHORTEST_WAIT, ceiling * self._jitter())

    async def close(self) -> None:
        await self.inner.close()
