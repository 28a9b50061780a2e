"""An HTTP client that reads no more of an answer than it was told to, decompressed, and follows no redirect."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from openai import DefaultAioHttpClient

_ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_STEP = 1 << 18


class BodyRefused(Exception):
    """The body is too large, or in an encoding that was not asked for."""


class BoundedClient(DefaultAioHttpClient):
    """`send` returns a response whose whole body is in memory, at most `most_bytes` long.

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

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:  # Any: passed on as they are
        options["stream"] = True
        options["follow_redirects"] = False
        response = await super().send(request, **options)
        try:
            coding = response.headers.get("content-encoding", "identity").strip().lower()
            told = response.headers.get("content-length", "")
            if coding in {"", "identity"} and told.isdecimal() and int(told) <= self.most_bytes:
                await response.aread()  # no more than its own length can come
                return response
            chunks: list[bytes] = []
            size = 0
            async for chunk in _decoded(response.aiter_raw(), coding, self.most_bytes):
                size += len(chunk)
                if size > self.most_bytes:
                    raise BodyRefused(f"the answer is larger than {self.most_bytes} bytes")
                chunks.append(chunk)
        finally:
            await response.aclose()
        headers = [
            (name.encode(errors="replace"), value.encode(errors="surrogateescape"))  # servers send any bytes
            for name, value in response.headers.multi_items()
            if name.lower() not in {"content-encoding", "content-length", "transfer-encoding"}
        ]
        return httpx2.Response(response.status_code, headers=headers, content=b"".join(chunks), request=request)


async def _decoded(stream: AsyncIterator[bytes], coding: str, most: int) -> AsyncIterator[bytes]:
    if coding in {"", "identity"}:
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
