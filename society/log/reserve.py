"""Room that is kept on the disk for the answers in hand: when it is full after all, they are still written, and then nothing is sent."""

from __future__ import annotations

import os
from pathlib import Path

SIZE = 1 << 20
_NAME = "reserve-"


class Reserve:
    """A file of `SIZE` bytes in the folder of a database's locks, one a process, from the first call that costs something on."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{_NAME}{os.getpid()}"
        self._held = False

    def hold(self) -> None:
        """Take the room; does nothing if it is held already.

        Raises:
            OSError: there is none.
        """
        if self._held:
            return
        self._path.parent.mkdir(exist_ok=True)
        self._forget_the_dead()
        try:
            self._path.write_bytes(os.urandom(SIZE))  # zeros would take no room where files are compressed
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        self._held = True

    def give(self) -> bool:
        """Let go of the room; whether there was any to give."""
        if not self._held:
            return False
        self._held = False
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

    def hold(self) -> None:
        return
