"""One episode's events and calls, written to logs again and again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.workload import Workload, scenario_of
from society import open_log
from society.core.calls import ModelRequest, ModelResponse
from society.core.events import Event, RunStarted
from society.log import Log
from society.log.tables import TABLES, name_of
from society.models.mock import MockModel
from society.models.pool import ModelPool
from society.playing import play


@dataclass(frozen=True)
class Logged:
    """What a log is told of one episode.

    Attributes:
        manifest: the first event; events: those after it, stage by stage.
        calls: the questions and answers, in the order they came.
    """

    manifest: RunStarted
    events: tuple[Event, ...]
    calls: tuple[tuple[ModelRequest, ModelResponse], ...]

    @classmethod
    def of(cls, workload: Workload) -> Logged:
        """Play one episode with a mock, and keep what it told."""
        calls: list[tuple[ModelRequest, ModelResponse]] = []

        class Listening(MockModel):
            async def complete(self, request: ModelRequest) -> ModelResponse:
                response = await super().complete(request)
                calls.append((request, response))
                return response

        pool = ModelPool()
        pool._connect = lambda name: Listening(name.name)  # type: ignore[method-assign]  # to listen
        with open_log("sqlite://") as log:
            run = asyncio.run(play(scenario_of(workload), model="mock:sustainable", log=log, pool=pool))
        if len(calls) != workload.calls:
            raise RuntimeError(f"the episode has {len(calls)} calls, not {workload.calls}")
        return cls(run.episode.manifest, run.episode.events[1:], tuple(calls))


async def written(kept: Logged, file: Path, runs: int) -> float:
    """Seconds that writing so many runs takes, from the first row to a closed file."""
    began = time.perf_counter()
    with open_log(file) as log:
        await asyncio.gather(*(_one(kept, log, seed) for seed in range(runs)))
    return time.perf_counter() - began


async def _one(kept: Logged, log: Log, seed: int) -> None:
    writer = log.start_run(replace(kept.manifest, seed=seed))
    await writer.stage((writer.manifest,))
    for request, response in kept.calls:
        issue = await writer.issue(request, reserved_usd=None)
        await writer.answered(request, issue, response)
    for event in kept.events:
        await writer.stage((event,))
    await writer.finish()


def rows_of(file: Path) -> int:
    """How many rows a log holds in all its tables."""
    with open_log(file) as log, log.connection() as connection:
        counts = [connection.execute(text(f"SELECT COUNT(*) FROM {name_of(table)}")).scalar_one() for table in TABLES]
    return sum(counts)


def read_again(file: Path) -> float:
    """Seconds that reading every episode of a log takes."""
    with open_log(file) as log:
        began = time.perf_counter()
        for run in log.runs():
            log.episode(run.id)
        return time.perf_counter() - began
