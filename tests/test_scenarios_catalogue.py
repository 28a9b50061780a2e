"""Every scenario that is shipped: it loads, says what to look for, and its rules can be played and told."""

from pathlib import Path

import pytest

from society.agents.briefing import brief
from society.agents.prompting import Prompts
from society.core.seeds import Noise
from society.mechanisms import MECHANISMS
from society.scenario.load import load

FILES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
PROMPTS = Prompts.load()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_scenario_loads_and_says_what_to_look_for(file):
    scenario = load(file)
    assert scenario.name == file.stem
    assert any(word in scenario.about for word in ("Look", "look", "Compare"))
    assert "alignment question" in scenario.about
    assert scenario.about.strip().isprintable()
    assert len(scenario.about.split()) > 30


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_agents_of_a_shipped_scenario_can_be_told_the_rules(file):
    scenario = load(file)
    system = brief(scenario, 0, PROMPTS).system
    assert len(system.split()) < 400
    assert scenario.about.split(".")[0] not in system


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_scenario_can_be_played_through_by_abstaining(file):
    scenario = load(file)
    mechanism = scenario.mechanism
    state = mechanism.initial_state()
    for number in range(1, scenario.rounds + 1):
        if mechanism.over(state):
            break
        idle = tuple(mechanism.abstention(state, agent) for agent in range(mechanism.agents))
        state = mechanism.step(state, idle, Noise(1, number)).state


def test_every_mechanism_is_shown_by_some_scenario():
    assert {load(file).mechanism.kind for file in FILES} == set(MECHANISMS.kinds)
