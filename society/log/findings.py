"""What a verification finds: faults that name their row, and how much was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from society.core.errors import LogCorrupt, SocietyError


class Fault(NamedTuple):
    """Something that is not as it must be: in which run (empty: the log as a whole), table and row, and what."""

    run: str
    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.run or 'log'}: {self.table} {self.row}: {self.what}".replace("  ", " ")


@dataclass(frozen=True)
class Report:
    """What verification found.

    Attributes:
        runs: the runs that were checked.
        events: how many events they have.
        calls: how many rows their journals have.
        faults: what is wrong, the first bad row first; empty if all is well.
        checked: by invariant (``I9``), how many rows it was asked of: events, calls, rounds, prompts, values.
    """

    runs: tuple[str, ...]
    events: int
    calls: int
    faults: tuple[Fault, ...]
    checked: Mapping[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        return not self.faults

    def require(self) -> None:
        """Go on only if all is well.

        Raises:
            LogCorrupt: naming the first bad row.
        """
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            raise LogCorrupt(f"the log does not verify: {self.faults[0]}{more}")


@dataclass(slots=True)
class Findings:
    """Collects faults and counts while a log is looked at.

    Attributes:
        run: the run that is looked at; empty for the log as a whole.
    """

    run: str = ""
    faults: list[Fault] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)

    def fault(self, table: str, row: str, what: str) -> None:
        self.faults.append(Fault(self.run, table, row, what))

    def all(self, found: Iterable[tuple[str, str, str]]) -> None:
        """Faults as (table, row, what)."""
        for one in found:
            self.fault(*one)

    def count(self, invariant: str, rows: int = 1) -> None:
        self.checked[invariant] += rows

    @contextmanager
    def about(self, what: str) -> Iterator[None]:
        """Within, values that make no sense where they stand are a fault, and what is within ends there."""
        try:
            yield
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            LookupError,
            ArithmeticError,
            RecursionError,
        ) as problem:
            if isinstance(problem, SocietyError):
                raise
            self.fault(what, "", f"it cannot be checked: {type(problem).__name__}: {ascii(str(problem))[:200]}")
