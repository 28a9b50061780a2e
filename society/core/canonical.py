"""Canonical JSON: sorted keys, no blanks, ASCII only and no NaN, so that equal values give equal text on every machine."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted_json
from typing import Any

from society.core.exact import Json

__all__ = ["canonical_json", "encoder", "quoted_json"]


def encoder(
    default: Callable[[Any], Any] | None = None,
) -> Callable[[Any], str]:  # Any: whatever `default` makes JSON of
    """What writes values as canonical JSON; `default` says what stands for a value that is none.

    The standard library makes its encoder anew for each value, which costs as much as a small value does; here it is made once.
    """
    whole = json.JSONEncoder(
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
        check_circular=False,
        default=default,
    )
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # an interpreter that has it in Python only
        return whole.encode
    chunks = make(None, whole.default, quoted_json, None, ":", ",", True, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = encoder()


def canonical_json(value: Json) -> str:
    """A value as canonical JSON."""
    return _encode(value)
