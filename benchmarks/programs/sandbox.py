"""The sandbox on the workload: over HTTP and in process, with its whole log and (for comparison) without."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.processes import Stopwatch
from benchmarks.programs.bare import empty_loop
from benchmarks.workload import MODEL, Workload, read, scenario_of
from society import open_log
from society.agents.cast import cast
from society.agents.prompting import Prompts
from society.core.events import Event, RunStarted
from society.models import openai_compatible  # noqa: F401  # the bare programs have loaded their client, too
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from society.orchestrator import play_episode
from society.playing import play, with_model
from society.scenario.load import resolved
from society.scenario.model import Scenario

TICK = 0.005
"""Seconds between two looks at the clock while the event loop is watched."""


def with_log(calls: str, url: str, watched: bool = False) -> dict[str, float]:
    """Every episode as users play it: each call and event in a SQLite log; the log is closed before the clock stops.

    With `watched`, the lateness of the event loop is told as well: the 99th percentile and the worst, in milliseconds.
    """
    workload, _ = read(calls)
    watch, late = Stopwatch(), list[float]()
    scenario = scenario_of(workload)

    async def main(folder: Path) -> None:
        pool = ModelPool(ProviderSettings(concurrency=workload.in_flight))
        looking = asyncio.create_task(_look(late)) if watched else None
        with watch.running():
            await _played(scenario, f"{MODEL}@{url}", folder, workload.episodes, pool)
        if looking is not None:
            looking.cancel()
        await pool.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))
    return watch.told(**_lateness(late))


def without_log(calls: str, url: str, watched: bool = False) -> dict[str, float]:
    """The same episodes, told to nobody and journalled nowhere: what is missing is the cost of the log."""
    workload, _ = read(calls)
    watch, late = Stopwatch(), list[float]()
    scenario = with_model(scenario_of(workload), f"{MODEL}@{url}")

    async def main() -> None:
        pool = ModelPool(ProviderSettings(concurrency=workload.in_flight))
        looking = asyncio.create_task(_look(late)) if watched else None
        with watch.running():
            await asyncio.gather(*(_untold(scenario, seed, pool) for seed in range(workload.episodes)))
        if looking is not None:
            looking.cancel()
        await pool.close()

    asyncio.run(main())
    return watch.told(**_lateness(late))


def in_process(episodes: int, rounds: int, name: str, model: str, repeats: int) -> dict[str, list[float]]:
    """Calls a second with a mock that answers at once, the whole log on, beside an empty event loop, several times."""
    scenario = scenario_of(Workload(episodes, rounds), name)
    told: dict[str, list[float]] = {"bare": [], "sandbox": [], "cpu": []}
    for _ in range(repeats):
        told["bare"].append(empty_loop(episodes, rounds, len(scenario.agents)))
        watch = Stopwatch()

        async def main(folder: Path, watch: Stopwatch = watch) -> int:
            pool = ModelPool()
            with watch.running():
                await _played(scenario, model, folder, episodes, pool)
            await pool.close()
            return pool.counters.done

        with tempfile.TemporaryDirectory() as folder:
            calls = asyncio.run(main(Path(folder)))
        told["sandbox"].append(calls / watch.wall)
        told["cpu"].append(watch.cpu * 1000 / calls)
    return told


async def _played(scenario: Scenario, model: str, folder: Path, episodes: int, pool: ModelPool) -> None:
    with open_log(folder / "log.db") as log:
        runs = (play(scenario, model=model, seed=seed, log=log, pool=pool) for seed in range(episodes))
        await asyncio.gather(*runs)


class _Nowhere:
    async def stage(self, events: tuple[Event, ...]) -> None:
        """Nobody is told."""


async def _untold(scenario: Scenario, seed: int, pool: ModelPool) -> None:
    names = tuple(scenario.model_of(seat).name for seat in range(len(scenario.agents)))
    manifest = RunStarted(resolved(scenario), seed, scenario.names, names, {}, "", 0)
    prompts = Prompts.load()
    policies = cast(scenario, seed=seed, client_for=lambda settings: pool.client(settings.name), prompts=prompts)
    await play_episode(scenario, policies, _Nowhere(), manifest)


async def _look(late: list[float]) -> None:
    """Note how much later than wished this task is woken, again and again."""
    while True:
        asked = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        late.append(max(0.0, time.perf_counter() - asked) * 1000)


def _lateness(late: list[float]) -> dict[str, float]:
    if not late:
        return {}
    ordered = sorted(late)
    return {"late_p99": ordered[int(len(ordered) * 0.99)], "late_most": ordered[-1]}
