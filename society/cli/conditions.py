"""Conditions on metrics, such as ``survival<12``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from society.core.errors import BadInput, did_you_mean
from society.core.exact import Number, parse_exact
from society.metrics import METRICS

_SHAPE = re.compile(r"\s*([a-z_0-9]+)\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*")
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """A metric, a relation and a number."""

    metric: str
    relation: str
    limit: Number

    def holds(self, value: Number | None) -> bool:
        """Whether it does; a metric that does not apply fulfils no condition."""
        return value is not None and _RELATIONS[self.relation](value, self.limit)

    def __str__(self) -> str:
        return f"{self.metric}{self.relation}{self.limit}"


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        BadInput: it has another shape, or names no metric.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise BadInput(f"--fail-on {text[:60]!r}: expected METRIC<X, such as survival<12")
    name, relation, number = shape.groups()
    if name not in METRICS:
        raise BadInput(
            f"--fail-on: no metric is called {name[:40]!r}{did_you_mean(name, METRICS)} (`society list metrics`)"
        )
    try:
        return Condition(name, relation, parse_exact(number))
    except ValueError as problem:
        raise BadInput(f"--fail-on {text[:60]!r}: {problem}") from None
