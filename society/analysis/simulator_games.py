"""Cooperative games read off the rules: what a coalition can reach, under several ideas of what the others do.

alpha    the others do their worst after the coalition has chosen [Aumann1959]_
beta     the others do their worst before it chooses
gamma    the others stay single and reply for themselves [ChanderTulkens1997]_ [HartKurz1983]_
delta    the others form one coalition [HartKurz1983]_
any partition into blocks [ThrallLucas1963]_
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.analysis.worth import members
from society.core.actions import Joint
from society.core.exact import Number, tidy
from society.core.mechanism import Game
from society.core.seeds import Noise
from society.rulers.scores import MAX_ENTRIES, Board, Scores

S = TypeVar("S")

MAX_AGENTS = 8
COARSE = 11
"""Where the full grid is too large, at most this many actions an agent are kept, evenly spaced."""

Kind = Literal["alpha", "beta", "gamma", "delta"]


@dataclass(frozen=True, slots=True)
class BlockValue:
    """What a coalition gets when each block of a partition acts as one player.

    Attributes:
        value: in the pure equilibrium that is worst for it (of several, the first in lexicographic order).
        low, high: over all pure equilibria.
        profile: that equilibrium.
        equilibrium_exact: it is an equilibrium; False where there is none and the profile of smallest NashConv stands in.
        epsilon: the largest gain any block could still make there.
    """

    value: Number
    low: Number
    high: Number
    profile: Joint
    equilibrium_exact: bool
    epsilon: Number


@dataclass(frozen=True, slots=True)
class CoalitionGame:
    """A cooperative game, by bitmask, and how far it can be trusted.

    Attributes:
        values: the worth of each coalition, the empty one first; goes into `shapley`, `core`, `nucleolus`.
        kind: alpha, beta, gamma or delta.
        equilibrium_exact: every value stands on a pure equilibrium (always for alpha and beta).
        grid_exact: every action was tried; False after coarsening.
        how: one line for the reader.
    """

    values: tuple[Number, ...]
    kind: Kind
    equilibrium_exact: bool
    grid_exact: bool
    how: str


class SimulatorGames(Generic[S]):
    """The stage game of one state as a source of cooperative games, by enumeration of every joint action.

    Args:
        game: the rules, bare or governed.
        state: the state; the initial one if None.
        noise: the luck of the round.
        actions: at most so many actions an agent, evenly spaced; as many as can be enumerated if None.

    Raises:
        ValueError: more than 8 agents, or still too many joint actions.
    """

    def __init__(
        self, game: Game[S], state: S | None = None, noise: Noise | None = None, *, actions: int | None = None
    ) -> None:
        if game.agents > MAX_AGENTS:
            raise ValueError(f"joint actions of at most {MAX_AGENTS} agents are enumerated, not of {game.agents}")
        self.board = Board(game, game.initial_state() if state is None else state, noise or Noise(0, 1))
        self.n = game.agents
        sizes = [len(grid) for grid in self.board.grids]
        limit = actions or (max(sizes) if prod(sizes) * self.n <= MAX_ENTRIES else COARSE)
        self.kept = [_spread(size, limit) for size in sizes]
        self.shape = tuple(len(places) for places in self.kept)
        self.grid_exact = self.board.complete and all(len(k) == size for k, size in zip(self.kept, sizes, strict=True))
        if prod(self.shape) * self.n > MAX_ENTRIES:
            raise ValueError(f"{prod(self.shape)} joint actions are too many to enumerate; ask for fewer actions")

    @cached_property
    def scores(self) -> Scores:
        """The scores of every joint action kept."""
        places = np.indices(self.shape).reshape(self.n, -1)
        rows = np.stack([kept[places[agent]] for agent, kept in enumerate(self.kept)], axis=1)
        return self.board.score(rows)

    def _sum(self, mask: int) -> NDArray[Any]:  # Any: whatever the table holds
        """What a coalition gets together, by joint action."""
        return np.asarray(self.scores.units[:, list(members(mask))].sum(axis=1).reshape(self.shape))

    def alpha(self) -> CoalitionGame:
        """v(S) = max over what S does of the min over what the others do."""
        return self._guarantee("alpha")

    def beta(self) -> CoalitionGame:
        """v(S) = min over what the others do of the max over what S does; never below alpha."""
        return self._guarantee("beta")

    def _guarantee(self, kind: Literal["alpha", "beta"]) -> CoalitionGame:
        values: list[Number] = [0]
        for mask in range(1, 1 << self.n):
            own = members(mask)
            others = tuple(agent for agent in range(self.n) if agent not in own)
            together = self._sum(mask)
            if kind == "alpha":
                worst = together.min(axis=others, keepdims=True) if others else together
                values.append(self.scores.value(worst.max()))
            else:
                best = together.max(axis=own, keepdims=True)
                values.append(self.scores.value(best.min()))
        return CoalitionGame(tuple(values), kind, True, self.grid_exact, self._how())

    def gamma(self) -> CoalitionGame:
        """v(S) in equilibrium against singletons."""
        return self._in_equilibrium("gamma")

    def delta(self) -> CoalitionGame:
        """v(S) in equilibrium against all others as one."""
        return self._in_equilibrium("delta")

    def _in_equilibrium(self, kind: Literal["gamma", "delta"]) -> CoalitionGame:
        values: list[Number] = [0]
        exact = True
        for mask in range(1, 1 << self.n):
            rest = ((1 << self.n) - 1) & ~mask
            others = [rest] if kind == "delta" and rest else [1 << agent for agent in members(rest)]
            found = self.partition([members(block) for block in (mask, *others)])[0]
            values.append(found.value)
            exact &= found.equilibrium_exact
        return CoalitionGame(tuple(values), kind, exact, self.grid_exact, self._how())

    def partition(self, blocks: Sequence[Sequence[int]]) -> tuple[BlockValue, ...]:
        """What each block of a partition gets in equilibrium, each judged by the equilibrium that is worst for it.

        Raises:
            ValueError: the blocks are not a partition of the agents.
        """
        if sorted(agent for block in blocks for agent in block) != list(range(self.n)):
            raise ValueError("every agent has to be in exactly one block")
        together = [self._sum(sum(1 << agent for agent in block)) for block in blocks]
        regrets = [own.max(axis=tuple(block), keepdims=True) - own for own, block in zip(together, blocks, strict=True)]
        total = sum(regrets[1:], regrets[0])
        stable = np.flatnonzero(total.ravel() <= self.scores.slack)
        exact = bool(len(stable))
        if not exact:
            stable = np.array([int(np.argmin(total))])
        found = []
        for own in together:
            reached = own.ravel()[stable]
            place = int(stable[int(np.argmin(reached))])
            regret = max(regret.ravel()[place] for regret in regrets)
            found.append(
                BlockValue(
                    value=self.scores.value(reached.min()),
                    low=self.scores.value(reached.min()),
                    high=self.scores.value(reached.max()),
                    profile=self._joint(place),
                    equilibrium_exact=exact,
                    epsilon=0 if exact else self.scores.value(regret),
                )
            )
        return tuple(found)

    def equal_split(self, blocks: Sequence[Sequence[int]]) -> tuple[Number, ...]:
        """What each agent gets when every block shares its value equally, in seat order."""
        shares: list[Number] = [0] * self.n
        for block, found in zip(blocks, self.partition(blocks), strict=True):
            exact = not isinstance(found.value, float)
            each = tidy(Fraction(found.value) / len(block)) if exact else found.value / len(block)
            for agent in block:
                shares[agent] = each
        return tuple(shares)

    def _joint(self, place: int) -> Joint:
        spots = np.unravel_index(place, self.shape)
        return self.board.joint([int(kept[int(spot)]) for kept, spot in zip(self.kept, spots, strict=True)])

    def _how(self) -> str:
        grid = "" if self.grid_exact else f", of at most {max(self.shape)} actions an agent"
        return f"enumeration of {prod(self.shape)} joint actions{grid}"


def _spread(size: int, at_most: int) -> NDArray[np.int64]:
    """Places of a grid, all of them or evenly spaced with both ends."""
    if size <= at_most:
        return np.arange(size, dtype=np.int64)
    return np.unique(np.linspace(0, size - 1, at_most).round().astype(np.int64))
