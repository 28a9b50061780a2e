"""A disk that gets full while answers are in flight: they are still written, then the run pauses, and nothing is lost."""

from __future__ import annotations

import os
import subprocess

import pytest
from handmade_run import events, first_round, manifest, question, reply

from society.core.calls import Position
from society.core.errors import Paused
from society.log import open_log
from society.log.reserve import SIZE, Reserve


@pytest.fixture
def small_disk(tmp_path):
    """Four megabytes of their own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("only root may make a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(path):
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as other, pytest.raises(OSError, match="No space"):
        while True:
            other.write(bytes(4096))


async def test_answers_in_hand_are_written_to_a_full_disk_and_the_next_call_is_not_sent(small_disk):
    with open_log(small_disk / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        await writer.stage((manifest("openai:large"),))
        asked = [question(Position(1, "act", 0, agent)) for agent in range(3)]
        issues = [await writer.issue(one, reserved_usd=1) for one in asked]
        fill(small_disk / "somebody else")
        for one, issue in zip(asked, issues, strict=True):
            await writer.answered(one, issue, reply("x" * 100_000))
        with pytest.raises(Paused, match="full"):
            await writer.issue(question(Position(2, "act", 0, 0)), reserved_usd=1)
        await writer.finish("paused", "the disk is full")
    with open_log(small_disk / "s.db") as log:
        assert [call.status for call in log.calls()] == ["answered"] * 3
        (small_disk / "somebody else").unlink()
        again = log.resume_run("last")
        assert all(again.recall(one) is not None for one in asked)
        await again.stage(tuple(events("openai:large")))
        await again.finish("completed")
        assert log.verify().sound and log.find("last").status == "completed"
    assert not list(small_disk.glob("*.locks/*"))


def test_room_is_kept_once_and_given_once(tmp_path):
    reserve = Reserve(tmp_path / "s.db.locks")
    assert not reserve.give()
    reserve.hold()
    reserve.hold()
    (kept,) = (tmp_path / "s.db.locks").iterdir()
    assert kept.stat().st_size == SIZE
    assert reserve.give() and not reserve.give() and not kept.exists()


def test_what_a_killed_process_kept_is_taken_back(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f"reserve-{gone.pid}").write_bytes(b"x")
    (tmp_path / f"reserve-{os.getppid()}").write_bytes(b"x")
    Reserve(tmp_path).hold()
    assert {path.name for path in tmp_path.iterdir()} == {f"reserve-{os.getpid()}", f"reserve-{os.getppid()}"}


async def test_free_runs_keep_no_room(tmp_path):
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest())
        await writer.stage((manifest(), *first_round()))
        await writer.finish("interrupted")
        assert not list(tmp_path.glob("*.locks/reserve-*"))
