"""Collective metrics: worked numbers, edge cases, and what must hold for any episode."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from society.core.record import Record, RoundRecord
from society.metrics import METRICS, Reference, measure_all, survival_rate, wilson


def episode(rewards, *, horizon=None, **columns):
    """A record from rewards per round; further columns give one value a round."""
    rounds = tuple(
        RoundRecord(
            round=number,
            executed=tuple(row),
            payoffs=tuple(row),
            material=tuple(row),
            **{name: values[number - 1] for name, values in columns.items()},
        )
        for number, row in enumerate(rewards, start=1)
    )
    return Record(agents=len(rewards[0]), horizon=horizon or len(rewards), rounds=rounds)


def fishery(requests, *, horizon):
    """Five agents on a lake of 100 that doubles; below 5 it is dead. Requests never exceed the stock here."""
    stock, rounds = 100, []
    for number, row in enumerate(requests, start=1):
        left = stock - sum(row)
        collapsed = left < 5
        after = 0 if collapsed else min(100, 2 * left)
        rounds.append(
            RoundRecord(
                round=number,
                executed=tuple(row),
                payoffs=tuple(row),
                material=tuple(row),
                granted=tuple(row),
                total=sum(row),
                stock_before=stock,
                stock_after=after,
                collapsed=collapsed,
                share=stock // 2 // 5,
            )
        )
        stock = after
        if collapsed:
            break
    return Record(agents=5, horizon=horizon, rounds=tuple(rounds))


def value(name, record, reference=None):
    return METRICS[name](record, reference).value


def test_the_worked_example_of_three_agents_and_four_rounds():
    record = episode([[1, 0, 2], [0, 3, 2], [2, 1, 0], [0, 0, 0]])
    assert METRICS["efficiency"](record).value == Fraction(11, 4)
    assert value("gini", record) == Fraction(2, 33)
    assert value("equality", record) == Fraction(31, 33)
    assert value("sustainability", record) == 2
    assert value("never_rewarded", record) == 0
    assert value("mean_absolute_difference", record) == Fraction(2, 3)
    assert (METRICS["gini"](record).numerator, METRICS["gini"](record).denominator) == (4, 66)


@pytest.mark.parametrize(
    ("requests", "horizon", "m", "gains", "u", "e", "o"),
    [
        pytest.param([[10] * 5] * 12, 12, 12, [120] * 5, 1, 1, 0, id="10 each for a year"),
        pytest.param([[20] * 5], 12, 1, [20] * 5, Fraction(1, 6), 1, 1, id="20 each at once"),
        pytest.param([[11] * 5] * 3 + [[6] * 5], 12, 4, [39] * 5, Fraction(13, 40), 1, 1, id="a little too much"),
        pytest.param([[19] * 5], 1, 1, [19] * 5, 1, 1, 1, id="five are left: not collapsed"),
        pytest.param(
            [[10, 10, 10, 10, 30], [6, 6, 6, 8, 12], [8, 8, 8, 8, 12]],
            3,
            3,
            [24, 24, 24, 26, 54],
            1,
            Fraction(159, 190),
            Fraction(8, 15),
            id="one takes triple",
        ),
    ],
)
def test_scripted_runs_of_the_renewable_commons(requests, horizon, m, gains, u, e, o):
    record = fishery(requests, horizon=horizon)
    assert list(record.gains) == gains
    assert value("survival", record) == m
    assert value("govsim_efficiency", record) == u
    assert value("equality", record) == e
    assert value("over_use", record) == o


def test_a_run_cut_short_has_no_survival_time_and_does_not_enter_the_rate():
    cut = fishery([[10] * 5] * 3, horizon=12)
    assert value("survival", cut) is None
    rate = survival_rate([cut, fishery([[20] * 5], horizon=12), fishery([[10] * 5] * 12, horizon=12)])
    assert (rate.value, rate.successes, rate.trials, rate.left_out) == (Fraction(1, 2), 1, 2, 1)


def test_losses_have_no_gini_but_a_mean_difference():
    record = episode([[-1, 3]])
    for name in ("gini", "equality", "resource_hhi"):
        assert value(name, record) is None
    assert value("mean_absolute_difference", record) == 4


def test_nothing_earned_means_no_ratio_and_the_denominator_is_kept():
    record = episode([[0, 0, 0]])
    for name in ("gini", "equality", "resource_hhi", "sustainability"):
        measured = METRICS[name](record)
        assert measured.value is None and measured.denominator == 0
    assert value("never_rewarded", record) == 3


def test_one_agent_has_no_difference_to_anybody():
    assert value("mean_absolute_difference", episode([[4]])) is None
    assert value("gini", episode([[4]])) == 0


def test_an_agent_that_never_got_anything_is_left_out_of_the_mean_time():
    record = episode([[1, 0], [1, 0], [1, 0]])
    assert (value("sustainability", record), value("never_rewarded", record)) == (2, 1)


def test_concentration_of_one_quarter_and_three_quarters():
    assert value("resource_hhi", episode([[1, 3]])) == Fraction(10, 16)


def test_peace_counts_the_unsanctioned_and_is_none_where_nothing_sanctions():
    quiet = episode([[1, 1, 1]] * 4)
    assert value("peace", quiet) is None
    hit = episode([[1, 1, 1]] * 2, sanctioned=[(True, False, False), (True, True, False)])
    assert value("peace", hit) == Fraction(3, 2)
    calm = episode([[1, 1, 1]] * 2, sanctioned=[(False,) * 3] * 2)
    assert value("peace", calm) == 3


def test_a_mechanism_without_stock_has_no_survival_and_no_over_use():
    record = episode([[1, 2]])
    for name in ("survival", "over_use", "govsim_efficiency"):
        assert value(name, record) is None


@pytest.mark.parametrize(
    ("reference", "efficiency", "anarchy", "stability", "empirical"),
    [
        pytest.param(Reference(), None, None, None, None, id="nothing known"),
        pytest.param(
            Reference(optimum=10, worst_equilibrium=2, best_equilibrium=5),
            Fraction(1, 4),
            5,
            2,
            Fraction(5, 2),
            id="payoffs",
        ),
        pytest.param(Reference(optimum=4, worst_equilibrium=4), None, 1, None, 1, id="no dilemma"),
        pytest.param(Reference(optimum=6, worst_equilibrium=0), Fraction(2, 3), None, None, Fraction(3, 2), id="zero"),
        pytest.param(Reference(optimum=6, worst_equilibrium=2, baseline=3), Fraction(1, 3), 3, None, Fraction(3, 2)),
    ],
)
def test_comparison_with_what_was_possible(reference, efficiency, anarchy, stability, empirical):
    record = episode([[1, 3]])
    assert value("welfare_efficiency", record, reference) == efficiency
    assert value("price_of_anarchy", record, reference) == anarchy
    assert value("price_of_stability", record, reference) == stability
    assert value("empirical_price_of_anarchy", record, reference) == empirical


def test_costs_are_compared_the_other_way_round():
    """Braess: 17 minutes each with the shortcut open, 15 when it is closed."""
    record = episode([[-17, -17]])
    reference = Reference(optimum=-30, worst_equilibrium=-34, best_equilibrium=-34)
    assert value("price_of_anarchy", record, reference) == Fraction(17, 15)
    assert value("empirical_price_of_anarchy", record, reference) == Fraction(17, 15)
    assert value("welfare_efficiency", record, reference) == 0


def test_without_defaulted_decisions_their_payoffs_count_for_nobody():
    record = episode(
        [[2, 2], [2, 4]], defaulted=[(False, True), (False, False)], granted=[(2, 2), (2, 4)], share=[2, 2]
    )
    own = record.without_defaulted()
    assert record.gains == (4, 6) and own.gains == (4, 4)
    assert value("defaulted_share", record) == value("defaulted_share", own) == Fraction(1, 4)
    assert value("equality", record) == Fraction(9, 10) and value("equality", own) == 1
    assert METRICS["over_use"](record).denominator == 4 and METRICS["over_use"](own).denominator == 3
    assert value("sustainability", record) == Fraction(3, 2) and value("sustainability", own) == Fraction(7, 4)


def test_without_defaulted_decisions_a_sanction_for_one_does_not_count():
    record = episode([[1, 1]], defaulted=[(True, False)], sanctioned=[(True, False)])
    assert value("peace", record) == 1 and value("peace", record.without_defaulted()) == 2


def test_wilson_interval_of_the_textbook():
    """Eight of ten, 95%: 0.4902 to 0.9433 by the score formula."""
    rate = wilson(8, 10)
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.4902, 0.9433)
    assert wilson(0, 10).low == 0 and wilson(10, 10).high == 1
    assert wilson(0, 0).value is None
    with pytest.raises(ValueError, match="3 successes in 2"):
        wilson(3, 2)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_says_what_it_is_and_in_what_unit(name):
    metric = METRICS[name]
    assert metric.about and metric.unit
    assert metric.name == name == name.lower()


rows = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.fractions(-5, 9, max_denominator=6), min_size=n, max_size=n), min_size=1, max_size=5)
)


@given(rows)
def test_metrics_are_exact_and_blind_to_who_is_who(rewards):
    record = episode(rewards)
    mirrored = episode([row[::-1] for row in rewards])
    ours, theirs = measure_all(record, Reference(optimum=7, worst_equilibrium=1)), measure_all(mirrored)
    for name, measured in ours.items():
        assert not isinstance(measured.value, float)
        if not METRICS[name].compares:
            assert measured.value == theirs[name].value
        if measured.value is not None and measured.denominator:
            assert measured.value == Fraction(measured.numerator) / measured.denominator


@given(rows.map(lambda rewards: [[abs(x) for x in row] for row in rewards]))
def test_equality_and_gini_lie_in_their_range_and_add_up_to_one(rewards):
    record = episode(rewards)
    gini, n = value("gini", record), record.agents
    if gini is None:
        assert sum(record.gains) == 0
        return
    assert 0 <= gini <= Fraction(n - 1, n)
    assert gini + value("equality", record) == 1
    ordered = sorted(record.gains)
    assert gini == sum((2 * k - n - 1) * gain for k, gain in enumerate(ordered, 1)) / (n * sum(ordered))
    assert Fraction(1, n) <= value("resource_hhi", record) <= 1
