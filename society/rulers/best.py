"""The best there is: of one agent's payoffs, or of all together, over every joint action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from society.core.arrays import NDArray, np
from society.core.mechanism import Bound
from society.rulers.scores import Board, Scores, combinations

S = TypeVar("S")

_SWEEPS = 100


def best_together(board: Board[S]) -> Bound:
    """The largest sum of payoffs; among equals the larger minimum, the smaller Gini, the lexicographically first."""
    if not board.enumerable:
        return _climb(board, lambda scores: scores.units.sum(axis=1))
    rows = board.rows()
    scores = board.score(rows)
    chosen = optimal_rows(scores)
    units = scores.units[chosen]
    least = units.min(axis=1)
    chosen, units = chosen[least >= least.max() - scores.slack], units[least >= least.max() - scores.slack]
    spread = np.abs(units[:, :, None] - units[:, None, :]).sum(axis=(1, 2))
    row = int(chosen[np.flatnonzero(spread <= spread.min() + scores.slack)[0]])
    return Bound(
        value=scores.value(scores.units[row].sum()),
        profile=board.joint(rows[row].tolist()),
        exact=board.complete,
        how=enumerated(board),
    )


def optimal_rows(scores: Scores) -> NDArray[np.intp]:
    """The rows whose sum is largest."""
    welfare = scores.units.sum(axis=1)
    return np.flatnonzero(welfare >= welfare.max() - scores.slack)


def best_for(board: Board[S], agent: int) -> Bound:
    """The largest score of one agent if all act for it."""
    if board.symmetric:
        return _best_for_one_of_equals(board, agent)
    if not board.enumerable:
        return _climb(board, lambda scores: scores.units[:, agent])
    rows = board.rows()
    scores = board.score(rows)
    row = int(np.argmax(scores.units[:, agent]))
    value = scores.value(scores.units[row, agent])
    return Bound(value, board.joint(rows[row].tolist()), board.complete, enumerated(board))


def others_and_own(board: Board[S]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In a symmetric game: every combination of the others, and the rows of each with every own action of agent 0."""
    actions = len(board.grids[0])
    others = combinations(actions, board.n - 1)
    own = np.tile(np.arange(actions, dtype=np.int64), len(others))
    return others, np.column_stack([own, np.repeat(others, actions, axis=0)])


def _best_for_one_of_equals(board: Board[S], agent: int) -> Bound:
    if not board.replies_enumerable:
        return _climb(board, lambda scores: scores.units[:, agent])
    _, rows = others_and_own(board)
    scores = board.score(rows)
    row = rows[int(np.argmax(scores.units[:, 0]))]
    value = scores.value(scores.units[:, 0].max())
    profile = np.insert(row[1:], agent, row[0])
    return Bound(value, board.joint(profile.tolist()), board.complete, enumerated(board))


def _climb(board: Board[S], aim: Callable[[Scores], NDArray[Any]]) -> Bound:
    """Improve one agent's action after the other until nothing helps, from several starts."""
    best: Bound | None = None
    for start in starts(board):
        row = start.copy()
        for _ in range(_SWEEPS):
            before = row.copy()
            for agent in range(board.n):
                tried = np.repeat(row[None, :], len(board.grids[agent]), axis=0)
                tried[:, agent] = np.arange(len(board.grids[agent]))
                row = tried[int(np.argmax(aim(board.score(tried))))]
            if (row == before).all():
                break
        scores = board.score(row[None, :])
        found = Bound(
            scores.value(aim(scores)[0]), board.joint(row.tolist()), False, "search, one agent after the other"
        )
        if best is None or found.value > best.value:
            best = found
    assert best is not None, "there is at least one start"
    return best


def starts(board: Board[S]) -> list[NDArray[np.int64]]:
    """Everybody at the first, the last and the middle action, and a spread of them."""
    last = np.array([len(grid) - 1 for grid in board.grids], dtype=np.int64)
    spread = np.array([(agent * 7919) % (top + 1) for agent, top in enumerate(last.tolist())], dtype=np.int64)
    return [0 * last, last, last // 2, last // 4, spread]


def enumerated(board: Board[S]) -> str:
    """How an enumerated value was found, for the reader."""
    kind = "combinations" if board.symmetric else "joint actions"
    return f"enumeration of {board.size} {kind}" + ("" if board.complete else " on a grid")
