"""What earlier processes used of a run's budget that no committed answer accounts for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text


class Used(NamedTuple):
    """Beside the answers in the journal.

    Attributes:
        seconds: time in which some answer was waited for; pauses between processes do not count.
        usd, tokens: the most that calls can have cost that were sent and brought no answer; the price, where it was not known, is 0.
    """

    seconds: float = 0.0
    usd: float = 0.0
    tokens: int = 0


def used(connection: Connection, run_id: str) -> Used:
    """What the journal of a run says was used in earlier processes."""
    spans: list[tuple[str, str]] = []
    usd, tokens = 0.0, 0
    for row in connection.execute(_CALLS, {"run": run_id}):
        if row.ended is not None:
            spans.append((row.issued, row.ended))
        if row.status == "issued" or (row.status == "failed" and row.estimated):
            usd += row.reserved_usd or 0.0
            tokens += _most_tokens(connection, row.prompt, row.sampling)
    return Used(covered(spans), usd, tokens)


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
    "SELECT status, issued, ended, estimated, reserved_usd, prompt, sampling FROM model_call"
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
