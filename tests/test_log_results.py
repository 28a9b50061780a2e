"""What is computed of a run stands in the log from the moment on in which the run has ended, whatever dies when."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from unittest import mock

from society.log import Log, open_log
from society.playing import play, resume
from society.scenario.model import Scenario
from tests.torture.virtual import Died, DyingCommitter, Fate

LAKE = Scenario.model_validate(
    {
        "name": "lake",
        "rounds": 2,
        "mechanism": {"kind": "common_pool", "capacity": 100},
        "agents": [{"name": "Ann", "persona": "The password is open-sesame."}, {"name": "Ben"}],
        "models": {"default": {"name": "mock:random"}},
    }
)


def left_behind(file: Path, fate: Fate, *, secrets: tuple[str, ...] = ()) -> None:
    """Play, in a process that may die."""
    DyingCommitter.next_fate = fate
    in_place = mock.patch("society.log.opened.Committer", DyingCommitter)
    with in_place, open_log(file, secrets=secrets) as log, contextlib.suppress(Died):
        asyncio.run(play(LAKE, seed=1, log=log))


def metrics(log: Log) -> list[tuple[object, ...]]:
    return sorted(tuple(row.values())[1:] for row in log.sql("SELECT * FROM metric").rows())


def test_a_process_that_dies_at_any_commit_leaves_no_finished_run_without_its_metrics(tmp_path: Path) -> None:
    whole = Fate()
    left_behind(tmp_path / "whole.db", whole)
    with open_log(tmp_path / "whole.db") as log:
        wanted = metrics(log)
    assert wanted and whole.commits >= 3
    ended = 0
    for commit in range(1, whole.commits + 1):
        for written in (False, True):
            file = tmp_path / f"{commit}{written}.db"
            left_behind(file, Fate(commit, written))
            with open_log(file) as log:
                log.prepare()
                runs = log.runs()
                assert (bool(runs) and runs[0].status == "completed") == bool(metrics(log))
                ended += bool(metrics(log))
                if runs and runs[0].status != "completed":
                    asyncio.run(resume(runs[0].id, log=log))
                assert not runs or (metrics(log), log.verify().faults) == (wanted, ())
    assert ended == 1  # the last commit, where it came to the disk


def test_metrics_are_those_of_what_is_stored_where_secrets_are_taken_out(tmp_path: Path) -> None:
    for name, secrets in (("plain.db", ()), ("hiding.db", ("open-sesame",))):
        left_behind(tmp_path / name, Fate(), secrets=secrets)
    with open_log(tmp_path / "plain.db") as plain, open_log(tmp_path / "hiding.db") as hiding:
        assert metrics(plain) == metrics(hiding) and plain.runs()[0].head != hiding.runs()[0].head
