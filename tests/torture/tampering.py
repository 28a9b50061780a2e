"""A log of runs that ended and one that was left, changed behind its back: any change that a hand or a bad disk can make is found by `verify`."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import society
from society.core.errors import Paused, SocietyError
from society.core.events import chain_next, chain_start, event_from_plain
from society.log import open_log
from society.log.tables import TABLES, columns_of, name_of
from society.playing import play
from society.scenario.model import Budget
from tests.torture.chaos import SCENARIOS, scratch
from tests.torture.tally import Tally

_KEYS = {name_of(t): [c.name for c in t.__table__.primary_key.columns] for t in TABLES}
_COLUMNS = {name_of(t): columns_of(t) for t in TABLES}


def tampering(tally: Tally, count: int) -> None:
    """So many changes, each to a copy of one log of three runs."""
    with tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name:
        original = Path(name) / "log.db"
        head = asyncio.run(_fill(original))
        for case in tally.cases(count):
            with tally.case(case) as luck:
                copy = Path(name) / "copy.db"
                shutil.copyfile(original, copy)
                what = tamper(copy, luck)
                tally.add("changes")
                tally.check(
                    case,
                    "invariant violations",
                    is_found(copy, head if what.startswith("rewritten") else None),
                    f"{what} is not found",
                )
            if tally.given_up:
                break


def is_found(path: Path, head: str | None = None) -> bool:
    """Whether a change to a log is found, or the log cannot be read at all any more."""
    try:
        with open_log(path) as log:
            return not log.verify("last" if head else None, head=head).sound
    except SocietyError:
        return True


async def _fill(path: Path) -> str:
    with open_log(path) as log:
        scenario = society.loads(SCENARIOS[0] + "name: tampering\nrounds: 2\n")
        bounded = scenario.model_copy(update={"budget": Budget(tokens=9000)})
        await play(scenario, model="mock:random", log=log, seed=1)
        with suppress(Paused):
            await play(bounded, model="mock:random", log=log, seed=2)
        await play(scenario, model="mock:random", log=log, seed=3)
        assert [run.status for run in log.runs()] == ["completed", "paused", "completed"]
        head = log.find("last").head
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return head


def tamper(path: Path, luck: random.Random, *, grafts: bool = True) -> str:
    """Make one change to a log; says which. After one that begins with "rewritten", only a head kept elsewhere tells.

    Args:
        grafts: rows of one run may come into another; there must be two then.
    """
    changes = {what: change for what, change in _CHANGES.items() if grafts or what != "grafted"}
    connection = sqlite3.connect(path)
    try:
        while True:
            what = luck.choices(list(changes), weights=[weight for weight, _ in changes.values()])[0]
            done = _CHANGES[what][1](connection, luck)
            if done:
                connection.commit()
                return f"{what}: {done}"
    finally:
        connection.close()


def _one(connection: sqlite3.Connection, luck: random.Random) -> tuple[str, int] | None:
    """A table that is not empty, and a row of it."""
    table = luck.choice(list(_COLUMNS))
    rows = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    return (table, luck.randrange(rows)) if rows else None


def _where(connection: sqlite3.Connection, table: str, place: int) -> tuple[str, tuple[object, ...]]:
    keys = _KEYS[table]
    row = connection.execute(
        f"SELECT {', '.join(keys)} FROM {table} ORDER BY {', '.join(keys)} LIMIT 1 OFFSET ?", (place,)
    ).fetchone()
    return " AND ".join(f"{key} IS ?" for key in keys), tuple(row)


def _edit(connection: sqlite3.Connection, luck: random.Random) -> str | None:
    found = _one(connection, luck)
    if found is None:
        return None
    table, place = found
    where, key = _where(connection, table, place)
    column = luck.choice(_COLUMNS[table])
    (old,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}", key).fetchone()
    new = _other(old, luck)
    try:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (new, *key))
    except sqlite3.IntegrityError:
        return None
    return f"{table}.{column} of {key}: {old!r:.60} is now {new!r:.60}"


def _other(old: object, luck: random.Random) -> object:
    if isinstance(old, int):
        return old + luck.choice((1, -1, 1000))
    if isinstance(old, float):
        return old + luck.choice((0.5, 1e-9))
    if isinstance(old, bytes | str) and old:
        at = luck.randrange(len(old))
        if isinstance(old, bytes):
            return old[:at] + bytes([old[at] ^ 1]) + old[at + 1 :]
        return old[:at] + ("y" if old[at] == "x" else "x") + old[at + 1 :]
    return "x" if isinstance(old, str) else b"x" if isinstance(old, bytes) else 1


def _delete(connection: sqlite3.Connection, luck: random.Random) -> str | None:
    found = _one(connection, luck)
    if found is None:
        return None
    where, key = _where(connection, *found)
    connection.execute(f"DELETE FROM {found[0]} WHERE {where}", key)
    return f"{found[0]} {key}"


def _swap(connection: sqlite3.Connection, luck: random.Random) -> str | None:
    """Two events, or two raw answers, change places."""
    table, column = luck.choice((("event", "body"), ("event", "hash"), ("model_call", "raw"), ("model_call", "text")))
    rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
    (one, first), (two, second) = luck.sample(rows, 2)
    if first == second:
        return None
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (second, one))
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (first, two))
    return f"{table}.{column} of rows {one} and {two}"


def _graft(connection: sqlite3.Connection, luck: random.Random) -> str | None:
    """A row of the first run takes the place of the second one's."""
    table = luck.choice([t for t, columns in _COLUMNS.items() if "run_id" in columns and t not in ("run", "event")])
    runs = [row[0] for row in connection.execute("SELECT id FROM run ORDER BY id")]
    columns = [column for column in _COLUMNS[table] if column != "run_id"]
    listed = ", ".join(columns)
    rows = [set(connection.execute(f"SELECT {listed} FROM {table} WHERE run_id = ?", (run,))) for run in runs]
    fresh = sorted(rows[0] - rows[1], key=repr)
    if not fresh:
        return None
    row = luck.choice(fresh)
    marks = ", ".join("?" * (len(columns) + 1))
    connection.execute(f"INSERT OR REPLACE INTO {table} (run_id, {listed}) VALUES ({marks})", (runs[1], *row))
    return f"{table} {row[:5]}"


def _cut(connection: sqlite3.Connection, luck: random.Random) -> str | None:
    """The last events are gone."""
    run, most = luck.choice(connection.execute("SELECT run_id, MAX(seq) FROM event GROUP BY run_id").fetchall())
    first = luck.randint(1, most)
    connection.execute("DELETE FROM event WHERE run_id = ? AND seq >= ?", (run, first))
    return f"from event {first} on"


def _recomputed(connection: sqlite3.Connection, luck: random.Random) -> str | None:
    """An action changed, and every hash after it made anew: found by the head, and by the rows that say otherwise."""
    import json

    (run,) = connection.execute("SELECT id FROM run ORDER BY started DESC, id DESC LIMIT 1").fetchone()
    rows = connection.execute("SELECT seq, body FROM event WHERE run_id = ? ORDER BY seq", (run,)).fetchall()
    acted = [seq for seq, body in rows if json.loads(body)["kind"] == "acted"]
    chosen, last = luck.choice(acted), ""
    for seq, body in rows:
        words = body
        if seq == chosen:
            words = body.replace('"error":""', '"error":"forged"', 1)
        last = chain_next(last, words) if seq else chain_start(event_from_plain(json.loads(words)))
        connection.execute("UPDATE event SET body = ?, hash = ? WHERE run_id = ? AND seq = ?", (words, last, run, seq))
    connection.execute("UPDATE run SET head = ? WHERE id = ?", (last, run))
    return f"event {chosen}"


Change = Callable[[sqlite3.Connection, random.Random], "str | None"]
_CHANGES: dict[str, tuple[int, Change]] = {
    "edited": (10, _edit),
    "deleted": (4, _delete),
    "swapped": (2, _swap),
    "grafted": (3, _graft),
    "cut off": (1, _cut),
    "rewritten with all hashes": (1, _recomputed),
}
"""By name: how often, and what it does; None where it would change nothing."""
