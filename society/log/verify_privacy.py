"""Checking that nothing is where it must not be: private words in others' prompts (I7), secrets anywhere (I12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, text

from society.core.events import Spoke
from society.episode import Episode
from society.invariants import Privacy
from society.log.column_types import column_types
from society.log.findings import Findings
from society.log.tables import TABLES, columns_of, name_of
from society.log.text import Redaction, original_text


def leaked_words(connection: Connection, episode: Episode, found: Findings) -> int:
    """I7: prompts that hold what only another agent may know, and nobody has said; returns how many messages were read."""
    privacy = [Privacy.of(phase.scenario) for phase in episode.phases]
    if not any(one.texts for one in privacy):
        return 0
    said = [draft.text for event in episode.events if isinstance(event, Spoke) for draft in event.messages]
    read = 0
    for agent, digest, content in prompts_read(connection, episode.run_id):
        read += 1
        for one in privacy:
            owner = one.owner_of(content, agent, said)
            if owner is not None:
                what = f"I7: {episode.names[agent]} is told what only {episode.names[owner]} may know"
                found.fault("prompt", f"hash {digest[:12]}", what)
                break
    return read


def prompts_read(connection: Connection, run_id: str) -> Iterator[tuple[int, str, str]]:
    """Every message that an agent was sent in a run, once: (seat, hash, content)."""
    readers: dict[str, set[int]] = defaultdict(set)
    for agent, digest in connection.execute(_READ, {"run": run_id}):
        readers[digest].add(agent)
    for row in connection.execute(_PROMPTS, {"run": run_id}).all():
        if isinstance(row.content, str):  # else it is told as no value of its kind
            content = original_text(row.content)
            yield from ((agent, row.hash, content) for agent in sorted(readers[row.hash]))


def stored_secrets(connection: Connection, secrets: Redaction, found: Findings) -> int:
    """I12: columns that hold the value of a configured key; returns how many values were searched. The key is not told."""
    words, raw = secrets.values
    searched = 0
    if not words:
        return 0
    for table in TABLES:
        name, types = name_of(table), column_types()[name_of(table)]
        for column in columns_of(table):
            if types[column] not in (str, bytes):
                continue
            searched += connection.scalar(text(f"SELECT COUNT({column}) FROM {name}")) or 0
            for value in words if types[column] is str else raw:
                place = "position(:value IN {c})" if connection.dialect.name == "postgresql" else "instr({c}, :value)"
                sql = f"SELECT COUNT(*) FROM {name} WHERE {place.format(c=column)} > 0"
                if count := connection.scalar(text(sql), {"value": value}):
                    found.fault(name, f"column {column}", f"I12: {count} rows hold a key")
                    break
    return searched


_READ = text("""
WITH RECURSIVE used(agent, hash) AS (
  SELECT DISTINCT agent, prompt FROM model_call WHERE run_id = :run AND prompt IS NOT NULL
  UNION SELECT u.agent, p.before FROM prompt AS p JOIN used AS u ON p.hash = u.hash WHERE p.before IS NOT NULL
)
SELECT agent, hash FROM used
""")
_PROMPTS = text("""
WITH RECURSIVE used(hash) AS (
  SELECT DISTINCT prompt FROM model_call WHERE run_id = :run
  UNION SELECT p.before FROM prompt AS p JOIN used AS u ON p.hash = u.hash
)
SELECT p.hash AS hash, p.content AS content FROM prompt AS p JOIN used AS u ON p.hash = u.hash ORDER BY p.hash
""")
