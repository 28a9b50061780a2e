"""The prompts and raw answers behind what an agent said and did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from society.log import RunInfo
from society.views.web.run_page import stage_of
from society.views.web.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Told:
    """One try of one question: where it was asked, what was asked, and what came back.

    Attributes:
        title, facts: stage and try; model, tokens, time and cost in words.
        messages: the prompt as (role, content).
        prompt: the hash of its last message, by which one file holds it.
        answer: the words as they were read; raw, raw_size: the body as it was received.
    """

    title: str
    facts: str
    messages: Sequence[tuple[str, str]]
    prompt: str
    answer: str
    raw: str
    raw_size: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls were made, and the calls."""

    number: int
    seat: int
    stage: str
    calls: Sequence[Told]


def calls_of(shelf: Shelf, info: RunInfo, number: int, seat: int, stage: str) -> list[Told]:
    """Every try of every question to one agent in one stage of one round."""
    calls = shelf.log.calls(info.id, round=number, agent=seat)
    return [_told(call, shelf.log.prompt(call)) for call in calls if stage_of(call.stage) == stage]


def all_calls(shelf: Shelf, info: RunInfo) -> list[Place]:
    """Every call of a run, by where it was made, without the prompts."""
    found: dict[tuple[int, int, str], list[Told]] = {}
    for call in shelf.log.calls(info.id):
        found.setdefault((call.round, call.agent, stage_of(call.stage)), []).append(_told(call, ()))
    return [Place(*place, calls) for place, calls in found.items()]


def all_prompts(shelf: Shelf, info: RunInfo) -> Iterator[tuple[str, str | None, str, str]]:
    """Every message of every prompt of a run, once: hash, hash of the message before, role, content."""
    question = (
        "WITH RECURSIVE chain(hash) AS (SELECT DISTINCT prompt FROM model_call WHERE run_id = :run AND prompt IS NOT NULL"
        " UNION SELECT p.before FROM prompt AS p JOIN chain AS c ON p.hash = c.hash WHERE p.before IS NOT NULL)"
        " SELECT p.hash, p.before, p.role, p.content FROM prompt AS p JOIN chain AS c ON p.hash = c.hash ORDER BY p.place, p.hash"
    )
    for hash_, before, role, content in shelf.log.sql(question, {"run": info.id}).values:
        yield str(hash_), before, str(role), str(content)


def _told(call: Any, messages: Sequence[tuple[str, str]]) -> Told:  # Any: a row of model_call
    tries = f", asked again ({call.attempt})" if call.attempt else ""
    tries += f", sent again ({call.issue})" if call.issue else ""
    raw = call.raw or b""
    return Told(
        title=f"{call.stage}, turn {call.turn + 1}{tries}" if call.stage == "talk" else f"{call.stage}{tries}",
        facts=_facts(call),
        messages=messages,
        prompt=call.prompt or "",
        answer=call.text or call.error or call.detail or "",
        raw=raw.decode("utf-8", "backslashreplace"),
        raw_size=len(raw),
    )


def _facts(call: Any) -> str:  # Any: a row of model_call
    parts = [
        call.model,
        f"served by {call.served_model}" if call.served_model and call.served_model != call.model else "",
        f"{call.status}, finish {call.finish}" if call.finish else call.status,
        f"{call.tokens_in} tokens in" if call.tokens_in is not None else "",
        f"{call.tokens_out} out" if call.tokens_out is not None else "",
        f"{call.seconds:.2f} s" if call.seconds else "",
        f"{call.usd:.6f} USD" if call.usd is not None else "",
        "from the cache" if call.cached else "",
        _sampling(call.sampling),
    ]
    return "; ".join(part for part in parts if part)


def _sampling(stored: str) -> str:
    """How words were drawn, as far as it was asked for."""
    names = ("temperature", "top_p", "at most", "seed", "effort")
    try:
        values = json.loads(stored)
    except ValueError:
        return ""
    if not isinstance(values, list):
        return ""
    told = {name: value for name, value in zip(names, values, strict=False) if value not in (None, "None")}
    words = [f"{name} {value}{' tokens' if name == 'at most' else ''}" for name, value in told.items()]
    return ", ".join(words)
