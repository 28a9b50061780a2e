"""Playing a sweep on several processors of one machine: for mocks and scripts, which think instead of waiting."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process

from society.log import open_log
from society.log.writer import is_free
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from society.playing import tune_interpreter
from society.scenario.model import LlmPolicy
from society.sweep.engine import Left, Tally, play_all
from society.sweep.grid import Planned

AT_ONCE = 8
"""Runs a worker has open at a time: while one waits for the disk, another thinks."""
_PORTION = 16


@dataclass(frozen=True, slots=True)
class Portion:
    """Some runs for one worker, and where they go."""

    runs: tuple[Left, ...]
    log: str
    sweep: str
    command: str


def think_only(planned: Sequence[Planned]) -> bool:
    """Whether nothing in these runs waits for anybody: every agent is a mock or a script."""
    return all(
        is_free(one.cell.scenario.model_of(seat).name) and one.cell.scenario.model_of(seat).name.startswith("mock:")
        for one in planned
        for seat, agent in enumerate(one.cell.scenario.agents)
        if isinstance(agent.policy, LlmPolicy)
    ) and all(
        all(agent.policy.kind != "human" for agent in scenario.agents)
        and (scenario.model_of_human is None or scenario.model_of_human.name.startswith("mock:"))
        for scenario in (one.cell.scenario for one in planned)
    )


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def portions(left: Sequence[Left], workers: int, *, log: str, sweep: str, command: str) -> Iterator[Portion]:
    """Runs in small heaps, so that all workers end at about the same time."""
    size = max(1, min(_PORTION, len(left) // (4 * workers)))
    for start in range(0, len(left), size):
        yield Portion(tuple(left[start : start + size]), log, sweep, command)


def play_portion(portion: Portion) -> Tally:
    """Play one heap of runs in this process, with a log and clients of its own."""

    async def main() -> Tally:
        pool = ModelPool()
        try:
            return await play_all(
                portion.runs, log, portion.sweep, pool=pool, parallel=AT_ONCE, command=portion.command
            )
        finally:
            await pool.close()

    with open_log(portion.log, secrets=ProviderSettings.read().secrets) as log:
        tune_interpreter()
        return asyncio.run(main())


def die_with_parent() -> None:
    """End this worker when the process that started it is gone, however it went: what it was at can be gone on with.

    Without this it would wait for more work for ever.
    """
    parent = parent_process()
    assert parent is not None, "a worker has been started by somebody"

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="society-parent").start()


def play_on_workers(
    left: Sequence[Left], log: str, sweep: str, *, workers: int, command: str = "", told: Callable[[Tally], None]
) -> Tally:
    """Play runs in several processes.

    Args:
        left: what is to be played.
        log: the address of the log; every worker opens it for itself.
        sweep: the name of the sweep.
        workers: how many processes.
        command: what the user typed, for the log.
        told: told how far it is, after every heap.
    """
    tally = Tally()
    waiting = portions(left, workers, log=log, sweep=sweep, command=command)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=die_with_parent) as pool:
        going: set[Future[Tally]] = set()
        for portion in waiting:
            going.add(pool.submit(play_portion, portion))
        try:
            while going:
                done, going = wait(going, return_when=FIRST_COMPLETED)
                for one in done:
                    tally.add(one.result())
                told(tally)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tally
