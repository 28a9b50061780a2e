"""Statistics: against scipy, against enumeration by hand, and in small samples."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from society.analysis.statistics import (
    bca_interval,
    cliffs_delta,
    compare,
    hedges_g,
    holm,
    mean_interval,
    permutation_test,
    sign_flip_test,
    survival_curve,
    wilson,
)

SAMPLE = [3.1, 4.7, 2.2, 8.9, 5.5, 6.1, 4.4, 12.0]
small = st.lists(st.integers(-5, 5), min_size=2, max_size=7)


def test_the_t_interval_is_scipys():
    ours = mean_interval(SAMPLE)
    theirs = stats.t.interval(0.95, len(SAMPLE) - 1, np.mean(SAMPLE), stats.sem(SAMPLE))
    assert (ours.low, ours.high) == pytest.approx(theirs)
    assert mean_interval([4]).low is None and mean_interval([4]).value == 4


def test_the_bca_interval_is_close_to_scipys():
    ours = bca_interval(SAMPLE, resamples=9999, seed=1)
    theirs = stats.bootstrap((SAMPLE,), np.mean, method="BCa", rng=np.random.default_rng(2)).confidence_interval
    width = theirs.high - theirs.low
    assert abs(ours.low - theirs.low) < 0.05 * width and abs(ours.high - theirs.high) < 0.05 * width
    assert ours.method.startswith("BCa") and ours.low < ours.value < ours.high
    flat = bca_interval([2, 2, 2])
    assert (flat.low, flat.high) == (2, 2)


@given(small)
@settings(deadline=None)
def test_the_sign_flip_test_counts_every_flip(values):
    flips = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(values))
    ]
    assert sign_flip_test(values).p == pytest.approx(sum(f >= abs(sum(values)) for f in flips) / len(flips))


@given(small, small)
@settings(deadline=None)
def test_the_permutation_test_counts_every_division(a, b):
    pool, gap = a + b, abs(sum(a) / len(a) - sum(b) / len(b))
    hits = total = 0
    for chosen in itertools.combinations(range(len(pool)), len(a)):
        left = [pool[k] for k in chosen]
        right = [pool[k] for k in range(len(pool)) if k not in chosen]
        hits += abs(sum(left) / len(left) - sum(right) / len(right)) >= gap - 1e-9
        total += 1
    assert permutation_test(a, b).p == pytest.approx(hits / total)


def test_exact_tests_agree_with_scipy():
    gaps = [1.0, 2.5, -0.5, 3.0, 0.0, 1.5]
    theirs = stats.permutation_test((gaps,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_test(gaps).p == pytest.approx(theirs.pvalue)
    theirs = stats.permutation_test(
        (SAMPLE[:4], SAMPLE[4:]),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        n_resamples=np.inf,
        vectorized=True,
    )
    ours = permutation_test(SAMPLE[:4], SAMPLE[4:])
    assert ours.p == pytest.approx(theirs.pvalue) and ours.exact


def test_large_samples_are_drawn_at_random_and_p_is_never_zero():
    gaps = [1.0 + k / 100 for k in range(30)]
    found = sign_flip_test(gaps)
    assert not found.exact and found.p == pytest.approx(1 / 10_000)
    apart = permutation_test(range(20), range(100, 120))
    assert not apart.exact and apart.p == pytest.approx(1 / 10_000)


def test_holm_adjusts_step_by_step():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


def test_effect_sizes():
    assert cliffs_delta([1, 2, 3], [1, 2, 3]) == 0
    assert cliffs_delta([1, 2], [3, 4]) == 1 and cliffs_delta([1, 2], [2, 0]) == pytest.approx(-0.25)
    assert hedges_g([0, 2], [3, 5]) == pytest.approx(3 / math.sqrt(2) * (1 - 3 / 7))
    assert hedges_g([1, 1], [1, 1]) is None and hedges_g([1], [2, 3]) is None


def test_the_kaplan_meier_curve_by_hand():
    """Six runs: collapse at 2, 3, 3; watched to 3, 5, 5."""
    curve = survival_curve([2, 3, 3, 3, 5, 5], [True, True, True, False, False, False])
    assert [(s.time, s.at_risk, s.ended) for s in curve] == [(2, 6, 1), (3, 5, 2)]
    assert [s.share for s in curve] == pytest.approx([5 / 6, 5 / 6 * 3 / 5])
    theirs = stats.ecdf(stats.CensoredData(uncensored=[2, 3, 3], right=[3, 5, 5])).sf
    interval = theirs.confidence_interval(method="log-log")
    assert [s.low for s in curve] == pytest.approx(interval.low.probabilities[:2])
    assert [s.high for s in curve] == pytest.approx(interval.high.probabilities[:2])
    assert survival_curve([1], [True])[0].share == 0 and survival_curve([4, 4], [False, False]) == ()


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counts):
    successes, trials = counts
    theirs = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    ours = wilson(successes, trials)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_arms_with_common_seeds_are_paired_and_the_rest_is_counted():
    first = {seed: seed * 10 for seed in range(8)} | {99: 4}
    second = {seed: seed * 10 + 1 + seed % 2 for seed in range(8)} | {98: None}
    found = compare(first, second)
    assert found.paired and (found.runs, found.left_out) == (8, 2)
    assert found.difference.value == pytest.approx(1.5) and found.test.p == 2 / 2**8
    gaps = [1, 2] * 4
    assert found.effect == pytest.approx(np.mean(gaps) / np.std(gaps, ddof=1))
    assert found.detectable > 0 and found.note == ""


def test_arms_without_common_seeds_are_independent_samples():
    found = compare(dict(enumerate(SAMPLE[:4])), dict(enumerate(SAMPLE[4:], start=100)))
    theirs = stats.ttest_ind(SAMPLE[4:], SAMPLE[:4], equal_var=False).confidence_interval()
    assert not found.paired and (found.difference.low, found.difference.high) == pytest.approx(theirs)


def test_a_comparison_of_three_pairs_says_that_it_is_under_powered():
    found = compare({1: 1, 2: 2, 3: 3}, {1: 5, 2: 6, 3: 7})
    assert found.test.p == 0.25 and "under-powered" in found.note
    with pytest.raises(ValueError, match="no run"):
        compare({1: None}, {1: 2})
