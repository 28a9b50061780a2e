"""An examination of the catalogue: every expectation is worked out here, in plain Python, and not through the rules.

Sizes, parameters and games are other ones than in the papers; `test_mechanisms_reference` has those.
"""

import itertools
from fractions import Fraction as F
from functools import cache

import pytest

from society.mechanisms import get
from society.rulers import episode_optimum


def all_profiles(actions, n):
    return list(itertools.product(actions, repeat=n))


def nash(actions, n, pays):
    """Pure equilibria by the definition, as sorted tuples."""
    found = set()
    for profile in all_profiles(actions, n):
        here = pays(profile)
        if all(pays((*profile[:i], other, *profile[i + 1 :]))[i] <= here[i] for i in range(n) for other in actions):
            found.add(tuple(sorted(profile)))
    return found


def examine(game, actions, n, pays):
    """Payoffs, optimum, ceilings and equilibria of a small symmetric game, all by enumeration."""
    profiles = all_profiles(actions, n)
    for profile in profiles[:: max(1, len(profiles) // 40)]:
        assert game.play(profile).payoffs == pays(profile)
    ruler = game.ruler
    best = max(sum(pays(profile)) for profile in profiles)
    assert (ruler.optimum.value, ruler.optimum.exact) == (best, True)
    assert min(pays(ruler.optimum.profile)) == max(min(pays(p)) for p in profiles if sum(pays(p)) == best)
    assert [bound.value for bound in ruler.ceiling] == [max(pays(p)[0] for p in profiles)] * n
    stable = nash(actions, n, pays)
    assert {tuple(sorted(p)) for p in ruler.equilibria} == stable and ruler.equilibria.exact
    welfare = sorted(sum(pays(p)) for p in stable)
    if stable:
        assert (ruler.worst_equilibrium.value, ruler.best_equilibrium.value) == (welfare[0], welfare[-1])
    for profile in profiles[:: max(1, len(profiles) // 12)]:
        gains = [max(pays((*profile[:i], other, *profile[i + 1 :]))[i] for other in actions) - pays(profile)[i] for i in range(n)]  # fmt: skip
        assert [ruler.regret(profile, agent) for agent in range(n)] == gains
        assert (ruler.nash_conv(profile), ruler.epsilon(profile)) == (sum(gains), max(gains))
        assert ruler.exploitability(profile) == F(sum(gains), n)


# The laboratory commons


@pytest.mark.parametrize(
    ("n", "e", "wage", "a", "b"),
    [
        (1, 9, 1, 9, F(1, 2)),
        (2, 7, 2, 10, 1),
        (2, 6, 0, 6, F(1, 3)),
        (3, 5, 1, 7, F(2, 3)),
        (3, 4, F(1, 2), F(13, 2), F(3, 4)),
        (4, 3, 5, 23, F(5, 4)),
        (3, 3, 6, 5, 1),
        (2, 9, 5, 23, 1),
    ],
    ids=str,
)
def test_a_laboratory_commons_of_another_size(n, e, wage, a, b):
    def pays(x):
        return tuple(wage * (e - own) + (F(own, sum(x)) * (a * sum(x) - b * sum(x) ** 2) if sum(x) else 0) for own in x)

    examine(get("common_pool_resource", agents=n, endowment=e, wage=wage, a=a, b=b), range(e + 1), n, pays)


@pytest.mark.parametrize("e", [10, 25])
@pytest.mark.parametrize(
    ("profile", "net"),
    [
        ((0,) * 8, 0),
        ((4,) * 8, 320),
        ((5,) * 8, 320),
        ((4,) * 4 + (5,) * 4, 324),
        ((8,) * 8, 128),
        ((9,) * 8, 0),
        ((7,) * 4 + (9,) * 4, 128),
        ((10,) * 8, -160),
    ],
    ids=str,
)
def test_net_yields_of_the_laboratory_do_not_depend_on_the_endowment(e, profile, net):
    """X (18 - X/4), beside 5 cents a token and agent."""
    played = get("common_pool_resource", endowment=e).play(profile)
    assert played.welfare - 8 * 5 * e == net == sum(profile) * (18 - F(sum(profile), 4))


@pytest.mark.parametrize("n", [2, 4, 5, 8])
def test_the_share_of_the_possible_yield_at_the_even_equilibrium_is_four_n_over_n_plus_one_squared(n):
    """With (a - wage)/b a multiple of n + 1 and of two, so that whole numbers hit the continuous solution."""
    turning = 2 * (n + 1) * n
    game = get("common_pool_resource", agents=n, endowment=turning, wage=1, a=1 + turning, b=1)
    even = (turning // (n + 1),) * n
    assert game.ruler.nash_conv(even) == 0
    kept = n * turning
    assert F(game.play(even).welfare - kept, game.ruler.optimum.value - kept) == F(4 * n, (n + 1) ** 2)


# Public goods


@pytest.mark.parametrize(
    ("n", "e", "mpcr"), [(2, 5, F(3, 4)), (3, 4, F(1, 2)), (3, 3, F(1, 4)), (4, 2, F(6, 5)), (2, 3, 1)], ids=str
)
def test_a_public_good_of_another_size(n, e, mpcr):
    def pays(c):
        return tuple(e - own + mpcr * sum(c) for own in c)

    examine(get("public_goods", agents=n, endowment=e, mpcr=mpcr), range(e + 1), n, pays)


@pytest.mark.parametrize(
    ("n", "mpcr"), [(3, F(1, 2)), (4, F(2, 5)), (5, F(1, 3)), (6, F(3, 4)), (2, F(9, 10))], ids=str
)
def test_dilemma_strength_of_a_linear_public_good(n, mpcr):
    """Keeping mpcr of one's own is the most that makes giving dominant; selfishness level (1 - m)/(n m - 1)."""
    ruler = get("public_goods", agents=n, endowment=12, mpcr=mpcr).ruler
    assert ruler.self_interest_level.value == mpcr
    assert ruler.selfishness_level.value == (1 - mpcr) / (n * mpcr - 1)
    assert (ruler.schelling.greed, ruler.schelling.fear) == (12 * (1 - mpcr),) * 2
    assert ruler.schelling.grim_discount == (1 - mpcr) / (mpcr * (n - 1))


# The climate account


@pytest.mark.parametrize(
    ("n", "money", "target", "p"),
    [
        (2, 4, 4, F(1, 2)),
        (3, 3, 5, F(9, 10)),
        (3, 4, 6, F(1, 4)),
        (2, 6, 9, F(3, 4)),
        (3, 2, 7, F(9, 10)),
        (4, 2, 0, 1),
    ],
    ids=str,
)
def test_a_climate_account_in_one_shot(n, money, target, p):
    def pays(t):
        return tuple((money - own) * (1 if sum(t) >= target else 1 - p) for own in t)

    game = get("collective_risk", agents=n, endowment=money, step_size=1, most=money, target=target, periods=1, probability=p)  # fmt: skip
    ruler = game.ruler
    profiles = all_profiles(range(money + 1), n)
    assert ruler.optimum.value == max(sum(pays(t)) for t in profiles)
    assert ruler.ceiling[0].value == max(pays(t)[0] for t in profiles)
    assert {tuple(sorted(t)) for t in ruler.equilibria} == nash(range(money + 1), n, pays)
    assert all(game.mechanism.expected(t) == pays(t) for t in profiles)


@pytest.mark.parametrize(
    ("p", "stable", "strict"), [("1/2", True, False), ("49/100", False, False), ("51/100", True, True)]
)
def test_the_fair_share_is_stable_from_even_odds_on(p, stable, strict):
    """Six players, 40 euros, target 120: keeping 20 for sure against 40 with chance 1 - p."""
    ruler = get("collective_risk", periods=1, most=40, probability=p).ruler
    fair = (20,) * 6
    assert (ruler.nash_conv(fair) == 0) == stable
    assert (ruler.best_replies(fair, 0) == (20,)) == strict
    assert ruler.nash_conv((0,) * 6) == 0


@pytest.mark.parametrize(
    ("paid", "stable"),
    [
        ((36, 36, 36, 12, 0, 0), True),  # 4 = 40 (1 - 9/10) left to those who paid most
        ((38, 34, 36, 12, 0, 0), False),
        ((40, 40, 40, 0, 0, 0), False),
        ((30, 30, 30, 30, 0, 0), True),
        ((24, 24, 24, 24, 24, 0), True),
        ((22, 20, 20, 20, 20, 20), False),  # two euros more than needed
    ],
    ids=str,
)
def test_a_target_that_is_just_met_holds_while_everybody_keeps_what_it_would_risk(paid, stable):
    ruler = get("collective_risk", periods=1, most=40).ruler
    assert (ruler.nash_conv(paid) == 0) == stable


# Renewable commons


def grow(kind, y, cap):
    """The laws of growth, by hand: in whole units, rounded down."""
    laws = {
        "doubling": F(2 * y),
        "half": F(3 * y, 2),
        "logistic": y + F(y * (cap - y), cap),
        "slow": y + F(y * (cap - y), 2 * cap),
        "linear": F(y + 3),
        "none": F(y),
    }
    value = laws[kind]
    return max(0, min(cap, value.numerator // value.denominator))


LAWS = {
    "doubling": "doubling",
    "half": {"kind": "doubling", "factor": "3/2"},
    "logistic": "logistic",
    "slow": {"kind": "logistic", "rate": "1/2"},
    "linear": {"kind": "linear", "amount": 3},
    "none": "none",
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("cap", "stock", "below"), [(11, 11, 0), (13, 9, 2), (25, 25, 5), (7, 0, 1)], ids=str)
@pytest.mark.parametrize("order", ["harvest_first", "growth_first"])
def test_the_most_a_pool_of_odd_size_can_give(law, cap, stock, below, order):
    @cache
    def value(h, left):
        if left == 0:
            return 0
        found = grow(law, h, cap) if order == "growth_first" else h
        later = {
            y: 0 if y < below else value(y if order == "growth_first" else grow(law, y, cap), left - 1)
            for y in range(found + 1)
        }
        return max(found - y + later[y] for y in later)

    game = get("common_pool", agents=3, capacity=cap, stock=stock, collapse_below=below, growth=LAWS[law], order=order)
    for rounds in (1, 2, 3, 7):
        bound = episode_optimum(game.mechanism, rounds)
        assert (bound.value, bound.exact) == (value(stock, rounds), True)


@pytest.mark.parametrize(
    ("law", "joints", "stocks", "gains"),
    [
        pytest.param("doubling", [[30, 31]] * 4, (101, 80, 38), (79, 81), id="odd capacity, the last month is short"),
        pytest.param("half", [[10, 10]] * 3, (101, 101, 101), (30, 30), id="a factor of 3/2 refills what twenty take"),
        pytest.param("half", [[40, 20]] * 3, (101, 61), (80, 40), id="sixty are too many"),
        pytest.param("logistic", [[25, 25]] * 3, (101, 76, 45), (73, 72), id="logistic, rounded down"),
        pytest.param("linear", [[20, 31]] * 3, (101, 53), (40, 62), id="three flow in"),
        pytest.param("none", [[50, 50], [1, 0]], (101,), (50, 50), id="one left of an ore dies"),
    ],
)
def test_trajectories_of_two_in_a_pool_of_a_hundred_and_one(law, joints, stocks, gains):
    """Worked step by step: who gets the odd unit of a short stock by largest remainder, and death below five."""
    h, seen, sums = 101, [], [0, 0]
    for joint in joints:
        asked = [min(amount, h) for amount in joint]
        total = sum(asked)
        got = asked
        if total > h:  # proportional, the odd unit to the larger remainder, of equal ones to the first
            got = [amount * h // total for amount in asked]
            rest = [amount * h % total for amount in asked]
            got[0 if rest[0] >= rest[1] else 1] += h - sum(got)
        seen.append(h)
        sums = [sums[0] + got[0], sums[1] + got[1]]
        left = h - sum(got)
        if left < 5:
            break
        h = grow(law, left, 101)
    rolled = get("common_pool", agents=2, capacity=101, growth=LAWS[law]).rollout(joints)
    assert (rolled.stocks, rolled.gains) == (tuple(seen), tuple(sums))
    assert (rolled.stocks, rolled.gains) == (stocks, gains)
