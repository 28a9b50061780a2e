"""A finished or unfinished run, played again from its own log: nothing is asked, nothing is written.

A `Rerun` stands where a writer stands: as the journal it answers every question from what was committed, as the sink it compares
every event with the one the log holds, and the first difference stops it.
"""

from __future__ import annotations

from collections.abc import Sequence

from society.core.calls import ModelRequest, ModelResponse, Position
from society.core.errors import Diverged
from society.core.events import Event, RunStarted, canonical_event, chain_next, chain_start
from society.log.diverging import difference, diverged
from society.log.journal import Entry, redacted_request
from society.log.text import Redaction


class Rerun:
    """The journal and the sink of a run that is derived again.

    Attributes:
        manifest: what determines the run.
        recalled: how many questions were found in the journal.
        compared: how many events have come out as the log holds them.
        shared: of a fork, the events it shares with another run, up to its `Forked`; they are told again and not derived.
    """

    def __init__(
        self,
        run_id: str,
        manifest: RunStarted,
        entries: dict[Position, Entry],
        told: Sequence[str],
        redaction: Redaction,
        *,
        shared: Sequence[Event] = (),
    ) -> None:
        self.run_id, self.manifest, self.shared = run_id, manifest, tuple(shared)
        self._entries, self._told, self._redaction = entries, told, redaction
        self.recalled = 0
        self.compared, self._head = len(self.shared), chain_start(manifest) if shared else ""
        for body in told[1 : len(self.shared)]:
            self._head = chain_next(self._head, body)

    @property
    def head(self) -> str:
        """The hash of the last event that was compared, derived anew."""
        return self._head

    @property
    def complete(self) -> bool:
        """Every event the log holds has been derived again."""
        return self.compared == len(self._told)

    def require_complete(self) -> None:
        """Go on only if the log holds no more than what was derived.

        Raises:
            Diverged: the log goes on after the end.
        """
        if not self.complete:
            raise Diverged(
                f"run {self.run_id}: it ends after event {self.compared - 1}, but the log goes on to {len(self._told) - 1}"
            )

    def recall(self, request: ModelRequest) -> ModelResponse | None:
        """The committed answer at this position, or None.

        Raises:
            Diverged: the log holds an answer to another question here.
        """
        entry = self._entries.get(request.at)
        if entry is None:
            return None
        asked = redacted_request(request, self._redaction)
        if asked.hash != entry.request_hash:
            raise diverged(asked, entry, ())
        self.recalled += 1
        return entry.response

    async def stage(self, events: tuple[Event, ...]) -> None:
        """Compare the events of one stage with those of the log; beyond its end there is nothing to compare.

        Raises:
            Diverged: naming the first event that came out otherwise, with the difference.
        """
        for event in events:
            if self.compared == len(self._told):
                return
            body = self._redaction.text(canonical_event(event))
            held = self._told[self.compared]
            if body != held:
                raise Diverged(f"run {self.run_id}: {difference(self.compared, held, body)}")
            self._head = chain_start(event) if isinstance(event, RunStarted) else chain_next(self._head, body)
            self.compared += 1

    async def issue(self, request: ModelRequest, *, reserved_usd: float | None) -> int:
        """Never: nothing is sent.

        Raises:
            Diverged: the log holds no answer to this question.
        """
        at = request.at
        raise Diverged(
            f"run {self.run_id}: the log holds no answer for round {at.round}, stage {at.stage}, turn {at.turn}, "
            f"agent {at.agent}, attempt {at.attempt}"
        )

    async def answered(self, request: ModelRequest, issue: int, response: ModelResponse) -> ModelResponse:
        """Never, since nothing is issued."""
        return response

    async def failed(
        self, request: ModelRequest, issue: int, error: str, *, raw: bytes = b"", charged: bool = False
    ) -> None:
        """Never, since nothing is issued."""
