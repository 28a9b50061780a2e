"""One provider: an address and a key, the connections to it, and what can go wrong on the way."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Mapping

import aiohttp
import httpx2
import openai

from society.models.bounded_http import Answer, BodyRefused, BoundedClient

_PATH = "/chat/completions"
_OF_ONE_REQUEST = ("content-length", "cookie")
"""Headers that say something of one request, and not of all."""

_BROKEN = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.StreamError,
    httpx2.InvalidURL,
    aiohttp.ClientError,
    BodyRefused,
    zlib.error,
    OSError,
    UnicodeError,
)


_UNCONNECTED = (aiohttp.ClientConnectorError, httpx2.ConnectError, httpx2.InvalidURL)


class Unreachable(Exception):
    """The try brought no HTTP answer; the message says what really happened.

    Attributes:
        sent: False if there was not even a connection, so that nobody can have got the question.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Endpoint:
    """One provider, shared by all of its models.

    The openai client makes the first request: address, key, account and its other headers. Those after it differ in their body alone,
    so it is the model of them all, and they go straight to the HTTP client; making each anew would take twice as long as
    sending it.

    Args:
        seconds: the deadline of a whole try, from the first byte sent to the last one read.
        most_bytes: the longest answer that is read; connections: the most that are open.
    """

    def __init__(self, base_url: str, key: str | None, *, seconds: float, most_bytes: int, connections: int) -> None:
        self.base_url = base_url
        self.seconds = seconds
        self.http = BoundedClient(most_bytes=most_bytes, connections=connections)
        self.client = openai.AsyncOpenAI(
            api_key=key or "none", base_url=base_url, max_retries=0, timeout=None, http_client=self.http
        )
        self._url: httpx2.URL | None = None
        self._headers = httpx2.Headers()

    async def post(self, body: Mapping[str, object]) -> Answer:
        """Send one question.

        Raises:
            TimeoutError: there was no whole answer in time.
            Unreachable: there was none at all, or it broke off, or it was refused for its size or form.
        """
        try:
            data = _ENCODER.encode(body).encode()
            async with asyncio.timeout(self.seconds):
                return await (self._first(data) if self._url is None else self._next(self._url, data))
        except TimeoutError:
            raise
        except _BROKEN as problem:
            causes = _causes(problem)
            sent = not any(isinstance(cause, _UNCONNECTED) for cause in causes)
            raise Unreachable(f"{type(causes[-1]).__name__}: {causes[-1]}", sent=sent) from None

    async def _first(self, data: bytes) -> Answer:
        try:
            response = await self.client.post(_PATH, cast_to=httpx2.Response, content=data)
        except openai.APIStatusError as problem:
            response = problem.response
        headers = response.request.headers.multi_items()
        self._headers = httpx2.Headers([one for one in headers if one[0].lower() not in _OF_ONE_REQUEST])
        self._url = response.request.url
        return Answer(response.status_code, response.headers, response.content)

    async def _next(self, url: httpx2.URL, data: bytes) -> Answer:
        request = httpx2.Request("POST", url, headers=self._headers, stream=httpx2.ByteStream(data))
        request.read()
        return await self.http.answer(request)

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False)


def _causes(problem: BaseException) -> list[BaseException]:
    """A problem and its causes; the last is what really happened: the clients call every broken connection a timeout."""
    found = [problem]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None:
        found.append(cause)
    return found
