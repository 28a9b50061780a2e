"""What templates are given: plain data, so that they can word what the rules compute and reach nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from society.core.exact import from_plain, is_ratio

Plain = Any
"""Values of a template: dict, list, str, int, float, bool, None. Any, since jinja is not typed."""


def plain_data(value: Any) -> Plain:
    """The value as data that a template may hold; fractions become the nearest decimal.

    Raises:
        TypeError: for anything with behaviour.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    if type(value) is dict:
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, BaseModel):
        return {name: plain_data(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_data(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    raise TypeError(f"{type(value).__name__} is no plain data for a template")


def with_numbers(value: Any) -> Plain:
    """Plain data in which canonical ratios such as ``"2/5"`` are numbers again, so that templates can compare them."""
    plain = plain_data(value)
    if isinstance(plain, str) and is_ratio(plain):
        return plain_data(from_plain(plain))
    if isinstance(plain, dict):
        return {key: with_numbers(item) for key, item in plain.items()}
    return [with_numbers(item) for item in plain] if isinstance(plain, list) else plain
