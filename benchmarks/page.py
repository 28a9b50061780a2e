"""The table for a terminal, and the page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.results import Measured, Result

PAGE = ROOT / "docs" / "performance.md"
_PACKAGES = ("openai", "aiohttp", "pydantic", "sqlalchemy", "numpy")
_HEAD = """# Performance

Measured by `python -m benchmarks --write`, which wrote this page. Times depend on the machine; the ratios to a bare program that
does the same in the same run are what counts. Medians of {repeats}.

{machine}
"""
_TAIL = """
## How it is measured

Programs that are compared run one after the other, each in a process of its own; the server they call is another process, answers
after a set time, and counts: a program that does not make exactly the calls of the workload is not shown. *x critical path* is the
wall time over the shortest possible one: rounds times stages times the latency. CPU is that of all threads of the program, not
of the server. The clock stops when the log is closed, with everything on disk.

`python -m benchmarks NAME ...` runs some of them, `--list` names them, `--json` prints all samples, `--short` shows in seconds
that they work. Other packages are measured where they are installed: `python -m benchmarks peers --peers-python OTHER/bin/python`.
"""


def number(value: float | None) -> str:
    """Three digits that matter; thousands apart."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or not value else f"{value:.1e}"


def verdict(result: Result) -> str:
    """The target and whether it is met."""
    if result.target is None:
        return ""
    return f"{result.target}{'' if result.met is None else ' met' if result.met else ' MISSED'}"


def lines(measured: Measured) -> Iterator[str]:
    """A block of the table, for a terminal."""
    yield f"{measured.benchmark.name}: {measured.benchmark.about}"
    for result in measured.results:
        value = f"{number(result.value)} {result.unit}".strip()
        yield f"  {result.name:<62} {value:>24}  {verdict(result):<14} {result.note}".rstrip()


def machine() -> str:
    """What it ran on, without its name."""
    packages = []
    for name in _PACKAGES:
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{datetime.now(UTC):%d %B %Y}; {cores} cores ({platform.machine()}), "
        f"{platform.python_implementation()} {platform.python_version()}; {', '.join(packages)}."
    )


def markdown(found: Iterable[Measured], repeats: int) -> str:
    """The page of the documentation."""
    parts = [_HEAD.format(repeats=repeats, machine=machine())]
    for measured in found:
        parts += [f"\n## {measured.benchmark.name}\n", f"{measured.benchmark.about}\n", *_table(measured.results)]
    return "\n".join(parts) + "\n" + _TAIL


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield "| | | unit | target |"
    yield "|---|---:|---|---|"
    for result in results:
        note = f" ({result.note})" if result.note else ""
        yield f"| {result.name}{note} | {number(result.value)} | {result.unit} | {verdict(result)} |"


def write_page(found: Sequence[Measured], repeats: int, path: Path = PAGE) -> None:
    """Write the page anew."""
    path.write_text(markdown(found, repeats), encoding="utf-8")
