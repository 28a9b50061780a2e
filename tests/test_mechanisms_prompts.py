"""The rules as agents read them: complete, short, and without advice."""

import re
from pathlib import Path

import pytest

from society.agents.briefing import brief
from society.agents.prompting import Prompts
from society.mechanisms import MECHANISMS
from society.scenario.model import AgentSpec, Scenario, Theme

PROMPTS = Path(__file__).parents[1] / "prompts"
HINTS = re.compile(
    r"equilibri|optim|dilemma|nash|should|best|rational|cooperat|defect|free.?rid|sustainab|selfish|fair", re.IGNORECASE
)


def rules_of(kind, **parameters):
    """The text an agent in seat 0 reads before the first round: how it works, and how things stand."""
    mechanism = MECHANISMS.parse({"kind": kind, **parameters})
    theme = Theme(resource="fish", place="the lake", act="catch", role="fisher", round="month")
    agents = tuple(AgentSpec(name=f"Agent {seat}") for seat in range(mechanism.agents))
    prompts = Prompts.load([PROMPTS])
    wording = brief(Scenario(name="told", mechanism=mechanism, theme=theme, agents=agents), 0, prompts).mechanism
    assert wording.name == f"mechanisms/{kind}.j2"
    return f"{wording.rules} {wording.state(wording.first, 1)}".strip()


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_the_rules_of_every_kind_are_short_and_give_no_advice(kind):
    text = rules_of(kind)
    assert 10 < len(text.split()) < 120
    assert not HINTS.search(text)
    assert "\n\n" not in text and "  " not in text and "Fraction" not in text


def test_the_rules_of_the_fishery_fit_a_small_model():
    text = rules_of("common_pool")
    assert len(text.split()) < 90
    assert "doubles, up to 100" in text and "fewer than 5" in text and "There are 100 fish" in text


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"growth": {"kind": "none"}}, "Nothing regrows"),
        ({"growth": {"kind": "doubling", "factor": "3/2"}}, "multiplied by 1.5"),
        ({"growth": {"kind": "logistic", "rate": 0.5}}, "grows by 0.5 * left * (1 - left / 100)"),
        ({"growth": {"kind": "linear", "amount": 7}}, "7 are added"),
        ({"growth": {"kind": "stochastic"}}, "give or take up to 0.5"),
        ({"rationing": "equal"}, "everyone gets the same"),
        ({"rationing": "priority"}, "seat order"),
        ({"rationing": "random_order"}, "random order"),
        ({"rationing": "unit_by_unit"}, "each unit goes to a random one"),
        ({"order": "growth_first"}, "first regrows"),
        ({"shock": {"probability": 0.1, "loss": 0.5}}, "With chance 0.1 a share of 0.5 is then lost"),
    ],
)
def test_every_rule_of_the_pool_is_told(parameters, words):
    assert words in rules_of("common_pool", **parameters)
