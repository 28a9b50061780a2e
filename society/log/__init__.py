"""The log: one SQL database that holds everything, written by one thread, read by anybody, and able to prove itself.

    tables       what is stored, with a comment on every table and column
    views        the questions people ask, in SQL; `intent_outcome` first
    projection   from events to rows: a pure function
    writer       the sink of one run's events and the journal of its calls
    sessions     the processes that wrote a run, each with the budget it played under
    reader       runs, events, episodes, frames
    opened       opening a log; starting runs and going on with them
    replay       a run derived again from its own log, event by event
    layout       which layout a database has, and how an older one is brought up to date, with the steps in `migrations`
    copying      runs from one log into another, SQLite or PostgreSQL
    verify       the chain, the rows and the journal, checked against each other

Importing this package is cheap; SQL is imported when a log is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from society.log.frame import Frame as Frame
    from society.log.opened import Log as Log
    from society.log.opened import open_log as open_log
    from society.log.reader import RunInfo as RunInfo
    from society.log.verify import Fault as Fault
    from society.log.verify import Report as Report
    from society.log.writer import RunWriter as RunWriter

DEFAULT_LOG = "sqlite:///logs/society.db"
_HOMES = {
    "Fault": "verify",
    "Frame": "frame",
    "Log": "opened",
    "Report": "verify",
    "RunInfo": "reader",
    "RunWriter": "writer",
    "open_log": "opened",
}


def __getattr__(name: str) -> Any:  # Any: whatever is asked for
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
