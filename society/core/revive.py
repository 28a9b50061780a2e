"""Dataclasses to plain JSON and back, by their annotations.

Small on purpose: it knows the few shapes that events are made of, and fails loudly on anything else.
"""

from __future__ import annotations

import dataclasses
import types
from fractions import Fraction
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from society.core.exact import Json, from_plain, is_ratio, plain

LATER = {"later": True}
"""Metadata of a field that earlier versions did not write. While it has its default it is left out of the record, so that what they
wrote keeps its text, and with it its hash."""


@cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((f.name, hints[f.name]) for f in dataclasses.fields(kind))


def record_to_plain(value: Any) -> Any:  # Any: walks every type that a record may hold
    """A dataclass, or a part of one, as JSON values; numbers stay exact, as ``"2/5"``."""
    kind: Any = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is tuple or kind is list:
        return [record_to_plain(item) for item in value]
    names = _names(kind)
    if names is not None:
        return {name: record_to_plain(part) for name, part in _written(value, kind, names).items()}
    if isinstance(value, (list, tuple)):
        return [record_to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): record_to_plain(item) for key, item in value.items()}
    return value if isinstance(value, (str, bool)) else plain(value)


def part_to_plain(value: Any) -> Any:  # Any: whatever JSON cannot write
    """One level of `record_to_plain`: for JSON encoders, which walk the rest by themselves."""
    kind: Any = type(value)
    names = _names(kind)
    return plain(value) if names is None else _written(value, kind, names)


def _written(value: Any, kind: Any, names: tuple[str, ...]) -> dict[str, Any]:  # Any: the fields of any record
    found = {name: getattr(value, name) for name in names}
    for name, default in _later(kind):
        if found[name] == default:
            del found[name]
    return found


_AS_IT_IS = frozenset({str, int, bool, type(None)})


@cache
def _names(kind: Any) -> tuple[str, ...] | None:
    return tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


@cache
def _later(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields that came later, with their defaults."""
    return tuple((f.name, f.default) for f in dataclasses.fields(kind) if f.metadata.get("later"))


def revive(kind: Any, raw: Any) -> Any:  # Any: the type is data here
    """The value of type `kind` that was written as `raw`.

    Raises:
        ValueError: `raw` has another shape.
    """
    if kind is Json:
        return raw
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(raw, dict):
            raise ValueError(f"expected the fields of a {kind.__name__}, got {type(raw).__name__}")
        known = _fields(kind)
        strange = set(raw) - {name for name, _ in known}
        if strange:
            raise ValueError(f"{kind.__name__} has no field {sorted(strange)[0]!r}")
        return kind(**{name: revive(hint, raw[name]) for name, hint in known if name in raw})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _revive_union(inner, raw)
    if origin is tuple:
        if not isinstance(raw, list):
            raise ValueError(f"expected a list, got {type(raw).__name__}")
        if inner[-1] is Ellipsis:
            return tuple(revive(inner[0], item) for item in raw)
        return tuple(revive(hint, item) for hint, item in zip(inner, raw, strict=True))
    if origin is Literal:
        if raw not in inner:
            raise ValueError(f"{raw!r} is none of {inner}")
        return raw
    if kind in (int, float, Fraction):
        return from_plain(raw)
    return raw


def _revive_union(options: tuple[Any, ...], raw: Any) -> Any:
    if raw is None:
        return None
    records = [option for option in options if dataclasses.is_dataclass(option)]
    tuples = [option for option in options if get_origin(option) is tuple]
    numbers = any(option in (int, float, Fraction) for option in options)
    if isinstance(raw, dict) and len(records) == 1:
        return revive(records[0], raw)
    if isinstance(raw, list) and tuples:
        return revive(tuples[0], raw)
    if isinstance(raw, str):
        return from_plain(raw) if numbers and is_ratio(raw) else raw
    return raw
