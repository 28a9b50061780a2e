"""The journal of one run: what was asked, recalled by position, checked by the hash of the question."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from society.core.calls import ChatMessage, ModelRequest, ModelResponse, Position, Usage, schema_text
from society.core.canonical import canonical_json
from society.log.projection import SqlRow, SqlValue
from society.log.text import Redaction, original_text, storable_text

_BIGGEST = 2**63


class Entry(NamedTuple):
    """A committed answer."""

    request_hash: str
    prompt: str | None
    response: ModelResponse


@dataclass(slots=True)
class Asked:
    """A try that was issued and has not ended.

    Attributes:
        told: the question's hash, prompt, schema and sampling as columns, once its rows are made: the answer comes with the same.
    """

    request: ModelRequest
    issue: int
    reserved_usd: float | None
    issued: str
    told: tuple[str, str | None, str | None, str] | None = None


class Ended(NamedTuple):
    """How a try ended: with an answer, or with an error and whatever came instead.

    Attributes:
        at: when, in UTC.
        raw: the bytes that came instead of an answer.
        charged: the provider may charge for it, although it brought no answer.
    """

    at: str
    response: ModelResponse | None
    error: str | None = None
    raw: bytes = b""
    charged: bool = False


def call_rows(run_id: str, asked: Asked, known: set[str], ended: Ended | None) -> list[tuple[str, SqlRow]]:
    """The rows of one try: the messages and the schema it brings that the log does not hold yet, last the try, without digest."""
    rows: list[tuple[str, SqlRow]] = []
    if asked.told is None:
        rows, asked.told = _question(asked.request, known)
    request_hash, prompt, schema, sampling = asked.told
    model, at = asked.request.model, asked.request.at
    key = (run_id, at.round, at.stage, at.turn, at.agent, at.attempt, asked.issue)
    when, response, error, raw, charged = ended or _OPEN
    status = "issued" if ended is None else "failed" if response is None else "answered"
    served = None if response is None else response.served_model
    rows.append(
        (
            "model_call",
            (*key, status, request_hash, model, served, prompt, schema, sampling, *answer_columns(response, raw, charged),
             _real(asked.reserved_usd), *end_columns(response), asked.issued, when,
             None if error is None else storable_text(error)),
        )
    )  # fmt: skip
    return rows


_OPEN = (None, None, None, b"", False)
"""Of a try that has not ended."""


def _question(
    request: ModelRequest, known: set[str]
) -> tuple[list[tuple[str, SqlRow]], tuple[str, str | None, str | None, str]]:
    """The rows a question brings that the log does not hold yet, and its columns."""
    rows: list[tuple[str, SqlRow]] = []
    before: str | None = None
    for place, (message, link) in enumerate(zip(request.messages, request.links, strict=True)):
        if link not in known:
            known.add(link)
            rows.append(("prompt", (link, before, place, message.role, storable_text(message.content))))
        before = link
    schema = None
    if request.schema is not None:
        text, schema = schema_text(request.schema)
        if schema not in known:
            known.add(schema)
            rows.append(("answer_schema", (schema, text)))
    return rows, (request.hash, before, schema, request.sampling.canonical())


def answer_columns(response: ModelResponse | None, raw: bytes = b"", charged: bool = False) -> tuple[SqlValue, ...]:
    """finish, text, raw, detail, tokens_in, tokens_out, tokens_cached, usd, estimated.

    A failed try has no tokens and no cost, as nobody knows them; one that may be charged for all the same is `estimated`.
    """
    if response is None:
        return (None, None, raw or None, None, None, None, None, None, charged or None)
    usage = response.usage
    return (
        response.finish,
        storable_text(response.text),
        response.raw,
        storable_text(response.detail),
        _fitting(usage.tokens_in),
        _fitting(usage.tokens_out),
        _fitting(usage.tokens_cached),
        _real(usage.usd),
        usage.estimated,
    )


def end_columns(response: ModelResponse | None) -> tuple[SqlValue, ...]:
    """cached, seconds."""
    return (None, None) if response is None else (response.cached, float(response.seconds))


def response_of(row: Any) -> ModelResponse:  # Any: a row of model_call
    """The answer as it was when it was committed."""
    usage = Usage(row.tokens_in, row.tokens_out, row.tokens_cached, row.usd, bool(row.estimated))
    return ModelResponse(
        text=original_text(row.text),
        finish=row.finish,
        raw=bytes(row.raw or b""),
        usage=usage,
        served_model=row.served_model,
        detail=original_text(row.detail),
        seconds=row.seconds,
        cached=True,
    )


def redacted_request(request: ModelRequest, redaction: Redaction) -> ModelRequest:
    """The question without secrets; its hash is the one the journal knows."""
    if not redaction:
        return request
    messages = tuple(ChatMessage(m.role, redaction.text(m.content)) for m in request.messages)
    schema = None if request.schema is None else json.loads(redaction.text(canonical_json(request.schema)))
    return replace(request, messages=messages, schema=schema)


def redacted_response(response: ModelResponse, redaction: Redaction) -> ModelResponse:
    if not redaction:
        return response
    return replace(
        response,
        text=redaction.text(response.text),
        raw=redaction.bytes(response.raw),
        served_model=None if response.served_model is None else redaction.text(response.served_model),
        detail=redaction.text(response.detail),
    )


def position_of(row: Any) -> Position:  # Any: a row of model_call
    return Position(row.round, row.stage, row.turn, row.agent, row.attempt)


def _fitting(count: int | None) -> int | None:
    """A count of tokens no database can hold is no count."""
    return count if count is None or 0 <= count < _BIGGEST else None


def _real(amount: float | None) -> float | None:
    return None if amount is None else float(amount)
