"""What pages are made of: read from a log, and kept as long as the run has not grown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

from society.core.errors import BadInput
from society.episode import Episode
from society.log import Log, RunInfo

T = TypeVar("T")
MOST_KEPT = 30


class Shelf:
    """A log that is looked at; what takes long is worked out once for each state of a run.

    Attributes:
        log: the log, which is only read.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        self._kept: OrderedDict[tuple[str, str, str], Any] = OrderedDict()  # Any: of several types, by what it is
        self._working: dict[tuple[str, str, str], Lock] = {}
        self._lock = Lock()

    def info(self, run_id: str) -> RunInfo:
        """The row of the run with exactly this id.

        Raises:
            BadInput: there is none.
        """
        if not self.log.sql("SELECT id FROM run WHERE id = :run", {"run": run_id}).values:
            raise BadInput(f"there is no run {run_id[:80]!r} in this log")
        info = self.log.run(run_id)
        return self._so_far(info) if info.status in ("running", "interrupted") else info

    def _so_far(self, info: RunInfo) -> RunInfo:
        """The row with what has happened since it was last written: a writer completes it when it stops."""
        one = {"run": info.id}
        events = self.log.sql("SELECT COUNT(*) FROM event WHERE run_id = :run", one).values[0][0]
        rounds = self.log.sql("SELECT COUNT(*) FROM outcome WHERE run_id = :run", one).values[0][0]
        calls, tokens_in, tokens_out, usd = self.log.sql(
            "SELECT COUNT(*), SUM(tokens_in), SUM(tokens_out), SUM(usd) FROM model_call"
            " WHERE run_id = :run AND status = 'answered'",
            one,
        ).values[0]
        return replace(
            info, events=events, rounds_played=rounds, calls=calls, tokens_in=tokens_in, tokens_out=tokens_out, usd=usd
        )

    def episode(self, info: RunInfo) -> Episode:
        """What was played so far.

        Raises:
            LogCorrupt: the events do not make an episode.
        """
        return self.once("episode", info, lambda: self.log.episode(info.id))

    def kept(self, what: str, info: RunInfo) -> Any:  # Any: as it was put there
        """What was worked out before for this state of the run; None if nothing was."""
        with self._lock:
            return self._kept.get((what, info.id, f"{info.events} {info.status}"))

    def once(self, what: str, info: RunInfo, work: Callable[[], T]) -> T:
        """The result of `work`, which is done once for each state of a run, by one reader at a time."""
        key = (what, info.id, f"{info.events} {info.status}")
        with self._lock:
            own = self._working.setdefault(key, Lock())
        try:
            with own:
                with self._lock:
                    if key in self._kept:
                        self._kept.move_to_end(key)
                        found: T = self._kept[key]
                        return found
                made = work()
                with self._lock:
                    self._kept[key] = made
                    while len(self._kept) > MOST_KEPT:
                        self._kept.popitem(last=False)
                return made
        finally:
            with self._lock:
                self._working.pop(key, None)
