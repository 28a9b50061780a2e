"""A run comes out of its own log again, bit for bit, or the first difference is named."""

from __future__ import annotations

import sqlite3

import pytest

from society import load, open_log, play
from society.core.errors import BadInput, Diverged, Paused
from society.playing import replay, resume

FORGE = "UPDATE {table} SET {column} = {value} WHERE rowid = (SELECT MIN(rowid) FROM {table} WHERE {where})"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'society.db'}"


def forge(tmp_path, sql):
    with sqlite3.connect(tmp_path / "society.db") as connection:
        assert connection.execute(sql).rowcount == 1
    connection.close()


@pytest.mark.parametrize("model", ["mock:conditional", "mock:random", "mock:malformed"])
async def test_a_finished_run_is_derived_again(url, model):
    run = await play(load("fishery"), model=model, log=url)
    again = await replay(run.id, log=url)
    assert again.ended
    assert again.head == open_log(url).find(run.id).head
    assert again.events == len(run.episode.events)


async def test_a_run_that_was_left_is_derived_as_far_as_its_log_goes(url):
    scenario = load("fishery", ["budget.tokens=6000"])
    with pytest.raises(Paused):
        await play(scenario, model="mock:sustainable", log=url)
    again = await replay("last", log=url)
    assert not again.ended
    assert again.events == len(open_log(url).events("last"))


async def test_resuming_after_a_spent_budget_ends_as_an_uninterrupted_run_does(url):
    from society.scenario.model import Budget

    whole = await play(load("fishery", ["budget.tokens=1000000"]), model="mock:sustainable", log=url)
    with pytest.raises(Paused):
        await play(load("fishery", ["budget.tokens=6000"]), model="mock:sustainable", log=url)
    run = await resume("last", log=url, budget=Budget(tokens=1_000_000))
    assert run.id != whole.id
    assert run.episode.events[1:] == whole.episode.events[1:]


async def test_a_changed_answer_is_named(url, tmp_path):
    await play(load("fishery"), model="mock:conditional", log=url)
    forge(tmp_path, FORGE.format(table="model_call", column="text", value="'{\"action\": 3}'", where="stage = 'act'"))
    with pytest.raises(Diverged, match="acted"):
        await replay("last", log=url)


async def test_a_changed_question_is_named(url, tmp_path):
    await play(load("fishery"), model="mock:conditional", log=url)
    forge(tmp_path, FORGE.format(table="model_call", column="request_hash", value="'0'", where="stage = 'declare'"))
    with pytest.raises(Diverged, match="declare"):
        await replay("last", log=url)


async def test_an_event_that_came_out_otherwise_is_named(url, tmp_path):
    await play(load("fishery"), model="mock:conditional", log=url)
    forge(
        tmp_path,
        "UPDATE event SET body = replace(body, '\"legal\":10', '\"legal\":11') "
        "WHERE rowid = (SELECT MIN(rowid) FROM event WHERE kind = 'acted')",
    )
    with pytest.raises(Diverged, match='"legal": 1'):
        await replay("last", log=url)


async def test_a_run_with_a_person_cannot_be_derived(url):
    from dataclasses import replace

    run = await play(load("fishery"), model="mock:conditional", log=url)
    book = open_log(url)
    manifest = run.episode.manifest
    writer = book.start_run(replace(manifest, models=("human", *manifest.models[1:])))
    await writer.finish("interrupted", "")
    with pytest.raises(BadInput, match="a person took part"):
        await replay(writer.run_id, log=book)
