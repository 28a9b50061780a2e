"""A real provider on loopback in a process of its own: answers by `answering`, writes down what it was asked, can be slow and faulty."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.torture.answering import envelope, good_answer, identity
from tests.torture.provider_faults import Served

Chooser = Callable[[dict[str, Any], int, str], "Served | None"]
"""From a request, how often it was asked before, and its good answer, to a faulty answer or None."""

_WIDTH = 24
"""Bytes of a line in the list of requests."""


@contextmanager
def provider(folder: Path, *, delay: tuple[float, float], chooser: Chooser | None = None) -> Iterator[Provider]:
    """Start it; it dies with the caller. Must be entered before the calling process starts any thread.

    Args:
        folder: where its list of requests stands.
        delay: seconds before each answer, from and to.
        chooser: which answers are faulty.
    """
    listed = folder / "requests.txt"
    ready, tells = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ready)
            asyncio.run(_serve(listed, tells, delay, chooser))
        finally:
            os._exit(0)
    os.close(tells)
    try:
        port = int(os.read(ready, 20))
        yield Provider(listed, port)
    finally:
        os.close(ready)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class Provider:
    """The address of the server, and what it was asked so far."""

    def __init__(self, listed: Path, port: int) -> None:
        self.listed, self.port = listed, port
        self.model = f"tiny@http://127.0.0.1:{port}/v1"

    def requests(self) -> int:
        """How many there were."""
        return self.listed.stat().st_size // _WIDTH if self.listed.exists() else 0

    def asked(self) -> list[int]:
        """The questions in the order in which they came, by `identity`."""
        return [int(line) for line in self.listed.read_text().split()] if self.listed.exists() else []


async def _serve(listed: Path, tells: int, delay: tuple[float, float], chooser: Chooser | None) -> None:
    book = os.open(listed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    luck = random.Random(1)
    seen: dict[int, int] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                who = identity(body)
                before = seen.get(who, 0)
                seen[who] = before + 1
                os.write(book, f"{who:>{_WIDTH - 1}}\n".encode())
                good = good_answer(body)
                served = chooser(body, before, good) if chooser else None
                await asyncio.sleep(luck.uniform(*delay))
                served = served or Served("good", body=json.dumps(envelope(good)).encode())
                if served.broken:
                    writer.write(served.head(more=1000) + served.body[: len(served.body) // 2])
                    writer.transport.abort()
                    return
                writer.write(served.head() + served.body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    os.write(tells, str(server.sockets[0].getsockname()[1]).encode())
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  # nothing tells when a parent dies
        await asyncio.sleep(1)
