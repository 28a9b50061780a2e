"""Where results cannot be written, or a log cannot: each command says so in words, and says the right mend."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from society import loads, open_log, play
from society.cli import main
from society.core.errors import NotBegun, Paused
from society.log.committer import Committer
from society.log.database import place_of, refusal

LAKE = """
name: lake
rounds: 2
mechanism: {kind: common_pool, capacity: 100}
agents: [{name: Ann}, {name: Ben}]
stages: {talk: off}
models: {default: "mock:greedy"}
"""
FULL = Path("/dev/full")


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("lake.yaml").write_text(LAKE)
    assert main(["run", "lake.yaml", "--quiet"]) == 0
    return tmp_path / "logs" / "society.db"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_results_that_find_no_room_are_no_fault_of_the_program(filled: Path) -> None:
    with FULL.open("w") as full:
        told = subprocess.run(
            [sys.executable, "-m", "society", "verify", "--rows"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert told.returncode == 1 and "cannot be written: No space left on device" in told.stderr
    assert "fault in society" not in told.stderr and "Traceback" not in told.stderr


def test_an_alignment_is_told_where_it_cannot_be_kept(filled: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("society.log.database.os.access", lambda *_: False)
    assert main(["align"]) == 0
    told = capsys.readouterr()
    assert "Ann" in told.out and "it is not kept in the log: the folder logs is read-only" in told.err


async def test_a_run_that_found_no_room_for_its_first_row_is_to_be_run_once_more(tmp_path: Path, monkeypatch) -> None:
    def no_room(self: Committer, *_: object) -> None:
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise full

    monkeypatch.setattr(Committer, "_commit", no_room)
    with open_log(tmp_path / "s.db") as log, pytest.raises(NotBegun) as caught:
        await play(loads(LAKE), log=log)
    assert "is full; this run was not begun: run it once more" in str(caught.value)
    assert caught.value.exit_code == Paused.exit_code


def test_a_log_whose_last_writes_were_taken_away_says_which_file_is_missing(tmp_path: Path) -> None:
    """A killed run leaves two files beside its log; SQLite calls it a broken disk when only one of them is there."""
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR
    place = place_of(tmp_path / "s.db")
    for name in ("s.db", "s.db-shm", "s.db-wal"):
        (tmp_path / name).touch()
    assert "the disk reports an error" in str(refusal(broken, place))
    (tmp_path / "s.db-wal").unlink()
    told = str(refusal(broken, place))
    assert "cannot be used without the file s.db-wal" in told and "remove s.db-shm" in told
