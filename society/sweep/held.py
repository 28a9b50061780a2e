"""Which runs of a log are which runs of a sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from society.core.errors import SocietyError
from society.core.events import RunStarted, event_from_plain
from society.log import Log, RunInfo
from society.scenario.model import Scenario
from society.sweep.grid import Planned, digest_of, key_of

FINISHED = ("completed", "invalid")


def held_runs(log: Log, sweep: str, planned: Sequence[Planned]) -> dict[tuple[str, int], RunInfo]:
    """By `Planned.key`, the run of a log that counts as this one: a finished one before others, the earliest of these.

    A run was written with the digest of what the version of its day played. Where that says nothing to this version, since
    scenarios have gained fields, its scenario is read with what these fields are by default, and it counts if that is wanted.
    """
    wanted = {point: _bare(point) for point in {one.key[0] for one in planned}}
    known: dict[str | None, str] = {}
    held: dict[tuple[str, int], RunInfo] = {}
    for run in log.runs(sweep=sweep):
        if run.cell not in known:
            known[run.cell] = _point_now(log, run, wanted)
        key = (known[run.cell], run.seed)
        if key not in held or held[key].status not in FINISHED:
            held[key] = run
    return held


def _point_now(log: Log, run: RunInfo, wanted: Mapping[str, str]) -> str:
    point = key_of(run.cell, run.seed)[0]
    if point in wanted or run.cell is None or _bare(point) not in wanted.values():
        return point
    try:
        rows = log.sql("SELECT body FROM event WHERE run_id = :run AND seq = 0", {"run": run.id}).rows()
        started = event_from_plain(json.loads(rows[0]["body"]))
        assert isinstance(started, RunStarted), "a chain begins with its manifest"
        played = digest_of(Scenario.model_validate(started.scenario))
    except (ValidationError, SocietyError):  # nothing this version could play
        return point
    return json.dumps({**json.loads(run.cell), "scenario": played}, sort_keys=True)


def _bare(point: str) -> str:
    """A point without the digest of what was played."""
    return json.dumps({name: value for name, value in json.loads(point).items() if name != "scenario"}, sort_keys=True)
