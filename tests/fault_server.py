"""A server on loopback that answers exactly the bytes it is told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: bytes | str | dict[str, Any], **headers: str) -> bytes:
    """A whole HTTP answer; underscores in header names stand for hyphens."""
    if isinstance(body, dict):
        body = json.dumps(body)
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [
        f"{name.replace('_', '-')}: {value}" for name, value in {"Content_Type": "application/json", **headers}.items()
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def completion(content: Any = '{"amount": 5}', finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    """A good answer, or one that differs from it where the caller says so."""
    usage = more.pop("usage", {"prompt_tokens": 12, "completion_tokens": 6})
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return {"id": "x", "object": "chat.completion", "model": "tiny", "choices": choices, "usage": usage, **more}


GOOD = http(200, completion())


class FaultServer:
    """Serves `replies` one by one; the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = replies
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def requests(self) -> int:
        return len(self.bodies)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> FaultServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")
            )
            body = json.loads(await reader.readexactly(length))
            reply = self.replies[min(self.requests, len(self.replies) - 1)]
            self.heads.append(head)
            self.bodies.append(body)
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


class VirtualClock:
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_800_000_000.0 + self.time

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)
