"""A finished log proves itself: whatever is changed in it is found, and named."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from handmade_run import events, manifest, play
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from society.core.errors import LogCorrupt
from society.log import Log, RunWriter, open_log
from society.log.database import place_of
from society.log.reader import Reader
from society.log.tables import TABLES, columns_of, name_of
from society.log.verify import verify

EVERY_COLUMN = [(name_of(table), column) for table in TABLES for column in columns_of(table)]
EVERY_TABLE = [name_of(table) for table in TABLES]


class Tampered(Reader):
    """A log read through one connection that may also write, and forgets it afterwards."""

    def __init__(self, path: Path) -> None:
        super().__init__(place_of(path))
        self.engine: Engine = create_engine(
            f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        self.held: Connection = self.engine.connect()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        self.held.exec_driver_sql("PRAGMA query_only=ON")
        try:
            yield self.held
        finally:
            self.held.exec_driver_sql("PRAGMA query_only=OFF")

    @contextmanager
    def change(self, sql: str, *values: object) -> Iterator[int]:
        self.held.exec_driver_sql("BEGIN")
        try:
            yield self.held.exec_driver_sql(sql, values).rowcount
        finally:
            self.held.exec_driver_sql("ROLLBACK")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a paid run and a free one, with rows in every table."""
    path = tmp_path_factory.mktemp("log") / "society.db"

    async def fill() -> None:
        with open_log(path) as log:
            for model in ("openai:large", "mock:greedy"):
                writer = log.start_run(manifest(model), run_id=f"20260101T000000-lake-{model[:4]}")
                await play(writer, events(model))
                await writer.finish("completed")
            run = "20260101T000000-lake-open"
            here = {"round": 1, "agent": 0, "value": 1.5, "value_text": "3/2", "yardstick": "goal", "mode": "myopic"}
            here["defaulted"] = False
            log.store(run, "stage_value", [{**here, "stage": "W0", "exact": True}])
            log.store(run, "gap_term", [{**here, "chain": "causal", "term": "surprise", "exact": True}])
            log.store(run, "surprise_share", [{**here, "cause": 1, "method": "sampled", "orders": 4, "se": 0.5}])
            log.store(
                run,
                "price",
                [{"model": "openai:large", "since": "2026-01-01", "input": 1, "output": 4, "as_of": "2026-01-01"}],
            )
            log.store(run, "metric", [{"name": "gini", "without_defaulted": True, "value": 0.5, "unit": "0 to 1"}])

    asyncio.run(fill())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return path


@pytest.fixture(scope="module")
def log(original: Path) -> Iterator[Tampered]:
    tampered = Tampered(original)
    yield tampered
    tampered.held.close()
    tampered.engine.dispose()


def test_the_untouched_log_verifies_and_every_table_has_rows(log: Tampered) -> None:
    report = verify(log)
    assert report.faults == () and len(report.runs) == 2 and (report.events, report.calls) == (48, 10)
    assert all(len(log.frame(table)) for table in EVERY_TABLE)


@pytest.mark.parametrize(("table", "column"), EVERY_COLUMN, ids=[f"{t}.{c}" for t, c in EVERY_COLUMN])
def test_one_changed_value_is_found(log: Tampered, table: str, column: str) -> None:
    """Numbers grow, texts and bytes get longer, nulls become something: in the last row of the table."""
    key = "rowid" if table in ("run", "event", "prompt", "answer_schema", "model_call", "outcome") else None
    last = f"SELECT max({key}) FROM {table}" if key else None
    changed = (
        f"CASE typeof({column}) WHEN 'integer' THEN {column} + 1 WHEN 'real' THEN {column} + 0.5"
        f" WHEN 'blob' THEN CAST({column} || x'00' AS BLOB) WHEN 'text' THEN {column} || 'x' ELSE 1 END"
    )
    if key:
        where = f"{key} = ({last})"
    else:
        keys = [c.name for t in TABLES if name_of(t) == table for c in t.__table__.primary_key.columns]
        order = ", ".join(f"{k} DESC" for k in keys)
        where = f"({', '.join(keys)}) = (SELECT {', '.join(keys)} FROM {table} ORDER BY {order} LIMIT 1)"
    with log.change(f"UPDATE {table} SET {column} = {changed} WHERE {where}") as count:
        assert count == 1
        report = verify(log)
    assert not report.sound
    with pytest.raises(LogCorrupt, match="does not verify"):
        report.require()


@pytest.mark.parametrize("table", EVERY_TABLE)
def test_a_missing_row_is_found(log: Tampered, table: str) -> None:
    keys = ", ".join(c.name for t in TABLES if name_of(t) == table for c in t.__table__.primary_key.columns)
    with log.change(f"DELETE FROM {table} WHERE ({keys}) = (SELECT {keys} FROM {table} LIMIT 1)") as count:
        assert count == 1
        assert not verify(log).sound


@pytest.mark.parametrize(
    "table", [t for t in EVERY_TABLE if "run_id" in columns_of(next(x for x in TABLES if name_of(x) == t))]
)
def test_a_row_of_another_run_or_of_none_is_found(log: Tampered, table: str) -> None:
    columns = columns_of(next(t for t in TABLES if name_of(t) == table))
    moved = ", ".join("'20990101T000000-nobody'" if c == "run_id" else c for c in columns)
    with log.change(f"INSERT INTO {table} SELECT {moved} FROM {table} LIMIT 1"):
        report = verify(log)
    assert any(fault.table == table and "no such run" in fault.what for fault in report.faults)


@pytest.mark.parametrize(
    ("sql", "table", "row"),
    [
        pytest.param(
            "UPDATE event SET body = CASE seq WHEN 7 THEN (SELECT body FROM event e WHERE e.run_id = event.run_id AND e.seq = 8)"
            " ELSE (SELECT body FROM event e WHERE e.run_id = event.run_id AND e.seq = 7) END WHERE seq IN (7, 8)",
            "event",
            "seq 7",
            id="two events swapped",
        ),
        pytest.param("DELETE FROM event WHERE seq >= 14", "event", "", id="the tail cut off"),
        pytest.param(
            "UPDATE payoff SET payoff = 100 WHERE agent = 2 AND round = 2", "payoff", "round 2, agent 2", id="a payoff"
        ),
        pytest.param("UPDATE model_call SET raw = x'00' WHERE agent = 0", "model_call", "agent 0", id="a raw answer"),
        pytest.param(
            "INSERT INTO message SELECT run_id, 2, 0, 2, 0, 1, 'I agree to all', NULL, NULL, 0, 'ok' FROM message LIMIT 1",
            "message",
            "round 2, turn 0, agent 2, place 0",
            id="words put in a mouth",
        ),
        pytest.param("UPDATE prompt SET content = 'Be greedy.' WHERE place = 1", "prompt", "hash", id="a prompt"),
    ],
)
def test_the_first_bad_row_is_named(log: Tampered, sql: str, table: str, row: str) -> None:
    with log.change(sql):
        first = verify(log).faults[0]
    assert first.table == table and row in first.row


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("DROP VIEW call_cost", id="a view dropped"),
        pytest.param("CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM event; END", id="a trigger planted"),
        pytest.param("ALTER TABLE metric ADD COLUMN x TEXT", id="a column added"),
        pytest.param("CREATE VIEW extra AS SELECT 1", id="a view added"),
    ],
)
def test_a_changed_schema_is_found(original: Path, tmp_path: Path, sql: str) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(original, copy)
    with sqlite3.connect(copy) as connection:
        connection.execute(sql)
    connection.close()
    with open_log(copy) as log:
        assert [fault.table for fault in log.verify().faults] == ["schema"]


def test_a_chain_recomputed_with_care_is_found_by_its_head_alone(original: Path) -> None:
    with open_log(original) as log:
        head = log.find("last").head
        assert log.verify("last", head=head).sound
        report = log.verify("last", head="0" * 64)
        assert [fault.table for fault in report.faults] == ["event"] and head in report.faults[0].what


def test_an_unfinished_run_verifies_as_far_as_it_goes(tmp_path: Path) -> None:
    async def leave() -> None:
        with open_log(tmp_path / "s.db") as log:
            told = events("openai:large")
            writer = log.start_run(told[0])
            await writer.stage(tuple(told[:10]))
            await writer.finish("paused", "the budget is spent")

    asyncio.run(leave())
    with open_log(tmp_path / "s.db") as log:
        assert log.verify().faults == () and log.find("last").status == "paused"


def test_a_run_cut_off_after_its_last_event_is_sound_and_can_be_closed(tmp_path: Path) -> None:
    async def write(log: Log, writer: RunWriter) -> None:
        for event in events("openai:large"):
            await writer.stage((event,))

    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        asyncio.run(write(log, writer))
        writer.abandon()
        assert log.verify().faults == () and log.find("last").status == "interrupted"
        again = log.resume_run("last")
        asyncio.run(write(log, again))
        asyncio.run(again.finish("completed"))
        assert log.verify().faults == () and log.find("last").status == "completed"


@pytest.mark.slow
def test_a_byte_changed_anywhere_in_the_file_is_found_or_changes_nothing(original: Path, tmp_path: Path) -> None:
    """Every 397th byte of the file is flipped: verification fails, or all that can be read is as it was."""
    whole = original.read_bytes()
    with open_log(original) as log:
        wanted = {table: log.frame(table).values for table in EVERY_TABLE}
    copy = tmp_path / "copy.db"
    for place in range(0, len(whole), 397):
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        with open_log(copy) as log:
            try:
                sound = log.verify().sound
            except Exception:
                continue
            if sound:
                assert {table: log.frame(table).values for table in EVERY_TABLE} == wanted, place
