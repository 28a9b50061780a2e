"""The fault model of a provider: every way in which it can fail, and what has to come of it."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from tests.torture.answering import envelope

Outcome = Literal["good", "harmless", "tried again", "unreadable", "paused", "refused"]
"""What has to come of an answer.

good, harmless: it stands, and means what the good answer means. tried again: the same question is asked once more.
unreadable: nothing in it may become an action; the agent is asked anew. paused, refused: the run stops and can be resumed.
"""


@dataclass(frozen=True)
class Served:
    """One answer of the provider.

    Attributes:
        kind: the name of the fault.
        outcome: what has to come of it.
        delay: seconds until it comes; drip: seconds between its parts.
        broken: the connection breaks after half of the body; refused: there is no connection at all.
        blocks: the body again and again, this many times.
    """

    kind: str
    outcome: Outcome = "good"
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    broken: bool = False
    unreachable: bool = False
    blocks: int = 1

    def head(self, more: int = 0) -> bytes:
        """Status line and headers for the wire; with `more`, the length they announce is that much too large."""
        fields = {"Content-Type": "application/json", "Content-Length": str(len(self.body) + more), **self.headers}
        return (
            "\r\n".join([f"HTTP/1.1 {self.status} X", *(f"{n}: {v}" for n, v in fields.items())]) + "\r\n\r\n"
        ).encode()


def _error(status: int, message: str, outcome: Outcome, kind: str, **more: Any) -> Served:
    headers = more.pop("headers", {})
    return Served(kind, outcome, status, json.dumps({"error": {"message": message, **more}}).encode(), headers)


Maker = Callable[[str, random.Random], Served]
"""From the good answer and a source of luck to a faulty one."""

_HTML = b"<html><h1>Bad gateway</h1>\x1b[31m</html>"
_NO_WAITS = ("-3", "NaN", "inf", "soon", "", "Mon, 01 Jan 2024 00:00:00 GMT", "1e999", "0")


def _busy(good: str, luck: random.Random) -> Served:
    name, value = luck.choice(
        [("Retry-After", "2"), ("Retry-After", "1.5"), ("retry-after-ms", "1500"), ("Retry-After", luck.choice(_NO_WAITS)),
         ("X-Nothing", "1"), ("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT"), ("retry-after-ms", "-1")]
    )  # fmt: skip
    return _error(429, "slow down", "tried again", "429", headers={name: value})


def _down(good: str, luck: random.Random) -> Served:
    status = luck.choice([500, 502, 503, 504, 529, 408, 409, 520])
    return Served("5xx", "tried again", status, luck.choice([_HTML, b"", b'{"error": "overloaded"}', b"\xff\xfe"]))


def _wire(good: str, luck: random.Random) -> Served:
    body = json.dumps(envelope(good)).encode()
    packed = gzip.compress(body)
    return luck.choice(
        [
            Served("refused connection", "tried again", unreachable=True),
            Served("dropped mid-body", "tried again", body=body, broken=True),
            Served("gzip broken", "tried again", body=b"\x1f\x8bno", headers={"Content-Encoding": "gzip"}),
            Served("gzip cut", "tried again", body=packed[:-9], headers={"Content-Encoding": "gzip"}),
            Served("gzip good", "harmless", body=packed, headers={"Content-Encoding": "gzip"}),
            Served("strange encoding", "tried again", body=body, headers={"Content-Encoding": "br"}),
        ]
    )


def _slow(good: str, luck: random.Random) -> Served:
    body = json.dumps(envelope(good)).encode()
    if luck.random() < 0.5:
        return Served("hangs", "tried again", body=body, delay=1e6)
    return Served("drips", "tried again", body=b" ", drip=10.0, blocks=1000)


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(20)) + packer.flush()


def _giant(good: str, luck: random.Random) -> Served:
    if luck.random() < 0.5:
        return Served("gzip bomb", "tried again", body=_bomb(), headers={"Content-Encoding": "gzip"})
    return Served("endless body", "tried again", body=b"x" * 65536, blocks=10**9)


def _no_envelope(good: str, luck: random.Random) -> Served:
    whole = json.dumps(envelope(good))
    body: str | bytes = luck.choice(
        [
            "", whole[: len(whole) // 2], "null", "[]", "3", '"words"', "words", "\ufeff" + whole, whole.encode("utf-16"),
            b"\xff\xfe\xfa", whole.replace('"id"', '"id": 1, "id"', 1), "[" * 100_000, '{"id": ' + "9" * 100_000 + "}",
            '{"error": {"message": "busy"}}', whole.replace('"x"', "NaN", 1), "{}", "<html></html>",
            json.dumps(envelope(good, choices=None)), json.dumps(envelope(good, choices=[])),
            json.dumps(envelope(good, choices=[{"index": 0, "message": None}])), json.dumps(envelope(good, choices="x")),
            json.dumps(envelope(good, "error")),
        ]
    )  # fmt: skip
    return Served("no envelope", "tried again", body=body if isinstance(body, bytes) else body.encode())


def _declined(good: str, luck: random.Random) -> Served:
    return luck.choice(
        [
            _error(400, "maximum context length is 8192", "unreadable", "too long", code="context_length_exceeded"),
            _error(500, "the prompt exceeds the context window", "unreadable", "too long"),
            _error(400, "stopped", "unreadable", "filtered", code="content_filter"),
            Served("filtered", "unreadable", body=json.dumps(envelope(good, "content_filter")).encode()),
            Served("cut off", "unreadable", body=json.dumps(envelope(good, "length")).encode()),
            Served("refused", "unreadable", body=json.dumps(envelope(None, message={"refusal": f"No. {good}"})).encode()),
        ]
    )  # fmt: skip


def _first_number(good: str, put: str) -> str:
    """The good answer with its first number replaced; answers without a number become something else altogether."""
    answer = json.loads(good)
    for name, value in answer.items():
        if isinstance(value, int):
            answer[name] = "@"
            return json.dumps(answer).replace('"@"', put, 1)
    return json.dumps({"unasked": 1})


_HOSTILE_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "true",
    '"1_0"',
    "9" * 5000,
    "null",
    "[]",
    '"none"',
    "1.5.2",
)


def _bad_words(good: str, luck: random.Random) -> Served:
    content: Any = luck.choice(
        [
            "", None, " \n\t", "\u200b\u2060\ufeff", 7, {"action": 0}, ["x"], [1, 2], True,
            "I will think about it.", "I'm sorry, but I can't help with that.", "{" * 50_000, "```" * 5_000, " " * 100_000,
            '{"unasked": 1}', "[]", "null", f"<think>{good}", good[:-1], good + good[:-2] + " }x",
            *[_first_number(good, number) for number in _HOSTILE_NUMBERS],
        ]
    )  # fmt: skip
    return Served("unreadable words", "unreadable", body=json.dumps(envelope(content)).encode())


def _odd(good: str, luck: random.Random) -> Served:
    """Strange, and yet a plain answer."""
    usage: Any = luck.choice([None, {}, {"prompt_tokens": -5}, {"prompt_tokens": "9"}, {"prompt_tokens": 10**30}, []])
    two = [
        {"index": 1, "message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"},
        {"index": 0, "message": {"role": "assistant", "content": good}, "finish_reason": "stop"},
    ]
    calls = [{"id": "1", "type": "function", "function": {"name": "rm", "arguments": "{}"}}]
    body = luck.choice(
        [
            envelope(good, usage=usage),
            envelope(good, model="another"),
            envelope(good, created=-1e300, id=None),
            envelope([{"type": "text", "text": good[:3]}, {"type": "text", "text": good[3:]}]),
            envelope(good, message={"tool_calls": calls}),
            envelope(good, message={"role": "system"}),
            envelope(good, choices=two),
            envelope(f"Here it is:\n```json\n{good}\n```"),
            envelope(f"<think>maybe {{}} or 1</think>{good}"),
            envelope(good, None),
        ]
    )
    return Served("odd but plain", "harmless", body=json.dumps(body).encode())


def _stops(good: str, luck: random.Random) -> Served:
    return luck.choice(
        [
            _error(429, "wait", "paused", "a day to wait", headers={"Retry-After": "86400"}),
            _error(429, "more", "paused", "no quota", code="insufficient_quota"),
            _error(402, "pay", "paused", "no quota"),
            _error(401, "bad key", "refused", "bad key"),
            _error(403, "no access", "refused", "no access"),
            Served("not found", "refused", 404, _HTML),
            Served("redirect", "refused", luck.choice([301, 307]), b"", {"Location": "http://127.0.0.1:9/v1"}),
            _error(400, "bad thing", "refused", "bad request"),
            _error(422, "bad x", "refused", "bad request"),
        ]
    )


FAULTS: dict[str, tuple[int, Maker]] = {
    "busy": (12, _busy),
    "down": (12, _down),
    "wire": (12, _wire),
    "slow": (5, _slow),
    "giant": (1, _giant),
    "no envelope": (14, _no_envelope),
    "declined": (12, _declined),
    "bad words": (20, _bad_words),
    "odd": (12, _odd),
    "stops": (2, _stops),
}
"""By group: how often, and how one is made."""


def fault(good: str, luck: random.Random) -> Served:
    """Some fault."""
    groups = list(FAULTS)
    (group,) = luck.choices(groups, [FAULTS[name][0] for name in groups])
    return FAULTS[group][1](good, luck)
