"""A sandbox for inter-agent alignment: from stated intent to realised outcome.

>>> import society
>>> scenario = society.load("fishery")
>>> scenario.names[0]
'Ann'

    load, loads            a scenario from a file or a text
    play, play_sync        play it; everything is logged
    resume                 go on with a run that was left
    fork                   a new run that shares the first rounds of another one
    open_log               a log of runs, to read
    analysis, mechanisms   the pieces, usable alone

Names are imported on first use, so that ``import society`` and ``society --help`` are quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from society.forking import fork as fork
    from society.log import open_log as open_log
    from society.playing import play as play
    from society.playing import play_sync as play_sync
    from society.playing import resume as resume
    from society.scenario.load import load as load
    from society.scenario.load import loads as loads

__version__ = "0.1.0"

_HOMES = {
    "fork": "society.forking",
    "load": "society.scenario.load",
    "loads": "society.scenario.load",
    "open_log": "society.log",
    "play": "society.playing",
    "play_sync": "society.playing",
    "resume": "society.playing",
}


def __getattr__(name: str) -> Any:  # Any: whatever is asked for
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'society' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
