"""What a benchmark yields: named numbers with units, some with a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a number should keep."""

    bound: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


def at_most(bound: float) -> Target:
    return Target(bound)


def at_least(bound: float) -> Target:
    return Target(bound, at_least=True)


@dataclass(frozen=True, slots=True)
class Result:
    """One number.

    Attributes:
        name: what was measured; unit: in what.
        value: the median; None where it could not be measured, and `note` says why.
        samples: what each repetition gave.
    """

    name: str
    value: float | None
    unit: str
    target: Target | None = None
    note: str = ""
    samples: tuple[float, ...] = ()

    @property
    def met(self) -> bool | None:
        """Whether it keeps its target; None where it has none, or no value."""
        return None if self.target is None or self.value is None else self.target.met(self.value)

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "target": None if self.target is None else str(self.target), "met": self.met}


def middle(name: str, samples: Sequence[float], unit: str, target: Target | None = None, note: str = "") -> Result:
    """The median of several repetitions."""
    return Result(name, median(samples), unit, target, note, tuple(samples))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: the whole workload several times, or (short) just enough to see that it works.

    Attributes:
        repeats: how often each program is run.
        short: the small form, for tests.
        peers_python: interpreters that other packages are installed for; the first one that has a package counts.
    """

    repeats: int = 5
    short: bool = False
    peers_python: tuple[str, ...] = ()

    def of(self, whole: int, small: int) -> int:
        return small if self.short else whole


Run = Callable[[Size], Iterator[Result]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: its name, one line about it, and the function that yields its results."""

    name: str
    about: str
    run: Run


@dataclass(frozen=True, slots=True)
class Measured:
    """The results of one benchmark."""

    benchmark: Benchmark
    results: tuple[Result, ...] = field(default_factory=tuple)
