"""Casts in whole episodes: every mechanism, every offline model, the whole path."""

import pytest
from canned import PROMPTS, CannedModel, fishery
from test_prompts import society_of

from society.agents.cast import Casting
from society.core.events import Acted, Declared, RunStarted, Settled, Spoke
from society.mechanisms import MECHANISMS
from society.models.mock import PERSONALITIES, MockModel
from society.orchestrator.episode import play_episode
from society.scenario.model import AgentSpec, ModelSettings, ScriptedPolicy, Stages


class Kept:
    """A sink that keeps all events."""

    def __init__(self):
        self.events = []

    async def stage(self, events):
        self.events.extend(events)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


async def played(scenario, model, seed=1):
    """The events of an episode in which one client answers for everybody."""
    sink = Kept()
    policies = Casting.of(scenario, PROMPTS).policies(seed=seed, client_for=lambda settings: model)
    manifest = RunStarted({}, seed, scenario.names, ("canned",) * len(policies), {}, "0", 1)
    await play_episode(scenario, policies, sink, manifest)
    return sink


@pytest.mark.parametrize("personality", PERSONALITIES)
@pytest.mark.parametrize("kind", MECHANISMS.kinds)
async def test_every_offline_model_plays_every_mechanism(kind, personality):
    scenario = society_of(
        MECHANISMS.parse({"kind": kind}),
        rounds=2,
        stages=Stages(talk={"turns": 1, "channels": ("public", "private")}),
        on_failure={"allowed_share": 1},
    )
    sink = await played(scenario, MockModel(personality))
    assert len(sink.of(Settled)) >= 1
    statuses = {event.status for event in [*sink.of(Spoke), *sink.of(Declared), *sink.of(Acted)]}
    if personality == "malformed":
        assert "defaulted" in statuses
    else:
        assert statuses <= {"ok", "out_of_range"} or personality in ("conditional", "random")


@pytest.mark.parametrize("predict", ["total", "distribution"])
@pytest.mark.parametrize("personality", ["sustainable", "conditional", "random"])
async def test_predictions_in_other_forms_are_read_as_well(predict, personality):
    scenario = fishery(rounds=3, stages=Stages(declare={"predict": predict}))
    declared = (await played(scenario, MockModel(personality))).of(Declared)
    assert {event.status for event in declared} <= (
        {"ok"} if personality != "random" else {"ok", "retried", "defaulted"}
    )
    if predict == "total" and personality == "sustainable":
        assert {event.declaration.predicted_total for event in declared} == {40}


async def test_sustainable_models_keep_the_fishery_and_greedy_ones_end_it():
    kept = (await played(fishery(), MockModel("sustainable"))).of(Settled)
    assert [event.total for event in kept] == [50] * 12
    ended = (await played(fishery(), MockModel("greedy"))).of(Settled)
    assert [(event.total, event.collapsed) for event in ended] == [(100, True)]


async def test_a_liar_declares_its_share_and_takes_everything():
    sink = await played(fishery(rounds=1), MockModel("liar"))
    assert {event.declaration.intended for event in sink.of(Declared)} == {10}
    assert {event.legal for event in sink.of(Acted)} == {100}
    assert all("10" in event.messages[0].text for event in sink.of(Spoke))


async def test_a_mixed_cast_plays_in_one_episode():
    agents = (
        AgentSpec(name="Ann"),
        AgentSpec(name="Bo", policy=ScriptedPolicy(rule="sequence", actions=(500, 3))),
        AgentSpec(name="Cy", policy=ScriptedPolicy(rule="conditional_cooperator")),
        AgentSpec(name="Di", policy=ScriptedPolicy(rule="grim")),
        AgentSpec(name="Eve", policy=ScriptedPolicy(rule="random")),
    )
    sink = await played(fishery(agents=agents, rounds=2), MockModel("sustainable"))
    first = [event for event in sink.of(Acted) if event.round == 1]
    assert (first[1].submitted, first[1].legal, first[1].status) == (500, 100, "out_of_range")
    assert [event.legal for event in first[:4]] == [10, 100, 10, 10]


async def test_the_same_seed_asks_the_same_questions():
    async def requests(seed):
        model = Listening(MockModel("random"))
        await played(fishery(rounds=2), model, seed)
        return model.hashes

    assert await requests(1) == await requests(1)
    assert await requests(1) != await requests(2)


class Listening(CannedModel):
    """Notes what is asked and lets another model answer."""

    def __init__(self, model):
        super().__init__()
        self.model, self.hashes = model, []

    async def complete(self, request):
        self.hashes.append((request.at, request.hash))
        return await self.model.complete(request)


def test_models_are_asked_by_the_name_the_scenario_gives_them():
    models = {"default": ModelSettings(name="mock:greedy"), "wise": ModelSettings(name="mock:sustainable")}
    agents = tuple(AgentSpec(name=name, model="wise" if name == "Bo" else None) for name in fishery().names)
    asked = []
    Casting.of(fishery(agents=agents, models=models), PROMPTS).policies(
        seed=1, client_for=lambda settings: asked.append(settings.name) or CannedModel()
    )
    assert asked == ["mock:greedy", "mock:sustainable", "mock:greedy", "mock:greedy", "mock:greedy"]
