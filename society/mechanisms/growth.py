"""How a renewable stock regrows: a closed set of laws, all on whole units."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from society.core.exact import Exact, Number
from society.core.seeds import Noise

LUCK_STEPS = 100
"""A random growth factor takes one of ``LUCK_STEPS + 1`` evenly spaced values, so that expectations stay exact."""


class _Growth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @property
    def random(self) -> bool:
        """Whether the noise of a round matters."""
        return False

    def luck(self, noise: Noise) -> int:
        """Which of the values the round's factor takes, 0..LUCK_STEPS; the middle one when growth is certain."""
        return LUCK_STEPS // 2

    def grown(self, left: int, capacity: int, luck: int = LUCK_STEPS // 2) -> int:
        """What `left` units have become after growth, rounded down to whole units and capped at the capacity."""
        return min(capacity, max(0, left + self.increase(left, capacity, luck) // 1))

    def increase(self, left: int, capacity: int, luck: int) -> int | Fraction:
        """The growth before rounding and capping."""
        return 0


class NoGrowth(_Growth):
    """What is left is left: an exhaustible resource."""

    kind: Literal["none"] = "none"


class Doubling(_Growth):
    """What is left is multiplied; the factor 2 doubles it [Piatti2024]_."""

    kind: Literal["doubling"] = "doubling"
    factor: Exact = Field(2, ge=0, le=1000)
    """stock after growth per unit left"""

    def increase(self, left: int, capacity: int, luck: int) -> int | Fraction:
        return left * (self.factor - 1)


class Logistic(_Growth):
    """Growth is slow near nothing and near the capacity: rate * left * (1 - left / capacity)."""

    kind: Literal["logistic"] = "logistic"
    rate: Exact = Field(1, ge=0, le=1000)
    """growth per unit left and round while the stock is small"""

    def increase(self, left: int, capacity: int, luck: int) -> int | Fraction:
        return self.rate * left * Fraction(capacity - left, capacity)


class Linear(_Growth):
    """The same number of units every round, however many are left."""

    kind: Literal["linear"] = "linear"
    amount: int = Field(10, ge=0, le=1_000_000)
    """units per round"""

    def increase(self, left: int, capacity: int, luck: int) -> int:
        return self.amount


class Stochastic(_Growth):
    """A factor that differs from round to round: uniform in factor - spread .. factor + spread, in 101 even steps."""

    kind: Literal["stochastic"] = "stochastic"
    factor: Exact = Field(2, ge=0, le=1000)
    """mean stock after growth per unit left"""
    spread: Exact = Field("1/2", ge=0, le=1000, validate_default=True)
    """largest deviation of the factor, up or down"""

    @property
    def random(self) -> bool:
        return self.spread != 0

    def luck(self, noise: Noise) -> int:
        return noise.below(LUCK_STEPS + 1, "growth")

    def increase(self, left: int, capacity: int, luck: int) -> int | Fraction:
        factor: Number = self.factor + self.spread * Fraction(2 * luck - LUCK_STEPS, LUCK_STEPS)
        return left * Fraction(factor) - left


def _growth_in_short(raw: Any) -> Any:  # Any: as it was written; what is no word is left for the model to judge
    """``logistic`` is short for ``{kind: logistic}``."""
    return {"kind": raw} if isinstance(raw, str) else raw


_Law: TypeAlias = Annotated[NoGrowth | Doubling | Logistic | Linear | Stochastic, Field(discriminator="kind")]
Word: TypeAlias = Literal["none", "doubling", "logistic", "linear", "stochastic"]
Growth: TypeAlias = Annotated[_Law, BeforeValidator(_growth_in_short, json_schema_input_type=_Law | Word)]
"""One of the laws, or its word alone for its usual numbers."""
