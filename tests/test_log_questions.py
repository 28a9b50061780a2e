"""The ready questions to a log: each runs as it stands, on both databases, on the page and in datasette."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from handmade_run import events, play

from society.cli import main
from society.log import Log, open_log
from society.log.datasette import metadata
from society.log.questions import QUESTIONS, as_page

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def log(tmp_path: Path):
    with open_log(tmp_path / "society.db") as opened:
        writer = opened.start_run(events("openai:large")[0])
        await play(writer, events("openai:large"))
        await writer.finish("completed")
        yield opened


def answers(log: Log) -> dict[str, list[dict]]:
    run = log.find("last").id
    return {q.name: log.sql(q.sql, {"run": run} if q.of_one_run else None).rows() for q in QUESTIONS}


def test_every_question_has_an_answer_in_a_log_that_holds_it(log: Log) -> None:
    run = log.find("last").id
    agents = log.frame("agent", run=run).column("name")
    terms = {"run_id": run, "round": 0, "agent": 0, "yardstick": "goal", "chain": "causal", "term": "surprise", "mode": "myopic", "value": 3.0, "value_text": "3", "exact": True, "defaulted": False}  # fmt: skip
    share = {"run_id": run, "round": 1, "agent": 0, "yardstick": "goal", "cause": 1, "mode": "myopic", "method": "exact", "orders": 0, "value": 3.0, "value_text": "3", "defaulted": False}  # fmt: skip
    log.store(run, "gap_term", [terms])
    log.store(run, "surprise_share", [share])
    found = answers(log)
    assert {name for name, rows in found.items() if not rows} <= {"unfinished", "survival"}
    assert found["who_surprised_whom"] == [{"surprised": agents[0], "cause": agents[1], "share": 3.0, "rounds": 1}]
    assert found["stock"][0] == {
        key: found["stock"][0][key] for key in ("round", "stock_before", "requested", "granted", "stock_after")
    }
    assert [row["heard_by"] for row in found["whispers"]] == ["Ben"]


def test_a_judgement_of_others_is_compared_with_what_they_asked_for(log: Log) -> None:
    """Ann expected 18 of the others in the first round, and they took 20 + 0."""
    rows = [r for r in log.frame("intent_outcome").rows() if r["expected_of_others"] is not None]
    by_hand = []
    for row in rows:
        others = [r["executed"] for r in log.frame("intent_outcome").rows() if r["round"] == row["round"] and r["agent"] != row["agent"]]  # fmt: skip
        if None not in others:
            by_hand.append(sum(others) - row["expected_of_others"])
    (answer,) = answers(log)["misjudged_others"]
    assert answer["judgements"] == len(by_hand) > 0
    assert answer["mean_error"] == pytest.approx(sum(by_hand) / len(by_hand))


def test_the_page_holds_the_questions_as_they_run() -> None:
    """`GOLDEN=write` writes the page anew."""
    page = ROOT / "docs/questions.md"
    if os.environ.get("GOLDEN") == "write":
        page.write_text(as_page())
    assert page.read_text() == as_page()


async def test_datasette_shows_the_tables_with_descriptions_labels_and_the_questions(log: Log) -> None:
    datasette = pytest.importorskip("datasette.app", reason="datasette is not installed")
    assert log.place.file is not None
    shown = datasette.Datasette([str(log.place.file)], metadata=metadata("society"))
    try:
        await shown.invoke_startup()
        run = log.find("last")
        front = await shown.client.get("/society")
        assert front.status_code == 200 and all(
            question.asks in front.text.replace("&#39;", "'") for question in QUESTIONS
        )
        for question in QUESTIONS:
            address = f"/society/{question.name}.json?_shape=array" + (f"&run={run.id}" if question.of_one_run else "")
            answer = await shown.client.get(address)
            assert answer.status_code == 200, (question.name, answer.text[:500])
            assert len(answer.json()) == len(answers(log)[question.name])
        action = await shown.client.get("/society/action.json?_shape=objects&_labels=on")
        assert action.json()["rows"][0]["run_id"] == {"value": run.id, "label": run.name}
        page = await shown.client.get("/society/intent_outcome")
        assert "the amount it privately said it would choose" in page.text
    finally:
        shown.executor.shutdown()
        for database in shown.databases.values():
            database.close()


def test_the_command_writes_the_metadata_for_the_file(log: Log, tmp_path: Path, capsys) -> None:
    assert main(["db", "datasette", "--log", str(log.place.file), "-o", str(tmp_path / "m.json")]) == 0
    assert f"datasette -m {tmp_path / 'm.json'} {log.place.file}" in capsys.readouterr().err
    assert json.loads((tmp_path / "m.json").read_text()) == metadata("society")
    assert main(["db", "datasette", "--log", "sqlite://"]) == 2
    assert "society export" in capsys.readouterr().err
