"""Logs that hold what no program writes: every command names it, and none falls over it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from society.cli import main
from society.log.tables import Run, columns_of

STRANGE = ["x'ff00'", "x''", "''", "CAST(x'ff41' AS TEXT)"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "s.db"
    given = ["--set", "rounds=1", "--set", "seeds=[1, 2]", "--model", "mock:random"]
    assert main(["run", "fishery", *given, "-q", "--log", str(path)]) == 0
    return path


def changed(played: Path, folder: Path, sql: str) -> str:
    copy = folder / "s.db"
    shutil.copy(played, copy)
    with sqlite3.connect(copy) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        assert connection.execute(sql).rowcount == 1
    connection.close()
    return str(copy)


@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize("command", ["runs", "runs --json", "transcript", "metrics", "replay", "resume", "export --run last --to out"])  # fmt: skip
def test_a_run_without_a_name_is_told_of(played: Path, tmp_path: Path, capsys, value: str, command: str) -> None:
    log = changed(played, tmp_path, f"UPDATE run SET id = {value} WHERE rowid = 2")
    assert main([*command.split(), "--log", log]) != 0
    told = capsys.readouterr().err
    assert told.startswith(("error: ", "Usage: ")) and "fault in society itself" not in told
    if command.startswith("runs") and "CAST" not in value:
        assert "table run, row with id" in told and "society verify" in told


@pytest.mark.parametrize("value", STRANGE)
def test_verify_names_the_run_that_has_no_name(played: Path, tmp_path: Path, capsys, value: str) -> None:
    log = changed(played, tmp_path, f"UPDATE run SET id = {value} WHERE rowid = 2")
    assert main(["verify", "--rows", "--log", log]) == 6
    told = capsys.readouterr()
    assert "run id" in told.err and "fault in society itself" not in told.err


@pytest.mark.parametrize("column", [column for column in columns_of(Run) if column != "id"])
@pytest.mark.parametrize("value", ["x'ff00'", "CAST(x'ff41' AS TEXT)"])
def test_whatever_else_stands_in_its_row_is_listed_or_named(
    played: Path, tmp_path: Path, capsys, column: str, value: str
) -> None:
    log = changed(played, tmp_path, f"UPDATE run SET {column} = {value} WHERE rowid = 2")
    for command in (["runs"], ["runs", "--json"], ["transcript"], ["resume"]):
        main([*command, "--log", log])
        told = capsys.readouterr().err
        assert "fault in society itself" not in told, (command, told)
    assert main(["verify", "--rows", "--log", log]) == 6
    assert f"{column} holds no value of its kind" in capsys.readouterr().err or "CAST" in value
