"""Every mechanism against worked numbers, and against what all of them promise."""

from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.seeds import Noise
from society.mechanisms import MECHANISMS
from society.mechanisms.common_pool import CommonPool, Pool
from society.mechanisms.public_goods import PublicGoods
from society.mechanisms.rationing import ration
from society.testing import check_mechanism


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_every_mechanism_keeps_the_contract(kind):
    check_mechanism(MECHANISMS.parse({"kind": kind}))


def play(mechanism, joints, seed=1):
    """The transitions of a fixed sequence of joint actions."""
    state, steps = mechanism.initial_state(), []
    for number, joint in enumerate(joints, start=1):
        steps.append(mechanism.step(state, tuple(joint), Noise(seed, number)))
        state = steps[-1].state
        if steps[-1].over:
            break
    return steps


def gains(steps):
    return tuple(sum(column) for column in zip(*(step.payoffs for step in steps), strict=True))


@pytest.mark.parametrize(
    ("joints", "stocks", "earned", "dies"),
    [
        pytest.param([(10,) * 5] * 12, [100] * 12, (120,) * 5, False, id="ten each for ever"),
        pytest.param([(20,) * 5] * 12, [100], (20,) * 5, True, id="everything at once"),
        pytest.param([(11,) * 5] * 3 + [(6,) * 5] * 9, [100, 90, 70, 30], (39,) * 5, True, id="a little too much"),
        pytest.param(
            [(10, 10, 10, 10, 30), (6, 6, 6, 8, 12), (8, 8, 8, 8, 12)],
            [100, 60, 44],
            (24, 24, 24, 26, 54),
            True,
            id="three months",
        ),
    ],
)
def test_the_fishery_runs_as_in_the_table(joints, stocks, earned, dies):
    steps = play(CommonPool(), joints)
    assert [step.stock_before for step in steps] == stocks
    assert gains(steps) == earned
    assert steps[-1].collapsed is dies


def test_five_fish_left_survive_and_four_do_not():
    five, four = play(CommonPool(), [(19,) * 5])[0], play(CommonPool(), [(19, 19, 19, 19, 20)])[0]
    assert (five.stock_after, five.collapsed) == (10, False)
    assert (four.stock_after, four.collapsed, four.over) == (0, True, True)


@pytest.mark.parametrize("rounds", [1, 2, 3, 12])
def test_the_most_that_can_be_taken_is_fifty_a_month_and_everything_at_the_end(rounds):
    pool = CommonPool()
    value = pool.known_value(rounds, None)
    assert value(pool.initial_state()) == 50 * (rounds - 1) + 100
    assert pool.known_value(rounds, 3)(pool.initial_state()) == value(pool.initial_state())


def test_the_value_of_a_small_stock_is_known():
    """As in the worked episode: sixty with two months left are worth 110, forty-four with one month 44."""
    value = CommonPool().known_value(2, None)
    assert (value(Pool(60)), CommonPool().known_value(1, None)(Pool(44))) == (110, 44)


@pytest.mark.parametrize(("stock", "share"), [(100, 10), (90, 9), (70, 7), (30, 3), (60, 6), (44, 4), (12, 1), (5, 0)])
def test_the_sustainable_share_is_a_fifth_of_half_the_stock(stock, share):
    assert CommonPool().share(Pool(stock)) == share


RULES = ["proportional", "equal", "priority", "random_order", "unit_by_unit"]


@pytest.mark.parametrize(
    ("rule", "requests", "stock", "granted"),
    [
        pytest.param("proportional", (30, 30, 30), 100, (30, 30, 30), id="enough for all"),
        pytest.param("proportional", (50, 50, 50), 100, (34, 33, 33), id="the odd unit goes to the lowest seat"),
        pytest.param("proportional", (10, 20, 40), 30, (4, 9, 17), id="largest remainder"),
        pytest.param("proportional", (500, 0), 100, (100, 0), id="five hundred of a hundred"),
        pytest.param("equal", (10, 20, 40), 30, (10, 10, 10), id="equal"),
        pytest.param("equal", (2, 20, 40), 31, (2, 15, 14), id="equal with an odd unit"),
        pytest.param("priority", (10, 20, 40), 35, (10, 20, 5), id="by seat"),
    ],
)
def test_short_stocks_are_rationed(rule, requests, stock, granted):
    assert ration(requests, stock, rule, Noise(1, 1)) == granted


@given(
    requests=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    stock=st.integers(0, 100),
    rule=st.sampled_from(RULES),
    seed=st.integers(0, 5),
)
@settings(deadline=None, max_examples=200)
def test_nobody_gets_more_than_asked_and_nothing_is_left_over(requests, stock, rule, seed):
    granted = ration(requests, stock, rule, Noise(seed, 1))
    assert sum(granted) == min(stock, sum(requests))
    assert all(0 <= g <= r for g, r in zip(granted, requests, strict=True))


@pytest.mark.parametrize(
    ("gifts", "paid"),
    [
        ((20, 20, 20, 20), (32, 32, 32, 32)),
        ((0, 0, 0, 0), (20, 20, 20, 20)),
        ((0, 20, 20, 20), (44, 24, 24, 24)),
        ((5, 10, 15, 20), (35, 30, 25, 20)),
        ((1, 0, 0, 0), (F(97, 5), F(102, 5), F(102, 5), F(102, 5))),
    ],
)
def test_public_goods_pay_as_in_the_table(gifts, paid):
    assert play(PublicGoods(), [gifts])[0].payoffs == paid


def test_a_multiplier_is_the_per_capita_return_times_the_group():
    assert play(PublicGoods(multiplier="1.6"), [(5, 10, 15, 20)])[0].payoffs == (35, 30, 25, 20)
    with pytest.raises(ValueError, match="not both"):
        PublicGoods(multiplier=2, mpcr=1)
