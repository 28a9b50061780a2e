"""What a failed call means, by kind and body and not by status alone.

RetryLater     a further try may help; carries how long the provider asked to wait
Unsupported    the server knows a parameter not; the request is put in another form and sent again at once
Declined       the provider will not answer *this* question (too long, filtered): an answer of its own kind
ProviderRefused, Paused    of `society.core.errors`: the run stops
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from pydantic_core import from_json

from society.core.calls import Finish
from society.core.errors import Paused, ProviderRefused

LONGEST_WAIT = 120.0
"""Seconds. A provider that asks for more gets its run paused instead."""
_CLIP = 300
_TEN_YEARS = 3.2e8

_QUOTA = re.compile(
    r"insufficient_quota|billing|exceeded your current quota|insufficient (credits|balance|funds)|payment"
)
_TOO_LONG = re.compile(
    r"context_length_exceeded|context length|context window|context size|maximum context|too many tokens|prompt is too long"
    r"|exceed_context_size|input is too long|longer than the maximum"
)
_FILTER = re.compile(r"content_filter|content_policy|content management policy|responsible_ai|safety system")
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unknown|unrecognized|unexpected|not allowed|invalid|not permitted|extra"
)
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{0,15})?")
_OPTIONAL = (
    "response_format", "json_schema", "json_object", "max_completion_tokens", "max_tokens", "temperature", "top_p",
    "seed", "reasoning_effort",
)  # fmt: skip
_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})


class RetryLater(Exception):
    """One try brought nothing, the next one may.

    Attributes:
        seconds: what the provider asked to wait, or None.
        shared: whether everybody who uses the key should wait.
        raw: what came instead of an answer.
        charged: whether the provider may charge for it all the same: it was sent, and no error came back.
    """

    def __init__(
        self,
        message: str,
        *,
        seconds: float | None = None,
        shared: bool = False,
        raw: bytes = b"",
        charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.seconds, self.shared, self.raw, self.charged = seconds, shared, raw, charged


class Unsupported(Exception):
    """The server does not take a parameter; `parameter` says which."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider will not answer this question, and no other try would change that."""

    finish: Finish
    detail: str


@dataclass(frozen=True, slots=True)
class Whom:
    """Whose answer it is, for messages: the model as the user named it and the address; and what must not be printed."""

    model: str
    base_url: str
    secrets: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The model and its address, once."""
        return self.model if self.base_url in self.model else f"{self.model} at {self.base_url}"

    def redact(self, text: str) -> str:
        """The text without any key in it, on one line, clipped."""
        for secret in self.secrets:
            text = text.replace(secret, "[key]")
        text = "".join(char if char.isprintable() else " " for char in text)
        text = re.sub(r"\b(sk|key|pk)-[A-Za-z0-9_\-*]{6,}", "[key]", " ".join(text.split()))
        return text if len(text) <= _CLIP else text[:_CLIP] + "..."


def classify(
    status: int, headers: dict[str, str], body: bytes, whom: Whom, now: float
) -> RetryLater | Unsupported | Declined:
    """What an answer other than 200 means. `now` is seconds since 1970, for dates in headers.

    Raises:
        ProviderRefused: bad key, unknown model, bad request, redirect.
        Paused: no money left, or a wait of more than `LONGEST_WAIT`.
    """
    words, code = _read_error(body)
    told = whom.redact(words) or "(empty body)"
    low = f"{code} {words}".lower()
    where = whom.where
    if status < 200:
        return RetryLater(f"{where} answered with status {status}, which is no answer", raw=body)
    if status in _REDIRECTS:
        raise ProviderRefused(
            f"{where} redirects elsewhere (status {status}), which is refused; set the address it redirects to"
        )
    if status == 402 or (status in {403, 429, 400} and _QUOTA.search(low)):
        raise Paused(f"{where}: no quota left (status {status}: {told}); top it up, then resume the run")
    if status in {400, 413, 422, 500} and _TOO_LONG.search(low):
        return Declined("error", f"the prompt is too long for the model: {told}")
    if status in {400, 403, 422} and _FILTER.search(low):
        return Declined("filtered", told)
    if status in {400, 422, 501}:
        named = _parameter(code.lower(), words.lower())
        if named is not None and (_UNSUPPORTED.search(low) or status == 501):
            return Unsupported(named, told)
    if status in {401, 403}:
        raise ProviderRefused(f"{where} refuses the key (status {status}: {told}); check {_key_of(whom)}")
    if status == 404:
        raise ProviderRefused(
            f"{where} does not exist there (status 404: {told}); check the model's name and the address"
        )
    if status in _RETRIED or status >= 500:
        seconds = retry_after(headers, now)
        if seconds is not None and seconds > LONGEST_WAIT:
            until = datetime.fromtimestamp(now + min(seconds, _TEN_YEARS), UTC)
            raise Paused(
                f"{where} asks to wait {seconds:.0f} s (status {status}: {told}); resume the run after "
                f"{until:%Y-%m-%d %H:%M:%S} UTC"
            )
        message = f"{where} answered with status {status}: {told}"
        return RetryLater(message, seconds=seconds, shared=status in {429, 503, 529}, raw=body)
    raise ProviderRefused(f"{where} refuses the request (status {status}: {told})")


def _parameter(code: str, words: str) -> str | None:
    """The optional parameter an error speaks of: the one its code names, else the first it mentions."""
    for text in (code, words):
        found = [(text.find(name), name) for name in _OPTIONAL if name in text]
        if found:
            return min(found)[1]
    return None


def retry_after(headers: dict[str, str], now: float) -> float | None:
    """Seconds the provider asks to wait: ``retry-after-ms``, or ``Retry-After`` in seconds or as a date.

    None for anything that is not a wait: garbage, NaN, infinity, a negative number, a date in the past.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if not text:
            continue
        seconds = float(text) * scale if _SECONDS.fullmatch(text) else _date_wait(text, now)
        if math.isfinite(seconds) and seconds > 0:
            return seconds
    return None


def _date_wait(text: str, now: float) -> float:
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return -1.0


def _read_error(body: bytes) -> tuple[str, str]:
    """The words of an error body in any of the usual shapes, and its code."""
    try:
        shape: Any = from_json(body[:65536])
    except ValueError:
        return body[: 4 * _CLIP].decode("utf-8", "replace"), ""
    if isinstance(shape, list) and shape:
        shape = shape[0]
    if not isinstance(shape, dict):
        return str(shape)[: 4 * _CLIP], ""
    error = shape.get("error", shape.get("detail", shape))
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict):
        words = error.get("message") or error.get("msg") or error
        code = [error.get(key) for key in ("code", "type", "param", "loc")]
        inner = error.get("innererror")
        return str(words)[: 4 * _CLIP], " ".join(str(part) for part in [*code, inner] if part)
    return str(error)[: 4 * _CLIP], str(shape.get("code", ""))


def _key_of(whom: Whom) -> Literal["OPENAI_API_KEY", "SOCIETY_API_KEY"]:
    return "OPENAI_API_KEY" if whom.model.startswith("openai:") else "SOCIETY_API_KEY"
