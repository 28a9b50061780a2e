"""A provider of models on loopback, in a thread of its own, for commands that run in this process or in others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fault_server import FaultServer


class Provider:
    """Answers every question alike after a while, and counts how many are in flight."""

    def __init__(self, reply: bytes, seconds: float) -> None:
        self.reply, self.seconds = reply, seconds
        self.server = FaultServer(self._answer)
        self.in_flight = self.most = 0

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
            writer.write(self.reply)
            await writer.drain()
        finally:
            self.in_flight -= 1


@contextmanager
def provider(reply: bytes, *, seconds: float = 0.0) -> Iterator[Provider]:
    """A provider that gives this answer, each time after so many seconds."""
    serving, loop = Provider(reply, seconds), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(serving.server.__aenter__(), loop).result(10)
    try:
        yield serving
    finally:
        asyncio.run_coroutine_threadsafe(serving.server.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
