"""The sandbox on the workload: over HTTP and in process, with its whole log and (for comparison) without."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.processes import Stopwatch
from benchmarks.programs.bare import empty_loop
from benchmarks.workload import MODEL, Workload, read, scenario_of
from society import open_log
from society.agents.cast import Casting
from society.agents.prompting import Prompts
from society.core.events import Event, RunStarted
from society.log import Log, RunWriter
from society.models import openai_compatible  # noqa: F401  # the bare programs have loaded their client, too
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from society.orchestrator import play_episode
from society.playing import play, tune_interpreter, with_model
from society.scenario.load import resolved
from society.scenario.model import Scenario

MOCK = "mock:sustainable"


def with_log(calls: str, url: str, watched: bool = False) -> dict[str, float]:
    """Every episode as users play it: each call and event in a SQLite log; the log is closed before the clock stops.

    What is done once a process comes before the clock starts, as it does for the bare programs: one episode with a mock, which compiles
    the templates, and the making of the client.

    With `watched`, it is told as well how long the log keeps the event loop at a time, in milliseconds: the 99th percentile
    of all its steps, and the longest.
    """
    workload, _ = read(calls)
    watch, held = Stopwatch(), list[float]()
    scenario = scenario_of(workload)

    async def main(folder: Path) -> None:
        pool = ModelPool(ProviderSettings(concurrency=workload.in_flight))
        await _settled(scenario, f"{MODEL}@{url}", pool)
        with watch.running():
            await _played(scenario, f"{MODEL}@{url}", folder, workload.episodes, pool)
        await pool.close()

    with tempfile.TemporaryDirectory() as folder, _timed(held) if watched else nullcontext():
        asyncio.run(main(Path(folder)))
    if not held:
        return watch.told()
    held.sort()
    return watch.told(held_p99=held[int(len(held) * 0.99)] * 1000, held_most=held[-1] * 1000)


def with_watched_log(calls: str, url: str) -> dict[str, float]:
    """As `with_log`, with a clock at every step of the log."""
    return with_log(calls, url, watched=True)


def without_log(calls: str, url: str) -> dict[str, float]:
    """The same episodes, told to nobody and journalled nowhere: what is missing is the cost of the log."""
    workload, _ = read(calls)
    watch = Stopwatch()
    scenario = with_model(scenario_of(workload), f"{MODEL}@{url}")

    async def main() -> None:
        pool = ModelPool(ProviderSettings(concurrency=workload.in_flight))
        await _settled(scenario, f"{MODEL}@{url}", pool)
        with watch.running():
            await asyncio.gather(*(_untold(scenario, seed, pool) for seed in range(workload.episodes)))
        await pool.close()

    asyncio.run(main())
    return watch.told()


def in_process(episodes: int, rounds: int, name: str, model: str, repeats: int) -> dict[str, list[float]]:
    """Calls a second with a mock that answers at once, the whole log on, beside an empty event loop, several times."""
    scenario = scenario_of(Workload(episodes, rounds), name)
    told: dict[str, list[float]] = {"bare": [], "sandbox": [], "cpu": []}
    for _ in range(repeats):
        told["bare"].append(empty_loop(episodes, rounds, len(scenario.agents)))
        watch = Stopwatch()

        async def main(folder: Path, watch: Stopwatch = watch) -> int:
            pool = ModelPool()
            tune_interpreter()
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


async def _settled(scenario: Scenario, model: str, pool: ModelPool) -> None:
    """What is done once a process."""
    await _untold(with_model(scenario, MOCK), 0, pool)
    pool.client(model)
    tune_interpreter()  # as the command does


class _Nowhere:
    async def stage(self, events: tuple[Event, ...]) -> None:
        """Nobody is told."""


async def _untold(scenario: Scenario, seed: int, pool: ModelPool) -> None:
    names = tuple(scenario.model_of(seat).name for seat in range(len(scenario.agents)))
    manifest = RunStarted(resolved(scenario), seed, scenario.names, names, {}, "", 0)
    casting = Casting.of(scenario, Prompts.load())
    policies = casting.policies(seed=seed, client_for=lambda settings: pool.client(settings.name))
    await play_episode(scenario, policies, _Nowhere(), manifest)


@contextmanager
def _timed(held: list[float]) -> Iterator[None]:
    """Time every step that the log takes on the event loop, from when it is called until it lets go."""
    whole = {name: getattr(RunWriter, name) for name in ("stage", "issue", "answered", "failed", "finish")}
    begin = Log.start_run

    def started(log: Log, *given: Any, **named: Any) -> RunWriter:  # Any: handed on
        began = time.perf_counter()
        writer = begin(log, *given, **named)
        held.append(time.perf_counter() - began)
        return writer

    for name, method in whole.items():
        setattr(
            RunWriter,
            name,
            lambda writer, *given, _method=method, **named: _Steps(_method(writer, *given, **named), held),
        )
    Log.start_run = started  # type: ignore[method-assign]  # to time it
    try:
        yield
    finally:
        Log.start_run = begin
        for name, method in whole.items():
            setattr(RunWriter, name, method)


class _Steps:
    """Awaits a coroutine and notes how long each of its steps takes."""

    def __init__(self, inner: Coroutine[Any, Any, Any], held: list[float]) -> None:
        self.inner, self.held = inner, held

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.inner.__await__()
        while True:
            began = time.perf_counter()
            try:
                waited_for = next(steps)
            except StopIteration as done:
                self.held.append(time.perf_counter() - began)
                return done.value
            self.held.append(time.perf_counter() - began)
            yield waited_for
