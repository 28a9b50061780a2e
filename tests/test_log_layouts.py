"""Logs of earlier layouts: what an older version wrote is brought up to date, all of it or nothing, and still proves itself."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from postgres_server import fresh_database, running_server, why_not
from sqlalchemy import create_engine, inspect

from society.cli import main
from society.core.errors import LogUnusable
from society.log import open_log
from society.log.schema import SCHEMA_VERSION
from society.log.tables import TABLES, name_of

STORED = Path(__file__).parent / "logs"
LAYOUTS = range(1, SCHEMA_VERSION)
HEADS = {
    1: [
        ("completed", "5b7dbc8a310de3ee1652b5e2039ecbbbec66ed760abdca392ab895ede53b8ff6"),
        ("paused", "b8b384a15d69f1dbbf78d5e95cfaee37b74542e190ced39b3159f6c5955c3406"),
    ],
    2: [
        ("completed", "c11a1d5b26188fcb000e3be92de6a8cf9f537c564680a7c548d6773af3dec1e4"),
        ("paused", "58c4e41ead06180f3412c7213d44327c8d81f9c7b3733e62477f9379b9b2ed36"),
    ],
    3: [
        ("completed", "de2552e45a9d0bcb8e2b707bff240978eace452e7156deb14e895b8a6fd77a9c"),
        ("paused", "462e94155cd1a69552d2c5c929b931aa9803df2392494fac0f69f7dba7df3f45"),
    ],
}
"""What the runs of each stored log were when it was written."""
_numbers = count(1)
needs_postgres = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


def stored(layout: int, path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(gzip.decompress((STORED / f"layout_{layout}.sqlite.sql.gz").read_bytes()).decode())
    connection.close()
    return path


def layout_in(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT value FROM log_info").fetchone()[0]
    connection.close()
    return str(found)


def test_every_layout_before_this_one_is_kept_as_a_log_in_both_databases() -> None:
    kept = {path.name for path in STORED.iterdir()}
    assert kept == {f"layout_{n}.{kind}.sql.gz" for n in LAYOUTS for kind in ("sqlite", "postgresql")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_of_an_earlier_layout_is_brought_up_to_date_by_whatever_opens_it(layout: int, tmp_path: Path) -> None:
    path = stored(layout, tmp_path / "old.db")
    assert layout_in(path) == str(layout)
    with open_log(path) as log:
        assert sorted((run.status, run.head) for run in log.runs()) == HEADS[layout]
        assert {run.schema_version for run in log.runs()} == {layout}
        assert log.verify().faults == ()  # tables, views and dictionary to the letter, chains, seals and journals
        for table in TABLES:
            log.frame(name_of(table))
        log.store("last", "price", [{"model": "m", "since": "2026-01-01", "input": 1, "output": 2}])
        assert log.verify().faults == ()
    assert layout_in(path) == str(SCHEMA_VERSION)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_command_upgrades_a_file_and_says_so(layout: int, tmp_path: Path, capsys) -> None:
    path = stored(layout, tmp_path / "old.db")
    assert main(["db", "upgrade", "--log", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"log": str(path), "layout_before": layout, "layout": SCHEMA_VERSION}
    assert main(["db", "upgrade", "--log", str(path)]) == 0
    assert "nothing was to be done" in capsys.readouterr().out


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(1, tmp_path / "old.db")
    with sqlite3.connect(path) as connection:
        before = list(connection.iterdump())
    connection.close()

    def fails(*_: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr("society.log.layout._explain", fails)
    with open_log(path) as log, pytest.raises(RuntimeError, match="the power is gone"):
        log.runs()
    with sqlite3.connect(path) as connection:
        assert list(connection.iterdump()) == before
    connection.close()


def test_a_layout_that_is_no_number_is_no_log(tmp_path: Path) -> None:
    path = stored(1, tmp_path / "old.db")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE log_info SET value = 'new'")
    connection.close()
    with open_log(path) as log, pytest.raises(LogUnusable, match="is not a log of this program"):
        log.runs()


@pytest.mark.postgres
@needs_postgres
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_server_s_database_waits_for_its_keeper_and_is_then_like_a_new_one(layout: int, server: str, capsys) -> None:
    old, new = (fresh_database(server, f"layout_{next(_numbers)}") for _ in range(2))
    dump = gzip.decompress((STORED / f"layout_{layout}.postgresql.sql.gz").read_bytes()).decode()
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", old], input=dump, text=True, check=True, capture_output=True)  # fmt: skip
    for use in (lambda log: log.runs(), lambda log: log.prepare()):
        with open_log(old) as log, pytest.raises(LogUnusable, match="society db upgrade --log"):
            use(log)
    assert main(["db", "upgrade", "--log", old]) == 0
    assert f"layout {layout} became {SCHEMA_VERSION}" in capsys.readouterr().out
    with open_log(old) as log:
        assert sorted((run.status, run.head) for run in log.runs()) == HEADS[layout] and log.verify().faults == ()
    with open_log(new) as log:
        log.prepare()
    assert described(old) == described(new)


def described(url: str) -> dict[str, object]:
    """Everything a PostgreSQL database says of its tables, columns, keys, indices and views."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    told: dict[str, object] = {}
    look = inspect(engine)
    for table in look.get_table_names():
        told[table] = (
            sorted((c["name"], str(c["type"]), c["nullable"], c["comment"]) for c in look.get_columns(table)),
            look.get_pk_constraint(table)["constrained_columns"],
            sorted((f["constrained_columns"], f["referred_table"]) for f in look.get_foreign_keys(table)),
            sorted((i["name"], i["column_names"]) for i in look.get_indexes(table)),
            look.get_table_comment(table),
        )
    told |= {view: look.get_view_definition(view) for view in look.get_view_names()}
    engine.dispose()
    return told
