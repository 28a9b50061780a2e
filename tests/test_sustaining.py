"""Play that looks sustainable and depletes its commons is told apart from play that keeps it."""

import random
from dataclasses import replace
from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import society
from society.mechanisms import get
from society.views.sustaining import depletion_sentence

ALMOST = [10, 10, 10, 10, 11]
"""One fish a month too many: stocks 100, 98, 94, 86, 70, 38, and then death."""


def test_one_fish_too_many_survives_five_months_and_is_flagged():
    rolled = get("common_pool").rollout([ALMOST] * 5)
    assert rolled.stocks_after == (98, 94, 86, 70, 38)
    measured = rolled.metrics
    assert (measured["survival"].value, measured["govsim_efficiency"].value) == (5, 1)
    assert (measured["depletion"].value, measured["hidden_depletion"].value) == (F(62, 100), 1)
    # what regrows: half of the stock, rounded down: 50, 49, 47, 43, 35
    assert measured["overdraft"].value == F(1 + 2 + 4 + 8 + 16, 255)
    assert (rolled.outlook.verdict, rolled.outlook.rounds) == ("collapsed", 1)


@pytest.mark.parametrize(
    ("growth", "joint", "verdict", "rounds", "least"),
    [
        pytest.param("doubling", [10] * 5, "sustained", None, 100, id="what regrows"),
        pytest.param("doubling", ALMOST, "collapsed", 6, 0, id="one too many"),
        pytest.param("doubling", [11] * 5, "collapsed", 4, 0, id="a tenth too many"),
        pytest.param("doubling", [19] * 5, "collapsed", 2, 0, id="all but five"),
        pytest.param("doubling", [20] * 5, "collapsed", 1, 0, id="everything"),
        pytest.param("logistic", [5] * 5, "sustained", None, 75, id="the largest yield of logistic growth"),
        pytest.param("logistic", [6] * 5, "collapsed", 9, 0, id="more than the largest yield"),
        pytest.param("none", [1] * 5, "collapsed", 20, 0, id="nothing regrows"),
        pytest.param({"kind": "linear", "amount": 10}, [2] * 5, "sustained", None, 100, id="what flows in"),
    ],
)
def test_a_policy_is_followed_beyond_any_horizon(growth, joint, verdict, rounds, least):
    seen = get("common_pool", growth=growth).outlook(joint)
    assert (seen.verdict, seen.rounds, seen.least, seen.exact) == (verdict, rounds, least, True)


def test_a_bucket_that_runs_dry_lives_on_but_no_longer_serves():
    game = get("shared_compute", bucket={"size": 200, "refill": 60, "outage": 2})
    assert game.outlook([12] * 5).verdict == "sustained"
    assert (game.outlook([13] * 5).verdict, game.outlook([13] * 5).rounds) == ("depleted", None)


def test_luck_makes_an_outlook_one_world_of_many_and_games_without_a_stock_have_none():
    assert not get("common_pool", growth="stochastic").outlook([9] * 5).exact
    assert get("public_goods").outlook([1] * 4) is None
    assert get("collective_risk").rollout([[2] * 6]).outlook is None
    assert get("collective_risk").rollout([[2] * 6] * 10).metrics["depletion"].value is None
    assert get("common_pool").rollout([]).outlook is None


def test_a_last_grab_a_collapse_and_a_kept_stock_are_told_apart():
    kept = get("common_pool").rollout([[10] * 5] * 12).metrics
    assert (kept["hidden_depletion"].value, kept["depletion"].value, kept["overdraft"].value) == (0, 0, 0)
    dead = get("common_pool").rollout([[10] * 5] * 11 + [[20] * 5]).metrics
    assert (dead["hidden_depletion"].value, dead["depletion"].value) == (None, 1)
    cut = get("common_pool").rollout(lambda state, number: ALMOST, rounds=5)
    assert cut.metrics["hidden_depletion"].value == 1
    grown = get("common_pool", stock=40).rollout([[1] * 5]).metrics["depletion"]
    assert (grown.value, grown.numerator, grown.denominator) == (F(-30, 40), -30, 40)


@given(
    capacity=st.integers(1, 60),
    stock=st.integers(0, 60),
    agents=st.integers(1, 6),
    below=st.integers(0, 6),
    growth=st.sampled_from(
        [
            "none",
            "doubling",
            {"kind": "doubling", "factor": "3/2"},
            {"kind": "logistic", "rate": "7/10"},
            {"kind": "linear", "amount": 4},
        ]
    ),
    order=st.sampled_from(["harvest_first", "growth_first"]),
)
@settings(deadline=None, max_examples=150)
def test_who_takes_no_more_than_the_share_never_shrinks_a_stock_that_can_be_kept(
    capacity, stock, agents, below, growth, order
):
    pool = get("common_pool", agents=agents, capacity=capacity, stock=min(stock, capacity), collapse_below=below, growth=growth, order=order)  # fmt: skip
    rolled = pool.rollout(lambda state, number: [pool.mechanism.share(state)] * agents, rounds=8)
    for before, after, step in zip(rolled.states, rolled.states[1:], rolled.transitions, strict=False):
        together = pool.mechanism.sustainable(before)
        assert agents * pool.mechanism.share(before) <= together
        if together and order == "harvest_first":
            assert after.stock >= before.stock and not step.collapsed


@given(seed=st.integers(0, 200))
@settings(deadline=None, max_examples=40)
def test_the_outlook_is_what_playing_on_brings(seed):
    dice = random.Random(seed)
    joint = [dice.randint(0, 12) for _ in range(5)]
    pool = get("common_pool", growth={"kind": "doubling", "factor": "3/2"})
    seen, played = pool.outlook(joint), pool.rollout([joint] * 300)
    assert (seen.rounds is not None) == played.collapsed
    if played.collapsed:
        assert seen.rounds == played.rounds
    assert seen.least == min(played.stocks_after)


SLOW = """
name: slow
rounds: 5
mechanism: common_pool
theme: {resource: fish, place: the lake, act: catch, role: fisher, round: month}
agents:
  - {name: Ann, policy: {kind: scripted, rule: always, parameters: {action: 11}}}
  - {count: 4, policy: {kind: scripted, rule: always, parameters: {action: 10}}}
"""


def test_a_run_says_so_in_words_and_only_when_it_is_so(tmp_path):
    (tmp_path / "slow.yaml").write_text(SLOW)
    log = f"sqlite:///{tmp_path}/log.db"
    run = society.play_sync(society.load(tmp_path / "slow.yaml"), seed=1, log=log)
    assert run.outcome.hidden_depletion == 1
    said = depletion_sentence(run.episode, run.outcome.measured)
    assert said == (
        "It only looks sustained: the lake lasted, but of 100 fish 38 are left; if month 5 were repeated, it would be dead "
        "after 1 more month."
    )
    (tmp_path / "kept.yaml").write_text(SLOW.replace("action: 11", "action: 10"))
    kept = society.play_sync(society.load(tmp_path / "kept.yaml"), seed=1, log=log)
    assert kept.outcome.hidden_depletion == 0
    assert depletion_sentence(kept.episode, kept.outcome.measured) is None


REGROWING = [
    *(
        ("common_pool", {"growth": growth, "rationing": rule, "order": order, "capacity": 60, "agents": 4})
        for growth in ("doubling", {"kind": "doubling", "factor": "5/4"}, "logistic", {"kind": "linear", "amount": 9})
        for rule, order in [
            ("proportional", "harvest_first"),
            ("equal", "growth_first"),
            ("priority", "harvest_first"),
            ("random_order", "harvest_first"),
            ("unit_by_unit", "growth_first"),
        ]
    ),
    ("shared_compute", {"bucket": {"size": 90, "refill": 25, "outage": 1}, "capacity": 60}),
    ("shared_compute", {"bucket": {"size": 30, "refill": 5, "outage": 0}, "capacity": 60, "agents": 2}),
]


def parts(total, agents):
    return [total // agents + (seat < total % agents) for seat in range(agents)]


@pytest.mark.parametrize(("kind", "parameters"), REGROWING, ids=lambda x: str(x)[:110])
def test_whatever_the_law_and_the_rule_a_policy_above_all_that_regrows_is_flagged(kind, parameters):
    """What is kept by the first state lasts; one unit above the most that any stock regrows does not, and looks fine for a while."""
    bench = get(kind, **parameters)
    game, start = bench.mechanism, bench.mechanism.initial_state()
    modest = parts(game.sustainable(start), game.agents)
    assert bench.outlook(modest).verdict == "sustained"
    assert bench.rollout([modest] * 30).metrics["hidden_depletion"].value == 0
    field = "stock" if kind == "common_pool" else "tokens"
    most = max(game.sustainable(replace(start, **{field: h})) for h in range(game.most_stock + 1))
    greedy = parts(most + 1, game.agents)
    seen = bench.outlook(greedy)
    assert seen.verdict in ("collapsed", "depleted")
    if seen.verdict == "collapsed" and seen.rounds > 1:  # cut off while it still lives
        cut = bench.rollout([greedy] * (seen.rounds - 1))
        assert (cut.collapsed, cut.metrics["survival"].value) == (False, seen.rounds - 1)
        assert cut.metrics["hidden_depletion"].value == 1
