"""One measured function in a process of its own, so that memory and CPU are its own.

This file imports nothing of the sandbox: it also runs where only another package is installed.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class Failed(Exception):
    """The process ended with an error; the message is its last line."""


@dataclass(slots=True)
class Stopwatch:
    """Seconds of wall time and of CPU (all threads of this process), and the most memory it held, in MB."""

    wall: float = 0.0
    cpu: float = 0.0
    rss: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        self.rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def told(self, **further: float) -> dict[str, float]:
        return {"wall": self.wall, "cpu": self.cpu, "rss": self.rss, **further}


def measured(function: str, *arguments: Any, python: str | None = None) -> dict[str, Any]:
    """What ``module:function`` returns for these arguments (JSON values), called in a fresh process.

    Raises:
        Failed: it raised something.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI", "SOCIETY_"))}
    environment |= {"PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "none", "PYTHONHASHSEED": "0"}
    command = [python or sys.executable, "-m", "benchmarks.processes", function, json.dumps(arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise Failed(_last_words(done.stderr))
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _last_words(stderr: str) -> str:
    """The name and message of the error a traceback ends with."""
    told = [line for line in stderr.splitlines() if line.strip()]
    start = max((place for place, line in enumerate(told) if line.startswith("  File ")), default=-1)
    return " ".join(line.strip() for line in told[start + 1 :] if not line.startswith("    "))[:300] or "no message"


if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    print(json.dumps(getattr(importlib.import_module(module), name)(*json.loads(sys.argv[2]))))
