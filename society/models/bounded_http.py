"""An HTTP client that reads no more of an answer than it was told to, decompressed, and follows no redirect."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx2
from openai import DefaultAioHttpClient

_ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_PLAIN = frozenset({"", "identity"})
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_STEP = 1 << 18


class BodyRefused(Exception):
    """The body is too large, or in an encoding that was not asked for."""


class Answer(NamedTuple):
    """A whole HTTP answer, whatever its status; the body is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BoundedClient(DefaultAioHttpClient):
    """Answers come whole or not at all, with a body of at most `most_bytes`.

    The body is decompressed here, in steps, since two megabytes of gzip can hold two gigabytes.
    """

    def __init__(self, *, most_bytes: int, connections: int) -> None:
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        super().__init__(
            limits=limits,
            timeout=None,  # the caller has one deadline for the whole try
            follow_redirects=False,
            headers={"Accept-Encoding": "gzip, deflate"},
        )
        self.most_bytes = most_bytes

    async def answer(self, request: httpx2.Request) -> Answer:
        """Send a request as it is.

        Raises:
            BodyRefused: the body is too large, or in an encoding that was not asked for.
        """
        response = await super().send(request, stream=True, follow_redirects=False)
        try:
            return Answer(response.status_code, response.headers, await self._body(response))
        finally:
            await response.aclose()

    async def send(
        self, request: httpx2.Request, **_: Any
    ) -> httpx2.Response:  # Any: options the answer does not depend on
        """What the openai client calls: as `answer`, in its terms."""
        status, told, body = await self.answer(request)
        assert isinstance(told, httpx2.Headers), "it comes from there"
        headers = [
            (name.encode(errors="replace"), value.encode(errors="surrogateescape"))  # servers send any bytes
            for name, value in told.multi_items()
            if name.lower() not in _OF_THE_WIRE
        ]
        return httpx2.Response(status, headers=headers, content=body, request=request)

    async def _body(self, response: httpx2.Response) -> bytes:
        assert isinstance(response.stream, httpx2.AsyncByteStream), "it was asked for as a stream"
        chunks: list[bytes] = []
        size = 0
        async with aclosing(_decoded(response.stream, _coding_of(response), self.most_bytes)) as decoded:
            async for chunk in decoded:
                size += len(chunk)
                if size > self.most_bytes:
                    raise BodyRefused(f"the answer is larger than {self.most_bytes} bytes")
                chunks.append(chunk)
        return b"".join(chunks)


def _coding_of(response: httpx2.Response) -> str:
    """How the body is encoded; looked up among the raw headers, since most answers' are never decoded."""
    for name, value in response.headers.raw:
        if name.lower() == b"content-encoding":
            return value.decode("latin-1").strip().lower()
    return ""


async def _decoded(stream: httpx2.AsyncByteStream, coding: str, most: int) -> AsyncGenerator[bytes]:
    if coding in _PLAIN:
        async for chunk in stream:
            yield chunk
        return
    if coding not in _ENCODINGS:
        raise BodyRefused(f"the answer has the encoding {coding[:40]!r}, which was not asked for")
    inflate = zlib.decompressobj(_ENCODINGS[coding])
    async for chunk in stream:
        left = chunk
        while left:
            yield inflate.decompress(left, min(_STEP, most + 1))
            left = inflate.unconsumed_tail
    yield inflate.flush(_STEP)
    if not inflate.eof:
        raise BodyRefused("the compressed answer ends too early")
