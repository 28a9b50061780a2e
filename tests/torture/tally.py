"""What a suite counted, what it found, and how to see it again."""

from __future__ import annotations

import contextlib
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field

ZEROES = (
    "uncaught tracebacks",
    "silent actions",
    "invariant violations",
    "answers lost",
    "answers asked again",
    "secrets leaked",
    "other failures",
)
"""What every suite must end with none of; all that a failure is counted as."""


@dataclass
class Tally:
    """The counts of one suite, and its failures.

    Attributes:
        only: the one case to play, or None for all.
        first: where to begin, if not with case 0.
        enough: after so many failures a suite ends.
        quick: the command is run by the test suite: nothing is printed on the way.
    """

    suite: str
    seed: int
    only: int | None = None
    first: int = 0
    quick: bool = False
    enough: int = 5
    counts: dict[str, int] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def add(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def peak(self, what: str, number: int) -> None:
        self.peaks[what] = max(self.peaks.get(what, 0), number)

    def fail(self, case: int, kind: str, words: str) -> None:
        """Note a failure of one case, with the command that plays just this case again."""
        assert kind in ZEROES, kind
        self.add(kind)
        command = f"python -m tests.torture {self.suite} --seed {self.seed} --only {case}"
        self.failures.append(f"{kind}: {words}\n    to see it again: {command}")
        if not self.quick:
            print(f"{self.suite}: {kind}: {words[-200:]}", file=sys.stderr, flush=True)

    def check(self, case: int, kind: str, holds: bool, words: str) -> bool:
        if not holds:
            self.fail(case, kind, words)
        return holds

    @contextlib.contextmanager
    def case(self, number: int, *, seconds: float = 300.0) -> Iterator[random.Random]:
        """One case: its own source of luck. What it raises is a failure of the suite, and so is a case that hangs."""

        def hangs(*_: object) -> None:
            raise TimeoutError(f"the case hangs for {seconds:g} s")

        before = signal.signal(signal.SIGALRM, hangs)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield self.luck(number)
        except Exception as problem:
            last = traceback.format_exc().strip() if not self.quick else repr(problem)
            self.fail(number, "uncaught tracebacks", last)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def luck(self, case: int) -> random.Random:
        return random.Random(f"{self.suite} {self.seed} {case}")

    def cases(self, most: int = 10**9) -> Iterator[int]:
        """The numbers of the cases to play: just the one asked for, or one after the other."""
        yield from (range(self.first, most) if self.only is None else (self.only,))

    def progress(self, words: str) -> None:
        if not self.quick:
            print(f"{self.suite}: {words}", file=sys.stderr, flush=True)

    @property
    def given_up(self) -> bool:
        """Enough was found wrong; to go on would tell nothing more."""
        return len(self.failures) >= self.enough

    @property
    def sound(self) -> bool:
        return not self.failures

    def table(self) -> str:
        """The counts, one a line, failures last."""
        rows = [(what, str(number)) for what, number in self.counts.items() if what not in ZEROES]
        rows += [(f"{what}, at most", str(number)) for what, number in self.peaks.items()]
        rows += [(what, str(self.counts.get(what, 0))) for what in ZEROES]
        rows.append(("seconds", f"{time.monotonic() - self.started:.0f}"))
        width = max(len(what) for what, _ in rows)
        verdict = "as promised" if self.sound else f"{len(self.failures)} FAILED"
        return "\n".join([f"{self.suite} (seed {self.seed}): {verdict}", *(f"  {w:<{width}}  {n:>9}" for w, n in rows)])
