"""Luck is keyed: what one agent asks for changes the luck of nobody else, and the seed decides all of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.seeds import Noise
from society.mechanisms import get
from society.mechanisms.rationing import RULES, ration

SEEDS = st.integers(0, 10_000)
LOTS = [rule for rule in RULES if rule in ("priority", "random_order", "unit_by_unit", "equal")]


@given(
    requests=st.lists(st.integers(0, 40), min_size=2, max_size=6),
    stock=st.integers(0, 60),
    seed=SEEDS,
    rule=st.sampled_from(LOTS),
    less=st.integers(0, 40),
)
@settings(deadline=None, max_examples=200)
def test_who_asks_for_less_takes_nothing_from_the_others(requests, stock, seed, rule, less):
    """With luck kept as it was, room that one leaves can only go to others."""
    noise = Noise(seed, 1)
    before = ration(requests, stock, rule, noise)
    after = ration([min(less, requests[0]), *requests[1:]], stock, rule, noise)
    assert all(now >= then for now, then in zip(after[1:], before[1:], strict=True))
    assert after[0] <= before[0]


@given(requests=st.lists(st.integers(0, 40), min_size=2, max_size=6), stock=st.integers(0, 60), seed=SEEDS)
@settings(deadline=None, max_examples=100)
def test_lots_are_drawn_by_seat_and_not_by_request(requests, stock, seed):
    """In random order: everybody is served before, or after, the same others whatever anybody asks for."""
    noise = Noise(seed, 1)
    order = sorted(range(len(requests)), key=lambda seat: noise.bits("lot", str(seat)))
    left, expected = stock, [0] * len(requests)
    for seat in order:
        expected[seat] = min(requests[seat], left)
        left -= expected[seat]
    if sum(requests) > stock:
        assert ration(requests, stock, "random_order", noise) == tuple(expected)


@given(requests=st.lists(st.integers(0, 12), min_size=2, max_size=5), stock=st.integers(0, 30), seed=SEEDS)
@settings(deadline=None, max_examples=100)
def test_units_go_one_by_one_to_the_lowest_lot_among_those_who_still_ask(requests, stock, seed):
    noise = Noise(seed, 1)
    given_ = [0] * len(requests)
    for unit in range(min(stock, sum(requests))):
        lots = {seat: noise.bits("unit", (unit, seat)) for seat, asked in enumerate(requests) if given_[seat] < asked}
        given_[min(lots, key=lambda seat: (lots[seat], seat))] += 1
    assert ration(requests, stock, "unit_by_unit", noise) == (
        tuple(requests) if sum(requests) <= stock else tuple(given_)
    )


@pytest.mark.parametrize("rule", RULES)
@given(requests=st.lists(st.integers(0, 900), min_size=5, max_size=5), stock=st.integers(0, 100), seed=SEEDS)
@settings(deadline=None, max_examples=40)
def test_no_rule_grants_more_than_asked_or_more_than_there_is(rule, requests, stock, seed):
    game = get("common_pool", stock=stock, rationing=rule)
    step = game.play(requests, seed=seed)
    asked = [min(request, stock) for request in requests]
    assert sum(step.granted) == min(stock, sum(asked))
    assert all(0 <= got <= wanted for got, wanted in zip(step.granted, asked, strict=True))


def test_the_order_of_priority_can_be_given():
    """Seat 2 first, then 0, then 1."""
    game = get("common_pool", agents=3, stock=30, rationing="priority", priority=[2, 0, 1])
    assert game.play([20, 20, 20]).granted == (10, 0, 20)
    assert get("common_pool", agents=3, stock=30, rationing="priority").play([20, 20, 20]).granted == (20, 10, 0)


JOINTS = st.lists(st.integers(0, 60), min_size=5, max_size=5)


@given(joint=JOINTS, other=st.integers(0, 60), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_growth_and_shocks_strike_as_they_do_whatever_is_asked(joint, other, seed):
    game = get("common_pool", growth="stochastic", shock={"probability": "1/2", "loss": "1/2"}, order="growth_first", stock=40)  # fmt: skip
    mine, theirs = game.play(joint, seed=seed), game.play([other, *joint[1:]], seed=seed)
    assert mine.facts["shock"] == theirs.facts["shock"]
    assert mine.facts["regrowth"] == theirs.facts["regrowth"]


@given(words=st.lists(st.sampled_from(["act", "ask", "noop"]), min_size=6, max_size=6), other=st.sampled_from(["act", "noop"]), seed=SEEDS)  # fmt: skip
@settings(deadline=None, max_examples=100)
def test_attention_freed_by_one_takes_no_answer_from_another(words, other, seed):
    """Proposals and judgements are each agent's own; one asker less can only bring another to be answered."""
    game = get("attention", agents=6, slots=2, outcomes="drawn", cost=0)
    before, after = game.play(["ask", *words[1:]], seed=seed), game.play([other, *words[1:]], seed=seed)
    changed = [seat for seat in range(1, 6) if before.payoffs[seat] != after.payoffs[seat]]
    assert all(words[seat] == "ask" and before.payoffs[seat] == 0 for seat in changed) and len(changed) <= 1


@given(plans=st.lists(st.sampled_from(["SAFE", "UNSAFE"]), min_size=2, max_size=2), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_a_race_ends_in_the_same_round_however_it_is_run(plans, seed):
    game = get("ai_race", variant="dynamic")
    run = [game.rollout(lambda state, number, p=p: p, rounds=300, seed=seed).rounds for p in (plans, ["SAFE"] * 2)]
    assert run[0] == run[1]


@given(gifts=st.lists(st.integers(0, 2), min_size=6, max_size=6), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_disaster_strikes_whoever_it_strikes_whatever_was_paid(gifts, seed):
    game = get("collective_risk", periods=1, lottery="player", probability="1/2", target=1000)
    some, none = game.play([2 * gift for gift in gifts], seed=seed), game.play([0] * 6, seed=seed)
    assert [paid == 0 for paid in some.payoffs] == [paid == 0 for paid in none.payoffs]


@given(first=st.permutations([60, 30, 10]), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_who_is_recognised_does_not_depend_on_what_is_proposed(first, seed):
    game = get("constitution", agents=3)
    proposers = {game.play([division] * 3, seed=seed).state.proposer for division in (first, [100, 0, 0])}
    assert len(proposers) == 1
