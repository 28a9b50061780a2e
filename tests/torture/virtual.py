"""A whole run without waiting and without threads: virtual time, a provider in memory, a log that commits in place and can die there.

Everything between the scenario and the socket is the real thing: orchestrator, policies, client stack, HTTP client, SQLite.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar
from unittest import mock

import httpx2
from sqlalchemy import Engine

from society.log.committer import Committer, Job, Owner
from society.log.database import Place
from society.log.lock import locks_of
from society.log.reserve import NoReserve, Reserve
from society.models.bounded_http import BoundedClient
from tests.torture.answering import envelope, good_answer, identity
from tests.torture.provider_faults import Served, fault

T = TypeVar("T")


class Deadlock(Exception):
    """Everybody waits, and nothing will ever happen."""


class _Jumping(selectors.DefaultSelector):
    """Where nothing is ready, time jumps to the next thing that will be."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise Deadlock("the run waits for something that nobody will do")
        if not ready and timeout and timeout > 0:
            self.loop.elapsed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when everybody waits for it."""

    def __init__(self) -> None:
        self.elapsed = 1000.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.elapsed

    # What follows is the `Clock` of the models.

    def now(self) -> float:
        return self.elapsed

    def wall(self) -> float:
        return 1_800_000_000.0 - 1000.0 + self.elapsed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(loop: VirtualLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with contextlib.closing(loop):
        try:
            return loop.run_until_complete(work)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())


class Died(Exception):
    """The process is no more; whoever waits for it unwinds, and writes nothing."""


class Fate:
    """When the process dies: around which commit, and whether that commit still makes it to the disk.

    Attributes:
        commits: how many there were.
        told: called after each.
    """

    def __init__(self, commit: int | None = None, written: bool = False) -> None:
        self.commit, self.written = commit, written
        self.commits, self.dead = 0, False
        self.told: Callable[[], None] = lambda: None


class DyingCommitter(Committer):
    """Commits where it is asked to, and dies when its time has come: the fate it finds when it is made."""

    next_fate = Fate()

    def __init__(self, engine: Engine, place: Place) -> None:
        self.engine, self.place, self.fate = engine, place, DyingCommitter.next_fate
        self.reserve = NoReserve() if place.file is None else Reserve(locks_of(place.file))

    def submit(
        self, owner: Owner, prepare: Callable[[Job], None], *, hurried: bool = True, patience: float | None = None
    ) -> Future[None]:
        done: Future[None] = Future()
        self._now(Job(owner, prepare, done))
        return done

    async def commit(self, owner: Owner, prepare: Callable[[Job], None], *, patience: float | None = None) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._now(Job(owner, prepare, done))
        await done

    def _now(self, job: Job) -> None:
        fate = self.fate
        fate.commits += 1
        last = fate.commits == fate.commit
        if not fate.dead and (fate.written or not last) and self._prepare(job):
            self._write([job])
        fate.dead = fate.dead or last
        if fate.dead:
            job.problem = Died()
        job.tell()
        fate.told()

    def close(self) -> None:
        self.engine.dispose()
        self.reserve.give()


class _Parts(httpx2.AsyncByteStream):
    """A body as it comes in."""

    def __init__(self, served: Served) -> None:
        self.served = served

    async def __aiter__(self) -> AsyncIterator[bytes]:
        served = self.served
        if served.broken:
            yield served.body[: len(served.body) // 2]
            raise httpx2.ReadError("connection reset by peer")
        for _ in range(served.blocks):
            if served.drip:
                await asyncio.sleep(served.drip)
            yield served.body


class ChaosProvider(httpx2.AsyncBaseTransport):
    """The provider, and all that it was asked.

    What goes wrong depends on the question and on how often it was asked, never on the order in which questions come.

    Attributes:
        rate: how many answers are faulty, from 0 to 1.
        served: what each question was answered with, in order.
        good: what each question would have been answered with.
        prompts: the messages of each question.
        asked: every question, in the order in which it came.
    """

    def __init__(self, key: str, rate: float, maker: Callable[[str, random.Random], Served] = fault) -> None:
        self.key, self.rate, self.maker = key, rate, maker
        self.served: dict[int, list[Served]] = {}
        self.good: dict[int, str] = {}
        self.prompts: dict[int, list[dict[str, str]]] = {}
        self.asked: list[int] = []
        self.flying = 0
        self.most_flying = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(await request.aread())
        who = identity(body)
        self.asked.append(who)
        self.prompts[who] = body["messages"]
        good = self.good[who] = good_answer(body)
        before = self.served.setdefault(who, [])
        luck = random.Random(f"{self.key} {who} {len(before)}")
        served = self.plain(who, good)
        if luck.random() < self.rate:
            served = self.maker(good, luck)
        before.append(served)
        self.flying += 1
        self.most_flying = max(self.flying, self.most_flying)
        try:
            await asyncio.sleep(served.delay + luck.uniform(0.1, 5))
        finally:
            self.flying -= 1
        if served.unreachable:
            raise httpx2.ConnectError("nobody listens")
        return httpx2.Response(served.status, headers=served.headers, stream=_Parts(served), request=request)

    def plain(self, who: int, good: str) -> Served:
        """What the model says to a question when nothing comes between."""
        return Served("good", body=json.dumps(envelope(good)).encode())


@contextlib.contextmanager
def simulated(provider: ChaosProvider, fate: Fate) -> Iterator[None]:
    """Inside, every remote model is this provider, and every log is written in place until it dies."""

    class Client(BoundedClient):
        def __init__(self, **how: Any) -> None:
            super().__init__(**how)
            self._transport, self._mounts = provider, {}

    def in_place(work: Callable[..., Any]) -> Callable[..., Any]:
        async def now(*given: Any) -> Any:
            return work(*given)

        return now

    DyingCommitter.next_fate = fate
    with (
        mock.patch("openai._base_client.asyncify", in_place),  # it asks a thread what machine this is, once a client
        mock.patch("society.models.endpoint.BoundedClient", Client),
        mock.patch("society.log.opened.Committer", DyingCommitter),
    ):
        yield
