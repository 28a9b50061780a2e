"""What a disk may hold after a loss of power: everything that was synced, and of the rest whatever it likes.

A file is what it was when it was last synced, and the writes since. When the power fails, any of those may have reached the disk, sector
by sector and in any order; where the file has grown, sectors that were never written hold zeros, or whatever was there before. Names come
and go in their order, and are certain once their folder was synced.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field

SECTOR = 512


@dataclass(frozen=True)
class Write:
    """Bytes at a place of a file; `data` None: the file ends there from now on."""

    at: int
    data: bytes | None

    def sectors(self) -> list[Write]:
        """The parts of it that reach the disk together."""
        if self.data is None:
            return [self]
        cuts = [self.at, *range((self.at // SECTOR + 1) * SECTOR, self.at + len(self.data), SECTOR)]
        ends = [*cuts[1:], self.at + len(self.data)]
        return [Write(a, self.data[a - self.at : b - self.at]) for a, b in zip(cuts, ends, strict=True)]


@dataclass
class File:
    """One file: what is certain, and what is not."""

    certain: bytes = b""
    since: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        self.certain, self.since = done(self.certain, self.since), []


def done(raw: bytes, writes: list[Write], filler: Callable[[int], bytes] = bytes) -> bytes:
    """A file after these writes. `filler` makes the bytes of a gap that nobody has written."""
    held = bytearray(raw)
    for write in writes:
        if write.data is None:
            del held[write.at :]
        if len(held) < write.at:
            held += filler(write.at - len(held))
        if write.data is not None:
            held[write.at : write.at + len(write.data)] = write.data
    return bytes(held)


class Disk:
    """One folder of a disk."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.certain = {name: File(raw) for name, raw in files.items()}
        self.now = dict(self.certain)
        self.since: list[dict[str, File]] = []
        """The folder after each change of its names since it was last synced."""

    def __contains__(self, name: str) -> bool:
        return name in self.now

    def create(self, name: str) -> None:
        self.now = {**self.now, name: File()}
        self.since.append(self.now)

    def unlink(self, name: str) -> None:
        self.now = {known: file for known, file in self.now.items() if known != name}
        self.since.append(self.now)

    def write(self, name: str, write: Write) -> None:
        self.now[name].since.append(write)

    def sync(self, name: str) -> None:
        self.now[name].sync()

    def sync_names(self) -> None:
        self.certain, self.since = self.now, []

    def copy(self) -> Disk:
        return copy.deepcopy(self)

    def after_a_loss(self, how: str, luck: random.Random) -> dict[str, bytes]:
        """What the disk holds when it has power again."""
        folders = [self.certain, *self.since]
        whole = {"nothing more": 0, "everything": len(folders) - 1}
        names = folders[whole.get(how, luck.randrange(len(folders)))]
        return {name: _after(file, how, luck) for name, file in names.items()}


def _after(file: File, how: str, luck: random.Random) -> bytes:
    filler = luck.choice((bytes, luck.randbytes))
    return done(file.certain, LOSSES[how](file.since, luck), filler)


def _beginning(since: list[Write], luck: random.Random) -> list[Write]:
    """What came first, up to some sector."""
    parts = [part for write in since for part in write.sectors()]
    return parts[: luck.randint(0, len(parts))]


def _some(since: list[Write], luck: random.Random) -> list[Write]:
    """Each sector for itself: it came through, or it did not."""
    share = luck.random()
    return [part for write in since for part in write.sectors() if luck.random() < share]


def _end(since: list[Write], luck: random.Random) -> list[Write]:
    """What came last has overtaken what came first."""
    parts = [part for write in since for part in write.sectors()]
    return parts[luck.randint(0, len(parts)) :]


LOSSES: dict[str, Callable[[list[Write], random.Random], list[Write]]] = {
    "nothing more": lambda since, luck: [],
    "everything": lambda since, luck: since,
    "a beginning": _beginning,
    "some sectors": _some,
    "the end without the beginning": _end,
}
"""By name: which of the writes since the last sync came through."""
