"""A server that speaks the chat completions protocol, answers after a set time, and counts: ``python -m benchmarks.server 0.2``.

It prints its port on a line and serves until its input ends. The answer is one that the fishery can read: everybody takes ten.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from benchmarks.workload import NAMES

DECLARES = b"intended"
"""In the question (and the schema) of a declaration, and nowhere else."""


def completion(text: str) -> bytes:
    """The answer in its envelope."""
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "bench",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 500, "completion_tokens": 20, "total_tokens": 520},
        }
    ).encode()


DECLARATION = completion(
    json.dumps({"intended": 10, "predicted": dict.fromkeys(NAMES, 10), "forecast": 10, "desired": 10})
)
ACTION = completion(json.dumps({"action": 10}))


class Counting:
    """The handlers of one server."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = 0
        self.now = 0
        self.most = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            body = await request.read()
            await asyncio.sleep(self.seconds)
        finally:
            self.now -= 1
        return web.Response(body=DECLARATION if DECLARES in body else ACTION, content_type="application/json")

    async def count(self, request: web.Request) -> web.Response:
        """What was asked since the last time somebody wanted to know."""
        told = {"asked": self.asked, "most_at_once": self.most}
        self.asked = self.most = 0
        return web.json_response(told)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address, as a client wants it."""

    url: str

    def count(self) -> dict[str, int]:
        """How many questions came since the last count, and how many at once at most."""
        with urllib.request.urlopen(f"{self.url}/count") as answer:
            told: dict[str, int] = json.load(answer)
        return told


@contextmanager
def serving(seconds: float) -> Iterator[Server]:
    """A server in a process of its own, while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield Server(f"http://127.0.0.1:{port}/v1")
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


async def serve(seconds: float) -> None:
    """Serve until standard input ends."""
    counting = Counting(seconds)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", counting.answer)
    app.router.add_get("/v1/count", counting.count)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    sockets = site._server.sockets  # type: ignore[union-attr]  # there is no public way to learn the port
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
