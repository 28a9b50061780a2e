"""What may be done: sets of words, unions of intervals, for ever or while the stock is low."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Amount, Choice
from society.core.exact import Exact
from society.core.instrument import Moment
from society.core.limits import only, within
from society.core.mechanism import Mechanism, SpaceOf
from society.instruments.fines import Fined


class Restriction(Fined):
    """The same part of the action space for everybody it applies to [OesterleSharon2023]_.

    A restriction never raises the optimum. It raises the worst equilibrium only by removing an action that is used there.
    """

    kind: Literal["restriction"] = "restriction"
    source = ("OesterleSharon2023",)
    intervals: tuple[tuple[Exact | None, Exact | None], ...] | None = None
    """allowed amounts: closed intervals, null is open-ended; null: no limit"""
    options: tuple[str, ...] | None = None
    """allowed words; null: all"""
    forbidden: tuple[str, ...] = ()
    """words that are not allowed"""
    stock_below: Exact | None = Field(None, ge=0)
    """applies only while the stock is below this; null: always"""

    klass = "structural"
    invariant: ClassVar[str] = "Hard: no action outside what is allowed is executed, and payoffs are the mechanism's."

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        space = mechanism.space(mechanism.initial_state(), 0)
        rules: list[dict[str, Any]] = []
        if isinstance(space, Amount):
            low, high = space.low, space.high
            rules = [{"intervals": [(low, (low + high) // 2)]}, {"intervals": [(None, low + 1), (high - 1, None)]}]
        elif isinstance(space, Choice):
            rules = [{"options": space.options[:-1]}, {"forbidden": space.options[:1]}]
        soft = {"enforcement": "soft", "detection": "1/2", "fine": 2, "fine_per_unit": 1}
        return tuple(cls.model_validate(rule | more) for rule in rules for more in ({}, soft))

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        space = mechanism.space(mechanism.initial_state(), 0)
        if isinstance(space, Amount) and (self.options or self.forbidden):
            return "its actions are amounts; use 'intervals'"
        if isinstance(space, Choice):
            if self.intervals is not None:
                return "its actions are words; use 'options' or 'forbidden'"
            strange = sorted({*(self.options or ()), *self.forbidden} - set(space.options))
            if strange:
                return f"there is no action {strange[0]!r} (actions: {', '.join(space.options)})"
        if not isinstance(space, (Amount, Choice)):
            return "its actions are divisions"
        return None

    def restrict(self, at: Moment, memory: Any, agent: int, space: SpaceOf) -> SpaceOf | None:
        if self.stock_below is not None:
            stock = at.mechanism.observe(at.physical, agent).get("stock")
            if not isinstance(stock, (int, float, Fraction)) or stock >= self.stock_below:
                return None
        if isinstance(space, Choice):
            words = frozenset(space.options if self.options is None else self.options) - set(self.forbidden)
            return only(space, words)
        return None if self.intervals is None else within(space, self.intervals)
