"""The examination goes on: games of words, roads, races, services, votes, and bare records of rewards.

Every expectation is worked out here, in plain Python, and not through the rules.
"""

import itertools
from fractions import Fraction as F
from functools import cache

import pytest

from society.core.record import Record, RoundRecord
from society.mechanisms import get
from society.metrics import METRICS, Reference
from society.rulers import episode_optimum

# Two players


def cells(t, r, p, s):
    return {("C", "C"): (r, r), ("C", "D"): (s, t), ("D", "C"): (t, s), ("D", "D"): (p, p)}


def share_kept(t, r, p, s):
    """s*: the largest share kept, the rest going to the other, with which C is a weakly dominant choice; by its intervals."""
    low, high = F(1, 2), F(1)
    for own, other in (((r - t), (r - s)), ((s - p), (t - p))):  # C for D against C, against D: own and other's change
        slope, at_none = F(own - other), F(other)  # s own + (1 - s) other = other + s (own - other) >= 0
        if slope > 0:
            low = max(low, -at_none / slope)
        elif slope < 0:
            high = min(high, at_none / -slope)
        elif at_none < 0:
            return None
    return high if low <= high else None


def selfishness(t, r, p, s):
    """The smallest weight on welfare that makes an optimum stable."""
    table = cells(t, r, p, s)
    best = max(map(sum, table.values()))
    levels = []
    for (a, b), paid in table.items():
        if sum(paid) < best:
            continue
        level = F(0)
        for seat, other in ((0, ("D" if a == "C" else "C", b)), (1, (a, "D" if b == "C" else "C"))):
            gain = table[other][seat] - paid[seat]
            if gain > 0:
                lost = sum(paid) - sum(table[other])
                level = None if lost <= 0 or level is None else max(level, F(gain, lost))
        if level is not None:
            levels.append(level)
    return min(levels, default=None)


GAMES = [
    (5, 3, 1, 0),
    (4, 3, 2, 1),
    (3, 2, 0, -1),
    (4, 3, 1, 2),
    (3, 4, 2, 1),
    (3, 4, 3, 0),
    (10, 6, 2, 1),
    (7, 5, 1, 3),
    (9, 4, 3, 0),
    (2, 5, 4, -3),
    (6, 5, 4, 3),
    (8, 3, 2, 1),
    (1, 2, 0, 0),
    (5, 5, 1, 1),
]


@pytest.mark.parametrize("trps", GAMES, ids=str)
def test_a_two_player_game_from_four_numbers(trps):
    t, r, p, s = trps
    game, table = get("matrix_game", trps=trps), cells(*trps)
    assert all(game.play(profile).payoffs == paid for profile, paid in table.items())
    ruler = game.ruler
    flip = {"C": "D", "D": "C"}
    stable = {
        tuple(sorted(x))
        for x, paid in table.items()
        if paid[0] >= table[flip[x[0]], x[1]][0] and paid[1] >= table[x[0], flip[x[1]]][1]
    }
    assert {tuple(sorted(x)) for x in ruler.equilibria} == stable
    best = max(map(sum, table.values()))
    assert ruler.optimum.value == best
    if 2 * r >= t + s and 2 * r >= 2 * p:
        assert ruler.optimum.profile == ("C", "C")
    assert {bound.value for bound in ruler.ceiling} == {max(t, r, p, s)}
    worst = min(sum(table[x]) for x in stable)
    assert ruler.price_of_anarchy.value == (F(best, worst) if worst > 0 else None)
    assert (ruler.schelling.greed, ruler.schelling.fear) == (t - r, p - s)
    dilemma = r > p and r > s and 2 * r > t + s and (t > r or p > s)
    assert ruler.schelling.is_dilemma == dilemma
    assert ruler.self_interest_level.value == share_kept(*trps)
    assert ruler.selfishness_level.value == selfishness(*trps)
    below = r - t - s + p
    mixed = None if below == 0 else F(p - s, below)
    assert [m.first for m in ruler.mixed_equilibria] == (
        [(mixed, mixed)] if mixed is not None and 0 < mixed < 1 else []
    )
    if t > r > p > s:
        assert ruler.schelling.grim_discount == F(t - r, t - p)
        assert ruler.schelling.tit_for_tat_discount == max(F(t - r, t - p), F(t - r, r - s))
    assert ruler.schelling.risk_dominant == (None if r + s == t + p else "C" if r + s > t + p else "D")


@pytest.mark.parametrize(
    ("trps", "best", "profile"),
    [((5, 3, 1, 0), 6, ("C", "C")), ((9, 4, 3, 0), 9, ("C", "D")), ((10, 6, 2, 1), 12, ("C", "C"))],
)
def test_the_cooperative_benchmark_is_cc_unless_taking_turns_gives_more(trps, best, profile):
    optimum = get("matrix_game", trps=trps).ruler.optimum
    assert (optimum.value, optimum.profile) == (best, profile)


# Volunteers and diners


@pytest.mark.parametrize(("n", "b", "c"), [(2, 3, 1), (4, 7, 2), (6, 5, F(1, 2)), (9, 4, 3)], ids=str)
def test_volunteers_in_other_groups(n, b, c):
    ruler = get("volunteers_dilemma", agents=n, benefit=b, cost=c).ruler
    (profile,) = ruler.equilibria
    assert sorted(profile) == ["volunteer", *["wait"] * (n - 1)]
    assert (ruler.optimum.value, ruler.worst_equilibrium.value) == (n * b - c,) * 2
    assert ruler.price_of_anarchy.value == ruler.price_of_stability.value == 1
    assert {bound.value for bound in ruler.ceiling} == {b}
    assert ruler.nash_conv(("wait",) * n) == n * (b - c)
    assert ruler.nash_conv(("volunteer",) * n) == n * c
    assert ruler.self_interest_level.value is None


@pytest.mark.parametrize(
    ("n", "values", "costs"), [(2, (15, 25), (10, 30)), (3, (15, 25), (10, 30)), (5, (8, 20), (5, 40)), (4, (1, 9), (0, 4))], ids=str
)  # fmt: skip
def test_diners_with_other_menus(n, values, costs):
    def pays(dear):
        bill = sum(costs[one] for one in dear)
        return tuple(values[one] - F(bill, n) for one in dear)

    words = ("cheap", "expensive")
    game = get("diners_dilemma", agents=n, cheap_value=values[0], expensive_value=values[1], cheap_cost=costs[0], expensive_cost=costs[1])  # fmt: skip
    profiles = list(itertools.product((0, 1), repeat=n))
    for profile in profiles:
        assert game.play([words[one] for one in profile]).payoffs == pays(profile)
    stable = {sum(x) for x in profiles if all(pays((*x[:i], 1 - x[i], *x[i + 1 :]))[i] <= pays(x)[i] for i in range(n))}
    assert {x.count("expensive") for x in game.ruler.equilibria} == stable
    assert game.ruler.optimum.value == max(sum(pays(x)) for x in profiles)


# Roads


def minutes_of(edges, n):
    """Payoffs of a network given as {edge: function of the number of users}."""

    def pays(profile):
        steps = [list(itertools.pairwise(route.split("-"))) for route in profile]
        users = {edge: sum(edge in way for way in steps) for edge in edges}
        return tuple(-sum(edges[edge](users[edge]) for edge in way) for way in steps)

    return pays


@pytest.mark.parametrize(
    ("n", "written", "edges", "routes"),
    [
        pytest.param(
            4,
            {"s-a": "x", "a-t": 4, "s-b": 4, "b-t": "x", "a-b": "1/2"},
            {("s", "a"): F, ("a", "t"): lambda x: F(4), ("s", "b"): lambda x: F(4), ("b", "t"): F, ("a", "b"): lambda x: F(1, 2)},
            ("s-a-t", "s-b-t", "s-a-b-t"),
            id="a shortcut of half a minute",
        ),
        pytest.param(
            5,
            {"s-t": "x^2", "s-m": "2x + 1", "m-t": "0.5"},
            {("s", "t"): lambda x: F(x * x), ("s", "m"): lambda x: F(2 * x + 1), ("m", "t"): lambda x: F(1, 2)},
            ("s-t", "s-m-t"),
            id="a square against a line",
        ),
        pytest.param(
            3,
            {"s-t": "12/(4 - x)", "s-m": "2 + 6 x/c", "m-t": "0"},
            {("s", "t"): lambda x: F(12, 4 - x), ("s", "m"): lambda x: 2 + F(6 * x, 3), ("m", "t"): lambda x: F(0)},
            ("s-t", "s-m-t"),
            id="a queue that fills up",
        ),
    ],
)  # fmt: skip
def test_a_network_of_ones_own(n, written, edges, routes):
    game, pays = get("congestion", agents=n, edges=written, trips="s-t"), minutes_of(edges, n)
    profiles = list(itertools.product(routes, repeat=n))
    assert all(game.play(profile).payoffs == pays(profile) for profile in profiles)
    stable = {
        tuple(sorted(x))
        for x in profiles
        if all(pays((*x[:i], way, *x[i + 1 :]))[i] <= pays(x)[i] for i in range(n) for way in routes)
    }
    assert {tuple(sorted(x)) for x in game.ruler.equilibria} == stable
    best = max(sum(pays(x)) for x in profiles)
    assert game.ruler.optimum.value == best
    assert game.ruler.price_of_anarchy.value == F(min(sum(pays(x)) for x in stable), best)
    assert game.ruler.ceiling[n - 1].value == max(pays(x)[n - 1] for x in profiles)


def test_twelve_drivers_reach_the_continuous_optimum_of_the_open_road():
    """A sixth on the shortcut: 179/12 minutes on average."""
    best = get("congestion", agents=12).ruler.optimum
    assert sorted(best.profile).count("0-1-2-3") == 2
    assert -best.value / F(12) == F(179, 12)


@pytest.mark.parametrize("n", [2, 4, 10, 20])
def test_the_lone_driver_and_the_crowd_on_the_open_road(n):
    """5 + 6 (n + 1)/n over the shortcut, whatever the others do, or 12 + 6/n past them; 17 in the crowd, 15 when closed."""
    game = get("congestion", agents=n)
    assert {bound.value for bound in game.ruler.ceiling} == {-min(5 + F(6 * (n + 1), n), 12 + F(6, n))}
    assert -game.play(["0-1-2-3"] * n).welfare / F(n) == 17
    closed = get("congestion", agents=n, closed="1-2").ruler
    assert {-closed.welfare(x) / F(n) for x in closed.equilibria} == {15}


@pytest.mark.parametrize("n", [2, 4, 6, 10])
def test_pigou_loses_a_third_when_half_can_stay_away(n):
    ruler = get("congestion", preset="pigou", agents=n).ruler
    assert (-ruler.optimum.value, -ruler.worst_equilibrium.value) == (F(3 * n, 4), n)
    assert ruler.price_of_anarchy.value == F(4, 3)


# The race


def race(b, c, s, prize, w, caught, risk):
    """The four payoffs of the averaged race: SS, SU, US, UU."""
    p = 1 - risk
    return (
        prize / (2 * w) + b / 2 - c,
        -c + (1 - caught) * b / (s + 1) + caught * b,
        p * (s * prize / w + (1 - caught) * s * b / (s + 1)),
        p * (s * prize / (2 * w) + (1 - caught**2) * b / 2),
    )


@pytest.mark.parametrize(
    ("b", "c", "s", "prize", "w", "caught", "risk"),
    [
        (4, 1, F(3, 2), 10_000, 100, F(1, 2), F(1, 5)),
        (4, 1, F(3, 2), 10_000, 100, F(1, 2), F(7, 10)),
        (4, 1, F(3, 2), 10_000, 100, F(1, 2), F(9, 10)),
        (6, 2, 2, 500, 20, F(1, 4), F(1, 2)),
        (4, 1, F(3, 2), 0, 1, 0, 0),
        (9, 0, F(7, 2), 63, 44, F(3, 4), 0),
        (8, 1, F(5, 2), 36, 36, 1, F(3, 5)),
    ],
    ids=str,
)
def test_an_averaged_race_of_other_numbers(b, c, s, prize, w, caught, risk):
    ss, su, us, uu = race(F(b), F(c), F(s), F(prize), w, F(caught), F(risk))
    game = get("ai_race", benefit=b, cost=c, speed=s, prize=prize, steps=w, detection=caught, risk=risk)
    assert game.play(["SAFE", "SAFE"]).payoffs == (ss, ss)
    assert game.play(["SAFE", "UNSAFE"]).payoffs == (su, us)
    assert game.play(["UNSAFE", "SAFE"]).payoffs == (us, su)
    assert game.play(["UNSAFE", "UNSAFE"]).payoffs == (uu, uu)
    ruler = game.ruler
    stable = {("SAFE", "SAFE")} if ss >= us else set()
    stable |= {("UNSAFE", "UNSAFE")} if uu >= su else set()
    stable |= {("SAFE", "UNSAFE")} if us >= ss and su >= uu else set()
    assert {tuple(sorted(x)) for x in ruler.equilibria} == stable
    assert ruler.optimum.value == max(2 * ss, su + us, 2 * uu)
    assert {bound.value for bound in ruler.ceiling} == {max(ss, su, us, uu)}
    landmarks = game.mechanism.known_landmarks()
    _, _, us0, uu0 = race(F(b), F(c), F(s), F(prize), w, F(caught), F(0))
    if uu0:
        assert landmarks["risk above which safety is best for both"] == 1 - ss / uu0
    assert landmarks["risk above which safety is risk-dominant"] == 1 - (ss + su) / (us0 + uu0)


def test_plans_for_the_running_race():
    """Nine rounds on average: 9 + 50 for two safe ones; 9 * 2.4 + 100 against 9 * 0.6; safety holds from .515 on."""
    assert get("ai_race", variant="dynamic", risk=0).mechanism.plans() == ((59, F(27, 5)), (F(608, 5), 68))
    half = get("ai_race", variant="dynamic", risk="1/2").mechanism.plans()
    assert half == ((59, F(27, 5)), (F(304, 5), 34))
    (threshold,) = get("ai_race", variant="dynamic").mechanism.known_landmarks().values()
    assert threshold == 1 - 59 / F(608, 5) and float(threshold) == pytest.approx(0.515, abs=5e-4)


# A shared service


@pytest.mark.parametrize(
    ("n", "k", "v", "c", "sent"),
    [(5, 100, 1, F(1, 5), 80), (2, 12, 1, F(1, 4), 12), (3, 30, 2, F(1, 2), F(80, 3)), (4, 60, 2, F(3, 4), 30)],
    ids=str,
)
def test_selfish_senders_burn_most_of_the_service(n, k, v, c, sent):
    """X = (n-1)/n v K/c in all, an even part each; worth v K/n to all together where that is a whole number."""
    assert (n - 1) * v * F(k) / (c * n * n) == sent
    game = get("shared_compute", agents=n, capacity=k, value=v, cost=c)
    assert game.ruler.optimum.value == (v - c) * k
    if sent == int(sent):
        even = (int(sent),) * n
        assert game.ruler.nash_conv(even) == 0
        assert game.ruler.welfare(even) == F(v * k, n)
        assert F(game.ruler.welfare(even)) / game.ruler.optimum.value == F(v, n * (v - c))


@pytest.mark.parametrize(
    ("size", "refill", "outage", "capacity", "most", "rounds"),
    [(10, 4, 0, 10, 10, 3), (10, 4, 2, 10, 10, 3), (9, 3, 1, 5, 4, 5), (7, 0, 3, 7, 7, 4), (8, 8, 2, 3, 9, 4)],
    ids=str,
)
def test_the_most_a_bucket_of_another_size_can_serve(size, refill, outage, capacity, most, rounds):
    @cache
    def value(tokens, dark, left):
        if not left:
            return 0
        service = 0 if dark else min(capacity, tokens)
        plans = []
        for sent in range(2 * most + 1):
            served = min(sent, service)
            rest = tokens - served
            out = outage if rest == 0 and not dark else max(0, dark - 1)
            plans.append(3 * served - sent + value(min(size, rest + refill), out, left - 1))
        return max(plans)

    game = get("shared_compute", agents=2, capacity=capacity, most=most, value=3, cost=1, bucket={"size": size, "refill": refill, "outage": outage})  # fmt: skip
    bound = episode_optimum(game.mechanism, rounds)
    assert (bound.value, bound.exact) == (value(size, 0, rounds), True)


def test_a_bucket_round_by_round():
    """Twenty tokens, six back a round, one dark round after it is emptied; seven each, capacity twelve."""
    game = get("shared_compute", agents=2, capacity=12, cost="1/4", bucket={"size": 20, "refill": 6, "outage": 1})
    rolled = game.rollout([[7, 7]] * 4)
    assert rolled.stocks == (20, 14, 8, 6)  # serves 12, 12, then 8 and is empty, then nothing
    assert [step.facts["served"] for step in rolled.transitions] == [12, 12, 8, 0]
    assert rolled.grants == ((6, 6), (6, 6), (4, 4), (0, 0))
    assert rolled.payoffs[2:] == ((F(9, 4),) * 2, (F(-7, 4),) * 2)
    assert rolled.stocks_after[-1] == 12


# Votes


@pytest.mark.parametrize(
    ("n", "q", "discount"), [(3, 2, 1), (3, 2, F(9, 10)), (5, 3, F(9, 10)), (5, 5, F(9, 10)), (7, 4, F(4, 5)), (9, 5, 1), (4, 3, F(1, 2)), (3, 1, 1)], ids=str
)  # fmt: skip
def test_the_stationary_offers_reproduce_their_own_continuation(n, q, discount):
    """Before recognition each expects 1/n: it proposes with chance 1/n, and is bought with chance (q-1)/n."""
    keeps, offer = get("constitution", agents=n, quota=q, discount=discount).mechanism.stationary
    assert offer == discount * F(1, n)
    assert keeps + (q - 1) * offer == 1
    assert F(1, n) * keeps + F(q - 1, n) * offer == F(1, n)


def test_nobody_in_the_stationary_equilibrium_gains_by_voting_otherwise():
    """Five, quota three, 9/10: whoever is offered 18 of 100 gets 90/5 after a refusal."""
    game = get("constitution", agents=5, quota=3, discount="9/10")

    def plan(state, number):
        if state.phase == "vote":
            return ["yes" if seat == state.proposer or state.division[seat] >= 18 else "no" for seat in range(5)]
        offers = [[0] * 5 for _ in range(5)]
        for seat, offer in enumerate(offers):
            offer[seat], offer[(seat + 1) % 5], offer[(seat + 2) % 5] = 64, 18, 18
        return offers

    rolled = game.rollout(plan, rounds=6, seed=4)
    assert rolled.rounds == 2 and sorted(rolled.gains) == [0, 0, 18, 18, 64]


# Attention


@pytest.mark.parametrize(
    ("n", "slots", "gain", "loss", "good", "right", "cost"),
    [
        (10, 4, 10, 40, F(17, 20), F(19, 20), 1),
        (6, 1, 10, 40, F(17, 20), F(19, 20), 1),
        (6, 6, 10, 40, F(17, 20), F(19, 20), 1),
        (8, 3, 20, 10, F(1, 2), F(9, 10), 2),
        (5, 2, 10, 90, F(4, 5), F(3, 4), F(1, 2)),
        (4, 0, 10, 40, F(17, 20), F(19, 20), 1),
    ],
    ids=str,
)
def test_how_many_ask(n, slots, gain, loss, good, right, cost):
    act = good * gain - (1 - good) * loss

    def ask(m):
        return min(F(1), F(slots, m)) * (good * right * gain - (1 - good) * (1 - right) * loss) - cost

    game = get("attention", agents=n, slots=slots, gain=gain, loss=loss, good=good, judgement=right, cost=cost)
    alone = max(act, 0)
    stable = {m for m in range(n + 1) if (m == 0 or ask(m) >= alone) and (m == n or ask(m + 1) <= alone)}
    assert {x.count("ask") for x in game.ruler.equilibria} == stable
    worth = [m * (ask(m) if m else 0) + (n - m) * alone for m in range(n + 1)]
    assert game.ruler.optimum.value == max(worth)
    assert worth[game.ruler.optimum.profile.count("ask")] == max(worth)
    assert game.ruler.ceiling[0].value == max(act, 0, ask(1))
    if slots:
        assert (ask(1) > act) == ((1 - good) * right * loss - good * (1 - right) * gain > cost)


# Bare records of rewards


def record(rewards, **columns):
    rounds = tuple(
        RoundRecord(round=t, executed=(0,) * len(rewards), payoffs=paid, material=paid, **{k: v[t - 1] for k, v in columns.items()})
        for t, paid in enumerate(zip(*rewards, strict=True), start=1)
    )  # fmt: skip
    return Record(len(rewards), len(rounds), rounds)


def by_hand(rewards):
    """The table of definitions, as written."""
    n, rounds = len(rewards), len(rewards[0])
    gains = [sum(row) for row in rewards]
    total = sum(gains)
    apart = sum(abs(a - b) for a in gains for b in gains)
    means = [F(sum(t for t, paid in enumerate(row, 1) if paid > 0), sum(paid > 0 for paid in row)) for row in rewards if any(paid > 0 for paid in row)]  # fmt: skip
    fair = total != 0 and min(gains) >= 0
    return {
        "efficiency": F(total, rounds),
        "equality": 1 - F(apart, 2 * n * total) if fair else None,
        "gini": F(apart, 2 * n * total) if fair else None,
        "mean_absolute_difference": F(apart, n * (n - 1)) if n > 1 else None,
        "sustainability": F(sum(means), len(means)) if means else None,
        "never_rewarded": n - len(means),
        "resource_hhi": sum(F(g, total) ** 2 for g in gains) if fair else None,
        "total_welfare": total,
    }


@pytest.mark.parametrize(
    "rewards",
    [
        pytest.param([[1, 0, 2, 0], [0, 3, 1, 0], [2, 2, 0, 0]], id="the worked one"),
        pytest.param([[5, 5], [5, 5]], id="all alike"),
        pytest.param([[9, 0, 0], [0, 0, 0], [0, 0, 0]], id="one has all"),
        pytest.param([[0, 0], [0, 0]], id="nothing"),
        pytest.param([[-3, 1], [4, 4]], id="a loss"),
        pytest.param([[F(1, 2), F(1, 3)], [F(1, 6), 0]], id="fractions"),
        pytest.param([[3, -3], [2, -2]], id="nothing in the sum"),
        pytest.param([[7, 1, 0, 2, 2]], id="one agent"),
        pytest.param([[0, 0, 4], [1, 0, 0], [0, 2, 0], [3, 3, 3]], id="early and late"),
    ],
)
def test_metrics_of_a_bare_record_are_their_definitions(rewards):
    expected = by_hand(rewards)
    found = {name: METRICS[name](record(rewards)) for name in expected}
    assert {name: measured.value for name, measured in found.items()} == expected
    for measured in found.values():
        if measured.value is not None and measured.denominator is not None:
            assert F(measured.numerator) / F(measured.denominator) == measured.value


def test_the_worked_record_has_the_numbers_of_the_note():
    measured = {name: METRICS[name](record([[1, 0, 2, 0], [0, 3, 1, 0], [2, 2, 0, 0]])).value for name in METRICS}
    assert (measured["efficiency"], measured["gini"], measured["equality"]) == (F(11, 4), F(2, 33), F(31, 33))
    assert measured["sustainability"] == 2


@pytest.mark.parametrize(
    ("rewards", "possible", "welfare", "anarchy", "stability", "empirical"),
    [
        ([[10, 10], [10, 10]], (60, 20, 30), F(1, 2), 3, 2, F(3, 2)),
        ([[-5, -5], [-5, -5]], (-10, -40, -20), F(2, 3), 4, 2, 2),
        ([[1, 1], [0, 0]], (10, 0, 5), F(1, 5), None, 2, 5),
        ([[1, 1], [1, 1]], (10, -10, 10), F(7, 10), None, 1, F(5, 2)),
        ([[1, 1], [1, 1]], (4, 4, 4), None, 1, 1, 1),
    ],
    ids=str,
)
def test_metrics_that_compare_with_what_was_possible(rewards, possible, welfare, anarchy, stability, empirical):
    optimum, worst, best = possible
    against = Reference(optimum=optimum, worst_equilibrium=worst, best_equilibrium=best)
    names = ("welfare_efficiency", "price_of_anarchy", "price_of_stability", "empirical_price_of_anarchy")
    assert tuple(METRICS[name](record(rewards), against).value for name in names) == (
        welfare,
        anarchy,
        stability,
        empirical,
    )


def test_peace_counts_who_was_left_alone():
    """Three agents, four rounds, two of twelve sanctioned: 10/4."""
    hit = [(True, False, False), (False,) * 3, (False, True, False), (False,) * 3]
    assert METRICS["peace"](record([[1] * 4] * 3, sanctioned=hit)).value == F(10, 4)


@pytest.mark.parametrize(
    ("joints", "survived", "used", "equality", "over"),
    [
        # six fishers, 90 fish: 45 a month regrow, seven each
        ([[7] * 6] * 8, 8, F(336, 360), 1, 0),
([[8] * 6] * 8, 4, F(192, 360), 1, 1),  # 90, 84, 72, 48 and nothing left
        ([[90] * 6] * 8, 1, F(90, 360), 1, 1),
        ([[45, 0, 0, 0, 0, 0]] * 8, 8, 1, F(1, 6), F(1, 6)),
    ],
    ids=lambda x: str(x)[:24],
)  # fmt: skip
def test_six_fishers_at_a_lake_of_ninety(joints, survived, used, equality, over):
    metrics = get("common_pool", agents=6, capacity=90).rollout(joints).metrics
    assert (metrics["survival"].value, metrics["govsim_efficiency"].value) == (survived, used)
    assert (metrics["equality"].value, metrics["over_use"].value) == (equality, over)


@pytest.mark.parametrize("seed", range(6))
def test_myopic_villagers_let_the_emergency_power_pass(seed):
    """Only the two who do not lose by it are for it, five votes of nine, and whoever is recognised votes for its own."""
    shares = [F(1, 3), F(2, 9), F(2, 9), F(1, 9), F(1, 9)]
    new = [F(1, 2), F(1, 4), F(1, 12), F(1, 12), F(1, 12)]
    power = {"name": "power", "weights": [6, 2, 2, 1, 1], "quota": 7, "shares": new}
    game = get("constitution", weights=[3, 2, 2, 1, 1], quota=5, shares=shares, motions=[power], pie=36)
    willing = {seat for seat in range(5) if new[seat] >= shares[seat]}
    assert willing == {0, 1}

    def plan(state, number):
        if state.phase == "propose":
            return ["power"] * 5
        return ["yes" if seat in willing or seat == state.proposer else "no" for seat in range(5)]

    rolled = game.rollout(plan, rounds=2, seed=seed)
    assert rolled.states[-1].weights == (6, 2, 2, 1, 1) and rolled.payoffs[1] == (18, 9, 3, 3, 3)
    assert [
        event.event for event in game.mechanism.told(rolled.states[1], rolled.actions[1], rolled.transitions[1])
    ] == ["amend"]
