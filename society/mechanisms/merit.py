"""Which of several joint actions is the cooperative benchmark: the even one among the best."""

from __future__ import annotations

from collections.abc import Sequence

from society.core.exact import Number


def merit(payoffs: Sequence[Number]) -> tuple[Number, Number, Number]:
    """What the benchmark maximises, in this order: the sum, the smallest payoff, and (among equal sums) equality."""
    return sum(payoffs), min(payoffs), -spread(payoffs)


def spread(payoffs: Sequence[Number]) -> Number:
    """The sum of all differences between two agents' payoffs: among equal sums, the smaller has the smaller Gini."""
    ordered = sorted(payoffs)
    return sum(value * (2 * place - len(ordered) + 1) for place, value in enumerate(ordered))


def even_profile(total: int, agents: int) -> tuple[int, ...]:
    """A total in parts as equal as whole numbers allow, the smaller parts first."""
    each, spare = divmod(total, agents)
    return tuple(each + (seat >= agents - spare) for seat in range(agents))
