"""Cooperative games: classical values, exactly, and what must hold in any game."""

import itertools
from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society import analysis
from society.analysis.cores import in_core
from society.analysis.pivots import solve_exactly
from society.analysis.programmes import minimise


def gloves(left, right):
    """Agents 0..left-1 have a left glove, the others a right one; a pair is worth 1."""
    return lambda members: min(sum(a < left for a in members), sum(a >= left for a in members))


def winning(quota, *weights):
    return lambda members: int(sum(weights[a] for a in members) >= quota)


def bankrupt(estate, claims=(100, 200, 300)):
    return lambda members: max(0, estate - sum(c for a, c in enumerate(claims) if a not in members))


def airport(members):
    """The shared runway, as a cost: what the largest of the planes needs."""
    return -max(((6, 12, 42)[a] for a in members), default=0)


def manual(members):
    """Four agents; order of the values: singletons, pairs 12,13,14,23,24,34, triples 123,124,134,234, all."""
    groups = [frozenset(g) for size in range(1, 5) for g in itertools.combinations(range(4), size)]
    return dict(zip(groups, (0, 0, 0, 0, 5, 5, 8, 9, 10, 8, 13, 15, 16, 17, 21), strict=True)).get(members, 0)


COUNCIL = (39, *[7] * 5, *[1] * 10)

GAMES = [
    pytest.param(3, gloves(2, 1), (F(1, 6), F(1, 6), F(2, 3)), (F(1, 5), F(1, 5), F(3, 5)), (1, 1, 3), 0, (0, 0, 1), id="2 left, 1 right"),
    pytest.param(
        5,
        gloves(2, 3),
        (F(13, 20),) * 2 + (F(7, 30),) * 3,
        (F(11, 37),) * 2 + (F(5, 37),) * 3,
        (11, 11, 5, 5, 5),
        0,
        (1, 1, 0, 0, 0),
        id="2 left, 3 right",
    ),
    pytest.param(3, winning(51, 50, 49, 1), (F(2, 3), F(1, 6), F(1, 6)), (F(3, 5), F(1, 5), F(1, 5)), (3, 1, 1), 0, (1, 0, 0), id="50 49 1"),
    pytest.param(3, winning(2, 1, 1, 1), (F(1, 3),) * 3, (F(1, 3),) * 3, (2, 2, 2), F(1, 3), (F(1, 3),) * 3, id="majority of 3"),
    pytest.param(
        6,
        winning(12, 4, 4, 4, 2, 2, 1),
        (F(7, 30),) * 3 + (F(3, 20),) * 2 + (0,),
        (F(5, 21),) * 3 + (F(1, 7),) * 2 + (0,),
        (10, 10, 10, 6, 6, 0),
        F(1, 4),
        (F(1, 4),) * 3 + (F(1, 8),) * 2 + (0,),
        id="Council of the EEC 1958",
    ),
    pytest.param(
        5,
        winning(5, 3, 2, 2, 1, 1),
        (F(2, 5), F(7, 30), F(7, 30), F(1, 15), F(1, 15)),
        (F(5, 13), F(3, 13), F(3, 13), F(1, 13), F(1, 13)),
        (10, 6, 6, 2, 2),
        F(4, 9),
        (F(1, 3), F(2, 9), F(2, 9), F(1, 9), F(1, 9)),
        id="3 2 2 1 1",
    ),
    pytest.param(3, airport, (-2, -5, -35), None, None, None, (-3, F(-9, 2), F(-69, 2)), id="airport"),
    pytest.param(3, bankrupt(100), (F(100, 3),) * 3, None, None, F(-100, 3), (F(100, 3),) * 3, id="estate of 100"),
    pytest.param(3, bankrupt(200), (F(100, 3), F(250, 3), F(250, 3)), None, None, -50, (50, 75, 75), id="estate of 200"),
    pytest.param(3, bankrupt(300), (50, 100, 150), None, None, -50, (50, 100, 150), id="estate of 300"),
    pytest.param(
        4,
        manual,
        (F(47, 12), F(21, 4), F(21, 4), F(79, 12)),
        None,
        None,
        F(-1, 2),
        (F(7, 2), F(9, 2), F(11, 2), F(15, 2)),
        id="four agents of the manual",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("n", "game", "shapley", "normalised", "raw", "epsilon", "nucleolus"), GAMES)
def test_classical_games(n, game, shapley, normalised, raw, epsilon, nucleolus):
    assert analysis.shapley(n, game) == shapley
    index = analysis.banzhaf(n, game)
    if raw is not None:
        assert (index.raw, index.normalised) == (raw, normalised)
    least = analysis.least_core(n, game)
    if epsilon is not None:
        assert least.epsilon == epsilon
    assert analysis.core(n, game).exists == (least.epsilon <= 0)
    assert analysis.nucleolus(n, game) == nucleolus
    assert analysis.kohlberg(n, game, nucleolus)


def test_the_core_of_a_voting_game_is_what_its_veto_player_gets():
    veto = analysis.core(3, winning(51, 50, 49, 1))
    assert veto.exists and veto.point == (1, 0, 0)
    none = analysis.core(3, winning(2, 1, 1, 1))
    assert not none.exists and none.point is None and none.needed == F(3, 2)


def test_the_security_council():
    shapley = analysis.shapley(quota=39, weights=COUNCIL[1:])
    assert shapley == (F(421, 2145),) * 5 + (F(4, 2145),) * 10
    index = analysis.banzhaf(quota=39, weights=COUNCIL[1:])
    assert index.raw == (848,) * 5 + (84,) * 10
    assert index.normalised == (F(106, 635),) * 5 + (F(21, 1270),) * 10


def test_the_index_of_the_example_of_the_documentation():
    index = analysis.banzhaf(quota=51, weights=[50, 49, 1])
    assert index.raw == (3, 1, 1) and index.normalised == (F(3, 5), F(1, 5), F(1, 5))
    assert index.absolute == (F(3, 4), F(1, 4), F(1, 4))


def test_nobody_has_power_where_nothing_can_pass():
    assert analysis.banzhaf(quota=10, weights=[1, 2]).normalised is None


def test_agents_who_could_get_more_alone_have_no_nucleolus_but_a_prenucleolus():
    def apart(members):
        return 0 if len(members) == 2 else len(members)

    assert analysis.nucleolus(2, apart) is None
    assert analysis.prenucleolus(2, apart) == (0, 0)
    assert analysis.kohlberg(2, apart, (0, 0), rational=False)


def test_one_agent_alone_gets_what_it_is_worth():
    assert analysis.nucleolus(1, [0, 7]) == analysis.shapley(1, [0, 7]) == (7,)
    assert analysis.core(1, [0, 7]).point == (7,) and analysis.least_core(1, [0, 7]).epsilon is None


def test_floats_in_floats_out():
    value = analysis.shapley(2, [0.0, 0.5, 0.25, 1.0])
    assert value == (0.625, 0.375) and all(isinstance(x, float) for x in value)


@pytest.mark.parametrize("bad", [[0, 1, 2], [1, 0, 0, 0]], ids=["a value is missing", "the empty coalition earns"])
def test_games_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="coalition"):
        analysis.shapley(2, bad)


def test_too_many_agents_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match="sample"):
        analysis.shapley(20, len)


games = st.integers(2, 4).flatmap(
    lambda n: st.lists(st.fractions(-4, 8, max_denominator=5), min_size=2**n - 1, max_size=2**n - 1).map(
        lambda values: (n, [F(0), *values])
    )
)


@given(games)
@settings(deadline=None, max_examples=60)
def test_values_of_any_game(game):
    n, table = game
    assert sum(analysis.shapley(n, table)) == table[-1]
    by_orders = [F(0)] * n
    for order in itertools.permutations(range(n)):
        mask = 0
        for agent in order:
            by_orders[agent] += table[mask | 1 << agent] - table[mask]
            mask |= 1 << agent
    assert analysis.shapley(n, table) == tuple(x / len(list(itertools.permutations(range(n)))) for x in by_orders)
    pre = analysis.prenucleolus(n, table)
    assert sum(pre) == table[-1] and analysis.kohlberg(n, table, pre, rational=False)
    least = analysis.least_core(n, table)
    worst = [table[m] - sum(pre[a] for a in range(n) if m >> a & 1) for m in range(1, 2**n - 1)]
    assert max(worst) == least.epsilon
    found = analysis.core(n, table)
    assert found.exists == (least.epsilon <= 0)
    if found.exists:
        assert in_core(n, table, found.point) and in_core(n, table, pre)
    nucleolus = analysis.nucleolus(n, table)
    if nucleolus is not None:
        assert analysis.kohlberg(n, table, nucleolus)
        assert all(x >= table[1 << a] for a, x in enumerate(nucleolus))


@given(games, st.integers(0, 3), st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_kohlberg_refuses_any_other_payment(game, giver, taker):
    n, table = game
    giver, taker = giver % n, taker % n
    pre = list(analysis.prenucleolus(n, table))
    pre[giver] -= F(1, 7)
    pre[taker] += F(1, 7)
    assert analysis.kohlberg(n, table, pre, rational=False) == (giver == taker)


@given(st.integers(2, 8).flatmap(lambda n: st.lists(st.integers(0, 6), min_size=n, max_size=n)), st.integers(1, 20))
@settings(deadline=None, max_examples=40)
def test_counting_by_weight_agrees_with_looking_at_every_coalition(weights, quota):
    n = len(weights)
    assert analysis.banzhaf(quota=quota, weights=weights) == analysis.banzhaf(n, winning(quota, *weights))
    assert analysis.shapley(quota=quota, weights=weights) == analysis.shapley(n, winning(quota, *weights))


@given(games)
@settings(deadline=None, max_examples=30)
def test_proved_and_pivoted_programmes_agree(game):
    n, table = game
    rows = [[*(m >> a & 1 for a in range(n)), 1] for m in range(1, 2**n - 1)]
    arguments = ([*([0] * n), 1], rows, table[1:-1], [[*([1] * n), 0]], [table[-1]])
    proved = minimise(*arguments)
    value, point, prices = solve_exactly(*arguments)
    assert value == proved.value
    for solution, weights in ((point, prices), (proved.point, proved.prices)):
        excesses = [
            low - sum(c * x for c, x in zip(row, solution, strict=True))
            for row, low in zip(rows, table[1:-1], strict=True)
        ]
        assert max(excesses) <= 0 and sum(solution[:n]) == table[-1]
        assert all(p >= 0 and p * e == 0 for p, e in zip(weights, excesses, strict=True)) and sum(weights) == 1


def test_programmes_without_answer_are_refused():
    with pytest.raises(ValueError, match="no bound"):
        solve_exactly([-1], [[1]], [0])
    with pytest.raises(ValueError, match="no solution"):
        minimise([1], [[1], [-1]], [1, 0])


def test_sampling_covers_the_truth_and_adds_up():
    """95% intervals of 20 seeds and 5 agents miss about 5 times; 12 misses would be a 1 in 500 accident."""

    def game(members):
        return sum((3, 2, 2, 1, 1)[a] for a in members) ** 3

    exact, missed = analysis.shapley(5, game), 0
    for seed in range(20):
        found = analysis.shapley_sampled(5, game, permutations=100, seed=seed)
        assert sum(found.values) == 9**3
        ends = zip(found.values, exact, found.half_widths, strict=True)
        missed += sum(abs(estimate - truth) > half for estimate, truth, half in ends)
    assert missed < 12
    many = analysis.shapley_sampled(30, lambda members: len(members) ** 2, permutations=4)
    assert many.values == (30,) * 30 and many.half_widths == (0,) * 30


ALONE = {0: {(0, 1): 2, (0,): 1}, 1: {(0, 1): 1, (1,): 2}}
ORDERS = {
    0: ((0, 1), (0, 2), (0, 1, 2), (0,)),
    1: ((1, 2), (0, 1), (0, 1, 2), (1,)),
    2: ((0, 2), (1, 2), (0, 1, 2), (2,)),
}


def test_an_undesired_guest_moves_for_ever():
    found = analysis.stable_partitions(2, lambda agent, group: ALONE[agent][tuple(sorted(group))])
    apart = ((0,), (1,))
    assert found.nash == [] and found.individual == [apart] and found.core == [apart]


def test_two_is_company_and_three_is_stable():
    found = analysis.stable_partitions(3, lambda agent, group: -ORDERS[agent].index(tuple(sorted(group))))
    assert found.core == [] and found.nash == found.individual == [((0, 1, 2),)]


def test_additive_friends_and_foes():
    likes = ((0, 3, -1, 0), (3, 0, 2, -4), (-1, 2, 0, 5), (0, -4, 5, 0))
    found = analysis.stable_partitions(4, lambda agent, group: sum(likes[agent][other] for other in group))
    pairs, everybody = ((0, 1), (2, 3)), ((0, 1, 2, 3),)
    assert found.core == [pairs] and set(found.nash) == {pairs, everybody}


@given(st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=4, max_size=4))
@settings(deadline=None, max_examples=40)
def test_stronger_stability_implies_weaker(likes):
    found = analysis.stable_partitions(4, lambda agent, group: sum(likes[agent][o] for o in group if o != agent))
    assert set(found.nash) <= set(found.individual) <= set(found.contractual)
    assert set(found.strict_core) <= set(found.core)


@pytest.mark.parametrize(
    ("payoffs", "level"),
    [
        ((5, 3, 1, 0), F(3, 5)),
        ((4, 3, 2, 1), F(2, 3)),
        ((3, 2, 0, -1), F(3, 4)),
        ((3, 4, 3, 0), 0),
        ((4, 3, 1, 2), F(1, 2)),
    ],
    ids=["dilemma 5310", "dilemma 4321", "donation", "risky stag hunt", "chicken"],
)
def test_how_much_may_be_kept_when_the_rest_may_go_to_anybody(payoffs, level):
    from tests.small_games import two_by_two

    assert analysis.general_self_interest_level(two_by_two(*payoffs)).value == level


def test_the_public_good_lets_everybody_keep_its_return():
    from tests.small_games import Gifts, Volunteers

    assert analysis.general_self_interest_level(Gifts(kind="gifts", agents=4)).value == F(2, 5)
    # whoever lives on another's payoff alone does not mind what volunteering costs itself
    volunteers = analysis.general_self_interest_level(Volunteers(kind="volunteers", agents=3, benefit=4, cost=1))
    assert volunteers.value == 0 and volunteers.exact


def test_no_transfer_helps_where_cooperation_hurts_everybody():
    from tests.small_games import two_by_two

    found = analysis.general_self_interest_level(two_by_two(2, 0, 3, 1))
    assert found.value is None and "no transfer" in found.how


def test_numbers_too_long_for_a_machine_word_are_as_exact_as_others():
    """Two games that differ by a factor only have nucleoli that do, whichever arithmetic they need."""

    def worth(members, factor=1):
        return factor * (sum(3 + k * k % 7 for k in members) ** 2 // 5)

    small = analysis.nucleolus(9, worth)
    large = analysis.nucleolus(9, lambda members: worth(members, 10**30))
    assert large == tuple(10**30 * share for share in small)
    assert analysis.kohlberg(9, worth, small)
