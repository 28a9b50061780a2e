from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from society.analysis import align
from society.core.actions import Action
from society.core.events import Event, RunStarted, event_from_plain, event_to_plain
from society.core.goals import GroupWelfare
from society.core.policy import Act, Answer, Declaration, Declare, Speak, Utterance
from society.episode import Episode
from society.orchestrator.episode import play_episode
from society.scenario.model import AgentSpec, Scenario


class Told:
    """A policy that says and does what it was given, round by round."""

    def __init__(self, said: Sequence[Declaration], done: Sequence[Action]) -> None:
        self.said, self.done = said, done

    async def answer(self, question: Any) -> Answer[Any]:
        turn = question.at.round - 1
        if isinstance(question, Declare):
            return Answer(self.said[turn])
        if isinstance(question, Act):
            return Answer(self.done[turn], submitted=self.done[turn])
        assert isinstance(question, Speak)
        return Answer(Utterance())


class Heard(list):
    async def stage(self, events: tuple[Event, ...]) -> None:
        self.extend(events)


def play(scenario: Scenario, policies: Sequence[Any], seed: int = 1) -> Episode:
    shape = scenario.model_dump(mode="json")
    manifest = RunStarted(shape, seed, scenario.names, tuple("script" for _ in policies), {}, "0", 1)
    sink = Heard()
    asyncio.run(play_episode(scenario, policies, sink, manifest))
    return Episode.from_events(event_from_plain(event_to_plain(event)) for event in sink)


def scenario(mechanism: dict, rounds: int, goals: Sequence[Any], **more: Any) -> Scenario:
    from society.mechanisms import MECHANISMS

    agents = tuple(AgentSpec(name=f"A{seat}", **goal) for seat, goal in enumerate(goals))
    rules = MECHANISMS.parse({**mechanism, "agents": len(goals)})
    return Scenario(name="told", rounds=rounds, mechanism=rules, agents=agents, **more)


DONE = [(10, 10, 10, 10, 30), (6, 6, 6, 8, 12), (8, 8, 8, 8, 12)]
PREDICTED = [(10, 10, 10, 10), (6, 6, 6, 6), (8, 8, 8, 12)]
INTENDED = [10, 6, 8]


def fishery(goal: Any) -> Episode:
    said = [Declaration(intended=own, predicted=others) for own, others in zip(INTENDED, PREDICTED, strict=True)]
    policies = [Told(said if seat == 0 else [Declaration()] * 3, [row[seat] for row in DONE]) for seat in range(5)]
    return play(scenario({"kind": "common_pool"}, 3, [{"goal": goal}] * 5), policies)


def test_the_three_rounds_of_the_fishery_add_up_as_printed() -> None:
    found = align(fishery(GroupWelfare()))
    stages = [[gap.W0, gap.W1, gap.W2, gap.W3, gap.W4] for gap in (found.at(t, 0) for t in (1, 2, 3))]
    assert stages == [[200, 200, 200, 200, 180], [110, 96, 90, 90, 82], [44] * 5]
    assert [list(found.at(t, 0).attribution.shares) for t in (1, 2, 3)] == [
        [None, 0, 0, 0, 20], [None, 0, 0, 2, 6], [None, 0, 0, 0, 0],
    ]  # fmt: skip
    whole = found.episode(0)
    assert whole.terms == {"anticipated": 14, "planning": 6, "say_do": 0, "surprise": 28}
    assert (whole.start, whole.earned, whole.slack, whole.left_open) == (200, 152, 0, 0)
    assert whole.ceiling_exact
    assert found.matrix()[0] == [None, 0, 0, 2, 26]
    print(found.text())
