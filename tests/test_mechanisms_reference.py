"""The reference numbers of the catalogue, worked by hand from the papers, in exact arithmetic."""

from collections import Counter
from fractions import Fraction as F

import pytest

from society.core.seeds import Noise
from society.mechanisms import get
from society.mechanisms.collective_risk import Account
from society.rulers import Ruler


def counts(profile):
    return dict(sorted(Counter(profile).items()))


# Renewable commons


def test_the_fishery_as_published_for_most_models():
    """Everybody takes everything in month one: total 100, 20 each, a price of anarchy of 6.5 over twelve months."""
    rolled = get("common_pool").rollout([[100] * 5] * 12)
    assert (rolled.welfare, rolled.gains, rolled.rounds, rolled.collapsed) == (100, (20,) * 5, 1, True)
    assert get("common_pool").mechanism.known_worst_equilibrium(12) == 100
    assert rolled.metrics["price_of_anarchy"].value == F(13, 2)


@pytest.mark.parametrize(
    ("joints", "survived", "efficiency", "equality", "overuse"),
    [
        pytest.param([[10] * 5] * 12, 12, 1, 1, 0, id="ten each"),
        pytest.param([[20] * 5] * 12, 1, F(1, 6), 1, 1, id="everything"),
        pytest.param([[11] * 5] * 3 + [[6] * 5] * 9, 4, F(13, 40), 1, 1, id="eleven, then six"),
        pytest.param(
            [[10, 10, 10, 10, 30], [6, 6, 6, 8, 12], [8, 8, 8, 8, 12]], 3, 1, F(159, 190), F(8, 15), id="three months"
        ),
    ],
)
def test_the_metrics_of_scripted_fisheries(joints, survived, efficiency, equality, overuse):
    metrics = get("common_pool").rollout(joints).metrics
    assert metrics["survival"].value == survived
    assert metrics["govsim_efficiency"].value == efficiency
    assert metrics["equality"].value == equality
    assert metrics["over_use"].value == overuse


def test_nineteen_each_leave_five_fish_that_become_ten():
    rolled = get("common_pool").rollout([[19] * 5])
    assert (rolled.stocks, rolled.stocks_after, rolled.gains, rolled.collapsed) == ((100,), (10,), (19,) * 5, False)


def test_what_one_fisher_could_take_alone():
    pool = get("common_pool").mechanism
    assert pool.known_value(12, 0)(pool.initial_state()) == 50 * 11 + 100


@pytest.mark.parametrize(
    ("growth", "left", "grown"),
    [
        ({"kind": "none"}, 60, 60),
        ({"kind": "doubling", "factor": "3/2"}, 33, 49),
        ({"kind": "doubling"}, 60, 100),
        ({"kind": "logistic", "rate": 1}, 50, 75),
        ({"kind": "logistic", "rate": "1/2"}, 30, 40),
        ({"kind": "logistic", "rate": 1}, 100, 100),
        ({"kind": "linear", "amount": 7}, 30, 37),
        ({"kind": "linear", "amount": 7}, 99, 100),
    ],
)
def test_stocks_grow_by_their_law(growth, left, grown):
    step = get("common_pool", agents=1, growth=growth).play([100 - left])
    assert (step.stock_after, step.facts["regrowth"]) == (grown, grown - left)


def test_growth_may_come_before_the_harvest():
    """Fifty grow to a hundred, sixty are taken, forty are left and found."""
    rolled = get("common_pool", agents=2, stock=50, order="growth_first").rollout([[30, 30], [40, 40]])
    assert rolled.stocks == (50, 40)
    assert rolled.stocks_after == (40, 0)
    assert rolled.grants == ((30, 30), (40, 40))


def test_harvest_and_growth_come_apart_in_either_order():
    first = get("common_pool", agents=1, stock=50).rollout([[20], [20]])
    late = get("common_pool", agents=1, stock=50, order="growth_first").rollout([[20], [20]])
    assert (first.stocks_after, late.stocks_after) == ((60, 80), (80, 80))


def test_a_shock_takes_its_share_of_the_grown_stock():
    always = get("common_pool", agents=1, shock={"probability": 1, "loss": "1/4"})
    assert always.play([60]).stock_after == 60  # 40 left, 80 grown, 20 lost
    never = get("common_pool", agents=1, shock={"probability": 0, "loss": "1/4"})
    assert never.play([60]).stock_after == 80


# Common-pool resource


CPR_ROWS = [
    ((0,) * 8, (125,) * 8),
    ((4,) * 8, (165,) * 8),
    ((5,) * 8, (165,) * 8),
    ((4,) * 4 + (5,) * 4, (161,) * 4 + (170,) * 4),
    ((8,) * 8, (141,) * 8),
    ((9,) * 8, (125,) * 8),
    ((25,) + (0,) * 7, (F(1675, 4),) + (125,) * 7),
    ((25,) * 8, (-675,) * 8),
]


@pytest.mark.parametrize(("taken", "paid"), CPR_ROWS)
def test_the_common_pool_resource_pays_as_in_the_table(taken, paid):
    assert get("common_pool_resource", endowment=25).play(taken).payoffs == paid


def test_the_common_pool_resource_with_ten_tokens():
    game = get("common_pool_resource", endowment=10)
    assert game.play([8] * 8).payoffs == (66,) * 8
    assert game.play([4] * 4 + [5] * 4).payoffs == (86,) * 4 + (95,) * 4
    assert game.ruler.optimum.value == 724


def test_five_equilibria_of_the_common_pool_resource_all_take_sixty_four():
    found = get("common_pool_resource").ruler.equilibria.profiles
    assert [counts(p) for p in sorted(found)] == [
        {7: 4, 9: 4},
        {7: 3, 8: 2, 9: 3},
        {7: 2, 8: 4, 9: 2},
        {7: 1, 8: 6, 9: 1},
        {8: 8},
    ]
    assert all(sum(p) == 64 for p in found)


def test_optimum_and_ceiling_of_the_common_pool_resource():
    ruler = get("common_pool_resource").ruler
    assert (ruler.optimum.value, ruler.optimum.profile) == (1324, (4,) * 4 + (5,) * 4)
    assert [bound.value for bound in ruler.ceiling] == [F(1675, 4)] * 8


@pytest.mark.parametrize(
    ("others", "replies"),
    [(35, {18, 19}), (40, {16}), (42, {15}), (49, {11, 12}), (56, {8}), (57, {7, 8}), (63, {4, 5})],
)
def test_best_replies_in_the_common_pool_resource(others, replies):
    rest = [others // 7 + (k < others % 7) for k in range(7)]
    assert set(get("common_pool_resource").ruler.best_replies((0, *rest), 0)) == replies


def test_regret_in_the_common_pool_resource():
    ruler = get("common_pool_resource").ruler
    profile = (4,) * 4 + (5,) * 4
    assert ruler.nash_conv((8,) * 8) == 0
    assert [ruler.regret(profile, agent) for agent in range(8)] == [64] * 4 + [60] * 4
    assert (ruler.nash_conv(profile), ruler.epsilon(profile)) == (496, 64)


# Public goods


def test_rulers_of_the_public_good():
    ruler = get("public_goods").ruler
    assert (ruler.optimum.value, ruler.optimum.profile) == (128, (20,) * 4)
    assert ruler.equilibria.profiles == ((0,) * 4,)
    assert ruler.ceiling[2].value == 44
    assert ruler.price_of_anarchy.value == F(8, 5)
    assert (ruler.self_interest_level.value, ruler.selfishness_level.value) == (F(2, 5), 1)


# Collective risk


def climate(**parameters):
    return get("collective_risk", **parameters)


@pytest.mark.parametrize(("risk", "kept"), [("9/10", 4), ("1/2", 20), ("1/10", 36)])
def test_nobody_paying_keeps_what_the_disaster_spares(risk, kept):
    assert climate(probability=risk).mechanism.expected((0,) * 6) == (kept,) * 6


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ((20,) * 6, (20,) * 6),
        ((0, 20, 20, 20, 20, 20), (4, 2, 2, 2, 2, 2)),
        ((40, 40, 40, 0, 0, 0), (0, 0, 0, 40, 40, 40)),
        ((18,) * 6, (F(11, 5),) * 6),
    ],
)
def test_expected_payoffs_of_the_climate_game(paid, expected):
    assert climate().mechanism.expected(paid) == expected


def test_two_a_round_reach_the_target_and_keep_twenty():
    rolled = climate().rollout([[2] * 6] * 10)
    assert rolled.gains == (20,) * 6
    assert rolled.stocks_after[-1] == 120 and rolled.transitions[-1].facts["target_reached"]
    assert [set(paid) for paid in rolled.payoffs[:-1]] == [{0}] * 9


def test_missing_the_target_loses_everything_or_nothing_by_one_draw():
    outcomes = {climate().rollout([[0] * 6] * 10, seed=seed).gains for seed in range(40)}
    assert outcomes == {(0,) * 6, (40,) * 6}


def test_each_player_may_have_its_own_lottery():
    outcomes = {climate(lottery="player", probability="1/2").rollout([[0] * 6] * 10, seed=s).gains for s in range(20)}
    assert any(len(set(gains)) == 2 for gains in outcomes)


@pytest.mark.parametrize(
    ("risk", "together", "alone"), [("9/10", 120, 40), ("1/2", 120, 40), ("2/5", 144, 40), ("1/10", 216, 40)]
)
def test_what_can_be_kept_in_the_climate_game(risk, together, alone):
    """The even share is worth paying while p >= 1/2; for one alone the others pay."""
    game = climate(probability=risk).mechanism
    start = game.initial_state()
    assert game.known_value(10, None)(start) == together
    assert game.known_value(10, 4)(start) == alone


def test_an_account_out_of_reach_is_not_worth_filling():
    game = climate().mechanism
    assert game.known_value(1, None)(Account(9, (2,) * 6)) == F(6 * 38, 10)
    assert game.known_value(1, None)(Account(9, (18,) * 6)) == 6 * 22 - 12


def test_the_climate_game_in_one_shot():
    """With p = 9/10 all give 20; the ceiling of one is what the others' money buys."""
    game = climate(periods=1, most=40)
    assert (game.ruler.optimum.profile, game.ruler.optimum.value) == ((20,) * 6, 120)
    assert game.ruler.ceiling[0].value == 40
    assert climate(periods=1, most=40, probability="1/10").ruler.optimum.value == 216


@pytest.mark.parametrize(("risk", "gift"), [("9/10", 20), ("1/2", 20), ("49/100", 0), ("1/10", 0)])
def test_the_benchmark_of_the_climate_game_is_to_reach_the_target_from_even_odds_on(risk, gift):
    assert climate(periods=1, most=40, probability=risk).ruler.optimum.profile == (gift,) * 6


# Two players


TABLE = [
    ("prisoners_dilemma", (5, 3, 1, 0), [("D", "D")], 3, None, F(3, 5), 2),
    ("mild_prisoners_dilemma", (4, 3, 2, 1), [("D", "D")], F(3, 2), None, F(2, 3), 1),
    ("donation", (3, 2, 0, -1), [("D", "D")], None, None, F(3, 4), F(1, 2)),
    ("chicken", (4, 3, 1, 2), [("C", "D")], 1, F(1, 2), F(1, 2), 0),
    ("stag_hunt", (3, 4, 2, 1), [("C", "C"), ("D", "D")], 2, F(1, 2), F(1, 2), 0),
    ("risky_stag_hunt", (3, 4, 3, 0), [("C", "C"), ("D", "D")], F(4, 3), F(3, 4), None, 0),
]


@pytest.mark.parametrize(("preset", "trps", "equilibria", "anarchy", "mixed", "interest", "selfishness"), TABLE)
def test_dilemma_strength_of_two_player_games(preset, trps, equilibria, anarchy, mixed, interest, selfishness):
    game, (t, r, p, s) = get("matrix_game", preset=preset), trps
    assert [game.play(x).payoffs for x in ("CC", "CD", "DC", "DD") for x in [list(x)]] == [
        (r, r),
        (s, t),
        (t, s),
        (p, p),
    ]
    ruler = game.ruler
    assert list(ruler.equilibria.profiles) == equilibria
    assert ruler.price_of_anarchy.value == anarchy
    assert [m.first[0] for m in ruler.mixed_equilibria] == ([] if mixed is None else [mixed])
    assert (ruler.schelling.greed, ruler.schelling.fear) == (t - r, p - s)
    assert ruler.self_interest_level.value == interest
    assert ruler.selfishness_level.value == selfishness
    assert get("matrix_game", trps=trps).play(["C", "D"]).payoffs == (s, t)


RAISE_2A = ["00 01 00", "10 22 03", "00 30 11"]
RAISE_2B = ["11 10 00", "01 22 36", "00 63 44"]


def cells(rows):
    return [[[int(x) for x in cell] for cell in row.split()] for row in rows]


@pytest.mark.parametrize(
    ("rows", "equilibria", "lowest"),
    [
        (RAISE_2A, [("c", "c")], 2),
        pytest.param(RAISE_2B, [("a", "a"), ("c", "c")], 2, id="as printed, with a second equilibrium"),
    ],
)
def test_games_of_restriction(rows, equilibria, lowest):
    ruler = get("matrix_game", options=["a", "b", "c"], table=cells(rows)).ruler
    assert list(ruler.equilibria.profiles) == equilibria
    assert ruler.worst_equilibrium.value == lowest


def test_without_option_c_the_other_equilibrium_is_better():
    table = [row[:2] for row in cells(RAISE_2A)[:2]]
    ruler = get("matrix_game", options=["a", "b"], table=table).ruler
    assert (list(ruler.equilibria.profiles), ruler.optimum.value) == ([("b", "b")], 4)


def test_more_than_two_meet_pairwise_and_get_the_mean():
    game = get("matrix_game", agents=3)
    assert game.play(["C", "C", "D"]).payoffs == (F(3, 2), F(3, 2), 5)
    assert game.play(["C", "D", "D"]).payoffs == (0, 3, 3)


def test_cournot_duopoly():
    ruler = get("cournot").ruler
    assert set(ruler.equilibria.profiles) == {(40, 40), (39, 41)}
    assert ruler.welfare((40, 40)) == 3200
    assert (ruler.optimum.value, ruler.optimum.profile) == (3600, (30, 30))
    sold = get("cournot").play([30, 60])
    assert sold.payoffs == (900, 1800) and sold.welfare == 2700
    assert (sold.facts["price"], sold.facts["buyers_surplus"]) == (30, 4050)


# Volunteers and diners


@pytest.mark.parametrize(
    ("n", "benefit", "cost", "wait", "nobody"),
    [(3, 4, 1, 0.5, 0.125), (5, 10, 2, 0.6687, 0.1337), (8, 10, 2, 0.7946, 0.1589)],
)
def test_larger_groups_of_volunteers_fail_more_often(n, benefit, cost, wait, nobody):
    ruler = get("volunteers_dilemma", agents=n, benefit=benefit, cost=cost).ruler
    (mixed,) = ruler.mixed_equilibria
    assert 1 - mixed.first[0] == pytest.approx(wait, abs=5e-5)
    assert (1 - mixed.first[0]) ** n == pytest.approx(nobody, abs=5e-5)
    assert mixed.payoffs[0] == pytest.approx(benefit - cost)
    assert [counts(p) for p in ruler.equilibria] == [{"volunteer": 1, "wait": n - 1}]
    assert (ruler.optimum.value, counts(ruler.optimum.profile)["volunteer"]) == (n * benefit - cost, 1)
    assert ruler.ceiling[n - 1].value == benefit
    assert ruler.self_interest_level.value is None


@pytest.mark.parametrize("n", [3, 6])
def test_the_expensive_meal_is_dominant_and_worse_for_all(n):
    game = get("diners_dilemma", agents=n)
    assert game.ruler.equilibria.profiles == (("expensive",) * n,)
    assert game.play(["expensive"] * n).payoffs == (-5,) * n
    assert game.play(["cheap"] * n).payoffs == (5,) * n
    assert game.ruler.optimum.profile == ("cheap",) * n


def test_one_expensive_meal_among_six_and_any_meals_among_two():
    lone = get("diners_dilemma", agents=6).play(["expensive"] + ["cheap"] * 5).payoffs
    assert lone == (F(35, 3),) + (F(5, 3),) * 5
    assert get("diners_dilemma", agents=6).ruler.ceiling[3].value == F(35, 3)
    assert len(get("diners_dilemma", agents=2).ruler.equilibria) == 3


# Roads


def minutes(game, profile):
    return [-payoff for payoff in game.play(profile).payoffs]


def test_the_open_road_of_braess_takes_seventeen_minutes_and_the_closed_one_fifteen():
    for closed, time in (((), 17), (("1-2",), 15)):
        ruler = get("congestion", preset="braess", agents=10, closed=closed).ruler
        assert {-ruler.welfare(p) / 10 for p in ruler.equilibria} == {time}


def test_the_best_use_of_the_open_road_sends_two_of_ten_over_the_shortcut():
    best = get("congestion", agents=10).ruler.optimum
    assert counts(best.profile) == {"0-1-2-3": 2, "0-1-3": 4, "0-2-3": 4}
    assert -best.value / F(10) == F(373, 25)


def test_one_driver_alone_on_the_least_loaded_way():
    ceiling = get("congestion", agents=10).ruler.ceiling
    assert [bound.value for bound in ceiling] == [-F(116, 10)] * 10


DOUBLE = [
    ((), 17, 25),
    (("1-2",), 15, 26),
    (("0-2",), 17, 25),
    (("1-2", "0-2"), 18, 24),
]


@pytest.mark.parametrize(("closed", "through", "across"), DOUBLE)
def test_which_closure_of_the_double_network_helps_depends_on_demand(closed, through, across):
    for trip, time in ((("0", "3"), through), (("A", "B"), across)):
        game = get(
            "congestion",
            preset="double_braess",
            agents=10,
            closed=closed,
            trips=[{"start": trip[0], "end": trip[1]}],
        )
        ruler = game.ruler
        assert {-ruler.welfare(p) / F(10) for p in ruler.equilibria} == {time}


def test_the_original_network_of_braess():
    for closed, time in ((("1-2",), 83), ((), 92)):
        ruler = get("congestion", preset="original_braess", agents=6, closed=closed).ruler
        assert {-ruler.welfare(p) / F(6) for p in ruler.equilibria} == {time}


def test_four_thousand_drivers_and_a_free_link():
    """f/100 and 45 minutes: 65 without the link, 80 with it. Forty agents drive a hundred cars each."""
    slow, fast = {"kind": "linear", "b": "1/100"}, {"kind": "constant", "a": 45}
    edges = [
        {"start": "s", "end": "l", "latency": slow},
        {"start": "s", "end": "r", "latency": fast},
        {"start": "l", "end": "r", "latency": {"kind": "constant", "a": 0}},
        {"start": "l", "end": "t", "latency": fast},
        {"start": "r", "end": "t", "latency": slow},
    ]
    for closed, time in ((["l-r"], 65), ([], 80)):
        game = get("congestion", agents=40, edges=edges, trips=[{"start": "s", "end": "t"}], flow=100, closed=closed)
        equilibria = game.mechanism.known_equilibria(game.mechanism.initial_state())
        assert {-game.play(p).welfare / F(40) for p in equilibria} == {time}


def test_pigou():
    """One against three quarters of a minute: a price of anarchy of 4/3."""
    game = get("congestion", preset="pigou", agents=4)
    assert minutes(game, ["0-1"] * 4) == [1] * 4
    assert -game.ruler.optimum.value / F(4) == F(3, 4)
    assert game.ruler.price_of_anarchy.value == F(4, 3)


def test_agents_with_trips_of_their_own_share_the_roads():
    trips = [{"start": "0", "end": "3"}, {"start": "A", "end": "B"}]
    game = get("congestion", preset="double_braess", agents=2, trips=trips)
    assert minutes(game, ["0-1-2-3", "A-0-2-B"]) == [2 + 3 + 1 + 2 + 3, 2 + 3 + 10 + 2 + 3]
    assert minutes(game, ["0-2-3", "A-0-2-B"]) == [10 + 2 + 3, 2 + 3 + 10 + 2 + 3]


@pytest.mark.parametrize(
    ("latency", "users", "time"),
    [
        ({"kind": "bpr", "free": 10, "capacity": 2}, 1, 10 + F(3, 2) / 16),
        ({"kind": "bpr", "free": 10, "capacity": 2}, 2, F(23, 2)),
        ({"kind": "polynomial", "coefficients": [1, 0, 2]}, 2, 9),
        ({"kind": "per_capita", "a": 1, "b": 6}, 1, 4),
        ({"kind": "linear", "a": 1, "b": "1/3"}, 2, F(5, 3)),
    ],
)
def test_edges_take_their_time(latency, users, time):
    edges = [
        {"start": "s", "end": "t", "latency": latency},
        {"start": "s", "end": "x", "latency": {"kind": "constant", "a": 0}},
        {"start": "x", "end": "t", "latency": {"kind": "constant", "a": 100}},
    ]
    game = get("congestion", agents=2, edges=edges, trips=[{"start": "s", "end": "t"}])
    assert minutes(game, ["s-t", "s-t" if users == 2 else "s-x-t"])[0] == time


# The race


@pytest.mark.parametrize(
    ("risk", "table", "equilibria", "together"),
    [
        ("1/10", ("51", "9/5", "136.08", "68.85"), ["UNSAFE"], "UNSAFE"),
        ("1/2", ("51", "9/5", "75.6", "38.25"), ["UNSAFE"], "SAFE"),
        ("4/5", ("51", "9/5", "30.24", "15.3"), ["SAFE", "UNSAFE"], "SAFE"),
    ],
)
def test_the_averaged_race(risk, table, equilibria, together):
    game = get("ai_race", risk=risk)
    ss, su, us, uu = map(F, table)
    assert game.play(["SAFE", "SAFE"]).payoffs == (ss, ss)
    assert game.play(["SAFE", "UNSAFE"]).payoffs == (su, us)
    assert game.play(["UNSAFE", "UNSAFE"]).payoffs == (uu, uu)
    assert list(game.ruler.equilibria.profiles) == [(word, word) for word in equilibria]
    assert (ss > uu) == (together == "SAFE")


@pytest.mark.parametrize(("below", "above", "who"), [("0.333", "0.334", "collective"), ("0.767", "0.7682", "dominant")])
def test_thresholds_of_the_race(below, above, who):
    """Safety is collectively better from p_r = 1/3 on, and risk-dominant from 53/69 on."""

    def safe_wins(risk):
        game = get("ai_race", risk=risk)
        (ss, _), (su, us) = game.play(["SAFE", "SAFE"]).payoffs, game.play(["SAFE", "UNSAFE"]).payoffs
        uu = game.play(["UNSAFE", "UNSAFE"]).payoffs[0]
        return ss > uu if who == "collective" else ss + su > us + uu

    exact = F(1, 3) if who == "collective" else F(53, 69)
    assert (safe_wins(below), safe_wins(above), safe_wins(str(exact))) == (False, True, False)


def test_stages_of_the_dynamic_race():
    game = get("ai_race", variant="dynamic")
    paid = [game.play(list(pair)).payoffs for pair in [("SAFE", "SAFE"), ("SAFE", "UNSAFE"), ("UNSAFE", "UNSAFE")]]
    assert paid == [(1, 1), (F(3, 5), F(12, 5)), (2, 2)]


def test_a_safe_pair_earns_a_point_a_round_and_half_the_prize():
    """Over the mean of nine rounds: 59."""
    rolled = get("ai_race", variant="dynamic").rollout(lambda state, number: ["SAFE", "SAFE"], rounds=200, seed=3)
    assert rolled.rounds >= 5 and rolled.transitions[-1].over
    assert rolled.gains == (rolled.rounds + 50,) * 2


@pytest.mark.parametrize(("risk", "won"), [(0, True), (1, False)])
def test_an_unsafe_winner_keeps_all_or_loses_all(risk, won):
    """(2.4 * rounds + 100) or nothing, against 0.6 * rounds: 121.6 (1 - p) against 5.4 over nine rounds."""
    rolled = get("ai_race", variant="dynamic", risk=risk).rollout(
        lambda state, number: ["UNSAFE", "SAFE"], rounds=200, seed=1
    )
    assert rolled.gains == (F(12, 5) * rolled.rounds + 100 if won else 0, F(3, 5) * rolled.rounds)


def test_a_race_lasts_nine_rounds_on_average():
    game = get("ai_race", variant="dynamic")
    lengths = [game.rollout(lambda s, t: ["SAFE", "SAFE"], rounds=500, seed=seed).rounds for seed in range(400)]
    assert min(lengths) == 5
    assert sum(lengths) / len(lengths) == pytest.approx(9, abs=0.7)  # standard error 0.22


# A shared service


@pytest.mark.parametrize(
    ("sent", "paid"),
    [
        ((80,) * 5, (4,) * 5),
        ((20,) * 5, (16,) * 5),
        ((40,) * 5, (12,) * 5),
        ((20, 20, 20, 20, 80), (F(17, 2),) * 4 + (34,)),
    ],
)
def test_the_shared_service_pays_as_in_the_table(sent, paid):
    assert get("shared_compute").play(sent).payoffs == paid


def test_rulers_of_the_shared_service():
    ruler = get("shared_compute").ruler
    assert (ruler.optimum.value, ruler.optimum.profile) == (80, (20,) * 5)
    assert (80,) * 5 in ruler.equilibria.profiles
    assert ruler.welfare((80,) * 5) == 20
    assert ruler.ceiling[0].value == 80
    assert ruler.nash_conv((80,) * 5) == 0


def test_a_bucket_that_is_emptied_stops_the_service():
    game = get("shared_compute", agents=2, capacity=100, bucket={"size": 100, "refill": 30, "outage": 2})
    rolled = game.rollout([[50, 50], [10, 10], [10, 10], [20, 20]])
    assert rolled.stocks == (100, 30, 60, 90)
    assert rolled.grants == ((50, 50), (0, 0), (0, 0), (20, 20))
    assert rolled.payoffs[1] == (-2, -2)
    assert rolled.stocks_after[-1] == 80


def test_the_most_a_bucket_can_serve():
    """Two rounds of ten with refill 4, no outage: 10 + 4. With an outage: nine leave one, then everything: 9 + 5."""
    for outage, best in ((0, 14), (2, 14)):
        game = get(
            "shared_compute", agents=1, capacity=10, value=1, cost=0, bucket={"size": 10, "refill": 4, "outage": outage}
        )
        assert game.mechanism.known_value(2, None)(game.mechanism.initial_state()) == best


# A constitution


@pytest.mark.parametrize(
    ("n", "quota", "discount", "keeps", "offer"),
    [
        (3, 2, 1, F(2, 3), F(1, 3)),
        (3, 2, "9/10", F(7, 10), F(3, 10)),
        (5, 3, "9/10", F(16, 25), F(9, 50)),
        (5, 5, "9/10", F(7, 25), F(9, 50)),
    ],
)
def test_offers_of_the_stationary_equilibrium(n, quota, discount, keeps, offer):
    game = get("constitution", agents=n, quota=quota, discount=discount).mechanism
    assert game.stationary == (keeps, offer)


def test_a_division_passes_with_the_quota_and_ends_the_game():
    game = get("constitution", agents=3, pie=90, discount="1/2")
    division = [60, 30, 0]
    refused = ["no", "no", "no"]

    def plan(state, number):
        if state.phase == "propose":
            return [division] * 3
        if state.refused == 0:
            return ["yes" if agent == state.proposer else word for agent, word in enumerate(refused)]
        return ["yes"] * 3

    rolled = game.rollout(plan, rounds=10)
    assert rolled.payoffs == ((0, 0, 0), (0, 0, 0), (0, 0, 0), (30, 15, 0))
    assert rolled.transitions[-1].over


def amendment(agents_for):
    """[7;6,2,2,1,1] moved under [5;3,2,2,1,1], with shares by which neither A nor B loses."""
    rise = {"name": "rise", "weights": [6, 2, 2, 1, 1], "quota": 7, "shares": ["1/2", "1/4", "1/12", "1/12", "1/12"]}
    game = get(
        "constitution",
        weights=[3, 2, 2, 1, 1],
        quota=5,
        shares=["1/3", "2/9", "2/9", "1/9", "1/9"],
        motions=[rise],
        pie=36,
    )

    def plan(state, number):
        if state.phase == "propose":
            return ["rise"] * 5
        return ["yes" if seat in agents_for or seat == state.proposer else "no" for seat in range(5)]

    return game, plan


def test_two_of_five_can_seize_power_by_the_rules_themselves():
    game, plan = amendment({0, 1})
    rolled = game.rollout(plan, rounds=2)
    assert rolled.states[-1].weights == (6, 2, 2, 1, 1) and rolled.states[-1].quota == 7
    assert rolled.payoffs[1] == (18, 9, 3, 3, 3)


def test_without_the_quota_the_rule_in_force_stays():
    game, plan = amendment(set())
    rolled = game.rollout(plan, rounds=2)  # only the proposer is for it: at most three votes
    assert rolled.states[-1].weights == (3, 2, 2, 1, 1)
    assert rolled.payoffs[1] == (12, 8, 8, 4, 4)


# Attention


def test_asking_beats_acting_while_attention_suffices():
    game = get("attention").mechanism
    assert game.acting == F(5, 2)
    assert [game.asking(m) for m in (1, 4, 8)] == [F(271, 40), F(271, 40), F(231, 80)]
    assert float(game.asking(9)) == pytest.approx(2.4556, abs=5e-5)


def test_eight_of_ten_ask_where_four_would_be_best():
    ruler = get("attention").ruler
    assert [counts(p) for p in ruler.equilibria] == [{"act": 2, "ask": 8}]
    assert ruler.worst_equilibrium.value == F(281, 10)
    assert (counts(ruler.optimum.profile), ruler.optimum.value) == ({"act": 6, "ask": 4}, F(421, 10))
    assert ruler.ceiling[0].value == F(271, 40)


def test_drawn_answers_average_to_the_expected_ones():
    game = get("attention", agents=10, outcomes="drawn").mechanism
    joint = ("ask",) * 8 + ("act", "noop")
    expected = game.known_expectation(game.initial_state(), joint)
    draws = [game.step(game.initial_state(), joint, Noise(seed, 1)).payoffs for seed in range(3000)]
    asked = sum(sum(paid[:8]) for paid in draws) / (8 * len(draws))
    assert asked == pytest.approx(float(expected[0]), abs=0.25)  # standard error about 0.04
    assert all(paid[9] == 0 for paid in draws)


# Closed forms against enumeration, in games small enough to enumerate


SMALL = [
    ("public_goods", {"agents": 3, "endowment": 3}),
    ("public_goods", {"agents": 3, "endowment": 3, "mpcr": "1/4"}),
    ("public_goods", {"agents": 2, "endowment": 4, "mpcr": "3/2"}),
    ("common_pool_resource", {"agents": 3, "endowment": 6, "wage": 1, "a": 9, "b": "1/2"}),
    ("common_pool_resource", {"agents": 2, "endowment": 5, "wage": 5, "a": 4, "b": 1}),
    ("common_pool_resource", {"agents": 3, "endowment": 2}),
    ("cournot", {"agents": 3, "demand": 12, "capacity": 8, "cost": 1}),
    ("shared_compute", {"agents": 3, "capacity": 6}),
    ("shared_compute", {"agents": 2, "capacity": 6, "cost": "1/2"}),
    ("shared_compute", {"agents": 3, "capacity": 5, "cost": 0}),
    ("shared_compute", {"agents": 2, "capacity": 6, "most": 9, "cost": "1/3"}),
    ("attention", {"agents": 5, "slots": 2}),
    ("attention", {"agents": 4, "slots": 1, "good": "1/2"}),
    ("ai_race", {}),
    ("ai_race", {"risk": "4/5"}),
    ("matrix_game", {"preset": "chicken"}),
    ("matrix_game", {"agents": 4, "preset": "stag_hunt"}),
    ("matrix_game", {"options": ["a", "b", "c"], "table": cells(RAISE_2B)}),
    ("volunteers_dilemma", {"agents": 4}),
    ("diners_dilemma", {"agents": 2}),
    ("diners_dilemma", {"agents": 4}),
    ("congestion", {"agents": 5}),
    ("congestion", {"agents": 3, "preset": "pigou"}),
]


@pytest.mark.parametrize(("kind", "parameters"), SMALL, ids=lambda x: str(x)[:50])
def test_closed_forms_agree_with_enumeration(kind, parameters, monkeypatch):
    game = get(kind, **parameters).mechanism
    known = Ruler(game)
    kind_type = type(game)
    for hook in ("known_optimum", "known_ceiling", "known_equilibria"):
        monkeypatch.setattr(kind_type, hook, lambda *_: None)
    searched = Ruler(game)
    assert searched.optimum.exact and searched.equilibria.exact
    monkeypatch.undo()
    assert known.optimum.value == searched.optimum.value
    assert sorted(known.scores(known.optimum.profile)) == sorted(searched.scores(searched.optimum.profile))
    assert [b.value for b in known.ceiling] == [b.value for b in searched.ceiling]
    ours, theirs = known.equilibria.profiles, searched.equilibria.profiles
    if game.symmetric:
        ours, theirs = [tuple(sorted(p)) for p in ours], [tuple(sorted(p)) for p in theirs]
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"growth": {"kind": "logistic", "rate": 1}},
        {"growth": {"kind": "linear", "amount": 3}},
        {"growth": {"kind": "doubling", "factor": "3/2"}},
        {"growth": {"kind": "none"}},
        {"order": "growth_first"},
        {"collapse_below": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_the_dynamic_programme_agrees_with_trying_everything(parameters, rounds):
    pool = get("common_pool", **{"agents": 1, "capacity": 12, "stock": 7, "collapse_below": 2, **parameters}).mechanism

    def best(state, left):
        if not left or pool.over(state):
            return 0
        steps = [pool.step(state, (x,), Noise(0, 1)) for x in pool.space(state, 0).grid()]
        return max(step.welfare + best(step.state, left - 1) for step in steps)

    start = pool.initial_state()
    assert pool.known_value(rounds, None)(start) == best(start, rounds)


def test_a_random_growth_is_worth_its_expectation():
    """One unit left of two becomes 1, 2 or 3, by luck; here the factor is 1 .. 3, and what is left last is worthless."""
    pool = get(
        "common_pool", agents=1, capacity=4, stock=2, collapse_below=0, growth={"kind": "stochastic", "spread": 1}
    )
    worth = pool.mechanism.known_value(2, None)(pool.mechanism.initial_state())
    factors = [F(1) + F(k, 50) for k in range(101)]
    leave = [sum(min(4, int(left * f)) for f in factors) / F(101) for left in (0, 1, 2)]
    assert worth == max(2 - left + leave[left] for left in (0, 1, 2))
