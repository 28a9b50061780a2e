"""The bugs that are put in: each a line or two that somebody could have written, with what must find it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import event

import society.log.database
import society.log.lock
import society.log.opened
import society.log.replay
import society.log.run_rows
import society.log.verify
import society.log.verify_chain
import society.models.pool
import society.sweep.engine
from society.agents import extracting, forms, llm, transcript
from society.core.errors import OutOfRange, Unreadable
from society.core.policy import Meant
from society.log import writer
from society.log.committer import Committer
from society.log.text import Redaction
from society.models import endpoint, envelope, openai_compatible
from society.models.budget import RunBudget
from society.models.faults import RetryLater
from society.models.recall import Recall
from society.models.record import Record
from society.orchestrator import episode
from society.orchestrator.memory import Memory
from tests.torture.provider_faults import FAULTS

ASKED, LOST, SILENT = "answers asked again", "answers lost", "silent actions"
BROKEN, LEAKED, OTHER = "invariant violations", "secrets leaked", "other failures"


@dataclass(frozen=True)
class Mutation:
    """A bug.

    Attributes:
        what: the bug in words.
        suite: the suite that must find it, with its size.
        kinds: as what it must find it.
        put_in: puts it into this process.
    """

    what: str
    suite: str
    size: int
    kinds: tuple[str, ...]
    put_in: Callable[[], None]


MUTATIONS: list[Mutation] = []
"""All of them."""


def bug(what: str, suite: str, size: int, *kinds: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def listed(put_in: Callable[[], None]) -> Callable[[], None]:
        MUTATIONS.append(Mutation(what, suite, size, kinds, put_in))
        return put_in

    return listed


def often(*groups: str) -> None:
    """From now on the provider has faults of these groups alone."""
    for name, (_, maker) in FAULTS.items():
        FAULTS[name] = (int(name in groups), maker)


# Durability.


@bug("a sweep begins a run anew that was left", "sweep", 6, ASKED, OTHER, LOST, BROKEN)
def _() -> None:
    still_to_play = society.sweep.engine.still_to_play

    def anew(*given: Any) -> Any:
        left, stood = still_to_play(*given)
        return [society.sweep.engine.Left(one.planned) for one in left], stood

    society.sweep.engine.still_to_play = anew  # the command imports it when it is called


@bug("every fifth commit is dropped, and nobody is told", "chaos", 100, LOST, BROKEN)
def _() -> None:
    commit, count = Committer._commit, [0]

    def dropping(self: Committer, jobs: Sequence[Any]) -> None:
        count[0] += 1
        if count[0] % 5:
            commit(self, jobs)

    Committer._commit = dropping


@bug("an answer is handed on before it is committed", "chaos", 100, LOST)
def _() -> None:
    async def send(self: Record, request: Any, issue: int) -> Any:
        response = await self.inner.complete(request)
        self.late = asyncio.get_running_loop().call_later(
            1, lambda: asyncio.ensure_future(self.journal.answered(request, issue, response))
        )
        return response

    Record._send = send


@bug("a question is sent before the journal knows of it", "chaos", 100, LOST, BROKEN)
def _() -> None:
    async def issue(self: Any, request: Any, *, reserved_usd: float | None) -> int:
        number = int(self._issues.get(request.at, 0))
        self._issues[request.at] = number + 1
        asked = writer.redacted_request(request, self._redaction)
        self._in_flight[request.at] = writer.Asked(asked, number, reserved_usd, writer.utc_now())
        return number

    writer.RunWriter.issue = issue


@bug("the journal is forgotten on resume", "chaos", 100, ASKED)
def _() -> None:
    writer.RunWriter.recall = lambda self, request: None


@bug("a journalled answer is taken whatever the question is now", "compound", 6, BROKEN, ASKED)
def _() -> None:
    def recall(self: Any, request: Any) -> Any:
        entry = self._entries.get(request.at)
        return None if entry is None else entry.response

    writer.RunWriter.recall = recall


@bug("nobody holds the lock of a run", "compound", 6, BROKEN)
def _() -> None:
    society.log.opened.FileLock = lambda database, run: society.log.lock.NoLock()


@bug("a full disk counts as a commit", "compound", 6, LOST, BROKEN, ASKED)
def _() -> None:
    commit = Committer._commit

    def blind(self: Committer, jobs: Sequence[Any]) -> None:
        try:
            commit(self, jobs)
        except Exception:
            return

    Committer._commit = blind


@bug("the disk is not waited for at each commit", "power", 60, LOST)
def _() -> None:
    prepare = society.log.database._prepare_sqlite

    def hasty(engine: Any, **how: Any) -> None:
        prepare(engine, **how)
        event.listen(engine, "connect", lambda held, _: held.execute("PRAGMA synchronous=NORMAL"))

    society.log.database._prepare_sqlite = hasty


@bug("an interrupted run does not wait for what it has asked", "machine", 10, LOST)
def _() -> None:
    async def give_up(self: Record, sent: asyncio.Future[Any]) -> None:
        sent.cancel()

    Record._hear_out = give_up


@bug("whoever looks at a log leaves a mark in it", "machine", 10, BROKEN)
def _() -> None:
    look = society.log.database._open_to_read

    def marked(place: Any) -> Any:
        with contextlib.closing(sqlite3.connect(place.file)) as connection:
            (visits,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version={visits + 1}")
        return look(place)

    society.log.database._open_to_read = marked


# What happened, and in which order.


@bug("events stand in the order in which answers came", "chaos", 100, BROKEN, OTHER)
def _() -> None:
    stage, luck = writer.RunWriter.stage, __import__("random").Random()

    async def as_they_came(self: Any, events: tuple[Any, ...], **how: Any) -> None:
        told = list(events)
        if len(told) > 1 and len({event.kind for event in told}) == 1:
            luck.shuffle(told)
        await stage(self, tuple(told), **how)

    writer.RunWriter.stage = as_they_came


@bug("an event holds the time at which it was written", "chaos", 100, BROKEN, OTHER)
def _() -> None:
    canonical = writer.RunWriter._canonical

    def timed(self: Any, event: Any) -> Any:
        if event.kind == "acted":
            event = replace(event, error=writer.utc_now())
        return canonical(self, event)

    writer.RunWriter._canonical = timed


@bug("the hash of an event leaves out the one before", "tampering", 40, BROKEN)
def _() -> None:
    for module in (society.log.run_rows, society.log.verify_chain, society.log.replay):
        module.chain_next = lambda previous, event: sha256(event.encode()).hexdigest()
    from tests.torture import tampering

    tampering._CHANGES = {"swapped": (1, _swapped_events)}


def _swapped_events(connection: Any, luck: Any) -> str:
    """Two whole events change places, rows and all: only the chain can tell."""
    rows = connection.execute(
        "SELECT rowid, body, hash FROM event WHERE kind = 'acted' ORDER BY RANDOM() LIMIT 2"
    ).fetchall()
    for (rowid, _, _), (_, body, digest) in zip(rows, reversed(rows), strict=True):
        connection.execute("UPDATE event SET body = ?, hash = ? WHERE rowid = ?", (body, digest, rowid))
    return "two events"


@bug("verify does not look at what was asked", "tampering", 40, BROKEN)
def _() -> None:
    society.log.verify.content_faults = lambda *_: ()
    from tests.torture import tampering

    tampering._CHANGES = {"edited": tampering._CHANGES["edited"]}
    tampering._COLUMNS = {table: tampering._COLUMNS[table] for table in ("prompt", "answer_schema")}


@bug("verify compares no table with the events", "tampering", 40, BROKEN)
def _() -> None:
    society.log.verify.compare = lambda *_, **__: 0


# What counts as an answer.


@bug("an answer that was cut off is taken as it stands", "chaos", 100, SILENT)
def _() -> None:
    often("declined")
    envelope._WHOLE |= {"length"}


@bug("an answer the filter stopped is taken as it stands", "chaos", 100, SILENT)
def _() -> None:
    often("declined")
    envelope._WHOLE |= envelope._FILTERED
    envelope._FILTERED = frozenset()


@bug("NaN and Infinity are nought", "chaos", 100, SILENT)
def _() -> None:
    often("bad words")
    extracting._STRICT = json.JSONDecoder(
        object_pairs_hook=extracting._object, parse_constant=lambda _: Decimal(0), parse_int=extracting._integer,
        parse_float=extracting._decimal,
    )  # fmt: skip


@bug("an unreadable answer is the action 0", "chaos", 100, SILENT)
def _() -> None:
    often("bad words")
    answer = llm.LlmPolicy.answer

    async def nought(self: Any, question: Any) -> Any:
        got = await answer(self, question)
        if got.value is None and type(question).__name__ == "Act":
            return replace(got, value=0, submitted=0, status="ok")
        return got

    llm.LlmPolicy.answer = nought


@bug("a default is not marked as one", "chaos", 100, SILENT, OTHER)
def _() -> None:
    often("bad words")
    acted = episode.Acted
    episode.Acted = lambda *given: acted(*given[:4], "ok")


@bug("a refusal in a field of its own is read past", "chaos", 100, SILENT)
def _() -> None:
    often("declined")
    content = envelope._content
    envelope._content = lambda message: (
        ((message.get("refusal") or "")[4:], "", "") if message.get("refusal") else content(message)
    )


@bug("what is no number counts as 1", "chaos", 200, SILENT)
def _() -> None:
    often("bad words")
    read = forms.read

    def lenient(text: str, question: Any, *, last: bool = False) -> Any:
        try:
            return read(text, question, last=last)
        except (Unreadable, OutOfRange):
            return read(re.sub(r'"1_0"|true|null|"none"|NaN|-?Infinity', "1", text), question, last=last)

    forms.read = lenient


# Words of agents.


@bug("messages stand between quotes and are not escaped", "histories", 400, BROKEN)
def _() -> None:
    transcript.quoted = lambda text: f'"{text}"'


@bug("only quotes are escaped, line separators are not", "histories", 400, BROKEN)
def _() -> None:
    transcript.quoted = lambda text: json.dumps(text, ensure_ascii=False)


@bug("a message to some is heard by all", "canaries", 6, LEAKED)
def _() -> None:
    def hear(self: Memory, message: Any) -> None:
        for history in self._histories:
            history.append(message)

    Memory.hear = hear


@bug("what was declared in private is heard by all", "canaries", 6, LEAKED)
def _() -> None:
    def tell(self: Memory, agent: int, entry: Any) -> None:
        for seat, history in enumerate(self._histories):
            if seat == agent or isinstance(entry, Meant):
                history.append(entry)

    Memory.tell = tell


# Keys and money.


@bug("keys are not taken out of what is stored", "canaries", 6, LEAKED)
def _() -> None:
    Redaction.text = lambda self, text: text


@bug("keys are taken out of texts, not out of raw bytes", "canaries", 6, LEAKED)
def _() -> None:
    Redaction.bytes = lambda self, raw: raw


@bug("a negative count refills the budget", "caps", 4, OTHER, SILENT)
def _() -> None:
    envelope._count = lambda value, least=0: (
        value if isinstance(value, int) and not isinstance(value, bool) and value < 10**9 else None
    )

    def count(self: RunBudget, usage: Any) -> None:
        tokens = self.spent.tokens + (usage.tokens_in or 0) + (usage.tokens_out or 0)
        self.spent = replace(self.spent, usd=self.spent.usd + (usage.usd or 0.0), tokens=tokens)

    RunBudget.count = count


@bug("a budget bounds nothing", "caps", 4, BROKEN)
def _() -> None:
    RunBudget._lacking = lambda self, tokens, usd: None


@bug("a call of unknown size is free", "caps", 4, OTHER, SILENT)
def _() -> None:
    from society.core.calls import Usage

    openai_compatible.likely_usage = lambda request, text: Usage(0, 0, None, 0.0, True)


@bug("a try that brought no answer was free", "caps", 4, OTHER)
def _() -> None:
    once = openai_compatible.OpenAICompatible.complete

    async def unpaid(self: Any, request: Any) -> Any:
        try:
            return await once(self, request)
        except RetryLater as problem:
            problem.charged = False
            raise

    openai_compatible.OpenAICompatible.complete = unpaid


@bug("what was spent before the last resume is forgotten", "caps", 12, OTHER)
def _() -> None:
    class Fresh(Recall):
        async def complete(self, request: Any) -> Any:
            self.budget = None
            return await super().complete(request)

    society.models.pool.Recall = Fresh


# Trying again.


@bug("two loops try again, one within the other", "chaos", 100, OTHER)
def _() -> None:
    often("down")
    once = openai_compatible.OpenAICompatible.complete

    async def twice(self: Any, request: Any) -> Any:
        try:
            return await once(self, request)
        except openai_compatible.RetryLater:
            return await once(self, request)

    openai_compatible.OpenAICompatible.complete = twice


@bug("a refused key is tried again", "chaos", 100, OTHER)
def _() -> None:
    often("stops")
    from society.core.errors import ProviderRefused

    once = openai_compatible.OpenAICompatible.complete

    async def stubborn(self: Any, request: Any) -> Any:
        try:
            return await once(self, request)
        except ProviderRefused as problem:
            raise RetryLater(str(problem)) from None

    openai_compatible.OpenAICompatible.complete = stubborn


@bug("there is no deadline for a call", "chaos", 100, SILENT, OTHER)
def _() -> None:
    often("slow")
    endpoint.asyncio = _With(asyncio, timeout=lambda seconds: contextlib.nullcontext())


class _With:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.__dict__.update({"_module": module, **names})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
