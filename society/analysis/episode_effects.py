"""What a group's conduct came to over a whole episode: its rounds played again without the coalition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from society.analysis.effects import Effect, best_reply, effect_of
from society.core.actions import Action, Joint
from society.core.exact import Number, tidy
from society.core.mechanism import Game, legalise
from society.core.seeds import Noise
from society.rulers.scores import Board

S = TypeVar("S")

_SWEEPS = 100


@dataclass(frozen=True, slots=True)
class EpisodeEffect:
    """What one group brought about in an episode, compared with the same episode without it.

    Attributes:
        members: the group.
        gains: each agent's payoffs over the episode as played minus without the coalition.
        inside, outside: sums over members and over the others.
        effect: by the signs of both.
        effective: the members gained together.
        rational: no member lost.
        rounds_without: how many rounds the episode lasts without the coalition.
    """

    members: tuple[int, ...]
    gains: tuple[Number, ...]
    inside: Number
    outside: Number
    effect: Effect
    effective: bool
    rational: bool
    rounds_without: int


class Rerun(Generic[S]):
    """An episode that can be played again without some coalition.

    In every round the members reply for themselves to what the others did, one after the other until nobody moves; the
    others do what they did, or the nearest thing still allowed. The state goes its own way, so that a commons which
    collapses without the coalition counts as such. Replies look at the round alone, as those of agents on their own do.

    Args:
        game: the rules.
        start: the state the first round found.
        joints: what was played, round by round.
        seed: of the episode; the luck is that of the real rounds.
    """

    def __init__(self, game: Game[S], start: S, joints: Sequence[Joint], seed: int) -> None:
        self.game, self.start, self.joints, self.seed = game, start, tuple(joints), seed
        self._boards: dict[tuple[S, int], Board[S]] = {}
        self._replies: dict[tuple[S, int, Joint, int], Action] = {}
        self.played = self._run(())

    def effect(self, group: Sequence[int], *, tolerance: float = 1e-9) -> EpisodeEffect:
        """The effect of one group."""
        without = self._run(tuple(group))
        gains = [tidy(a - b) for a, b in zip(self.played[0], without[0], strict=True)]
        within = set(group)
        inside = tidy(sum(gain for agent, gain in enumerate(gains) if agent in within))
        outside = tidy(sum(gain for agent, gain in enumerate(gains) if agent not in within))
        floats = any(isinstance(gain, float) for gain in gains)
        slack = tolerance * max(1.0, *(abs(float(x)) for x in self.played[0])) if floats else 0
        return EpisodeEffect(
            members=tuple(sorted(within)),
            gains=tuple(gains),
            inside=inside,
            outside=outside,
            effect=effect_of(inside, outside, slack),
            effective=inside > slack,
            rational=all(gains[agent] >= -slack for agent in within),
            rounds_without=without[1],
        )

    def _run(self, group: tuple[int, ...]) -> tuple[list[Number], int]:
        state = self.start
        sums: list[Number] = [0] * self.game.agents
        for number, real in enumerate(self.joints, start=1):
            if self.game.over(state):
                return sums, number - 1
            joint = self._joint(state, number, real, group)
            done = self.game.step(state, joint, Noise(self.seed, number))
            sums = [tidy(a + b) for a, b in zip(sums, done.payoffs, strict=True)]
            state = done.state
        return sums, len(self.joints)

    def _joint(self, state: S, number: int, real: Joint, group: tuple[int, ...]) -> Joint:
        row = [self._allowed(state, agent, action) for agent, action in enumerate(real)]
        for _ in range(_SWEEPS if group else 0):
            before = list(row)
            for agent in group:
                row[agent] = self._reply(state, number, tuple(row), agent)
            if row == before:
                break
        return tuple(row)

    def _allowed(self, state: S, agent: int, action: Action) -> Action:
        space = self.game.space(state, agent)
        try:
            return legalise(space, action)
        except ValueError:
            return space.grid()[-1]

    def _reply(self, state: S, number: int, row: Joint, agent: int) -> Action:
        key = (state, number, row, agent)
        if key not in self._replies:
            spot = (state, number)
            if spot not in self._boards:
                self._boards[spot] = Board(self.game, state, Noise(self.seed, number))
            self._replies[key] = best_reply(self._boards[spot], list(row), agent)
        return self._replies[key]


def small_enough(game: Game[Any], state: Any, most: int = 400) -> bool:  # Any: a game of whatever state
    """Whether replies can be looked for: no agent has more than so many actions."""
    try:
        return all(len(grid) <= most for grid in Board(game, state, Noise(0)).grids)
    except ValueError:
        return False
