"""Nash equilibria of a stage game in pure actions [Nash1951]_."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from society.core.actions import Joint
from society.core.arrays import NDArray, np
from society.rulers.best import enumerated, others_and_own, starts
from society.rulers.scores import Board

S = TypeVar("S")

_SWEEPS = 100


@dataclass(frozen=True, slots=True)
class Equilibria:
    """Pure Nash equilibria of a stage game.

    Attributes:
        profiles: the joint actions.
        exact: they are all there are; False when they are only those found (each is an equilibrium of the tried grid).
        how: one line for the reader.
        up_to_order: each stands for all its permutations of the seats.
    """

    profiles: tuple[Joint, ...]
    exact: bool
    how: str
    up_to_order: bool = False

    def __iter__(self) -> Iterator[Joint]:
        return iter(self.profiles)

    def __len__(self) -> int:
        return len(self.profiles)


def pure_equilibria(board: Board[S]) -> Equilibria:
    """All pure Nash equilibria by enumeration; for games too large for that, those that best replies lead to.

    None are found where an agent has more actions than can be listed.
    """
    if board.unlisted:
        return Equilibria((), exact=False, how=board.unlisted)
    if board.symmetric:
        if board.replies_enumerable:
            return Equilibria(_of_equals(board), board.complete, enumerated(board), up_to_order=True)
    elif board.enumerable:
        return Equilibria(_of_all(board), board.complete, enumerated(board))
    return _by_best_replies(board)


def _of_all(board: Board[S]) -> tuple[Joint, ...]:
    shape = tuple(len(grid) for grid in board.grids)
    rows = board.rows()
    scores = board.score(rows)
    stable = np.ones(shape, dtype=bool)
    for agent in range(board.n):
        own = scores.units[:, agent].reshape(shape)
        stable &= own >= own.max(axis=agent, keepdims=True) - scores.slack
    return tuple(board.joint(rows[place].tolist()) for place in np.flatnonzero(stable.ravel()))


def _of_equals(board: Board[S]) -> tuple[Joint, ...]:
    """A combination is stable iff each action in it is a best reply to the rest."""
    others, rows = others_and_own(board)
    scores = board.score(rows)
    own = scores.units[:, 0].reshape(len(others), -1)
    replies = own >= own.max(axis=1, keepdims=True) - scores.slack
    index = {tuple(row): place for place, row in enumerate(others.tolist())}
    found = set()
    for place, action in np.argwhere(replies).tolist():
        profile = sorted([*others[place].tolist(), action])
        if tuple(profile) in found:
            continue
        rest = {a: index[tuple(_without(profile, a))] for a in set(profile)}
        if all(replies[rest[a], a] for a in rest):
            found.add(tuple(profile))
    return tuple(board.joint(profile) for profile in sorted(found))


def _without(profile: Sequence[int], action: int) -> list[int]:
    left = list(profile)
    left.remove(action)
    return left


def reply_rows(board: Board[S], row: NDArray[np.int64], agent: int) -> NDArray[np.int64]:
    """The row with each of the agent's actions in its place."""
    tried = np.repeat(row[None, :], len(board.grids[agent]), axis=0)
    tried[:, agent] = np.arange(len(board.grids[agent]))
    return tried


def _by_best_replies(board: Board[S]) -> Equilibria:
    found = set()
    for start in starts(board):
        row = start.copy()
        for _ in range(_SWEEPS):
            before = row.copy()
            for agent in range(board.n):
                tried = reply_rows(board, row, agent)
                scores = board.score(tried)
                own = scores.units[:, agent]
                if own[row[agent]] < own.max() - scores.slack:
                    row = tried[int(np.argmax(own))]
            if (row == before).all():
                found.add(tuple(sorted(row.tolist()) if board.symmetric else row.tolist()))
                break
    return Equilibria(
        tuple(board.joint(row) for row in sorted(found)),
        exact=False,
        how=f"best replies from {len(starts(board))} starts; there may be more",
        up_to_order=board.symmetric,
    )
