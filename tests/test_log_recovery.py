"""A database that is locked, goes away or breaks off in the middle of a commit: waited for, looked up, or left resumable."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import count

import pytest
from handmade_run import events, first_round, manifest, play, question, reply
from postgres_server import Cluster, fresh_database, why_not
from sqlalchemy import create_engine

from society.core.calls import Position
from society.core.errors import LogUnusable, Paused
from society.log import open_log

HERE = Position(1, "act", 0, 0)
_numbers = count(1)
needs_postgres = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")


@contextlib.contextmanager
def locked(path):
    """Somebody else holds the whole file."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other
    finally:
        other.close()


async def test_a_lock_that_is_given_back_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("society.log.database.LOCKED_SECONDS", 0.01)
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        with locked(tmp_path / "s.db"):
            told = asyncio.ensure_future(writer.stage((manifest("openai:large"), *first_round())))
            await asyncio.wait({told}, timeout=0.3)
            assert not told.done()
        await told
        await writer.finish("interrupted")
        assert log.verify().sound


async def test_a_lock_that_is_held_for_ever_pauses_the_run_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("society.log.database.LOCKED_SECONDS", 0.01)
    monkeypatch.setattr("society.log.writer.LAST_PATIENCE", 0.05)
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        log._writing.patience = 0.2
        await writer.stage((manifest("openai:large"),))
        asked = question(HERE)
        issue = await writer.issue(asked, reserved_usd=1)
        await writer.answered(asked, issue, reply())
        with locked(tmp_path / "s.db"):
            with pytest.raises(Paused, match="locked by another program"):
                await writer.stage(tuple(first_round()))
            with pytest.raises(Paused):
                await writer.issue(question(Position(1, "act", 0, 1)), reserved_usd=1)
            await writer.finish("paused", "locked")
        assert log.find("last").status == "interrupted" and log.find("last").resumable
        again = log.resume_run("last")
        assert again.recall(asked) is not None
        await again.stage(tuple(events("openai:large")))
        await again.finish("completed")
        assert log.verify().sound


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.started() as running:
        yield running


@pytest.fixture
def url(cluster):
    return fresh_database(cluster.url, f"society_r{next(_numbers)}")


def terminate(url, which="state <> 'none'"):
    """End sessions of this database, as a server does that is told to stop."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        ended = connection.exec_driver_sql(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND ({which})"
        ).scalar()
    engine.dispose()
    return ended


@pytest.mark.postgres
@needs_postgres
async def test_a_run_goes_on_when_the_server_ends_its_sessions(url):
    with open_log(url) as log, open_log(url) as other:
        told = events("openai:large")
        writer = log.start_run(told[0])
        for place, event in enumerate(told):
            assert terminate(url) if place % 3 == 1 else True
            await writer.stage((event,))
            asked = question(Position(1, "talk", place, 0))
            issue = await writer.issue(asked, reserved_usd=0.1)
            if place % 4 == 2:
                terminate(url)
            await writer.answered(asked, issue, reply())
            if place % 3 == 1:
                with pytest.raises(LogUnusable, match="being written by process"):
                    other.resume_run("last")
        await writer.finish("completed")
        assert log.find("last").status == "completed" and log.verify().faults == ()


@pytest.mark.postgres
@needs_postgres
async def test_a_run_goes_on_when_the_server_is_started_anew(url, cluster):
    with open_log(url) as log:
        told = events("openai:large")
        writer = log.start_run(told[0])
        await writer.stage(tuple(told[:4]))
        cluster.stop()
        waiting = asyncio.ensure_future(writer.stage(tuple(told[4:])))
        await asyncio.wait({waiting}, timeout=0.3)
        assert not waiting.done()
        cluster.start()
        await waiting
        await writer.finish("completed")
        assert log.verify().faults == ()


@pytest.mark.postgres
@needs_postgres
async def test_a_server_that_stays_away_pauses_the_run(url, cluster, monkeypatch):
    monkeypatch.setattr("society.log.writer.LAST_PATIENCE", 0.05)
    with open_log(url) as log:
        told = events("openai:large")
        writer = log.start_run(told[0])
        await writer.stage(tuple(told[:4]))
        log._writing.patience = 0.2
        cluster.stop()
        try:
            with pytest.raises(Paused, match="does not answer"):
                await writer.stage(tuple(told[4:]))
            await writer.finish("paused")
        finally:
            cluster.start()
    with open_log(url) as log:
        assert log.find("last").status == "interrupted"
        again = log.resume_run("last")
        await play(again, told)
        await again.finish("completed")
        assert log.verify().faults == ()


@pytest.mark.postgres
@needs_postgres
@pytest.mark.parametrize("carried_out", [True, False], ids=["the commit was carried out", "it was not"])
async def test_a_commit_nobody_heard_the_end_of_is_looked_up(url, monkeypatch, carried_out):
    """The connection breaks just before or just after the server commits; the rows stand there once either way."""
    with open_log(url) as log:
        told = events("openai:large")
        writer = log.start_run(told[0])
        await writer.stage((told[0],))
        dialect = log._writing.engine.dialect
        real, broken = dialect.do_commit, []

        def commit(connection):
            if not broken:
                if carried_out:
                    real(connection)
                broken.append(connection)
                connection.dbapi_connection.close()
            real(connection)  # fails: the connection is closed

        monkeypatch.setattr(dialect, "do_commit", commit)
        await writer.stage(tuple(told[1:]))
        monkeypatch.undo()
        await writer.finish("completed")
        assert broken and log.verify().faults == ()


@pytest.mark.postgres
@needs_postgres
async def test_a_run_that_was_taken_meanwhile_is_left_to_whoever_has_it(url):
    with open_log(url) as log, open_log(url) as other:
        told = events("openai:large")
        writer = log.start_run(told[0])
        await writer.stage(tuple(told[:4]))
        assert terminate(url, "query LIKE '%%pg_backend_pid%%' OR query LIKE '%%pg_try_advisory%%'")
        thief = other.resume_run("last")
        with pytest.raises(LogUnusable, match="taken by another process"):
            await writer.stage(tuple(told[4:]))
        await play(thief, told)
        await thief.finish("completed")
        assert other.find("last").status == "completed" and other.verify().faults == ()


@pytest.mark.postgres
@needs_postgres
async def test_transactions_that_cannot_be_put_in_order_are_tried_again(url):
    """Many runs of several processes' worth of logs write at once; a deadlock or a failed order is nobody's end."""
    logs = [open_log(url) for _ in range(4)]

    async def one(log, seed):
        told = [manifest("openai:large", seed=seed), *events("openai:large")[1:]]
        writer = log.start_run(told[0])
        await play(writer, told)
        await writer.finish("completed")

    await asyncio.gather(*(one(log, seed) for seed, log in enumerate(logs)))
    assert logs[0].verify().faults == () and len(logs[0].runs()) == 4
    for log in logs:
        log.close()
