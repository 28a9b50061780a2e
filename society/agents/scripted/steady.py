"""Scripts that look at the commons and not at the others."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Literal

from pydantic import Field

from society.agents.scripted.script import Script, Sight
from society.core.actions import Action, Amount, Choice, Division
from society.core.errors import BadInput
from society.core.exact import Exact


class SteadyShare(Script):
    """The same part of what is there in every round: floor(fraction * top / step) steps.

    The default of 1/(2n) is each agent's part of the yield of a stock that doubles.
    """

    kind: Literal["steady_share"] = "steady_share"
    fraction: Exact | None = Field(None, ge=0, le=1)
    """part of the largest allowed amount; null: 1/(2n)"""

    def act(self, at: Sight) -> Action:
        space = at.space
        if not isinstance(space, Amount):
            raise BadInput("needs amounts to act with")
        part = (
            space.high * self.fraction
            if self.fraction is not None
            else space.high * Fraction(1, 2 * len(at.seen.names))
        )
        step = space.step
        return part if step is None else part // step * step


class Sustainable(Script):
    """The share that keeps the commons as it is, or cooperation where there is no stock. Expects the same of everybody."""

    kind: Literal["sustainable"] = "sustainable"

    def act(self, at: Sight) -> Action:
        share = at.game.share(at.state)
        return at.poles[0] if share is None else share

    def expects(self, at: Sight) -> tuple[Action | None, ...]:
        return (self.act(at),) * (len(at.seen.names) - 1)


class Greedy(Script):
    """As much as it may for itself: defection where the mechanism knows it, else the largest amount or the last option."""

    kind: Literal["greedy"] = "greedy"

    def act(self, at: Sight) -> Action:
        poles = at.game.poles(at.state)
        if poles is not None:
            return poles[1]
        if isinstance(at.space, Division):
            return tuple(at.space.total if seat == at.agent else 0 for seat in range(at.space.parts))
        return at.space.high if isinstance(at.space, Amount) else at.space.options[-1]

    def expects(self, at: Sight) -> tuple[Action | None, ...]:
        return (self.act(at),) * (len(at.seen.names) - 1)


class FreeRider(Script):
    """Leaves the common good to the others: always defection [Olson1965]_. Expects cooperation of them."""

    kind: Literal["free_rider"] = "free_rider"

    def act(self, at: Sight) -> Action:
        return at.poles[1]

    def expects(self, at: Sight) -> tuple[Action | None, ...]:
        return (at.poles[0],) * (len(at.seen.names) - 1)


class AlwaysSafe(Script):
    """The safe option in every round, of a race or wherever an option is called safe; else cooperation."""

    kind: Literal["always_safe"] = "always_safe"

    def act(self, at: Sight) -> Action:
        options = at.space.options if isinstance(at.space, Choice) else ()
        safe = [option for option in options if option.casefold() == "safe"]
        return safe[0] if safe else at.poles[0]


class Random(Script):
    """Any allowed action, on noise keyed by the run's seed, the round and the seat.

    Amounts (of a fine grid, at most 1001 of them) and words are equally likely; a total is cut at random places.
    """

    kind: Literal["random"] = "random"

    def act(self, at: Sight) -> Action:
        if isinstance(at.space, Division):
            return self._cut(at, at.space)
        grid = at.space.grid(1001)
        return grid[at.noise.below(len(grid), "scripted/random", at.agent)]

    def _cut(self, at: Sight, space: Division) -> Action:
        units = int(space.total // space.step)
        cuts = sorted(
            at.noise.below(units + 1, "scripted/random", (at.agent, place)) for place in range(space.parts - 1)
        )
        return tuple((high - low) * space.step for low, high in pairwise([0, *cuts, units]))
