"""What was possible in a whole episode."""

from __future__ import annotations

from typing import Any, TypeVar

from society.core.exact import Number, tidy
from society.core.mechanism import Bound, Mechanism
from society.core.seeds import Noise
from society.rulers.scores import MAX_ENTRIES, Board

S = TypeVar("S")

MAX_STATES = 5_000
"""How many (round, state) pairs the dynamic programme visits before it gives up."""


class _TooLarge(Exception):
    pass


def episode_optimum(mechanism: Mechanism[S], rounds: int, *, seed: int = 0) -> Bound | None:
    """The largest welfare over an episode, all agents acting for it.

    From the mechanism's closed form, of the episode or, without a state, of the round; else a dynamic programme over the
    states that joint actions reach. None if those are too many.

    Args:
        mechanism: the game; games of chance are judged in the one world of `seed`.
        rounds: how many are planned.
        seed: the seed of the noise.
    """
    start = mechanism.initial_state()
    known = mechanism.known_value(rounds, None)
    if known is not None:
        return Bound(known(start), how="closed form over the episode")
    stage = mechanism.known_optimum(start)
    if stage is not None and mechanism.repeated:
        return Bound(tidy(rounds * stage.value), None, stage.exact, f"{rounds} times a round's: {stage.how}")
    programme = _Programme(mechanism, rounds, seed)
    try:
        value = programme.value(start, 1)
    except _TooLarge:
        return None
    how = f"dynamic programme over {len(programme.values)} states"
    return Bound(value, None, programme.complete, how)


class _Programme:
    """Backward induction with memory."""

    def __init__(self, mechanism: Mechanism[Any], rounds: int, seed: int) -> None:
        self.mechanism, self.rounds, self.seed = mechanism, rounds, seed
        self.values: dict[tuple[object, int], Number] = {}
        self.complete = True

    def value(self, state: object, number: int) -> Number:
        if number > self.rounds or self.mechanism.over(state):
            return 0
        if (state, number) in self.values:
            return self.values[state, number]
        if len(self.values) >= MAX_STATES:
            raise _TooLarge
        noise = Noise(self.seed, number)
        board = Board(self.mechanism, state, noise)
        if board.size * board.n > MAX_ENTRIES // 8:
            raise _TooLarge
        self.complete &= board.complete
        found = max(welfare + self.value(after, number + 1) for after, welfare in board.outcomes())
        self.values[state, number] = found
        return found
