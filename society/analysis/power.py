"""Who holds the power over the rules, and when it was seized.

The rules in force define a simple game: a coalition wins if it can amend them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from society.analysis.banzhaf_index import banzhaf
from society.core.exact import Number, tidy
from society.core.votes import Ballot, concentration, smallest_winning, wins
from society.governance.power import SEIZED_RISE, risen

MAX_AGENTS = 16


@dataclass(frozen=True, slots=True)
class Power:
    """Power under one set of rules.

    Attributes:
        index: normalised Banzhaf index of each agent; None if nothing can pass.
        hhi: its concentration, sum of squares: 1/n when even, 1 for a dictator.
        weights_hhi: the concentration of the votes themselves; None for rules without votes.
        decisiveness: share of all coalitions that win.
        veto: agents without whom nothing passes.
        dummies: agents who never make a difference.
        minimal: the winning coalitions that lose without any one of their members.
    """

    index: tuple[Number, ...] | None
    hhi: Number | None
    weights_hhi: Number | None
    decisiveness: Number
    veto: tuple[int, ...]
    dummies: tuple[int, ...]
    minimal: tuple[tuple[int, ...], ...]


def voting_power(quota: Number, weights: Sequence[Number]) -> Power:
    """Power in a weighted vote.

    Raises:
        ValueError: more than 16 agents, or a negative weight.
    """
    whole = sum(weights)
    shares = [Fraction(weight) / Fraction(whole) for weight in weights] if whole else None
    return power_of(
        len(weights), lambda group: wins(quota, weights, group), None if shares is None else concentration(shares)
    )


def power_of(n: int, winning: Callable[[frozenset[int]], bool], weights_hhi: Number | None = None) -> Power:
    """Power in any simple game: `winning` says whether a coalition can amend the rules alone.

    Raises:
        ValueError: more than 16 agents.
    """
    if not 1 <= n <= MAX_AGENTS:
        raise ValueError(f"all coalitions of 1 to {MAX_AGENTS} agents are looked at, not of {n}")
    table = [int(winning(frozenset(a for a in range(n) if mask >> a & 1))) for mask in range(1 << n)]
    strong = [mask for mask, won in enumerate(table) if won]
    index = banzhaf(n, table).normalised if not table[0] else None
    kept = (1 << n) - 1
    for mask in strong:
        kept &= mask
    minimal = [mask for mask in strong if not any(mask >> a & 1 and table[mask & ~(1 << a)] for a in range(n))]
    useful = 0
    for mask in minimal:
        useful |= mask
    return Power(
        index=index,
        hhi=None if index is None else tidy(concentration(index)),
        weights_hhi=None if weights_hhi is None else tidy(weights_hhi),
        decisiveness=tidy(Fraction(len(strong), 1 << n)),
        veto=_seats(kept, n) if strong else (),
        dummies=tuple(a for a in range(n) if not useful >> a & 1),
        minimal=tuple(sorted((_seats(mask, n) for mask in minimal), key=lambda group: (len(group), group))),
    )


def seizure_index(hhi: Number, first: Number) -> Number | None:
    """How far power has moved from the beginning (0) towards a dictator (1); None if it began there."""
    if first == 1:
        return None
    return tidy(Fraction(hhi - first) / Fraction(1 - first))


@dataclass(frozen=True, slots=True)
class Seizure:
    """A change of the rules after which somebody can rule alone who could not before, or power is more concentrated.

    Attributes:
        alone: agents, and declared coalitions, that win by themselves now and did not before.
        rise: how much the concentration of power rose.
        carried_by: those who voted for it.
        minimal: the smallest groups among them that were enough under the rules before; each of their members was needed.
    """

    alone: tuple[tuple[int, ...], ...]
    rise: Number
    carried_by: tuple[int, ...]
    minimal: tuple[tuple[int, ...], ...]


def seizure(
    before: Ballot, after: Ballot, carried_by: Sequence[int], declared: Sequence[Sequence[int]] = ()
) -> Seizure | None:
    """Whether a change of rules was a seizure of power, and who carried it; None if it was none.

    Args:
        before: the rules under which it was voted.
        after: the rules that follow.
        carried_by: who voted for it.
        declared: coalitions in force, beside the single agents.
    """
    n = len(before.weights)
    alone = risen({"": before}, {"": after}, n, [tuple(sorted(group)) for group in declared])
    old, new = voting_power(before.quota, before.weights).hhi, voting_power(after.quota, after.weights).hhi
    rise = tidy((new or 0) - (old or 0)) if new is not None and old is not None else 0
    if not alone and rise < SEIZED_RISE:
        return None
    return Seizure(alone, rise, tuple(sorted(carried_by)), smallest_winning((before,), carried_by))


def _seats(mask: int, n: int) -> tuple[int, ...]:
    return tuple(a for a in range(n) if mask >> a & 1)
