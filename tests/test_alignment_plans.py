"""Whole plans at once: the mode episode."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction as F
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_alignment_episode import PLAYED, Told, fishery, lake, play, scenario
from test_alignment_properties import Maze

from society.analysis import align, decompose, decompose_plans
from society.core.errors import BadInput
from society.core.goals import GroupWelfare, OwnPayoff, Threshold
from society.core.mechanism import legalise
from society.core.policy import Declaration
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms.common_pool import CommonPool
from society.mechanisms.constitution import Constitution
from society.mechanisms.matrix_game import MatrixGame

LAKE = CommonPool(agents=5)
THREE = {
    "actual": [(10, 6, 8)] * 3 + [(10, 8, 8), (30, 12, 12)],
    "intended": (10, 6, 8),
    "predicted": [(10, 6, 8)] * 3 + [(10, 6, 12)],
}


def test_the_fishery_as_one_plan_by_hand() -> None:
    """Had all done as agent 1 expected, 50 + 30 + 44 would have been taken, and fish left in the lake: 124 of the 200.

    Its best plan for the group then takes what the others leave: 10, 26 and 64 on top of their 40, 24 and 36.
    """
    found = decompose_plans(LAKE, 0, **THREE, forecast=124, yardstick="welfare")
    assert list(found.stages.values()) == [200, 200, 124, 124, 152]
    assert found.terms == {"anticipated": 0, "planning": 76, "say_do": 0, "surprise": -28}
    assert found.subjective == {"aspiration": 76, "model_error": 0, "say_do": 0, "surprise": -28}
    assert found.attribution.shares == (None, 0, 0, -2, -26)
    assert (found.mode, found.ceiling_exact, found.reply_exact) == ("episode", True, True)
    assert found.ceiling_how == "dynamic programme of the mechanism"
    # The others took 60, 32 and 36: waiting until the last round would have left 96 to be taken in it.
    assert found.regret == 60 + 32 + 96 - 152
    own = decompose_plans(LAKE, 0, **THREE)
    assert own.W1 == 10 + 26 + 64  # in the last round it takes what the 36 of the others leave of the 100
    assert own.W2 == own.W4 == 24


def test_a_log_is_taken_apart_as_whole_plans_of_what_was_declared_round_by_round() -> None:
    found = align(fishery(GroupWelfare()), mode="episode")
    gap = found.at(0, 0)
    assert list(gap.stages.values()) == [200, 200, 124, 124, 152]
    assert found.at(0, 1).terms == {"unattributed": 48}
    assert found.episode(0).earned == 152 and found.episode(0).start is None
    assert {row["mode"] for row in found.rows()} == {"episode"} and {row["round"] for row in found.rows()} == {0}
    assert "Whole plans are replayed" in found.text()
    keys = [(r["agent"], r["yardstick"], r["chain"], r["term"]) for r in found.rows()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "instruments",
    [(), ({"kind": "tax", "rate": "1/5"},), ({"kind": "peer_sanction"},)],
    ids=["bare", "tax", "punishing"],
)
def test_what_was_played_is_what_the_plans_come_to(instruments: tuple[dict, ...]) -> None:
    episode = lake(PLAYED[:2], *instruments)
    found = align(episode, mode="episode")
    for agent in range(3):
        assert sum(row.payoffs[agent] for row in episode.settled) == found.at(0, agent).W4
        assert sum(found.at(0, agent).terms.values()) == found.at(0, agent).total


@pytest.mark.parametrize("goal", [OwnPayoff(), GroupWelfare()], ids=lambda goal: goal.kind)
@pytest.mark.parametrize(
    "rules",
    [
        (),
        ({"kind": "tax", "rate": "1/3", "rebate": 1},),
        ({"kind": "quota", "amount": 4}, {"kind": "tax", "rate": "3/2", "free": 2}),
        ({"kind": "inequity_aversion"}, {"kind": "pact"}),
    ],
    ids=["bare", "taxed", "quota and tax", "feelings and words"],
)
def test_best_plans_are_exact_under_rules_that_stay_as_they_are(rules: tuple[dict, ...], goal: Any) -> None:
    """Every plan of three rounds is tried, and of those that fit beside the others' the best is W1."""
    pool = CommonPool(agents=2, stock=6, capacity=7, collapse_below=1)
    game = Governed(pool, tuple(INSTRUMENTS.parse(rule) for rule in rules))
    actual, predicted = ((2, 1, 3), (2, 2, 1)), (1, 2, 1)
    found = decompose_plans(
        game, 0, actual=actual, intended=(2, 2, 2), predicted=[predicted], yardstick=goal, seed=3, attribution="none"
    )

    def score(own: tuple[int, ...], others: tuple[int, ...]) -> tuple[Any, bool]:
        state, total, fits = game.initial_state(), F(0), True
        for number, pair in enumerate(zip(own, others, strict=True), 1):
            if game.over(state):
                break
            joint = tuple(legalise(game.space(state, seat), action) for seat, action in enumerate(pair))
            fits &= sum(joint) <= state.physical.stock
            step = game.step(state, joint, Noise(3, number))
            total, state = total + goal.utility(step, 0), step.state
        return total, fits

    every = list(itertools.product(range(8), repeat=3))
    assert found.reply_exact
    assert max(total for total, fits in (score(own, predicted) for own in every) if fits) == found.W1
    assert found.W4 + found.regret == max(score(own, actual[1])[0] for own in every)


C, D = "C", "D"


def tit_for_tat(number: int, state: Any, history: tuple[Any, ...]) -> str:
    return history[-1][0] if history else C


def test_others_who_follow_a_rule_answer_to_what_is_done() -> None:
    """Against tit for tat four rounds of C bring 12, the last one betrayed 14; C, C, D, D brought 12."""
    found = decompose_plans(
        MatrixGame(), 0, actual=[(C, C, D, D), tit_for_tat], intended=(C,) * 4, predicted=[tit_for_tat]
    )
    assert (found.W1, found.W2, found.W4, found.regret, found.reply_exact) == (14, 12, 12, 2, True)
    assert found.surprise == 0
    frozen = decompose_plans(
        MatrixGame(), 0, actual=[(C, C, D, D), (C, C, C, D)], intended=(C,) * 4, predicted=[(C,) * 4]
    )
    assert frozen.W1 == 20 and frozen.regret == 4  # held at C, C, C, D: 5 + 5 + 5 + 1 could have been had


PLANS = st.tuples(*[st.sampled_from("ab")] * 3)


@given(
    st.integers(0, 10**6),
    st.data(),
    st.sampled_from([OwnPayoff(), GroupWelfare(), Threshold(quantity="welfare", at_least=3)]),
)
@settings(max_examples=25, deadline=None)
def test_every_chain_of_plans_adds_up_and_best_replies_are_the_best(salt: int, data: st.DataObject, goal: Any) -> None:
    game = Maze(kind="maze", agents=3, salt=salt, options=2)
    actual = [data.draw(PLANS) for _ in range(3)]
    predicted = [data.draw(PLANS) for _ in range(2)]
    intended = data.draw(st.none() | PLANS)
    found = decompose_plans(
        game, 0, actual=actual, intended=intended, predicted=predicted, yardstick=goal, seed=3, discount=F(1, 2)
    )

    def score(plans: Any) -> Any:
        state, total = game.initial_state(), 0
        for place in range(3):
            step = game.step(state, tuple(plan[place] for plan in plans), Noise(3, place + 1))
            total += F(1, 2) ** place * goal.utility(step, 0)
            state = step.state
        return total

    every = list(itertools.product("ab", repeat=3))
    assert max(score([plan, *predicted]) for plan in every) == found.W1
    assert score(actual) == found.W4
    assert found.regret == max(score([plan, *actual[1:]]) for plan in every) - found.W4
    assert sum(found.terms.values()) == found.total == found.W0 - found.W4
    assert sum(share for share in found.attribution.shares if share is not None) == found.surprise
    assert max(score(plans) for plans in itertools.product(every, repeat=3)) >= found.W0


def test_declarations_that_miss_a_round_are_no_plan() -> None:
    dice = random.Random(1)
    said = [Declaration(5, (5,)), Declaration(None, (5,)), Declaration(5, (5,))]
    episode = play(
        scenario({"kind": "common_pool"}, 3, [{}] * 2), [Told(said, [dice.randint(0, 9)] * 3) for _ in range(2)]
    )
    assert set(align(episode, mode="episode").at(0, 0).terms) == {"anticipated", "planning+say_do", "surprise"}


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"actual": [(1, 2), (1,)]}, "one length"),
        ({"actual": [(1, 2)]}, "holds 1 plans"),
        ({"actual": [(1,), (1,)], "predicted": [(1,), (2,)]}, "1 other"),
        ({"actual": [(1,), (1,)], "yardstick": "wellfare"}, "did you mean 'welfare'"),
    ],
)
def test_wrong_plans_are_told(mistake: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        decompose_plans(CommonPool(agents=2), 0, **mistake)


def test_plans_of_a_game_whose_rounds_ask_for_different_things_are_taken_apart() -> None:
    """One proposes a division, then all vote on it; a plan that has the other kind of action ready does nothing there."""
    game = Constitution(agents=3, pie=6)
    take = [((6, 0, 0), "yes"), ((0, 6, 0), "no"), ((0, 0, 6), "yes")]
    proposer = next(seat for seat in range(3) if Noise(0, 1).below(3, "recognition") == seat)
    for yardstick in ("own", "welfare"):
        found = decompose_plans(game, 0, actual=take, intended=take[0], predicted=take[1:], yardstick=yardstick)
        assert found.W0 == 6 and found.W2 == found.W4 == (6 if yardstick == "welfare" or proposer == 0 else 0)
    late = decompose_plans(game, 0, actual=[("yes", (6, 0, 0)), *take[1:]])
    assert late.W4 == 0 and late.regret is not None


def test_a_plan_is_replayed_where_a_rule_has_taken_its_action_away() -> None:
    """The second defection of an excluded agent becomes what exclusion leaves it."""
    rules = [{"kind": "restriction", "options": ["C"], "enforcement": "soft"}, {"kind": "exclusion"}]
    game = Governed(MatrixGame(agents=2), tuple(INSTRUMENTS.parse(rule) for rule in rules))
    found = decompose_plans(game, 0, actual=[("D", "D"), ("C", "C")], intended=("C", "C"), predicted=[("C", "C")])
    assert found.total == sum(found.terms.values()) and found.W2 == 6


@pytest.mark.parametrize(("agents", "exact"), [(3, True), (5, False)])
def test_a_division_among_so_many_that_not_every_one_can_be_tried_has_a_reply_that_says_so(agents, exact) -> None:
    game = Constitution(agents=agents)
    even = game.abstention(game.initial_state(), 0)
    found = decompose(
        game, 0, intended=even, predicted=[even] * (agents - 1), actual=[even] * agents, noise=Noise(0, 1)
    )
    assert (found.reply_exact, found.total) == (exact, 0)
