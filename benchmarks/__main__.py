"""``python -m benchmarks [NAME ...]``: run them, print a table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from benchmarks.page import lines, write_page
from benchmarks.processes import Failed
from benchmarks.results import Benchmark, Measured, Size
from benchmarks.suite import BENCHMARKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks named, or all; 0 if no target was missed, 1 otherwise."""
    asked = _parser().parse_args(arguments)
    if asked.list:
        print("\n".join(f"{one.name:<16} {one.about}" for one in BENCHMARKS))
        return 0
    chosen = [one for one in BENCHMARKS if not asked.names or one.name in asked.names]
    unknown = set(asked.names) - {one.name for one in BENCHMARKS}
    if unknown:
        known = ", ".join(one.name for one in BENCHMARKS)
        print(f"no benchmark is called {', '.join(sorted(unknown))}; known: {known}", file=sys.stderr)
        return 2
    size = Size(1 if asked.short else asked.repeats, asked.short, tuple(asked.peers_python))
    found: list[Measured] = []
    for one in chosen:
        found.append(_run(one, size, quiet=asked.json))
        if asked.write:
            write_page(found, [one.name for one in BENCHMARKS])
    if asked.json:
        told = {one.benchmark.name: [result.row() for result in one.results] for one in found}
        print(json.dumps(told, indent=2))
    missed = any(result.met is False for one in found for result in one.results)
    return int(missed and not asked.short)


def _run(benchmark: Benchmark, size: Size, *, quiet: bool) -> Measured:
    began = time.perf_counter()
    try:
        measured = Measured(benchmark, tuple(benchmark.run(size)))
    except Failed as problem:
        print(f"{benchmark.name}: {problem}", file=sys.stderr)
        raise SystemExit(1) from None
    if not quiet:
        print("\n".join(lines(measured)), end="\n\n", flush=True)
        print(f"{benchmark.name} took {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; default: all")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--json", action="store_true", help="print all samples as JSON")
    parser.add_argument("--short", action="store_true", help="a small workload, once: to see that they work")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs of each program; the median counts")
    parser.add_argument(
        "--peers-python",
        nargs="+",
        default=[],
        metavar="PYTHON",
        help="interpreters that other packages are installed for; default: this one",
    )
    parser.add_argument("--write", action="store_true", help="write what is found into docs/performance.md")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
