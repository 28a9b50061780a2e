"""Families of cooperative games whose solutions are known in closed form, or follow from the definitions by brute force."""

import itertools
import random
from fractions import Fraction as F

import pytest

from society import analysis
from society.analysis.cores import in_core
from society.analysis.worth import partitions

SEEDS = range(6)


def groups(n):
    return [frozenset(g) for size in range(n + 1) for g in itertools.combinations(range(n), size)]


def table_of(n, worth):
    return [worth(frozenset(a for a in range(n) if mask >> a & 1)) for mask in range(2**n)]


def by_orders(n, worth):
    """The Shapley value from its definition."""
    sums = [F(0)] * n
    for order in itertools.permutations(range(n)):
        before = frozenset()
        for agent in order:
            sums[agent] += worth(before | {agent}) - worth(before)
            before |= {agent}
    return tuple(x / len(list(itertools.permutations(range(n)))) for x in sums)


def complaints(n, worth, payment):
    """All excesses of proper coalitions, the largest first: what the nucleolus makes lexicographically small."""
    found = [worth(g) - sum(payment[a] for a in g) for g in groups(n) if 0 < len(g) < n]
    return sorted(found, reverse=True)


# runways: cost games


@pytest.mark.parametrize("seed", SEEDS)
def test_a_runway_is_paid_for_segment_by_segment(seed):
    """Each piece of the runway is shared by the planes that need it [Littlechild and Owen]; the nucleolus by its recursion."""
    rng = random.Random(seed)
    n = rng.randint(3, 7)
    costs = sorted(rng.randint(1, 60) for _ in range(n))

    def worth(members):
        return -max((costs[a] for a in members), default=0)

    shares, paid = [], F(0)
    for place, cost in enumerate(costs):
        paid += F(cost - (costs[place - 1] if place else 0), n - place)
        shares.append(-paid)
    assert analysis.shapley(n, worth) == tuple(shares)

    # the smallest average over the first planes decides what they pay, as long as somebody else joins in
    left, fees, start, known = list(costs), [F(0)] * n, 0, F(0)
    while start < n - 1:
        rates = [((left[k] - known) / F(k - start + 2), k) for k in range(start, n - 1)]
        rate, last = min(rates, key=lambda found: (found[0], -found[1]))
        for agent in range(start, last + 1):
            fees[agent] = rate
        known += rate * (last + 1 - start)
        start = last + 1
    if start == n - 1:
        fees[n - 1] = costs[-1] - known
    found = analysis.nucleolus(n, worth)
    assert found == tuple(-fee for fee in fees)
    assert analysis.kohlberg(n, worth, found) and analysis.core(n, worth).exists


# estates: the rule of the Talmud


def equal_awards(amount, claims):
    """Everybody gets the same, but nobody more than its claim."""
    given, left, order = [F(0)] * len(claims), F(amount), sorted(range(len(claims)), key=lambda a: claims[a])
    for place, agent in enumerate(order):
        given[agent] = min(F(claims[agent]), left / (len(claims) - place))
        left -= given[agent]
    return given


def talmud(estate, claims):
    halves = [F(c, 2) for c in claims]
    if estate <= sum(halves):
        return tuple(equal_awards(estate, halves))
    losses = equal_awards(sum(claims) - estate, halves)
    return tuple(c - loss for c, loss in zip(claims, losses, strict=True))


@pytest.mark.parametrize("seed", range(10))
def test_the_nucleolus_of_an_estate_is_the_rule_of_the_talmud(seed):
    rng = random.Random(100 + seed)
    n = rng.randint(2, 7)
    claims = [rng.randint(1, 90) for _ in range(n)]
    estate = rng.randint(1, sum(claims))

    def worth(members):
        return max(0, estate - sum(c for a, c in enumerate(claims) if a not in members))

    found = analysis.nucleolus(n, worth)
    assert found == talmud(estate, claims)
    assert in_core(n, worth, found) and in_core(n, worth, analysis.shapley(n, worth))
    if n <= 6:
        assert analysis.shapley(n, worth) == by_orders(n, worth)


# votes


@pytest.mark.parametrize("seed", range(10))
def test_the_power_of_voters_from_its_definition(seed):
    rng = random.Random(200 + seed)
    n = rng.randint(2, 6)
    weights = [rng.choice([0, 1, 2, 3, 5, F(1, 2), F(7, 3)]) for _ in range(n)]
    weights[0] += 1
    quota = rng.choice([sum(weights) / F(2), sum(weights), max(weights), sum(weights) * F(2, 3)])

    def wins(members):
        return int(sum(weights[a] for a in members) >= quota)

    swings = [sum(wins(g | {a}) - wins(g) for g in groups(n) if a not in g) for a in range(n)]
    index = analysis.banzhaf(quota=quota, weights=weights)
    assert index.raw == tuple(swings)
    assert index.absolute == tuple(F(s, 2 ** (n - 1)) for s in swings)
    assert index.normalised == tuple(F(s, sum(swings)) for s in swings)
    assert analysis.shapley(quota=quota, weights=weights) == by_orders(n, wins)
    power = analysis.voting_power(quota, weights)
    winning = [g for g in groups(n) if wins(g)]
    smallest = {g for g in winning if not any(wins(g - {a}) for a in g)}
    assert {frozenset(g) for g in power.minimal} == smallest
    assert set(power.veto) == set.intersection(*map(set, winning))
    assert power.dummies == tuple(a for a in range(n) if not swings[a])
    assert power.decisiveness == F(len(winning), 2**n)
    assert analysis.core(n, wins).exists == bool(power.veto)
    if power.veto and len(power.veto) == 1:
        assert analysis.nucleolus(n, wins) == tuple(int(a == power.veto[0]) for a in range(n))


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7])
def test_a_strong_voter_among_equals(n):
    """One voter with n - 2 votes and n - 1 with one, quota n - 1: the apex game."""
    weights, quota = [n - 2] + [1] * (n - 1), n - 1
    assert analysis.shapley(quota=quota, weights=weights) == (F(n - 2, n),) + (F(2, n * (n - 1)),) * (n - 1)
    nucleolus = analysis.nucleolus(n, lambda g: int(sum(weights[a] for a in g) >= quota))
    assert nucleolus == (F(n - 2, 2 * n - 3),) + (F(1, 2 * n - 3),) * (n - 1)


def test_a_parliament_of_forty_parties():
    """Too many coalitions to look at: the power of equal voters is equal, and a party of no votes has none."""
    assert analysis.shapley(quota=21, weights=[1] * 40) == (F(1, 40),) * 40
    assert analysis.banzhaf(quota=21, weights=[1] * 40 + [0]).normalised == (F(1, 40),) * 40 + (0,)
    unanimous = analysis.banzhaf(quota=40, weights=[1] * 40)
    assert unanimous.raw == (1,) * 40 and unanimous.absolute == (F(1, 2**39),) * 40


# markets


@pytest.mark.parametrize(("left", "right"), [(1, 1), (1, 4), (2, 2), (2, 3), (3, 3), (3, 4), (2, 5)])
def test_gloves_go_to_the_short_side(left, right):
    def worth(members):
        return min(sum(a < left for a in members), sum(a >= left for a in members))

    n = left + right
    found = analysis.nucleolus(n, worth)
    if left == right:
        assert found == (F(1, 2),) * n
    else:
        assert found == (1,) * left + (0,) * right
        assert analysis.core(n, worth).point == found, "the core is this one payment"
    assert analysis.least_core(n, worth).epsilon == (0 if left + right > 2 else F(-1, 2))
    if n <= 6:
        assert analysis.shapley(n, worth) == by_orders(n, worth)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seller_and_many_buyers_split_what_the_best_bids_more_than_the_second(seed):
    """The good is worth nothing to the seller. The core's price lies between the two best bids; the nucleolus is midway."""
    rng = random.Random(300 + seed)
    bids = sorted((rng.randint(1, 50) for _ in range(rng.randint(2, 7))), reverse=True)
    n = len(bids) + 1

    def worth(members):
        return max((bids[a - 1] for a in members if a), default=0) if 0 in members else 0

    price = F(bids[0] + bids[1], 2)
    assert analysis.nucleolus(n, worth) == (price, bids[0] - price) + (0,) * (n - 2)
    assert in_core(n, worth, (bids[1], bids[0] - bids[1]) + (0,) * (n - 2))
    assert not in_core(n, worth, (bids[1] - F(1, 9), bids[0] - bids[1] + F(1, 9)) + (0,) * (n - 2))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_market_of_pairs_has_a_core_and_no_payment_complains_less_than_its_nucleolus(seed):
    rng = random.Random(400 + seed)
    left, right = rng.randint(1, 3), rng.randint(2, 3)
    n = left + right
    gain = [[rng.randint(0, 12) for _ in range(right)] for _ in range(left)]

    def worth(members):
        ours = [a for a in members if a < left]
        theirs = [a - left for a in members if a >= left]
        short, long = (ours, theirs) if len(ours) <= len(theirs) else (theirs, ours)
        pairs = itertools.permutations(long, len(short))
        value = (lambda a, b: gain[a][b]) if short is ours else (lambda a, b: gain[b][a])
        return max(sum(value(a, b) for a, b in zip(short, picked, strict=True)) for picked in pairs)

    found = analysis.nucleolus(n, worth)
    assert in_core(n, worth, found) and analysis.core(n, worth).needed <= worth(frozenset(range(n)))
    assert_no_payment_complains_less(n, worth, found, rng)


# any game


def assert_no_payment_complains_less(n, worth, found, rng):
    best = complaints(n, worth, found)
    assert analysis.least_core(n, worth).epsilon <= best[0]
    for _ in range(60):
        other = list(found)
        for _ in range(rng.randint(1, 3)):
            step = F(rng.randint(1, 30), rng.choice([1, 7, 50]))
            giver, taker = rng.sample(range(n), 2)
            other[giver] -= step
            other[taker] += step
        if tuple(other) != found and all(x >= worth(frozenset({a})) for a, x in enumerate(other)):
            assert complaints(n, worth, other) > best


@pytest.mark.parametrize("seed", range(8))
def test_no_payment_complains_less_than_the_nucleolus_of_a_random_game(seed):
    rng = random.Random(500 + seed)
    n = rng.randint(3, 5)
    values = {g: F(rng.randint(-20, 40), rng.choice([1, 2, 3])) for g in groups(n)}
    values[frozenset()] = F(0)
    values[frozenset(range(n))] = 10 + sum(max(F(0), values[frozenset({a})]) for a in range(n))
    found = analysis.nucleolus(n, values.__getitem__)
    assert analysis.kohlberg(n, values.__getitem__, found)
    assert_no_payment_complains_less(n, values.__getitem__, found, rng)
    assert analysis.shapley(n, table_of(n, values.__getitem__)) == by_orders(n, values.__getitem__)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_only_adds_up_gets_what_it_adds(seed):
    rng = random.Random(600 + seed)
    n = rng.randint(1, 6)
    own = tuple(F(rng.randint(-9, 9), rng.randint(1, 4)) for _ in range(n))

    def worth(members):
        return sum((own[a] for a in members), F(0))

    assert analysis.shapley(n, worth) == analysis.prenucleolus(n, worth) == analysis.nucleolus(n, worth) == own
    assert analysis.core(n, worth).point == own


@pytest.mark.parametrize("seed", SEEDS)
def test_every_order_of_joining_a_convex_game_pays_within_the_core(seed):
    """v(S) = a convex function of the weights of S; the core is the hull of these payments [Shapley 1971]."""
    rng = random.Random(700 + seed)
    n = rng.randint(3, 5)
    weights = [rng.randint(0, 6) for _ in range(n)]

    def worth(members):
        return sum(weights[a] for a in members) ** 2

    assert analysis.core(n, worth).exists and in_core(n, worth, analysis.shapley(n, worth))
    assert in_core(n, worth, analysis.nucleolus(n, worth))
    for order in itertools.permutations(range(n)):
        paid, before = [0] * n, frozenset()
        for agent in order:
            paid[agent] = worth(before | {agent}) - worth(before)
            before |= {agent}
        assert in_core(n, worth, tuple(paid))


@pytest.mark.parametrize("needed", [{0}, {1, 3}, {0, 2, 4}, {0, 1, 2, 3, 4}])
def test_those_who_are_all_needed_share_equally(needed):
    def worth(members):
        return int(needed <= members)

    equal = tuple(F(1, len(needed)) if a in needed else 0 for a in range(5))
    assert analysis.shapley(5, worth) == analysis.nucleolus(5, worth) == analysis.banzhaf(5, worth).normalised == equal


# stable partitions, from the definitions


def stable_by_brute_force(n, likes):
    """`likes(i, group)`; every sense of stability, each written down as it is defined."""
    found = {sense: [] for sense in ("nash", "individual", "contractual", "core", "strict_core")}
    for masks in partitions(n):
        blocks = [frozenset(a for a in range(n) if mask >> a & 1) for mask in masks]
        home = {a: next(b for b in blocks if a in b) for a in range(n)}
        shape = tuple(tuple(sorted(b)) for b in blocks)
        moves = [
            (a, b)
            for a in range(n)
            for b in [*blocks, frozenset()]
            if b != home[a] and likes(a, b | {a}) > likes(a, home[a])
        ]
        welcome = [(a, b) for a, b in moves if all(likes(o, b | {a}) >= likes(o, b) for o in b)]
        harmless = [
            (a, b) for a, b in welcome if all(likes(o, home[a] - {a}) >= likes(o, home[a]) for o in home[a] - {a})
        ]
        every = [g for g in groups(n) if g]
        blocking = [g for g in every if all(likes(a, g) > likes(a, home[a]) for a in g)]
        weakly = [
            g
            for g in every
            if all(likes(a, g) >= likes(a, home[a]) for a in g) and any(likes(a, g) > likes(a, home[a]) for a in g)
        ]
        for sense, against in zip(found, (moves, welcome, harmless, blocking, weakly), strict=True):
            if not against:
                found[sense].append(shape)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_stable_partitions_from_their_definitions(seed):
    rng = random.Random(800 + seed)
    n = rng.randint(2, 5)
    if seed % 2:
        matrix = [[rng.randint(-5, 5) for _ in range(n)] for _ in range(n)]

        def likes(agent, group):
            return F(sum(matrix[agent][o] for o in group if o != agent), 1 + seed % 3 * (len(group) - 1))
    else:
        order = {(a, g): rng.randint(0, 6) for a in range(n) for g in groups(n) if a in g}

        def likes(agent, group):
            return order[agent, group]

    found = analysis.stable_partitions(n, likes)
    expected = stable_by_brute_force(n, likes)
    assert {sense: getattr(found, sense) for sense in expected} == expected


@pytest.mark.slow
def test_games_of_twelve_and_more_agents_and_partitions_of_ten():
    """Every one of 4,095 coalitions in rational programmes; every one of 115,975 partitions."""
    rng = random.Random(9)
    claims = [rng.randint(1, 100) for _ in range(12)]
    estate = sum(claims) // 2 + 3

    def worth(members):
        return max(0, estate - sum(c for a, c in enumerate(claims) if a not in members))

    found = analysis.nucleolus(12, worth)
    assert found == talmud(estate, claims) and analysis.kohlberg(12, worth, found)
    friends = analysis.stable_partitions(10, lambda a, g: len(g) if a % 2 == min(g) % 2 else -1)
    apart = [((0, 2, 4, 6, 8), (1, 3, 5, 7, 9))]
    assert friends.core == friends.strict_core == friends.individual == apart and friends.nash == []
    assert len(friends.contractual) > 1
    assert analysis.shapley(16, lambda g: len(g) ** 2) == (16,) * 16
