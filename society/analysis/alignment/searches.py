"""The search for the largest or smallest score of a round that has too many joint actions to try them all.

It begins at the best of some promising profiles and changes one seat at a time; what it finds is a bound, and says so.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.analysis.alignment.rules import batched, mechanism_of, physical
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.columns import Column
from society.core.exact import Number
from society.core.mechanism import Bound

S = TypeVar("S")

_PASSES = 40
_COARSE = 33
_COARSE_SLOWLY = 9
_FINE = 1001
_FINE_SLOWLY = 17
"""Points of a thinned grid in the search."""
_TRIED_WHOLE = 65
"""A grid of no more points is tried whole for each seat in turn."""


def searched(worlds: Worlds[S], yardstick: Yardstick, agent: int, sign: Literal[1, -1]) -> Bound:
    """The largest (1) or smallest (-1) score that the search finds."""
    starts = _promising(worlds, agent)
    scores = worlds.score(starts, yardstick, agent)
    start = (scores if sign == 1 else -scores).best()
    value, row, tried = _climb(worlds, yardstick, agent, starts[start], sign)
    how = f"search through {len(starts) + tried} joint actions, each seat in turn"
    return Bound(value, worlds.joint(row), exact=False, how=how)


def _promising(worlds: Worlds[S], agent: int) -> Codes:
    """Profiles in which all others do alike, and what the mechanism itself knows."""
    points = _COARSE if batched(worlds.game) else _COARSE_SLOWLY
    coarse = [worlds.grid(seat, points) for seat in range(worlds.agents)]
    most = max(len(grid) for grid in coarse)
    places = [np.linspace(0, len(grid) - 1, most).round().astype(np.int64) for grid in coarse]
    others = np.stack([grid[place] for grid, place in zip(coarse, places, strict=True)], axis=1)
    found = np.tile(others, (len(coarse[agent]), 1))
    found[:, agent] = np.repeat(coarse[agent], most)
    known: list[list[int]] = []
    mechanism, state = mechanism_of(worlds.game), physical(worlds.state)
    if mechanism is not None:
        for bound in (mechanism.known_ceiling(state, agent), mechanism.known_optimum(state)):
            profile = None if bound is None else bound.profile
            if profile is not None and all(s.contains(a) for s, a in zip(worlds.spaces, profile, strict=True)):
                known.append(worlds.codes(profile).tolist())
    return np.concatenate([found, np.array(known, dtype=np.int64)]) if known else found


def _climb(worlds: Worlds[S], yardstick: Yardstick, agent: int, row: Codes, sign: int) -> tuple[Number, Codes, int]:
    """Change one seat at a time for the better until no change helps: to anything of a coarse grid, or to a neighbour."""
    full = [worlds.grid(seat, _FINE if batched(worlds.game) else _FINE_SLOWLY) for seat in range(worlds.agents)]
    here, tried = worlds.at(row, yardstick, agent), 0
    for _ in range(_PASSES):
        rows = []
        for seat, grid in enumerate(full):
            chosen = grid[_near(len(grid), int(np.searchsorted(grid, row[seat])))]
            block = np.repeat(row.reshape(1, -1), len(chosen), axis=0)
            block[:, seat] = chosen
            rows.append(block)
        candidates = np.concatenate(rows)
        tried += len(candidates)
        scores: Column = worlds.score(candidates, yardstick, agent)
        found = (scores if sign == 1 else -scores).best()
        if (scores[found] - here) * sign <= 0:
            break
        here, row = scores[found], candidates[found]
    return here, row, tried


@cache
def _near(size: int, place: int) -> NDArray[np.int64]:
    """Places of a grid to try from one of them: all of a small one; else evenly spread ones and those 1, 2, 4 ... steps off."""
    if size <= _TRIED_WHOLE:
        return np.arange(size)
    steps = 1 << np.arange(int(size).bit_length())
    off = np.concatenate([place - steps, [place], place + steps])
    spread = np.linspace(0, size - 1, _COARSE).round().astype(np.int64)
    return np.unique(np.concatenate([spread, off[(off >= 0) & (off < size)]]))
