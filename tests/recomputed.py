"""A comparison computed again from the values of its runs alone, by scipy and statsmodels, and set beside what was told.

Nothing of the project is used here, so that what agrees agrees with others.
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from scipy import stats

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages it brings
    from statsmodels.duration.survfunc import SurvfuncRight
    from statsmodels.stats.meta_analysis import effectsize_smd
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportion_confint
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

Row = dict[str, Any]


@dataclass(frozen=True)
class Value:
    """The value of one run; None where the metric does not apply."""

    seed: int
    value: float | None


Arms = Mapping[str, Sequence[Value]]
"""By the title of an arm, the values of its finished and valid runs."""


def read(file: Path) -> list[Row]:
    """The rows of a table that was exported."""
    if file.suffix == ".csv":
        return polars.read_csv(file, infer_schema_length=None).rows(named=True)
    return (polars.read_parquet(file) if file.suffix == ".parquet" else polars.read_ndjson(file)).rows(named=True)


def units_of(runs: Sequence[Value], by_seed: bool) -> dict[Any, float]:
    """What enters the statistics: the mean of the runs of each seed, or each run."""
    together = defaultdict(list)
    for place, run in enumerate(runs):
        if run.value is not None:
            together[run.seed if by_seed else place].append(run.value)
    return {unit: sum(values) / len(values) for unit, values in together.items()}


def check(arms: Arms, against: Mapping[str, str], told: Mapping[str, Row]) -> None:
    """Every number of one metric, as `sweep -o` and `compare -o` write them, by the title of its arm."""
    by_seed = len({run.seed for runs in arms.values() for run in runs}) > 1
    units = {title: units_of(runs, by_seed) for title, runs in arms.items()}
    assert set(told) == set(arms)
    compared: list[str] = []
    for title, row in told.items():
        sample = np.array(list(units[title].values()))
        assert (row["runs"], row["units"], row["unit_is"]) == (
            len(arms[title]),
            len(sample),
            "seed" if by_seed else "run",
        )
        check_mean(sample, row)
        other = units[against[title]] if title in against else {}
        if not len(sample) or not other:
            assert all(
                row[name] is None for name in ("difference", "difference_low", "p", "p_holm", "effect", "paired")
            )
            continue
        compared.append(title)
        common = [unit for unit in units[title] if unit in other]
        several = max(len(arms[title]), len(arms[against[title]])) > 1  # which is paired with which would be arbitrary
        if common and (by_seed or not several):
            assert row["paired"] and row["compared"] == len(common)
            check_paired(
                np.array([other[unit] for unit in common]), np.array([units[title][unit] for unit in common]), row
            )
        else:
            assert not row["paired"] and row["compared"] == len(sample) + len(other)
            check_independent(np.array(list(other.values())), sample, row)
    if compared:
        corrected = multipletests([told[title]["p"] for title in compared], method="holm")[1]
        assert [told[title]["p_holm"] for title in compared] == pytest.approx(list(corrected))


def check_mean(sample: np.ndarray, row: Row) -> None:
    """The mean of an arm with its t and its BCa interval."""
    if not len(sample):
        assert row["mean"] is None and row["mean_low"] is None and row["bca_low"] is None
        return
    size = np.abs(sample).max()
    assert row["mean"] == near(sample.mean(), size)
    check_t(sample, row["mean_low"], row["mean_high"], size)
    check_bca(sample, row["bca_low"], row["bca_high"], size)


def check_t(sample: np.ndarray, low: float | None, high: float | None, size: float) -> None:
    if len(sample) < 2:
        assert low is None and high is None
        return
    assert (low, high) == near(DescrStatsW(sample).tconfint_mean(0.05), size)


GRID = 8.12345677013e10
"""No round number: on a decimal grid halves of 64 lie between two points, and sums that differ in their last bit would round apart."""


def rounded(sums: np.ndarray) -> np.ndarray:
    """Equal sums made equal, in whatever order they were added up."""
    return np.round(sums * GRID) / GRID


def check_bca(sample: np.ndarray, low: float | None, high: float | None, size: float) -> None:
    if len(sample) < 2:
        assert low is None and high is None
        return
    if np.ptp(sample) <= 1e-9 * size:
        assert (low, high) == near((sample.mean(), sample.mean()), size)
        return
    found = stats.bootstrap(
        (np.sort(sample) / size,),
        lambda x, axis: rounded(np.mean(x, axis=axis)),
        n_resamples=9999,
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    ends = found.confidence_interval
    assert (low, high) == near((ends.low * size, ends.high * size), size)


def check_paired(first: np.ndarray, second: np.ndarray, row: Row) -> None:
    """A difference between pairs."""
    size, gaps = max(np.abs(first).max(), np.abs(second).max()), second - first
    gaps[np.abs(gaps) <= 1e-12 * size] = 0  # what rounding makes of equal values
    assert row["difference"] == near(gaps.mean(), size)
    check_t(gaps, row["difference_low"], row["difference_high"], size)
    check_bca(gaps, row["difference_bca_low"], row["difference_bca_high"], size)
    exact = len(gaps) <= 16
    assert (row["exact"], row["test"]) == (exact, "sign-flip test")
    assert row["smallest_p"] == pytest.approx(min(1, 2 ** (1 - len(gaps))) if exact else 1e-4)
    check_p(gaps_permuted(gaps, exact), row)
    spread = gaps.std(ddof=1) if len(gaps) > 1 and np.ptp(gaps) > 1e-9 * size else 0.0
    if not spread:
        assert row["effect"] is None and row["detectable"] is None
        return
    assert row["effect"] == pytest.approx(gaps.mean() / spread, abs=1e-9)
    check_detectable(spread / math.sqrt(len(gaps)), len(gaps) - 1, row)


def check_independent(first: np.ndarray, second: np.ndarray, row: Row) -> None:
    """A difference between samples that share no seed."""
    size = max(np.abs(first).max(), np.abs(second).max())
    assert row["difference"] == near(second.mean() - first.mean(), size)
    count = math.comb(len(first) + len(second), len(first))
    exact = count <= 50_000
    assert (row["exact"], row["test"]) == (exact, "permutation test")
    check_p(split_anew(first, second, exact), row)
    assert row["difference_bca_low"] is None
    flat = all(np.ptp(one) <= 1e-9 * size for one in (first, second))
    if min(len(first), len(second)) < 2:
        assert (row["difference_low"], row["effect"], row["detectable"]) == (None, None, None)
    elif flat:
        assert row["difference_low"] == row["difference_high"] == near(row["difference"], size)
        assert row["effect"] is None and row["detectable"] is None
    else:
        welch = CompareMeans(DescrStatsW(second), DescrStatsW(first))
        assert (row["difference_low"], row["difference_high"]) == near(
            welch.tconfint_diff(0.05, usevar="unequal"), size
        )
        sides = [(one.mean(), one.std(ddof=1), len(one)) for one in (second, first)]
        assert row["effect"] == pytest.approx(effectsize_smd(*sides[0], *sides[1])[0], abs=1e-9)
        check_detectable(welch.std_meandiff_separatevar, welch.dof_satt(), row)


def check_detectable(error: float, free: float, row: Row) -> None:
    """The difference at which a two-sided t test at 5 % has a power of 80 %, its statistic taken as shifted."""
    if free < 1:
        assert row["detectable"] is None
        return
    assert row["detectable"] == pytest.approx((stats.t.isf(0.025, free) + stats.t.isf(0.2, free)) * error)


def gaps_permuted(gaps: np.ndarray, exact: bool) -> float:
    """All flips of signs, or many: how often the mean is as far from 0."""
    how = {"n_resamples": np.inf} if exact else {"n_resamples": 9999, "rng": np.random.default_rng(1)}
    if len(gaps) == 1:
        return 1.0  # both flips of one difference are as far
    scaled = gaps / max(np.abs(gaps).max(), 1e-300)
    found = stats.permutation_test(
        (scaled,), lambda x, axis: rounded(np.abs(np.mean(x, axis=axis))), permutation_type="samples",
        alternative="greater", vectorized=True, batch=2000, **how,
    )  # fmt: skip
    return float(found.pvalue)


def split_anew(first: np.ndarray, second: np.ndarray, exact: bool) -> float:
    """All divisions of the values, or many: how often the means are as far apart."""
    how = {"n_resamples": np.inf} if exact else {"n_resamples": 9999, "rng": np.random.default_rng(1)}
    size = max(np.abs(first).max(), np.abs(second).max(), 1e-300)
    if min(len(first), len(second)) == 1:  # scipy refuses; there is one value, and each could have been it
        every = np.concatenate([first, second]) / size
        gaps = np.array([abs(one - np.delete(every, k).mean()) for k, one in enumerate(every)])
        return float((gaps >= gaps[0 if len(first) == 1 else -1] - 1e-11).mean())
    found = stats.permutation_test(
        (first / size, second / size),
        lambda x, y, axis: rounded(np.abs(np.mean(x, axis=axis) - np.mean(y, axis=axis))),
        alternative="greater", vectorized=True, batch=2000, **how,
    )  # fmt: skip
    return float(found.pvalue)


def check_p(theirs: float, row: Row) -> None:
    """Equal where all arrangements were looked at; else as close as two random samples of them are."""
    slack = 1e-9 if row["exact"] else 2e-4 + 6 * math.sqrt(2 * theirs * (1 - theirs) / 9999)
    assert row["p"] == pytest.approx(theirs, abs=slack)


def check_survival(lives: Sequence[tuple[int, bool]], told: Row) -> None:
    """How many commons lived how long, as `--json` tells it: from how many rounds each lived, and whether it died then."""
    times, died = [time for time, _ in lives], [int(dead) for _, dead in lives]
    alive = told["alive"]
    assert (alive["successes"], alive["trials"]) == (len(died) - sum(died), len(died))
    low, high = proportion_confint(alive["successes"], alive["trials"], method="wilson")
    assert (alive["low"], alive["high"]) == pytest.approx((low, high), abs=1e-12)
    theirs = SurvfuncRight(times, died)
    assert [step["round"] for step in told["curve"]] == list(theirs.surv_times)
    assert [step["share"] for step in told["curve"]] == pytest.approx(list(theirs.surv_prob))
    assert [step["at_risk"] for step in told["curve"]] == list(theirs.n_risk)
    if not any(died):
        return
    data = stats.CensoredData(uncensored=[t for t, d in lives if d], right=[t for t, d in lives if not d])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where nobody or everybody is alive it says nothing
        ends = stats.ecdf(data).sf.confidence_interval(method="log-log")
    events = sorted({t for t, d in lives if d})
    every = sorted(set(times))
    for step in told["curve"]:
        place = every.index(events[events.index(step["round"])])
        if 0 < step["share"] < 1:
            assert (step["low"], step["high"]) == pytest.approx(
                (ends.low.probabilities[place], ends.high.probabilities[place])
            )


def near(value: Any, size: float) -> Any:
    """Equal but for rounding, for numbers that come from others of this size."""
    return pytest.approx(value, rel=1e-9, abs=1e-10 * size + 1e-300)
