"""Points that agents assign to each other in the second stage."""

from __future__ import annotations

from collections.abc import Mapping

from society.core.actions import Action
from society.core.instrument import Moment


def points_given(at: Moment, decided: Mapping[int, Mapping[str, Action]], most: int) -> list[tuple[int, int, int]]:
    """The points decided as (giver, receiver, points), by seat of the giver, then of the receiver."""
    given = []
    for giver, parts in sorted(decided.items()):
        for target in at.seats:
            points = parts.get(at.names[target], 0)
            if giver in at.seats and giver != target and isinstance(points, int) and 0 < points <= most:
                given.append((giver, target, points))
    return given
