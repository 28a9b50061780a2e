"""The rules as agents read them: what they may do, must do, and what follows; never what would be wise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_instruments import fitting
from test_prompts import golden

from society.agents.prompting import Prompts
from society.core.moves import Move
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.scenario.model import Theme

PROMPTS = Prompts.load([Path(__file__).parents[1] / "prompts"])
THEME = Theme(resource="fish", place="the lake", act="catch", role="fisher", round="month")
HINTS = re.compile(
    r"equilibri|optim|dilemma|nash|should|rational|cooperat|defect|free.?rid|selfish|greed|deter", re.IGNORECASE
)
NAMES = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal", "Ida", "Jo", "Kim", "Lou")


def words(names, seat):
    return {
        "theme": THEME.model_dump(),
        "names": list(names),
        "me": names[seat],
        "n": len(names),
        "role": "",
        "rounds": 5,
        "round": 1,
    }


def told(game, state, seat=0):
    """What each rule tells the agent."""
    return [
        PROMPTS.render(template, {**words(game.names, seat), "rule": rule})
        for template, rule in game.rules_for(state, seat)
    ]


def asked(game, asks, seat=0):
    return [
        PROMPTS.render(ask.template, {**words(game.names, seat), "rule": ask.variables})
        for ask in asks
        if ask.agent == seat
    ]


def govern(kind, *rules, names=NAMES[:5], **parameters):
    mechanism = MECHANISMS.parse({"kind": kind, "agents": len(names), **parameters})
    return Governed(mechanism, tuple(INSTRUMENTS.parse(dict(rule)) for rule in rules), tuple(names))


@pytest.mark.parametrize("kind", INSTRUMENTS.kinds)
def test_every_rule_is_told_in_a_few_plain_sentences_without_advice(kind):
    for mechanism, example in fitting(kind):
        names = tuple(f"Agent{seat}" for seat in range(mechanism.agents))
        game = Governed(mechanism, (example,), names)
        state = game.initial_state()
        joint = tuple(game.mechanism.abstention(state.physical, seat) for seat in range(game.agents))
        done = game.step(state, joint, Noise(1, 1))
        texts = [*told(game, state), *asked(game, game.second_stage(state, done)), *asked(game, game.ballots(done))]
        for text in texts:
            assert len(text.split()) < 150, text
            assert not HINTS.search(text), text
            assert (
                "  " not in text
                and "\n" not in text.strip()
                and not re.search(r" [.,](?!\.)", text)
                and "None" not in text
            ), repr(text)
            assert "Fraction" not in text and "{" not in text


GOLDEN = [
    (
        {"kind": "quota", "enforcement": "soft", "detection": "1/2", "fine_per_unit": 3, "fine_to": "pot"},
        "Your quota is 10 fish this month: the rule is to catch no more than that. You can do otherwise. It is noticed with "
        "probability 0.5. The fine is 3 for each unit beyond what is allowed; fines are shared equally among all in the next "
        "month.",
    ),
    (
        {"kind": "tax", "rate": "63/8", "rebate": 1, "free": 4},
        "For every one of the fish you catch beyond 4, you pay a tax of 7.875. What comes in is paid back to all in equal "
        "parts.",
    ),
    (
        {"kind": "peer_sanction"},
        "After everybody has acted and seen what was done, you can assign points of disapproval to the others, up to 10 to "
        "each. Each point costs you 1. Each point takes 3 from its receiver.",
    ),
    (
        {"kind": "restriction", "intervals": [[0, 30], [63, None]], "enforcement": "advisory"},
        "The rule allows 0 to 30 or 63 or more. Nothing follows if you do otherwise.",
    ),
    (
        {"kind": "contract", "most_penalty": 8},
        "Beside talking you can propose a contract to some of the others: an action (an amount means: no more than that) and "
        "a penalty of up to 8. It binds once all named have signed, for 1 month. A proposal is open this month only. Whoever "
        "breaks it pays the penalty to those who keep it, in equal parts.",
    ),
    (
        {"kind": "graduated_sanction", "detection": "1/2", "limit": 8},
        "The rule is to catch no more than 8 fish each month. You can do otherwise. It is noticed with probability 0.5. The "
        "first violation that is noticed costs 2, each further one 2 times as much. You have 0 so far; the next one costs 2.",
    ),
]


@pytest.mark.parametrize(("rule", "text"), GOLDEN, ids=lambda value: value["kind"] if isinstance(value, dict) else "")
def test_a_rule_reads_as_printed_here(rule, text):
    game = govern("common_pool", rule)
    assert told(game, game.initial_state()) == [text]


def test_what_is_on_the_table_is_told_to_those_it_concerns():
    game = govern("common_pool", {"kind": "contract"})
    state, _ = game.move(
        game.initial_state(), 0, (Move("propose", "contract", members=(1,), terms=(("limit", 8), ("penalty", 5))),)
    )
    assert (
        "On the table: proposal 1 by Ann to Ann, Bo (limit 8, penalty 5); accepted so far by Ann, 2 needed."
        in told(game, state, 1)[0]
    )
    assert "On the table" not in told(game, state, 2)[0]
    state, _ = game.move(state, 1, (Move("sign", "contract", target=1),))
    assert "In force: agreement 1 of Ann, Bo (limit 8, penalty 5)." in told(game, state, 1)[0]


LAKE, TABLE = "common_pool", "matrix_game"
TAX = {"kind": "tax", "rate": 1}
SPOKEN = [
    (LAKE, [{"kind": "advice", "says": "share"}]),
    (LAKE, [{"kind": "ask_human", "answer": 8, "capacity": 2, "price": 1, "reliability": "3/4"}]),
    (TABLE, [{"kind": "ask_human", "answer": "C"}]),
    (LAKE, [{"kind": "closure", "stock_below": 30, "lasts": 2}]),
    (TABLE, [{"kind": "closure", "words": ["D"]}]),
    (LAKE, [{"kind": "constitution", "agenda": [{"rule": "tax", "field": "rate"}], "delegation": True}, TAX]),
    (LAKE, [{"kind": "compensation"}]),
    (LAKE, [{"kind": "contract", "enforcement": "soft", "detection": "1/2", "bond": 3, "per_unit": 1, "lasts": 2}]),
    (TABLE, [{"kind": "contract", "imposed": "C", "imposed_penalty": 3}]),
    ("congestion", [{"kind": "delta_toll"}]),
    (LAKE, [{"kind": "disclosure", "hide": ["stock"]}]),
    (LAKE, [{"kind": "exclusion", "after": 2, "lasts": 3}]),
    (LAKE, [{"kind": "graduated_sanction", "limit": 8, "detection": "1/2", "forget": 2}]),
    (LAKE, [{"kind": "guilt", "cost": 5}]),
    (LAKE, [{"kind": "inequity_aversion", "alpha": 1, "beta": "1/4"}]),
    (LAKE, [{"kind": "institution_choice", "governs": ["tax"], "start": ["Ann", "Bo"]}, TAX]),
    (
        "public_goods",
        [
            {"kind": "institution_choice", "governs": ["tax"], "outside": ["reward"], "apart": True},
            TAX,
            {"kind": "reward", "effect": 3},
        ],
    ),
    (
        LAKE,
        [{"kind": "leader", "powers": [{"rule": "tax", "field": "rate"}], "recall": "1/2", "incumbent": "Ann"}, TAX],
    ),
    (LAKE, [{"kind": "leader"}]),
    (LAKE, [{"kind": "mediator", "plan": [[1, 0], [3, 10]]}]),
    (TABLE, [{"kind": "mediator", "plan": [[1, "D"], [2, "C"]]}]),
    (LAKE, [{"kind": "overthrow", "over": ["tax"]}, TAX]),
    (LAKE, [{"kind": "pact"}]),
    (LAKE, [{"kind": "peer_sanction"}]),
    (
        LAKE,
        [{"kind": "peer_sanction", "prices": [0, 1, 2, 4], "most": 3, "share": "1/10", "anonymous": True}],
    ),
    (LAKE, [{"kind": "peer_sanction", "counter": True}]),
    (LAKE, [{"kind": "permits", "grant": 8, "bank": True, "enforcement": "soft", "fine_per_unit": 2}]),
    (LAKE, [{"kind": "permits", "grant": 8, "market": "auction"}]),
    (LAKE, [{"kind": "quota", "amount": 9, "roll_over": True}]),
    (
        LAKE,
        [{"kind": "quota", "amount": 2, "sense": "at_least", "enforcement": "soft", "fine": 3, "fine_to": "victims"}],
    ),
    (LAKE, [{"kind": "reputation", "limit": 10, "known": "1/2"}]),
    (LAKE, [{"kind": "restriction", "intervals": [[0, 30], [63, None]], "stock_below": 50}]),
    (TABLE, [{"kind": "restriction", "forbidden": ["D"], "enforcement": "soft", "fine": 3}]),
    (LAKE, [{"kind": "reward", "effect": 2}]),
    (LAKE, [{"kind": "side_payment", "condition": "at_most"}]),
    (LAKE, [{"kind": "social_orientation", "degrees": 30}]),
    (LAKE, [{"kind": "tax", "rate": "1/2", "rebate": 1, "free": 4}]),
    (LAKE, [{"kind": "tax", "rate": -1}]),
    (TABLE, [{"kind": "tax", "charges": [["D", 2]]}]),
]


def spoken(mechanism, rules):
    """All that the first agent reads of the first of these rules: its paragraph, and every question it may ask."""
    names = NAMES[:2] if mechanism == TABLE else NAMES[:5]
    game = govern(mechanism, *rules, names=names)
    state = game.initial_state()
    rule = game.rule_ids[0]
    told_ = [
        text
        for text, (name, _) in zip(told(game, state), game.rules_for(state, 0), strict=True)
        if rules[0]["kind"] in name
    ]
    moved = state
    for offer in game.offers(state, 1):
        if offer.kind == "motion":
            terms = tuple((name, space.grid()[0]) for name, space in offer.terms.items())
            moved, _ = game.move(state, 1, (Move("motion", rule, terms=terms),))
    joint = tuple(game.abstention(moved, seat) for seat in range(game.agents))
    first = game.step(moved, joint, Noise(1, 1))
    asks = [ask for ask in game.second_stage(moved, first) if ask.purpose == rule]
    points = {(seat, rule): {names[0]: 2} for seat in range(1, len(names))}
    replies = game.replies(moved, game.step(moved, joint, Noise(1, 1), points))
    ballots = [ask for ask in game.ballots(first) if ask.purpose == rule]
    return [*told_, *asked(game, asks), *asked(game, replies), *asked(game, ballots)]


def test_every_rule_and_every_question_of_it_reads_as_printed():
    assert {rules[0]["kind"] for _, rules in SPOKEN} == set(INSTRUMENTS.kinds)
    parts = []
    for mechanism, rules in SPOKEN:
        fields = ", ".join(f"{name} {json.dumps(value)}" for name, value in rules[0].items() if name != "kind")
        parts.append(
            f"{rules[0]['kind']} over {mechanism}: {fields}\n"
            + "\n".join(text.strip() for text in spoken(mechanism, rules))
        )
    golden("rules.txt", "\n\n".join(parts))


def test_a_motion_is_told_beside_the_law_as_it_stands_and_a_failed_one_is_told_as_failed():
    agenda = [{"rule": "constitution", "field": name, "low": 1, "high": 5} for name in ("quota", "weights", "in_force")]
    agenda[1]["tuples"] = [[1] * 5, [3, 1, 1, 1, 1]]
    agenda.append({"rule": "tax", "field": "in_force"})
    game = govern(LAKE, {"kind": "constitution", "agenda": agenda}, TAX | {"in_force": False})
    state = game.initial_state()
    law = "constitution.quota (now 3), constitution.weights (now 1 1 1 1 1), constitution.in_force (now yes), tax.in_force (now no)"
    assert law in told(game, state)[0]
    state, _ = game.move(state, 0, (Move("motion", "constitution", terms=(("constitution.quota", 4),)),))
    for yes, quota, words in ((2, 3, "motion 1 fails: 2 votes for it, 3 needed"), (3, 4, "")):
        votes = {(seat, "constitution"): {"motion 1": "yes" if seat < yes else "no"} for seat in range(5)}
        after, events = game.close(game.step(state, (0,) * 5, Noise(1, 1)), votes)
        assert f"constitution.quota (now {quota})" in told(game, after)[0]
        assert [event.detail for event in events if event.event == "lapse"] == ([words] if words else [])
