"""The row of a run as it begins."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from society.core.events import Event, Forked, RunStarted, Settled
from society.log.run_id import utc_now
from society.log.schema import SCHEMA_VERSION


def title_of(setting: RunStarted | Forked) -> str:
    """The name of the scenario that is played."""
    scenario = setting.scenario if isinstance(setting.scenario, dict) else {}
    return str(scenario.get("name") or "run")


def run_row(
    ids: tuple[str, str],
    setting: RunStarted | Forked,
    earlier: Sequence[Event],
    calls: int,
    columns: Mapping[str, Any],  # Any: SQL values
) -> dict[str, Any]:  # Any: SQL values
    """The columns of a run that is about to be played.

    Args:
        ids: its id, and the readable part of it.
        setting: what is played; the manifest, or the fork.
        earlier: events after the manifest that are there from the start, of a fork.
        calls: answers that are there from the start.
        columns: further columns, such as the sweep it belongs to.
    """
    scenario = setting.scenario if isinstance(setting.scenario, dict) else {}
    return {
        "id": ids[0],
        "name": ids[1],
        "scenario": title_of(setting),
        "seed": setting.seed,
        "models": ",".join(dict.fromkeys(setting.models)),
        "status": "running",
        "reason": "",
        "rounds_planned": scenario.get("rounds") or 0,
        "rounds_played": sum(isinstance(event, Settled) for event in earlier),
        "started": utc_now(),
        "calls": calls,
        "calls_unpriced": 0,
        "events": 1 + len(earlier),
        "head": "",
        "version": setting.version,
        "schema_version": SCHEMA_VERSION,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        **columns,
    }
