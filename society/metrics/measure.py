"""What a metric is, and how it is declared.

A metric is one decorated function in any file of this room. It reads a `Record` (and, if it compares with what was
possible, a `Reference`) and gives a `Measured`. "Does not apply" is None, never 0.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from society.core.exact import Number, tidy
from society.core.record import Record


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value. A ratio keeps what was divided by what.

    Attributes:
        value: the number, or None where the metric does not apply.
        numerator: what was divided; None for what is no ratio.
        denominator: by what; kept even where it is 0 and the value therefore None.
    """

    value: Number | None
    numerator: Number | None = None
    denominator: Number | None = None


NOT_APPLICABLE = Measured(None)


@dataclass(frozen=True, slots=True)
class Reference:
    """What was possible in the whole episode, summed over rounds and agents; None: not known.

    Attributes:
        optimum: the largest welfare (W_opt).
        worst_equilibrium, best_equilibrium: welfare in the worst and best Nash equilibrium.
        baseline: the welfare that counts as 0 for welfare efficiency (W_ref); the worst equilibrium if None.
        sustainable_first: what all together may take in round 1 and still find the same stock (f(0)).
        lasting: whether the stock would live on if the last round were repeated for ever.
    """

    optimum: Number | None = None
    worst_equilibrium: Number | None = None
    best_equilibrium: Number | None = None
    baseline: Number | None = None
    sustainable_first: Number | None = None
    lasting: bool | None = None


Better = Literal["higher", "lower"] | None
Measure: TypeAlias = Callable[..., Measured]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named measure.

    Attributes:
        name: as in tables and on the command line.
        unit: what a 1 means, and the range.
        about: the first line of its docstring.
        source: key of `references.bib`, if it is somebody's.
        better: which direction a collective wants; None where neither is better by itself.
        compares: it needs a `Reference`.
    """

    name: str
    unit: str
    about: str
    function: Measure
    source: str | None = None
    better: Better = None
    compares: bool = False

    def __call__(self, record: Record, reference: Reference | None = None) -> Measured:
        """The metric of one episode; without a reference, what needs one is None."""
        if self.compares:
            return self.function(record, reference or Reference())
        return self.function(record)


DECLARED: dict[str, Metric] = {}


def metric(name: str, *, unit: str, source: str | None = None, better: Better = None) -> Callable[[Measure], Metric]:
    """Declare a function of a record, or of a record and a reference, as a metric.

    Raises:
        ValueError: the name is taken, or the function has no docstring to tell what it measures.
    """

    def declare(function: Measure) -> Metric:
        if name in DECLARED and DECLARED[name].function.__module__ != function.__module__:
            raise ValueError(f"two metrics are called {name!r}")
        if not function.__doc__:
            raise ValueError(f"metric {name!r} needs a docstring")
        made = Metric(
            name=name,
            unit=unit,
            about=function.__doc__.strip().splitlines()[0],
            function=function,
            source=source,
            better=better,
            compares=len(inspect.signature(function).parameters) > 1,
        )
        DECLARED[name] = made
        return made

    return declare


def ratio(numerator: Number, denominator: Number) -> Measured:
    """An exact quotient that keeps its parts; None where the denominator is 0."""
    if denominator == 0:
        return Measured(None, tidy(numerator), tidy(denominator))
    exact = not isinstance(numerator, float) and not isinstance(denominator, float)
    value = Fraction(numerator) / Fraction(denominator) if exact else numerator / denominator
    return Measured(tidy(value), tidy(numerator), tidy(denominator))
