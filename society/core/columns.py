"""Columns of exact numbers: thousands of rationals as integer arrays, with the operators goals are written in.

A column is whole numbers over one common denominator or over one per row, in int64 while they fit and as Python integers
beyond, so that no value is ever rounded or wrapped. A column that meets a float is a float column from there on. Columns of
all seats side by side have the shape (rows, seats), and denominators the shape (rows, 1) where there is one per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

from society.core.arrays import NDArray, np
from society.core.exact import Number, tidy

Whole: TypeAlias = "NDArray[Any]"
"""int64, or object for integers of any size, or float64."""

_SAFE = 2**62
_SHARED = 2**31
"""A common denominator is kept below this where there could be one per row instead."""


def over_common_denominator(rows: Sequence[Sequence[Number]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Payoffs as integers over one denominator, or as floats over 1 when any of them is a float."""
    flat = [value for row in rows for value in row]
    one = np.ones((1, 1), dtype=np.int64)
    if any(isinstance(value, float) for value in flat):
        return np.array([[float(value) for value in row] for row in rows], dtype=np.float64), one
    common = lcm(*(Fraction(value).denominator for value in flat)) if flat else 1
    whole = [[int(value * common) for value in row] for row in rows]
    small = common < _SAFE and all(abs(value) < _SAFE for row in whole for value in row)
    dtype = np.int64 if small else object
    return np.array(whole, dtype=dtype), np.array([[common]], dtype=dtype)


def _most(array: Whole) -> int:
    return int(np.abs(array).max()) if array.size else 0


def _grown(array: Whole, factor: int) -> Whole:
    """The array in a type that holds `factor` times its largest entry."""
    if array.dtype == np.int64 and max(_most(array), 1) * abs(factor) >= _SAFE:
        return array.astype(object)
    return array


class Column:
    """A column of numbers. `den` is one positive integer for all rows, or one per row."""

    __slots__ = ("den", "num")

    def __init__(self, num: Whole, den: int | Whole = 1) -> None:
        self.num = num
        self.den = den

    @classmethod
    def of(cls, value: Any) -> Column:  # Any: an array of any number type, or numbers
        """A column from an array or a sequence of numbers; a column stays itself."""
        if isinstance(value, Column):
            return value
        array = np.asarray(value)
        if array.dtype == np.bool_:
            return cls(array.astype(np.int64))
        if array.dtype.kind in "iu":
            return cls(array.astype(np.int64))
        if array.dtype.kind == "f":
            return cls(array.astype(np.float64))
        numerators, common = over_common_denominator([list(array)])
        return cls(numerators[0], 1 if numerators.dtype == np.float64 else int(common[0, 0]))

    @property
    def rough(self) -> bool:
        """Whether the numbers are floats."""
        return self.num.dtype == np.float64

    def __len__(self) -> int:
        return len(self.num)

    def __getitem__(self, row: int) -> Number:
        if self.rough:
            return float(self.num[row])
        den = self.den if isinstance(self.den, int) else int(self.den[row])
        return tidy(Fraction(int(self.num[row]), den))

    def rows(self, chosen: Any) -> Column:  # Any: whatever numpy indexes with
        """The rows an index array or a mask picks out."""
        return Column(self.num[chosen], self.den if isinstance(self.den, int) else self.den[chosen])

    def at_least(self, low: Column | Number) -> Column:
        """The numbers, or `low` where they are below it."""
        one, two, den = _aligned(self, low)
        return Column(np.maximum(one, two), den)

    def at_most(self, high: Column | Number) -> Column:
        """The numbers, or `high` where they are above it."""
        one, two, den = _aligned(self, high)
        return Column(np.minimum(one, two), den)

    # Several side by side

    @classmethod
    def beside(cls, columns: Sequence[Column]) -> Column:
        """Columns of equal length as one of the shape (rows, columns)."""
        if any(column.rough for column in columns):
            return cls(np.stack([column.floats() for column in columns], axis=1))
        if all(isinstance(column.den, int) for column in columns):
            common = lcm(*(int(column.den) for column in columns))
            whole = [_grown(column.num, common) * (common // int(column.den)) for column in columns]
            return cls(np.stack(whole, axis=1), common)
        dens = [np.broadcast_to(np.asarray(column.den, dtype=object), column.num.shape) for column in columns]
        shared = np.lcm.reduce(np.stack(dens), axis=0)
        exact = [column.num.astype(object) * (shared // den) for column, den in zip(columns, dens, strict=True)]
        return cls(_shrunk(np.stack(exact, axis=1)), _shrunk(shared)[:, None])

    def seat(self, seat: int) -> Column:
        """One of several columns side by side."""
        return Column(self.num[:, seat], self.den if isinstance(self.den, int) else self.den[:, 0])

    def across(self) -> Column:
        """The sum of columns side by side, row by row, in the shape (rows, 1)."""
        num = _grown(self.num, max(1, self.num.shape[1]))
        return Column(np.asarray(num.sum(axis=1, keepdims=True)), self.den)

    def reduced(self) -> Column:
        """The same numbers over the smallest denominators that hold them."""
        if self.rough or not self.num.size:
            return self
        if isinstance(self.den, int):
            common = gcd(self.den, int(np.gcd.reduce(self.num, axis=None)))
            return self if common == 1 else Column(_shrunk(self.num // common), self.den // common)
        rows = self.num if self.num.ndim == 1 else np.gcd.reduce(self.num, axis=1, keepdims=True)
        per_row = np.gcd(rows, self.den)
        return Column(_shrunk(self.num // per_row), _shrunk(self.den // per_row))

    def only(self, where: NDArray[np.bool_]) -> Column:
        """The same numbers where the mask holds, 0 elsewhere."""
        return Column(np.where(where, self.num, np.zeros_like(self.num)), self.den)

    def among(self, counts: NDArray[np.int64]) -> Column:
        """Each row divided by a whole number of its own, of the shape (rows, 1)."""
        if self.rough:
            return Column(self.num / counts)
        most = lcm(*(int(count) for count in np.unique(counts)))
        if isinstance(self.den, int) and most * self.den < _SHARED:
            factors = most // counts
            return Column(_grown(self.num, most) * factors, self.den * most)
        own = self.den if isinstance(self.den, int) else _grown(self.den, int(counts.max()))
        return Column(self.num, np.asarray(own * counts.astype(object)) if isinstance(own, int) else own * counts)

    def floats(self) -> NDArray[np.float64]:
        """The numbers as doubles."""
        return np.asarray(np.true_divide(self.num, self.den), dtype=np.float64)

    def common(self) -> tuple[Whole, int]:
        """Numerators over one denominator for all rows; floats are over 1."""
        if isinstance(self.den, int):
            return self.num, self.den
        assert self.num.ndim == 1, "columns side by side are taken one by one"
        distinct = {int(d) for d in np.unique(self.den)}
        denominator = lcm(*distinct) if distinct else 1
        factors = np.array([denominator // int(d) for d in self.den], dtype=object)
        return _shrunk(self.num.astype(object) * factors), denominator

    def best(self) -> int:
        """The first row with the largest value."""
        if isinstance(self.den, int):
            return int(self.num.argmax())
        near = self._near_the_top()
        return int(near[self.rows(near).common()[0].argmax()])

    def ties(self) -> NDArray[np.intp]:
        """All rows with the largest value."""
        if isinstance(self.den, int):
            return np.flatnonzero(self.num == self.num.max())
        near = self._near_the_top()
        exact = self.rows(near).common()[0]
        found: NDArray[np.intp] = near[exact == exact.max()]
        return found

    def _near_the_top(self) -> NDArray[np.intp]:
        """Rows whose double is so close to the largest that only exact numbers can tell them apart."""
        rough = self.floats()
        top = rough.max()
        return np.flatnonzero(rough >= top - 1e-9 * max(1.0, abs(top)))

    def total(self) -> Number:
        """The sum of all rows."""
        num, den = self.common()
        if self.rough:
            return float(num.sum())
        return tidy(Fraction(int(_grown(num, max(1, len(num))).sum()), den))

    # Operators

    def __neg__(self) -> Column:
        return Column(-self.num, self.den)

    def __abs__(self) -> Column:
        return Column(np.abs(self.num), self.den)

    def __add__(self, other: Any) -> Column:  # Any: numbers, arrays and columns alike
        if isinstance(other, int) and other == 0:
            return self
        left, right, den = _aligned(self, other)
        if left.dtype == np.int64 and right.dtype == np.int64 and _most(left) + _most(right) >= _SAFE:
            left, right = left.astype(object), right.astype(object)
        return Column(np.asarray(left + right), den)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Column:  # Any: as above
        if isinstance(other, (Column, int, float, Fraction)):
            return self.__add__(-other)
        return self.__add__(-Column.of(other))

    def __rsub__(self, other: Any) -> Column:  # Any: as above
        difference: Column = -self + other
        return difference

    def __mul__(self, other: Any) -> Column:  # Any: as above
        if isinstance(other, float):
            return Column(self.floats() * other)
        if isinstance(other, (int, Fraction)):
            over, under = other.numerator, other.denominator
            num = _grown(self.num, over)
            num = num * (float(over) if self.rough else over)
            if self.rough:
                return Column(num / under)
            den = self.den * under if isinstance(self.den, int) else _grown(self.den, under) * under
            return Column(num, den)
        right = Column.of(other)
        if self.rough or right.rough:
            return Column(self.floats() * right.floats())
        num = _grown(self.num, max(1, _most(right.num))) * right.num
        if isinstance(right.den, int) and right.den == 1:
            return Column(num, self.den)
        return Column(
            num.astype(object), np.asarray(self.den, dtype=object) * right.den * np.ones(len(num), dtype=object)
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> Column:
        return self * (1 / other if isinstance(other, float) else 1 / Fraction(other))

    def __gt__(self, other: Any) -> NDArray[np.bool_]:  # Any: as above
        left, right, _ = _aligned(self, other)
        return _truths(left > right)

    def __ge__(self, other: Any) -> NDArray[np.bool_]:  # Any: as above
        left, right, _ = _aligned(self, other)
        return _truths(left >= right)

    def __lt__(self, other: Any) -> NDArray[np.bool_]:  # Any: as above
        return np.logical_not(self.__ge__(other))

    def __le__(self, other: Any) -> NDArray[np.bool_]:  # Any: as above
        return np.logical_not(self.__gt__(other))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Any:  # Any: numpy's own protocol
        if method != "__call__" or ufunc.__name__ not in _UFUNCS:
            return NotImplemented
        return _UFUNCS[ufunc.__name__](
            *(item if isinstance(item, Column) else Column.of(np.atleast_1d(item)) for item in inputs)
        )


def _truths(values: Any) -> NDArray[np.bool_]:  # Any: comparisons of object arrays are typed as anything
    return np.asarray(values, dtype=np.bool_)


_UFUNCS: dict[str, Any] = {  # Any: operators of different arity
    "add": Column.__add__,
    "subtract": Column.__sub__,
    "multiply": Column.__mul__,
    "minimum": Column.at_most,
    "negative": Column.__neg__,
    "absolute": Column.__abs__,
}
"""By the name that numpy gives the operation."""


def _aligned(left: Column, other: Any) -> tuple[Whole, Whole, int | Whole]:  # Any: numbers, arrays and columns alike
    """Both as numerators over the same denominator."""
    if isinstance(other, float) or left.rough:
        right_floats = other.floats() if isinstance(other, Column) else np.asarray(other, dtype=np.float64)
        return left.floats(), right_floats, 1
    if isinstance(other, (int, Fraction)):
        num = np.array([other.numerator], dtype=np.int64 if abs(other.numerator) < _SAFE else object)
        right = Column(num, other.denominator)
    else:
        right = Column.of(other)
    if right.rough:
        return left.floats(), right.floats(), 1
    if left.den is right.den or (isinstance(left.den, int) and isinstance(right.den, int) and left.den == right.den):
        return left.num, right.num, left.den
    if isinstance(left.den, int) and isinstance(right.den, int):
        den = lcm(left.den, right.den)
        one, two = den // left.den, den // right.den
        return _grown(left.num, one) * one, _grown(right.num, two) * two, den
    if isinstance(right.den, int) and right.den == 1:
        scaled = _grown(right.num, _most(np.asarray(left.den))) * left.den
        return left.num, scaled, left.den
    if isinstance(left.den, int) or isinstance(right.den, int):  # one for all rows meets one per row
        both = (left.den, right.den)
        common = next(one for one in both if isinstance(one, int))
        per_row = next(one for one in both if not isinstance(one, int))
        shared = _grown(per_row, common) * common
        mine, theirs = _grown(left.num, _most(shared)), _grown(right.num, _most(shared))
        return mine * (shared // left.den), theirs * (shared // right.den), shared
    left_den, right_den = (np.asarray(side.den, dtype=object) for side in (left, right))
    return left.num.astype(object) * right_den, right.num.astype(object) * left_den, left_den * right_den


def _shrunk(array: Whole) -> Whole:
    """Back to int64 where everything fits."""
    return array.astype(np.int64) if _most(array) < _SAFE else array


def blend(columns: Sequence[Column], weights: Sequence[Number]) -> Column:
    """The weighted sum of columns; one column of weight 1 stays itself."""
    if len(columns) == 1 and weights[0] == 1:
        return columns[0]
    total: Column = columns[0] * weights[0]
    for column, weight in zip(columns[1:], weights[1:], strict=True):
        total = total + column * weight
    return total
