"""Whatever is changed in a finished log, in any table, column, row or byte, is found, and the table it stands in is named."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from test_log_verify import Tampered, log, original  # noqa: F401  # the fixtures of a log with rows in every table

from society.log.tables import COMPUTED, TABLES, columns_of, name_of
from society.log.verify import verify

COLUMNS = [(name_of(table), column) for table in TABLES for column in columns_of(table)]
KEYS = {name_of(t): [c.name for c in t.__table__.primary_key.columns] for t in TABLES}
RESULTS = {name_of(table) for table in COMPUTED}
STRANGE: tuple[Any, ...] = (
    None, "", "x", 0, 1, -1, 2**62, 0.5, 1e300, float("inf"), b"", b"\xff\xfe", b"x", "NaN", "\x00", "\u202e", "1", "true",
)  # fmt: skip
few = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much], max_examples=60
)


def bit_flipped(old: Any, at: int) -> tuple[str, Any]:
    """The value with one bit turned, as the expression and the parameter that write it."""
    if isinstance(old, float):
        whole = bytearray(struct.pack(">d", old))
    elif isinstance(old, int):
        return "?", old ^ (1 << at % 8)
    else:
        whole = bytearray(old if isinstance(old, bytes) else old.encode("utf-8", "surrogatepass"))
    if not whole:
        return "?", "x" if isinstance(old, str) else b"x"
    whole[at // 8 % len(whole)] ^= 1 << at % 8
    if isinstance(old, float):
        return "?", struct.unpack(">d", bytes(whole))[0]
    return ("CAST(? AS TEXT)" if isinstance(old, str) else "?"), bytes(whole)


def named(tampered: Tampered) -> set[str]:
    """The tables in which verification finds something."""
    return {fault.table for fault in verify(tampered).faults}


def tells(found: set[str], table: str) -> bool:
    """Whether somebody who reads the faults knows where to look: results and the digests of results stand for each other."""
    return bool(found & (RESULTS | {"derived"})) if table in RESULTS | {"derived"} else bool(found)


@few
@given(data=st.data())
def test_a_changed_value_is_found(log: Tampered, data: st.DataObject) -> None:
    table, column = data.draw(st.sampled_from(COLUMNS))
    keys = KEYS[table]
    rows = log.held.exec_driver_sql(f"SELECT {', '.join(keys)}, {column} FROM {table}").all()
    *key, old = data.draw(st.sampled_from(rows))
    if old is None or data.draw(st.booleans()):
        expression, new = "?", data.draw(st.sampled_from(STRANGE))
    else:
        expression, new = bit_flipped(old, data.draw(st.integers(0, 10_000)))
    where = " AND ".join(f"{name} IS ?" for name in keys)
    try:
        with log.change(f"UPDATE {table} SET {column} = {expression} WHERE {where}", new, *key):
            left = f"SELECT COUNT(*) FROM {table} WHERE {where} AND {column} IS ? AND typeof({column}) IS typeof(?)"
            if log.held.exec_driver_sql(left, (*key, old, old)).scalar():
                return  # it is what it was
            assert tells(named(log), table), f"{table}.{column} of {key}: {old!r} became {new!r}"
    except IntegrityError:
        return  # the database itself refuses it


@few
@given(data=st.data())
def test_two_values_that_changed_places_are_found(log: Tampered, data: st.DataObject) -> None:
    table, column = data.draw(st.sampled_from(COLUMNS))
    rows = log.held.exec_driver_sql(f"SELECT {', '.join(KEYS[table])}, {column} FROM {table}").all()
    (*one, first), (*two, second) = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(rows))
    if first == second or column in KEYS[table]:
        return
    where = [" AND ".join(f"{k} IS ?" for k in KEYS[table])] * 2
    sql = f"UPDATE {table} SET {column} = CASE WHEN {where[0]} THEN ? ELSE ? END WHERE ({where[0]}) OR ({where[1]})"
    with log.change(sql, *one, second, first, *one, *two):
        assert tells(named(log), table), f"{table}.{column} of {one} and {two}"


@few
@given(data=st.data())
def test_a_row_that_was_taken_out_or_put_in_is_found(log: Tampered, data: st.DataObject) -> None:
    """A row is deleted, or stands there once more under a key that differs in one column."""
    table = data.draw(st.sampled_from(sorted(KEYS)))
    columns = [column for name, column in COLUMNS if name == table]
    rows = log.held.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}").all()
    row = dict(zip(columns, data.draw(st.sampled_from(rows)), strict=True))
    key = [row[name] for name in KEYS[table]]
    where = " AND ".join(f"{name} IS ?" for name in KEYS[table])
    if data.draw(st.booleans()):
        with log.change(f"DELETE FROM {table} WHERE {where}", *key):
            assert tells(named(log), table), f"{table} {key} is gone"
        return
    place = data.draw(st.sampled_from(KEYS[table]))
    row[place] = row[place] + 1000 if isinstance(row[place], int) else f"{row[place]}x"
    marks = ", ".join("?" * len(columns))
    with log.change(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *row.values()):
        assert tells(named(log), table), f"{table} {key} stands there as {row[place]}, too"


def test_a_text_that_is_no_text_any_more_is_named_with_its_row(log: Tampered) -> None:
    with log.change("UPDATE message SET text = CAST(x'4cff74' AS TEXT) WHERE round = 1 AND agent = 0 AND place = 0"):
        faults = [fault for fault in verify(log).faults if fault.table == "message"]
    assert {fault.row for fault in faults} == {"round 1, turn 0, agent 0, place 0"}
    assert "text is 'L\\udcfft'" in faults[0].what


def test_a_run_whose_id_is_no_text_is_named(log: Tampered) -> None:
    with log.change("UPDATE run SET id = x'' WHERE id LIKE '%mock'"):
        assert "run" in named(log)


@pytest.mark.parametrize("header", ["PRAGMA user_version = 7", "PRAGMA application_id = 7"])
def test_a_header_that_this_program_does_not_write_is_found(log: Tampered, header: str) -> None:
    with log.change(header):
        assert "file" in named(log)


def test_it_says_of_each_invariant_how_many_rows_it_was_asked_of(log: Tampered) -> None:
    checked = verify(log).checked
    events, calls = len(log.frame("event")), len(log.frame("model_call"))
    assert checked["I9"] == checked["I11"] == events and checked["I3"] == checked["I15"] == calls
    assert checked["I10"] == calls + len(log.frame("session"))
    assert checked["I4"] == len(log.frame("outcome")) and checked["I16"] == 1
    assert {f"I{n}" for n in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16)} == set(checked)
