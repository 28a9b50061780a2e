"""The rows of one run as it goes on: the chain of its events with what they say in columns, its journal, and how it ended.

All of it runs in the writer's thread, job by job in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from society.core.calls import Position
from society.core.events import Event, RunStarted, Settled, canonical_event, chain_next, chain_start
from society.log.committer import Job
from society.log.journal import Asked, Ended, call_rows
from society.log.projection import Projector, SqlRow
from society.log.run_id import utc_now
from society.log.seal import SUMS, journal_sum, row_digest, seal
from society.log.sessions import OpenSession
from society.log.text import storable_text


class RunRows:
    """What the log holds of a run, as far as its next rows depend on it.

    Attributes:
        session: the one that writes them.
        head: the hash of the last event; empty before the first.
    """

    def __init__(self, session: OpenSession, manifest: RunStarted, journal: int = 0) -> None:
        self.session, self.run_id, self.manifest = session, session.run_id, manifest
        self.head = ""
        self._projector = Projector(self.run_id)
        self._events = self._rounds = 0
        self._known: set[str] = set()
        self._journal_sum = journal
        self._open: dict[tuple[Position, int], int] = {}

    def begin(self, job: Job, earlier: Sequence[Event] = (), calls: Sequence[SqlRow] = ()) -> None:
        """The rows that open the run, and those it shares with another one."""
        for event in (self.manifest, *earlier):
            self.event(job, canonical_event(event), event)
        for call in calls:
            digest = row_digest(call)
            job.rows.append(("model_call", (*call, f"{digest:064x}")))
            self._journal_sum += digest

    def go_on(self, events: Sequence[Event], head: str) -> None:
        """Take up the chain of a run that was left."""
        for seq, event in enumerate(events):
            for _ in self._projector.rows(seq, event):
                pass
        self._events, self.head = len(events), head
        self._rounds = max((event.round for event in events if isinstance(event, Settled)), default=0)

    def event(self, job: Job, body: str, event: Event) -> None:
        """One more event, of which `body` is the canonical text."""
        self.head = chain_next(self.head, body) if self._events else chain_start(self.manifest)
        round_ = getattr(event, "round", None)
        job.rows.append(("event", (self.run_id, self._events, round_, event.kind, body, self.head)))
        job.rows.extend(self._projector.rows(self._events, event))
        self._events += 1
        if isinstance(event, Settled):
            self._rounds = event.round

    def call(self, job: Job, asked: Asked, ended: Ended | None = None) -> None:
        """A try that is about to be made, or one that ended."""
        rows = call_rows(self.run_id, asked, self._known, ended)
        table, call = rows.pop()
        digest, key = row_digest(call), (asked.request.at, asked.issue)
        job.rows.extend(rows)
        job.rows.append((table, (*call, f"{digest:064x}")))
        self._journal_sum += digest - self._open.pop(key, 0)
        if ended is None:
            self._open[key] = digest

    def close(self, connection: Connection, status: str, reason: str) -> None:
        """How the run stopped, what it came to, and its seal."""
        told = {"rounds": self._rounds, "events": self._events, "head": self.head}
        self._stop(connection, status, reason, told, self._journal_sum % SUMS)

    def last_words(self, connection: Connection, status: str, reason: str) -> None:
        """How a run stopped whose rows cannot be written any more: what is on disk of it is what stands."""
        told = dict(connection.execute(_ON_DISK, {"run": self.run_id}).mappings().one())
        if told["events"]:
            self._stop(connection, status, reason, told, journal_sum(connection, self.run_id))

    def _stop(
        self,
        connection: Connection,
        status: str,
        reason: str,
        told: dict[str, Any],  # Any: SQL values
        journal: int,
    ) -> None:
        now, run = utc_now(), {"run": self.run_id}
        connection.execute(_CLOSE, {"status": status, "reason": storable_text(reason), "ended": now, **told, **run})
        self.session.end(connection, now, status, reason)
        connection.execute(_SEAL, {"seal": seal(connection, self.run_id, journal), **run})


_CLOSE = text(
    "UPDATE run SET status = :status, reason = :reason, ended = :ended, rounds_played = :rounds, events = :events,"
    " head = :head,"
    " calls = (SELECT COUNT(*) FROM model_call AS c WHERE c.run_id = run.id AND c.status = 'answered'),"
    " tokens_in = (SELECT SUM(c.tokens_in) FROM model_call AS c WHERE c.run_id = run.id),"
    " tokens_out = (SELECT SUM(c.tokens_out) FROM model_call AS c WHERE c.run_id = run.id),"
    " usd = (SELECT SUM(c.usd) FROM model_call AS c WHERE c.run_id = run.id),"
    " calls_unpriced = (SELECT COUNT(*) FROM model_call AS c WHERE c.run_id = run.id AND c.status = 'answered'"
    " AND c.usd IS NULL) WHERE id = :run"
)
_SEAL = text("UPDATE run SET seal = :seal WHERE id = :run")
_ON_DISK = text(
    "SELECT COUNT(*) AS events, COALESCE(MAX(CASE WHEN kind = 'settled' THEN round END), 0) AS rounds,"
    " (SELECT hash FROM event WHERE run_id = :run ORDER BY seq DESC LIMIT 1) AS head FROM event WHERE run_id = :run"
)
