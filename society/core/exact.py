"""Numbers that stay exact.

Rules are computed in `int` and `Fraction`, so that a decomposition sums to the last digit and two machines
agree on every hash. A decimal in a scenario file means what it says: 0.4 is 2/5, not the nearest double.
Floats are allowed where mathematics needs them (a cosine, a logarithm) and are then floats from there on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from typing_extensions import TypeAliasType

Number: TypeAlias = int | Fraction | float
Json = TypeAliasType("Json", "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None")


class Quoted(str):
    """Text that was written in quotes: ``"12"`` is no number. (``"2/5"`` is one, since JSON can only write it so.)"""

    __slots__ = ()


MAX_DIGITS = 40
"""Longest numeral that is read. A thousand-digit quantity is a mistake or an attack, never a harvest."""

_TOO_LONG = 10**MAX_DIGITS


def tidy(value: Number) -> Number:
    """The same number in its plainest type: an integral `Fraction` becomes an `int`."""
    if type(value) is not int and isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    return value


def parse_exact(value: object) -> int | Fraction:
    """Read a quantity written by a person: ``3``, ``0.4``, ``"2/5"``.

    Raises:
        ValueError: for booleans, NaN, infinities, words, underscores, or more than `MAX_DIGITS` characters.
    """
    if isinstance(value, bool):
        raise ValueError("a number is needed here, not true or false")
    if isinstance(value, int):
        if not -_TOO_LONG < value < _TOO_LONG:
            raise ValueError("that number is too long to be a quantity")
        return value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a finite number is needed here")
        value = repr(value)
    if isinstance(value, Decimal):
        value = str(value)
    if isinstance(value, Quoted) and "/" not in value:
        raise ValueError("a number is needed here, not text in quotes")
    if not isinstance(value, str):
        raise ValueError(f"a number is needed here, not {type(value).__name__}")
    text = value.strip()
    if not text or len(text) > MAX_DIGITS or not set(text) <= set("0123456789+-./eE"):
        raise ValueError(f"{text[:MAX_DIGITS]!r} is not a number")
    over, slash, under = text.partition("/")
    try:
        parts = [Decimal(over), Decimal(under)] if slash else [Decimal(over)]
        if any(not part.is_finite() or abs(part.adjusted()) > MAX_DIGITS for part in parts):
            raise ValueError(f"{text!r} is out of bounds")
        result = Fraction(parts[0]) / Fraction(parts[1]) if slash else Fraction(parts[0])
    except (InvalidOperation, ZeroDivisionError):
        raise ValueError(f"{text!r} is not a number") from None
    return result.numerator if result.denominator == 1 else result


def plain(value: Number) -> int | float | str:
    """The canonical JSON form: an integer, ``"2/5"``, or a float as it is."""
    if type(value) is int:
        return value
    value = tidy(value)
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return value


def from_plain(value: int | float | str) -> Number:
    """Back from `plain`; ``from_plain(plain(x)) == x`` for every finite number."""
    if isinstance(value, str):
        over, _, under = value.partition("/")
        return Fraction(int(over), int(under or 1))
    return value


def is_ratio(text: str) -> bool:
    """Whether the text is how `plain` writes a fraction."""
    over, slash, under = text.partition("/")
    return bool(slash) and over.lstrip("-").isdigit() and under.isdigit()


def show(value: Number | None, places: int = 2) -> str:
    """A number for people: no trailing zeros, at most `places` decimals, a dash for "does not apply"."""
    if type(value) is int:
        return str(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    value = tidy(value)
    if isinstance(value, int):
        return str(value)
    text = f"{float(value):.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


Exact = Annotated[
    int | Fraction,
    BeforeValidator(parse_exact),
    PlainSerializer(plain, return_type=int | float | str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?(/\d+)?$"}]}),
]
"""A pydantic field that holds an exact number, read by `parse_exact`."""
