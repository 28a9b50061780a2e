"""What earlier processes used counts against the budget of a resumed run: time, and calls that never came back."""

from __future__ import annotations

import sqlite3

import pytest
from handmade_run import manifest, question, reply
from hypothesis import given
from hypothesis import strategies as st

from society import load, open_log, play
from society.core.calls import Position
from society.core.errors import Paused
from society.log.used import covered
from society.models.sizes import most_tokens
from society.playing import resume
from society.scenario.model import Budget

DAY = "2026-11-25T12:00:{:06.3f}Z"


def test_time_is_counted_once_however_many_answers_were_waited_for():
    spans = [(0, 10), (2, 4), (8, 12), (30, 31)]
    assert covered([(DAY.format(a), DAY.format(b)) for a, b in spans]) == pytest.approx(13)
    assert covered([]) == 0.0


@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59)).map(sorted)))
def test_no_more_time_is_counted_than_passed_and_no_less_than_the_longest_wait(spans):
    total = covered([(DAY.format(a), DAY.format(b)) for a, b in spans])
    assert total == pytest.approx(len({second for a, b in spans for second in range(a, b)}))


async def test_a_call_that_brought_no_answer_counts_at_its_most(tmp_path):
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        await writer.stage((manifest("openai:large"),))
        asked, lost, unusable = (question(Position(1, "act", 0, agent)) for agent in (0, 1, 2))
        await writer.answered(asked, await writer.issue(asked, reserved_usd=0.5), reply())
        await writer.issue(lost, reserved_usd=0.25)
        for charged in (False, True):  # an error of the provider, and an answer that was none
            tried = await writer.issue(unusable, reserved_usd=0.125)
            await writer.failed(unusable, tried, "no JSON", raw=b"<html>", charged=charged)
        await writer.finish("interrupted")
        again = log.resume_run("last")
        assert again.used.usd == 0.25 + 0.125
        assert again.used.tokens == sum(most_tokens(lost)) + sum(most_tokens(unusable))
        again.abandon()


async def test_minutes_of_earlier_processes_are_over_for_the_next_one(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    with pytest.raises(Paused):
        await play(load("fishery", ["budget.tokens=6000"]), model="mock:sustainable", log=url)
    with sqlite3.connect(tmp_path / "s.db") as database:
        database.execute("UPDATE session SET seconds = 300")
        database.execute("UPDATE run SET seal = NULL")
    database.close()
    with pytest.raises(Paused, match=r"5\.\d of 5 minutes are over"):
        await resume("last", log=url, budget=Budget(minutes=5))
    run = await resume("last", log=url, budget=Budget(minutes=30))
    assert run.status == "completed"
