"""Every question is committed before it is sent, and every answer before anybody uses it."""

from __future__ import annotations

import asyncio

from society.core.calls import Journal, ModelClient, ModelRequest, ModelResponse, at_once
from society.models.faults import RetryLater
from society.models.prices import FREE, Price
from society.models.sizes import most_tokens

GRACE = 20.0
"""Seconds that a stopped run waits for the answers it has already asked, and perhaps paid, for."""


class Record:
    """Stands right before the provider, inside the slot of the throttle: one issue a try.

    A run that is stopped hears out the calls in flight, for `GRACE` seconds, and keeps their answers; stopped once more, it
    waits no longer. A try that is cut off stays an open issue: it may have been paid for. Free models are not waited for.
    """

    def __init__(self, inner: ModelClient, journal: Journal, price: Price | None, *, grace: float = GRACE) -> None:
        self.inner, self.journal, self.price, self.grace = inner, journal, price, grace
        self.at_once = at_once(inner)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        if self.price is FREE:
            return await self._send(request, await self.journal.issue(request, reserved_usd=0.0))
        reserved = None if self.price is None else self.price.most(*most_tokens(request))
        issue = await self.journal.issue(request, reserved_usd=reserved)
        sent = asyncio.ensure_future(self._send(request, issue))
        try:
            return await asyncio.shield(sent)
        except asyncio.CancelledError:
            await self._hear_out(sent)
            raise

    async def _hear_out(self, sent: asyncio.Future[ModelResponse]) -> None:
        try:
            await asyncio.wait({sent}, timeout=self.grace)
        finally:
            if not sent.cancel() and not sent.cancelled():
                sent.exception()  # it is in the journal; nobody else will ask for it

    async def _send(self, request: ModelRequest, issue: int) -> ModelResponse:
        try:
            response = await self.inner.complete(request)
        except RetryLater as problem:
            await self.journal.failed(request, issue, str(problem), raw=problem.raw, charged=problem.charged)
            raise
        except Exception as problem:
            await self.journal.failed(request, issue, str(problem))
            raise
        return await self.journal.answered(request, issue, response)

    async def close(self) -> None:
        await self.inner.close()
