"""Mixed equilibria, against games whose equilibria are known and against what every equilibrium must be."""

import random
from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.mechanisms import get


def of(table, **more):
    return get("matrix_game", table=table, **more).ruler


ROCK_PAPER_SCISSORS = [[[0, 0], [-1, 1], [1, -1]], [[1, -1], [0, 0], [-1, 1]], [[-1, 1], [1, -1], [0, 0]]]
BATTLE = [[[2, 1], [0, 0]], [[0, 0], [1, 2]]]
PENNIES = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]


@pytest.mark.parametrize(
    ("table", "strategies", "payoffs"),
    [
        pytest.param(ROCK_PAPER_SCISSORS, ((F(1, 3),) * 3,) * 2, (0, 0), id="rock, paper, scissors"),
        pytest.param(BATTLE, ((F(2, 3), F(1, 3)), (F(1, 3), F(2, 3))), (F(2, 3),) * 2, id="battle of the sexes"),
        pytest.param(PENNIES, ((F(1, 2),) * 2,) * 2, (0, 0), id="matching pennies"),
        pytest.param(
            [[[3, -3], [-1, 1]], [[-2, 2], [4, -4]]], ((F(3, 5), F(2, 5)), (F(1, 2), F(1, 2))), (1, -1), id="zero sum"
        ),
        pytest.param(
            [[[4, -4], [1, -1], [9, -9]], [[2, -2], [5, -5], [9, -9]]],
            ((F(1, 2), F(1, 2)), (F(2, 3), F(1, 3), 0)),
            (3, -3),
            id="a column never worth playing",
        ),
    ],
)
def test_the_only_mixed_equilibrium(table, strategies, payoffs):
    (found,) = of(table).mixed_equilibria
    assert (found.strategies, found.payoffs, found.exact) == (strategies, payoffs, True)


def test_two_equilibria_of_smaller_supports_beside_the_full_one():
    """Coordination on one of three meeting points: each pair of them, and all three, can be mixed."""
    table = [[[1, 1] if i == j else [0, 0] for j in range(3)] for i in range(3)]
    found = of(table).mixed_equilibria
    halves = {m.strategies[0] for m in found}
    assert halves == {(F(1, 2), F(1, 2), 0), (F(1, 2), 0, F(1, 2)), (0, F(1, 2), F(1, 2)), (F(1, 3),) * 3}


cell = st.tuples(st.integers(-20, 20), st.integers(-20, 20)).map(list)


@given(st.integers(2, 4).flatmap(lambda k: st.lists(st.lists(cell, min_size=k, max_size=k), min_size=2, max_size=4)))
@settings(max_examples=60, deadline=None)
def test_nobody_gains_by_leaving_a_mixture(table):
    ruler = of(table)
    for found in ruler.mixed_equilibria:
        row, column = found.strategies
        assert sum(row) == sum(column) == 1 and min(row + column) >= 0
        mine = [sum(c * pair[0] for c, pair in zip(column, line, strict=True)) for line in table]
        yours = [sum(r * table[i][j][1] for i, r in enumerate(row)) for j in range(len(column))]
        assert (max(mine), max(yours)) == found.payoffs
        assert all(value == max(mine) for value, chance in zip(mine, row, strict=True) if chance)
        assert all(value == max(yours) for value, chance in zip(yours, column, strict=True) if chance)


@pytest.mark.parametrize("seed", range(30))
def test_a_game_without_ties_has_an_odd_number_of_equilibria(seed):
    """Wilson's theorem. Payoffs are drawn so widely that ties do not happen."""
    dice = random.Random(seed)
    size = dice.randint(2, 4)
    table = [[[dice.randrange(10**9), dice.randrange(10**9)] for _ in range(size)] for _ in range(size)]
    ruler = of(table)
    assert (len(ruler.equilibria) + len(ruler.mixed_equilibria)) % 2 == 1


@pytest.mark.parametrize(("n", "benefit", "cost"), [(3, 4, 1), (5, 10, 2), (40, 10, 3), (300, 10, 3)])
def test_volunteers_mix_in_groups_of_any_size(n, benefit, cost):
    (found,) = get("volunteers_dilemma", agents=n, benefit=benefit, cost=cost).ruler.mixed_equilibria
    assert 1 - float(found.first[0]) == pytest.approx((cost / benefit) ** (1 / (n - 1)), rel=1e-12)
    assert float(found.payoffs[0]) == pytest.approx(benefit - cost, rel=1e-9)


def test_games_of_many_actions_and_agents_have_no_mixed_ruler():
    assert get("public_goods").ruler.mixed_equilibria is None
    assert get("common_pool", agents=2, capacity=10).ruler.mixed_equilibria is None
