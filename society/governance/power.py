"""Seizures: changes of the rules after which power over them is not where it was.

The votes in force define a simple game: a coalition wins if it can change the rules alone. Power is the normalised Banzhaf
index of that game, and its concentration the sum of squares [Banzhaf1965]_ [Herfindahl1950]_.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from society.core.rows import RuleEvent
from society.core.votes import Ballot, concentration, power_index, smallest_winning

Charters = Mapping[str, Ballot]
"""By rule, the vote by which rules can be changed under it."""

SEIZED_RISE = Fraction(1, 5)
"""By how much the concentration of power must rise for a change of the rules to count as a seizure."""
_MOST_NAMED = 12
"""Of more voters than this the smallest groups that were enough are not told: there are too many."""


def seizure(
    rule: str,
    by: tuple[int, ...],
    before: Charters,
    after: Charters,
    *,
    names: Sequence[str],
    declared: Sequence[tuple[int, ...]] = (),
) -> tuple[RuleEvent, ...]:
    """The event of a seizure of power, by exactly those who brought the change about; nothing where it was none.

    It is one when an agent, or a declared coalition, can change the rules alone that could not before, or when the
    concentration of power rises by `SEIZED_RISE` or more.
    """
    if dict(before) == dict(after):
        return ()
    old, new, n = tuple(before.values()), tuple(after.values()), len(names)
    alone = risen(before, after, n, declared)
    rise = concentration(power_index(new, n)) - concentration(power_index(old, n))
    if not alone and rise < SEIZED_RISE:
        return ()
    told = [f"can now change the rules alone: {'; '.join(_named(g, names) for g in alone)}"] if alone else []
    told += [f"the concentration of power rises by {_rounded(rise)}"] if rise >= SEIZED_RISE else []
    needed = smallest_winning(old, by) if len(by) <= _MOST_NAMED else ()
    if needed and needed != (by,):
        told.append(f"enough for it: {'; '.join(_named(g, names) for g in needed)}")
    return (RuleEvent("seizure", rule, by, "; ".join(told), rise),)


def risen(
    before: Charters, after: Charters, agents: int, declared: Sequence[tuple[int, ...]] = ()
) -> tuple[tuple[int, ...], ...]:
    """The agents, and the declared coalitions, that can change the rules alone after a change and could not before."""
    old, new = tuple(before.values()), tuple(after.values())
    groups = dict.fromkeys([*((seat,) for seat in range(agents)), *declared])
    return tuple(group for group in groups if _wins(new, group) and not _wins(old, group))


def _wins(ballots: Sequence[Ballot], group: Sequence[int]) -> bool:
    return any(ballot.won_by(group) for ballot in ballots)


def _named(group: Sequence[int], names: Sequence[str]) -> str:
    return ", ".join(names[seat] for seat in group)


def _rounded(share: Fraction | int | float) -> str:
    return f"{float(share):.2f}"
