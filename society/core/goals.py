"""What an agent wants, typed: a utility over what happened, and (in ``prompts/goals/``) a sentence for its prompt.

Every utility is written once, with operators that work on single numbers and on numpy columns alike, so that the analysis
can score thousands of counterfactual outcomes with the formula that scores the real one.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import Annotated, Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from society.core.arrays import np
from society.core.exact import Exact

Quantity = Literal["own_payoff", "welfare", "total", "stock_after"]

Value: TypeAlias = Any
"""A number, or a numpy column of numbers: whatever the outcome holds. Any, since no static type covers both."""


class Outcome(Protocol):
    """What a goal looks at; `Transition` and `RoundRecord` are outcomes, and so are columns of a batch."""

    @property
    def payoffs(self) -> Sequence[Value]: ...

    @property
    def total(self) -> Value: ...

    @property
    def stock_after(self) -> Value: ...


def least(values: Sequence[Value]) -> Value:
    """The smallest, column by column where the values are columns."""
    return reduce(lambda a, b: np.minimum(a, b) if hasattr(a, "__array_ufunc__") else min(a, b), values)


def above(value: Value) -> Value:
    """``max(value, 0)``, for numbers and columns."""
    return value * (value > 0)


def measure(outcome: Outcome, quantity: Quantity, agent: int) -> Value:
    """One measured quantity of an outcome.

    Raises:
        ValueError: the mechanism has no such quantity (a stock, a total).
    """
    if quantity == "own_payoff":
        return outcome.payoffs[agent]
    if quantity == "welfare":
        return sum(outcome.payoffs)
    value = outcome.total if quantity == "total" else outcome.stock_after
    if value is None:
        raise ValueError(f"this mechanism has no {quantity!r} to aim at")
    return value


class _Goal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @abstractmethod
    def utility(self, outcome: Outcome, agent: int) -> Value:
        """The score of one round's outcome for the agent in that seat."""

    @property
    def quantities(self) -> frozenset[Quantity]:
        """What the mechanism must measure for this goal to mean anything."""
        return frozenset()


class OwnPayoff(_Goal):
    """As much as possible for itself: r_i."""

    kind: Literal["own_payoff"] = "own_payoff"

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return outcome.payoffs[agent]


class GroupWelfare(_Goal):
    """As much as possible for all together: the sum of r_j."""

    kind: Literal["group_welfare"] = "group_welfare"

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return sum(outcome.payoffs)


class WorstOff(_Goal):
    """The worst-off agent as well off as possible: min r_j [Rawls1971]_."""

    kind: Literal["worst_off"] = "worst_off"

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return least(outcome.payoffs)


class Target(_Goal):
    """A measured quantity as close to a value as possible: -|y - value|."""

    kind: Literal["target"] = "target"
    quantity: Quantity
    """which quantity of a round: own payoff, welfare (all payoffs), total (taken or given), stock after"""
    value: Exact
    """what it should be, in the units of that quantity"""

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return -abs(measure(outcome, self.quantity, agent) - self.value)

    @property
    def quantities(self) -> frozenset[Quantity]:
        return frozenset({self.quantity})


class Threshold(_Goal):
    """A measured quantity at or above a value: 1 if it is, else 0. Coarse, still exact."""

    kind: Literal["threshold"] = "threshold"
    quantity: Quantity
    """which quantity of a round: own payoff, welfare (all payoffs), total (taken or given), stock after"""
    at_least: Exact
    """the threshold, in the units of that quantity"""

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return 1 * (measure(outcome, self.quantity, agent) >= self.at_least)

    @property
    def quantities(self) -> frozenset[Quantity]:
        return frozenset({self.quantity})


class Sustain(_Goal):
    """The stock that is left for the next round at or above a value: 1 if it is, else 0."""

    kind: Literal["sustain"] = "sustain"
    at_least: Exact
    """the threshold, in units of the stock"""

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return 1 * (measure(outcome, "stock_after", agent) >= self.at_least)

    @property
    def quantities(self) -> frozenset[Quantity]:
        return frozenset({"stock_after"})


class InequityAversion(_Goal):
    """Own payoff, less for envy and for guilt [FehrSchmidt1999]_.

    r_i - alpha/(n-1) * sum max(r_j - r_i, 0) - beta/(n-1) * sum max(r_i - r_j, 0). Alone in the world: r_i.
    """

    kind: Literal["inequity_aversion"] = "inequity_aversion"
    alpha: Exact = Field(1, ge=0)
    """weight of being behind others"""
    beta: Exact = Field("1/4", ge=0, validate_default=True)
    """weight of being ahead of others"""

    def utility(self, outcome: Outcome, agent: int) -> Value:
        own = outcome.payoffs[agent]
        others = [payoff for other, payoff in enumerate(outcome.payoffs) if other != agent]
        if not others:
            return own
        envy = sum(above(payoff - own) for payoff in others)
        guilt = sum(above(own - payoff) for payoff in others)
        return own - _over(self.alpha * envy + self.beta * guilt, len(others))


class SocialValueOrientation(_Goal):
    """Own payoff and the mean payoff of the others, weighed by an angle: cos(a) r_i + sin(a) mean r_-i [Griesinger1973]_.

    0 degrees is selfish, 45 weighs both alike, 90 is altruistic, negative angles are competitive.
    """

    kind: Literal["social_value_orientation"] = "social_value_orientation"
    degrees: float = Field(ge=-90, le=90, allow_inf_nan=False)
    """the angle between caring for oneself (0) and for the others (90)"""

    def utility(self, outcome: Outcome, agent: int) -> Value:
        angle = math.radians(self.degrees)
        return math.cos(angle) * outcome.payoffs[agent] + math.sin(angle) * _mean_of_others(outcome, agent)


class RelativePayoff(_Goal):
    """To be ahead: own payoff minus the mean payoff of the others. Alone in the world: 0."""

    kind: Literal["relative_payoff"] = "relative_payoff"

    def utility(self, outcome: Outcome, agent: int) -> Value:
        if len(outcome.payoffs) == 1:
            return 0 * outcome.payoffs[agent]
        return outcome.payoffs[agent] - _mean_of_others(outcome, agent)


class Part(BaseModel):
    """One goal in a mix, and how much it counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    weight: Exact
    """what one unit of the goal's utility counts"""
    goal: Goal
    """one goal of the mix"""


class Weighted(_Goal):
    """A weighted sum of goals."""

    kind: Literal["weighted"] = "weighted"
    parts: tuple[Part, ...] = Field(min_length=1)
    """the goals and their weights"""

    def utility(self, outcome: Outcome, agent: int) -> Value:
        return sum(part.weight * part.goal.utility(outcome, agent) for part in self.parts)

    @property
    def quantities(self) -> frozenset[Quantity]:
        return frozenset().union(*(part.goal.quantities for part in self.parts))


Goal: TypeAlias = Annotated[
    OwnPayoff
    | GroupWelfare
    | WorstOff
    | Target
    | Threshold
    | Sustain
    | InequityAversion
    | SocialValueOrientation
    | RelativePayoff
    | Weighted,
    Field(discriminator="kind"),
]
"""The closed union of goals."""

Part.model_rebuild()
Weighted.model_rebuild()


def _mean_of_others(outcome: Outcome, agent: int) -> Value:
    others = [payoff for other, payoff in enumerate(outcome.payoffs) if other != agent]
    return _over(sum(others), len(others)) if others else 0


def _over(value: Value, n: int) -> Value:
    """Value / n, exactly where value is exact."""
    return value * Fraction(1, n) if not isinstance(value, (float, np.floating, np.ndarray)) else value / n
