"""Collective metrics: functions from an episode to a number with a unit. One file a family.

>>> from society.core.record import Record, RoundRecord
>>> one = RoundRecord(round=1, executed=(1, 3), payoffs=(1, 3), material=(1, 3))
>>> METRICS["gini"](Record(agents=2, horizon=1, rounds=(one,))).value
Fraction(1, 4)
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from society.core.record import Record
from society.core.registry import load_entry_points
from society.metrics.measure import DECLARED, Measured, Metric, Reference, metric
from society.metrics.rates import Rate, survival_rate, wilson

__all__ = [
    "HEADLINES",
    "METRICS",
    "Measured",
    "Metric",
    "Rate",
    "Reference",
    "measure_all",
    "metric",
    "survival_rate",
    "wilson",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
load_entry_points("society.metrics")

METRICS: Mapping[str, Metric] = MappingProxyType(DECLARED)
"""Every metric by its name, found by being there."""


HEADLINES = ("total_welfare", "welfare_efficiency", "survival", "gini", "over_use", "defaulted_share")
"""The metrics a run is told by where there is room for a few."""


def measure_all(record: Record, reference: Reference | None = None) -> dict[str, Measured]:
    """Every metric of one episode, by name. For the values without defaulted decisions, hand in
    ``record.without_defaulted()``.
    """
    return {name: METRICS[name](record, reference) for name in sorted(METRICS)}
