"""No committed answer is asked for again, and a resumed run that differs says where."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_run import events, first_round, manifest, play, question, reply
from sqlalchemy import Connection

from society.core.calls import ChatMessage, Position
from society.core.errors import BadInput, Diverged, LogUnusable
from society.log import Log, RunWriter, open_log
from society.log.committer import Committer, Job, insert

HERE = Position(1, "act", 0, 0)


@pytest.fixture
def log(tmp_path: Path):
    with open_log(tmp_path / "society.db") as opened:
        yield opened


def begun(log: Log) -> RunWriter:
    return log.start_run(manifest("openai:large"))


async def left(log: Log, *, at: int = 10) -> RunWriter:
    """A run that was left after so many events, with one answer in the journal and one question open."""
    writer = begun(log)
    await writer.stage(tuple(events("openai:large")[:at]))
    asked = question(HERE)
    await writer.answered(asked, await writer.issue(asked, reserved_usd=0.5), reply())
    await writer.issue(question(replace(HERE, agent=1)), reserved_usd=0.5)
    await writer.finish("interrupted", "Ctrl-C")
    return writer


async def test_a_question_is_on_disk_before_it_is_sent_and_its_answer_before_it_is_read(log: Log) -> None:
    writer, asked = begun(log), question(HERE)
    assert writer.recall(asked) is None
    issue = await writer.issue(asked, reserved_usd=0.5)
    with open_log(log.place.file or "") as other:
        assert [(c.status, c.issue, c.reserved_usd, c.raw) for c in other.calls()] == [("issued", 0, 0.5, None)]
        await writer.answered(asked, issue, reply())
        assert [(c.status, c.finish, c.text) for c in other.calls()] == [("answered", "stop", '{"action": 12}')]
        assert other.calls()[0].request_hash == asked.hash
    await writer.finish("interrupted")


async def test_a_stage_that_nobody_waits_for_is_on_disk_before_the_next_question_is_sent(log: Log) -> None:
    writer = begun(log)
    await writer.stage((manifest("openai:large"), *first_round()), wait=False)
    await writer.issue(question(replace(HERE, round=2)), reserved_usd=0.5)
    with open_log(log.place.file or "") as other:
        assert len(other.stored(writer.run_id)) == 1 + len(first_round())
    await writer.finish("interrupted")


async def test_stages_that_follow_each_other_wait_for_no_disk_until_the_next_question(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, let_go, commit = begun(log), threading.Event(), Committer._commit
    await writer.stage((manifest("openai:large"),))

    def held(self: Committer, jobs: Sequence[Job]) -> None:
        assert let_go.wait(60)
        commit(self, jobs)

    monkeypatch.setattr(Committer, "_commit", held)
    for event in first_round():
        await writer.stage((event,), wait=False)  # comes back, though nothing gets to the disk
    with open_log(log.place.file or "") as other:
        assert len(other.stored(writer.run_id)) == 1
        let_go.set()
        await writer.issue(question(replace(HERE, round=2)), reserved_usd=0.5)
        assert len(other.stored(writer.run_id)) == 1 + len(first_round())
    await writer.finish("interrupted")


async def test_what_goes_wrong_with_a_stage_that_nobody_waits_for_stops_the_next_question(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = begun(log)

    def refuse(connection: Connection, rows: Iterable[object]) -> None:
        raise LogUnusable("the disk burns")

    monkeypatch.setattr("society.log.committer.insert", refuse)
    await writer.stage((manifest("openai:large"), *first_round()), wait=False)
    with pytest.raises(LogUnusable, match="burns"):
        await writer.issue(question(replace(HERE, round=2)), reserved_usd=0.5)
    monkeypatch.undo()
    await writer.finish("failed", "the disk burns")
    assert log.find(writer.run_id).status == "failed" and not log.calls()


async def test_questions_that_come_while_a_commit_is_on_its_way_go_to_disk_together(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, sizes, commit = begun(log), list[int](), Committer._commit

    def counted(self: Committer, jobs: Sequence[Job]) -> None:
        sizes.append(len(jobs))
        commit(self, jobs)

    monkeypatch.setattr(Committer, "_commit", counted)
    asked = [question(replace(HERE, round=number)) for number in range(1, 101)]
    await asyncio.gather(*(writer.issue(one, reserved_usd=0.5) for one in asked))
    assert sum(sizes) >= 100 and len(sizes) < 50
    await writer.finish("interrupted")


async def test_a_committed_answer_is_recalled_and_an_open_question_is_tried_again(log: Log) -> None:
    first = await left(log)
    writer = log.resume_run(first.run_id)
    recalled = writer.recall(question(HERE))
    assert recalled == replace(reply(), cached=True)
    open_question = question(replace(HERE, agent=1))
    assert writer.recall(open_question) is None
    assert await writer.issue(open_question, reserved_usd=0.5) == 1
    await writer.answered(open_question, 1, reply())
    await writer.finish("interrupted")
    assert [(c.agent, c.issue, c.status) for c in log.calls()] == [
        (0, 0, "answered"),
        (1, 0, "issued"),
        (1, 1, "answered"),
    ]
    assert log.verify().sound


async def test_another_question_at_a_journalled_position_stops_with_a_diff(log: Log) -> None:
    writer = log.resume_run((await left(log)).run_id)
    other = replace(question(HERE), messages=(*question(HERE).messages[:2], ChatMessage("user", "Take it all.")))
    with pytest.raises(Diverged, match="round 1, act, turn 0, agent 0") as shown:
        writer.recall(other)
    assert "-Round 1, act." in str(shown.value) and "+Take it all." in str(shown.value)
    with pytest.raises(Diverged, match="the messages are the same"):
        writer.recall(replace(question(HERE), model="openai:small"))
    writer.abandon()


async def test_a_resumed_run_ends_as_an_uninterrupted_one(log: Log) -> None:
    told = events("openai:large")
    whole = begun(log)
    await play(whole, told)
    await whole.finish("completed")
    writer = log.resume_run((await left(log)).run_id)
    open_question = question(replace(HERE, agent=1))
    await writer.answered(open_question, await writer.issue(open_question, reserved_usd=0.5), reply())
    for event in told:
        await writer.stage((event,))
    await writer.finish("completed")
    assert log.find("last").head == whole.head == writer.head
    assert list(log.events("last")) == told
    assert log.verify().sound
    for table in (
        "message",
        "intent",
        "prediction",
        "action",
        "decision",
        "outcome",
        "payoff",
        "sanction",
        "coalition_member",
    ):
        rows = [[row[1:] for row in log.frame(table, run=run).values] for run in (whole.run_id, writer.run_id)]
        assert rows[0] == rows[1], table


async def test_an_event_that_differs_from_the_stored_one_is_shown(log: Log) -> None:
    told = events("openai:large")
    writer = log.resume_run((await left(log)).run_id)
    await writer.stage(tuple(told[:7]))
    with pytest.raises(Diverged, match="event 7 is not the one the log holds") as shown:
        await writer.stage((replace(told[7], legal=11),))
    assert '- "legal": 12,' in str(shown.value) and '+ "legal": 11,' in str(shown.value)
    writer.abandon()
    assert len(log.events()) == 10


async def test_a_finished_run_cannot_be_resumed(log: Log) -> None:
    writer = begun(log)
    await play(writer, events("openai:large"))
    await writer.finish("completed")
    with pytest.raises(BadInput, match="is completed; there is nothing to go on with"):
        log.resume_run("last")


async def test_a_second_writer_of_a_run_is_refused_and_told_who_owns_it(log: Log) -> None:
    writer = begun(log)
    with (
        open_log(log.place.file or "") as other,
        pytest.raises(LogUnusable, match=rf"run {writer.run_id} is being written by process \d+"),
    ):
        other.resume_run(writer.run_id)
    await writer.stage((manifest("openai:large"), *first_round()))
    await writer.finish("paused", "the budget is spent")
    again = log.resume_run(writer.run_id)
    assert log.find("last").status == "running"
    again.abandon()
    assert log.find("last").status == "interrupted"


async def test_failed_tries_are_kept_with_what_came_instead(log: Log) -> None:
    writer, asked = begun(log), question(HERE)
    for number in range(3):
        assert await writer.issue(asked, reserved_usd=None) == number
        await writer.failed(asked, number, f"503 \x00 {number}", raw=b"<html>")
    await writer.finish("paused")
    assert [(c.issue, c.status, c.error, c.raw) for c in log.calls()] == [
        (n, "failed", f"503 \x00 {n}", b"<html>") for n in range(3)
    ]
    assert await log.resume_run("last").issue(asked, reserved_usd=None) == 3


async def test_calls_of_free_models_are_written_with_their_stage(log: Log) -> None:
    writer = log.start_run(manifest("mock:greedy"))
    asked = question(HERE, "mock:greedy")
    await writer.answered(asked, await writer.issue(asked, reserved_usd=None), reply(usd=0))
    await writer.stage((manifest("mock:greedy"),))
    await writer.finish("interrupted")
    assert [c.status for c in log.calls()] == ["answered"]
    resumed = log.resume_run("last")
    assert resumed.recall(asked) is not None
    resumed.abandon()


def test_any_number_of_rows_is_written_by_a_few_statements(tmp_path: Path) -> None:
    with open_log(tmp_path / "society.db") as log:
        told: set[int] = set()

        def prepare(job: Job) -> None:
            def write(connection: Connection) -> None:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.set_trace_callback(lambda statement: told.add(statement.partition(" VALUES ")[2].count("),")))
                for rows in range(1, 200):
                    insert(connection, [("answer_schema", (f"{rows} {k}", "{}")) for k in range(rows)])

            job.updates.append(write)

        log.write(prepare)
        assert told == {0, 1, 3, 7, 15, 31}, told
        assert log.sql("SELECT COUNT(*) AS n FROM answer_schema").rows()[0]["n"] == sum(range(1, 200))
