"""A mechanism in the hand: from a notebook, without a scenario file."""

from fractions import Fraction as F

import pytest

from society import mechanisms
from society.core.errors import BadInput
from society.mechanisms import get
from society.mechanisms.common_pool import Pool


def test_a_joint_action_is_played_from_the_initial_state():
    game = mechanisms.get("common_pool_resource", agents=8, endowment=25)
    played = game.play([3, 7, 0, 12, 5, 9, 4, 10])
    assert played.total == 50
    assert played.payoffs == tuple(F(5) * (25 - x) + x * (23 - F(50, 4)) for x in (3, 7, 0, 12, 5, 9, 4, 10))


def test_a_plan_is_rolled_out():
    rolled = get("common_pool").rollout([[10] * 5] * 12)
    assert rolled.stocks == rolled.stocks_after == (100,) * 12
    assert rolled.grants == rolled.payoffs == ((10,) * 5,) * 12
    assert (rolled.gains, rolled.welfare, rolled.totals[0]) == ((120,) * 5, 600, 50)
    assert rolled.metrics["welfare_efficiency"].value == F(600 - 100, 650 - 100)
    assert len(rolled.states) == 13 and not rolled.collapsed


def test_a_rule_can_be_rolled_out_too():
    """Everybody takes a tenth of what there is."""
    rolled = get("common_pool", agents=2).rollout(lambda state, number: [state.stock // 10] * 2, rounds=3)
    assert rolled.actions == ((10, 10),) * 3


def test_a_collapse_ends_the_rollout_and_the_horizon_stays():
    rolled = get("common_pool").rollout([[100] * 5] * 9)
    assert (rolled.rounds, rolled.record.horizon) == (1, 9)


def test_play_can_start_from_any_state():
    assert get("common_pool").play([10] * 5, state=Pool(60)).stock_after == 20


def test_numbers_are_clamped_and_words_are_not_guessed():
    rolled = get("common_pool").rollout([[500, -3, 2.5, 7, 0]])
    assert rolled.actions == ((100, 0, 2, 7, 0),)
    with pytest.raises(BadInput, match="did you mean 'SAFE'"):
        get("ai_race").play(["SAFFE", "UNSAFE"])
    assert get("ai_race").play(["safe", " Unsafe "]).payoffs == get("ai_race").play(["SAFE", "UNSAFE"]).payoffs


@pytest.mark.parametrize(
    ("kind", "joint", "said"),
    [
        ("common_pool", [1, 2], "expected 5 actions"),
        ("common_pool", "many", "got a word"),
        ("common_pool", [1, 2, 3, 4, "5"], "got '5'"),
        ("common_pool", [1, 2, 3, 4, True], "true or false"),
        ("common_pool", [1, 2, 3, 4, float("nan")], "finite"),
        ("common_pool", [1, 2, 3, 4, None], "a number is needed"),
        ("constitution", [[1, 2, 3, 4, 5]] * 5, "add up to 100"),
        ("constitution", ["x"] * 5, "5 shares"),
    ],
)
def test_what_is_no_action_is_explained(kind, joint, said):
    with pytest.raises(BadInput, match=said):
        get(kind).play(joint)


def test_a_function_needs_to_know_when_to_stop():
    with pytest.raises(BadInput, match="how many rounds"):
        get("common_pool").rollout(lambda state, number: [1] * 5)


def test_what_is_in_the_hand_shows_itself():
    assert repr(get("public_goods", agents=3)).startswith("Bench(public_goods: agents=3")
    assert repr(get("common_pool").rollout([[1] * 5])) == "Rollout(common_pool, 1 of 1 rounds, gains 1, 1, 1, 1, 1)"
    assert get("common_pool").ruler_at(Pool(7)).optimum.value == 7
