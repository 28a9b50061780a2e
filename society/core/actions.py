"""What an agent may do.

An action is a plain value (a number, a word, a tuple of numbers); the *space* it comes from says what is allowed, how a
language model is asked for it (`answer_schema`), how an answer is read (`read`), and which values the rulers try (`grid`).

    Amount     how much: a number in one or more intervals, in steps of a size
    Choice     which: one word of a closed set
    Division   how to share: one number per agent, adding up to a total
    Route      which way: one path through a network

Reading is strict: a boolean, NaN, "1_0", a negative or fractional amount is never rounded into an action. What is plain
but not allowed (500 fish out of 100) raises `OutOfRange` with the nearest allowed value, so that the caller decides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from society.core.errors import OutOfRange, Unreadable
from society.core.exact import Exact, Json, Number, parse_exact, plain, show, tidy

Action: TypeAlias = int | Fraction | float | str | tuple[int | Fraction | float, ...]
Joint: TypeAlias = tuple[Action, ...]
"""One action per agent, in seat order."""

MAX_GRID = 200_000
MOST_LISTED = 32
"""Amounts with gaps, and divisions, are listed in an answer's schema up to this many: few servers enforce steps, none a sum."""


class _Space(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Amount(_Space):
    """A number: every multiple of `step` inside one of the closed `intervals`."""

    kind: Literal["amount"] = "amount"
    intervals: tuple[tuple[Exact, Exact], ...]
    """Disjoint closed intervals (low, high), ascending; empty when nothing is allowed."""
    step: Exact | None = 1
    """Allowed values are multiples of this; null means any number (a grid then needs `at_most`)."""
    unit: str = ""

    @classmethod
    def between(cls, low: Number, high: Number, *, step: Number | None = 1, unit: str = "") -> Amount:
        """The plain case: one interval. Spaces of the same kind are made once: rules ask for them millions of times."""
        return _between(low, high, step, unit)

    @property
    def low(self) -> int | Fraction:
        return self.intervals[0][0]

    @property
    def high(self) -> int | Fraction:
        return self.intervals[-1][1]

    def contains(self, action: Action) -> bool:
        if isinstance(action, (str, tuple, bool)):
            return False
        if self.step is not None and action % self.step != 0:
            return False
        if len(self.intervals) == 1:
            ((low, high),) = self.intervals
            return low <= action <= high
        return any(low <= action <= high for low, high in self.intervals)

    def grid(self, at_most: int | None = None) -> tuple[Number, ...]:
        """All allowed values, ascending; at most `at_most` of them, evenly spaced, when that is given.

        Raises:
            ValueError: for a continuous amount without `at_most`, or a grid above `MAX_GRID`.
        """
        values: list[Number] = []
        for low, high in self.intervals:
            step = self.step if self.step is not None else (high - low) / Fraction(max(1, (at_most or 1) - 1))
            if self.step is None and at_most is None:
                raise ValueError("a continuous amount has no grid; say how many points")
            if not step:
                values.append(low)
                continue
            first, last = -(-low // step), high // step
            if last - first >= MAX_GRID:
                raise ValueError(f"a grid of more than {MAX_GRID} amounts; use a larger step")
            if self.step is None:
                count = max(1, (at_most or 1) - 1)
                values.extend(tidy(low + step * k) for k in range(count + 1))
            else:
                values.extend(tidy(step * k) for k in range(first, last + 1))
        if at_most is not None and len(values) > at_most:
            last_place = len(values) - 1
            values = [values[round(k * last_place / (at_most - 1))] for k in range(at_most)]
        return tuple(values)

    def encode(self, action: Action) -> int:
        """The action as a whole number of steps, as batched rules take it."""
        assert self.step is not None and not isinstance(action, (str, tuple)), "only stepped amounts have codes"
        return int(action // self.step)

    def decode(self, code: int) -> Action:
        assert self.step is not None, "only stepped amounts have codes"
        return tidy(self.step * int(code))

    def nearest(self, action: Action) -> Action | None:
        """The allowed value closest to `action` (the lower one of two), or None if nothing is allowed."""
        if isinstance(action, (str, tuple)) or not self.intervals:
            return None
        candidates: list[int | Fraction] = []
        for low, high in self.intervals:
            inside = min(max(parse_exact(action), low), high)
            if self.step is None:
                candidates.append(inside)
                continue
            below = inside // self.step * self.step
            candidates.extend(v for v in (below, below + self.step) if low <= v <= high)
        if not candidates:
            return None
        return tidy(min(candidates, key=lambda value: (abs(value - action), value)))

    def read(self, raw: Json) -> Action:
        """The amount an answer states.

        Raises:
            OutOfRange: a number above the top or in a gap between the intervals.
            Unreadable: anything else that is not an allowed amount; a negative or fractional amount where there is
                none is no near miss, it is a misunderstanding.
        """
        if type(raw) is int and self.contains(raw):
            return raw
        if isinstance(raw, str) and "/" in raw:
            raise Unreadable(f"expected {self.describe()}, got {raw[:40]!r}")
        try:
            value = parse_exact(raw)
        except ValueError as problem:
            raise Unreadable(f"expected {self.describe()}: {problem}") from None
        if self.contains(value):
            return value
        whole = self.step is None or value % self.step == 0
        if whole and self.intervals and value >= self.low:
            raise OutOfRange(
                f"{show(value)} is not allowed: expected {self.describe()}", asked=value, nearest=self.nearest(value)
            )
        raise Unreadable(f"{show(value, 6)} is not an allowed amount: expected {self.describe()}")

    def answer_schema(self) -> dict[str, Json]:
        whole = self.step is not None and Fraction(self.step).denominator == 1
        shape: dict[str, Json] = {"type": "integer" if whole else "number", "description": self.describe()}
        if self.intervals:
            low, high = self.low, self.high
            shape["minimum"] = int(low) if whole else float(low)
            shape["maximum"] = int(high) if whole else float(high)
        plain_range = len(self.intervals) < 2 and self.step in (1, None)
        if not plain_range and self.intervals and self.step is not None and self._size() <= MOST_LISTED:
            shape["enum"] = [int(value) if whole else float(value) for value in self.grid()]
        return shape

    def _size(self) -> int:
        """How many values are allowed; only for stepped amounts."""
        assert self.step is not None, "a continuous amount has no number of values"
        return sum(int(high // self.step - -(-low // self.step)) + 1 for low, high in self.intervals)

    def describe(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if not self.intervals:
            return "nothing (no amount is allowed)"
        spans = " or ".join(
            f"exactly {show(low, 6)}" if low == high else f"from {show(low, 6)} to {show(high, 6)}"
            for low, high in self.intervals
        )
        if self.step == 1:
            return f"a whole number {spans}{unit}"
        steps = "" if self.step is None else f" in steps of {show(self.step, 6)}"
        return f"a number {spans}{unit}{steps}"


@lru_cache(maxsize=4096, typed=True)
def _between(low: Number, high: Number, step: Number | None, unit: str) -> Amount:
    size = None if step is None else parse_exact(step)
    return Amount.model_construct(intervals=((parse_exact(low), parse_exact(high)),), step=size, unit=unit)


class Choice(_Space):
    """One word of a closed set."""

    kind: Literal["choice"] = "choice"
    options: tuple[Annotated[str, Field(pattern=r"^[^/]+$")], ...]

    def contains(self, action: Action) -> bool:
        return action in self.options

    def grid(self, at_most: int | None = None) -> tuple[Action, ...]:
        return self.options

    def encode(self, action: Action) -> int:
        """The place of the option in `options`, as batched rules take it."""
        return self.options.index(str(action))

    def decode(self, code: int) -> Action:
        return self.options[int(code)]

    def nearest(self, action: Action) -> Action | None:
        return action if action in self.options else None

    def read(self, raw: Json) -> Action:
        """The option an answer names; upper and lower case and surrounding blanks do not matter.

        Raises:
            Unreadable: anything that is not exactly one of the options.
        """
        if isinstance(raw, str):
            folded = raw.strip().casefold()
            matches = [option for option in self.options if option.casefold() == folded]
            if len(matches) == 1:
                return matches[0]
        raise Unreadable(f"expected {self.describe()}, got {str(raw)[:40]!r}")

    def answer_schema(self) -> dict[str, Json]:
        return {"type": "string", "enum": list(self.options), "description": self.describe()}

    def describe(self) -> str:
        return "one of: " + ", ".join(self.options)


class Route(Choice):
    """One path through a network, written as its nodes joined by ``-``, such as ``0-1-3``."""

    kind: Literal["route"] = "route"  # type: ignore[assignment]  # a narrower tag for a narrower choice

    def describe(self) -> str:
        return "one of the routes: " + ", ".join(self.options)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way of sharing out whole units among so many parts, in lexicographic order."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


class Division(_Space):
    """A total shared out: one non-negative multiple of `step` per agent, adding up to `total`."""

    kind: Literal["division"] = "division"
    total: Exact
    parts: int = Field(ge=1)
    step: Exact = 1
    unit: str = ""

    def contains(self, action: Action) -> bool:
        return (
            isinstance(action, tuple)
            and len(action) == self.parts
            and all(share >= 0 and share % self.step == 0 for share in action)
            and sum(action) == self.total
        )

    def grid(self, at_most: int | None = None) -> tuple[Action, ...]:
        """Every division, in lexicographic order; with `at_most`, where they are more, those in larger equal units.

        What equal units leave over goes to the largest share, the first of several.

        Raises:
            ValueError: for more than `MAX_GRID` divisions without `at_most`.
        """
        units, count = self._units, self.count
        if at_most is not None and count > at_most:
            units = max((k for k in range(1, units) if comb(k + self.parts - 1, self.parts - 1) <= at_most), default=1)
        elif count > MAX_GRID:
            raise ValueError(f"more than {MAX_GRID} divisions; use a larger step")
        each, over = divmod(self._units, units) if units else (0, 0)

        def stretched(division: tuple[int, ...]) -> tuple[int, ...]:
            largest = division.index(max(division))
            return tuple(share * each + (over if place == largest else 0) for place, share in enumerate(division))

        found = (stretched(division) for division in _compositions(units, self.parts))
        return tuple(tuple(tidy(share * self.step) for share in division) for division in found)

    @property
    def _units(self) -> int:
        return int(self.total // self.step)

    @property
    def count(self) -> int:
        """How many divisions there are."""
        return comb(self._units + self.parts - 1, self.parts - 1)

    def encode(self, action: Action) -> int:
        """The place of the division among all, in lexicographic order, as batched rules take it.

        Raises:
            OverflowError: there are more divisions than fit 64 bits.
        """
        if self.count >= 2**63:
            raise OverflowError(f"more divisions than can be numbered; use a larger step than {show(self.step)}")
        assert isinstance(action, tuple), "a division is a tuple of shares"
        code, left = 0, self._units
        for after, share in zip(range(self.parts - 1, 0, -1), action, strict=False):
            units = int(share // self.step)
            code += _before(left, units, after)
            left -= units
        return code

    def decode(self, code: int) -> Action:
        shares: list[int] = []
        left = self._units
        for after in range(self.parts - 1, 0, -1):
            units = (
                bisect_right(range(left + 1), code, key=lambda first: _before(left, first, after)) - 1
            )  # called at once
            code -= _before(left, units, after)
            shares.append(units)
            left -= units
        return tuple(tidy(share * self.step) for share in (*shares, left))

    def nearest(self, action: Action) -> Action | None:
        return action if self.contains(action) else None

    def read(self, raw: Json) -> Action:
        """The division an answer states.

        Raises:
            Unreadable: a wrong number of shares, a share that is no amount, or a wrong sum.
        """
        if not isinstance(raw, (list, tuple)) or len(raw) != self.parts:
            raise Unreadable(f"expected {self.describe()}")
        try:
            value = tuple(parse_exact(share) for share in raw)
        except ValueError as problem:
            raise Unreadable(f"expected {self.describe()}: {problem}") from None
        if not self.contains(value):
            raise Unreadable(f"the shares add up to {show(sum(value), 6)}; expected {self.describe()}")
        return value

    def answer_schema(self) -> dict[str, Json]:
        whole = Fraction(self.step).denominator == 1
        share: dict[str, Json] = {"type": "integer" if whole else "number", "minimum": 0, "maximum": float(self.total)}
        if whole:
            share["maximum"] = int(self.total)
        shape: dict[str, Json] = {
            "type": "array",
            "items": share,
            "minItems": self.parts,
            "maxItems": self.parts,
            "description": self.describe(),
        }
        if comb(self._units + self.parts - 1, self.parts - 1) <= MOST_LISTED:  # no schema says what shares add up to
            listed = [division for division in self.grid() if isinstance(division, tuple)]
            shape["enum"] = [[int(part) if whole else float(part) for part in division] for division in listed]
        return shape

    def describe(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        steps = "" if self.step == 1 else f", in steps of {show(self.step, 6)}"
        return f"{self.parts} shares, in seat order, that add up to {show(self.total, 6)}{unit}{steps}"


def _before(left: int, first: int, after: int) -> int:
    """How many ways there are to share `left` units among 1 + `after` agents with fewer than `first` units for the first."""
    return comb(left + after, after) - comb(left - first + after, after)


Space: TypeAlias = Annotated[Amount | Choice | Route | Division, Field(discriminator="kind")]
SPACE: TypeAdapter[Amount | Choice | Route | Division] = TypeAdapter(Space)


def action_to_plain(action: Action | None) -> Json:
    """The canonical JSON form of an action. No option of a choice looks like ``2/5``, so that `revive` tells words and ratios apart."""
    if action is None or isinstance(action, str):
        return action
    if isinstance(action, tuple):
        return [plain(part) for part in action]
    return plain(action)


def as_written(action: Action | None) -> Json:
    """The action as a person would write it: decimals, not ratios."""
    if isinstance(action, tuple):
        return [as_written(part) for part in action]
    if isinstance(action, Fraction):
        return action.numerator if action.denominator == 1 else float(action)
    return action


def amount_of(action: Action | None) -> Number | None:
    """The action as a quantity that can be added up, or None for choices and divisions."""
    return None if action is None or isinstance(action, (str, tuple)) else action


def leaves_room(action: Action, room: Number) -> bool:
    """Whether it is an amount, and no more than there is room for."""
    amount = amount_of(action)
    return amount is not None and amount <= room
