"""Mixed equilibria of a few unlike agents with two actions each: every group that mixes, the others being sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product
from typing import Any, TypeAlias

from society.core.arrays import NDArray, np
from society.rulers.multilinear import zeros

Cells: TypeAlias = "NDArray[Any]"  # Any: Fraction; one axis of two for each agent, the last one for whose payoff it is
Chance: TypeAlias = Fraction | float
Chances: TypeAlias = tuple[Chance, ...]
"""For each agent the chance of its second action."""

_LARGEST_DENOMINATOR = 10_000
_SLACK = 1e-9


def mixing_groups(cells: Cells) -> tuple[Chances, ...]:
    """The equilibria in which two agents or more mix, but for whole curves of them, as payoffs that tie can make.

    Chances are fractions where a rational solution is found, and then exact; else floats, right to the last digits.
    """
    n = cells.ndim - 1
    found: list[Chances] = []
    for size in range(2, n + 1):
        for group in combinations(range(n), size):
            sure = [seat for seat in range(n) if seat not in group]
            for actions in product((0, 1), repeat=len(sure)):
                solved = _indifferent(cells, group, dict(zip(sure, actions, strict=True)))
                found += [chances for chances in solved if all(_content(cells, chances, seat) for seat in sure)]
    return tuple(found)


def payoff(cells: Cells, chances: Sequence[Chance], agent: int, own: Chance | None = None) -> Chance:
    """What an agent expects, with its own chance of the second action as it is, or as given."""
    level: Any = cells[..., agent]  # Any: an array of objects, in the end one of them
    for seat, chance in enumerate(chances):
        share = own if own is not None and seat == agent else chance
        level = (1 - share) * level[0] + share * level[1]
    expected: Chance = level
    return expected


def _content(cells: Cells, chances: Chances, agent: int) -> bool:
    """Whether an agent that is sure does no better by its other action."""
    now, other = payoff(cells, chances, agent), payoff(cells, chances, agent, 1 - chances[agent])
    return other <= now if isinstance(now, Fraction) else other <= now + _SLACK * max(1.0, abs(now))


def _indifferent(cells: Cells, group: tuple[int, ...], sure: dict[int, int]) -> list[Chances]:
    """Mixtures of a group in which none of it minds which of its actions comes up, the others' actions being given."""
    gains = [_gain(cells, agent, group, sure) for agent in group]
    if len(group) == 2:  # linear: what one gains depends on the other's chance alone
        solved = list(_of_two(gains[1][:, 0], gains[0][0, :]))
    else:
        near = zeros([gain.astype(np.float64) for gain in gains])
        solved = [_rational(gains, root.tolist()) for root in near]
    mixtures = []
    for solution in solved:
        chances: dict[int, Chance] = {seat: Fraction(action) for seat, action in sure.items()}
        chances |= dict(zip(group, solution, strict=True))
        mixtures.append(tuple(chances[seat] for seat in sorted(chances)))
    return mixtures


def _gain(cells: Cells, agent: int, group: tuple[int, ...], sure: dict[int, int]) -> Cells:
    """What the second action gives an agent more than the first, by the actions of the group (its own does not matter)."""
    places = tuple(sure.get(seat, slice(None)) for seat in range(cells.ndim - 1))
    own = cells[(*places, agent)]
    axis = group.index(agent)
    difference = np.take(own, [1], axis=axis) - np.take(own, [0], axis=axis)
    return np.broadcast_to(difference, own.shape)


def _of_two(by_first: Cells, by_second: Cells) -> Iterator[tuple[Chance, ...]]:
    """Where both gains vanish: that of the second agent, by the first one's action, and the other way round."""
    roots = [_zero_between(by_first), _zero_between(by_second)]
    if roots[0] is not None and roots[1] is not None:
        yield roots[0], roots[1]


def _zero_between(ends: Cells) -> Fraction | None:
    low, high = ends
    return Fraction(low) / (low - high) if low * high < 0 else None


def _rational(gains: Sequence[Cells], root: Sequence[float]) -> tuple[Chance, ...]:
    """The fractions near a root, where they solve it exactly; else the root itself."""
    guess = [Fraction(value).limit_denominator(_LARGEST_DENOMINATOR) for value in root]
    exact = all(0 < value < 1 for value in guess) and not any(_mean(gain, guess) for gain in gains)
    return tuple(guess if exact else root)


def _mean(gain: Cells, chances: Sequence[Fraction]) -> Fraction:
    level: Any = gain  # Any: an array of objects, in the end one of them
    for chance in chances:
        level = (1 - chance) * level[0] + chance * level[1]
    mean: Fraction = level
    return mean
