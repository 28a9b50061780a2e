"""What a run has used, try by try, and what earlier sessions used of its budget that no committed answer accounts for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from society.log.sessions import sessions_of, whose


class Used(NamedTuple):
    """Beside the answers in the journal.

    Attributes:
        seconds: how long earlier sessions went on. Of one that was killed, and of those before sessions were told: the time in which
            some answer was waited for. Pauses between sessions do not count.
        usd, tokens: the most that calls can have cost that were sent and brought no answer; the price, where it was not known, is 0.
    """

    seconds: float = 0.0
    usd: float = 0.0
    tokens: int = 0


class Bill(NamedTuple):
    """What one try used; where it brought no answer and may be charged for, the most it can have used.

    Attributes:
        issued, ended: when it was sent and when it ended, in UTC; null where nobody knows.
        answered: it brought an answer.
    """

    issued: str
    ended: str | None
    answered: bool
    usd: float
    tokens: int


def used(connection: Connection, run_id: str) -> Used:
    """What earlier sessions of a run used, as its journal and its sessions tell."""
    tries = list(bills(connection, run_id))
    lost = [bill for bill in tries if not bill.answered]
    seconds = sum(seconds_used(sessions_of(connection, run_id), tries))
    return Used(seconds, sum(bill.usd for bill in lost), sum(bill.tokens for bill in lost))


def bills(connection: Connection, run_id: str) -> Iterator[Bill]:
    """Every try of a run that was sent; answers from a cache, and those a fork shares, were not."""
    for row in connection.execute(_CALLS, {"run": run_id}).all():
        usd, tokens = 0.0, 0
        if row.status == "answered":
            usd, tokens = row.usd or 0.0, (row.tokens_in or 0) + (row.tokens_out or 0)
        elif row.status == "issued" or row.estimated:
            usd, tokens = row.reserved_usd or 0.0, _most_tokens(connection, row.prompt, row.sampling)
        yield Bill(row.issued, row.ended, row.status == "answered", usd, tokens)


def seconds_used(sessions: Sequence[Any], tries: Iterable[Bill]) -> list[float]:  # Any: rows of the table session
    """How long each session went on, after how long there was anything to wait for before the first of them."""
    waited: list[list[tuple[str, str]]] = [[] for _ in (None, *sessions)]
    for bill in tries:
        if bill.ended is not None:
            waited[1 + whose(sessions, bill.issued)].append((bill.issued, bill.ended))
    known = (None, *(session.seconds for session in sessions))
    return [covered(spans) if told is None else told for told, spans in zip(known, waited, strict=True)]


def covered(spans: Iterable[tuple[str, str]]) -> float:
    """Seconds that lie in at least one of these spans of time."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(
        (datetime.fromisoformat(a).timestamp(), datetime.fromisoformat(b).timestamp()) for a, b in spans
    ):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _most_tokens(connection: Connection, prompt: str | None, sampling: str) -> int:
    """The most a call can have used: two bytes a token in, as many out as it was allowed."""
    sql = _SIZE.format(length=_LENGTH[connection.dialect.name])
    size = connection.scalar(text(sql), {"hash": prompt}) or 0
    return int(size) // 2 + 1 + int(json.loads(sampling)[2])


_CALLS = text(
    "SELECT status, issued, ended, estimated, usd, tokens_in, tokens_out, reserved_usd, prompt, sampling FROM model_call"
    " WHERE run_id = :run AND (cached IS NULL OR NOT cached)"
)
_SIZE = """
WITH RECURSIVE used(hash, before, size) AS (
  SELECT p.hash, p.before, {length} + 32 FROM prompt AS p WHERE p.hash = :hash
  UNION ALL SELECT p.hash, p.before, {length} + 32 FROM prompt AS p JOIN used AS u ON p.hash = u.before
)
SELECT SUM(size) FROM used
"""
_LENGTH = {"sqlite": "LENGTH(CAST(p.content AS BLOB))", "postgresql": "OCTET_LENGTH(p.content)"}
