"""The command: one suite, or all of them in their short or their long form."""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Callable

from tests.torture.tally import Tally

Suite = Callable[[Tally, int], None]


def suite(module: str, name: str) -> Suite:
    """A suite by where it stands; imported when it is played."""

    def play(tally: Tally, count: int) -> None:
        getattr(importlib.import_module(f"tests.torture.{module}"), name)(tally, count)

    return play


SUITES: dict[str, tuple[Suite, int, int, str]] = {
    "chaos": (suite("chaos", "chaos"), 200, 10_000, "faults of the provider, and crashes, in virtual time (T1)"),
    "kill": (suite("kills", "kill_loop"), 12, 1000, "kills of real runs in SQLite files (T3)"),
    "kill-postgres": (suite("kills", "kill_loop_postgres"), 4, 200, "kills of real runs in a PostgreSQL database (T3)"),
    "sweep": (suite("sweeps", "sweep_loop"), 5, 500, "kills of real sweeps in SQLite files, resumed to the same table"),
    "sweep-postgres": (
        suite("sweeps", "sweep_loop_postgres"),
        3,
        200,
        "the same in PostgreSQL, and ends of all sessions",
    ),
    "sweep-ray": (
        suite("sweeps", "sweep_loop_ray"),
        2,
        50,
        "the same on a Ray cluster: its workers, its head, the sweep itself",
    ),
    "syscalls": (
        suite("syscalls", "syscalls"),
        2,
        10_000,
        "faults at the system calls of a small run; all, if N is large (T4)",
    ),
    "power": (suite("power", "power"), 60, 10_000, "losses of power at any moment of a run (T1)"),
    "compound": (suite("compound", "compound"), 6, 600, "runs through one fault upon another (T5)"),
    "machine": (suite("machine", "machine"), 6, 500, "steps of all kinds in any order; N: examples (T2)"),
    "tampering": (suite("tampering", "tampering"), 40, 5000, "changes to a finished log, each to be found (T2)"),
    "mutants": (suite("mutants", "mutants"), 3, 99, "bugs put in on purpose, each to be caught by a suite (T16)"),
    "histories": (suite("histories", "histories"), 1000, 100_000, "pairs of an honest and a forged history (T8)"),
    "canaries": (suite("canaries", "canaries"), 5, 10_000, "runs in which private words and keys are looked for (T9)"),
    "caps": (suite("caps", "caps"), 6, 1000, "runs on a budget whose provider counts tokens wrongly (T14)"),
}
"""By name: what it does; what N counts, in its short and in its long form; what it is."""


def main() -> int:
    """Run what the command line asks for; 0 if everything held, else 1."""
    listed = "\n".join(
        f"  {name:<14} {about}; N: {short} or {long}" for name, (_, short, long, about) in SUITES.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture",
        description="Faults, kills, crash points, forgeries and seeded bugs, each from a seed.",
        epilog=f"suites, what N counts, and N in the short and the long form:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "suites", nargs="+", choices=[*SUITES, "all"], metavar="SUITE", help="some of those below, or all"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="decides everything that is random (default: 1)"
    )
    parser.add_argument("--count", type=int, metavar="N", help="how much; default: the short form")
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--only", type=int, metavar="CASE", help="one case alone, as a failure names it")
    parser.add_argument(
        "--first", type=int, default=0, metavar="CASE", help="begin with this case, after a part that was played"
    )
    given = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)
    sound = True
    for name in SUITES if "all" in given.suites else given.suites:
        suite, short, long, _ = SUITES[name]
        tally = Tally(name, given.seed, given.only, given.first)
        suite(tally, given.count or (long if given.long else short))
        print(tally.table(), flush=True)
        for failure in tally.failures:
            print(failure)
        sound = sound and tally.sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
