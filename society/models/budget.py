"""What a run may spend.

Before a call the most it can cost is set aside, after it what it did cost is booked. When what is left would not cover the
next call, it waits for the calls in flight to be booked, and if that is not enough the run pauses *before* sending it. So
a run never spends more than its budget, unless a provider bills more than the longest answer that was asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from society.core.calls import ModelClient, ModelRequest, ModelResponse, Usage
from society.core.errors import BadInput, Paused
from society.models.faults import RetryLater
from society.models.prices import Price
from society.models.sizes import likely_usage, most_tokens


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far."""

    usd: float = 0.0
    tokens: int = 0
    seconds: float = 0.0


class Purse(Protocol):
    """What calls are paid from, wherever it is kept."""

    def check_price(self, model: str, price: Price | None) -> None:
        """Refuse to play for money with a model whose price nobody knows."""
        ...

    async def hold(self, tokens: int, usd: float) -> None:
        """Set aside the most that one call can use."""
        ...

    def release(self, tokens: int, usd: float, used: Usage | None) -> None:
        """Give back what was set aside and book what was used; None: nothing."""
        ...


class RunBudget:
    """The purse of one run, shared by all of its agents.

    Args:
        usd: US dollars, or None for no limit; likewise tokens (in and out) and minutes (of wall time).
        spent: what earlier processes used that is not in the journal: time, and calls cut off in flight at their
            reserved cost. Answers recalled from the journal are counted as they are recalled.
        now: a clock that never jumps, in seconds.
    """

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        minutes: float | None = None,
        spent: Spent | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.usd, self.tokens, self.minutes = usd, tokens, minutes
        self.spent = spent or Spent()
        self._now, self._started = now, now()
        self._earlier = self.spent.seconds
        self._held_usd, self._held_tokens, self._holders = 0.0, 0, 0
        self._booked = asyncio.Event()

    def check_price(self, model: str, price: Price | None) -> None:
        """Refuse to play for money with a model whose price nobody knows.

        Raises:
            BadInput: the budget is in US dollars and the price is unknown.
        """
        if self.usd is not None and price is None:
            raise BadInput(
                f'the budget is in US dollars, but the price of {model} is unknown; add [prices."{model}"] with input and '
                "output (US dollars per million tokens) to society.toml, or set the budget in tokens or minutes"
            )

    @property
    def seconds(self) -> float:
        """Wall time of the run so far, earlier processes included."""
        return self._earlier + self._now() - self._started

    def count(self, usage: Usage) -> None:
        """Book a call that was paid for earlier."""
        self.spent = replace(
            self.spent,
            usd=self.spent.usd + max(0.0, usage.usd or 0.0),
            tokens=self.spent.tokens + max(0, usage.tokens_in or 0) + max(0, usage.tokens_out or 0),
        )

    async def hold(self, tokens: int, usd: float) -> None:
        """Set aside the most that one call can use.

        Raises:
            Paused: what is left does not cover it.
        """
        while True:
            lacking = self._lacking(tokens, usd)
            if lacking is None:
                break
            if not self._holders:
                raise Paused(f"the budget does not cover the next call: {lacking}; resume the run with a larger budget")
            self._booked.clear()
            await self._booked.wait()
        self._held_usd += usd
        self._held_tokens += tokens
        self._holders += 1

    def release(self, tokens: int, usd: float, used: Usage | None) -> None:
        """Give back what was set aside and book what was used."""
        self._held_usd -= usd
        self._held_tokens -= tokens
        self._holders -= 1
        if not self._holders:
            self._held_usd = 0.0
        if used is not None:
            self.count(used)
        self._booked.set()

    def _lacking(self, tokens: int, usd: float) -> str | None:
        if self.minutes is not None and self.seconds >= self.minutes * 60:
            return f"{self.seconds / 60:.1f} of {self.minutes:g} minutes are over"
        if self.usd is not None and self.spent.usd + self._held_usd + usd > self.usd:
            return f"{self.spent.usd:.4f} of {self.usd:g} US dollars are spent, and it may cost {usd:.4f}"
        if self.tokens is not None and self.spent.tokens + self._held_tokens + tokens > self.tokens:
            return f"{self.spent.tokens} of {self.tokens} tokens are used, and it may use {tokens}"
        return None


class Budgeted:
    """Holds before a try and books after it what was used.

    A try that brought no answer and may be charged for all the same is booked at the most it can have used.
    """

    def __init__(self, inner: ModelClient, budget: Purse, price: Price | None) -> None:
        self.inner, self.budget, self.price = inner, budget, price

    async def complete(self, request: ModelRequest) -> ModelResponse:
        most_in, most_out = most_tokens(request)
        tokens = most_in + most_out
        usd = 0.0 if self.price is None else self.price.most(most_in, most_out)
        await self.budget.hold(tokens, usd)
        used: Usage | None = None
        try:
            response = await self.inner.complete(request)
            used = response.usage
            if used.tokens_in is None:
                used = likely_usage(request, response.text)
        except RetryLater as problem:
            used = Usage(most_in, most_out, None, usd, True) if problem.charged else None
            raise
        except asyncio.CancelledError:
            used = Usage(most_in, most_out, None, usd, True)
            raise
        finally:
            self.budget.release(tokens, usd, used)
        return response

    async def close(self) -> None:
        await self.inner.close()
