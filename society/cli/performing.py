"""Several runs, some at a time: what to play, what came of each, and which exit code that makes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from society.cli.progress import Board, Going, shown
from society.core.errors import BadInput, ProviderRefused, SocietyError
from society.forking import fork
from society.models.pool import ModelPool
from society.playing import play, resume, tune_interpreter
from society.scenario.model import Budget, Scenario

if TYPE_CHECKING:
    from society.log import Log
    from society.run import Run

INTERRUPTED, TERMINATED = 130, 143


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a fork begins: the run, how many of its rounds are shared, and what is changed then."""

    run: str
    round: int
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One run to play.

    Attributes:
        model: the model of all agents that name none; None: the scenario's own.
        resumes: the run to go on with, instead of beginning a new one.
        budget: another budget for it than the scenario's.
        branch: the run whose first rounds it shares, if it is a fork.
    """

    scenario: Scenario
    model: str | None
    seed: int
    resumes: str | None = None
    budget: Budget | None = None
    branch: Branch | None = None

    @property
    def title(self) -> str:
        model = self.model or self.scenario.models.get("default", next(iter(self.scenario.models.values()))).name
        return f"{self.scenario.name} {model} seed {self.seed}"


@dataclass(slots=True)
class Played:
    """What came of a job: a run, or what stopped it. Both are None for a job that was never begun."""

    job: Job
    run: Run | None = None
    error: SocietyError | None = None


class Stopped(BaseException):
    """A signal ended the whole command; carries its exit code and what had been played."""

    def __init__(self, code: int, played: list[Played]) -> None:
        super().__init__(code)
        self.code, self.played = code, played


def perform(jobs: Sequence[Job], log: Log, *, parallel: int, quiet: bool, command: str) -> list[Played]:
    """Play all jobs, at most `parallel` at a time, with progress on a terminal.

    A run that fails or pauses stops nobody else; a provider that refuses for good stops those that have not begun.

    Raises:
        BadInput: a job that cannot be played at all.
        Stopped: interrupted or terminated; runs that had begun are left resumable.
    """
    played = [Played(job) for job in jobs]
    code = stoppable(_all(played, log, parallel, quiet, command))
    if code is not None:
        raise Stopped(code, played)
    return played


def stoppable(work: Coroutine[None, None, None]) -> int | None:
    """Run something that a signal stops cleanly; None, or the exit code of the signal that stopped it.

    Ctrl-C and SIGTERM, and SIGHUP unless it is ignored (nohup). The second one stops at once.
    """
    caught: list[int] = []

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None, "it is running"

        def stop(code: int) -> None:
            caught.append(code)
            if len(caught) == 1:
                task.cancel()
                return
            for anything in asyncio.all_tasks():  # groups that are stopping already do not tell their tasks twice
                anything.cancel()

        loop = asyncio.get_running_loop()
        heard = [signal.SIGTERM] + [signal.SIGHUP] * (signal.getsignal(signal.SIGHUP) == signal.SIG_DFL)
        for number in heard:
            loop.add_signal_handler(number, stop, TERMINATED)
        try:
            await work
        finally:
            for number in heard:
                loop.remove_signal_handler(number)

    tune_interpreter()
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        return INTERRUPTED
    except asyncio.CancelledError:
        return caught[0] if caught else INTERRUPTED
    return None


async def _all(played: Sequence[Played], log: Log, parallel: int, quiet: bool, command: str) -> None:
    slots, board, pool = asyncio.Semaphore(parallel), Board(), ModelPool()
    refused = asyncio.Event()

    async def one(result: Played) -> None:
        job = result.job
        async with slots:
            if refused.is_set():
                return
            going: Going = board.begin(job.title, job.scenario.rounds)
            try:
                if job.resumes is not None:
                    result.run = await resume(
                        job.resumes, log=log, pool=pool, watcher=going, counters=going.counters, budget=job.budget
                    )
                elif job.branch is not None:
                    result.run = await fork(
                        job.branch.run,
                        round=job.branch.round,
                        overrides=job.branch.overrides,
                        model=job.model,
                        seed=job.seed,
                        log=log,
                        pool=pool,
                        watcher=going,
                        counters=going.counters,
                        command=command,
                    )
                else:
                    result.run = await play(
                        job.scenario,
                        model=job.model,
                        seed=job.seed,
                        log=log,
                        pool=pool,
                        watcher=going,
                        counters=going.counters,
                        command=command,
                    )
            except BadInput:
                raise
            except SocietyError as error:
                result.error = error
                if isinstance(error, ProviderRefused):
                    refused.set()
            finally:
                going.ended = True

    try:
        with shown(board, quiet=quiet):
            async with asyncio.TaskGroup() as group:
                for result in played:
                    group.create_task(one(result))
    except* BadInput as group_of:
        raise group_of.exceptions[0] from None
    finally:
        await pool.close()


def exit_code(played: Sequence[Played]) -> int:
    """5 if a provider refused, else 4 if a run paused, else 1 if one failed or is invalid, else 0."""
    codes = {result.error.exit_code for result in played if result.error is not None}
    for code in (6, 5, 4):
        if code in codes:
            return code
    invalid = any(result.run is not None and result.run.status != "completed" for result in played)
    return 1 if codes or invalid else 0
