"""The rules as agents read them: complete, short, and without advice."""

import random
import re

import pytest

from society.agents.briefing import Wording
from society.agents.plain import plain_data
from society.agents.prompting import Prompts
from society.core.seeds import Noise
from society.mechanisms import MECHANISMS
from society.scenario.model import Theme
from society.testing import random_joint

PROMPTS = Prompts.load()
THEME = Theme(resource="fish", place="the lake", act="catch", role="fisher", round="month")
HINTS = re.compile(
    r"equilibri|optim|dilemma|nash|should|\bbest\b|rational|cooperat|defect|free.?rid|sustainab|selfish|\bfair", re.I
)


def wording_of(kind, **parameters):
    mechanism = MECHANISMS.parse({"kind": kind, **parameters})
    names = [f"Agent {seat}" for seat in range(mechanism.agents)]
    words = {"rules": plain_data(mechanism), "theme": plain_data(THEME), "n": mechanism.agents, "names": names}
    return mechanism, Wording(PROMPTS, f"mechanisms/{kind}.j2", words, mechanism.observe(mechanism.initial_state(), 0))


def clean(text):
    return not HINTS.search(text) and "\n\n" not in text and "  " not in text and "Fraction" not in text


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_the_rules_of_every_kind_are_short_and_give_no_advice(kind):
    assert PROMPTS.has(f"mechanisms/{kind}.j2")
    _, wording = wording_of(kind)
    assert 10 < len(wording.rules.split()) < 120
    assert clean(wording.rules)


VARIANTS = [
    ("ai_race", {"variant": "dynamic"}),
    ("collective_risk", {"periods": 2}),
    ("shared_compute", {"bucket": {"size": 100, "refill": 20, "outage": 2}}),
    ("matrix_game", {"agents": 4, "preset": "chicken"}),
    ("matrix_game", {"options": ["a", "b", "c"], "table": [[[k + j, k - j] for k in range(3)] for j in range(3)]}),
    ("matrix_game", {"table": [[[1, 1], [0, 2], [3, 0]], [[0, 0], ["5/2", 2], [1, 1]]]}),
    ("matrix_game", {"table": [[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [1, 1, 1]]]] * 2}),
    ("constitution", {"agents": 2, "motions": [{"name": "rule of one", "weights": [2, 1], "quota": 2}]}),
    ("congestion", {"preset": "double_braess", "flow": "1/2"}),
    ("common_pool", {"agents": 3, "rationing": "priority", "priority": [2, 0, 1]}),
    ("common_pool", {"rationing": "priority"}),
    ("common_pool", {"shock": {"probability": "1/2", "loss": "1/2"}, "growth": {"kind": "stochastic"}}),
]


@pytest.mark.parametrize(
    ("kind", "parameters"), [*((kind, {}) for kind in MECHANISMS.kinds), *VARIANTS], ids=lambda x: str(x)[:40]
)
def test_state_and_result_of_every_round_can_be_told(kind, parameters):
    mechanism, wording = wording_of(kind, **parameters)
    state, dice = mechanism.initial_state(), random.Random(1)
    assert clean(wording.rules)
    for number in range(1, 7):
        if mechanism.over(state):
            break
        assert clean(wording.state(mechanism.observe(state, mechanism.agents - 1), number))
        step = mechanism.step(state, random_joint(mechanism, state, dice), Noise(1, number))
        assert clean(wording.result(step.facts, number))
        state = step.state


def test_the_rules_of_the_fishery_fit_a_small_model():
    _, wording = wording_of("common_pool")
    assert len(wording.rules.split()) < 90
    assert "doubles, up to 100" in wording.rules and "fewer than 5" in wording.rules and "hold 100" in wording.rules


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"growth": {"kind": "none"}}, "Nothing regrows"),
        ({"growth": {"kind": "doubling", "factor": "3/2"}}, "multiplied by 1.5"),
        ({"growth": {"kind": "logistic", "rate": 0.5}}, "grows by 0.5 * left * (1 - left / 100)"),
        ({"growth": {"kind": "linear", "amount": 7}}, "7 are added"),
        ({"growth": {"kind": "stochastic"}}, "give or take up to 0.5"),
        ({"rationing": "equal"}, "everyone gets the same"),
        ({"rationing": "priority"}, "in this order: Agent 0, Agent 1"),
        ({"rationing": "random_order"}, "random order"),
        ({"rationing": "unit_by_unit"}, "each unit goes to a random one"),
        ({"order": "growth_first"}, "first regrows"),
        ({"shock": {"probability": 0.1, "loss": 0.5}}, "With chance 0.1 a share of 0.5 is then lost"),
    ],
)
def test_every_rule_of_the_pool_is_told(parameters, words):
    assert words in wording_of("common_pool", **parameters)[1].rules
