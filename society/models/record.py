"""Every question is committed before it is sent, and every answer before anybody uses it."""

from __future__ import annotations

from society.core.calls import Journal, ModelClient, ModelRequest, ModelResponse
from society.models.faults import RetryLater
from society.models.prices import Price
from society.models.sizes import most_tokens


class Record:
    """Stands right before the provider, inside the slot of the throttle: one issue a try.

    A try that is cancelled, or cut off by a kill, stays an open issue: it may have been paid for.
    """

    def __init__(self, inner: ModelClient, journal: Journal, price: Price | None) -> None:
        self.inner, self.journal, self.price = inner, journal, price

    async def complete(self, request: ModelRequest) -> ModelResponse:
        reserved = None if self.price is None else self.price.most(*most_tokens(request))
        issue = await self.journal.issue(request, reserved_usd=reserved)
        try:
            response = await self.inner.complete(request)
        except RetryLater as problem:
            await self.journal.failed(request, issue, str(problem), raw=problem.raw)
            raise
        except Exception as problem:
            await self.journal.failed(request, issue, str(problem))
            raise
        await self.journal.answered(request, issue, response)
        return response

    async def close(self) -> None:
        await self.inner.close()
