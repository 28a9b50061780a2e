"""Room that is kept on the disk for the answers in hand: when it is full after all, they are still written, and then nothing is sent."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

SIZE = 1 << 20
_NAME = "reserve-"
_FRESH = 0.02
"""Seconds that a look at the disk is good for: a commit takes about as long, and asking the system each time costs more than a call."""


class Reserve:
    """A file of `SIZE` bytes in the folder of a database's locks, one a process, from the first call that costs something on.

    Attributes:
        held: whether the room is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{_NAME}{os.getpid()}"
        self.held = False
        self._room, self._looked = 0, -math.inf

    def left(self) -> float:
        """Bytes left on the disk beside the reserve, as of the last `_FRESH` seconds."""
        now = time.monotonic()
        if now - self._looked > _FRESH:
            disk = os.statvfs(self._path.parent.parent)
            self._room, self._looked = disk.f_bavail * disk.f_frsize, now
        return self._room

    def hold(self) -> None:
        """Take the room; does nothing if it is held already.

        Raises:
            OSError: there is none.
        """
        if self.held:
            return
        self._path.parent.mkdir(exist_ok=True)
        self._forget_the_dead()
        try:
            self._path.write_bytes(os.urandom(SIZE))  # zeros would take no room where files are compressed
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        self.held = True

    def give(self) -> bool:
        """Let go of the room; whether there was any to give."""
        if not self.held:
            return False
        self.held = False
        self._path.unlink(missing_ok=True)
        return True

    def _forget_the_dead(self) -> None:
        """Take back what processes of this machine left that were killed."""
        for path in self._path.parent.glob(f"{_NAME}*"):
            pid = path.name.removeprefix(_NAME)
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)
            except (ValueError, OSError):
                continue


class NoReserve(Reserve):
    """For a database that is no file here."""

    def __init__(self) -> None:
        super().__init__(Path())

    def left(self) -> float:
        return math.inf

    def hold(self) -> None:
        self.held = True

    def give(self) -> bool:
        return False
