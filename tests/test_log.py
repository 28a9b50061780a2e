"""Runs are written, read back and asked in SQL."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_run import events, first_round, manifest, play, question, reply
from hypothesis import given
from hypothesis import strategies as st

from society.core.calls import Position
from society.core.errors import BadInput, LogCorrupt
from society.core.events import RunEnded
from society.log import Log, open_log
from society.log.text import Redaction, original_text, storable_text

TABLES = (
    "action agent answer_schema coalition coalition_member decision derived dictionary event gap_term intent log_info message "
    "message_recipient metric model_call outcome payoff prediction price prompt proposal rule_event run sanction session stage_value "
    "surprise_share transfer vote"
)
INTENT_OUTCOME = (
    "run scenario seed run_status round agent seat model meant expected_of_others forecast desired announced announced_amount "
    "submitted legal executed requested granted payoff material total stock_before stock_after welfare collapsed coalition "
    "intent_status action_status defaulted_as predicted meant_text announced_text submitted_text executed_text"
)


@pytest.fixture
async def log(tmp_path: Path):
    with open_log(tmp_path / "society.db") as opened:
        writer = opened.start_run(manifest("openai:large"), command="society run lake")
        await play(writer, events("openai:large"))
        await writer.finish("completed")
        yield opened


async def test_stored_events_are_the_events(log: Log) -> None:
    assert list(log.events()) == events("openai:large")
    assert log.episode("last").head == log.find("last").head


async def test_runs_stand_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    with open_log(tmp_path / "many.db") as many:
        for _ in range(6):
            writer = many.start_run(manifest("mock:greedy"), command="society run lake")
            await play(writer, events("mock:greedy"))
            await writer.finish("completed")
        begun = [run.started for run in many.runs()]
        assert begun == sorted(begun) and len(set(begun)) > 1
        assert many.runs()[-1].id == many.find("last").id


async def test_the_view_answers_without_reading_code(log: Log) -> None:
    rows = log.frame("intent_outcome").rows()
    assert list(rows[0]) == INTENT_OUTCOME.split()
    wanted = ("round", "agent", "meant", "expected_of_others", "forecast", "submitted", "executed", "granted", "payoff")
    assert [tuple(row[name] for name in wanted) for row in rows] == [
        (1, "Ann", 5, 18, 5.5, 12, 12, 12, 12),
        (1, "Ben", 20, 16, None, None, 20, 20, 17),  # 1/4 (5 + 8) + 3/4 (9 + 8) = 16; "20" was no number
        (1, "Cy", None, None, None, None, 0, 0, 0),
        (2, "Ann", None, None, None, 60, 60, 46, 46),
        (2, "Ben", None, None, None, 60, 60, 46, 46),
        (2, "Cy", None, None, None, 10, 10, 8, 8),
    ]
    ann, ben, cy = rows[:3]
    assert ann["announced"] == "Let us take 5 each." and cy["announced"] is None and ann["announced_amount"] is None
    assert ben["announced"] == "Fine by me.\nCy: I agree"
    assert (ann["total"], ann["stock_before"], ann["stock_after"], ann["welfare"]) == (32, 100, 100, 29)
    assert (ann["coalition"], ben["coalition"], cy["coalition"]) == ("pact", "pact", None)
    assert (cy["intent_status"], cy["action_status"], cy["defaulted_as"]) == ("defaulted", "defaulted", "abstain")
    assert json.loads(ann["predicted"]) == {"Ben": 10, "Cy": 8}
    assert (ben["submitted_text"], ann["meant_text"], ann["desired"]) == ('"20"', "5", 9)
    assert (ann["scenario"], ann["seed"], ann["run_status"], ann["model"]) == ("lake", 1, "completed", "openai:large")


async def test_every_table_and_view_has_the_promised_name_and_a_meaning(log: Log, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "society.db") as connection:
        held = connection.execute(
            "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')"
        ).fetchall()
        meanings = {(t, c): m for t, c, m in connection.execute("SELECT * FROM dictionary")}
        columns = {name: [row[1] for row in connection.execute(f"PRAGMA table_xinfo({name})")] for name, *_ in held}
    connection.close()
    assert sorted(name for name, kind, _ in held if kind == "table") == TABLES.split()
    assert {name for name, kind, _ in held if kind == "view"} == {
        "intent_outcome",
        "run_summary",
        "conversation",
        "call_cost",
    }
    for name, kind, sql in held:
        assert meanings[name, ""]
        for column in columns[name]:
            assert len(meanings[name, column]) > 3, (name, column)
            assert kind == "view" or f"/* {meanings[name, column]} */" in sql


async def test_rows_of_governance_stand_in_their_tables(log: Log) -> None:
    def rows(table: str, *columns: str) -> list[tuple]:
        return [tuple(row[c] for c in columns) for row in log.frame(table, run="last").rows()]

    assert rows("sanction", "source", "by_agent", "target", "amount", "rule") == [
        ("decision", 0, 1, 3, "peer_sanction"),
        ("rule", None, 1, 3, "quota"),
    ]
    assert rows("vote", "agent", "item", "choice") == [(1, "vote", "yes")]
    assert rows("proposal", "event", "agent", "others", "amount") == [("propose", 0, "[]", None)]
    assert rows("transfer", "payer", "payee", "amount_text") == [(1, None, "3")]
    assert rows("coalition_member", "coalition", "agent") == [("pact", 0), ("pact", 1)]
    assert rows("rule_event", "event", "amount_text") == [("violation", "21/2"), ("sanction", "3"), ("propose", None)]
    assert rows("prediction", "agent", "other", "amount", "action_text")[:4] == [
        (0, 1, 10, "10"),
        (0, 2, 8, "8"),
        (1, 0, 8, None),
        (1, 2, 8, None),
    ]
    assert rows("message_recipient", "agent", "recipient") == [(0, 1)]
    assert log.frame("conversation").column("heard_by") == ["everybody", "Ben", "everybody"]


async def test_unstorable_text_comes_back_as_it_was(log: Log) -> None:
    stored = log.sql("SELECT text FROM intent WHERE agent = 2").rows()[0]["text"]
    assert stored == "gibberish \x00\ud800"
    assert log.calls("last")[-1].text == "no \x00 \ud800 JSON"


@given(st.text(st.characters(exclude_categories=())))
def test_storable_text_loses_nothing(text: str) -> None:
    stored = storable_text(text)
    assert original_text(stored) == text
    assert "\x00" not in stored
    stored.encode()


async def test_the_run_counts_what_it_used(log: Log) -> None:
    run = log.find("last")
    assert (run.status, run.rounds_played, run.rounds_planned, run.calls, run.calls_unpriced) == (
        "completed",
        2,
        2,
        4,
        1,
    )
    assert (run.usd, run.tokens_in, run.tokens_out, run.events) == (0.75, 400, 40, 24)
    assert (run.scenario, run.models, run.command, run.resumable) == ("lake", "openai:large", "society run lake", False)
    summary = log.frame("run_summary").rows()[0]
    assert (summary["collapsed_in"], summary["final_stock"], summary["welfare"], summary["defaulted"]) == (2, 0, 129, 1)


async def test_a_run_is_found_by_id_prefix_name_or_last(log: Log) -> None:
    run = log.find("last")
    for ref in (run.id, run.id[:20], run.name, run.id.partition("-")[2], "-".join(run.name.split("-")[:2])):
        assert log.find(ref).id == run.id
    with pytest.raises(BadInput, match="no run 'nonesuch'"):
        log.find("nonesuch")
    await log.start_run(manifest()).finish("interrupted")
    assert len(log.runs()) == 2 and log.find("last").id != run.id
    with pytest.raises(BadInput, match="2 runs match"):
        log.find("2")
    assert [r.id for r in log.runs(model="openai:large", scenario="lake", status="completed")] == [run.id]


async def test_prompts_are_stored_once_and_come_back_whole(log: Log) -> None:
    calls = log.calls("last")
    assert [(c.agent, c.attempt, c.issue, c.status) for c in calls] == [
        (0, 0, 0, "answered"),
        (1, 0, 0, "failed"),
        (1, 0, 1, "answered"),
        (2, 0, 0, "answered"),
        (2, 1, 0, "answered"),
    ]
    assert log.prompt(calls[4]) == [
        ("system", "You are Cy."),
        ("user", "The lake holds 100 fish."),
        ("user", "That was no JSON."),
        ("user", "Round 1, act."),
    ]
    assert len(log.frame("prompt")) == 3 * 3 + 2  # three agents of three messages, and the two of the second attempt
    assert len(log.frame("answer_schema")) == 1
    assert calls[1].raw == b"busy" and calls[2].raw == b'\xff\x00{"action": 12}'


async def test_a_frame_shows_itself_and_turns_into_polars(log: Log) -> None:
    frame = log.frame("message")
    assert "&lt;" not in frame._repr_html_() and ">text</th>" in frame._repr_html_()
    polars = pytest.importorskip("polars")
    assert isinstance(frame.to_polars(), polars.DataFrame) and frame.to_polars().height == 3
    with pytest.raises(BadInput, match="did you mean 'message'"):
        log.frame("mesage")


async def test_a_frame_turns_into_pandas_by_itself_and_by_polars(log: Log) -> None:
    pytest.importorskip("pandas")
    frame = log.frame("message")
    assert list(frame.to_pandas()["text"]) == list(frame.to_polars().to_pandas()["text"])


async def test_results_are_kept_under_a_digest(log: Log) -> None:
    log.store("last", "metric", [{"name": "gini", "without_defaulted": False, "value": float("nan"), "unit": "0 to 1"}])
    log.store("last", "metric", [{"name": "gini", "without_defaulted": False, "value": 0.5, "unit": "0 to 1"}])
    assert [(row["name"], row["value"], row["numerator"]) for row in log.frame("metric").rows()] == [
        ("gini", 0.5, None)
    ]
    with pytest.raises(BadInput, match="did you mean 'value'"):
        log.store("last", "metric", [{"valu": 1}])
    assert log.verify().sound


async def test_secrets_never_reach_the_log(tmp_path: Path) -> None:
    key = "sk-very-secret-123"
    told = events("openai:large")
    told[1] = type(told[1])(1, 0, 0, (type(told[1].messages[0])(None, f"my key is {key}!"),), "ok")
    with open_log(tmp_path / "s.db", secrets=[key]) as log:
        writer = log.start_run(manifest("openai:large"), command=f"society run --key {key}")
        await writer.stage(tuple(told[: 1 + len(first_round())]))
        await writer.finish("failed", f"refused: {key}")
        assert log.frame("message").column("text")[0] == "my key is [redacted]!"
        assert log.verify().sound
    for file in sorted(tmp_path.iterdir()):  # noqa: ASYNC240  # nothing else runs
        assert file.is_dir() or key.encode() not in file.read_bytes()


def test_short_values_are_no_secrets() -> None:
    assert not Redaction(["1234", ""])
    assert Redaction(['pass"word']).text('{"a": "pass\\"word"}') == '{"a": "[redacted]"}'


def test_a_secret_is_taken_out_of_json_within_json_as_well() -> None:
    key = 'sk-é"quoted\\'
    words = key
    for _ in range(3):
        words = json.dumps({"error": words})
        assert Redaction([key]).text(words).count("[redacted]") == 1


async def test_what_is_read_is_the_answer_without_secrets(tmp_path: Path) -> None:
    """A message clipped in the middle of a key would keep half of it, and a resumed run would read other words."""
    asked = question(Position(1, "act", 0, 0), "openai:large")
    with open_log(tmp_path / "s.db", secrets=["sk-very-secret"]) as log:
        writer = log.start_run(manifest("openai:large"))
        issue = await writer.issue(asked, reserved_usd=None)
        told = replace(reply("it is sk-very-secret"), served_model="tiny sk-very-secret")
        committed = await writer.answered(asked, issue, told)
        await writer.finish("interrupted")
        again = log.resume_run("last")
        recalled = again.recall(asked)
        again.abandon()
    assert committed.text == "it is [redacted]" and committed.served_model == "tiny [redacted]"
    assert recalled is not None and (recalled.text, recalled.raw) == (committed.text, committed.raw)


async def test_a_log_in_memory_works_alike() -> None:
    with open_log("sqlite://") as log:
        writer = log.start_run(manifest())
        await play(writer, events())
        await writer.finish("completed")
        assert len(log.frame("intent_outcome")) == 6 and log.verify().sound


async def test_readers_see_only_whole_stages_while_a_run_is_written(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log, open_log(tmp_path / "s.db") as other:
        writer = log.start_run(manifest("openai:large"))
        with other.connection() as reading:
            before = reading.exec_driver_sql("SELECT COUNT(*) FROM event").scalar()
            await writer.stage((manifest("openai:large"), *first_round()))
            assert reading.exec_driver_sql("SELECT COUNT(*) FROM event").scalar() == before == 1
        assert (other.find("last").status, len(other.frame("action"))) == ("running", 3)
        await writer.finish("interrupted", "Ctrl-C")
        assert other.find("last").status == "interrupted"


async def test_an_event_that_cannot_be_read_is_named(log: Log, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "society.db") as connection:
        connection.execute("UPDATE event SET body = '{}' WHERE seq = 3")
    connection.close()
    with pytest.raises(LogCorrupt, match="event 3 cannot be read"):
        log.events()


async def test_free_runs_do_not_wait_and_lose_nothing(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log:
        writers = [log.start_run(manifest(seed=seed)) for seed in range(5)]
        for seed, writer in enumerate(writers):
            told = [manifest(seed=seed), *first_round(), RunEnded("completed", "enough", 1)]
            await play(writer, told)
            await writer.finish("completed")
        assert len(log.runs(status="completed")) == 5
        assert len({run.head for run in log.runs()}) == 5
        assert log.verify().sound
