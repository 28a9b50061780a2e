"""A stopped run keeps the answers it has already asked for."""

from __future__ import annotations

import asyncio

import pytest

from society.core.calls import ChatMessage, ModelRequest, ModelResponse, Position
from society.models.prices import FREE
from society.models.record import Record

QUESTION = ModelRequest(Position(1, "act", 0, 0), "some", (ChatMessage("user", "?"),))


class Slow:
    """Answers when it is told to."""

    def __init__(self):
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def complete(self, request):
        self.asked.set()
        await self.answer.wait()
        return ModelResponse("{}")

    async def close(self):
        pass


class Journal:
    def __init__(self):
        self.told = []

    def recall(self, request):
        return None

    async def issue(self, request, *, reserved_usd):
        self.told.append("issued")
        return 0

    async def answered(self, request, issue, response):
        self.told.append("answered")
        return response

    async def failed(self, request, issue, error, *, raw=b"", charged=False):
        self.told.append("failed")


async def asked(price=None, grace=20.0):
    model, journal = Slow(), Journal()
    call = asyncio.create_task(Record(model, journal, price, grace=grace).complete(QUESTION))
    await model.asked.wait()
    return model, journal, call


async def test_a_call_in_flight_is_heard_out_when_the_run_is_stopped():
    model, journal, call = await asked()
    call.cancel()
    await asyncio.sleep(0)
    assert not call.done()
    model.answer.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert journal.told == ["issued", "answered"]


async def test_stopped_once_more_nothing_is_waited_for():
    _, journal, call = await asked()
    call.cancel()
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert journal.told == ["issued"]


async def test_nobody_waits_longer_than_the_grace():
    _, journal, call = await asked(grace=0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert journal.told == ["issued"]


async def test_a_free_model_is_not_waited_for():
    _, journal, call = await asked(price=FREE)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert journal.told == ["issued"]
