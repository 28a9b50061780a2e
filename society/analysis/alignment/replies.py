"""What an agent could best have done against given others."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from society.analysis.alignment.rules import mechanism_of, physical
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.actions import Amount, leaves_room
from society.core.columns import Column
from society.core.exact import Number

S = TypeVar("S")


def best_reply(
    worlds: Worlds[S],
    yardstick: Yardstick,
    agent: int,
    beliefs: tuple[tuple[Number, Codes], ...],
    also: tuple[int, ...] = (),
    *,
    beside: bool = True,
) -> tuple[Number, list[int], bool]:
    """The most an agent can score against given others, every own action that scores it, and whether that is exact.

    On a continuous space a fine grid is tried; the result is then the best one found. Of a shared stock only what is left
    beside the others is tried (`beside`), not what asking for more would bring by rationing. The actions `also` always are.
    """
    exact = True
    try:
        grid = worlds.grid(agent)
    except ValueError:
        grid, exact = np.array([*worlds.grid(agent, 1001), *also], dtype=np.int64), False
    if beside:
        grid = _beside(worlds, agent, beliefs, grid, also)
    scores = replies(worlds, yardstick, agent, beliefs, grid)
    ties = scores.ties()
    return scores[int(ties[0])], [int(grid[place]) for place in ties], exact


def _beside(
    worlds: Worlds[S], agent: int, beliefs: tuple[tuple[Number, Codes], ...], grid: Codes, also: tuple[int, ...]
) -> Codes:
    """The own actions that the others' leave room for, and those that count in any case."""
    mechanism = mechanism_of(worlds.game)
    state = physical(worlds.state)
    rooms = []
    for _, row in beliefs:
        others = [worlds.action(seat, int(code)) for seat, code in enumerate(row) if seat != agent]
        rooms.append(mechanism.most_beside(state, others) if mechanism is not None else None)
    known = [room for room in rooms if room is not None]
    space = worlds.spaces[agent]
    if not known or not isinstance(space, Amount):
        return grid
    fits = [code for code in grid.tolist() if leaves_room(worlds.action(agent, code), min(known))]
    chosen = sorted({*fits, *(code for code in also)})
    return np.array(chosen, dtype=np.int64) if chosen else grid


def replies(
    worlds: Worlds[S], yardstick: Yardstick, agent: int, beliefs: tuple[tuple[Number, Codes], ...], own: Codes
) -> Column:
    """The score of each of several own actions against given others, in expectation."""
    total: Column | None = None
    for probability, row in beliefs:
        block = np.repeat(row.reshape(1, -1), len(own), axis=0)
        block[:, agent] = own
        scores = worlds.score(block, yardstick, agent)
        scores = scores if probability == 1 else scores * probability
        total = scores if total is None else total + scores
    assert total is not None
    return total
