"""An agent that asks a human is answered by one: a person, a model or a script, in the log like any other decision."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from society import load, open_log, play
from society.auditing import audit
from society.core.calls import ModelRequest, Position
from society.core.errors import Paused, ScenarioError
from society.core.moves import Move
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.models.budget import RunBudget
from society.models.person import Person, worded
from society.models.pool import ModelPool
from society.playing import replay, resume
from society.scenario.load import loads
from society.scenario.model import Budget

TABLE = """
name: asked
rounds: 3
mechanism: {kind: matrix_game, preset: prisoners_dilemma}
agents:
  - {name: Ann, policy: {kind: scripted, rule: sequence, actions: [ask, D, ask]}}
  - {name: Bo, policy: {kind: scripted, rule: sequence, actions: [ask, ask, D]}}
stages: {talk: {turns: 0}, declare: {predict: "off"}}
instruments: [{kind: ask_human, answer: D, price: 1}]
human: HUMAN
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'society.db'}"


def table(human, *overrides):
    return loads(TABLE.replace("HUMAN", json.dumps(human)), overrides)


def executed(run):
    return [settled.executed for settled in run.episode.settled]


def answers(run):
    return [(e.round, e.agent, e.parts, e.status) for e in run.episode.events if getattr(e, "stage", "") == "human"]


def asking(capacity=None, **rule):
    lake = MECHANISMS.parse({"kind": "common_pool", "agents": 4})
    game = Governed(lake, (INSTRUMENTS.parse({"kind": "ask_human", "answer": 10, "capacity": capacity, **rule}),))
    state = game.initial_state()
    for seat in (0, 1, 3):
        state, _ = game.move(state, seat, (Move("delegate", "ask_human"),))
    return game, state


def test_the_human_is_asked_for_those_it_has_time_for_and_what_it_says_is_executed():
    game, state = asking(capacity=2, price=1)
    luck, joint = Noise(7, 1), (50, 50, 3, 50)
    asked = game.consultations(state, joint, luck)
    assert len(asked) == 2 and {ask.agent for ask in asked} < {0, 1, 3}
    said = {(ask.agent, ask.purpose): {"action": 20 + ask.agent} for ask in asked}
    done = game.step(state, joint, luck, said)
    for seat in (0, 1, 3):
        attended = any(ask.agent == seat for ask in asked)
        assert done.executed[seat] == (20 + seat if attended else 0)
    assert done.executed[2] == 3
    assert {event.detail for event in done.rule_events} == {"the human answers", "not attended to"}


def test_where_no_human_answers_the_rule_does():
    game, state = asking()
    done = game.step(state, (50, 50, 3, 50), Noise(7, 1))
    assert done.executed == (10, 10, 3, 10)
    never, state = asking(reliability=0)
    assert never.step(state, (50, 50, 3, 50), Noise(7, 1)).executed == (0, 0, 3, 0)


def test_a_human_is_asked_within_hard_rules():
    lake = MECHANISMS.parse({"kind": "common_pool", "agents": 2})
    rules = [INSTRUMENTS.parse({"kind": "ask_human"}), INSTRUMENTS.parse({"kind": "quota", "amount": 6})]
    game = Governed(lake, tuple(rules))
    state, _ = game.move(game.initial_state(), 0, (Move("delegate", "ask_human"),))
    (asked,) = game.consultations(state, (0, 0), Noise(1, 1))
    assert asked.parts["action"].high == 6


def test_many_joint_actions_at_once_come_to_what_each_comes_to_given_the_answers():
    game = Governed(
        MECHANISMS.parse({"kind": "matrix_game", "preset": "prisoners_dilemma"}),
        (INSTRUMENTS.parse({"kind": "ask_human", "answer": "D", "capacity": 1, "price": 1}),),
    )
    state, said = game.initial_state(), {(seat, "ask_human/human"): {"action": "C"} for seat in (0, 1)}
    spaces = [game.space(state, seat) for seat in (0, 1)]
    joints = [(first, second) for first in spaces[0].grid() for second in spaces[1].grid()]
    codes = np.array([[space.encode(action) for space, action in zip(spaces, joint, strict=True)] for joint in joints])
    for decisions in ({}, said):
        batch = game.batch_now(state, codes, Noise(5, 1), decisions)
        for row, joint in enumerate(joints):
            assert tuple(batch.floats()[row].tolist()) == game.step(state, joint, Noise(5, 1), decisions).payoffs


async def test_a_script_stands_for_the_human(url):
    run = await play(table({"policy": {"kind": "scripted", "rule": "sequence", "actions": ["C", "C", "D"]}}), log=url)
    assert executed(run) == [("C", "C"), ("D", "C"), ("D", "D")]
    assert [(r, agent, dict(parts)["action"]) for r, agent, parts, _ in answers(run)] == [
        (1, 0, "C"), (1, 1, "C"), (2, 1, "C"), (3, 0, "D"),
    ]  # fmt: skip
    again = await replay(run.id, log=url)
    assert again.ended


async def test_a_model_stands_for_the_human_and_its_answers_are_calls_that_are_not_asked_again(url, tmp_path):
    script = tmp_path / "human.jsonl"
    script.write_text(
        '{"match": {"round": 2}, "text": "I would rather not."}\n{"match": {"stage": "human"}, "answer": {"action": "C"}}\n'
    )
    scenario = table({"policy": {"kind": "llm"}})
    run = await play(scenario, model=f"mock:script:{script}", log=url)
    assert executed(run) == [
        ("C", "C"),
        ("D", "D"),
        ("C", "D"),
    ]  # in round 2 nothing readable came, and the rule says D
    assert [status for *_, status in answers(run)] == ["ok", "ok", "defaulted", "ok"]
    calls = (
        open_log(url).sql("SELECT round, stage, agent, attempt FROM model_call ORDER BY round, agent, attempt").rows()
    )
    assert [tuple(row.values()) for row in calls] == [
        (1, "human", 0, 0), (1, "human", 1, 0), (2, "human", 1, 0), (2, "human", 1, 1), (3, "human", 0, 0),
    ]  # fmt: skip
    assert (await replay(run.id, log=url)).ended


async def test_a_run_that_was_left_while_asking_goes_on_where_it_stopped(url):
    scenario = load("asked_warden", ["human.policy.kind=llm"])
    whole = await play(scenario, model="mock:random", log=url)
    tokens = sum(row["t"] for row in open_log(url).sql("SELECT tokens_in AS t FROM model_call").rows())
    with pytest.raises(Paused):
        await play(load("asked_warden", [f"budget.tokens={tokens // 2}"]), model="mock:random", log=url)
    run = await resume("last", log=url, budget=Budget(tokens=10 * tokens))
    assert run.episode.events[1:] == whole.episode.events[1:]


async def test_the_decomposition_takes_the_logged_answer(url):
    from society.analysis.alignment.rules import decisions_of

    run = await play(table({"policy": {"kind": "scripted", "rule": "sequence", "actions": ["C"]}}), log=url)
    game, played = run.episode.game, run.episode.rounds[0]
    state, luck = game.initial_state(), Noise(1, 1)
    held = decisions_of(game, played, state, ("ask", "ask"), luck)
    assert held == {(seat, "ask_human/human"): {"action": "C"} for seat in (0, 1)}
    assert game.step(state, ("ask", "ask"), luck, held).payoffs == (2, 2)  # both were told C, and asking costs 1
    assert game.step(state, ("ask", "D"), luck, held).payoffs == (-1, 5)
    assert run.alignment.rows()


# A person at the terminal


def question(schema=None):
    from society.core.calls import ChatMessage

    return ModelRequest(Position(1, "human", 0, 0), "person", (ChatMessage("user", "What now?"),), schema)


ONE_FIELD = {"type": "object", "properties": {"action": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("line", "answer"),
    [("5", '{"action": 5}'), ("ask", '{"action": "ask"}'), ('{"action": 7}', '{"action": 7}'), ("", "")],
)
def test_a_person_writes_a_number_or_a_word_where_one_field_is_asked_for(line, answer):
    assert worded(line, ONE_FIELD) == answer


def test_a_person_writes_json_where_more_is_asked_for():
    assert worded("5", {"type": "object", "properties": {"a": {}, "b": {}}}) == "5"


async def test_a_person_who_does_not_answer_in_time_is_not_asked_again(url, monkeypatch):
    async def silence(prompt):
        await asyncio.get_running_loop().create_future()

    shown = []
    person = Person(0.001, reader=silence, writer=shown.append)
    response = await person.complete(question(ONE_FIELD))
    assert (response.finish, response.detail) == ("away", "no answer within 0.001 seconds")
    monkeypatch.setattr(ModelPool, "_connect", lambda pool, name: person)
    run = await play(table({"policy": {"kind": "human"}, "seconds": 1}), log=url)
    assert executed(run) == [("D", "D"), ("D", "D"), ("D", "D")]
    assert {status for *_, status in answers(run)} == {"defaulted"}
    assert len(open_log(url).sql("SELECT * FROM model_call").rows()) == 4
    assert (await replay(run.id, log=url)).ended


async def test_what_a_person_typed_is_typed_once(url, monkeypatch):
    typed = iter(["C", "C", None])

    async def reader(prompt):
        line = next(typed)
        if line is None:
            raise EOFError
        return line

    monkeypatch.setattr(ModelPool, "_connect", lambda pool, name: Person(reader=reader, writer=lambda text: None))
    with pytest.raises(Paused, match="has left"):
        await play(table({}), log=url)
    typed = iter(["D", "D"])
    run = await resume("last", log=url)
    assert executed(run) == [("C", "C"), ("D", "D"), ("D", "D")]
    assert (await replay(run.id, log=url)).ended
    with open_log(url) as log:
        found = await audit(log)
    assert found.report.faults == () and found.derived == 1


def test_a_person_reads_what_the_asker_was_told_and_nobody_elses_persona():
    from society.agents.advising import human_brief
    from society.agents.prompting import Prompts

    brief = human_brief(load("asked_warden"), 0, Prompts.load())
    assert "You have kept this lake for thirty years." in brief.system
    assert "blamed" not in brief.system and "loan" not in brief.system


# What does not fit


@pytest.mark.parametrize(
    ("human", "problem"),
    [
        ({"policy": {"kind": "llm"}, "model": "boss"}, "no entry 'boss' in 'models'"),
        ({"policy": {"kind": "human"}, "model": "default"}, "belongs to the policy 'llm'"),
        ({"policy": {"kind": "llm"}, "seconds": 5}, "belongs to the policy 'human'"),
        ({"goal": {"kind": "target", "quantity": "stock_after", "value": 5}}, "has no 'stock_after' to aim at"),
    ],
)
def test_a_field_that_would_do_nothing_is_an_error(human, problem):
    with pytest.raises(ScenarioError, match=problem):
        table(human)


def test_a_human_nobody_can_ask_is_an_error():
    with pytest.raises(ScenarioError, match="no agent can ask it"):
        table({}, "instruments=[]")


def test_a_person_costs_nothing_and_has_whole_seconds():
    pool = ModelPool()
    assert pool.describe("person:60").price.input == 0
    pool.client("person", budget=RunBudget(usd=1.0))
    with pytest.raises(Exception, match="whole number"):
        pool.client("person:soon")
