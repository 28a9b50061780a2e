"""The round under governance: order, books, counterfactuals, and the numbers of the literature."""

from __future__ import annotations

import copy
import itertools
import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from society.core.errors import ScenarioError
from society.core.events import Spoke, event_from_plain, event_to_plain
from society.core.ledger import Order
from society.core.moves import Move
from society.core.rows import Transfer
from society.core.seeds import Noise
from society.core.votes import Ballot, banzhaf, concentration, majority, power_index, smallest_winning
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.instruments.clearing import cleared
from society.mechanisms import MECHANISMS

LUCK = Noise(1, 1)


def govern(mechanism, *rules, names=()):
    """A game from plain fields, as a scenario file gives them."""
    return Governed(MECHANISMS.parse(dict(mechanism)), tuple(INSTRUMENTS.parse(dict(r)) for r in rules), tuple(names))


def payoffs(game, joint, **more):
    return game.step(game.initial_state(), joint, LUCK, **more).payoffs


def kinds(events, *wanted):
    return [(event.event, event.agents) for event in events if event.event in wanted]


def is_equilibrium(game, joint, value=lambda done: done.payoffs):
    """No agent gains by another action of its space, as the governed step scores it."""
    state = game.initial_state()
    own = value(game.step(state, joint, LUCK))
    for seat in range(game.agents):
        for other in game.space(state, seat).grid(at_most=200):
            if value(game.step(state, (*joint[:seat], other, *joint[seat + 1 :]), LUCK))[seat] > own[seat]:
                return False
    return True


def equilibria(game):
    spaces = [game.space(game.initial_state(), seat).grid() for seat in range(game.agents)]
    return {joint for joint in itertools.product(*spaces) if is_equilibrium(game, joint)}


PD = {"kind": "matrix_game"}


# Without instruments


@given(st.tuples(*[st.integers(0, 20)] * 4))
def test_without_instruments_the_mechanism_speaks_for_itself(joint):
    game = govern({"kind": "public_goods"})
    state = game.initial_state()
    done, bare = game.step(state, joint, LUCK), game.mechanism.step(state.physical, joint, LUCK)
    assert (done.payoffs, done.material, done.felt, done.total) == (
        bare.payoffs,
        bare.payoffs,
        bare.payoffs,
        bare.total,
    )
    assert done.state.physical == bare.state and done.transfers == () and game.close(done).state == done.state


def test_a_batch_equals_single_steps_with_and_without_instruments():
    for rules in ([], [{"kind": "quota", "amount": 12}, {"kind": "tax", "rate": "1/3", "rebate": 1}]):
        game = govern({"kind": "common_pool", "agents": 3}, *rules)
        state = game.initial_state()
        codes = np.array([[1, 2, 3], [12, 0, 5], [7, 7, 7]])
        batch = game.batch(state, codes, LUCK)
        for row, joint in enumerate(codes.tolist()):
            done = game.step(state, tuple(joint), LUCK)
            assert [Fraction(int(v), int(batch.denominators.flat[0])) for v in batch.numerators[row]] == list(
                done.payoffs
            )
            assert batch.state_of(int(batch.keys[row])) == done.state


# Order, enforcement and scope


def test_hard_rules_mask_soft_rules_leave_possible_and_advisory_rules_are_words():
    rule = {"kind": "quota", "amount": 10, "fine": 4}
    for enforcement, executed, paid in (("hard", 10, 10), ("soft", 30, 26), ("advisory", 30, 30)):
        game = govern({"kind": "common_pool", "agents": 2}, rule | {"enforcement": enforcement})
        done = game.step(game.initial_state(), (30, 5), LUCK)
        assert (done.executed[0], done.payoffs[0]) == (executed, paid)
        assert game.space(game.initial_state(), 0).high == (10 if enforcement == "hard" else 100)


def test_a_violation_ends_as_exactly_one_of_evaded_defied_or_sanctioned():
    quota = {"kind": "quota", "amount": 10, "fine": 4, "enforcement": "soft"}
    for chances, fate in (({"detection": 0}, "evade"), ({"execution": 0}, "defy"), ({}, "sanction")):
        game = govern({"kind": "common_pool", "agents": 2}, quota | chances)
        done = game.step(game.initial_state(), (30, 5), LUCK)
        assert kinds(done.rule_events, "violation", "evade", "defy", "sanction") == [("violation", (0,)), (fate, (0,))]
        assert (done.payoffs[0] == 26) == (fate == "sanction")


def test_detection_comes_as_often_as_it_says_and_is_independent_of_execution():
    game = govern(
        {"kind": "public_goods"},
        {"kind": "quota", "amount": 5, "enforcement": "soft", "fine": 1, "detection": "1/2", "execution": "1/4"},
    )
    state = game.initial_state()
    fates = [
        event.event
        for seed in range(500)
        for event in game.step(state, (20, 20, 20, 20), Noise(seed, 1)).rule_events
        if event.event in ("evade", "defy", "sanction")
    ]
    assert len(fates) == 2000
    assert fates.count("evade") == pytest.approx(1000, abs=100)
    assert fates.count("sanction") == pytest.approx(250, abs=60)


def test_the_same_seed_with_and_without_a_rule_differs_only_through_it():
    shock = {"kind": "common_pool", "agents": 2, "shock": {"probability": "1/2", "loss": "1/2"}}
    for seed in range(20):
        plain, taxed = govern(shock), govern(shock, {"kind": "tax", "rate": 1, "rebate": 1})
        free = plain.step(plain.initial_state(), (20, 20), Noise(seed, 1))
        bound = taxed.step(taxed.initial_state(), (20, 20), Noise(seed, 1))
        assert free.state.physical == bound.state.physical and free.payoffs == bound.payoffs


def test_rules_apply_to_their_agents_in_their_rounds_only():
    rule = {"kind": "tax", "rate": 1, "agents": ["Bo"], "rounds": [2, 2]}
    game = govern({"kind": "common_pool", "agents": 2}, rule, names=("Ann", "Bo"))
    state = game.initial_state()
    taken = []
    for number in (1, 2, 3):
        done = game.step(state, (5, 5), Noise(1, number))
        taken.append(done.payoffs)
        state = game.close(done).state
    assert taken == [(5, 5), (5, 0), (5, 5)]
    with pytest.raises(ScenarioError, match="'Bob'; did you mean 'Bo'"):
        govern({"kind": "common_pool", "agents": 2}, rule | {"agents": ["Bob"]}, names=("Ann", "Bo"))


def test_hard_rules_that_contradict_each_other_leave_doing_nothing():
    game = govern(
        {"kind": "common_pool", "agents": 2},
        {"kind": "restriction", "intervals": [[0, 5]]},
        {"kind": "restriction", "intervals": [[9, None]], "agents": [1]},
    )
    done = game.step(game.initial_state(), (30, 30), LUCK)
    assert done.executed == (5, 0) and done.rule_events == ()


def test_an_instrument_that_cannot_govern_a_mechanism_is_refused_by_name():
    for mechanism, rule, words in (
        (PD, {"kind": "quota", "amount": 1}, "not amounts"),
        (PD, {"kind": "restriction", "options": ["X"]}, "no action 'X'"),
        ({"kind": "public_goods"}, {"kind": "quota"}, "no sustainable share"),
        (PD, {"kind": "guilt", "about": "quota"}, "does not exist"),
        (
            {"kind": "public_goods"},
            {"kind": "constitution", "agenda": [{"rule": "constitution", "field": "quotta"}]},
            "quota",
        ),
    ):
        with pytest.raises(ScenarioError, match=words):
            govern(mechanism, rule)


def test_the_pot_is_paid_out_in_equal_parts_in_the_next_round():
    rule = {"kind": "quota", "amount": 10, "enforcement": "soft", "fine": 6, "fine_to": "pot"}
    game = govern({"kind": "common_pool", "agents": 3}, rule)
    first = game.step(game.initial_state(), (20, 1, 1), LUCK)
    assert first.payoffs == (14, 1, 1) and first.state.pot == 6
    second = game.step(first.state, (1, 1, 1), Noise(1, 2))
    assert second.payoffs == (3, 3, 3) and second.state.pot == 0
    assert second.transfers[0] == Transfer(None, 0, 2, "pot", "pot_share")


@pytest.mark.parametrize(("to", "after"), [("burn", (14, 5, 7)), ("victims", (14, 8, 10)), ("enforcer", (14, 11, 7))])
def test_a_fine_goes_where_the_rule_says(to, after):
    rule = {"kind": "quota", "amount": 10, "enforcement": "soft", "fine": 6, "fine_to": to}
    more = {"enforcer": 1} if to == "enforcer" else {}
    assert payoffs(govern({"kind": "common_pool", "agents": 3}, rule | more), (20, 5, 7)) == after


@pytest.mark.parametrize(
    ("sense", "taken", "fine"), [("at_most", 3, Fraction(1, 6)), ("at_most", 2, 0), ("at_least", 1, Fraction(1, 2))]
)
def test_what_goes_beyond_a_limit_between_two_steps_is_counted_from_the_limit_as_it_was_told(sense, taken, fine):
    rule = {"kind": "quota", "amount": "5/2", "sense": sense, "enforcement": "soft", "fine_per_unit": "1/3"}
    game = govern({"kind": "public_goods", "agents": 2, "mpcr": 1}, rule)
    assert payoffs(game, (taken, 3))[0] == 20 + 3 - fine


def test_without_debt_nobody_pays_more_than_it_has_and_the_rest_is_told():
    rule = {"kind": "quota", "amount": 1, "enforcement": "soft", "fine": 30, "allow_debt": False}
    game = govern({"kind": "common_pool", "agents": 2}, rule)
    done = game.step(game.initial_state(), (20, 1), LUCK)
    assert done.payoffs == (0, 1)
    assert [e.amount for e in done.rule_events if e.event == "defy"] == [10]


# Numbers of the literature


def test_a_pigouvian_tax_of_63_8_makes_36_tokens_an_equilibrium():
    commons = {"kind": "common_pool_resource", "agents": 8, "endowment": 25}
    profile = (4, 4, 4, 4, 5, 5, 5, 5)
    assert is_equilibrium(govern(commons, {"kind": "tax", "rate": "63/8", "rebate": 1}), profile) is False
    assert is_equilibrium(govern(commons, {"kind": "tax", "rate": "63/8"}), profile)
    assert not is_equilibrium(govern(commons), profile)


def test_a_rebated_tax_changes_no_total_and_weakens_the_tax_by_one_share():
    commons = {"kind": "common_pool_resource", "agents": 8, "endowment": 25}
    joint = (4, 4, 4, 4, 5, 5, 5, 5)
    assert sum(payoffs(govern(commons, {"kind": "tax", "rate": 9, "rebate": 1}), joint)) == sum(
        payoffs(govern(commons), joint)
    )
    assert is_equilibrium(govern(commons, {"kind": "tax", "rate": 9, "rebate": 1}), joint)  # 9 * 7/8 = 63/8


@pytest.mark.parametrize(
    ("penalty", "profiles"),
    [
        (0, "DD"),
        ("1/2", "DD"),
        (1, "DD CD DC"),
        ("3/2", "CD DC"),
        (2, "CC CD DC"),
        ("5/2", "CC"),
        (5, "CC"),
    ],
)
def test_a_contract_turns_the_prisoners_dilemma_at_its_thresholds(penalty, profiles):
    game = govern(PD, {"kind": "contract", "imposed": "C", "imposed_penalty": penalty})
    assert equilibria(game) == {tuple(word) for word in profiles.split()}


def test_a_mediator_makes_delegating_an_equilibrium_beside_defecting():
    game = govern(PD, {"kind": "mediator", "plan": [[1, "D"], [2, "C"]]})
    found = equilibria(game)
    assert {("delegate", "delegate"), ("D", "D")} <= found and ("C", "C") not in found
    assert payoffs(game, ("delegate", "delegate")) == (3, 3)
    assert payoffs(game, ("delegate", "C")) == (5, 0) and payoffs(game, ("delegate", "D")) == (1, 1)


def table(rows):
    return [[[int(a), int(b)] for a, b in row.split()] for row in rows]


@pytest.mark.parametrize(
    ("rows", "forbid", "before", "after"),
    [
        (["00 01 00", "10 22 03", "00 30 11"], "c", {("c", "c")}, {("b", "b")}),
        (["11 10 00", "01 22 36", "00 63 44"], "a", {("a", "a"), ("c", "c")}, {("c", "c")}),
    ],
    ids=["welfare 2 becomes 4", "the worst of two equilibria is removed"],
)
def test_forbidding_an_action_changes_the_equilibria_as_in_the_tables(rows, forbid, before, after):
    game = {"kind": "matrix_game", "options": ["a", "b", "c"], "table": table(rows)}
    assert equilibria(govern(game)) >= before
    assert equilibria(govern(game, {"kind": "restriction", "forbidden": [forbid]})) == after


COURNOT = {"kind": "cournot", "agents": 2}


@pytest.mark.parametrize(
    ("intervals", "profiles", "welfare"),
    [
        ([[0, 120]], [(40, 40), (39, 41)], 3200),
        ([[0, 30], [63, 120]], [(30, 30)], 3600),
        ([[0, 30], [60, 120]], [(30, 60)], 2700),
    ],
    ids=["all of it", "the middle closed", "too little closed"],
)
def test_a_gap_in_what_may_be_sold_makes_a_duopoly_better_off(intervals, profiles, welfare):
    game = govern(COURNOT, {"kind": "restriction", "intervals": intervals})
    assert all(is_equilibrium(game, joint) for joint in profiles)
    assert sum(payoffs(game, profiles[0])) == welfare
    if len(intervals) == 2 and intervals[1][0] == 63:
        assert [j for j in itertools.product((29, 30), repeat=2) if is_equilibrium(game, j)] == [(30, 30)]
        assert not is_equilibrium(game, (30, 63))


def test_closing_the_shortcut_saves_everybody_two_minutes():
    short = "0-1-2-3"
    free, closed = govern({"kind": "congestion"}), govern({"kind": "congestion"}, {"kind": "closure", "words": [short]})
    crowd = (short,) * 10
    assert is_equilibrium(free, crowd) and payoffs(free, crowd) == (-17,) * 10
    ways = [way for way in closed.space(closed.initial_state(), 0).grid() if way != short]
    split = (ways[0],) * 5 + (ways[1],) * 5
    assert short not in closed.space(closed.initial_state(), 0).options
    assert is_equilibrium(closed, split) and payoffs(closed, split) == (-15,) * 10


def points(game, given):
    return {(giver, "peer_sanction"): {game.names[0]: k} for giver, k in given.items()}


def test_punishing_a_free_rider_costs_as_in_both_experiments():
    joint, given = (0, 20, 20, 20), {1: 4, 2: 3, 3: 2}
    late = govern({"kind": "public_goods"}, {"kind": "peer_sanction"})
    assert payoffs(late, joint) == (44, 24, 24, 24)
    assert payoffs(late, joint, decisions=points(late, given)) == (17, 20, 21, 22)
    prices = [0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30]
    early = govern({"kind": "public_goods"}, {"kind": "peer_sanction", "prices": prices, "share": "1/10"})
    assert payoffs(early, joint, decisions=points(early, given)) == (Fraction(22, 5), 18, 20, 22)


def test_four_points_deter_full_free_riding():
    game = govern({"kind": "public_goods"}, {"kind": "peer_sanction"})
    kept = payoffs(game, (20, 20, 20, 20))[0]
    assert payoffs(game, (0, 20, 20, 20))[0] - kept == 12
    assert payoffs(game, (0, 20, 20, 20), decisions=points(game, {1: 4}))[0] == kept
    assert payoffs(game, (0, 20, 20, 20), decisions=points(game, {1: 3}))[0] > kept


def test_the_second_stage_asks_everybody_about_everybody_else_by_name():
    game = govern({"kind": "public_goods", "agents": 3}, {"kind": "peer_sanction"}, names=("Ann", "Bo", "Cy"))
    state = game.initial_state()
    asks = game.second_stage(state, game.step(state, (0, 0, 0), LUCK))
    assert [(ask.agent, ask.purpose, tuple(ask.parts)) for ask in asks] == [
        (0, "peer_sanction", ("Bo", "Cy")),
        (1, "peer_sanction", ("Ann", "Cy")),
        (2, "peer_sanction", ("Ann", "Bo")),
    ]


def test_graduated_sanctions_deter_a_gain_of_12_from_the_fifth_violation_on():
    game = govern({"kind": "common_pool", "agents": 2, "capacity": 1000}, {"kind": "graduated_sanction", "limit": 8})
    state = game.initial_state()
    costs = []
    for number in range(1, 6):
        done = game.step(state, (20, 8), Noise(1, number))
        costs.append(done.material[0] - done.payoffs[0])
        state = game.close(done).state
    assert costs == [2, 4, 8, 16, 32]
    expected = [Fraction(cost, 2) for cost in costs]
    assert expected == [1, 2, 4, 8, 16]
    assert [cost >= 12 for cost in expected] == [False, False, False, False, True]


def test_graduated_sanctions_forget_after_clean_rounds():
    rule = {"kind": "graduated_sanction", "limit": 8, "forget": 2}
    game = govern({"kind": "common_pool", "agents": 2, "capacity": 1000}, rule)
    state = game.initial_state()
    costs = []
    for number, taken in enumerate((9, 9, 8, 9, 8, 8, 9), start=1):
        done = game.step(state, (taken, 8), Noise(1, number))
        costs.append(done.material[0] - done.payoffs[0])
        state = game.close(done).state
    assert costs == [2, 4, 0, 8, 0, 0, 2]


def dominant(game, action, value):
    """The action is at least as good as every other one, whatever the others do."""
    state = game.initial_state()
    spaces = [game.space(state, seat).grid() for seat in range(game.agents)]
    for others in itertools.product(*spaces[1:]):
        best = value(game.step(state, (action, *others), LUCK))[0]
        if any(value(game.step(state, (x, *others), LUCK))[0] > best + 1e-9 for x in spaces[0]):
            return False
    return True


@pytest.mark.parametrize(("degrees", "cooperates"), [(0, False), (33.6, False), (33.8, True), (45, True)])
def test_caring_at_33_7_degrees_makes_cooperation_dominant(degrees, cooperates):
    game = govern(PD, {"kind": "social_orientation", "degrees": degrees})
    assert dominant(game, "C", lambda done: done.felt) == cooperates
    assert payoffs(game, ("C", "D")) == (0, 5)
    assert math.degrees(math.atan(2 / 3)) == pytest.approx(33.7, abs=0.02)


@pytest.mark.parametrize(("degrees", "gives"), [(56.2, False), (56.4, True)])
def test_caring_at_56_3_degrees_makes_giving_dominant(degrees, gives):
    pgg = {"kind": "public_goods", "agents": 2, "mpcr": "2/5", "endowment": 3}
    game = govern(pgg, {"kind": "social_orientation", "degrees": degrees})
    assert dominant(game, 3, lambda done: done.felt) == gives


def test_guilt_is_felt_whether_or_not_anybody_notices():
    quota = {"kind": "quota", "amount": 10, "enforcement": "soft", "detection": 0}
    game = govern({"kind": "common_pool", "agents": 2}, quota, {"kind": "guilt", "cost": 7})
    done = game.step(game.initial_state(), (30, 5), LUCK)
    assert done.payoffs == (30, 5) and done.felt == (23, 5)


def test_soft_with_certain_detection_and_a_deterrent_fine_gives_the_best_replies_of_hard():
    rule = {"kind": "quota", "amount": 6, "fine_per_unit": 2}
    hard = govern({"kind": "common_pool", "agents": 3}, rule)
    soft = govern({"kind": "common_pool", "agents": 3}, rule | {"enforcement": "soft"})
    weak = govern({"kind": "common_pool", "agents": 3}, rule | {"enforcement": "soft", "detection": "1/4"})

    def best(game, others, seed=1):
        state = game.initial_state()
        grid = game.space(state, 0).grid()
        return max(grid, key=lambda x: (game.step(state, (x, *others), Noise(seed, 1)).payoffs[0], -x))

    for others in ((0, 0), (6, 6), (50, 40)):
        assert best(hard, others) == best(soft, others) == 6
    caught = [best(weak, (0, 0), seed) for seed in range(20)]
    assert 100 in caught and 6 in caught


def test_asking_a_human_is_a_commons_of_attention():
    rule = {"kind": "ask_human", "answer": 10, "capacity": 2, "price": 1}
    game = govern({"kind": "common_pool", "agents": 4}, rule)
    state = game.initial_state()
    for seat in range(4):
        state, _ = game.move(state, seat, (Move("delegate", "ask_human"),))
    done = game.step(state, (0, 0, 0, 0), LUCK)
    assert sorted(done.executed) == [0, 0, 10, 10] and sorted(done.payoffs) == [-1, -1, 9, 9]


# Power


TABLE = [
    (
        [3, 2, 2, 1, 1],
        5,
        (Fraction(5, 13), Fraction(3, 13), Fraction(3, 13), Fraction(1, 13), Fraction(1, 13)),
        Fraction(45, 169),
    ),
    ([6, 2, 2, 1, 1], 7, (Fraction(15, 19), *[Fraction(1, 19)] * 4), Fraction(229, 361)),
    ([6, 2, 2, 1, 1], 6, (Fraction(15, 19), *[Fraction(1, 19)] * 4), Fraction(229, 361)),
    ([9, 0, 0, 0, 0], 5, (1, 0, 0, 0, 0), 1),
]


@pytest.mark.parametrize(("weights", "quota", "index", "spread"), TABLE)
def test_power_indices_are_those_of_the_table(weights, quota, index, spread):
    assert banzhaf(quota, weights) == index and concentration(index) == spread


def test_the_power_index_equals_counting_all_coalitions():
    weights, quota = (4, 3, 2, 2, 1), 7
    swings = [0] * 5
    for size in range(6):
        for group in itertools.combinations(range(5), size):
            total = sum(weights[s] for s in group)
            for seat in group:
                swings[seat] += total >= quota > total - weights[seat]
    assert banzhaf(quota, weights) == tuple(Fraction(s, sum(swings)) for s in swings)
    assert majority(weights) == 7 and majority((1, 1, 1)) == 2 and majority((1, 1)) == 2


def vote_on(game, moves, votes):
    """Moves by seat 0 in talk, one quiet round, and the votes given by seat: the closed round."""
    state, _ = game.move(game.initial_state(), 0, moves)
    done = game.step(state, tuple(game.abstention(state, seat) for seat in range(game.agents)), LUCK)
    asked = {ask.agent: ask for ask in game.ballots(done)}
    said = {
        (seat, asked[seat].purpose): dict.fromkeys(asked[seat].parts, word)
        for seat, word in votes.items()
        if seat in asked
    }
    return game.close(done, said)


FIVE = [3, 2, 2, 1, 1]
AGENDA = [
    {"rule": "constitution", "field": "weights", "tuples": [FIVE, [6, 2, 2, 1, 1]]},
    {"rule": "constitution", "field": "quota", "low": 1, "high": 12},
    {"rule": "tax", "field": "rate", "high": 9},
]
GOVERNED = [{"kind": "constitution", "weights": FIVE, "quota": 5, "agenda": AGENDA}, {"kind": "tax", "rate": 1}]


def test_two_of_five_seize_power_by_the_rules_and_only_they_are_named():
    game = govern({"kind": "common_pool"}, *GOVERNED)
    motion = Move("motion", "constitution", terms=(("constitution.weights", "6 2 2 1 1"), ("constitution.quota", 7)))
    closed = vote_on(game, (motion,), {0: "yes", 1: "yes", 2: "no", 3: "no", 4: "abstain"})
    assert kinds(closed.rule_events, "amend", "seizure") == [("amend", (0, 1)), ("seizure", (0, 1))]
    rise = next(e.amount for e in closed.rule_events if e.event == "seizure")
    assert rise == Fraction(229, 361) - Fraction(45, 169)
    assert game.rules(closed.state)[0].instrument.quota == 7


SEQUENCE = [
    {"name": "emergency power", "weights": [6, 2, 2, 1, 1], "quota": 7},
    {"name": "rule of one", "quota": 6},
]


def test_a_mechanism_that_amends_its_own_rules_tells_amendments_and_seizures_with_those_who_voted_for_them():
    game = govern({"kind": "constitution", "weights": FIVE, "quota": 5, "motions": SEQUENCE}, names=tuple("ABCDE"))
    state, told = game.initial_state(), []
    for moved, votes in (("emergency power", "yes yes no no no"), ("rule of one", "yes no yes no no")):
        done = game.step(state, (moved,) * 5, Noise(3, len(told) + 1))
        proposer = done.state.physical.proposer
        told += kinds(done.rule_events, "motion")
        words = votes.split()
        words[proposer] = "yes"
        done = game.step(done.state, tuple(words), Noise(3, len(told) + 1))
        yes = tuple(seat for seat, word in enumerate(words) if word == "yes")
        assert kinds(done.rule_events, "amend", "seizure") == [("amend", yes), ("seizure", yes)]
        told += [event.detail for event in done.rule_events if event.event == "seizure"]
        state = done.state
    assert "concentration of power rises by 0.37" in told[1] and "alone: A" not in told[1]
    assert "can now change the rules alone: A" in told[3]


def test_a_leader_who_is_brought_into_power_by_a_vote_has_been_given_it_by_those_who_voted():
    agenda = [{"rule": "leader", "field": "in_force"}]
    game = govern(
        {"kind": "common_pool", "agents": 3},
        {"kind": "constitution", "agenda": agenda},
        {"kind": "leader", "in_force": False, "incumbent": 2, "powers": [{"rule": "tax", "field": "rate"}]},
        {"kind": "tax"},
    )
    closed = vote_on(game, (Move("motion", "constitution", terms=(("leader.in_force", "yes"),)),), {0: "yes", 1: "yes"})
    assert kinds(closed.rule_events, "amend", "seizure") == [("amend", (0, 1)), ("seizure", (0, 1))]
    assert "alone: 2" in closed.rule_events[-1].detail


def test_an_overthrow_that_leaves_one_to_rule_is_a_seizure_by_those_who_defied():
    game = govern(
        {"kind": "common_pool", "agents": 4},
        {"kind": "constitution", "agenda": [{"rule": "tax", "field": "rate"}]},
        {"kind": "leader", "incumbent": 0, "powers": [{"rule": "tax", "field": "rate"}], "term": 99},
        {"kind": "tax"},
        {"kind": "overthrow", "over": ["constitution"], "wear": 2, "least": "1/2"},
    )
    state = game.initial_state()
    assert set(game.charters(state)) == {"constitution", "leader"}
    for seat in (1, 3):
        state, _ = game.move(state, seat, (Move("defy", "constitution"),))
    done = game.step(state, (0,) * 4, LUCK)
    assert kinds(done.rule_events, "lapse", "overthrow", "seizure") == [
        ("lapse", ()),
        ("overthrow", (1, 3)),
        ("seizure", (1, 3)),
    ]
    assert set(game.charters(done.state)) == {"leader"}


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 4), min_size=4, max_size=4), st.integers(1, 9)), min_size=1, max_size=3)
)
def test_power_under_several_votes_equals_counting_all_coalitions(votes):
    ballots = tuple(Ballot(quota, tuple(weights)) for weights, quota in votes)

    def won(group):
        return any(sum(b.weights[s] for s in group) >= b.quota for b in ballots)

    swings = [0] * 4
    for size in range(5):
        for group in itertools.combinations(range(4), size):
            for seat in group:
                swings[seat] += won(group) and not won(set(group) - {seat})
    whole = sum(swings)
    assert power_index(ballots, 4) == tuple(Fraction(s, whole) if whole else 0 for s in swings)
    minimal = {g for size in range(5) for g in itertools.combinations(range(4), size) if won(g)}
    minimal = {g for g in minimal if not any(won(set(g) - {seat}) for seat in g)}
    assert set(smallest_winning(ballots, range(4))) == minimal


def test_an_amendment_that_shifts_no_power_is_no_seizure_and_applies_from_the_next_round():
    game = govern({"kind": "common_pool"}, *GOVERNED)
    motion = Move("motion", "constitution", terms=(("tax.rate", 4),))
    closed = vote_on(game, (motion,), {0: "yes", 3: "yes", 4: "yes"})
    assert kinds(closed.rule_events, "amend", "seizure") == [("amend", (0, 3, 4))]
    assert game.step(closed.state, (5, 0, 0, 0, 0), Noise(1, 2)).payoffs[0] == -15


def test_a_motion_below_the_quota_fails_and_changes_nothing():
    game = govern({"kind": "common_pool"}, *GOVERNED)
    closed = vote_on(game, (Move("motion", "constitution", terms=(("tax.rate", 4),)),), {0: "yes", 3: "yes", 1: "no"})
    assert kinds(closed.rule_events, "amend") == [] and closed.state.ledger.motions[0].status == "failed"
    assert closed.state.standings == game.initial_state().standings


def test_a_declared_coalition_of_two_thirds_that_takes_the_quota_is_a_seizure_by_it_alone():
    agenda = [{"rule": "constitution", "field": "quota", "low": 1, "high": 6}]
    game = govern(
        {"kind": "common_pool", "agents": 6},
        {"kind": "constitution", "quota": 6, "agenda": [*agenda]},
        {"kind": "pact"},
    )
    state, _ = game.move(game.initial_state(), 0, (Move("propose", "pact", members=(1, 2, 3)),))
    for seat in (1, 2, 3):
        state, _ = game.move(state, seat, (Move("accept", "pact", target=1),))
    state, _ = game.move(state, 0, (Move("motion", "constitution", terms=(("constitution.quota", 4),)),))
    done = game.step(state, (0,) * 6, LUCK)
    everybody = {(seat, "constitution"): {"motion 1": "yes"} for seat in range(4)}
    assert kinds(game.close(done, everybody).rule_events, "seizure") == []  # all six are needed
    everybody |= {(seat, "constitution"): {"motion 1": "yes"} for seat in (4, 5)}
    assert kinds(game.close(done, everybody).rule_events, "seizure") == [("seizure", (0, 1, 2, 3, 4, 5))]
    looser = govern(
        {"kind": "common_pool", "agents": 6},
        {"kind": "constitution", "quota": 4, "weights": [1] * 6, "agenda": [
            {"rule": "constitution", "field": "weights", "tuples": [[1] * 6, [2, 2, 2, 2, 0, 0]]},
            {"rule": "constitution", "field": "quota", "low": 1, "high": 6}]},
    )  # fmt: skip
    closed = vote_on(
        looser,
        (Move("motion", "constitution", terms=(("constitution.quota", 1),)),),
        dict.fromkeys(range(4), "yes") | {4: "no", 5: "no"},
    )
    assert kinds(closed.rule_events, "seizure") == [("seizure", (0, 1, 2, 3))]


def test_a_vote_can_be_delegated_along_a_chain_and_a_circle_abstains():
    agenda = [{"rule": "constitution", "field": "quota", "low": 1, "high": 5}]
    game = govern({"kind": "common_pool"}, {"kind": "constitution", "delegation": True, "agenda": agenda})
    state = game.initial_state()
    for seat, to in ((1, 2), (2, 0), (3, 4), (4, 3)):
        state, _ = game.move(state, seat, (Move("delegate", "constitution", to=to),))
    state, _ = game.move(state, 0, (Move("motion", "constitution", terms=(("constitution.quota", 4),)),))
    done = game.step(state, (0,) * 5, LUCK)
    closed = game.close(done, {(0, "constitution"): {"motion 1": "yes"}})
    assert kinds(closed.rule_events, "amend") == [("amend", (0, 1, 2))]


def test_an_elected_leader_sets_the_tax_and_can_be_recalled():
    powers = [{"rule": "tax", "field": "rate", "high": 9}]
    game = govern(
        {"kind": "common_pool", "agents": 3},
        {"kind": "leader", "powers": powers, "term": 5, "recall": "2/3"},
        {"kind": "tax"},
        names=("Ann", "Bo", "Cy"),
    )
    state, told = game.initial_state(), []
    ballots = [
        {0: {"leader": "Bo"}, 1: {"leader": "Bo"}, 2: {"leader": "Cy"}},
        {1: {"tax.rate": 3}, 0: {"recall": "no"}},
        {0: {"recall": "yes"}, 2: {"recall": "yes"}},
    ]
    paid = []
    for number, said in enumerate(ballots, start=1):
        done = game.step(state, (4, 0, 0), Noise(1, number))
        paid.append(done.payoffs[0])
        state, events = game.close(done, {(seat, "leader"): parts for seat, parts in said.items()})
        told += kinds(events, "elect", "amend", "recall")
    assert told == [("elect", (1,)), ("amend", (1,)), ("recall", (1, 0, 2))]
    assert paid == [4, 4, -8]


def test_a_rule_that_is_defied_loses_strength_until_it_lapses():
    quota = {"kind": "quota", "amount": 5, "enforcement": "soft", "fine": 3}
    game = govern({"kind": "common_pool", "agents": 2}, quota, {"kind": "overthrow", "over": ["quota"], "least": "1/4"})
    state, strengths, told = game.initial_state(), [], []
    for number in (1, 2, 3):
        for seat in (0, 1):
            state, _ = game.move(state, seat, (Move("defy", "quota"),))
        done = game.step(state, (8, 8), Noise(1, number))
        assert done.payoffs == (8, 8)
        told += kinds(done.rule_events, "lapse", "overthrow")
        state = game.close(done).state
        strengths.append(state.standings[0].strength)
    assert strengths == [Fraction(1, 2), 0, 0]
    assert told == [("lapse", ()), ("overthrow", (0, 1))]
    assert [rule.id for rule in game.rules(state)] == ["overthrow"]


def played_lawless(agents, rounds, **quota):
    """In which rounds a quota of 5 that all but seat 0 break counts as overthrown, and by whom."""
    rule = {"kind": "quota", "amount": 5, "enforcement": "soft", "fine": 3} | quota
    game = govern({"kind": "common_pool", "agents": agents, "capacity": 1000}, rule)
    state, told = game.initial_state(), []
    for number in range(1, rounds + 1):
        done = game.step(state, (5, *[8] * (agents - 1)), Noise(1, number))
        told += [(number, e.agents) for e in done.rule_events if e.event == "overthrow"]
        state = game.close(done).state
    assert state.standings[0].in_force
    return told


def test_a_rule_hardly_kept_for_three_rounds_while_sanctions_fail_counts_as_overthrown_once():
    assert played_lawless(4, 6, execution=0) == [(3, (1, 2, 3))]
    assert played_lawless(4, 2, execution=0) == []


def test_a_rule_is_not_overthrown_while_half_keep_it_or_sanctions_are_paid_or_nothing_is_noticed():
    assert played_lawless(2, 6, execution=0) == []  # one of two keeps it: not fewer than half
    assert played_lawless(4, 6) == []  # every sanction due is executed
    assert played_lawless(4, 6, detection=0) == []  # all of it is evasion: nothing is due


def test_sanctions_that_exceed_what_an_agent_has_are_defied_as_far_as_it_cannot_pay():
    # 8 of 13 due are paid: due exceeds executed by 5/8, more than half; with a fine of 12 it is exactly half
    assert played_lawless(4, 3, fine=13, allow_debt=False) == [(3, (1, 2, 3))]
    assert played_lawless(4, 6, fine=12, allow_debt=False) == []


def test_those_who_stay_out_are_not_bound_and_can_come_back():
    game = govern(
        {"kind": "public_goods", "agents": 3},
        {"kind": "institution_choice", "governs": ["peer_sanction"]},
        {"kind": "peer_sanction"},
    )
    done = game.step(game.initial_state(), (0, 0, 0), LUCK)
    state, events = game.close(done, {(2, "institution_choice"): {"membership": "stay out"}})
    assert kinds(events, "leave") == [("leave", (2,))]
    done = game.step(state, (0, 0, 0), LUCK)
    assert [(ask.agent, tuple(ask.parts)) for ask in game.second_stage(state, done)] == [(0, ("1",)), (1, ("0",))]
    back, _ = game.close(done, {(2, "institution_choice"): {"membership": "join"}})
    assert back.standings[1].members == (0, 1, 2)


def test_two_groups_with_institutions_of_their_own_play_apart():
    game = govern(
        {"kind": "public_goods", "agents": 5},
        {
            "kind": "institution_choice",
            "governs": ["peer_sanction"],
            "outside": ["tax"],
            "apart": True,
            "start": [0, 1],
        },
        {"kind": "peer_sanction"},
        {"kind": "tax", "rate": 1},
    )
    state = game.initial_state()
    joint = (20, 10, 5, 0, 0)
    first = game.step(state, joint, LUCK)
    # members: 20 - g + 2/5 * 30; the others: 20 - g + 2/5 * 5, less a tax of 1 a unit given
    assert first.material == (12, 22, 17, 22, 22) and first.payoffs == (12, 22, 12, 22, 22) and first.total == 35
    asks = game.second_stage(state, first)
    assert [(ask.agent, tuple(ask.parts)) for ask in asks] == [(0, ("1",)), (1, ("0",))]
    choice = {(2, "institution_choice"): {"membership": "join"}, (1, "institution_choice"): {"membership": "stay out"}}
    state, _ = game.close(first, choice)
    second = game.step(state, joint, Noise(1, 2))
    assert second.material == (10, 14, 25, 24, 24) and second.payoffs == (10, 4, 25, 24, 24)


def test_one_who_is_alone_in_a_group_plays_alone():
    rule = {"kind": "institution_choice", "governs": ["peer_sanction"], "apart": True, "start": [0]}
    game = govern({"kind": "public_goods", "multiplier": 2}, rule, {"kind": "peer_sanction"})
    state = game.initial_state()
    assert game.step(state, (20, 20, 20, 20), LUCK).payoffs == (40, 40, 40, 40)
    assert game.step(state, (0, 20, 20, 20), LUCK).payoffs == (20, 40, 40, 40)
    assert [game.observe(state, seat)["back"] for seat in (0, 1)] == [2, Fraction(2, 3)]
    with pytest.raises(ScenarioError, match="without a state"):
        govern({"kind": "common_pool", "agents": 3}, rule, {"kind": "peer_sanction"})


def test_whoever_is_punished_may_punish_back_those_who_did_and_nobody_else():
    names = ("Ann", "Bo", "Cy", "Di")
    game = govern({"kind": "public_goods"}, {"kind": "peer_sanction", "counter": True}, names=names)
    state, joint = game.initial_state(), (0, 20, 20, 20)
    given = {(1, "peer_sanction"): {"Ann": 4}, (2, "peer_sanction"): {"Ann": 3, "Bo": 0}}
    done = game.step(state, joint, LUCK, given)
    asks = game.replies(state, done)
    assert [(ask.agent, ask.purpose, tuple(ask.parts)) for ask in asks] == [(0, "peer_sanction/reply", ("Bo", "Cy"))]
    back = given | {(0, "peer_sanction/reply"): {"Bo": 2, "Cy": 0}}
    # Ann 44 - 3 * 7 - 2, Bo 24 - 4 - 3 * 2, Cy 24 - 3, Di 24
    assert game.step(state, joint, LUCK, back).payoffs == (21, 14, 21, 24)
    plain = govern({"kind": "public_goods"}, {"kind": "peer_sanction"}, names=names)
    assert plain.replies(state, plain.step(state, joint, LUCK, given)) == ()
    assert plain.step(state, joint, LUCK, back).payoffs == done.payoffs


def test_permits_change_hands_for_money_and_are_never_made():
    game = govern({"kind": "common_pool", "agents": 3}, {"kind": "permits", "grant": 6})
    terms = (("permits", 4), ("price", 5))
    state, _ = game.move(game.initial_state(), 0, (Move("propose", "permits", members=(1,), terms=terms),))
    state, _ = game.move(state, 1, (Move("sign", "permits", target=1),))
    done = game.step(state, (50, 50, 50), LUCK)
    assert done.executed == (2, 10, 6) and done.payoffs == (7, 5, 6)
    assert game.step(game.close(done).state, (50, 50, 50), Noise(1, 2)).executed == (6, 6, 6)


def order(side, units, price):
    return (Move("order", "permits", terms=(("side", side), ("units", units), ("price", price))),)


def test_an_auction_clears_all_orders_of_a_round_at_one_price():
    game = govern({"kind": "common_pool", "agents": 4}, {"kind": "permits", "grant": 6, "market": "auction"})
    state = game.initial_state()
    plan = [(0, "sell", 4, 2), (1, "buy", 9, 1), (1, "buy", 3, 5), (2, "sell", 6, 4), (3, "buy", 2, 3)]
    for seat, *terms in plan:
        state, told = game.move(state, seat, order(*terms))
        assert kinds(told, "order") == [("order", (seat,))]
    # bids 5 5 5 3 3, asks 2 2 2 2 4 ...: four meet, the last pair at 3 and 2, so all pay 5/2; the second bid of 1 is void
    done = game.step(state, (50,) * 4, LUCK)
    assert done.executed == (2, 9, 6, 7)
    half = Fraction(5, 2)
    assert done.payoffs == (2 + 4 * half, 9 - 3 * half, 6, 7 - half)
    assert game.step(game.close(done).state, (50,) * 4, Noise(1, 2)).executed == (6, 6, 6, 6)
    assert [o.kind for o in game.offers(state, 0)] == ["order"]


ORDERS = st.lists(
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 3), st.integers(0, 6)), min_size=2, max_size=4
)


@given(ORDERS, st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_call_market_brings_the_largest_gain_and_asks_nobody_to_trade_against_its_limit(raw, held):
    orders = [Order("permits", seat, *fields) for seat, fields in enumerate(raw)]
    found = cleared(orders, held)
    limit = {o.by: o for o in orders}
    bought, sold = [0] * 4, [0] * 4
    for buyer, seller, units in found.trades:
        assert limit[buyer].side == "buy" and limit[seller].side == "sell" and units > 0
        assert limit[seller].price <= found.price <= limit[buyer].price
        bought[buyer] += units
        sold[seller] += units
    assert all(bought[o.by] + sold[o.by] <= o.units and sold[o.by] <= held[o.by] for o in orders)
    bids = sorted((o.price for o in orders if o.side == "buy" for _ in range(o.units)), reverse=True)
    asks = sorted(o.price for o in orders if o.side == "sell" for _ in range(min(o.units, held[o.by])))
    most = max(sum(bids[:k]) - sum(asks[:k]) for k in range(min(len(bids), len(asks)) + 1))
    gain = sum(limit[b].price * u - limit[s].price * u for b, s, u in found.trades)
    assert gain == most


def test_a_promise_with_a_condition_is_paid_exactly_when_it_is_met():
    game = govern(PD, {"kind": "side_payment", "condition": "exactly"})
    state, _ = game.move(
        game.initial_state(), 0, (Move("transfer", "side_payment", to=1, amount=3, terms=(("action", "C"),)),)
    )
    assert game.step(state, ("C", "C"), LUCK).payoffs == (0, 6)
    assert game.step(state, ("C", "D"), LUCK).payoffs == (0, 5)


def test_moves_in_talk_survive_the_log():
    moves = (
        Move("propose", "contract", members=(0, 2), terms=(("limit", Fraction(1, 2)), ("penalty", 3))),
        Move("vote", "constitution", target=4, choice="no"),
        Move("motion", "constitution", terms=(("constitution.weights", "1:2 1"),)),
    )
    event = Spoke(1, 0, 0, (), "ok", moves=moves)
    assert event_from_plain(json.loads(json.dumps(event_to_plain(event)))) == event
    old = {key: value for key, value in event_to_plain(event).items() if key != "moves"}
    assert event_from_plain(old) == Spoke(1, 0, 0, (), "ok")


def test_a_game_that_was_stepped_can_be_copied_and_sent_elsewhere():
    game = Governed(MECHANISMS.parse({"kind": "common_pool"}), (INSTRUMENTS.parse({"kind": "tax", "rate": 1}),))
    joint = tuple(game.abstention(game.initial_state(), agent) for agent in range(game.agents))
    done = game.step(game.initial_state(), joint, Noise(1, 1))
    for other in (pickle.loads(pickle.dumps(game)), copy.deepcopy(game)):
        assert other.step(other.initial_state(), joint, Noise(1, 1)).payoffs == done.payoffs
