"""The journal of one run: what was asked, recalled by position, checked by the hash of the question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import lru_cache
from typing import Any, NamedTuple

from society.core.calls import (
    ChatMessage,
    ModelRequest,
    ModelResponse,
    Position,
    Usage,
    canonical_json,
    prompt_link,
    schema_text,
)
from society.core.errors import Diverged
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


def call_rows(
    run_id: str, asked: Asked, known: set[str], *, response: ModelResponse | None = None, ended: str | None = None,
    error: str | None = None, raw: bytes = b"", charged: bool = False,
) -> list[tuple[str, SqlRow]]:  # fmt: skip
    """The rows of one try: the messages and the schema it brings that the log does not hold yet, last the try, without digest."""
    rows: list[tuple[str, SqlRow]] = []
    if asked.told is None:
        rows, asked.told = _question(asked.request, known)
    request_hash, prompt, schema, sampling = asked.told
    at = asked.request.at
    key = (run_id, at.round, at.stage, at.turn, at.agent, at.attempt, asked.issue)
    status = "answered" if response is not None else "failed" if error is not None else "issued"
    asked_columns = (status, request_hash, asked.request.model)
    served = None if response is None else response.served_model
    rows.append(
        (
            "model_call",
            (*key, *asked_columns, served, prompt, schema, sampling, *answer_columns(response, raw, charged),
             _real(asked.reserved_usd), *end_columns(response), asked.issued, ended,
             None if error is None else storable_text(error)),
        )
    )  # fmt: skip
    return rows


def _question(
    request: ModelRequest, known: set[str]
) -> tuple[list[tuple[str, SqlRow]], tuple[str, str | None, str | None, str]]:
    """The rows a question brings that the log does not hold yet, and its columns."""
    rows: list[tuple[str, SqlRow]] = []
    link = ""
    for place, message in enumerate(request.messages):
        before, link = link, prompt_link(link, message.role, message.content)
        if link not in known:
            known.add(link)
            rows.append(("prompt", (link, before or None, place, message.role, storable_text(message.content))))
    schema = None
    if request.schema is not None:
        text, schema = schema_text(request.schema)
        if schema not in known:
            known.add(schema)
            rows.append(("answer_schema", (schema, text)))
    return rows, (request.hash, link or None, schema, sampling_text(request))


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


def diverged(request: ModelRequest, entry: Entry, before: Sequence[tuple[str, str]], run: str = "RUN") -> Diverged:
    """The error that shows where the question differs from the journalled one; `before` is the journalled prompt."""
    at = request.at
    old = [line for role, content in before for line in (f"[{role}]", *content.splitlines())]
    new = [line for m in request.messages for line in (f"[{m.role}]", *m.content.splitlines())]
    shown = list(unified_diff(old, new, "journal", "now", lineterm="", n=1))[:30]
    detail = "\n".join(shown) if shown else "the messages are the same; the model, the schema or the sampling differ"
    mend = f"`society fork {run} --round {at.round - 1}` plays a new run that shares the rounds before this one"
    if at.round <= 1:
        mend = "begin a new run with `society run`"
    return Diverged(
        f"round {at.round}, {at.stage}, turn {at.turn}, agent {at.agent}, attempt {at.attempt}: this question is not the one "
        f"the journal holds an answer to ({entry.request_hash[:12]}, now {request.hash[:12]}); the scenario, the prompts or "
        f"the program have changed. Nothing was sent; {mend}.\n{detail}"
    )


def position_of(row: Any) -> Position:  # Any: a row of model_call
    return Position(row.round, row.stage, row.turn, row.agent, row.attempt)


def sampling_text(request: ModelRequest) -> str:
    """Temperature and the like, as the question's hash has them."""
    s = request.sampling
    return _sampling_text(repr(s.temperature), repr(s.top_p), s.max_tokens, s.seed, s.reasoning_effort)


@lru_cache(maxsize=256)
def _sampling_text(*parts: str | int | None) -> str:
    return canonical_json(parts)


def _fitting(count: int | None) -> int | None:
    """A count of tokens no database can hold is no count."""
    return count if count is None or 0 <= count < _BIGGEST else None


def _real(amount: float | None) -> float | None:
    return None if amount is None else float(amount)
