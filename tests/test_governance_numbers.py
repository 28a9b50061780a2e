"""The computable results of governance, each found by trying every action under the rules, and not by the formula it comes from."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_governed import LUCK, PD, equilibria, govern, is_equilibrium, payoffs, table

from society import play_sync
from society.core.moves import Move
from society.core.seeds import Noise
from society.rulers import Ruler
from society.scenario.load import loads

F = Fraction
COMMONS = {"kind": "common_pool_resource", "agents": 8, "endowment": 25}


# C1: taxes


def external_cost(others):
    """What one more token of the first agent costs seven others that hold so many, by a central difference."""
    game = govern(COMMONS)
    spread = [others // 7 + (seat < others % 7) for seat in range(7)]
    more, less = (sum(payoffs(game, (own, *spread))[1:]) for own in (6, 4))
    return F(less - more) / 2


def test_the_pigouvian_tax_is_the_marginal_external_cost_at_the_optimum():
    # at 36 tokens of eight equal agents the seven others hold 31.5: between 31 and 32
    assert (external_cost(31) + external_cost(32)) / 2 == F(63, 8)


@given(st.integers(0, 16))
def test_only_near_63_8_does_the_tax_make_the_optimum_an_equilibrium(eighths):
    rate = F(63, 8) + F(eighths - 8, 8)
    profile = (4, 4, 4, 4, 5, 5, 5, 5)
    # with whole tokens an interval of rates does it: moving from 4 to 5 or back must not pay
    gain_up = payoffs(govern(COMMONS), (5, *profile[1:]))[0] - payoffs(govern(COMMONS), profile)[0]
    gain_down = payoffs(govern(COMMONS), (*profile[:7], 4))[7] - payoffs(govern(COMMONS), profile)[7]
    assert is_equilibrium(govern(COMMONS, {"kind": "tax", "rate": rate}), profile) == (gain_up <= rate <= -gain_down)


def test_a_toll_of_the_delay_caused_to_others_empties_the_shortcut():
    free = govern({"kind": "congestion"})
    ways = free.space(free.initial_state(), 0).grid()
    short = next(way for way in ways if way.count("-") == 3)
    plain = [way for way in ways if way != short]
    split = (plain[0],) * 5 + (plain[1],) * 5
    assert not is_equilibrium(free, split)
    gain = payoffs(free, (short, *split[1:]))[0] - payoffs(free, split)[0]
    for toll in (gain - 1, gain):
        assert is_equilibrium(govern({"kind": "congestion"}, {"kind": "tax", "charges": [[short, toll]]}), split) == (
            toll == gain
        )


@pytest.mark.parametrize("rate", ["1/4", "1/2", "1"])
def test_a_delta_toll_goes_the_share_r_of_the_way_to_the_delay_each_round(rate):
    game = govern({"kind": "congestion"}, {"kind": "delta_toll", "rate": rate, "weight": 3})
    state, ways = game.initial_state(), game.space(game.initial_state(), 0).grid()
    joint = tuple(ways[seat % len(ways)] for seat in range(10))
    delays = game.mechanism.delays(state.physical, joint)
    assert any(delays.values())
    for number in range(1, 5):
        before = {row.payer: row.amount for row in game.step(state, joint, Noise(1, number)).transfers}
        gone = 1 - (1 - F(rate)) ** (number - 1)
        for seat in range(10):
            used = game.mechanism.facilities(state.physical, seat, joint[seat])
            assert before.get(seat, 0) == 3 * gone * sum(delays[name] for name in used)
        state = game.step(state, joint, Noise(1, number)).state


def test_where_minutes_grow_linearly_a_settled_delta_toll_is_what_one_more_driver_costs_the_others():
    roads = {"kind": "congestion", "edges": {"0-1": "3 + 2x", "0-2": "5", "2-1": "x"}, "trips": "0-1", "agents": 4}
    bare = govern(roads)
    assert bare.space(bare.initial_state(), 0).grid() == ("0-1", "0-2-1")
    joint = ("0-1", "0-1", "0-1", "0-2-1")
    assert bare.mechanism.delays(None, joint) == {"0-1": 6, "0-2": 0, "2-1": 1}
    # f l'(f) of each road: 3 drivers slow each other by 2 minutes each on 0-1, one driver by 1 on 2-1
    game = govern(roads, {"kind": "delta_toll", "rate": 1})
    after = game.step(game.initial_state(), joint, LUCK).state
    paid = {row.payer: row.amount for row in game.step(after, joint, LUCK).transfers}
    assert paid == {0: 6, 1: 6, 2: 6, 3: 1}


@pytest.mark.parametrize("rate", [0.25, 0.5, 1])
def test_under_delta_tolls_calculating_drivers_leave_the_17_minutes_of_braess_for_the_best_there_is(rate):
    scenario = {
        "name": "tolls", "rounds": 10, "mechanism": {"kind": "congestion"},
        "agents": [{"count": 10, "policy": {"kind": "scripted", "rule": "nash"}}],
        "stages": {"talk": {"turns": 0}, "declare": {"predict": "off"}},
        "instruments": [{"kind": "delta_toll", "rate": rate}],
    }  # fmt: skip
    run = play_sync(loads(json.dumps(scenario)), log="sqlite://")
    minutes = [-sum(settled.material) / F(10) for settled in run.episode.settled]
    best = -Ruler(govern({"kind": "congestion"})).optimum.value / F(10)
    assert minutes[0] == 17 and all(best <= mean <= 15 for mean in minutes[4:])


# C2: restrictions, by the welfare of the worst equilibrium


def worst(mechanism, *rules):
    """The minimum over pure equilibria of welfare, by trying all profiles."""
    game = govern(mechanism, *rules)
    found = equilibria(game)
    assert found
    return min(sum(payoffs(game, joint)) for joint in found)


@pytest.mark.parametrize(
    ("rows", "forbid", "before", "after"),
    [(["00 01 00", "10 22 03", "00 30 11"], "c", 2, 4), (["11 10 00", "01 22 36", "00 63 44"], "a", 2, 8)],
    ids=["RAISE, figure 2a", "RAISE, figure 2b: as printed (a, a) is an equilibrium too"],
)
def test_the_worst_equilibrium_rises_as_in_the_tables_and_the_optimum_does_not(rows, forbid, before, after):
    game = {"kind": "matrix_game", "options": ["a", "b", "c"], "table": table(rows)}
    rule = {"kind": "restriction", "forbidden": [forbid]}
    assert (worst(game), worst(game, rule)) == (before, after)
    ruler, ruled = Ruler(govern(game)), Ruler(govern(game, rule))
    assert (ruler.worst_equilibrium.value, ruled.worst_equilibrium.value) == (before, after)
    assert ruled.optimum.value <= ruler.optimum.value


def cournot(allowed):
    """The pure equilibria of u_i = -x_i^2 - x_1 x_2 + 120 x_i on the allowed whole amounts, by hand."""

    def gets(own, other):
        return -own * own - own * other + 120 * own

    best = {other: max(gets(own, other) for own in allowed) for other in allowed}
    return {(a, b) for a in allowed for b in allowed if gets(a, b) == best[b] and gets(b, a) == best[a]}


@pytest.mark.parametrize(
    ("intervals", "found", "megu"),
    [
        ([[0, 120]], {(40, 40), (39, 41), (41, 39)}, 3200),
        ([[0, 30], [63, 120]], {(30, 30)}, 3600),
        ([[0, 30], [60, 120]], {(30, 60), (60, 30), (30, 30)}, 2700),
    ],
)
def test_a_gap_raises_the_worst_equilibrium_of_a_duopoly_only_if_it_is_wide_enough(intervals, found, megu):
    game = govern({"kind": "cournot", "agents": 2}, {"kind": "restriction", "intervals": intervals})
    ruler = Ruler(game)
    by_rules = set(ruler.equilibria)
    by_hand = cournot([x for low, high in intervals for x in range(low, high + 1)])
    assert by_hand == by_rules | {(b, a) for a, b in by_rules}
    assert by_hand <= found and ruler.worst_equilibrium.value == megu
    assert megu in (2 * 120**2 // 9, 120**2 // 4, 2700)


# C3: contracts


@given(st.integers(0, 12))
def test_a_signed_contract_has_the_equilibria_of_the_payoffs_it_makes(quarters):
    penalty = F(quarters, 4)
    game = govern(PD, {"kind": "contract"})
    state = game.initial_state()
    terms = (("action", "C"), ("penalty", penalty))
    state, _ = game.move(state, 0, (Move("propose", "contract", members=(1,), terms=terms),))
    unsigned = game.step(state, ("D", "C"), LUCK)
    assert unsigned.payoffs == (5, 0) and unsigned.transfers == ()
    state, _ = game.move(state, 1, (Move("sign", "contract", target=1),))
    pay = {
        ("C", "C"): (3, 3),
        ("C", "D"): (0 + penalty, 5 - penalty),
        ("D", "C"): (5 - penalty, 0 + penalty),
        ("D", "D"): (1, 1),
    }
    for joint, expected in pay.items():
        assert game.step(state, joint, LUCK).payoffs == expected

    def stable(joint):
        swap = {"C": "D", "D": "C"}
        return pay[swap[joint[0]], joint[1]][0] <= pay[joint][0] and pay[joint[0], swap[joint[1]]][1] <= pay[joint][1]

    found = {joint for joint in pay if stable(joint)}
    words = (
        {"DD"}
        if penalty < 1
        else {"DD", "CD", "DC"}
        if penalty == 1
        else {"CD", "DC"}
        if penalty < 2
        else ({"CC", "CD", "DC"} if penalty == 2 else {"CC"})
    )
    assert {"".join(joint) for joint in found} == words


# C4: payments promised for cooperation


@pytest.mark.parametrize(
    ("promise", "profiles"),
    [(1, "DD CD DC"), (F(3, 2), "CD DC"), (2, "CC CD DC"), (F(5, 2), "CC"), (3, "CC")],
)
def test_promises_to_pay_for_cooperation_turn_the_prisoners_dilemma_as_a_contract_would(promise, profiles):
    game = govern(PD, {"kind": "side_payment", "condition": "exactly", "most": F(7, 2)})
    state = game.initial_state()
    for seat in (0, 1):
        move = Move("transfer", "side_payment", to=1 - seat, amount=promise, terms=(("action", "C"),))
        state, _ = game.move(state, seat, (move,))

    def value(joint, seat):
        return game.step(state, joint, LUCK).payoffs[seat]

    found = {
        joint
        for joint in itertools.product("CD", repeat=2)
        if all(
            value((*joint[:seat], other, *joint[seat + 1 :]), seat) <= value(joint, seat)
            for seat in (0, 1)
            for other in "CD"
        )
    }
    assert {"".join(joint) for joint in found} == set(profiles.split())


def compensated(said, **rule):
    """The laboratory commons in a round for which each announced so much, by (who says it, whose units, to whom)."""
    game = govern(COMMONS | {"agents": 8}, {"kind": "compensation", **rule})
    state, votes = game.initial_state(), {}
    for (by, units_of, to), price in said.items():
        other = to if by == units_of else units_of
        part = f"me to {other}" if by == units_of else f"{other} to me"
        votes.setdefault((by, "compensation"), {})[part] = price
    done = game.step(state, (0,) * 8, LUCK)
    return game, game.close(done, votes).state


def agreed(price):
    pairs = list(itertools.permutations(range(8), 2))
    return {(by, giver, taker): price for giver, taker in pairs for by in (giver, taker)}


@pytest.mark.parametrize(("price", "stable"), [(F(9, 8), True), (1, False), (0, False), (2, False)], ids=str)
def test_where_all_announce_the_marginal_harm_the_optimum_is_an_equilibrium_and_what_is_paid_is_received(price, stable):
    # one more token at the optimum costs the seven others 63/8 together, so 9/8 each
    game, state = compensated(agreed(price))
    profile = (4, 4, 4, 4, 5, 5, 5, 5)
    done = game.step(state, profile, LUCK)
    assert sum(done.payoffs) == sum(done.material) == 1324
    gains = [
        game.step(state, (*profile[:seat], own, *profile[seat + 1 :]), LUCK).payoffs[seat] - done.payoffs[seat]
        for seat in (0, 7)
        for own in range(26)
    ]
    assert (max(gains) == 0) == stable


@given(st.fractions(0, 4, max_denominator=8))
def test_who_does_harm_does_best_to_announce_the_price_that_the_harmed_one_does(own):
    said = agreed(F(9, 8))
    game, state = compensated(said | {(0, 0, 1): own})
    same, before = compensated(said)
    profile = (4, 4, 4, 4, 5, 5, 5, 5)
    apart, together = game.step(state, profile, LUCK), same.step(before, profile, LUCK)
    # it pays what the other said all the same; the other gets what it said; those beside share the difference
    assert apart.payoffs[0] - together.payoffs[0] == -((own - F(9, 8)) ** 2)
    assert apart.payoffs[1] - together.payoffs[1] == 4 * (own - F(9, 8))
    assert sum(apart.payoffs) == sum(apart.material) - (own - F(9, 8)) ** 2


# C5: punishment


@pytest.mark.parametrize(
    ("gifts", "paid"),
    [
        ((20, 20, 20, 20), (32, 32, 32, 32)),
        ((0, 0, 0, 0), (20, 20, 20, 20)),
        ((0, 20, 20, 20), (44, 24, 24, 24)),
        ((5, 10, 15, 20), (35, 30, 25, 20)),
    ],
)
def test_gifts_pay_as_in_the_experiment(gifts, paid):
    assert payoffs(govern({"kind": "public_goods"}, {"kind": "peer_sanction"}), gifts) == paid


def test_a_gain_of_12_is_deterred_by_graduated_sanctions_from_the_fifth_violation_on():
    # giving nothing where 20 are due gains 12; noticed with probability 1/2, the k-th violation costs 2^k
    rule = {"kind": "graduated_sanction", "limit": 20, "sense": "at_least", "first": 2, "growth": 2, "detection": "1/2"}
    game = govern({"kind": "public_goods"}, rule)
    state, worth = game.initial_state(), []
    for _ in range(6):
        gains = []
        for seed in range(1, 200):
            done = game.step(state, (0, 20, 20, 20), Noise(seed, 1))
            gains.append(done.payoffs[0] - 32)
        due = 12 - min(gains)
        worth.append(12 - F(due, 2))
        assert set(gains) == {12, 12 - due}
        caught = next(
            seed for seed in range(1, 99) if game.step(state, (0, 20, 20, 20), Noise(seed, 1)).payoffs[0] < 44
        )
        state = game.close(game.step(state, (0, 20, 20, 20), Noise(caught, 1))).state
    assert [12 - gain for gain in worth] == [1, 2, 4, 8, 16, 32]
    assert [gain > 0 for gain in worth] == [True] * 4 + [False] * 2


# C7: a good name


@pytest.mark.parametrize(("known", "pays"), [("2/5", False), ("3/5", True)])
def test_a_good_name_is_worth_keeping_iff_it_is_known_often_enough(known, pays):
    """Help that costs 1 and brings 2 can be stable iff known > 1/2 [Nowak2006]: who refuses once saves 1, and loses 2 as
    often as it is known. How often it is known is counted over many rounds of luck.
    """
    game = govern(PD, {"kind": "reputation", "good": ["C"], "known": known, "scoring": "standing"})
    state = game.initial_state()
    heard = sum(
        game.step(state, ("C", "D"), Noise(seed, 1)).state.memories[0].views[0][1] == -1 for seed in range(2000)
    )
    assert (F(heard, 2000) * 2 > 1) == pays


# C9: motivation


@pytest.mark.parametrize(("beta", "cooperates"), [("39/100", False), ("2/5", True), ("1/2", True)])
def test_minding_to_be_ahead_by_two_fifths_keeps_cooperation_stable(beta, cooperates):
    # against C: D gives 5 and is 5 ahead, C gives 3: 5 - 5 beta <= 3
    game = govern(PD, {"kind": "inequity_aversion", "alpha": 0, "beta": beta})
    assert is_equilibrium(game, ("C", "C"), lambda done: done.felt) == cooperates
    assert payoffs(game, ("D", "C")) == (5, 0)


@pytest.mark.parametrize(("cost", "cooperates"), [("19/10", False), (2, True)])
def test_guilt_of_the_gain_from_defecting_keeps_cooperation_stable(cost, cooperates):
    norm = {"kind": "restriction", "forbidden": ["D"], "enforcement": "advisory"}
    game = govern(PD, norm, {"kind": "guilt", "cost": cost})
    assert is_equilibrium(game, ("C", "C"), lambda done: done.felt) == cooperates


# C10: repetition


def grim(temptation, reward, punishment):
    """The least discount with which keeping on is worth no less than one temptation and punishment for ever."""
    return F(temptation - reward) / F(temptation - punishment)


def test_grim_triggers_hold_from_the_thresholds_on():
    assert grim(5, 3, 1) == F(1, 2) == Ruler(govern(PD).mechanism).schelling.grim_discount
    gifts = govern({"kind": "public_goods"})
    values = [payoffs(gifts, joint)[0] for joint in ((0, 20, 20, 20), (20,) * 4, (0,) * 4)]
    assert grim(*values) == F(1, 2) == Ruler(gifts.mechanism).schelling.grim_discount
    # eight hold 4.5 tokens each, 36 in all, which whole tokens cannot say; the payoff is the mechanism's wherever it can
    game = govern(COMMONS)

    def gets(own, others):
        return 5 * (25 - own) + own * (23 - F(1, 4) * (own + others))

    for own, other in itertools.product((0, 3, 8, 25), (0, 2, 9)):
        assert payoffs(game, (own, *[other] * 7))[0] == gets(own, 7 * other)
    half, grid = F(9, 2), [F(k, 8) for k in range(201)]
    tempted = max(gets(own, 7 * half) for own in grid)
    assert max(gets(own, 7 * 8) for own in grid) == gets(8, 56)
    assert grim(tempted, gets(half, 7 * half), gets(8, 56)) == F(81, 113)


# C12: the strength of a rule


def test_strength_falls_with_the_share_that_defies_and_rises_with_the_share_of_sanctions_executed():
    quota = {"kind": "quota", "amount": 5, "enforcement": "soft", "fine": 1}
    law = {"kind": "overthrow", "over": ["quota"], "wear": "1/2", "repair": "1/4", "least": "1/10"}
    game = govern({"kind": "common_pool", "agents": 4, "capacity": 1000}, quota, law)
    state, strengths = game.initial_state(), []
    plan = [((0,), (9, 9, 9, 5)), ((0, 1), (9, 9, 5, 5)), ((), (9, 9, 9, 9)), ((), (5, 5, 5, 5))]
    for number, (defying, taken) in enumerate(plan, start=1):
        for seat in defying:
            state, _ = game.move(state, seat, (Move("defy", "quota"),))
        state = game.close(game.step(state, taken, Noise(1, number))).state
        strengths.append(state.standings[0].strength)
    # 1 - 1/8 + 2/3 * 1/4 is above 1; then - 1/4 and nothing executed; then all four executed; then nothing due
    assert strengths == [1, F(3, 4), 1, 1]
    state = game.initial_state()
    for seat in (0, 1, 2):
        state, _ = game.move(state, seat, (Move("defy", "quota"),))
    state = game.close(game.step(state, (9, 9, 5, 5), Noise(1, 1))).state
    assert state.standings[0].strength == 1 - F(1, 2) * F(3, 4)
