"""Playing what a log lacks of a sweep: many runs at a time, each kept nowhere but in the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from society.core.errors import Paused, ProviderRefused, SocietyError
from society.models.counters import Counters
from society.models.pool import ModelPool
from society.orchestrator import Watcher
from society.playing import play, resume
from society.sweep.grid import Planned
from society.sweep.held import FINISHED, held_runs

if TYPE_CHECKING:
    from society.log import Log


class Seen(Watcher, Protocol):
    """One run as somebody watches it: its stages, its calls, and whether it has ended."""

    counters: Counters
    ended: bool


Watch = Callable[[Planned], Seen]


@dataclass
class Tally:
    """How far a sweep is.

    Attributes:
        wanted: runs it wants; stood: those the log held already, finished.
        played: runs that were played now; resumed: how many of these were gone on with.
        done: how many of these were finished in each cell, by its title.
        failures: what stopped a run, by its title; those runs are gone on with the next time.
        over: nothing more can be played now: the purse of the sweep or the disk is at its end, or a provider refuses for good.
        code: exit code: 0 all there, 1 some failed, 4 paused, 5 the provider refuses.
    """

    wanted: int = 0
    stood: int = 0
    played: int = 0
    resumed: int = 0
    done: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    over: bool = False
    code: int = 0

    @property
    def missing(self) -> int:
        """Runs that are still wanted."""
        return self.wanted - self.stood - self.played

    def failed(self, one: Planned, problem: SocietyError) -> None:
        """One run was stopped."""
        self.failures[f"{one.cell.title}, seed {one.seed}"] = str(problem)
        budget = one.scenario.budget  # a run that pauses at its own stops nobody else
        bounded = any(limit is not None for limit in (budget.usd, budget.tokens, budget.minutes))
        self.over |= isinstance(problem, ProviderRefused) or (isinstance(problem, Paused) and not bounded)
        self.code = max(self.code, problem.exit_code if isinstance(problem, (Paused, ProviderRefused)) else 1)

    def finished(self, one: Planned) -> None:
        """One run was played to its end."""
        self.played += 1
        self.done[one.cell.title] += 1

    def add(self, other: Tally) -> None:
        """What somebody else played of the same sweep."""
        self.played += other.played
        self.resumed += other.resumed
        self.done += other.done
        self.failures.update(other.failures)
        self.over |= other.over
        self.code = max(self.code, other.code)


@dataclass(frozen=True)
class Left:
    """A run that is still to be played: anew, or gone on with."""

    planned: Planned
    run: str | None = None


def still_to_play(log: Log, sweep: str, planned: Sequence[Planned]) -> tuple[list[Left], int]:
    """Which runs of a sweep a log lacks, and how many it has. A run somebody is writing now counts as there."""
    held = held_runs(log, sweep, planned)
    left: list[Left] = []
    for one in planned:
        run = held.get(one.key)
        if run is None or run.status not in (*FINISHED, "running"):
            left.append(Left(one, None if run is None else run.id))
    return left, len(planned) - len(left)


async def play_one(left: Left, log: Log, sweep: str, *, pool: ModelPool, command: str = "") -> Tally:
    """Play one run of a sweep, or go on with it; what stopped it is in the tally."""
    playing = _Playing(log, sweep, pool, None, command)
    await playing.one(left)
    return playing.tally


async def play_all(
    left: Sequence[Left],
    log: Log,
    sweep: str,
    *,
    pool: ModelPool,
    parallel: int,
    watch: Watch | None = None,
    told: Callable[[Tally], None] | None = None,
    command: str = "",
) -> Tally:
    """Play runs, at most `parallel` at a time; the first to begin are the first in the list.

    A run that fails stops nobody else. A spent budget or a provider that refuses for good stops those that have not begun.
    """
    playing, waiting = _Playing(log, sweep, pool, watch, command), iter(left)

    async def worker() -> None:
        for one in waiting:  # shared: each worker takes the next
            if playing.tally.over:
                return
            await playing.one(one)
            if told is not None:
                told(playing.tally)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(parallel, len(left))):
            group.create_task(worker())
    return playing.tally


@dataclass
class _Playing:
    log: Log
    sweep: str
    pool: ModelPool
    watch: Watch | None
    command: str
    tally: Tally = field(default_factory=Tally)

    async def one(self, left: Left) -> None:
        """Play one run, or go on with it."""
        planned = left.planned
        seen = self.watch(planned) if self.watch is not None else None
        counters = seen.counters if seen is not None else None
        try:
            if left.run is not None:
                await resume(left.run, log=self.log, pool=self.pool, watcher=seen, counters=counters)
                self.tally.resumed += 1
            else:
                await play(
                    planned.scenario,
                    seed=planned.seed,
                    log=self.log,
                    pool=self.pool,
                    watcher=seen,
                    counters=counters,
                    command=self.command,
                    sweep=self.sweep,
                    cell=planned.point,
                )
            self.tally.finished(planned)
        except SocietyError as problem:
            self.tally.failed(planned, problem)
        finally:
            if seen is not None:
                seen.ended = True
