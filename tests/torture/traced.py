"""Processes under `strace`: what they ask of the kernel is written down, or goes wrong on purpose."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.torture.children import Child

_SET_PTRACER, _ANY = 0x59616D61, -1
"""Lets any process trace this one, where the kernel allows it to parents alone."""


def why_not() -> str:
    """Why nothing can be traced here; empty if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (apt-get install strace)"
    sleeps = (
        f"import ctypes, time; ctypes.CDLL(None).prctl({_SET_PTRACER}, {_ANY}); print('x', flush=True); time.sleep(60)"
    )
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", sleeps], stdout=subprocess.PIPE)
    try:
        assert sleeper.stdout is not None, "it was asked for"
        sleeper.stdout.readline()
        tracer, words = _attached(sleeper.pid, ["-o", os.devnull])
        tracer.kill()
        tracer.communicate()
    finally:
        sleeper.kill()
        sleeper.communicate()
    return "" if "attached" in words else f"strace may not trace here: {words.strip()[-200:]}"


def traced(make: Callable[[Callable[[], None]], Child], options: Sequence[str], to: Path) -> Child:
    """Begin a process under strace; it does nothing before strace is there.

    Args:
        make: begins it, with what it is to do first.
        options: which calls are traced, and which fail.
        to: where strace writes.
    """
    waits, goes = os.pipe()

    def first() -> None:
        os.close(goes)
        _may_be_traced()
        os.read(waits, 1)

    child = make(first)
    os.close(waits)
    tracer, words = _attached(child.pid, ["-o", str(to), *options])
    assert "attached" in words, words
    child.tracer = tracer
    os.write(goes, b"x")
    os.close(goes)
    return child


def _may_be_traced() -> None:
    ctypes.CDLL(None).prctl(_SET_PTRACER, _ANY)


def _attached(pid: int, options: Sequence[str]) -> tuple[subprocess.Popen[str], str]:
    """strace on a process, and what it says once it is there or cannot be."""
    tracer = subprocess.Popen(["strace", "-f", *options, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None, "it was asked for"
    return tracer, tracer.stderr.readline()
