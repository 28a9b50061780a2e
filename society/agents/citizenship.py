"""What a citizen does with the institutions there are: moves that scripts and offline models make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from society.core.actions import Action, Amount
from society.core.mechanism import SpaceOf
from society.core.moves import MOST_MOVES, Move, Offer
from society.governance.governed import GovernedState

Term = Callable[[str, SpaceOf], Action | None]
"""The value of a term of an agreement, by its name and space; None where there is none to propose."""


def civil_moves(offers: Sequence[Offer], agent: int, standing: GovernedState | None, term: Term) -> tuple[Move, ...]:
    """It signs, accepts and joins what is offered, and votes yes.

    The first agent proposes one agreement with all the others at a time, and moves to bring rules into force that are not.
    """
    found: list[Move] = []
    for offer in offers:
        if offer.kind in ("sign", "accept", "join"):
            found += [Move(offer.kind, offer.rule, target=target) for target in offer.targets]
        elif offer.kind == "vote":
            found += [Move("vote", offer.rule, target=target, choice="yes") for target in offer.targets]
        elif offer.kind == "propose" and agent == 0 and not _agreed(offer, agent, standing):
            terms = [(name, term(name, space)) for name, space in offer.terms.items()]
            if all(value is not None for _, value in terms):
                whole = tuple((name, value) for name, value in terms if value is not None)
                found.append(Move("propose", offer.rule, members=offer.seats, terms=whole))
        elif offer.kind == "motion" and agent == 0:
            waiting = tuple((name, "yes") for name in offer.terms if name in _out_of_force(standing))
            moved = standing is not None and any(m.terms == waiting for m in standing.ledger.open_motions)
            found += [] if moved else [Move("motion", offer.rule, terms=waiting)] if waiting else []
    return tuple(found[:MOST_MOVES])


def civil_term(name: str, space: SpaceOf, fair: Action | None, penalty: int | Fraction | None = None) -> Action | None:
    """What a citizen writes into an agreement: the largest penalty there is (or this one), and what is fair."""
    if name == "penalty" and isinstance(space, Amount):
        return space.high if penalty is None else min(penalty, space.high)
    near = None if fair is None else space.nearest(fair)
    return space.grid(at_most=2)[0] if near is None else near


def _agreed(offer: Offer, agent: int, standing: GovernedState | None) -> bool:
    """Whether an agreement under this rule binds the agent, or waits for others."""
    return standing is not None and any(
        agent in proposal.accepted for proposal in standing.ledger.under(offer.rule, "open", "in_force")
    )


def _out_of_force(standing: GovernedState | None) -> frozenset[str]:
    rules = standing.standings if standing is not None else ()
    return frozenset(f"{rule.rule}.in_force" for rule in rules if not rule.in_force)
