"""Every mechanism against worked numbers, and against what all of them promise."""

import random
import re
from dataclasses import replace
from fractions import Fraction as F
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.actions import Division
from society.core.errors import BadInput
from society.core.seeds import Noise
from society.mechanisms import MECHANISMS, get
from society.mechanisms.common_pool import CommonPool, Pool
from society.mechanisms.public_goods import PublicGoods
from society.mechanisms.rationing import ration, ration_batch
from society.models.schema import full, portable
from society.testing import _Lots, check_mechanism, random_joint
from tests.small_games import Gifts


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_every_mechanism_keeps_the_contract(kind):
    check_mechanism(MECHANISMS.parse({"kind": kind}))


POOLS = [
    {"rationing": rule, "order": order, "growth": growth, "stock": 37, "shock": shock}
    for rule, order, growth, shock in [
        ("proportional", "growth_first", {"kind": "stochastic"}, {"probability": "1/2", "loss": "1/3"}),
        ("equal", "harvest_first", {"kind": "logistic", "rate": "7/10"}, None),
        ("priority", "growth_first", {"kind": "linear", "amount": 9}, None),
        ("random_order", "harvest_first", {"kind": "stochastic", "spread": 1}, None),
        ("unit_by_unit", "harvest_first", {"kind": "doubling", "factor": "3/2"}, {"probability": "1/2", "loss": 1}),
        ("proportional", "harvest_first", {"kind": "none"}, None),
    ]
]


def first_joint(kind, parameters):
    game = get(kind, **parameters).mechanism
    state = game.initial_state()
    return [game.abstention(state, seat) for seat in range(game.agents)]


VARIANTS = [
    *(("common_pool", pool) for pool in POOLS),
    ("common_pool", {"agents": 14, "capacity": 60}),
    ("common_pool", {"agents": 3, "rationing": "priority", "priority": [2, 0, 1]}),
    ("common_pool", {"agents": 2, "capacity": 9000}),
    ("public_goods", {"agents": 3, "multiplier": "7/4"}),
    ("collective_risk", {"periods": 2}),
    ("collective_risk", {"periods": 2, "lottery": "player", "probability": "1/2", "target": 30, "endowment": 9}),
    ("ai_race", {"variant": "dynamic", "shortest": 2}),
    ("shared_compute", {"bucket": {"size": 150, "refill": 20, "outage": 2}}),
    ("shared_compute", {"agents": 3, "cost": 0, "most": 7, "capacity": 10}),
    ("matrix_game", {"agents": 4, "preset": "chicken"}),
    ("matrix_game", {"options": ["a", "b", "c"], "table": [[[k + j, k - j] for k in range(3)] for j in range(3)]}),
    ("matrix_game", {"table": [[[1, 1], [0, 2], [3, 0]], [[0, 0], ["5/2", 2], [1, 1]]]}),
    ("matrix_game", {"table": [[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [1, 1, "1/3"]]]] * 2}),
    ("matrix_game", {"agents": 3, "by_others": [[1, 2, "3/7"], [0, 4, 4]]}),
    ("congestion", {"agents": 4, "preset": "double_braess", "closed": ["1-2"], "flow": "1/3"}),
    (
        "congestion",
        {"agents": 2, "preset": "double_braess", "trips": [{"start": s, "end": e} for s, e in ("03", "AB")]},
    ),
    ("attention", {"outcomes": "drawn"}),
    ("constitution", {"agents": 3, "discount": "9/10", "weights": [2, 1, 1]}),
    ("constitution", {"agents": 2, "motions": [{"name": "rule of one", "weights": [2, 1], "quota": 2}]}),
]


@pytest.mark.parametrize(("kind", "parameters"), VARIANTS, ids=lambda x: str(x)[:60])
def test_other_parameters_keep_the_contract_too(kind, parameters):
    check_mechanism(MECHANISMS.parse({"kind": kind, **parameters}))


class Raffle(Gifts):
    """One of those who gave wins a bonus: whoever gives nothing changes who wins among the others."""

    kind: str = ...
    back: int = 1

    @property
    def symmetric(self):
        return False

    def step(self, state, joint, noise):
        done, givers = super().step(state, joint, noise), [seat for seat, gift in enumerate(joint) if gift]
        if not givers:
            return replace(done, total=None)
        winner = givers[noise.below(len(givers), "bonus")]
        return replace(done, total=None, payoffs=tuple(p + 5 * (seat == winner) for seat, p in enumerate(done.payoffs)))


def test_a_mechanism_in_which_one_changes_the_luck_of_another_breaks_the_contract():
    with pytest.raises(AssertionError, match="what agent 0 does changes the lot 'bonus'"):
        check_mechanism(Raffle(kind="raffle", agents=3))


def everybody_wants_everything(game):
    state = game.initial_state()
    return [game.space(state, seat).high for seat in range(game.agents)]


GRANTING = [(kind, parameters) for kind, parameters in [*((kind, {}) for kind in MECHANISMS.kinds), *VARIANTS] if get(kind, **parameters).play(first_joint(kind, parameters)).granted is not None]  # fmt: skip


@pytest.mark.parametrize(("kind", "parameters"), GRANTING, ids=lambda x: str(x)[:60])
def test_over_demand_is_rationed_wherever_something_is_granted(kind, parameters):
    """Five hundred times the capacity is cut to what may be asked, and grants add up to what there is and no more."""
    bench = get(kind, **parameters)
    game = bench.mechanism
    for seed in range(5):
        wild = bench.play([500 * game.capacity] * game.agents, seed=seed)
        assert wild == bench.play(everybody_wants_everything(game), seed=seed)
        early = kind == "common_pool" and game.order == "growth_first"
        found = wild.stock_before if kind == "common_pool" else game.service(game.initial_state())
        found += wild.facts["regrowth"] if early else 0
        assert sum(wild.granted) == min(found, sum(everybody_wants_everything(game))) <= game.capacity
        lone = bench.play([500 * game.capacity, *[0] * (game.agents - 1)], seed=seed)
        assert lone.granted[0] <= found and set(lone.granted[1:]) <= {0}


@pytest.mark.parametrize(("kind", "parameters"), [*((kind, {}) for kind in MECHANISMS.kinds), *VARIANTS], ids=lambda x: str(x)[:60])  # fmt: skip
def test_the_seed_matters_exactly_where_luck_is_asked_for(kind, parameters):
    """What is played is the same under every seed; what comes of it is not, where any lot is drawn at even odds or so."""
    game = get(kind, **parameters).mechanism
    asked, outcomes = set(), set()
    for seed in range(60):
        dice, state, seen = random.Random(7), game.initial_state(), []
        for number in range(1, 7):
            if game.over(state):
                break
            lots = _Lots(seed, number)
            done = game.step(state, random_joint(game, state, dice), lots)
            asked |= {purpose for (purpose, _), among in lots.drawn.items() if not among <= {0, 1}}
            state = done.state
            seen.append((done.payoffs, state))
        outcomes.add(tuple(seen))
    lucky = bool(asked) or parameters.get("rationing") in ("random_order", "unit_by_unit")
    assert (len(outcomes) > 1) == lucky


def play(mechanism, joints, seed=1):
    """The transitions of a fixed sequence of joint actions."""
    state, steps = mechanism.initial_state(), []
    for number, joint in enumerate(joints, start=1):
        steps.append(mechanism.step(state, tuple(joint), Noise(seed, number)))
        state = steps[-1].state
        if steps[-1].over:
            break
    return steps


def gains(steps):
    return tuple(sum(column) for column in zip(*(step.payoffs for step in steps), strict=True))


@pytest.mark.parametrize(
    ("joints", "stocks", "earned", "dies"),
    [
        pytest.param([(10,) * 5] * 12, [100] * 12, (120,) * 5, False, id="ten each for ever"),
        pytest.param([(20,) * 5] * 12, [100], (20,) * 5, True, id="everything at once"),
        pytest.param([(11,) * 5] * 3 + [(6,) * 5] * 9, [100, 90, 70, 30], (39,) * 5, True, id="a little too much"),
        pytest.param(
            [(10, 10, 10, 10, 30), (6, 6, 6, 8, 12), (8, 8, 8, 8, 12)],
            [100, 60, 44],
            (24, 24, 24, 26, 54),
            True,
            id="three months",
        ),
    ],
)
def test_the_fishery_runs_as_in_the_table(joints, stocks, earned, dies):
    steps = play(CommonPool(), joints)
    assert [step.stock_before for step in steps] == stocks
    assert gains(steps) == earned
    assert steps[-1].collapsed is dies


def test_five_fish_left_survive_and_four_do_not():
    five, four = play(CommonPool(), [(19,) * 5])[0], play(CommonPool(), [(19, 19, 19, 19, 20)])[0]
    assert (five.stock_after, five.collapsed) == (10, False)
    assert (four.stock_after, four.collapsed, four.over) == (0, True, True)


@pytest.mark.parametrize("rounds", [1, 2, 3, 12])
def test_the_most_that_can_be_taken_is_fifty_a_month_and_everything_at_the_end(rounds):
    pool = CommonPool()
    value = pool.known_value(rounds, None)
    assert value(pool.initial_state()) == 50 * (rounds - 1) + 100
    assert pool.known_value(rounds, 3)(pool.initial_state()) == value(pool.initial_state())


def test_the_value_of_a_small_stock_is_known():
    """As in the worked episode: sixty with two months left are worth 110, forty-four with one month 44."""
    value = CommonPool().known_value(2, None)
    assert (value(Pool(60)), CommonPool().known_value(1, None)(Pool(44))) == (110, 44)


@pytest.mark.parametrize(("stock", "share"), [(100, 10), (90, 9), (70, 7), (30, 3), (60, 6), (44, 4), (12, 1), (5, 0)])
def test_the_sustainable_share_is_a_fifth_of_half_the_stock(stock, share):
    assert CommonPool().share(Pool(stock)) == share


RULES = ["proportional", "equal", "priority", "random_order", "unit_by_unit"]


@pytest.mark.parametrize(
    ("rule", "requests", "stock", "granted"),
    [
        pytest.param("proportional", (30, 30, 30), 100, (30, 30, 30), id="enough for all"),
        pytest.param("proportional", (50, 50, 50), 100, (34, 33, 33), id="the odd unit goes to the lowest seat"),
        pytest.param("proportional", (10, 20, 40), 30, (4, 9, 17), id="largest remainder"),
        pytest.param("proportional", (500, 0), 100, (100, 0), id="five hundred of a hundred"),
        pytest.param("equal", (10, 20, 40), 30, (10, 10, 10), id="equal"),
        pytest.param("equal", (2, 20, 40), 31, (2, 15, 14), id="equal with an odd unit"),
        pytest.param("priority", (10, 20, 40), 35, (10, 20, 5), id="by seat"),
    ],
)
def test_short_stocks_are_rationed(rule, requests, stock, granted):
    assert ration(requests, stock, rule, Noise(1, 1)) == granted


@given(
    requests=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    stock=st.integers(0, 100),
    rule=st.sampled_from(RULES),
    seed=st.integers(0, 5),
)
@settings(deadline=None, max_examples=200)
def test_nobody_gets_more_than_asked_and_nothing_is_left_over(requests, stock, rule, seed):
    granted = ration(requests, stock, rule, Noise(seed, 1))
    assert sum(granted) == min(stock, sum(requests))
    assert all(0 <= g <= r for g, r in zip(granted, requests, strict=True))


@pytest.mark.parametrize(
    ("gifts", "paid"),
    [
        ((20, 20, 20, 20), (32, 32, 32, 32)),
        ((0, 0, 0, 0), (20, 20, 20, 20)),
        ((0, 20, 20, 20), (44, 24, 24, 24)),
        ((5, 10, 15, 20), (35, 30, 25, 20)),
        ((1, 0, 0, 0), (F(97, 5), F(102, 5), F(102, 5), F(102, 5))),
    ],
)
def test_public_goods_pay_as_in_the_table(gifts, paid):
    assert play(PublicGoods(), [gifts])[0].payoffs == paid


def test_a_multiplier_is_the_per_capita_return_times_the_group():
    assert play(PublicGoods(multiplier="1.6"), [(5, 10, 15, 20)])[0].payoffs == (35, 30, 25, 20)
    with pytest.raises(ValueError, match="not both"):
        PublicGoods(multiplier=2, mpcr=1)


@given(
    requests=st.integers(1, 14).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 60), min_size=n, max_size=n), min_size=1, max_size=12)
    ),
    stock=st.integers(0, 100),
    rule=st.sampled_from(RULES),
    seed=st.integers(0, 3),
)
@settings(deadline=None, max_examples=100)
def test_rationing_many_at_once_is_rationing_one_by_one(requests, stock, rule, seed):
    noise = Noise(seed, 1)
    together = ration_batch(np.array(requests, dtype=np.int64), stock, rule, noise)
    assert [tuple(row) for row in together.tolist()] == [ration(row, stock, rule, noise) for row in requests]


@given(
    joint=st.lists(st.integers(0, 100), min_size=5, max_size=5), pool=st.sampled_from([{}, *POOLS]), seed=st.integers()
)
@settings(deadline=None, max_examples=100)
def test_every_unit_of_the_pool_is_accounted_for(joint, pool, seed):
    """What was found and what regrew first is what was granted and what remained."""
    game = get("common_pool", **{**pool, "shock": None})
    step = game.play(joint, seed=seed)
    early = step.facts["regrowth"] if pool.get("order") == "growth_first" else 0
    assert step.stock_before + early == sum(step.granted) + step.facts["remaining"]
    assert 0 <= step.stock_after <= 100
    assert all(granted <= asked for granted, asked in zip(step.granted, joint, strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_five_hundred_of_a_hundred_are_never_granted(rule):
    step = get("common_pool", rationing=rule).play([500, 0, 0, 0, 0])
    assert step.granted == (100, 0, 0, 0, 0)


LUCKY = [
    ("common_pool", {"growth": {"kind": "stochastic"}}, [12] * 5),
    ("common_pool", {"rationing": "random_order"}, [40] * 5),
    ("common_pool", {"rationing": "unit_by_unit"}, [40] * 5),
    ("common_pool", {"shock": {"probability": "1/2", "loss": "1/2"}}, [3] * 5),
    ("collective_risk", {"periods": 1, "probability": "1/2"}, [0] * 6),
    ("ai_race", {"variant": "dynamic"}, ["UNSAFE", "SAFE"]),
    ("attention", {"outcomes": "drawn"}, ["ask"] * 10),
]


@pytest.mark.parametrize(("kind", "parameters", "joint"), LUCKY, ids=lambda x: str(x)[:60])
def test_the_seed_decides_the_luck_and_nothing_else_does(kind, parameters, joint):
    game = get(kind, **parameters)
    rolled = [game.rollout([joint] * 12, seed=seed) for seed in (1, 1, *range(2, 12))]
    assert rolled[0].payoffs == rolled[1].payoffs and rolled[0].states == rolled[1].states
    assert len({r.states + r.payoffs for r in rolled}) > 1


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_equal_mechanisms_stay_equal_whatever_was_worked_out_of_them(kind):
    one, other = MECHANISMS.parse({"kind": kind}), MECHANISMS.parse({"kind": kind})
    for game in (one, other):
        game.batch(game.initial_state(), np.zeros((2, game.agents), dtype=np.int64), Noise(1, 1))
    assert one == other and hash(one) == hash(other) and len({one, other}) == 1
    assert one not in (object(), MECHANISMS.parse({"kind": "public_goods", "agents": 3}))


def test_asking_for_more_leaves_the_luck_of_the_others_alone():
    """Unit by unit, with enough for all others: what they get does not depend on what agent 0 asks for."""
    for seed in range(20):
        grants = [ration((mine, 3, 4, 5), 12, "random_order", Noise(seed, 1)) for mine in (0, 2, 9)]
        order = [sorted(range(4), key=lambda i: Noise(seed, 1).bits("lot", str(i)))] * 3
        for mine, granted, seats in zip((0, 2, 9), grants, order, strict=True):
            left, expected = 12, [0] * 4
            for seat in seats:
                expected[seat] = min((mine, 3, 4, 5)[seat], left)
                left -= expected[seat]
            assert list(granted) == expected


def test_the_growth_of_a_round_is_the_same_whatever_is_taken():
    """One seed, one factor: 40 left and 20 left grow in the same proportion."""
    game = get("common_pool", agents=1, capacity=1000, stock=400, growth={"kind": "stochastic"})
    for seed in range(10):
        more, less = game.play([0], seed=seed), game.play([200], seed=seed)
        assert abs(more.stock_after - 2 * less.stock_after) <= 1


def test_human_answers_are_drawn_for_each_asker_by_its_own_lot():
    game = get("attention", agents=4, slots=4, outcomes="drawn")
    for seed in range(20):
        all_ask, three = game.play(["ask"] * 4, seed=seed), game.play(["noop", "ask", "ask", "ask"], seed=seed)
        assert all_ask.payoffs[1:] == three.payoffs[1:]


def test_the_state_of_a_collapsed_pool_stays_as_it_is():
    dead = Pool(0, collapsed=True)
    step = CommonPool().step(dead, (0,) * 5, Noise(1, 2))
    assert (step.state, step.payoffs, step.over, step.collapsed) == (dead, (0,) * 5, True, False)
    assert CommonPool().space(dead, 0).grid() == (0,)


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("common_pol", {}, "did you mean 'common_pool'"),
        ("common_pool", {"capcity": 3}, "did you mean 'capacity'"),
        ("common_pool", {"stock": 200}, "does not fit a capacity"),
        ("public_goods", {"mpcr": 1, "multiplier": 2}, "not both"),
        ("matrix_game", {"preset": "chicken", "trps": [1, 2, 3, 4]}, "give one of"),
        ("matrix_game", {"options": ["a", "b", "c"]}, "need a table"),
        ("matrix_game", {"by_others": [[1], [2]]}, "has 2 payoffs per option"),
        ("volunteers_dilemma", {"cost": 10}, "less than the benefit"),
        ("shared_compute", {"cost": 1}, "nobody would send any"),
        ("congestion", {"closed": ["9-9"]}, "no edge '9-9'"),
        ("congestion", {"closed": ["0-1", "0-2"]}, "no open route"),
        (
            "congestion",
            {"edges": [{"start": "a", "end": "b", "latency": {"kind": "constant", "a": 1}}]},
            "needs 'trips'",
        ),
        ("constitution", {"weights": [1, 2]}, "give 5 weights"),
        ("constitution", {"pie": 1, "unit": "2/3"}, "multiple of the unit"),
        ("constitution", {"quota": 9}, "out of reach: all agents together have 5 votes"),
        ("common_pool", {"priority": [0, 1]}, "under 'rationing: priority' only"),
        ("common_pool", {"rationing": "priority", "priority": [0, 1, 1, 2, 3]}, "each of the seats 0 to 4 once"),
    ],
)
def test_wrong_parameters_are_explained(kind, parameters, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        get(kind, **parameters)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"n": 8}, "no parameter 'n'; did you mean 'agents'?"),
        ({"K": 8}, "no parameter 'K'; did you mean 'capacity'?"),
        ({"agents": "eight"}, "agents: a whole number is needed here, not text"),
        ({"capacity": 0}, "capacity: must be at least 1"),
        ({"cost": "abc"}, "cost: 'abc' is not a number"),
        ({"bucket": {"size": 3, "refil": 1}}, "no parameter 'bucket.refil'; did you mean 'refill'?"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named_with_its_mend(parameters, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        get("shared_compute", **parameters)


def test_a_word_stands_for_a_law_of_growth_with_its_usual_numbers():
    assert get("common_pool", growth="logistic").play([10] * 5).stock_after == 75
    with pytest.raises(BadInput, match="no growth of kind 'doublin'; did you mean 'doubling'"):
        get("common_pool", growth="doublin")


THREE = [[[[0, 0, 0], [1, 1, 2]], [[1, 2, 1], [3, 0, 0]]], [[[2, 1, 1], [0, 3, 0]], [[0, 0, 3], ["1/2", "1/2", 0.5]]]]


def test_a_table_may_be_for_any_number_of_agents_and_options():
    game = get("matrix_game", table=THREE)
    assert (game.mechanism.agents, game.mechanism.symmetric) == (3, True)
    assert game.play(["D", "D", "D"]).payoffs == (F(1, 2),) * 3
    assert game.play(["C", "D", "D"]).payoffs == (3, 0, 0)
    assert game.ruler.equilibria.profiles == (("C", "C", "D"),)
    uneven = get("matrix_game", options=[["up", "down"], ["l", "m", "r"]], table=[[[1, 1], [0, 2], [3, 0]], [[0, 0], [2, 2], [1, 1]]])  # fmt: skip
    assert uneven.ruler.equilibria.profiles == (("down", "m"),)
    assert uneven.play(["up", "r"]).payoffs == (3, 0)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"table": [[[1, 1], [0, 2], [3, 0]], [[0, 0], [2, 2]]]}, "rows of a table have different lengths"),
        ({"agents": 3, "table": [[[1, 1], [0, 2]], [[0, 0], [2, 2]]]}, "has 2 x 2 x 2 cells, each with 3 payoffs; this one is 2 x 2 x 2"),
        ({"options": ["a", "b", "c"], "table": [[[1, 1], [0, 2]], [[0, 0], [2, 2]]]}, "has 3 x 3 cells"),
        ({"table": [[["x", 1], [0, 2]], [[0, 0], [2, 2]]]}, "table: 'x' is not a number"),
        ({"options": ["a", "a"]}, "two options have the same word"),
    ],
    ids=lambda x: str(x)[:40],
)  # fmt: skip
def test_a_table_of_the_wrong_shape_is_explained(parameters, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        get("matrix_game", **parameters)


@given(parts=st.integers(1, 6), units=st.integers(0, 12), data=st.data())
@settings(deadline=None, max_examples=60)
def test_divisions_are_numbered_in_lexicographic_order(parts, units, data):
    space = Division(total=F(units, 2), parts=parts, step=F(1, 2))
    listed = space.grid() if units < 8 else ()
    assert [space.encode(division) for division in listed] == list(range(len(listed)))
    code = data.draw(st.integers(0, comb(units + parts - 1, parts - 1) - 1))
    assert space.contains(space.decode(code)) and space.encode(space.decode(code)) == code


def test_few_divisions_are_listed_in_the_answers_schema_and_hosted_providers_get_the_plain_one():
    few = Division(total=90, parts=3, step=15, unit="points")
    shape = few.answer_schema()
    assert len(shape["enum"]) == comb(8, 2) and [30, 45, 15] in shape["enum"]
    assert all(few.contains(tuple(division)) for division in shape["enum"])
    assert "in steps of 15" in few.describe()
    assert "enum" not in portable({"type": "object", "properties": {"action": shape}})["properties"]["action"]
    assert "enum" in full({"type": "object", "properties": {"action": shape}})["properties"]["action"]
    assert "enum" not in Division(total=90, parts=3).answer_schema()
