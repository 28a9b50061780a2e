"""The processes that wrote a run: each with its budget and its end; and a run that was left proves itself like one that has ended."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from handmade_run import manifest, question, reply

from society import load, open_log, play
from society.core.calls import Position
from society.core.errors import LogCorrupt, Paused
from society.log.findings import Findings
from society.log.recovery import is_written
from society.log.used import Bill
from society.log.verify_sessions import budget_faults, most_in_flight
from society.models.budget import RunBudget
from society.playing import resume
from society.scenario.model import Budget

TOLD = "ordinal, status, budget_usd, budget_tokens, budget_minutes, ended IS NOT NULL, seconds >= 0"


def sessions(path: Path) -> list[tuple]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(f"SELECT {TOLD} FROM session ORDER BY run_id, ordinal").fetchall()
    connection.close()
    return found


def change(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount
    connection.close()


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    """A log with one run, which paused on its budget."""
    path = tmp_path / "s.db"
    with pytest.raises(Paused):
        await play(load("fishery", ["budget.tokens=6000"]), model="mock:sustainable", log=str(path))
    return path


async def test_each_process_stands_there_with_its_budget_and_its_end(left: Path) -> None:
    with pytest.raises(Paused):
        await resume("last", log=str(left), budget=Budget(tokens=9000, minutes="3/2"))
    run = await resume("last", log=str(left), budget=Budget())
    assert run.status == "completed"
    assert sessions(left) == [
        (0, "paused", None, 6000, None, 1, 1),
        (1, "paused", None, 9000, 1.5, 1, 1),
        (2, "completed", None, None, None, 1, 1),
    ]
    with open_log(left) as log:
        assert log.verify().faults == ()
        (summary,) = log.frame("run_summary").rows()
        assert summary["sessions"] == 3 and summary["seconds"] == pytest.approx(
            sum(log.frame("session").column("seconds"))
        )


async def test_of_a_process_that_was_killed_no_end_is_known(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_log(path) as log:
        writer = log.start_run(manifest("openai:large"))
        await writer.stage((manifest("openai:large"),))
        at = question(Position(1, "act", 0, 0))
        await writer.answered(at, await writer.issue(at, reserved_usd=0.5), reply())
        writer.abandon()
        again = log.resume_run("last", budget=Budget(usd=2))
        waited = log.sql("SELECT issued, ended FROM model_call").rows()[0]
        assert waited["issued"] <= waited["ended"] and 0 <= again.used.seconds < 60
        await again.finish("interrupted", "asked to stop")
        assert log.verify().faults == ()
    assert sessions(path) == [(0, None, None, None, None, 0, None), (1, "interrupted", 2.0, None, None, 1, 1)]


async def test_minutes_are_those_the_sessions_took_and_no_answer_is_needed_for_them(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_log(path) as log:
        writer = log.start_run(manifest("openai:large"))
        await writer.stage((manifest("openai:large"),))
        await writer.finish("interrupted")
        change(path, "UPDATE session SET seconds = 240.5", "UPDATE run SET seal = NULL")
        again = log.resume_run("last")
        assert again.used.seconds == 240.5
        again.abandon()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM model_call WHERE round = 1 AND agent = 0 AND stage = 'act'",
        "UPDATE model_call SET usd = 3 WHERE round = 1 AND agent = 0 AND stage = 'act'",
        "UPDATE run SET tokens_in = tokens_in + 1",
        "UPDATE run SET seal = NULL",
        "UPDATE run SET status = 'interrupted'",
        "UPDATE session SET budget_tokens = NULL",
        "UPDATE session SET ended = NULL",
        "DELETE FROM session",
        "DELETE FROM event WHERE seq = (SELECT MAX(seq) FROM event)",
        "UPDATE agent SET persona = 'a saint' WHERE seat = 0",
    ],
)
async def test_a_change_in_a_run_that_was_left_is_found(left: Path, statement: str) -> None:
    with open_log(left) as log:
        assert log.verify().faults == ()
        change(left, statement)
        assert not log.verify().sound


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM model_call WHERE round = 1 AND agent = 0 AND stage = 'act'",
        "DELETE FROM event WHERE seq = (SELECT MAX(seq) FROM event)",
        "UPDATE session SET budget_tokens = NULL",
    ],
)
async def test_a_run_that_was_changed_since_it_stopped_is_not_gone_on_with(left: Path, statement: str) -> None:
    change(left, statement)
    with pytest.raises(LogCorrupt, match=r"not as it was when it stopped.*society verify"):
        await resume("last", log=str(left), budget=Budget())
    with open_log(left) as log:  # and whoever looks at it then finds what was changed
        assert log.find("last").status == "paused" and not log.verify().sound


async def test_a_run_that_failed_has_a_seal_over_what_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_log(path) as log:
        writer = log.start_run(manifest("openai:large"))
        await writer.stage((manifest("openai:large"),))
        writer.failure = OSError("the disk is gone")
        await writer.finish("failed", "the disk is gone")
        run = log.find("last")
        assert (run.status, run.events, run.head) == ("failed", 1, writer.head) and run.seal
        assert log.verify().faults == ()


async def test_a_budget_that_was_not_kept_is_found_with_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunBudget, "_lacking", lambda *_: None)
    await play(
        load("fishery", ["budget.tokens=2000", "rounds=2"]), model="mock:sustainable", log=str(tmp_path / "s.db")
    )
    with open_log(tmp_path / "s.db") as log:
        used = log.sql("SELECT SUM(tokens_in + tokens_out) AS used FROM model_call").rows()[0]["used"]
        (fault,) = log.verify().faults
    assert (fault.table, fault.row) == ("session", "ordinal 0")
    assert fault.what.startswith(
        f"I10: it spent {used:g} tokens after 0 were spent, its budget is 2000, and its calls in flight"
    )


async def test_a_session_without_minutes_left_asks_nothing(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(left, "UPDATE session SET seconds = 300", "UPDATE run SET seal = NULL")
    monkeypatch.setattr(RunBudget, "_lacking", lambda *_: None)
    await resume("last", log=str(left), budget=Budget(minutes=5))
    with open_log(left) as log:
        (fault,) = log.verify().faults
    assert (fault.row, fault.what[:61]) == (
        "ordinal 1",
        "I10: 5 of its 5 minutes were over when it began, and it sent ",
    )


@pytest.mark.parametrize(
    ("spent", "sound"), [((0.5, 0.5, 0.5), True), ((0.5, 0.5, 0.25, 0.5), False), ((0.75, 0.75), True)]
)
def test_one_call_at_a_time_goes_at_most_one_call_beyond_the_budget(spent: tuple[float, ...], sound: bool) -> None:
    """A dollar may be spent, and the call in flight may have cost more than was set aside for it."""
    session = SimpleNamespace(
        ordinal=0, started="10:00", ended="11:00", seconds=60.0, budget_usd=1.0, budget_tokens=None, budget_minutes=None
    )
    tries = [Bill(f"10:{place:02}", f"10:{place:02}:30", True, usd, 0) for place, usd in enumerate(spent)]
    found = Findings()
    budget_faults([session], tries, found)
    assert (found.faults == []) is sound


def test_calls_are_in_flight_together_from_sending_to_answer() -> None:
    def bill(issued: str, ended: str | None) -> Bill:
        return Bill(issued, ended, True, 0.0, 0)

    assert most_in_flight([]) == 0
    assert most_in_flight([bill("1", "2"), bill("3", "4")]) == 1
    assert most_in_flight([bill("1", "4"), bill("2", "3"), bill("3", "5")]) == 3  # sent as another ended: together
    assert most_in_flight([bill("1", None), bill("2", None), bill("9", "9")]) == 3


async def test_a_commit_that_begins_a_session_is_known_again(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        row = writer.session.row()
        with log.connection() as connection:
            assert is_written(connection, [("session", row)])
            assert not is_written(connection, [("session", (row[0], 1, *row[2:]))])
            assert not is_written(connection, [("session", (*row[:-1], -1))])
        writer.abandon()
