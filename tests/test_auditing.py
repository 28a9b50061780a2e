"""`society verify` derives every run again: what is forged with all digests and seals made anew is found by what it follows from."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from society import loads, open_log, play
from society.auditing import OTHER_PROMPTS, OTHER_VERSION, Audit, _histories, audit
from society.cli import main
from society.core.errors import Paused
from society.core.events import chain_next, chain_start, event_from_plain
from society.invariants import INVARIANTS
from society.log.findings import Findings
from society.log.results import computed_table, results_digest
from society.log.seal import as_written, journal_sum, row_digest, seal
from society.log.tables import ModelCall, columns_of

LAKE = """
name: lake
rounds: 2
mechanism: {kind: common_pool, capacity: 100}
agents: [{name: Ann}, {name: Ben}, {name: Cy, policy: {kind: scripted, rule: sequence, actions: [5]}}]
stages: {talk: {turns: 2, channels: [public, private]}, declare: {predict: per_agent}}
models: {default: "mock:random"}
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of one run with its metrics and its alignment."""
    path = tmp_path_factory.mktemp("log") / "society.db"
    with open_log(path) as log:
        asyncio.run(play(loads(LAKE), log=log, seed=3)).keep_alignment()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return path


@pytest.fixture
def forged(original: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of the log in which one statement was carried out, and every digest and seal made anew."""

    def make(sql: str) -> Path:
        copy = tmp_path / "copy.db"
        shutil.copy(original, copy)
        with open_log(copy) as log:
            log.write(lambda job: job.updates.append(lambda connection: _forge(connection, sql)))
        return copy

    return make


def _forge(connection: Any, sql: str) -> None:
    assert connection.exec_driver_sql(sql).rowcount == 1
    (run,) = connection.exec_driver_sql("SELECT id FROM run").first()
    last = ""
    for row in connection.exec_driver_sql("SELECT seq, body FROM event ORDER BY seq").all():
        last = chain_next(last, row.body) if row.seq else chain_start(event_from_plain(json.loads(row.body)))
        connection.exec_driver_sql("UPDATE event SET hash = ? WHERE seq = ?", (last, row.seq))
    connection.exec_driver_sql("UPDATE run SET head = ?", (last,))
    for row in connection.exec_driver_sql(f"SELECT rowid, {', '.join(columns_of(ModelCall))} FROM model_call").all():
        digest = f"{row_digest(as_written(ModelCall, row[1:])[:-1]):064x}"
        connection.exec_driver_sql("UPDATE model_call SET digest = ? WHERE rowid = ?", (digest, row[0]))
    connection.exec_driver_sql("UPDATE run SET usd = (SELECT SUM(usd) FROM model_call)")
    for row in connection.exec_driver_sql("SELECT * FROM derived").all():
        table = computed_table(row.table_name)
        rows = connection.exec_driver_sql(f"SELECT {', '.join(columns_of(table))} FROM {row.table_name}").all()
        digest = results_digest(table, [as_written(table, one) for one in rows], row.version, row.computed)
        kept = (digest, len(rows), row.table_name)
        connection.exec_driver_sql("UPDATE derived SET digest = ?, rows = ? WHERE table_name = ?", kept)
    sealed = seal(connection, run, journal_sum(connection, run))
    connection.exec_driver_sql("UPDATE run SET seal = ?", (sealed,))


def audited(path: Path, **how: Any) -> Audit:
    with open_log(path) as log:
        return asyncio.run(audit(log, **how))


def test_an_untouched_log_is_sound_and_every_run_of_it_is_derived_again(original: Path) -> None:
    found = audited(original)
    assert found.report.faults == () and (found.derived, found.left_out) == (1, {})
    assert set(found.report.checked) == set(INVARIANTS)
    assert found.report.checked["I8"] > 0 and found.report.checked["I13"] > audited(original, deep=False).report.checked["I13"]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "table", "words"),
    [
        pytest.param("UPDATE gap_term SET value = value + 1 WHERE rowid_is_the_first", "gap_term", "value is", id="a term of the alignment"),
        pytest.param("UPDATE stage_value SET value_text = '7/3' WHERE rowid_is_the_first", "stage_value", "value_text is '7/3'", id="a stage value"),
        pytest.param("DELETE FROM surprise_share WHERE rowid_is_the_first", "surprise_share", "the row is missing", id="a share of a surprise"),
        pytest.param("UPDATE metric SET value = 0.123 WHERE name = 'gini' AND NOT without_defaulted", "metric", "value is 0.123", id="a metric"),
        pytest.param("UPDATE model_call SET text = text || ' ' WHERE rowid = 1", "model_call", "I13: its text", id="the words of an answer"),
        pytest.param("UPDATE model_call SET tokens_out = tokens_out + 1 WHERE rowid = 1", "model_call", "I13: its tokens_out", id="tokens"),
        pytest.param("UPDATE model_call SET served_model = 'another' WHERE rowid = 1", "model_call", "I13: its served_model", id="who answered"),
        pytest.param("UPDATE model_call SET usd = 5.0 WHERE rowid = 1", "model_call", "I10: 5.0 USD", id="what an answer cost"),
        pytest.param("UPDATE event SET body = replace(body, '\"error\":\"\"', '\"error\":\"late\"') WHERE seq = 1", "event", "I13: it does not come out", id="what was read of an answer"),
    ],
)  # fmt: skip
def test_what_is_forged_with_care_is_found(forged: Callable[[str], Path], sql: str, table: str, words: str) -> None:
    keys = {"gap_term": "run_id, round, agent, yardstick, chain, term", "stage_value": "run_id, round, agent, yardstick, stage", "surprise_share": "run_id, round, agent, yardstick, cause"}.get(table)  # fmt: skip
    path = forged(
        sql.replace("rowid_is_the_first", f"({keys}) = (SELECT {keys} FROM {table} WHERE value IS NOT NULL LIMIT 1)")
    )
    assert audited(path, deep=False).report.sound
    assert any(fault.table == table and words in fault.what for fault in audited(path).report.faults)


def test_a_budget_that_was_lower_than_what_was_spent_is_found_with_the_rows(forged: Callable[[str], Path]) -> None:
    (fault,) = audited(forged("UPDATE session SET budget_tokens = 100"), deep=False).report.faults
    assert (fault.table, fault.row) == ("session", "ordinal 0") and "I10: it spent" in fault.what


def test_a_message_in_a_prompt_that_nobody_said_is_found(original: Path, tmp_path: Path) -> None:
    """The events are those of another run of the same scenario: the prompts tell of messages that are none of theirs."""
    with open_log(original) as log:
        run = log.find("last").id
        other = tmp_path / "other.db"
        with open_log(other) as second:
            strange = asyncio.run(play(loads(LAKE.replace("mock:random", "mock:liar")), log=second, seed=3)).episode
        found = Findings(run)
        _histories(log, type(strange)(run, strange.manifest, strange.events, strange.rounds, strange.ended), found)
    assert found.faults and all("I8: " in fault.what and fault.table == "prompt" for fault in found.faults)


@pytest.mark.parametrize("tokens", [1500, 2500, 3500, 4500, 5500, 6500])
def test_a_run_that_was_left_anywhere_is_sound_as_far_as_it_goes(tmp_path: Path, tokens: int) -> None:
    """What was said in a turn that was not finished stands in prompts, and in no event yet."""
    path = tmp_path / "s.db"
    with open_log(path) as log, pytest.raises(Paused):
        asyncio.run(play(loads(LAKE + f"budget: {{tokens: {tokens}}}\n"), log=log, seed=1))
    assert (found := audited(path)).report.faults == () and found.derived == 1


def test_a_run_of_another_version_or_of_other_prompts_is_left_out_and_counted(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "s.db"
    with open_log(path) as log:
        asyncio.run(play(loads(LAKE), log=log, seed=1))
    monkeypatch.setattr("society.auditing.templates_used", lambda *_: {})
    assert (found := audited(path)).report.sound and found.left_out == {OTHER_PROMPTS: 1} and found.derived == 0
    monkeypatch.setattr("society.auditing.__version__", "0.0.9")
    assert (found := audited(path)).report.sound and found.left_out == {OTHER_VERSION: 1}


def test_the_command_says_what_was_looked_at_and_the_rows_alone_are_asked_for(original: Path, capsys) -> None:
    assert main(["verify", "--log", str(original)]) == 0
    told = capsys.readouterr()
    assert "derived again: 1 of 1 runs" in told.out and all(name in told.out for name in INVARIANTS)
    assert "s for deriving runs again" in told.err
    assert main(["verify", "--log", str(original), "--rows", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (
        found["sound"]
        and found["derived_again"] == 0
        and [one["name"] for one in found["invariants"]] == list(INVARIANTS)
    )


def test_the_command_names_what_is_wrong_and_exits_with_6(forged: Callable[[str], Path], capsys) -> None:
    path = forged("UPDATE metric SET value = 0.123 WHERE name = 'gini' AND NOT without_defaulted")
    assert main(["verify", "--log", str(path), "--rows"]) == 0
    assert main(["verify", "--log", str(path)]) == 6
    told = capsys.readouterr()
    assert (
        "metric name gini, without_defaulted False: I13: value is 0.123" in told.err
        and "NOT SOUND: 1 fault" in told.out
    )
