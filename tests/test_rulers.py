"""Rulers: optima, ceilings, equilibria, prices and dilemma strength, against numbers from the literature."""

import itertools
from fractions import Fraction
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.goals import GroupWelfare, OwnPayoff
from society.rulers import Ruler, episode_optimum
from tests.small_games import Gifts, Lake, Pool, Table, Volunteers, two_by_two

POOL = Ruler(Pool(kind="pool", agents=8))
GIFTS = Ruler(Gifts(kind="gifts", agents=4))


def test_the_common_pool_has_five_equilibria_all_with_sixty_four_tokens():
    found = POOL.equilibria
    assert found.exact and found.up_to_order
    assert set(found) == {
        (8,) * 8,
        (7, 8, 8, 8, 8, 8, 8, 9),
        (7, 7, 8, 8, 8, 8, 9, 9),
        (7, 7, 7, 8, 8, 9, 9, 9),
        (7, 7, 7, 7, 9, 9, 9, 9),
    }


def test_the_common_pool_optimum_is_the_most_even_profile_of_thirty_six():
    optimum = POOL.optimum
    assert optimum.exact and optimum.value == 724
    assert optimum.profile == (4, 4, 4, 4, 5, 5, 5, 5)
    assert POOL.scores(optimum.profile) == (86,) * 4 + (95,) * 4
    assert "43758 combinations" in optimum.how


def test_the_common_pool_prices_of_anarchy_and_stability():
    assert POOL.worst_equilibrium.value == POOL.best_equilibrium.value == 528
    assert POOL.price_of_anarchy.value == Fraction(724, 528)
    assert POOL.price_of_anarchy.exact


def test_the_ceiling_of_the_common_pool_is_to_be_alone_in_it():
    ceiling = POOL.ceiling
    assert [bound.value for bound in ceiling] == [50 + 10 * (18 - Fraction(10, 4))] * 8
    assert ceiling[3].profile == (0, 0, 0, 10, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("others", "best"),
    [(40, {16}), (35, {18, 19}), (42, {15}), (49, {11, 12}), (56, {8}), (57, {7, 8}), (63, {4, 5})],
)
def test_best_replies_in_the_common_pool(others, best):
    ruler = Ruler(Pool(kind="pool", agents=8, endowment=25))
    shares = [others // 7 + (seat < others % 7) for seat in range(7)]
    assert set(ruler.best_replies((0, *shares), 0)) == best


def test_regret_and_exploitability_of_the_common_pool():
    ruler = Ruler(Pool(kind="pool", agents=8, endowment=25))
    assert ruler.nash_conv((8,) * 8) == 0
    even = (4, 4, 4, 4, 5, 5, 5, 5)
    assert [ruler.regret(even, agent) for agent in range(8)] == [64] * 4 + [60] * 4
    assert (ruler.nash_conv(even), ruler.exploitability(even), ruler.epsilon(even)) == (496, 62, 64)


def test_one_who_wants_the_welfare_has_no_regret_at_the_optimum():
    ruler = Ruler(Pool(kind="pool", agents=4), goals=[GroupWelfare()] * 4)
    optimum = ruler.optimum.profile
    assert ruler.nash_conv(optimum) == 0
    selfish = Ruler(Pool(kind="pool", agents=4), goals=[OwnPayoff()] * 4)
    assert selfish.nash_conv(optimum) > 0
    assert selfish.equilibria.profiles == Ruler(Pool(kind="pool", agents=4)).equilibria.profiles


GAMES = [
    # T, R, P, S, greed, fear, dilemma, equilibria, anarchy, mixed, s*, selfishness, grim, tit for tat
    pytest.param((5, 3, 1, 0), 2, 1, True, {"DD"}, 3, None, Fraction(3, 5), 2, Fraction(1, 2), Fraction(2, 3)),
    pytest.param(
        (4, 3, 2, 1), 1, 1, True, {"DD"}, Fraction(3, 2), None, Fraction(2, 3), 1, Fraction(1, 2), Fraction(1, 2)
    ),
    pytest.param(
        (3, 2, 0, -1),
        1,
        1,
        True,
        {"DD"},
        None,
        None,
        Fraction(3, 4),
        Fraction(1, 2),
        Fraction(1, 3),
        Fraction(1, 3),
        id="donation",
    ),
    pytest.param(
        (4, 3, 1, 2), 1, -1, False, {"CD"}, 1, Fraction(1, 2), Fraction(1, 2), 0, Fraction(1, 3), None, id="chicken"
    ),
    pytest.param((3, 4, 2, 1), -1, 1, True, {"CC", "DD"}, 2, Fraction(1, 2), Fraction(1, 2), 0, 0, 0, id="stag hunt"),
    pytest.param(
        (3, 4, 3, 0), -1, 3, True, {"CC", "DD"}, Fraction(4, 3), Fraction(3, 4), None, 0, 0, 0, id="risky stag hunt"
    ),
]


@pytest.mark.parametrize(
    ("payoffs", "greed", "fear", "dilemma", "pure", "anarchy", "mixed", "kept", "selfish", "grim", "tft"), GAMES
)
def test_dilemma_strength_of_two_player_games(
    payoffs, greed, fear, dilemma, pure, anarchy, mixed, kept, selfish, grim, tft
):
    ruler = Ruler(two_by_two(*payoffs))
    diagram = ruler.schelling
    assert (diagram.greed, diagram.fear, diagram.is_dilemma) == (greed, fear, dilemma)
    assert {"".join(joint) for joint in ruler.equilibria} == pure
    assert ruler.price_of_anarchy.value == anarchy
    assert [m.first[0] for m in ruler.mixed_equilibria] == ([] if mixed is None else [mixed])
    assert ruler.self_interest_level.value == kept
    assert ruler.selfishness_level.value == selfish
    assert (diagram.grim_discount, diagram.tit_for_tat_discount) == (grim, tft)


def test_dilemma_strength_of_the_public_good():
    assert (GIFTS.schelling.greed, GIFTS.schelling.fear, GIFTS.schelling.is_dilemma) == (12, 12, True)
    assert GIFTS.schelling.cooperator == (8, 16, 24, 32) and GIFTS.schelling.defector == (20, 28, 36, 44)
    assert GIFTS.equilibria.profiles == ((0, 0, 0, 0),)
    assert GIFTS.price_of_anarchy.value == Fraction(8, 5)
    assert GIFTS.self_interest_level.value == Fraction(2, 5)
    assert GIFTS.selfishness_level.value == 1
    assert GIFTS.schelling.grim_discount == Fraction(1, 2)
    assert [bound.value for bound in GIFTS.ceiling] == [44] * 4


@given(st.integers(2, 4), st.fractions(Fraction(1, 10), 1, max_denominator=12))
@settings(max_examples=25, deadline=None)
def test_the_public_good_keeps_its_closed_forms(n, back):
    """Self-interest level: the return m; selfishness level: (1 - m)/(n m - 1) where gifts pay for the group."""
    ruler = Ruler(Gifts(kind="gifts", agents=n, back=back, endowment=4))
    if n * back > 1:
        assert ruler.optimum.value == n * n * back * 4
        assert ruler.self_interest_level.value == back
        assert ruler.selfishness_level.value == (1 - back) / (n * back - 1)
    else:
        assert ruler.optimum.value == 4 * n


@pytest.mark.parametrize(
    ("n", "benefit", "cost", "waits", "nobody"),
    [(3, 4, 1, 0.5, 0.125), (5, 10, 2, 0.6687, 0.1337), (8, 10, 2, 0.7946, 0.1589)],
)
def test_the_volunteers_dilemma(n, benefit, cost, waits, nobody):
    ruler = Ruler(Volunteers(kind="volunteers", agents=n, benefit=benefit, cost=cost))
    assert ruler.equilibria.profiles == (("volunteer", *["wait"] * (n - 1)),)
    assert ruler.optimum.value == n * benefit - cost
    (mixed,) = ruler.mixed_equilibria
    q = 1 - mixed.first[0]
    assert round(float(q), 4) == waits and round(float(q) ** n, 4) == nobody
    assert isclose(float(mixed.payoffs[0]), benefit - cost)
    assert mixed.exact == (n == 3)
    assert ruler.self_interest_level.value is None
    assert ruler.ceiling[2].value == benefit and ruler.ceiling[2].profile[2] == "wait"


def test_matching_pennies_has_no_pure_equilibrium_and_one_mixed():
    game = Table(kind="pennies", options=("H", "T"), cells=(((1, -1), (-1, 1)), ((-1, 1), (1, -1))))
    ruler = Ruler(game)
    assert len(ruler.equilibria) == 0 and ruler.equilibria.exact
    (mixed,) = ruler.mixed_equilibria
    assert mixed.first == (Fraction(1, 2),) * 2 and mixed.payoffs == (0, 0) and mixed.exact
    assert ruler.price_of_anarchy.value is None and "no pure" in ruler.price_of_anarchy.how


def test_an_unlike_two_by_two_game_mixes_so_that_the_other_is_indifferent():
    """Battle of the sexes: each plays its favourite with 3/5."""
    game = Table(kind="sexes", options=("a", "b"), cells=(((3, 2), (0, 0)), ((0, 0), (2, 3))))
    (mixed,) = Ruler(game).mixed_equilibria
    assert mixed.first == (Fraction(3, 5), Fraction(2, 5)) and mixed.payoffs == (Fraction(6, 5),) * 2


def test_restriction_games_have_the_equilibria_they_have():
    abc = ("a", "b", "c")
    first = Table(
        kind="fig2a",
        options=abc,
        cells=(((0, 0), (0, 1), (0, 0)), ((1, 0), (2, 2), (0, 3)), ((0, 0), (3, 0), (1, 1))),
    )
    assert Ruler(first).equilibria.profiles == (("c", "c"),)
    second = Table(
        kind="fig2b",
        options=abc,
        cells=(((1, 1), (1, 0), (0, 0)), ((0, 1), (2, 2), (3, 6)), ((0, 0), (6, 3), (4, 4))),
    )
    ruler = Ruler(second)
    assert set(ruler.equilibria) == {("a", "a"), ("c", "c")}
    assert (ruler.worst_equilibrium.value, ruler.best_equilibrium.value) == (2, 8)
    assert ruler.price_of_stability.value == Fraction(9, 8)


cells = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=9, max_size=9)


@given(cells)
@settings(deadline=None)
def test_rulers_agree_with_looking_at_every_cell(flat):
    table = tuple(tuple(flat[3 * r + c] for c in range(3)) for r in range(3))
    ruler = Ruler(Table(kind="any", options=("x", "y", "z"), cells=table))
    stable = {
        ("xyz"[r], "xyz"[c])
        for r, c in itertools.product(range(3), repeat=2)
        if table[r][c][0] == max(table[k][c][0] for k in range(3))
        and table[r][c][1] == max(table[r][k][1] for k in range(3))
    }
    found = {
        tuple(j)
        for joint in ruler.equilibria
        for j in (itertools.permutations(joint) if ruler.equilibria.up_to_order else [joint])
    }
    assert found == stable
    assert ruler.optimum.value == max(sum(cell) for cell in flat)
    assert [bound.value for bound in ruler.ceiling] == [max(cell[i] for cell in flat) for i in (0, 1)]
    for joint in stable:
        assert ruler.nash_conv(joint) == 0


def test_a_game_too_large_to_enumerate_is_searched_and_says_so():
    ruler = Ruler(Pool(kind="pool", agents=8, endowment=25))
    assert not ruler.optimum.exact and ruler.optimum.value == 1324
    assert not ruler.equilibria.exact and all(sum(joint) == 64 for joint in ruler.equilibria)
    assert not ruler.ceiling[0].exact and ruler.ceiling[0].value == Fraction(1675, 4)


def test_the_episode_optimum_of_a_small_lake_keeps_half_and_takes_all_in_the_end():
    best = episode_optimum(Lake(kind="lake", agents=2), rounds=3)
    assert best.exact and best.value == 4 + 4 + 8
    assert "dynamic programme" in best.how


def test_seats_that_are_served_in_order_are_not_taken_for_alike():
    """Lake serves the lower seat first, so a ruler that believed in symmetry would be wrong."""

    class Mistaken(Lake):
        kind: str = ...

        @property
        def symmetric(self):
            return True

    ruler = Ruler(Mistaken(kind="mistaken", agents=2))
    assert not ruler.board.symmetric
    assert set(ruler.equilibria) == set(Ruler(Lake(kind="lake", agents=2)).equilibria)


def test_games_of_chance_are_judged_by_their_expectation_unless_a_world_is_named():
    """Six assistants ask one human: what comes of an answer is drawn, and so are the proposals."""
    from society.core.seeds import Noise
    from society.mechanisms import MECHANISMS

    game = MECHANISMS.parse({"kind": "attention", "agents": 6, "outcomes": "drawn"})
    asking = ("ask",) * 6
    fair, world = Ruler(game), Noise(4, 1)
    assert fair.scores(asking) == game.known_expectation(game.initial_state(), asking)
    assert Ruler(game, noise=world).scores(asking) == game.step(game.initial_state(), asking, world).payoffs
    assert fair.scores(asking) != Ruler(game, noise=world).scores(asking)
    sure = Ruler(MECHANISMS.parse({"kind": "attention", "agents": 6}))
    assert fair.equilibria.profiles == sure.equilibria.profiles
    assert fair.schelling.greed == sure.schelling.greed
