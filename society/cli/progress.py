"""What a person at a terminal sees while runs are going; in a pipe, nothing.

One line a run: round, stage, calls in flight, tokens, cost so far, stock. At most twenty lines; the rest is counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from society.core.exact import Number, show
from society.models.counters import Counters
from society.views.terminal import safe

if TYPE_CHECKING:
    from rich.table import Table

MAX_LINES = 20
REFRESH_PER_SECOND = 8


@dataclass(slots=True)
class Going:
    """One run as it goes: a watcher of its stages and the counters of its calls."""

    title: str
    rounds: int
    counters: Counters = field(default_factory=Counters)
    round_: int = 0
    stage_: str = "begins"
    stock: Number | None = None
    started: float = 0.0
    ended: bool = False

    def stage(self, round: int, rounds: int, stage: str, stock: Number | None) -> None:
        """Told by the orchestrator at the start of every stage."""
        self.round_, self.rounds, self.stage_, self.stock = round, rounds, stage, stock
        self.started = self.started or time.monotonic()

    def cells(self) -> tuple[str, ...]:
        """The line of this run."""
        c = self.counters
        tokens = c.tokens_in + c.tokens_out
        waiting = f" + {c.waiting} waiting" if c.waiting else ""
        return (
            safe(self.title),
            f"round {self.round_}/{self.rounds}",
            self.stage_,
            f"{c.in_flight} calls{waiting}",
            f"{tokens:,} tokens",
            spent(c),
            "" if self.stock is None else f"stock {show(self.stock)}",
        )


def spent(c: Counters) -> str:
    """What calls have cost so far, in words."""
    if not c.done:
        return ""
    return f"{'at least ' if c.unpriced else ''}${c.usd:.4f}" if c.usd or c.unpriced else "free"


class Drawn(Protocol):
    """What can be drawn again and again."""

    def table(self) -> Table:
        """What is drawn now."""
        ...


class Board:
    """All runs that are going."""

    def __init__(self) -> None:
        self.all: list[Going] = []

    def begin(self, title: str, rounds: int) -> Going:
        """One more run is going."""
        going = Going(title, rounds)
        self.all.append(going)
        return going

    def table(self) -> Table:
        """What is drawn now."""
        from rich.table import Table
        from rich.text import Text

        active = [going for going in self.all if not going.ended]
        table = Table.grid(padding=(0, 2))
        for going in active[:MAX_LINES]:
            table.add_row(*(Text(cell) for cell in going.cells()))
        if len(active) > MAX_LINES:
            table.add_row(Text(f"+ {len(active) - MAX_LINES} more"))
        done = len(self.all) - len(active)
        if len(self.all) > 1:
            table.add_row(Text(f"{done} of {len(self.all)} begun runs are done"))
        return table


@contextmanager
def shown(board: Drawn, *, quiet: bool) -> Iterator[None]:
    """Draw the board on stderr while the block runs, if somebody is there to see it."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(
        get_renderable=board.table,
        console=console,
        refresh_per_second=REFRESH_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield
