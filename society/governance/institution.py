"""What a governed round finds, does and leaves: states, transitions, and questions to agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeAlias

from society.core.actions import Action, Joint
from society.core.exact import Json, Number
from society.core.instrument import Played, Standing
from society.core.ledger import Ledger
from society.core.mechanism import SpaceOf, Transition
from society.core.rows import RuleEvent, Transfer

Decisions: TypeAlias = Mapping[tuple[int, str], Mapping[str, Action]]
"""What was decided, by (seat, purpose)."""

NO_DECISIONS: Decisions = {}

HUMAN = "/human"
"""What follows the id of a rule in the purpose of what a human decides for the agent that asked."""

REPLY = "/reply"
"""What follows the id of a rule in the purpose of a decision that answers to what others decided."""


@dataclass(frozen=True, slots=True)
class GovernedState:
    """The physical state and the institution's.

    Attributes:
        physical: the mechanism's state.
        round: the round it belongs to, counted from 1; stays 1 where no instrument could tell.
        memories: one per instrument.
        standings: one per instrument: in force, strength, amendments.
        ledger: what is agreed and on the table.
        pot: fines kept in common; shared equally among all at the end of the next round.
    """

    physical: Any  # Any: each mechanism has its own type of state
    round: int = 1
    memories: tuple[Any, ...] = ()  # Any: each instrument has its own type of memory
    standings: tuple[Standing, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    pot: Number = 0


@dataclass(frozen=True, slots=True)
class GovernedTransition(Transition[GovernedState]):
    """One round under governance: `payoffs` are after, `material` before all transfers.

    Attributes:
        legal: the actions within hard limits; executed: those the mechanism was played with.
        transfers: every unit that changed hands; payoffs are material plus these rows.
        rule_events: violations, detections, sanctions and the like.
        felt: payoffs as motivation colours them; equal to `payoffs` without a motivational instrument.
        outcome: the mechanism's own transition.
        seen: what each rule in force could look at, by its id; with balances final.
        settled: the state before votes were counted and the round was closed; `state` is the one with no votes at all.
    """

    legal: Joint = ()
    executed: Joint = ()
    material: tuple[Number, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    rule_events: tuple[RuleEvent, ...] = ()
    felt: tuple[Number, ...] = ()
    outcome: Transition[Any] | None = None
    seen: tuple[tuple[str, Played], ...] = ()
    settled: GovernedState | None = None

    @classmethod
    def of(
        cls,
        outcome: Transition[Any],
        state: GovernedState,
        payoffs: tuple[Number, ...],
        *,
        legal: Joint,
        executed: Joint,
        felt: tuple[Number, ...],
        rule_events: tuple[RuleEvent, ...],
        transfers: tuple[Transfer, ...] = (),
        seen: tuple[tuple[str, Played], ...] = (),
        settled: GovernedState | None = None,
    ) -> Self:
        """What governance made of the mechanism's transition: all that it says of the commons stays."""
        return cls(
            state=state,
            payoffs=payoffs,
            granted=outcome.granted,
            total=outcome.total,
            stock_before=outcome.stock_before,
            stock_after=outcome.stock_after,
            collapsed=outcome.collapsed,
            over=outcome.over,
            facts=outcome.facts,
            legal=legal,
            executed=executed,
            material=outcome.payoffs,
            transfers=transfers,
            rule_events=rule_events,
            felt=felt,
            outcome=outcome,
            seen=seen,
            settled=settled,
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """A further decision of one agent.

    Attributes:
        agent: its seat.
        purpose: the id of the rule that asks, with ``/human`` where a human is asked on the agent's behalf, and ``/reply``
            where it answers to what others decided; unique per agent.
        template: which template words it, with `variables`; below ``prompts/``.
        parts: the fields of the answer with the space of each.
    """

    agent: int
    purpose: str
    template: str
    variables: Mapping[str, Json]
    parts: Mapping[str, SpaceOf]


class Closed(NamedTuple):
    """The state after a move or a vote, and what there is to tell."""

    state: GovernedState
    rule_events: tuple[RuleEvent, ...] = ()
