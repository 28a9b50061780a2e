"""Real `society` processes that start in milliseconds: forks of this one, in which everything is imported already."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openai  # noqa: F401  # imported here so that children find it imported

import society.cli.app
import society.cli.conditions
import society.cli.results
import society.models.openai_compatible
import society.playing  # noqa: F401  # as above
from society.cli import main


def warm_up(scenario: str, folder: Path) -> None:
    """Play a scenario once in this process, so that its children find imported, compiled and cached what they need."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        log = f"sqlite:///{folder}/warm.db"
        code = main(["run", scenario, "--model", "mock:random", "--log", log, "--quiet"])
    assert code == 0, told.getvalue()


class Child:
    """One `society` command in a process of its own.

    Attributes:
        code: its exit code once it ended; minus the signal that killed it.
        tracer: the strace on it, if there is one, which ends with it.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        first: Callable[[], None] | None = None,
    ) -> None:
        assert threading.active_count() == 1, "a fork takes no threads along"
        self.folder, self.arguments = folder, [str(part) for part in arguments]
        self.code: int | None = None
        self.tracer: subprocess.Popen[str] | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._become(environment, first)

    def _become(self, environment: Mapping[str, str], first: Callable[[], None] | None) -> None:
        code = 1
        try:
            os.setsid()
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(self.folder)
            for name in [n for n in os.environ if n.startswith(("SOCIETY_", "OPENAI_"))]:
                del os.environ[name]
            os.environ.update(environment)
            sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  # lives as long as the process
            for number, name in ((1, "stdout"), (2, "stderr")):
                handle = os.open(name + ".txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(handle, number)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            if first is not None:
                first()
            code = main(self.arguments)
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def lives_when(self, ripe: Callable[[], bool], seconds: float) -> bool:
        """Wait until so many seconds after its time has come; whether it still goes on then."""
        end = float("inf")
        while (now := time.monotonic()) < end:
            if self._reap(os.WNOHANG):
                return False
            if end == float("inf") and ripe():
                end = now + seconds
            time.sleep(max(0.0, min(end - now, 0.001)))
        return True

    def kill(self) -> bool:
        """Kill it; whether it had not ended before."""
        os.kill(self.pid, signal.SIGKILL)
        self._reap(0)
        return self.code == -signal.SIGKILL

    def kill_when(self, ripe: Callable[[], bool], seconds: float) -> bool:
        """Kill it so many seconds after its time has come, if it has not ended before; whether it was killed."""
        return self.lives_when(ripe, seconds) and self.kill()

    def wait(self) -> int:
        """Wait until it ends; its exit code."""
        while self.code is None:
            self._reap(0)
        return self.code

    def _reap(self, how: int) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                if self.tracer is not None:
                    self.tracer.communicate()
        return self.code is not None

    def told(self) -> str:
        """What it and the children before it in its folder wrote to stdout and stderr."""
        return "".join((self.folder / f"{name}.txt").read_text(errors="replace") for name in ("stdout", "stderr"))
