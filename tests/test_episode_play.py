"""A whole episode, played by fakes and told to a list."""

from __future__ import annotations

import asyncio

import pytest

from society.core.errors import Paused
from society.core.events import (
    Acted,
    Declared,
    RunEnded,
    RunStarted,
    Settled,
    Spoke,
    canonical_event,
    chain_next,
    chain_start,
)
from society.core.policy import Act, Answer, Declaration, Declare, Draft, Speak, Utterance
from society.mechanisms import MECHANISMS
from society.orchestrator.episode import play_episode
from society.scenario.model import AgentSpec, DeclareStage, OnFailure, Scenario, Stages, Talk

REFERENCE = {
    "ten each": ([[10] * 5] * 12, [100] * 12, (120,) * 5),
    "twenty each": ([[20] * 5] * 12, [100], (20,) * 5),
    "eleven, then six": ([[11] * 5] * 3 + [[6] * 5] * 9, [100, 90, 70, 30], (39,) * 5),
    "uneven": (
        [[10, 10, 10, 10, 30], [6, 6, 6, 8, 12], [8, 8, 8, 8, 12]],
        [100, 60, 44],
        (24, 24, 24, 26, 54),
    ),
}


class Script:
    """A policy that takes what its list says; every answer can be delayed or spoilt."""

    def __init__(self, takes, *, turns_to_wait=0, spoil=()):
        self.takes, self.turns_to_wait, self.spoil = takes, turns_to_wait, set(spoil)
        self.asked = []

    async def answer(self, question):
        self.asked.append(question)
        for _ in range(self.turns_to_wait):
            await asyncio.sleep(0)
        take = self.takes[min(question.seen.round, len(self.takes)) - 1]
        match question:
            case Speak():
                return Answer(Utterance((Draft(None, f"I take {take}"),)))
            case Declare():
                others = len(question.seen.names) - 1
                return Answer(Declaration(intended=take, predicted=(take,) * others))
            case Act() if question.seen.round in self.spoil:
                return Answer(None, "empty", error="nothing was said")
            case Act():
                return Answer(take)
        raise AssertionError(question)


def lake(rounds, agents=5, **changes):
    return Scenario(
        name="lake",
        rounds=rounds,
        mechanism=MECHANISMS.parse({"kind": "common_pool", "agents": agents}),
        agents=tuple(AgentSpec(name=name) for name in ("Ann", "Bo", "Cy", "Dee", "Eli")[:agents]),
        **changes,
    )


def manifest(scenario, seed=1):
    return RunStarted({}, seed, scenario.names, ("script",) * len(scenario.names), {}, "0", 1)


class Told(list):
    async def stage(self, events):
        self.extend(events)


async def told(scenario, policies, seed=1):
    sink = Told()
    await play_episode(scenario, policies, sink, manifest(scenario, seed))
    return sink


def columns(takes):
    return [[row[seat] for row in takes] for seat in range(5)]


@pytest.mark.parametrize("name", REFERENCE)
async def test_the_fishery_follows_the_reference_trajectories(name):
    takes, stocks, gains = REFERENCE[name]
    events = await told(lake(len(takes)), [Script(column) for column in columns(takes)])
    rounds = [event for event in events if isinstance(event, Settled)]
    assert [event.stock_before for event in rounds] == stocks
    assert tuple(sum(event.payoffs[seat] for event in rounds) for seat in range(5)) == gains
    assert isinstance(events[-1], RunEnded)


async def test_the_order_in_which_answers_arrive_changes_nothing():
    def chain(events):
        head = chain_start(events[0])
        for event in events[1:]:
            head = chain_next(head, canonical_event(event))
        return head

    scenario = lake(3, stages=Stages(talk=Talk(order="simultaneous", turns=2)))
    prompt = await told(scenario, [Script([9], turns_to_wait=seat) for seat in range(5)])
    late = await told(scenario, [Script([9], turns_to_wait=9 - seat) for seat in range(5)])
    assert chain(prompt) == chain(late)


async def test_a_stage_is_told_in_seat_order_and_stages_in_the_order_of_the_round():
    events = await told(lake(1), [Script([5]) for _ in range(5)])
    kinds = [type(event) for event in events]
    assert kinds == [RunStarted, *[Spoke] * 5, *[Declared] * 5, *[Acted] * 5, Settled, RunEnded]
    assert [event.agent for event in events[1:16]] == [0, 1, 2, 3, 4] * 3


async def test_an_unreadable_action_is_logged_as_defaulted_and_never_as_a_choice():
    policies = [Script([5], spoil={2}), *[Script([5]) for _ in range(4)]]
    events = await told(lake(3), policies)
    spoilt = [e for e in events if isinstance(e, Acted) and e.status != "ok"]
    assert [(e.round, e.agent, e.legal, e.status, e.rule) for e in spoilt] == [(2, 0, 0, "defaulted", "abstain")]
    assert spoilt[0].submitted is None
    assert "nothing was said" in spoilt[0].error


async def test_too_many_defaulted_actions_make_the_run_invalid():
    policies = [Script([5], spoil={1, 2, 3}), *[Script([5]) for _ in range(4)]]
    allowed = OnFailure(allowed_share="1/5")
    assert (await told(lake(3, on_failure=allowed), policies))[-1].status == "completed"
    strict = OnFailure(allowed_share="1/10")
    assert (await told(lake(3, on_failure=strict), policies))[-1].status == "invalid"


async def test_a_void_run_ends_at_the_unreadable_answer():
    policies = [Script([5], spoil={2}), *[Script([5]) for _ in range(4)]]
    events = await told(lake(3, on_failure=OnFailure(counts_as="void_run")), policies)
    assert (events[-1].status, events[-1].rounds) == ("invalid", 1)
    assert "nothing was said" in events[-1].reason


async def test_agents_hear_public_words_and_see_results_but_only_their_own_intents():
    policies = [Script([5]), Script([7]), *[Script([5]) for _ in range(3)]]
    await told(lake(2), policies)
    last = policies[0].asked[-1].seen
    kinds = [type(entry).__name__ for entry in last.history]
    assert kinds.count("Heard") == 10
    assert kinds.count("Meant") == 2
    assert kinds.count("Happened") == 1
    happened = next(entry for entry in last.history if type(entry).__name__ == "Happened")
    assert happened.requested == (5, 7, 5, 5, 5)


async def test_hidden_actions_and_payoffs_are_hidden_from_the_others_only():
    policies = [Script([5]) for _ in range(5)]
    await told(lake(2, disclosure={"actions": False, "payoffs": False, "horizon": False}), policies)
    seen = policies[1].asked[-1].seen
    happened = next(entry for entry in seen.history if type(entry).__name__ == "Happened")
    assert happened.requested == (None, 5, None, None, None)
    assert happened.payoffs == (None, 5, None, None, None)
    assert seen.rounds is None


async def test_in_a_sequential_stage_each_sees_the_actions_before_its_own():
    policies = [Script([seat]) for seat in range(5)]
    await told(lake(1, stages={"act": {"order": "sequential"}}), policies)
    assert policies[3].asked[-1].earlier == ((0, 0), (1, 1), (2, 2))


async def test_without_declarations_nobody_is_asked_for_one():
    policies = [Script([5]) for _ in range(5)]
    await told(lake(1, stages=Stages(declare=DeclareStage(predict="off"), talk=Talk(turns=0))), policies)
    assert [type(question) for question in policies[0].asked] == [Act]


async def test_a_stop_lets_those_already_asked_finish_and_keeps_whole_stages_only():
    class Broke(Script):
        async def answer(self, question):
            if isinstance(question, Act):
                raise Paused("the budget is spent")
            return await super().answer(question)

    policies = [Broke([5]), *[Script([5], turns_to_wait=50) for _ in range(4)]]
    sink = Told()
    scenario = lake(1)
    with pytest.raises(Paused):
        await play_episode(scenario, policies, sink, manifest(scenario))
    assert [type(policy.asked[-1]) for policy in policies[1:]] == [Act] * 4
    assert not any(isinstance(event, Acted) for event in sink)
