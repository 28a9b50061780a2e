"""The sessions of a run: the processes that wrote it, one after the other, each with the budget it played under.

A session begins in the commit that begins the run or takes it up, and ends in the one that says how the run stopped. A process that was
killed said nothing of its end, and nobody says it later.
"""

from __future__ import annotations

import os
import socket
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, text

from society import __version__
from society.core.events import Forked, RunStarted
from society.log.projection import SqlRow
from society.log.run_id import utc_now
from society.log.tables import Session, columns_of
from society.log.text import storable_text
from society.scenario.model import Budget


@dataclass(frozen=True)
class OpenSession:
    """The session of this process in a run.

    Attributes:
        budget: what the run may use in all while this session plays it.
        ordinal: how many sessions were before.
        started: when it began, in UTC.
    """

    run_id: str
    budget: Budget
    ordinal: int = 0
    started: str = field(default_factory=utc_now)
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has gone on, by a clock that never jumps."""
        return time.monotonic() - self._began

    def row(self) -> SqlRow:
        """Its row as it begins."""
        budget = self.budget
        bounds = (_real(budget.usd), budget.tokens, _real(budget.minutes))
        end = (None, None, None, None)
        return (self.run_id, self.ordinal, self.started, *end, *bounds, __version__, socket.gethostname(), os.getpid())

    def end(self, connection: Connection, at: str, status: str, reason: str) -> None:
        """Write down how it ended."""
        values = {"run": self.run_id, "ordinal": self.ordinal, "at": at, "seconds": round(self.seconds, 3)}
        connection.execute(_END, values | {"status": status, "reason": storable_text(reason)})


def budget_in(setting: RunStarted | Forked) -> Budget:
    """The budget that a scenario brings along."""
    scenario = setting.scenario if isinstance(setting.scenario, dict) else {}
    return Budget.model_validate(scenario.get("budget") or {})


def sessions_of(connection: Connection, run_id: str) -> list[Any]:  # Any: rows of the table session
    """The sessions of a run, in order."""
    return list(connection.execute(_SESSIONS, {"run": run_id}))


def whose(sessions: Sequence[Any], moment: str) -> int:  # Any: as above
    """The place among the sessions of the one that a moment belongs to; -1: it was before the first."""
    starts = list(accumulate((session.started for session in sessions), max))
    return bisect_right(starts, moment) - 1


def _real(amount: Any) -> float | None:  # Any: an exact number
    return None if amount is None else float(amount)


_SESSIONS = text(f"SELECT {', '.join(columns_of(Session))} FROM session WHERE run_id = :run ORDER BY ordinal")
_END = text(
    "UPDATE session SET ended = :at, seconds = :seconds, status = :status, reason = :reason"
    " WHERE run_id = :run AND ordinal = :ordinal"
)
