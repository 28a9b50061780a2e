"""What can be wrong with a file, a disk or a process, and what is said and kept then."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from handmade_run import events, first_round, manifest, play, question, reply
from log_children import write_for_ever, write_runs

from society.core.calls import Position
from society.core.errors import LogUnusable, MissingExtra, Paused
from society.core.events import Settled
from society.log import open_log
from society.log.database import place_of, refusal

CHILDREN = multiprocessing.get_context("forkserver")
"""One server imports everything once; each child is a fork of it, and a process of its own that can be killed."""


@pytest.fixture(autouse=True)
def _children_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), str(Path(__file__).parent)]))
    CHILDREN.set_forkserver_preload(["log_children", "society.log.opened", "society.log.writer"])


def killed_runs(path: Path, kills: int, seed: int) -> None:
    """Start, kill and resume one run; what was told to be safe is there each time, and is never sent again."""
    chance = random.Random(seed)
    safe: set[tuple[int, int]] = set()
    stages: set[int] = set()
    for _ in range(kills):
        hears, tells = CHILDREN.Pipe(duplex=False)
        child = CHILDREN.Process(target=write_for_ever, args=(path, tells))
        child.start()
        tells.close()
        told = [hears.recv()]
        end = time.monotonic() + chance.uniform(0, 0.1)
        while time.monotonic() < end:
            told.append(hears.recv())
        child.kill()
        with contextlib.suppress(EOFError, OSError):
            while True:
                told.append(hears.recv())
        child.join()
        for word, *rest in told:
            if word == "sent":
                assert tuple(rest) not in safe, "an answer that was safe was asked for again"
            elif word == "safe":
                safe.add((rest[0], rest[1]))
            elif word == "stage":
                stages.add(rest[0])
        with open_log(path) as log:
            assert log.find("last").status == "interrupted"
            calls = log.calls()
            assert safe <= {(c.round, c.agent) for c in calls if c.status == "answered"}
            assert stages <= {event.round for event in log.events() if isinstance(event, Settled)}
            assert log.verify().faults == ()
    assert safe and sum(c.issue > 0 for c in calls) <= kills


def test_a_killed_run_loses_nothing_that_was_safe(tmp_path: Path) -> None:
    killed_runs(tmp_path / "society.db", kills=4, seed=1)


@pytest.mark.slow
def test_a_run_killed_a_hundred_times_loses_nothing_that_was_safe(tmp_path: Path) -> None:
    killed_runs(tmp_path / "society.db", kills=100, seed=2)


def test_many_processes_write_runs_of_one_file(tmp_path: Path) -> None:
    """Writers wait for each other; nobody sees a locked database."""
    path = tmp_path / "society.db"
    children = [CHILDREN.Process(target=write_runs, args=(path, 5)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    with open_log(path) as log:
        assert len(log.runs(status="completed")) == 15 and log.verify().sound


def test_a_log_that_is_not_there_says_so(tmp_path: Path) -> None:
    with open_log(tmp_path / "none.db") as log, pytest.raises(LogUnusable, match=r"there is no log at .*none\.db yet"):
        log.runs()
    assert not (tmp_path / "none.db").exists()


def test_the_default_folder_is_made_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_log() as log:
        log.start_run(manifest()).abandon()
    assert (tmp_path / "logs" / "society.db").exists()
    with open_log("elsewhere/x.db") as log, pytest.raises(LogUnusable, match="the folder elsewhere does not exist"):
        log.start_run(manifest())


def test_what_is_no_log_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello " * 500)
    (tmp_path / "folder.db").mkdir()
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    for name, what in (("text.db", "is not a SQLite database"), ("other.db", "is not a log of this program")):
        with open_log(tmp_path / name) as log, pytest.raises(LogUnusable, match=what):
            log.runs()
    for name, what in (
        ("text.db", "is not a SQLite database"),
        ("other.db", "is a database of something else"),
        ("folder.db", "is a folder"),
    ):
        before = (tmp_path / name).read_bytes() if name != "folder.db" else b""
        with open_log(tmp_path / name) as log, pytest.raises(LogUnusable, match=what):
            log.start_run(manifest())
        assert name == "folder.db" or (tmp_path / name).read_bytes()[100:] == before[100:]
    with pytest.raises(LogUnusable, match="not 'mysql'"):
        open_log("mysql://host/name")


async def written(path: Path) -> None:
    with open_log(path) as log:
        writer = log.start_run(manifest())
        await play(writer, events())
        await writer.finish("completed")


async def test_a_newer_layout_and_a_file_cut_short_are_told_apart(tmp_path: Path) -> None:
    await written(tmp_path / "s.db")
    whole = (tmp_path / "s.db").read_bytes()
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    with open_log(tmp_path / "cut.db") as log, pytest.raises(LogUnusable, match="is damaged or cut short"):
        log.verify()
        log.frame("event")
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("UPDATE log_info SET value = '99'")
    connection.close()
    for use in (lambda log: log.runs(), lambda log: log.start_run(manifest())):
        with (
            open_log(tmp_path / "s.db") as log,
            pytest.raises(
                LogUnusable,
                match=r"has layout 99, and this version of society knows layouts up to \d+: a newer version wrote it; pip install",
            ),
        ):
            use(log)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_read_only_folder_can_be_read_and_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    await written(folder / "s.db")
    folder.chmod(0o500)
    try:
        with open_log(folder / "s.db") as log:
            assert len(log.frame("intent_outcome")) == 6
            with pytest.raises(LogUnusable, match="read-only"):
                log.start_run(manifest())
    finally:
        folder.chmod(0o700)


async def test_reading_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    await written(tmp_path / "s.db")
    before = (tmp_path / "s.db").read_bytes()
    with open_log(tmp_path / "s.db") as log:
        assert log.verify().sound and log.frame("intent_outcome").rows()
        for sql in ("DELETE FROM run", "CREATE TABLE x (y)", "UPDATE run SET status = 'x'"):
            with pytest.raises(LogUnusable):
                log.sql(sql)
    assert (tmp_path / "s.db").read_bytes() == before


async def test_a_full_disk_pauses_the_run_before_the_next_call(tmp_path: Path) -> None:
    """SQLite is told that the file may not grow, which fails exactly like a full disk."""
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        await writer.stage((manifest("openai:large"),))
        with log._writing.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        asked, answers = question(Position(1, "act", 0, 0)), 0
        with pytest.raises(Paused, match=r"the disk of .* is full"):
            for number in range(1, 500):
                asked = question(Position(number, "act", 0, 0))
                await writer.answered(asked, await writer.issue(asked, reserved_usd=1), reply("x" * 2000))
                answers += 1
        with pytest.raises(Paused):
            await writer.issue(question(Position(1, "act", 0, 1)), reserved_usd=1)
        with pytest.raises(Paused):
            await writer.stage(tuple(first_round()))
        await writer.finish("paused", "the disk is full")
    with open_log(tmp_path / "s.db") as log:
        assert log.find("last").resumable and sum(c.status == "answered" for c in log.calls()) == answers
        writer = log.resume_run("last")
        await writer.stage((manifest("openai:large"),))
        await writer.stage(tuple(first_round()))
        await writer.finish("interrupted")
        assert log.verify().sound


async def test_a_nearly_full_disk_pauses_before_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        full = os.statvfs_result((4096, 4096, 100, 10, 10, 1, 1, 1, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda _: full)
        with pytest.raises(Paused, match="nearly full"):
            await writer.issue(question(Position(1, "act", 0, 0)), reserved_usd=1)
        assert log.calls() == []
        await writer.finish("paused")


async def test_one_bad_run_does_not_stop_the_others(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log:
        writers = [log.start_run(manifest(seed=seed)) for seed in range(3)]
        told = first_round()
        twice = (manifest(seed=1), told[0], told[0])  # the same turn twice breaks a key

        async def go(seed: int) -> None:
            for event in twice if seed == 1 else (manifest(seed=seed), *told):
                await writers[seed].stage((event,))
            await writers[seed].finish("interrupted")

        found = await asyncio.gather(*(go(seed) for seed in range(3)), return_exceptions=True)
        assert isinstance(found[1], LogUnusable) and found[0] is None and found[2] is None
        assert log.verify().sound
        assert {run.seed: run.status for run in log.runs()} == {0: "interrupted", 1: "failed", 2: "interrupted"}


def test_postgres_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with open_log("postgresql://user:secret@127.0.0.1/x") as log, pytest.raises(MissingExtra, match=r"\[postgres\]"):
        log.runs()


def test_passwords_are_never_shown() -> None:
    place = place_of("postgresql://user:secret@127.0.0.1/x")
    assert "secret" not in place.shown and "secret" not in str(refusal(OSError("no"), place))
