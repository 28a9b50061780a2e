"""Transactions that PostgreSQL itself gives up, because another program's stand in their way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest
from handmade_run import events, manifest, play, question, reply
from postgres_server import Cluster, fresh_database, why_not

from society.core.calls import Position
from society.log import committer, open_log

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")]
MODEL = "openai:large"
_numbers = count(1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.started() as running:
        yield running


@pytest.fixture
def url(cluster):
    return fresh_database(cluster.url, f"society_t{next(_numbers)}")


@pytest.fixture
def given_up(monkeypatch):
    """The codes with which the server gave up transactions of the log."""
    codes, locked = [], committer.is_locked

    def noted(problem):
        codes.append(getattr(problem.orig, "sqlstate", None))
        return locked(problem)

    monkeypatch.setattr(committer, "is_locked", noted)
    return codes


async def waits_for_a_lock(connection):
    """Until some session of this database waits for somebody else's lock."""
    sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        async for row in looks(connection, sql):
            if row[0]:
                return


async def looks(connection, sql):
    """What a question is answered with, again and again."""
    while True:
        yield await (await connection.execute(sql)).fetchone()


async def test_a_deadlock_with_another_program_is_nobodys_end(url, given_up):
    """It holds the run's row and wants a prompt the writer is inserting; the writer holds that and wants the row."""
    import psycopg

    asked = question(Position(1, "act", 0, 0), MODEL)
    with open_log("sqlite://") as elsewhere:
        await elsewhere.start_run(manifest(MODEL)).issue(asked, reserved_usd=None)
        prompts = elsewhere.sql("SELECT * FROM prompt WHERE before IS NULL")
    with open_log(url) as log:
        told = events(MODEL)
        writer = log.start_run(told[0])
        async with (
            await psycopg.AsyncConnection.connect(url) as other,
            await psycopg.AsyncConnection.connect(url, autocommit=True) as looking,
        ):
            await other.execute("SET deadlock_timeout = '1min'")  # the other one is not to be the one that is given up
            await other.execute("SELECT id FROM run FOR UPDATE")
            issued = asyncio.ensure_future(writer.issue(asked, reserved_usd=None))
            await waits_for_a_lock(looking)
            marks = ", ".join(["%s"] * len(prompts.columns))
            await other.execute(
                f"INSERT INTO prompt ({', '.join(prompts.columns)}) VALUES ({marks})", tuple(prompts.values[0])
            )
            await other.rollback()
            assert await issued == 0
        assert "40P01" in given_up
        await play(writer, told)
        await writer.finish("completed")
        assert log.verify().faults == ()


async def test_a_transaction_that_cannot_be_put_in_order_is_tried_again(url, given_up):
    """The keeper of the server wants repeatable reads; another program changes the run's row while the writer wants to."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as keeper:
        name = keeper.info.dbname
        await keeper.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
        with open_log(url) as log:
            told = events(MODEL)
            writer = log.start_run(told[0])
            await play(writer, told)
            async with await psycopg.AsyncConnection.connect(url) as other:
                await other.execute("UPDATE run SET reason = 'changed'")
                ended = asyncio.ensure_future(writer.finish("completed"))
                await waits_for_a_lock(keeper)
                await other.commit()
                await ended
            assert "40001" in given_up
            assert log.find("last").status == "completed" and log.verify().faults == ()


async def test_an_answer_is_safe_though_the_server_says_commits_before_they_are_on_disk(url, cluster):
    """Its keeper has set synchronous_commit = off, and then its power fails."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as keeper:
        await keeper.execute(f"ALTER DATABASE {keeper.info.dbname} SET synchronous_commit = off")
        await keeper.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        await keeper.execute("SELECT pg_reload_conf()")
    asked = [question(Position(1, "act", 0, seat), MODEL) for seat in range(3)]
    with open_log(url) as log:
        writer = log.start_run(manifest(MODEL))
        for one in asked:
            await writer.answered(one, await writer.issue(one, reserved_usd=None), reply())
        cluster.stop()
        cluster.start()
        writer.abandon()
    with open_log(url) as log:
        again = log.resume_run("last")
        assert all(again.recall(one) is not None for one in asked)
        again.abandon()
        assert log.verify().faults == ()
