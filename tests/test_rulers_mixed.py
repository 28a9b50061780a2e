"""Mixed equilibria, against games whose equilibria are known and against what every equilibrium must be."""

import random
from fractions import Fraction as F
from itertools import product
from math import prod

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


def cube(payoffs):
    """A table of three agents from eight lists of payoffs, in the order aaa, aab, aba, ... bbb."""
    cells = iter(payoffs)
    return [[[next(cells) for _ in "CD"] for _ in "CD"] for _ in "CD"]


def test_three_unlike_agents_mix_by_numbers_that_are_checked_by_hand():
    """Each wants to do as the next one does not; agent 1 minds twice as much when agent 0 plays C.

    With chances x, y, z of C: agent 0 is indifferent at y = 1/2, agent 1 at z = 1/2, agent 2 at x = 1/2.
    """
    joints = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    pays = [[int(i != j), (2 - i) * int(j != k), int(k != i)] for i, j, k in joints]
    (found,) = of(cube(pays)).mixed_equilibria
    assert found.strategies == ((F(1, 2), F(1, 2)),) * 3 and found.exact
    assert found.payoffs == (F(1, 2), F(3, 4), F(1, 2))


def test_an_irrational_mixture_is_given_to_the_last_digits_and_says_so():
    """Agent 2 likes C only if both others play D; agents 0 and 1 like C only if the next one and agent 2 do not both.

    x y = 1/3 for agent 2 and y z = 1/3 = x z for the others: x = y = z = 1/sqrt(3).
    """
    joints = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]

    def of_one(own, first, second, scale):
        return scale * (1 if own else 3 * int(first == second == 1))

    pays = [[of_one(i, j, k, 1), of_one(j, i, k, 2), of_one(k, i, j, 5)] for i, j, k in joints]
    mixed = [m for m in of(cube(pays)).mixed_equilibria if all(0 < s[0] < 1 for s in m.strategies)]
    (found,) = mixed
    assert not found.exact
    assert [s[1] for s in found.strategies] == pytest.approx([3**-0.5] * 3, rel=1e-14)
    assert found.payoffs == pytest.approx((1, 2, 5))


@pytest.mark.parametrize(("n", "seed"), [*((3, seed) for seed in range(20)), *((4, seed) for seed in range(5))])
def test_unlike_agents_of_two_actions_have_an_odd_number_of_equilibria_and_leave_none(n, seed):
    """Wilson's theorem again, for more than two; and every mixture is checked by its definition."""
    dice = random.Random(seed)
    joints = list(product((0, 1), repeat=n))
    cells = {joint: [dice.randrange(10**6) for _ in joint] for joint in joints}

    def table(prefix=()):
        return cells[prefix] if len(prefix) == n else [table((*prefix, k)) for k in (0, 1)]

    def expects(agent, own, strategies):
        chances = [tuple(int(k == own) for k in (0, 1)) if seat == agent else s for seat, s in enumerate(strategies)]
        return sum(prod(chances[seat][k] for seat, k in enumerate(joint)) * cells[joint][agent] for joint in joints)

    ruler = of(table())
    assert (len(ruler.equilibria) + len(ruler.mixed_equilibria)) % 2 == 1
    for found in ruler.mixed_equilibria:
        for agent, strategy in enumerate(found.strategies):
            values = [expects(agent, own, found.strategies) for own in (0, 1)]
            close = pytest.approx(max(values), rel=1e-9, abs=1e-3)
            assert found.payoffs[agent] == (max(values) if found.exact else close)
            assert all(value == found.payoffs[agent] if found.exact else value == close for value, chance in zip(values, strategy, strict=True) if chance)  # fmt: skip
