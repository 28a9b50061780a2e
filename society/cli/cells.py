"""What a person at a terminal sees while a sweep is going: a line a cell, and one for the whole."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from society.cli.progress import MAX_LINES, Going, spent
from society.models.counters import Counters
from society.sweep.engine import Left, Tally
from society.sweep.grid import Planned
from society.views.terminal import safe

if TYPE_CHECKING:
    from rich.table import Table


@dataclass
class CellLine:
    """One cell: how many of its runs are wanted and done, and what they use; runs that ended are added up and let go."""

    title: str
    wanted: int
    done: int = 0
    going: list[Going] = field(default_factory=list)
    used: Counters = field(default_factory=Counters)

    def settle(self) -> None:
        """Add up the runs that have ended."""
        ended = [one for one in self.going if one.ended]
        for one in ended:
            self.used.merge(one.counters)
        self.going = [one for one in self.going if not one.ended]

    def now(self) -> Counters:
        """What its runs have used so far."""
        total = Counters()
        for counters in (self.used, *(one.counters for one in list(self.going))):
            total.merge(counters)
        return total


class CellBoard:
    """The cells of a sweep as they fill.

    Args:
        planned: all runs that are wanted.
        left: those of them that the log lacks.
        where: who plays, for the last line.
    """

    def __init__(self, planned: Sequence[Planned], left: Sequence[Left], where: str = "") -> None:
        self._where, self._began = where, time.monotonic()
        wanted = Counter(one.cell.title for one in planned)
        missing = Counter(one.planned.cell.title for one in left)
        self._lines = {title: CellLine(title, count, count - missing[title]) for title, count in wanted.items()}
        self._stood = {title: line.done for title, line in self._lines.items()}

    def begin(self, one: Planned) -> Going:
        """A run of a cell begins; whoever plays it tells the rest."""
        going, line = Going(f"seed {one.seed}", one.cell.scenario.rounds), self._lines[one.cell.title]
        line.settle()
        line.going.append(going)
        return going

    def told(self, tally: Tally) -> None:
        """How many runs of each cell are done."""
        for title, done in tally.done.items():
            self._lines[title].done = self._stood[title] + done

    def table(self) -> Table:
        """What is drawn now: cells that are being played, before those that are not begun; finished ones are counted."""
        from rich.table import Table
        from rich.text import Text

        lines = list(self._lines.values())
        open_ = sorted((line for line in lines if line.done < line.wanted), key=lambda line: not line.going)
        table = Table.grid(padding=(0, 2))
        for line in open_[:MAX_LINES]:
            table.add_row(*(Text(cell) for cell in _cells(line)))
        if len(open_) > MAX_LINES:
            table.add_row(Text(f"+ {len(open_) - MAX_LINES} more cells"))
        table.add_row(*(Text(cell) for cell in self._whole(lines)))
        return table

    def _whole(self, lines: Sequence[CellLine]) -> tuple[str, ...]:
        done, wanted = sum(line.done for line in lines), sum(line.wanted for line in lines)
        played = done - sum(self._stood.values())
        total = Counters()
        for line in lines:
            total.merge(line.now())
        seconds = time.monotonic() - self._began
        left = f", about {_span(seconds / played * (wanted - done))} left" if played and wanted > done else ""
        ready = sum(line.done >= line.wanted for line in lines)
        head = f"{ready} of {len(lines)} cells{self._where and ' ' + self._where}"
        return (head, f"{done}/{wanted} runs", *_use(total), f"{_span(seconds)}{left}")


def _cells(line: CellLine) -> tuple[str, ...]:
    rounds = [f"{one.round_}/{one.rounds}" for one in list(line.going)[:1]]
    at = f"{len(line.going)} going, first in round {rounds[0]}" if rounds else ""
    return (safe(line.title), f"{line.done}/{line.wanted} runs", *_use(line.now()), at)


def _use(c: Counters) -> tuple[str, str, str]:
    waiting = f" + {c.waiting} waiting" if c.waiting else ""
    calls = f"{c.in_flight} calls{waiting}" if c.in_flight or c.waiting else ""
    return calls, f"{c.tokens_in + c.tokens_out:,} tokens" if c.done else "", spent(c)


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
