"""Who is told how far an episode is, while it is going. Nothing in an episode depends on it."""

from __future__ import annotations

from typing import Protocol

from society.core.exact import Number


class Watcher(Protocol):
    """Told at the start of every stage; must return at once."""

    def stage(self, round: int, rounds: int, stage: str, stock: Number | None) -> None:
        """`stage` of `round` begins; `stock` is the shared stock as it stands, where there is one."""
        ...


class Silent:
    """A watcher that does nothing."""

    def stage(self, round: int, rounds: int, stage: str, stock: Number | None) -> None:
        """Nothing to do."""
