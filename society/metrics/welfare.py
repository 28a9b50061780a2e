"""How much there was for all together, and how much there could have been."""

from __future__ import annotations

from society.core.exact import Number
from society.core.prices import price_parts
from society.core.record import Record
from society.metrics.measure import NOT_APPLICABLE, Measured, Reference, metric, ratio


@metric("total_welfare", unit="payoff units, summed over agents and rounds", better="higher")
def total_welfare(record: Record) -> Measured:
    """Welfare W: all payoffs of all agents, after governance."""
    return Measured(sum(record.gains))


@metric("efficiency", unit="payoff units per round, all agents together", source="Perolat2017", better="higher")
def efficiency(record: Record) -> Measured:
    """Efficiency U: total payoff per planned round [Perolat2017]_.

    U = sum R_i / T. After a collapse the unplayed rounds count as rounds in which nobody got anything.
    """
    return ratio(sum(record.gains), record.horizon)


@metric("welfare_efficiency", unit="0 (reference) to 1 (optimum); negative below the reference", better="higher")
def welfare_efficiency(record: Record, reference: Reference) -> Measured:
    """Share of the possible gain over a reference that was realised: (W - W_ref) / (W_opt - W_ref).

    W_ref is the reference's `baseline`, else its worst equilibrium. None without them, or if they equal the optimum.
    """
    base = reference.baseline if reference.baseline is not None else reference.worst_equilibrium
    if reference.optimum is None or base is None:
        return NOT_APPLICABLE
    return ratio(sum(record.gains) - base, reference.optimum - base)


def _price(optimum: Number | None, reached: Number | None) -> Measured:
    parts = price_parts(optimum, reached)
    return NOT_APPLICABLE if parts is None else ratio(*parts)


@metric(
    "price_of_anarchy", unit="at least 1; 1 means that no equilibrium is bad", source="Koutsoupias1999", better="lower"
)
def price_of_anarchy(record: Record, reference: Reference) -> Measured:
    """Optimum over the worst equilibrium [Koutsoupias1999]_: a property of the game, not of what was played.

    For costs the worst equilibrium over the optimum. None unless both have the same sign.
    """
    return _price(reference.optimum, reference.worst_equilibrium)


@metric(
    "price_of_stability",
    unit="at least 1; 1 means that some equilibrium is optimal",
    source="Anshelevich2008",
    better="lower",
)
def price_of_stability(record: Record, reference: Reference) -> Measured:
    """Optimum over the best equilibrium [Anshelevich2008]_: a property of the game, not of what was played."""
    return _price(reference.optimum, reference.best_equilibrium)


@metric("empirical_price_of_anarchy", unit="at least 1; 1 means optimal play", better="lower")
def empirical_price_of_anarchy(record: Record, reference: Reference) -> Measured:
    """Optimum over the welfare that was realised; for costs the other way round. None unless both have one sign."""
    return _price(reference.optimum, sum(record.gains))
