"""Comparing runs: the run is the unit, runs with the same seed are pairs, and every interval and test says its name.

intervals       how well a mean is known: t intervals, BCa bootstrap
permutation     exact where that is cheap, and right with ties; Holm's correction for several tests at once
effect_sizes    Hedges' g, Cliff's delta
comparison      two arms, paired by seed
survival        how long commons last, runs cut short included
"""

from society.analysis.statistics.comparison import Comparison, compare
from society.analysis.statistics.effect_sizes import cliffs_delta, hedges_g
from society.analysis.statistics.intervals import Interval, bca_interval, mean_interval
from society.analysis.statistics.permutation import Test, holm, permutation_test, sign_flip_test
from society.analysis.statistics.survival import Survival, survival_curve
from society.metrics.rates import Rate, wilson

__all__ = ["Comparison", "Interval", "Rate", "Survival", "Test", "bca_interval", "cliffs_delta", "compare", "hedges_g", "holm",
           "mean_interval", "permutation_test", "sign_flip_test", "survival_curve", "wilson"]  # fmt: skip
