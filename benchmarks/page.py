"""The table for a terminal, and the page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.results import Measured, Result

PAGE = ROOT / "docs" / "performance.md"
_PACKAGES = ("openai", "aiohttp", "pydantic", "sqlalchemy", "numpy")
_HEAD = """# Performance

Written by `python -m benchmarks --write`, which measures again the sections it is asked for and leaves the others. Times depend on
the machine and on who else uses it; the ratios to a bare program that does the same in the same run are what counts.
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


def section(measured: Measured) -> str:
    """One benchmark's part of the page, without its heading."""
    rows = "\n".join(_table(measured.results))
    return f"{measured.benchmark.about}\n\n{rows}\n\n{_medians(measured.results)} {machine()}\n"


def _medians(results: Sequence[Result]) -> str:
    """How often what is told was measured."""
    repeats = max((len(result.samples) for result in results), default=1)
    return "One run." if repeats <= 1 else f"Medians of {repeats}."


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield "| | | unit | target |"
    yield "|---|---:|---|---|"
    for result in results:
        note = f" ({result.note})" if result.note else ""
        yield f"| {result.name}{note} | {number(result.value)} | {result.unit} | {verdict(result)} |"


def sections_of(page: str) -> dict[str, str]:
    """The parts of a page, by their headings."""
    parts = page.split("\n## ")[1:]
    return {heading: body.strip() + "\n" for heading, _, body in (part.partition("\n\n") for part in parts)}


def write_page(found: Sequence[Measured], names: Sequence[str], path: Path = PAGE) -> None:
    """Write the page anew: what was measured now, and what stands there of the other benchmarks, in the order of `names`.

    A section stays as well where something could not be measured this time (a package is not installed).
    """
    kept = sections_of(path.read_text(encoding="utf-8")) if path.exists() else {}
    for one in found:
        name = one.benchmark.name
        if name not in kept or all(result.value is not None for result in one.results):
            kept[name] = section(one)
    parts = [f"## {name}\n\n{kept[name]}" for name in names if name in kept]
    path.write_text("\n".join([_HEAD, *parts]) + _TAIL, encoding="utf-8")
