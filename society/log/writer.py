"""Writing one run: the sink of its events and the journal of its calls."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Literal, TypeAlias

from society.core.calls import ModelRequest, ModelResponse, Position
from society.core.errors import Diverged, Paused
from society.core.events import Event, RunStarted, canonical_event, event_from_plain, setting_of
from society.log.committer import Committer, Job, safe
from society.log.diverging import difference, diverged
from society.log.journal import Asked, Ended, Entry, redacted_request, redacted_response
from society.log.lock import RunLock
from society.log.recovery import LAST_PATIENCE
from society.log.results import Result, replacing
from society.log.run_id import utc_now
from society.log.run_rows import RunRows
from society.log.sessions import OpenSession
from society.log.text import Redaction
from society.log.used import Used

RunStatus: TypeAlias = Literal["running", "completed", "invalid", "paused", "interrupted", "failed"]

FREE = "mock:"
_PENDING = 64
"""Stages that may wait for the disk before the run does: for the commit of the next question or, in a free run, for company."""
_HEADROOM = 1 << 18
_HEADROOM_CALL = 1 << 16
"""Bytes that must be left on the disk, beside the reserve, before a call is sent: some, and some more for each call in flight."""


def is_free(model: str) -> bool:
    """Whether asking the model again costs nothing and gives the same answer: the deterministic mocks."""
    return model.startswith(FREE)


class RunWriter:
    """A run that is being written. It is a `Sink` of events and a `Journal` of calls.

    Answers that cost something are on disk before anybody reads them, and so is a stage before any question of the next one is
    sent. Where every seat is free (mocks and scripts), stages follow each other without waiting: what a crash takes is played
    again.

    Attributes:
        session: this process as a writer of the run.
        run_id: the id of the run.
        name: the readable part of it.
        all_free: every seat is free: nothing waits for the disk.
        failure: what stopped the writing, if anything did; whatever is written later fails with it too.
        begun: done when the rows that open the run are on disk, if nobody has waited for that yet.
        shared: of a fork, the events it shares with another run, up to its `Forked`: the sink is told what follows them.
        setting: what holds now: the manifest, or the last fork.
        used: what earlier processes used of the budget that no answer in the journal accounts for.
        rows: what makes its rows, in the writer's thread.
    """

    def __init__(
        self,
        committer: Committer,
        lock: RunLock,
        session: OpenSession,
        name: str,
        manifest: RunStarted,
        *,
        models_free: Callable[[str], bool] = is_free,
        redaction: Redaction | None = None,
        entries: Mapping[Position, Entry] | None = None,
        issues: Mapping[Position, int] | None = None,
        told: Sequence[str] = (),
        shared: Sequence[Event] = (),
        journal: int = 0,
        prompt_of: Callable[[str | None], Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        self.session, self.run_id, self.name, self.manifest = session, session.run_id, name, manifest
        self.failure: BaseException | None = None
        self.begun: Future[None] | None = None
        self._committer, self._lock = committer, lock
        self._free = models_free
        self._redaction = redaction or Redaction()
        self.shared = tuple(shared)
        self.used = Used()
        self.setting = setting_of(self.shared or (manifest,))
        self.all_free = all(models_free(model) or model.startswith("scripted") for model in self.setting.models)
        self._entries = dict(entries or {})
        self._issues = dict(issues or {})
        self._prompt_of = prompt_of
        self._told = deque(told)
        self._compared = len(self.shared)
        self._in_flight: dict[Position, Asked] = {}
        self._ended: list[tuple[Asked, Ended]] = []
        self._waiting: deque[Future[None]] = deque()
        self.rows = RunRows(session, manifest, journal)
        self._finished = False

    def abandon(self) -> None:
        """Let go of the run without writing anything more."""
        self._finished = True
        self._lock.release()

    @property
    def stands(self) -> bool:
        """Whether anything of the run is on disk."""
        return self.begun is None or (self.begun.done() and self.begun.exception() is None)

    @property
    def head(self) -> str:
        """The hash of the last event that was handed on to the disk."""
        return self.rows.head

    async def stage(self, events: tuple[Event, ...], *, wait: bool = True) -> None:
        """Append the events of one stage, with their rows and the calls of free models made meanwhile.

        Events the log holds already (of a resumed run, and the manifest) are compared and not written again.

        Args:
            events: in seat order.
            wait: until they are on disk. Otherwise they go there together with the next question, which is not sent before, and
                what goes wrong with them is raised by what is called next.

        Raises:
            Diverged: an event differs from the one the log holds in its place.
            Paused: the disk is full.
            LogUnusable: the log cannot be written.
        """
        self._raise_failure()
        if self.begun is not None and not self.all_free:
            await safe(self.begun)
            self.begun = None
        held = min(len(events), len(self._told))
        for event in events[:held]:
            self._compare(self._canonical(event)[0])
        fresh = events[held:]
        if not fresh and not self._ended:
            return
        ended, self._ended = self._ended, []

        def prepare(job: Job) -> None:
            for call in ended:
                self.rows.call(job, *call)
            for event in fresh:
                self.rows.event(job, *self._canonical(event))

        if wait and not self.all_free:
            await self._committer.commit(self, prepare)
            return
        self._waiting.append(self._committer.submit(self, prepare, hurried=False))
        while self._waiting and (len(self._waiting) > _PENDING or self._waiting[0].done()):
            await safe(self._waiting.popleft())

    async def finish(
        self,
        status: RunStatus = "completed",
        reason: str = "",
        *,
        results: Mapping[str, Sequence[Result]] | None = None,
    ) -> None:
        """Write what is left, how the run stopped, and its seal; then let go of the run.

        After a failure it only tries to write how the run stopped. Calling it twice is harmless.

        Args:
            status: how it ended.
            reason: why, in words.
            results: by table, what was computed of it (see `Log.store`); on disk together with the status, so that no crash
                leaves a finished run without its numbers.

        Raises:
            Paused: the disk is full; the run is then paused, whatever it was to be.
            LogUnusable: what was left could not be written; the run has then failed.
        """
        if self._finished:
            return
        self._finished = True
        try:
            if self.failure is None:
                await self._flush(status, reason, results or {})
            else:
                await self._last_words(status, reason)
        except Exception as problem:
            await self._last_words("paused" if isinstance(problem, Paused) else "failed", str(problem))
            raise
        finally:
            self._lock.release()

    @property
    def redacts(self) -> bool:
        """Whether there are secrets that are taken out of what is written."""
        return bool(self._redaction)

    def stored(self, event: Event) -> Event:
        """An event as the log holds it: without secrets."""
        return self._canonical(event)[1] if self._redaction else event

    async def _flush(self, status: RunStatus, reason: str, results: Mapping[str, Sequence[Result]]) -> None:
        ended, self._ended = self._ended, []
        keep = [replacing(self.run_id, table, rows) for table, rows in results.items()]

        words = self._redaction.text(reason)

        def prepare(job: Job) -> None:
            for call in ended:
                self.rows.call(job, *call)
            for kept in keep:
                kept(job)
            job.updates.append(lambda connection: self.rows.close(connection, status, words))

        await self._committer.commit(self, prepare)
        while self._waiting:
            await safe(self._waiting.popleft())

    def recall(self, request: ModelRequest) -> ModelResponse | None:
        """The committed answer at this position, or None.

        Raises:
            Diverged: the journal holds an answer to another question here.
        """
        entry = self._entries.get(request.at) if self._entries else None
        if entry is None:
            return None
        asked = redacted_request(request, self._redaction)
        if asked.hash != entry.request_hash:
            raise diverged(asked, entry, self._prompt_of(entry.prompt) if self._prompt_of else (), self.run_id)
        return entry.response

    async def issue(self, request: ModelRequest, *, reserved_usd: float | None) -> int:
        """Commit that the question is about to be sent; for free models, only remember it.

        Raises:
            Paused: the disk is full, or nearly.
        """
        self._raise_failure()
        at = request.at
        number = self._issues.get(at, 0) if self._issues else 0
        asked = Asked(redacted_request(request, self._redaction), number, reserved_usd, utc_now())
        if self._free(request.model):
            self._in_flight[at] = asked
            return number
        await self._require_room()
        self._issues[at] = number + 1
        await self._committer.commit(self, lambda job: self.rows.call(job, asked))
        self._in_flight[at] = asked
        return number

    async def answered(self, request: ModelRequest, issue: int, response: ModelResponse) -> ModelResponse:
        """Commit what came back, before anybody reads it; for free models, with the stage.

        Returns:
            the answer without secrets: had somebody read them in it, the run would not come out of its journal again.
        """
        committed = redacted_response(response, self._redaction)
        await self._end(request, issue, Ended(utc_now(), committed))
        return committed

    async def failed(
        self, request: ModelRequest, issue: int, error: str, *, raw: bytes = b"", charged: bool = False
    ) -> None:
        """Record that this try brought no answer; see `Journal.failed`."""
        redact = self._redaction
        await self._end(request, issue, Ended(utc_now(), None, redact.text(error), redact.bytes(raw), charged))

    async def _end(self, request: ModelRequest, issue: int, ended: Ended) -> None:
        asked = self._in_flight.pop(request.at)
        assert asked.issue == issue, "one try of a question at a time"
        if ended.response is None:
            self._issues[request.at] = issue + 1
        elif self._issues:
            self._issues.pop(request.at, None)
        if self._free(request.model):
            self._ended.append((asked, ended))
            return
        self._raise_failure()
        await self._committer.commit(self, lambda job: self.rows.call(job, asked, ended))

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _canonical(self, event: Event) -> tuple[str, Event]:
        body = canonical_event(event)
        if self._redaction:
            clean = self._redaction.text(body)
            if clean != body:
                return clean, event_from_plain(json.loads(clean))
        return body, event

    def _compare(self, body: str) -> None:
        held = self._told.popleft()
        if held != body:
            raise Diverged(difference(self._compared, held, body))
        self._compared += 1

    async def _require_room(self) -> None:
        """Go on only if the disk has room for the answers to all that is asked, whatever else fills it meanwhile."""
        reserve = self._committer.reserve
        enough = reserve.left() >= _HEADROOM + _HEADROOM_CALL * len(self._in_flight)
        if enough and not reserve.held:
            try:
                await self._committer.commit(_Nobody(), lambda _: reserve.hold())
            except OSError:
                enough = False
        if not enough:
            place = self._committer.place.shown
            raise Paused(
                f"the disk of {place} is nearly full; nothing is lost: make room, then go on with `society resume {self.run_id}`"
            )

    async def _last_words(self, status: RunStatus, reason: str) -> None:
        words = self._redaction.text(reason)

        def prepare(job: Job) -> None:
            job.updates.append(lambda connection: self.rows.last_words(connection, status, words))

        try:
            await self._committer.commit(_Nobody(), prepare, patience=LAST_PATIENCE)
        except Exception:  # the first failure is the one to show
            return


class _Nobody:
    failure: BaseException | None = None
