"""What a run's calls come to so far, for whoever shows progress."""

from __future__ import annotations

from dataclasses import dataclass, fields

from society.core.calls import ModelClient, ModelRequest, ModelResponse, Usage, at_once


@dataclass(slots=True)
class Counters:
    """Plain numbers, written by the event loop; a display in another thread may read them at any time.

    Attributes:
        waiting: calls waiting for a slot, a limit or a pause; in_flight: calls sent and not yet answered.
        done: answers received; recalled: answers found in the journal; cached: answers found in the cache.
        retries: tries after a failure; pauses: how often a provider asked everybody to wait.
        usd: money spent on calls whose price is known; unpriced: calls whose price is not.
        estimated: answers whose size had to be estimated.
    """

    waiting: int = 0
    in_flight: int = 0
    done: int = 0
    recalled: int = 0
    cached: int = 0
    retries: int = 0
    pauses: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    unpriced: int = 0
    estimated: int = 0

    def add(self, usage: Usage) -> None:
        """One more answer."""
        self.done += 1
        self.tokens_in += usage.tokens_in or 0
        self.tokens_out += usage.tokens_out or 0
        self.estimated += usage.estimated
        if usage.usd is None:
            self.unpriced += 1
        else:
            self.usd += usage.usd

    def merge(self, other: Counters) -> None:
        """All that another has counted as well."""
        for name in _NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_NAMES = tuple(field.name for field in fields(Counters))


class Counted:
    """Counts the calls that are really made."""

    def __init__(self, inner: ModelClient, counters: tuple[Counters, ...]) -> None:
        self.inner, self.counters = inner, counters
        self.at_once = at_once(inner)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        for counter in self.counters:
            counter.in_flight += 1
        try:
            response = await self.inner.complete(request)
        finally:
            for counter in self.counters:
                counter.in_flight -= 1
        for counter in self.counters:
            counter.add(response.usage)
        return response

    async def close(self) -> None:
        """Nothing: the provider is the pool's, and other runs use it."""
