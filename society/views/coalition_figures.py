"""Coalitions drawn in characters: agreements over time, and ties between agents."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

from society.views.terminal import safe

if TYPE_CHECKING:
    from society.analysis.four_notions import Coalitions

_WIDEST = 60


def timeline_figure(found: Coalitions) -> tuple[str, ...]:
    """For each agent a line in which the letter of an agreement stands for every round in which it was in it."""
    last = max(one.last for one in found.declared)
    ids = list(dict.fromkeys(one.id for one in found.declared))[: len(ascii_uppercase)]
    each = -(-last // _WIDEST)
    side = max(len(safe(name)) for name in found.names)
    lines = []
    for seat, name in enumerate(found.names):
        cells = []
        for start in range(1, last + 1, each):
            there = [
                ascii_uppercase[ids.index(one.id)]
                for one in found.declared
                if seat in one.members and one.id in ids and one.first < start + each and start <= one.last
            ]
            cells.append("." if not there else there[0] if len(set(there)) == 1 else "+")
        lines.append(f"{safe(name):>{side}}  {''.join(cells)}")
    letters = ", ".join(f"{ascii_uppercase[k]} agreement {name}" for k, name in enumerate(ids))
    unit = "round" if each == 1 else f"{each} rounds"
    return (*lines, f"{'':>{side}}  one character a {unit}; {letters}, + several")


def ties_figure(found: Coalitions) -> tuple[str, ...]:
    """The graph of private messages: from each agent (line) to each other one (column)."""
    words = found.communicated.messages
    names = [safe(name)[:8] for name in found.names]
    wide = max(4, *(len(name) for name in names)) + 1
    side = max(len(name) for name in names)
    head = f"{'':>{side}} {''.join(f'{name:>{wide}}' for name in names)}"
    rows = [
        f"{name:>{side}} " + "".join(f"{'-' if i == j else count or '.':>{wide}}" for j, count in enumerate(words[i]))
        for i, name in enumerate(names)
    ]
    return ("Private messages from (line) to (column):", head, *rows)
