"""Every row of the page of faults has a test that is there; and the rows that no other file tests."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from fault_server import GOOD, FaultServer
from handmade_run import events, first_round, manifest, play

from society.core.errors import LogUnusable
from society.log import open_log, writer
from tests.torture.__main__ import SUITES
from tests.torture.process import contents

ROOT = Path(__file__).parent.parent
ROWS = 88
MODEL = "openai:large"
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}


def page() -> list[tuple[int, list[str]]]:
    """Of each row its number and what it is told by."""
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE)
    return [(int(number), re.findall(r"`([^`]+)`", told_by)) for number, told_by in rows]


def test_no_row_is_forgotten() -> None:
    assert [number for number, _ in page()] == list(range(1, ROWS + 1))


@pytest.mark.parametrize(("number", "told_by"), page(), ids=lambda value: str(value) if isinstance(value, int) else "")
def test_what_would_tell_of_a_fault_is_there(number: int, told_by: list[str]) -> None:
    assert told_by
    for name in told_by:
        if "::" in name:
            file, test = name.split("::")
            code = ast.parse((ROOT / "tests" / file).read_text())
            assert test in {getattr(node, "name", "") for node in code.body}, name
        else:
            assert name in SUITES


async def test_a_run_that_slept_past_its_deadline_takes_one_answer_to_each_question(tmp_path: Path) -> None:
    """It is stopped while a call is in flight, for longer than a call may take; the answer is there when it wakes up."""
    (tmp_path / "lake.yaml").write_text("name: lake\nmechanism: common_pool\nagents: 2\nrounds: 2\n")
    asleep: list[int] = []

    async def while_it_sleeps(wire: asyncio.StreamWriter) -> None:
        process.send_signal(signal.SIGSTOP)
        asleep.append(server.requests)
        wire.write(GOOD)
        await wire.drain()
        await asyncio.sleep(1.5)
        process.send_signal(signal.SIGCONT)

    async with FaultServer(GOOD, while_it_sleeps, GOOD) as server:
        words = ["-m", "society", "run", "lake.yaml", "--model", f"tiny@{server.url}", "--quiet"]
        environment = {**ENV, "SOCIETY_CALL_SECONDS": "1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        _, err = await asyncio.wait_for(process.communicate(), 60)
    assert asleep and process.returncode in (0, 1), err.decode()
    with open_log(tmp_path / "logs" / "society.db") as log:
        assert log.find("last").rounds_played == 2
        calls = log.sql("SELECT round, stage, turn, agent, attempt, issue, status FROM model_call").values
        answered = [call[:5] for call in calls if call[6] == "answered"]
        assert len(answered) == len(set(answered)) == len({call[:5] for call in calls})
        assert len(calls) == server.requests
        assert log.verify().sound


async def test_a_reader_that_stays_holds_nobody_up(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log:
        written = log.start_run(manifest(MODEL))
        reader = sqlite3.connect(f"file:{tmp_path / 's.db'}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        seen = reader.execute("SELECT COUNT(*) FROM event").fetchone()
        await play(written, events(MODEL))
        await written.finish("completed")
        assert reader.execute("SELECT COUNT(*) FROM event").fetchone() == seen
        reader.close()
        assert log.find("last").status == "completed" and log.verify().sound


def test_every_commit_is_told_to_wait_for_the_disk(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log:
        log.prepare()
        with log._writing.engine.connect() as connection:
            held = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "fullfsync")]
    assert held == [2, 1]


async def test_a_clock_that_jumps_changes_nothing_but_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year back with every look at it."""
    heads, years = [], count(2026, -1)
    for name in ("plain", "jumps"):
        with open_log(tmp_path / f"{name}.db") as log:
            written = log.start_run(manifest(MODEL))
            await play(written, events(MODEL))
            await written.finish("completed")
            assert log.verify().sound
            heads.append(log.find("last").head)
        monkeypatch.setattr(writer, "utc_now", lambda: datetime(next(years), 1, 1, tzinfo=UTC).isoformat())
    assert heads[0] == heads[1]


def test_the_chain_does_not_depend_on_the_machine(tmp_path: Path) -> None:
    """Order of hashes, locale, time zone, number of processors: two processes that differ in all of them."""
    (tmp_path / "x.yaml").write_text(
        "name: x\nmechanism: public_goods\nagents: 4\nrounds: 2\nmodels: {default: mock:random}\n"
        "instruments: [{kind: peer_sanction}]\nstages: {talk: {turns: 1, channels: [public, private]}}\n"
    )
    one = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    machines = (
        ([], {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}),
        (one, {"PYTHONHASHSEED": "2", "LC_ALL": "C", "PYTHONUTF8": "0", "TZ": "Asia/Kathmandu"}),
    )
    for before, environment in machines:
        command = [*before, sys.executable, "-m", "society", "run", "x.yaml", "--quiet"]
        subprocess.run(command, cwd=tmp_path, env={**ENV, **environment}, check=True, capture_output=True)
    with open_log(tmp_path / "logs" / "society.db") as log:
        first, second = log.runs()
        assert first.head == second.head and first.id != second.id


async def half_written(folder: Path) -> Path:
    """A log of a run that has ended and one that is being written, with its latest commits in a file of their own."""
    with open_log(folder / "log.db") as log:
        done = log.start_run(manifest(MODEL))
        await play(done, events(MODEL))
        await done.finish("completed")
    copy = folder / "copy"
    with open_log(folder / "log.db") as log:
        half = log.start_run(manifest(MODEL, seed=2))
        await half.stage((manifest(MODEL, seed=2), *first_round()))
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm", "*.locks", "copy"))
        half.abandon()
    return copy / "log.db"


async def test_without_its_latest_commits_a_log_is_what_it_was_before(tmp_path: Path) -> None:
    """The file beside the database is gone, or cut anywhere: whole commits are there or not, and nothing is changed by looking."""
    path = await half_written(tmp_path)
    side = path.with_name("log.db-wal")
    whole = side.read_bytes()
    runs = []
    for size in (None, 0, 32, 4000, len(whole) // 3, len(whole) // 2, len(whole) - 1, len(whole)):
        if size is None:
            side.unlink()
        else:
            side.write_bytes(whole[:size])
        before = contents(path.parent)
        with open_log(path) as log:
            assert log.verify().sound, size
            runs.append(len(log.runs()))
        assert contents(path.parent) == before, size
        path.with_name("log.db-shm").unlink(missing_ok=True)
    assert runs[0] == 1 and runs[-1] == 2 and runs == sorted(runs)


async def test_a_log_that_was_never_made_whole_is_no_log_yet_and_is_made_by_the_next_run(tmp_path: Path) -> None:
    """Whoever made its tables was killed in the middle; what it had written is taken back by the next who writes."""
    with contextlib.closing(sqlite3.connect(tmp_path / "half.db", isolation_level=None)) as maker:
        maker.execute("PRAGMA cache_size=1")
        maker.execute("BEGIN")
        maker.execute("CREATE TABLE event (body)")
        maker.executemany("INSERT INTO event VALUES (?)", [("x" * 1000,)] * 500)
        for end in ("", "-journal"):
            shutil.copyfile(tmp_path / f"half.db{end}", tmp_path / f"log.db{end}")
    with open_log(tmp_path / "log.db") as log, pytest.raises(LogUnusable, match="there is no log at"):
        log.runs()
    with open_log(tmp_path / "log.db") as log:
        written = log.start_run(manifest(MODEL))
        await play(written, events(MODEL))
        await written.finish("completed")
        assert log.verify().sound


async def test_a_file_cut_short_is_told_apart_and_left_as_it_is(tmp_path: Path) -> None:
    path = await half_written(tmp_path)
    path.with_name("log.db-wal").unlink()
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 24):
        path.write_bytes(whole[:size])
        try:
            with open_log(path) as log:
                sound = log.verify().sound
        except LogUnusable as problem:
            assert str(path) in str(problem) and len(json.dumps(str(problem))) < 500
        else:
            assert not sound, f"{size} of {len(whole)} bytes pass for a whole log"
        assert path.read_bytes() == whole[:size]
