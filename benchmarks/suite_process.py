"""In one process, without a network: the hot path with mocks, the log, prompts."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.processes import measured
from benchmarks.results import Result, Size, at_least, at_most, middle
from benchmarks.workload import Workload, scenario_of


def mock(size: Size) -> Iterator[Result]:
    """The workload in process: a mock answers at once, every call and event is logged."""
    episodes, rounds = size.of(20, 2), size.of(12, 2)
    cases = (("fishery", "mock:sustainable", "all runs alike"), ("public_goods", "mock:random", "no two runs alike"))
    for name, model, about in cases:
        told = measured("benchmarks.programs.sandbox:in_process", episodes, rounds, name, model, size.repeats)
        shares = [ours / bare for ours, bare in zip(told["sandbox"], told["bare"], strict=True)]
        yield middle("an empty event loop", told["bare"], "calls/s")
        yield middle(f"society, {name}, {model} ({about})", told["sandbox"], "calls/s")
        yield middle("the same, to the empty loop", shares, "x", at_least(round(15_000 / 70_000, 3)))
        yield middle("its CPU", told["cpu"], "ms a call")


def log(size: Size) -> Iterator[Result]:
    """A log written and read through its own interface: events, calls and their rows."""
    from benchmarks.logged import Logged, read_again, rows_of, written

    runs = size.of(20, 2)
    kept = Logged.of(Workload(episodes=1, rounds=size.of(12, 2)))
    write_rates: list[float] = []
    read_rates: list[float] = []
    bytes_a_call = 0.0
    for _ in range(size.repeats):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "log.db"
            seconds = asyncio.run(written(kept, file, runs))
            rows = rows_of(file)
            bytes_a_call = file.stat().st_size / (runs * len(kept.calls))
            write_rates.append(rows / seconds)
            read_rates.append(runs * len(kept.events) / read_again(file))
    yield middle("rows written", write_rates, "rows/s")
    yield middle("events read and built into episodes", read_rates, "events/s")
    yield Result("size of the log", bytes_a_call, "bytes a call")


def prompts(size: Size) -> Iterator[Result]:
    """Tokens of prompts as rounds go by, and what consecutive prompts of one agent share."""
    from benchmarks.prompts import by_round, shared_prefix

    rounds = size.of(120, 12)
    tokens, texts = by_round(scenario_of(Workload(rounds=rounds)), rounds)
    context = scenario_of(Workload()).model_of(0).context_tokens
    half = size.of(12, 6)
    early = (tokens[half // 2] - tokens[0]) / (half // 2)
    late = (tokens[half - 1] - tokens[half // 2]) / (half - 1 - half // 2)
    yield Result("prompt tokens an agent and round, round 1", tokens[0], "tokens")
    yield Result(f"the same, round {half}", tokens[half - 1], "tokens")
    yield Result("growth later to growth at first (1: linear)", late / early, "x", at_most(1.1))
    most = max(a for pair in pairwise(tokens) for a in pair)
    yield Result(f"most in {rounds} rounds, of the window for each call", most / (2 * context), "x", at_most(1.0))
    yield Result("prefix shared by consecutive prompts of an agent", 100 * shared_prefix(texts[:24]), "%", at_least(80))


def start(size: Size) -> Iterator[Result]:
    """Until `society --help` has been printed."""
    import subprocess
    import sys

    took = []
    for _ in range(size.repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "society", "--help"], stdout=subprocess.DEVNULL, check=True)
        took.append(time.perf_counter() - began)
    yield middle("society --help", took, "s", at_most(0.4))
    bare = []
    for _ in range(size.repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - began)
    yield middle("an empty program", bare, "s")
