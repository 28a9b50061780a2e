"""Results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from typing import Any


def result(text: str) -> None:
    """Text that was asked for."""
    print(text, flush=True)


def result_json(value: Any) -> None:  # Any: whatever JSON can hold
    """Data that was asked for, as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False))


def note(text: str, *, quiet: bool = False) -> None:
    """A word to the person at the terminal."""
    if not quiet:
        print(text, file=sys.stderr)
