"""Copying and merging logs, between files and servers: nothing is lost, nothing is doubled, nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from handmade_run import events, first_round, manifest, play, question, reply
from postgres_server import fresh_database, running_server, why_not

from society.cli import main
from society.core.calls import Position
from society.core.errors import BadInput
from society.core.events import Forked
from society.log import Log, open_log
from society.log.copying import Copied, copy_runs
from society.log.tables import TABLES, name_of

HERE = Position(1, "act", 0, 0)
_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


async def finished(log: Log, run_id: str, model: str = "openai:large") -> None:
    writer = log.start_run(manifest(model), run_id=run_id)
    await play(writer, events(model))
    await writer.finish("completed")


async def fork(log: Log, origin: str) -> str:
    """A run that shares the first round of another, and was left there."""
    told = manifest("openai:large")
    writer = log.fork_run(origin, Forked(1, told.scenario, 2, told.models, told.prompts, told.version))
    await writer.finish("paused", "for later")
    return writer.run_id


async def left(log: Log, run_id: str) -> None:
    """A run with one answer and one round, paused."""
    writer = log.start_run(manifest("openai:large"), run_id=run_id)
    asked = question(HERE)
    await writer.answered(asked, await writer.issue(asked, reserved_usd=0.5), reply("a \x00 \ud800 b"))
    await writer.stage((manifest("openai:large"), *first_round()))
    await writer.finish("paused", "the budget is spent")


async def gone_on(log: Log, run_id: str) -> None:
    writer = log.resume_run(run_id)
    writer.recall(question(HERE))
    for event in events("openai:large"):
        await writer.stage((event,))
    await writer.finish("completed")


def rows_of(log: Log) -> dict[str, list[tuple[object, ...]]]:
    return {name_of(table): [tuple(row) for row in log.frame(name_of(table)).values] for table in TABLES}


@pytest.mark.postgres
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")
async def test_a_log_goes_to_a_server_and_back_and_is_the_same_row_by_row(server: str, tmp_path: Path) -> None:
    url = fresh_database(server, "there_and_back")
    with open_log(tmp_path / "s.db") as first, open_log(url) as second, open_log(tmp_path / "back.db") as third:
        await finished(first, "z-origin")
        await fork(first, "z-origin")  # its id begins with the year, and so comes before its origin's
        await left(first, "c-left")
        first.store("z-origin", "metric", [{"name": "gini", "without_defaulted": True, "value": 0.5, "unit": "0 to 1"}])
        told = copy_runs(first, second)
        assert (len(told.copied), told.continued, told.there, told.left_out) == (3, (), (), ())
        assert second.verify().faults == ()
        copy_runs(second, third)
        assert third.verify().faults == ()
        assert rows_of(third) == rows_of(first) == rows_of(second)
        assert [(run.id, run.head, run.seal) for run in second.runs()] == [(run.id, run.head, run.seal) for run in first.runs()]  # fmt: skip
        await gone_on(second, "c-left")
        assert copy_runs(second, first).continued == ("c-left",) and first.verify().faults == ()
        assert first.find("c-left").seal == second.find("c-left").seal


async def test_merging_twice_writes_nothing_the_second_time(tmp_path: Path) -> None:
    with open_log(tmp_path / "a.db") as a, open_log(tmp_path / "b.db") as b, open_log(tmp_path / "all.db") as whole:
        await finished(a, "run-a")
        await finished(b, "run-b")
        assert copy_runs(a, whole).copied == ("run-a",)
        assert copy_runs(b, whole).copied == ("run-b",)
        assert copy_runs(b, whole) == Copied((), (), ("run-b",), (), 0)
        assert [run.id for run in whole.runs()] == ["run-a", "run-b"] and whole.verify().faults == ()


async def test_a_run_that_went_on_is_continued_one_way_and_left_alone_the_other_way(tmp_path: Path) -> None:
    with open_log(tmp_path / "a.db") as a, open_log(tmp_path / "b.db") as b:
        await left(a, "run")
        forked = await fork(a, "run")
        copy_runs(a, b)
        await gone_on(b, "run")
        assert copy_runs(a, b).there == ("run", forked) and b.find("run").status == "completed"
        assert copy_runs(b, a).continued == ("run",) and a.verify().faults == ()
        assert a.find("run").head == b.find("run").head


async def test_results_that_were_computed_later_come_along(tmp_path: Path) -> None:
    with open_log(tmp_path / "a.db") as a, open_log(tmp_path / "b.db") as b:
        await finished(a, "run")
        copy_runs(a, b)
        a.store("run", "metric", [{"name": "gini", "without_defaulted": True, "value": 0.5, "unit": "0 to 1"}])
        assert copy_runs(a, b).rows == 2 and b.verify().faults == ()
        assert b.frame("metric", run="run").column("value") == [0.5]


async def test_a_run_that_went_on_differently_is_refused_and_untouched(tmp_path: Path) -> None:
    with open_log(tmp_path / "a.db") as a, open_log(tmp_path / "b.db") as b:
        await finished(a, "run")
        await finished(b, "run", "mock:greedy")
        before = rows_of(b)
        with pytest.raises(BadInput, match="run run went on differently"):
            copy_runs(a, b)
        assert rows_of(b) == before


async def test_a_run_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    with open_log(tmp_path / "a.db") as a, open_log(tmp_path / "b.db") as b:
        writer = a.start_run(manifest("openai:large"), run_id="busy")
        await finished(a, "done")
        told = copy_runs(a, b)
        assert (told.copied, told.left_out) == (("done",), ("busy",))
        writer.abandon()
        assert copy_runs(a, b).copied == ("busy",) and b.find("busy").status == "interrupted"


async def test_the_commands_say_what_they_did(tmp_path: Path, capsys) -> None:
    with open_log(tmp_path / "a.db") as a:
        await finished(a, "run")
    here, there = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    assert main(["db", "copy", here, there]) == 0
    assert capsys.readouterr().out.startswith("1 runs copied, 0 continued, 0 there already;")
    assert main(["db", "copy", here, there]) == 2
    assert "holds 1 runs already; `society db merge` adds to them" in capsys.readouterr().err
    assert main(["db", "merge", here, there, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["from"], told["copied"], told["there"], told["rows"]) == (here, [], ["run"], 0)
    assert main(["db", "merge", here, here]) == 2 and "one log, not two" in capsys.readouterr().err
    assert main(["db", "copy", str(tmp_path / "none.db"), str(tmp_path / "new.db")]) == 2
    assert "there is no log at" in capsys.readouterr().err and not (tmp_path / "new.db").exists()
