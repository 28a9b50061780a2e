"""The whole path of one question: rendered, asked, read, asked again, and labelled."""

import dataclasses
import json

import pytest
from canned import (
    NAMES,
    PROMPTS,
    CannedModel,
    act,
    decide,
    declare,
    fishery,
    policy_with,
    seen_in,
    speak,
)

from society.agents.cast import Casting
from society.agents.llm import LlmPolicy
from society.agents.scripted import ScriptedPolicy
from society.core.actions import Amount
from society.core.calls import ModelResponse, Position
from society.core.errors import BadInput, Paused, ProviderRefused
from society.core.policy import Draft, Happened, Speak, Utterance
from society.mechanisms import MECHANISMS
from society.models.schema import full
from society.scenario.model import AgentSpec, OnFailure
from society.scenario.model import ScriptedPolicy as ScriptedSpec

GOOD = '{"action": 5}'
CASES = {
    "ok": ([GOOD], 5, "ok", 5, 1),
    "repaired: prose around": ([f"Here: {GOOD}"], 5, "repaired", 5, 1),
    "repaired: a number alone": (["5"], 5, "repaired", 5, 1),
    "retried: prose first": (["I wait.", GOOD], 5, "retried", 5, 2),
    "retried: broken first, then in prose": (["{", f"Sorry: {GOOD}"], 5, "retried", 5, 2),
    "retried: too much first": (['{"action": 500}', GOOD], 5, "retried", 5, 2),
    "retried: refused first": ([ModelResponse("", "refusal", detail="no"), GOOD], 5, "retried", 5, 2),
    "retried: truncated first": ([ModelResponse(GOOD, "length"), GOOD], 5, "retried", 5, 2),
    "out of range twice": (['{"action": 500}', '{"action": 300}'], 100, "out_of_range", 300, 2),
    "empty": (["", "  \u200b"], None, "empty", None, 2),
    "empty by finish": ([ModelResponse("", "empty")] * 2, None, "empty", None, 2),
    "refused by the provider": ([ModelResponse("", "refusal", detail="I must not.")] * 2, None, "refused", None, 2),
    "filtered": ([ModelResponse("", "filtered")] * 2, None, "refused", None, 2),
    "refused in prose": (["I'm sorry, but I can't help with that."] * 2, None, "refused", None, 2),
    "truncated though readable": ([ModelResponse(GOOD, "length")] * 2, None, "truncated", None, 2),
    "unreadable": (["I wait.", "I still wait."], None, "defaulted", None, 2),
    "two answers": (['{"action": 5} {"action": 6}'] * 2, None, "defaulted", None, 2),
    "an error": ([ModelResponse("", "error", detail="HTTP 400")] * 2, None, "defaulted", None, 2),
    "the last failure counts": ([ModelResponse(GOOD, "length"), ""], None, "empty", None, 2),
}


@pytest.mark.parametrize(("replies", "value", "status", "submitted", "attempts"), CASES.values(), ids=CASES.keys())
async def test_every_way_of_answering_has_its_status(replies, value, status, submitted, attempts):
    model = CannedModel(*replies)
    answer = await policy_with(model).answer(act())
    assert (answer.value, answer.status, answer.submitted, answer.attempts) == (value, status, submitted, attempts)
    assert not model.replies
    assert bool(answer.error) == (status not in ("ok", "repaired"))


async def test_an_agent_is_asked_as_often_as_the_scenario_says():
    model = CannedModel(*["no"] * 5)
    answer = await policy_with(model, attempts=5).answer(act())
    assert (answer.status, answer.attempts) == ("defaulted", 5)
    assert [request.at.attempt for request in model.requests] == [0, 1, 2, 3, 4]
    assert {dataclasses.replace(request.at, attempt=0) for request in model.requests} == {Position(1, "act", 0, 0)}


async def test_the_repair_question_quotes_the_error_and_keeps_the_prompt_before_it():
    model = CannedModel('{"action": "lots <|im_end|>"}', GOOD)
    await policy_with(model).answer(act())
    first, second = (request.messages for request in model.requests)
    assert first[0] == second[0]
    assert second[1].content.startswith(first[1].content)
    added = second[1].content.removeprefix(first[1].content)
    assert "expected a whole number from 0 to 100" in added
    assert "<|" not in added


async def test_raised_errors_stop_the_run():
    for problem in (Paused("out of money"), ProviderRefused("no such key")):
        with pytest.raises(type(problem)):
            await policy_with(CannedModel(problem)).answer(act())


async def test_all_kinds_of_questions_are_answered():
    replies = [
        '{"message": "Hello"}',
        '{"messages": [{"to": ["Bo"], "text": "psst"}]}',
        '{"intended": 5, "predicted": {"Bo": 5, "Cy": 5, "Di": 5, "Eve": 5}, "forecast": 5}',
        GOOD,
        '{"Bo": 2}',
    ]
    policy = policy_with(CannedModel(*replies))
    assert (await policy.answer(speak())).value == Utterance((Draft(None, "Hello"),))
    assert (await policy.answer(speak(private=True))).value == Utterance((Draft((1,), "psst"),))
    assert (await policy.answer(declare())).value.predicted == (5, 5, 5, 5)
    assert (await policy.answer(act())).value == 5
    assert (await policy.answer(decide(Bo=Amount.between(0, 5)))).value == {"Bo": 2}


async def test_a_declaration_that_is_partly_unreadable_counts_in_part_at_the_last_attempt():
    words = '{"intended": 5, "forecast": "much"}'
    answer = await policy_with(CannedModel(words, words)).answer(declare())
    assert (answer.value.intended, answer.value.forecast, answer.value.valid) == (5, None, False)
    assert answer.status == "retried" and "forecast" in answer.error


async def test_a_prompt_that_is_too_long_for_the_server_is_cut_before_it_is_asked_again():
    history = [Happened(n, (1,) * 5, (1,) * 5, (1,) * 5, {"remaining": 9, "regrowth": 9}) for n in range(1, 30)]
    model = CannedModel(ModelResponse("", "error", detail="maximum context length is 2048 tokens"), GOOD)
    answer = await policy_with(model).answer(act(history=history, round_=30))
    lengths = [len(request.messages[1].content) for request in model.requests]
    assert answer.status == "retried" and lengths[1] < 0.7 * lengths[0]


async def test_prompts_stay_within_the_context():
    history = [Happened(n, (1,) * 5, (1,) * 5, (1,) * 5, {"remaining": 9, "regrowth": 9}) for n in range(1, 200)]
    model = CannedModel(GOOD)
    await policy_with(model, context_tokens=900).answer(act(history=history, round_=200))
    assert sum(len(message.content) for message in model.requests[0].messages) / 4 <= 900


async def test_each_call_has_its_own_sampling_seed_that_follows_from_the_run():
    def seeds(run):
        model = CannedModel("x", "x", "x", "x")
        return model, policy_with(model, seed=run)

    async def drawn(run):
        model, policy = seeds(run)
        await policy.answer(act())
        await policy.answer(declare())
        return [request.sampling.seed for request in model.requests]

    one = await drawn(1)
    assert one == await drawn(1) and len(set(one)) == 4 and one != await drawn(2)
    assert all(0 <= seed < 2**31 for seed in one)


async def test_the_schema_offers_what_is_allowed_and_hints_leave_no_trace_in_it():
    model = CannedModel(GOOD, '{"message": ""}')
    policy = policy_with(model)
    await policy.answer(act())
    await policy.answer(speak())
    shape = full(model.requests[0].schema)["properties"]["action"]
    assert (shape["type"], shape["minimum"], shape["maximum"]) == ("integer", 0, 100)
    hint = model.requests[0].schema["properties"]["action"]["x-society"]
    assert hint == {"role": "action", "of": "own"}
    hints = model.requests[0].hints
    assert [hints.value(hint["of"], wish) for wish in ("share", "greedy", "last")] == [10, 100, None]
    for request in model.requests:
        assert "x-society" not in json.dumps(full(request.schema))
        assert "x-society" not in "".join(message.content for message in request.messages)


async def test_moves_are_offered_and_read_beside_words():
    from society.core.moves import Move, Offer

    question = Speak(
        Position(1, "talk", 0, 0),
        seen_in(),
        offers=(Offer("transfer", "aid", seats=(1, 2), amount=Amount.between(0, 5)),),
    )
    words = '{"message": "Here.", "moves": [{"move": "transfer", "rule": "aid", "to": "Bo", "amount": 2}]}'
    model = CannedModel(words, '{"message": "", "moves": [{"move": "sign"}]}', '{"message": ""}')
    policy = policy_with(model)
    assert (await policy.answer(question)).value.moves == (Move("transfer", "aid", to=1, amount=2),)
    assert '"move": "transfer"' in model.requests[0].messages[1].content
    again = await policy.answer(question)
    assert (again.status, again.value) == ("retried", Utterance())


async def test_a_prompt_does_not_list_a_thousand_agents_three_times():
    names = tuple(f"Agent {seat}" for seat in range(300))
    mechanism = MECHANISMS.parse({"kind": "common_pool", "agents": 300})
    crowd = fishery(mechanism=mechanism, agents=tuple(AgentSpec(name=name) for name in names))
    model = CannedModel('{"intended": 1}', '{"messages": []}')
    policy = policy_with(model, crowd)
    await policy.answer(declare(scenario=crowd))
    await policy.answer(speak(scenario=crowd, private=True))
    request, talked = model.requests
    assert len(talked.messages[1].content) < 2500
    assert len(request.schema["properties"]["predicted"]["properties"]) == 299
    assert "<the same for each of the others>" in request.messages[1].content
    assert len(request.messages[1].content) < 1500


# Secrets


async def test_no_agent_is_told_what_only_another_may_know():
    agents = tuple(
        AgentSpec(
            name=name,
            persona=f"PERSONA-{name}",
            role=f"role of {name}",
            goal={"kind": "target", "quantity": "own_payoff", "value": 1000 + seat},
            principal_goal={"kind": "target", "quantity": "welfare", "value": 7000 + seat},
            policy=ScriptedSpec(rule="grim") if name == "Eve" else {"kind": "llm"},
        )
        for seat, name in enumerate(NAMES)
    )
    scenario = fishery(agents=agents)
    for seat in range(4):
        model = CannedModel('{"message": "hi"}', '{"intended": 1}', GOOD)
        policy = policy_with(model, scenario, agent=seat)
        changes = {"scenario": scenario, "agent": seat}
        for question in (speak(**changes), declare(**changes), act(**changes)):
            await policy.answer(question)
        text = "\n".join(message.content for request in model.requests for message in request.messages)
        assert f"PERSONA-{NAMES[seat]}" in text and str(1000 + seat) in text
        for other, name in enumerate(NAMES):
            if other != seat:
                assert f"PERSONA-{name}" not in text and str(1000 + other) not in text
                assert f"role of {name}" in text
        for secret in ("700", "grim", "scripted", "canned", "Piatti", "selfish play", "equilibri"):
            assert secret not in text


async def test_the_state_itself_is_never_part_of_a_prompt():
    model = CannedModel(GOOD)
    await policy_with(model).answer(act(state=type("Canary", (), {"stock": 314159, "collapsed": False})()))
    assert "314159" not in "".join(message.content for message in model.requests[0].messages)


# Casts


async def test_a_cast_has_the_policy_of_each_seat():
    agents = (
        AgentSpec(name="Ann"),
        AgentSpec(name="Bo", policy=ScriptedSpec(rule="sequence", actions=(3, 4))),
        AgentSpec(name="Cy", policy=ScriptedSpec(rule="steady_share", parameters={"fraction": "1/5"})),
        AgentSpec(name="Di", policy={"kind": "human"}),
        AgentSpec(name="Eve"),
    )
    scenario = fishery(agents=agents, on_failure=OnFailure(attempts=3))
    model = CannedModel(GOOD)
    asked = []
    casting = Casting.of(scenario, PROMPTS)
    policies = casting.policies(seed=1, client_for=lambda settings: asked.append(settings.name) or model)
    assert [type(policy).__name__ for policy in policies] == [
        "LlmPolicy",
        "ScriptedPolicy",
        "ScriptedPolicy",
        "HumanPolicy",
        "LlmPolicy",
    ]
    assert asked == ["local", "local"]
    assert isinstance(policies[0], LlmPolicy) and policies[0].attempts == 3
    assert isinstance(policies[1], ScriptedPolicy)
    assert (await policies[1].answer(act(agent=1))).value == 3
    assert (await policies[2].answer(act(agent=2))).value == 20


def test_a_cast_with_an_unknown_script_is_refused():
    agents = tuple(AgentSpec(name=name, policy=ScriptedSpec(rule="grimm")) for name in NAMES)
    with pytest.raises(BadInput, match="did you mean 'grim'"):
        Casting.of(fishery(agents=agents), PROMPTS).policies(seed=1, client_for=lambda settings: CannedModel())
