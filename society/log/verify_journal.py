"""Checking the journal: prompts are what their hashes say, questions are what was asked, tries are counted without gaps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from society.core.calls import prompt_link
from society.core.canonical import canonical_json
from society.log.findings import Findings
from society.log.seal import SUMS, as_written, row_digest
from society.log.tables import ModelCall, columns_of
from society.log.text import original_text, storable_text


class Calls(NamedTuple):
    """What the journal of a run comes to."""

    rows: int
    answered: int
    usd: float | None
    digest: int


def journal_faults(connection: Connection, run_id: str, *, ended: bool, found: Findings) -> Calls:
    """I2, I3, I10, I15: check every try of every question of a run."""
    fault = found.fault
    sql = f"SELECT {', '.join(columns_of(ModelCall))} FROM model_call WHERE run_id = :run"
    sql += " ORDER BY round, stage, turn, agent, attempt, issue"
    rows = connection.execute(text(sql), {"run": run_id}).all()
    tries: dict[tuple[Any, ...], list[Any]] = defaultdict(list)  # Any: columns of the key, and rows
    digest, answered, prices = 0, 0, []
    for row in rows:
        here = f"round {row.round}, {row.stage}, turn {row.turn}, agent {row.agent}, attempt {row.attempt}, issue {row.issue}"
        own = row_digest(as_written(ModelCall, row)[:-1])
        digest += own
        if row.digest != f"{own:064x}":
            fault("model_call", here, "it is not as it was written (digest)")
        if _question(row, _text_of(connection, "answer_schema", row.answer_schema)) != row.request_hash:
            fault("model_call", here, "I3: the hash of the question does not follow from what is stored of it")
        if row.status not in ("issued", "answered", "failed") or (row.status == "answered") != (row.finish is not None):
            fault("model_call", here, f"its status {row.status!r} does not fit its columns")
        if row.status == "answered":
            answered += 1
        if row.usd is not None:
            prices.append(row.usd)
        tries[row.round, row.stage, row.turn, row.agent, row.attempt].append(row)
    _counted(tries, ended, found)
    found.count("I2", len(tries))
    for invariant in ("I3", "I10", "I15"):
        found.count(invariant, len(rows))
    return Calls(len(rows), answered, None if not prices else sum(prices), digest % SUMS)


def content_faults(connection: Connection, run_id: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Prompts and schemas (of one run, or all) that are not what their hashes say: (table, row, what)."""
    places: dict[str, int] = {}
    values = {} if run_id is None else {"run": run_id}
    rows = connection.execute(text(_PROMPTS if run_id is None else _PROMPTS_OF_RUN), values).all()
    for row in rows:
        places[row.hash] = row.place
    for row in rows:
        here = f"hash {_short(row.hash)}"
        if _hash_of(_link, row.before, row.role, row.content) != row.hash:
            yield "prompt", here, "the message is not what its hash says"
        elif row.place != (0 if row.before is None else places.get(row.before, -2) + 1):
            yield "prompt", here, "I14: the message before it is missing, or its place is wrong"
    for row in connection.execute(text(_SCHEMAS if run_id is None else _SCHEMAS_OF_RUN), values):
        if _hash_of(_text_hash, row.text) != row.hash:
            yield "answer_schema", f"hash {_short(row.hash)}", "the schema is not what its hash says"


def stray_content(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Prompts and schemas that nobody refers to, and calls that refer to none that is there."""
    for sql, table in ((_STRAY_PROMPTS, "prompt"), (_STRAY_SCHEMAS, "answer_schema")):
        for row in connection.execute(text(sql)):
            yield table, f"hash {_short(row.hash)}", "nobody refers to it"
    for sql, what in ((_NO_PROMPT, "prompt"), (_NO_SCHEMA, "answer_schema")):
        for row in connection.execute(text(sql)):
            yield "model_call", f"run {row.run_id}, round {row.round}, {row.stage}", f"I14: its {what} is missing"


def _counted(tries: dict[tuple[Any, ...], list[Any]], ended: bool, found: Findings) -> None:  # Any: as above
    fault = found.fault
    attempts: dict[tuple[Any, ...], list[int]] = defaultdict(list)  # Any: columns of the key
    for (*slot, attempt), rows in tries.items():
        here = "round {}, {}, turn {}, agent {}".format(*slot) + f", attempt {attempt}"
        attempts[tuple(slot)].append(attempt)
        if [row.issue for row in rows] != list(range(len(rows))):
            fault("model_call", here, "I2: its tries are not counted without gaps")
        if any(row.status == "answered" for row in rows[:-1]):
            fault("model_call", here, "I2: it was asked again after it had been answered")
        if ended and rows[-1].status == "issued":
            fault("model_call", here, "I15: the run ended, but not its last try")
    for slot_, counted in attempts.items():
        if sorted(counted) != list(range(len(counted))):
            fault("model_call", "round {}, {}, turn {}, agent {}".format(*slot_), "I2: an attempt is missing")


def _question(row: Any, schema: str | None) -> str:  # Any: a row of model_call
    """The hash of the question, from what is stored of it; see `ModelRequest.canonical`."""
    schema_hash = None if schema is None else _hash_of(_text_hash, schema)
    try:
        sampling = json.loads(row.sampling)
    except (ValueError, TypeError, RecursionError):
        return "unreadable"
    if canonical_json(sampling) != row.sampling:
        return "not canonical"
    question = {
        "at": [row.round, row.stage, row.turn, row.agent, row.attempt],
        "model": row.model,
        "prompt": row.prompt or "",
        "schema": schema_hash,
        "sampling": sampling,
    }
    return _hash_of(lambda: _text_hash(canonical_json(question)))


def _link(before: str | None, role: str, stored: str) -> str:
    content = original_text(stored)
    if before == "" or storable_text(content) != stored:
        return "not as it is written"
    return prompt_link(before or "", role, content)


def _text_hash(words: str) -> str:
    return sha256(words.encode()).hexdigest()


def _hash_of(made: Callable[..., str], *parts: Any) -> str:  # Any: whatever stands in the columns
    """A hash over stored values; one that matches nothing where they are no text."""
    try:
        return made(*parts)
    except (ValueError, TypeError, AttributeError):
        return "none"


def _short(digest: Any) -> str:  # Any: as above
    return digest[:12] if isinstance(digest, str) else ascii(digest)[:20]


def _text_of(connection: Connection, table: str, digest: str | None) -> str | None:
    if digest is None:
        return None
    found: str | None = connection.scalar(text(f"SELECT text FROM {table} WHERE hash = :hash"), {"hash": digest})
    return found if found is not None else ""


_PROMPTS = "SELECT hash, before, place, role, content FROM prompt"
_PROMPTS_OF_RUN = """
WITH RECURSIVE used(hash) AS (
  SELECT DISTINCT prompt FROM model_call WHERE run_id = :run
  UNION SELECT p.before FROM prompt AS p JOIN used AS u ON p.hash = u.hash
)
SELECT p.hash, p.before, p.place, p.role, p.content FROM prompt AS p JOIN used AS u ON p.hash = u.hash
"""
_SCHEMAS = "SELECT hash, text FROM answer_schema"
_SCHEMAS_OF_RUN = _SCHEMAS + " WHERE hash IN (SELECT answer_schema FROM model_call WHERE run_id = :run)"
_STRAY_PROMPTS = """
SELECT p.hash AS hash FROM prompt AS p
WHERE NOT EXISTS (SELECT 1 FROM model_call AS c WHERE c.prompt = p.hash)
AND NOT EXISTS (SELECT 1 FROM prompt AS q WHERE q.before = p.hash)
"""
_STRAY_SCHEMAS = """
SELECT s.hash AS hash FROM answer_schema AS s
WHERE NOT EXISTS (SELECT 1 FROM model_call AS c WHERE c.answer_schema = s.hash)
"""
_NO_PROMPT = """
SELECT c.run_id, c.round, c.stage FROM model_call AS c
WHERE c.prompt IS NOT NULL AND NOT EXISTS (SELECT 1 FROM prompt AS p WHERE p.hash = c.prompt)
"""
_NO_SCHEMA = """
SELECT c.run_id, c.round, c.stage FROM model_call AS c
WHERE c.answer_schema IS NOT NULL AND NOT EXISTS (SELECT 1 FROM answer_schema AS s WHERE s.hash = c.answer_schema)
"""
