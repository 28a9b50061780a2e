"""Joint actions of games whose actions are whole amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from society.core.actions import Action
from society.core.exact import Number


def whole_amounts(joint: Sequence[Action]) -> list[int]:
    """The amounts, in seat order. The caller's space holds whole amounts only, so that nothing is rounded."""
    return [int(amount) for amount in cast("Sequence[Number]", joint)]
