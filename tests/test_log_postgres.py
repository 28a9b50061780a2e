"""The same log in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from handmade_run import events, first_round, manifest, play, question, reply
from postgres_server import fresh_database, running_server, why_not

from society.core.calls import Position
from society.core.errors import LogUnusable
from society.log import Log, open_log
from society.log.questions import QUESTIONS
from society.log.tables import PROJECTED, name_of
from society.log.views import VIEWS, create_view

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")]
HERE = Position(1, "act", 0, 0)
_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """A database of its own for each test."""
    return fresh_database(server, f"society_{next(_numbers)}")


async def whole_run(log: Log, model: str = "openai:large") -> str:
    writer = log.start_run(manifest(model))
    await play(writer, events(model))
    await writer.finish("completed")
    return writer.head


async def test_both_databases_hold_the_same_rows(url: str, tmp_path: Path) -> None:
    with open_log(url) as there, open_log(tmp_path / "s.db") as here:
        assert await whole_run(there) == await whole_run(here)
        assert list(there.events()) == list(here.events()) == events("openai:large")
        for name in ("intent_outcome", "conversation", *(name_of(table) for table in PROJECTED)):
            rows = [[tuple(row)[1:] for row in log.frame(name).values] for log in (there, here)]
            assert rows[0] == rows[1], name
        calls = [[(c.raw, c.text, c.request_hash, c.usd, c.issue) for c in log.calls()] for log in (there, here)]
        assert calls[0] == calls[1]
        assert there.verify().faults == ()


async def test_the_ready_questions_have_the_same_answers_in_both_databases(url: str, tmp_path: Path) -> None:
    with open_log(url) as there, open_log(tmp_path / "s.db") as here:
        runs = [await whole_run(log) and log.find("last").id for log in (there, here)]
        for question in QUESTIONS:
            answers = [
                [
                    {
                        name: float(value) if isinstance(value, Decimal) else value
                        for name, value in row.items()
                        if value not in runs
                        and name not in ("started", "seconds")  # the two were played one after the other
                    }
                    for row in log.sql(question.sql, {"run": run} if question.of_one_run else None)
                ]
                for log, run in zip((there, here), runs, strict=True)
            ]
            assert answers[0] == answers[1], question.name


async def test_comments_explain_the_tables_in_the_database_itself(url: str) -> None:
    with open_log(url) as log:
        await whole_run(log, "mock:greedy")
        told = log.sql("SELECT obj_description('run'::regclass) AS meaning").rows()
        assert told == [{"meaning": "one play of a scenario"}]


async def test_a_run_is_resumed_and_has_one_writer(url: str) -> None:
    with open_log(url) as log, open_log(url) as other:
        writer = log.start_run(manifest("openai:large"))
        asked = question(HERE)
        await writer.answered(asked, await writer.issue(asked, reserved_usd=0.5), reply("a \x00 \ud800 b"))
        with pytest.raises(LogUnusable, match=r"is being written by process \d+ on"):
            other.resume_run("last")
        await writer.stage((manifest("openai:large"), *first_round()))
        await writer.finish("paused", "the budget is spent")
        again = other.resume_run("last")
        assert again.recall(asked) == replace(reply("a \x00 \ud800 b"), cached=True)
        for event in events("openai:large"):
            await again.stage((event,))
        await again.finish("completed")
        assert log.find("last").status == "completed" and log.verify().faults == ()


async def test_a_run_whose_writer_is_gone_is_interrupted(url: str) -> None:
    with open_log(url) as log, open_log(url) as other:
        writer = log.start_run(manifest("openai:large"))
        assert other.find("last").status == "running"
        writer.abandon()
        assert other.find("last").status == "interrupted"


async def test_readers_cannot_write(url: str) -> None:
    with open_log(url) as log:
        await whole_run(log, "mock:greedy")
        with pytest.raises(LogUnusable, match="read-only"):
            log.sql("DELETE FROM message")


async def test_a_changed_row_is_found(url: str) -> None:
    with open_log(url) as log:
        await whole_run(log)
        with log._writing.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE payoff SET payoff = 99 WHERE agent = 2 AND round = 2")
        assert [(f.table, f.row) for f in log.verify().faults] == [("payoff", "round 2, agent 2")]


def test_a_server_that_is_not_there_says_so() -> None:
    with open_log("postgresql://user@127.0.0.1:9/none") as log, pytest.raises(LogUnusable, match="cannot be used"):
        log.runs()


def test_an_empty_database_is_no_log_yet(url: str) -> None:
    with open_log(url) as log, pytest.raises(LogUnusable, match="is not a log"):
        log.runs()


@pytest.mark.parametrize(
    ("sql", "row", "words"),
    [
        pytest.param("DROP VIEW call_cost", "call_cost", "missing", id="a view dropped"),
        pytest.param("CREATE OR REPLACE VIEW conversation AS SELECT {columns} FROM ({body}) AS c WHERE place = 0",
                     "conversation", "was changed", id="a view that hides rows"),
        pytest.param("ALTER TABLE metric ADD COLUMN x TEXT", "metric", "column x", id="a column added"),
        pytest.param("ALTER TABLE gap_term ALTER COLUMN value TYPE REAL", "gap_term", "column value", id="a column shortened"),
        pytest.param("ALTER TABLE price ALTER COLUMN input DROP NOT NULL", "price", "column input", id="nulls let in"),
        pytest.param("ALTER TABLE payoff DROP CONSTRAINT payoff_pkey", "payoff", "its key", id="a key dropped"),
        pytest.param("ALTER TABLE metric DROP CONSTRAINT metric_run_id_fkey", "metric", "references", id="a reference dropped"),
        pytest.param("DROP INDEX ix_run_status", "run", "indices", id="an index dropped"),
        pytest.param("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                     " CREATE TRIGGER t BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION f()",
                     "event", "trigger t", id="a trigger planted"),
        pytest.param("CREATE RULE r AS ON INSERT TO event DO INSTEAD NOTHING", "event", "rule r", id="a rule planted"),
        pytest.param("ALTER TABLE message ENABLE ROW LEVEL SECURITY", "message", "row security", id="rows hidden"),
    ],
)  # fmt: skip
async def test_a_changed_schema_is_found(url: str, sql: str, row: str, words: str) -> None:
    view = next(view for view in VIEWS if view.name == "conversation")
    body = create_view(view, "postgresql").split(" AS ", 1)[1]
    with open_log(url) as log:
        await whole_run(log)
        assert log.verify().faults == ()
        with log._writing.engine.begin() as connection:
            connection.exec_driver_sql(sql.format(columns=", ".join(view.columns), body=body))
        found = [fault for fault in log.verify().faults if fault.table == "schema"]
    assert [fault.row for fault in found] == [row] and words in found[0].what


async def test_a_row_whose_run_is_gone_is_found_where_nobody_looks_after_references(url: str) -> None:
    with open_log(url) as log:
        await whole_run(log)
        with log._writing.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("UPDATE payoff SET agent = 9 WHERE agent = 2 AND round = 1")
        faults = log.verify().faults
    assert any("I14" in fault.what and "agent 9" in fault.row for fault in faults)
