"""A process that plays a run and can be looked at between any two of its commits: it stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from society.core.errors import SocietyError
from society.log import Log, open_log
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from tests.torture.virtual import DyingCommitter, Fate, VirtualLoop

Work = Callable[[Log, ModelPool], Awaitable[Any]]
"""What it does: `play`, `resume` or `fork`, with the log and the models it is given."""


class Process:
    """Its own event loop in virtual time, its own connections to the log, its own end.

    Attributes:
        at_once: calls in flight at most.
        problem: why it stopped, if it did not come to the end.
        died: it was killed before it could stop by itself.
    """

    def __init__(self, path: Path, work: Work, *, at_once: int, key: str, luck: random.Random) -> None:
        self.path, self.at_once, self.fate, self.loop = path, at_once, Fate(), VirtualLoop()
        self.problem: BaseException | None = None
        self._goal = 0
        self.fate.told = self._told
        DyingCommitter.next_fate = self.fate
        settings = ProviderSettings(
            _env_file=None,
            concurrency=at_once,
            api_key=key,
            max_body_bytes=2**20,
            max_tries=4,
        )
        self._log = open_log(path, secrets=settings.secrets)
        self._task = self.loop.create_task(self._work(work, settings, luck))
        self._task.add_done_callback(self._stop)
        self.closed = self.died = False

    async def _work(self, work: Work, settings: ProviderSettings, luck: random.Random) -> None:
        pool = ModelPool(settings, clock=self.loop, jitter=luck.random)
        try:
            await work(self._log, pool)
        finally:
            await pool.close()

    def _stop(self, _: object = None) -> None:
        self.loop.stop()

    def _told(self) -> None:
        if self.fate.commits >= self._goal:
            self.loop.stop()

    def go_on(self, commits: int = 10**9) -> None:
        """Until it has committed so many times more, or has ended."""
        self._goal = self.fate.commits + commits
        DyingCommitter.next_fate = self.fate
        if not self._task.done():
            self.loop.run_forever()
        if self._task.done():
            self._end()

    def interrupt(self) -> None:
        """As Ctrl-C does it: what is in flight is waited for, then it ends."""
        self._task.cancel()
        self.go_on()

    def die(self, commits: int, *, written: bool, alone: bool) -> None:
        """Die at a commit to come, with or without that commit on the disk, if it does not end before.

        Args:
            alone: nobody else has the file open, so that its side files can be left behind as a process leaves them that is no more.
        """
        self.fate.commit, self.fate.written = self.fate.commits + commits, written
        left: dict[Path, bytes] = {}

        def at_death() -> None:
            if self.fate.dead and not left:
                left.update({path: path.read_bytes() for path in self._files() if path.exists()})

        self.fate.told = at_death
        self.go_on()
        if self.fate.dead and alone and left:
            for path in self._files():
                path.unlink(missing_ok=True)
            for path, raw in left.items():
                path.write_bytes(raw)

    def _files(self) -> tuple[Path, ...]:
        return self.path, self.path.with_name(self.path.name + "-wal")

    def _end(self) -> None:
        """Its connections are closed, and whatever still waits in it is no more."""
        if self.closed:
            return
        self.closed = True
        self.died = self.fate.dead
        try:
            self._task.result()
        except (SocietyError, asyncio.CancelledError) as problem:
            self.problem = problem
        except Exception as problem:
            if not self.died:
                raise
            self.problem = problem
        finally:
            self._close()

    def abandon(self) -> None:
        """It is no more, wherever it stood."""
        if not self.closed:
            self.closed = True
            self._close()

    def _close(self) -> None:
        self.fate.dead = True  # whatever is left writes nothing more
        self.fate.told = lambda: None
        self._task.remove_done_callback(self._stop)
        self.loop.run_until_complete(_cancelled(asyncio.all_tasks(self.loop)))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self._log.close()


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def contents(folder: Path) -> dict[str, bytes]:
    """What a database and the file of its latest commits hold, byte for byte; a file without a byte is as good as none."""
    found = {path.name: path.read_bytes() for path in folder.glob("log.db*") if path.is_file()}
    return {name: raw for name, raw in found.items() if raw and not name.endswith("-shm")}


def copied(path: Path, to: Path) -> Path:
    """The database with its latest commits as another file."""
    to.mkdir(exist_ok=True)
    for old in to.glob("log.db*"):
        if old.is_file():
            old.unlink()
    for name in ("log.db", "log.db-wal"):
        if path.with_name(name).exists():
            shutil.copyfile(path.with_name(name), to / name)
    return to / "log.db"
