"""Playing a sweep on a Ray cluster. This is the only file that knows Ray.

Each worker is an actor with a log and clients of its own; limits are kept by one more actor, and shared by all. What a worker played
is in the log, run by run and answer by answer, so when it dies another one goes on with its runs: the lock of a run dies with the
process that wrote it, and no committed answer is asked for, or paid for, again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from typing import Any

from society import __version__
from society.core.errors import BadInput, RunFailed, SocietyError
from society.log import Log, open_log
from society.models.budget import RunBudget
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from society.sweep.engine import Left, Tally, play_one
from society.sweep.held import FINISHED, held_runs
from society.sweep.shared_limits import Limits, SharedLimits

LOCAL = "local"
"""The address that stands for a cluster on this machine alone, made for the sweep."""
MOST_DEATHS = 3
"""How many workers may die over one run before it is given up."""
_LOCK_SECONDS, _PAUSE = 120.0, 0.2
"""How long the lock of a dead worker's run is waited for, and how often it is looked at."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers are told.

    Attributes:
        log: the address of the log; sweep: its name; command: what the user typed.
        settings: addresses, keys and limits of the providers.
        budgeted: the sweep has a purse.
    """

    log: str
    sweep: str
    command: str
    settings: ProviderSettings
    budgeted: bool
    version: str = __version__


@contextmanager
def cluster(address: str, *, workers: int | None) -> Iterator[int]:
    """Be connected to a cluster while the block runs; gives the number of its processors.

    Args:
        address: ``local``, ``auto``, ``host:port`` or ``ray://host:port``.
        workers: processors of a local cluster; default: those of this machine.

    Raises:
        BadInput: there is no cluster at this address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}  # Any: options of ray.init
    if address == LOCAL:
        quiet |= {"include_dashboard": False, "num_cpus": workers}
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as problem:
        first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise BadInput(f"no Ray cluster at {address}: {first}; `--ray local` makes one on this machine") from None
    with redirect_stdout(sys.stderr):  # Ray tells there of workers that died, until the end; stdout is for results
        try:
            yield int(ray.cluster_resources().get("CPU", 1))
        finally:
            ray.shutdown()


async def play_on_ray(
    left: Sequence[Left],
    job: Job,
    *,
    log: Log,
    workers: int,
    parallel: int,
    purse: RunBudget | None,
    told: Callable[[Tally], None],
) -> Tally:
    """Play runs on the workers of the cluster this process is connected to.

    Args:
        left: what is to be played.
        job: what the workers are told.
        log: the log, to see how far a dead worker's run came.
        workers: how many.
        parallel: runs at a time, over all workers.
        purse: what all together may spend.
        told: told how far it is, after every run.

    Raises:
        RunFailed: no worker can be started.
    """
    import ray

    limits = ray.remote(SharedLimits).options(num_cpus=0, max_concurrency=100_000).remote(job.settings, purse)
    crew = _Crew(job, log, limits, share=min(1.0, int(ray.cluster_resources().get("CPU", 1)) / workers), told=told)
    crew.waiting.extend(left)
    try:
        players = [await crew.hire() for _ in range(workers)]
        async with asyncio.TaskGroup() as group:
            for place in range(min(len(left), max(parallel, workers))):
                group.create_task(crew.keep_busy(players, place % workers))
    except* SocietyError as problems:
        raise problems.exceptions[0] from None
    finally:
        crew.dismiss()
    return crew.tally


class Player:
    """A worker: an actor that plays runs, with a log and clients of its own."""

    def __init__(self, number: int, job: Job, limits: Any) -> None:  # Any: the handle of an actor
        if job.version != __version__:
            raise BadInput(
                f"a worker has society {__version__}, the sweep was started by {job.version}; install the same on both"
            )
        asked = Limits(_RayDesk(limits), number)
        self._job = job
        self._log = open_log(job.log, secrets=job.settings.secrets)
        self._pool = ModelPool(job.settings, purse=asked.purse() if job.budgeted else None, gates=asked.gate)

    async def ready(self) -> bool:
        """Whether it has been made."""
        return True

    async def play(self, left: Left) -> Tally:
        """Play one run, or go on with it."""
        return await play_one(left, self._log, self._job.sweep, pool=self._pool, command=self._job.command)


@dataclass(frozen=True, slots=True)
class _RayDesk:
    """How a worker reaches the limits: through the handle of their actor."""

    handle: Any  # Any: Ray's handles have no types

    def ask(self, method: str, *arguments: object) -> Awaitable[object]:
        answer: Awaitable[object] = getattr(self.handle, method).remote(*arguments)
        return answer

    def tell(self, method: str, *arguments: object) -> None:
        getattr(self.handle, method).remote(*arguments)


@dataclass(slots=True)
class _Hired:
    number: int
    handle: Any  # Any: as above


@dataclass
class _Crew:
    """The workers, and the runs that wait for one."""

    job: Job
    log: Log
    limits: Any  # Any: as above
    share: float
    told: Callable[[Tally], None]
    waiting: deque[Left] = field(default_factory=deque)
    tally: Tally = field(default_factory=Tally)
    deaths: Counter[tuple[str, int]] = field(default_factory=Counter)
    hired: list[_Hired] = field(default_factory=list)
    replacing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def hire(self) -> _Hired:
        """One more worker, ready to play.

        Raises:
            RunFailed: it cannot be started; says why.
        """
        import ray

        number = len(self.hired)
        actor = ray.remote(Player).options(num_cpus=self.share, max_concurrency=10_000, scheduling_strategy="SPREAD")
        one = _Hired(number, actor.remote(number, self.job, self.limits))
        self.hired.append(one)
        try:
            await one.handle.ready.remote()
        except ray.exceptions.RayError as problem:
            last = str(problem).strip().splitlines()[-1]
            raise RunFailed(f"a Ray worker cannot be started: {last}") from None
        return one

    async def keep_busy(self, players: list[_Hired], place: int) -> None:
        """Give one worker run after run; a worker that dies is replaced, and its runs are gone on with."""
        import ray

        while self.waiting and not self.tally.over:
            one, player = self.waiting.popleft(), players[place]
            try:
                self.tally.add(await player.handle.play.remote(one))
            except ray.exceptions.RayActorError:
                async with self.replacing:
                    if players[place] is player:
                        await self.limits.forget.remote(player.number)
                        players[place] = await self.hire()
                await self.take_back(one)
            except ray.exceptions.RayError as problem:
                self.tally.failed(one.planned, RunFailed(str(problem).strip().splitlines()[-1]))
            self.told(self.tally)

    async def take_back(self, one: Left) -> None:
        """A run whose worker died waits again, from where it came to; or it is done, or given up."""
        self.deaths[one.planned.key] += 1
        if self.deaths[one.planned.key] >= MOST_DEATHS:
            self.tally.failed(one.planned, RunFailed(f"{MOST_DEATHS} workers died over it"))
            return
        for _ in range(int(_LOCK_SECONDS / _PAUSE)):
            run = held_runs(self.log, self.job.sweep, [one.planned]).get(one.planned.key)
            if run is not None and run.status in FINISHED:
                self.tally.finished(one.planned)
                return
            if run is None or run.status != "running":
                self.waiting.appendleft(Left(one.planned, None if run is None else run.id))
                return
            await asyncio.sleep(_PAUSE)  # the server has not seen yet that its writer is gone
        self.tally.failed(one.planned, RunFailed("its worker cannot be reached, and still holds its lock"))

    def dismiss(self) -> None:
        """Let everybody go; runs they were at are left, and can be gone on with."""
        import ray

        with suppress(Exception):  # the cluster may be gone already
            for one in (*(hired.handle for hired in self.hired), self.limits):
                ray.kill(one)
