"""Many runs: a sweep by the command, and the viewer's first page over a large log."""

from __future__ import annotations

import asyncio
import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.logged import Logged, written
from benchmarks.results import Result, Size, at_most, middle
from benchmarks.workload import Workload
from society import open_log

SWEEP = """
name: thousand
about: A thousand episodes of five fishers and twelve months.
scenarios: [fishery]
seeds: 0-{last}
axes:
  models.default: ["mock:conditional", "mock:sustainable"]
"""


def sweep(size: Size) -> Iterator[Result]:
    """`society sweep` of 1,000 mock episodes, 5 agents x 12 rounds, full logs, on the processors there are."""
    episodes = size.of(1000, 4)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "thousand.yaml"
        file.write_text(SWEEP.format(last=episodes // 2 - 1))
        settings = [
            "--set",
            "rounds=12",
            "--set",
            "stages.talk.turns=0",
            "--log",
            f"sqlite:///{folder}/log.db",
            "--quiet",
        ]
        command = [sys.executable, "-m", "society", "sweep", str(file), *settings]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder) as process:
            held = list(_memory(process))
        took = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(f"society sweep ended with {process.returncode}")
        with open_log(Path(folder) / "log.db") as log:
            runs = log.runs()
        if any(run.rounds_played != 12 for run in runs):
            raise RuntimeError("some episodes had fewer than twelve rounds")
        done = sum(run.status == "completed" for run in runs)
        rows = (Path(folder) / "log.db").stat().st_size
    yield Result(f"{done} episodes", took, "s", at_most(90) if done == 1000 else None)
    yield Result("episodes a second", done / took, "runs/s")
    early, late = max(held[: len(held) // 2]), max(held[-(len(held) // 4) :])
    yield Result("most memory of all its processes, in the first half of the time", early, "MB")
    yield Result("most memory in the last quarter, to that", late / early, "x", at_most(1.1))
    yield Result("size of the log", rows / 1e6, "MB")


def _memory(process: subprocess.Popen[bytes]) -> Iterator[float]:
    """MB that a process and all below it hold, ten times a second until it ends."""
    while process.poll() is None:
        found = sum(_resident(pid) for pid in (process.pid, *_below(process.pid)))
        if found:
            yield found
        time.sleep(0.1)


def _below(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(further for child in children for further in _below(child))]


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def viewer(size: Size) -> Iterator[Result]:
    """The viewer's first page over a log of 1,000 runs, as a browser asks for it."""
    from society.views.web.serve import viewer as viewer_of

    runs = size.of(1000, 5)
    kept = Logged.of(Workload(episodes=1, rounds=2))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.db"
        asyncio.run(written(kept, file, runs))
        began = time.perf_counter()
        with open_log(file) as log:
            shown = viewer_of(log, port=0)
            serving = threading.Thread(target=shown.run)
            serving.start()
            try:
                cookie = _get(shown.address, "").getheader("set-cookie", "").split(";")[0]
                took = [_timed(shown.address, cookie) for _ in range(size.repeats + 1)]
                first = time.perf_counter() - began
            finally:
                shown.server.should_exit = True
                serving.join()
    yield Result(f"log opened and {size.repeats + 1} pages of {runs} runs shown", first, "s")
    yield Result("the first page, the first time", took[0] * 1000, "ms", at_most(200))
    yield middle("the first page, later", [seconds * 1000 for seconds in took[1:]], "ms")


def _timed(address: str, cookie: str) -> float:
    began = time.perf_counter()
    answer = _get(address, cookie)
    if answer.status != 200:
        raise RuntimeError(f"the viewer answered {answer.status}")
    return time.perf_counter() - began


def _get(address: str, cookie: str) -> http.client.HTTPResponse:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", int(parts.port or 0), timeout=60)
    headers = {"Cookie": cookie} if cookie else {}
    connection.request("GET", "/" if cookie else f"{parts.path}?{parts.query}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer
