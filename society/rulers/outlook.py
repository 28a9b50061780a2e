"""What becomes of a commons if everybody goes on in the same way: whether a policy that looks sustainable is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from society.core.actions import Joint
from society.core.exact import Number
from society.core.mechanism import Mechanism, legalise
from society.core.seeds import Noise

S = TypeVar("S")

FAR = 1000
"""How many rounds are looked ahead."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The future of a stock under one way of playing.

    Attributes:
        verdict: ``sustained`` (the stock settles, and everybody gets what it asks for), ``depleted`` (it lives on, but no
            longer gives what is asked), ``collapsed``.
        rounds: after how many rounds it is dead; None if it does not die.
        least: the smallest stock on the way.
        exact: the play was followed until it repeats itself, or to its end, without luck; else it is one world, or only
            `FAR` rounds of it.
    """

    verdict: Literal["sustained", "depleted", "collapsed"]
    rounds: int | None
    least: Number
    exact: bool


def outlook(
    mechanism: Mechanism[S], play: Callable[[S, int], Joint], *, state: S | None = None, seed: int = 0, start: int = 1
) -> Outlook | None:
    """Follow a way of playing far beyond any horizon.

    Args:
        mechanism: the game.
        play: the joint action in a state and round; what a shrunken stock no longer allows becomes the nearest allowed.
        state: where it begins; the initial state if None.
        seed: the luck, where there is any.
        start: the number of the first round.

    Returns:
        None for a game without a stock that regrows.
    """
    here = mechanism.initial_state() if state is None else state
    if mechanism.sustainable(here) is None:
        return None
    if mechanism.over(here):
        return Outlook("collapsed", 0, 0, exact=True)
    least: Number | None = None
    seen: dict[S, int] = {}
    short: list[bool] = []  # whether somebody got less than it wanted, by round
    chancy = False
    for number in range(start, start + FAR):
        if here in seen and not chancy:
            return _alive(any(short[seen[here] :]), least, exact=True)
        seen[here] = len(short)
        wanted = play(here, number)
        joint = tuple(legalise(mechanism.space(here, agent), action) for agent, action in enumerate(wanted))
        step = mechanism.step(here, joint, Noise(seed, number))
        chancy = chancy or any(mechanism.step(here, joint, Noise(seed, number, world)) != step for world in (1, 2, 3))
        short.append(tuple(wanted) != joint or step.granted not in (None, joint))
        stocks = [stock for stock in (least, step.stock_before, step.stock_after) if stock is not None]
        least = min(stocks, default=None)
        if step.collapsed:
            return Outlook("collapsed", number - start + 1, least or 0, exact=not chancy)
        here = step.state
    return _alive(short[-1], least, exact=False)


def _alive(short: bool, least: Number | None, *, exact: bool) -> Outlook:
    return Outlook("depleted" if short else "sustained", None, least or 0, exact)


def lasts(seen: Outlook | None) -> bool | None:
    """Whether the stock lives on and gives what is asked; None where there is nothing to see."""
    return None if seen is None else seen.verdict == "sustained"
