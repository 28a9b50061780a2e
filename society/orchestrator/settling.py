"""What a round came to: for the log, and for each agent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from society.core.events import Settled
from society.core.exact import Json, plain
from society.core.mechanism import Fact
from society.core.policy import Happened
from society.core.rows import RuleEvent
from society.governance.governed import GovernedTransition
from society.scenario.model import Disclosure

PRIVATE_EVENTS = frozenset({"violation", "evade"})
"""Rule events nobody but the agent itself is told: a violation that was not detected."""

UNTOLD_EVENTS = frozenset({"overthrow", "seizure"})
"""What a reader makes of events that agents are told as they are: a rule that lapsed, an amendment."""


def settled(
    number: int,
    outcome: GovernedTransition,
    *,
    before: Json,
    after: Json,
    coalitions: tuple[tuple[str, tuple[int, ...]], ...],
    rule_events: Sequence[RuleEvent],
) -> Settled:
    """The event of a whole round, from the states it found and left as JSON and the coalitions it found."""
    return Settled(
        round=number,
        executed=outcome.executed,
        payoffs=outcome.payoffs,
        material=outcome.material,
        state_before=before,
        state_after=after,
        granted=outcome.granted,
        total=outcome.total,
        stock_before=outcome.stock_before,
        stock_after=outcome.stock_after,
        collapsed=outcome.collapsed,
        over=outcome.over,
        facts={name: _fact(value) for name, value in outcome.facts.items()},
        transfers=outcome.transfers,
        rule_events=tuple(rule_events),
        coalitions=coalitions,
    )


def public_results(
    number: int, outcome: GovernedTransition, rule_events: Sequence[RuleEvent], disclosure: Disclosure
) -> Iterator[Happened]:
    """What each agent is told of a round, in seat order: one and the same where nothing is for one agent alone."""
    agents = len(outcome.payoffs)
    if disclosure.actions and disclosure.payoffs and not outcome.transfers and not rule_events:
        yield from repeat(public_result(number, 0, outcome, rule_events, disclosure), agents)
        return
    for agent in range(agents):
        yield public_result(number, agent, outcome, rule_events, disclosure)


def public_result(
    number: int, agent: int, outcome: GovernedTransition, rule_events: Sequence[RuleEvent], disclosure: Disclosure
) -> Happened:
    """What one agent is told of a round: its own part always, the others' as far as the scenario discloses it."""

    def shown(seat: int, public: bool) -> bool:
        return public or seat == agent

    seats = range(len(outcome.payoffs))
    granted = outcome.granted if disclosure.actions else None
    return Happened(
        round=number,
        requested=tuple(outcome.legal[seat] if shown(seat, disclosure.actions) else None for seat in seats),
        granted=granted,
        payoffs=tuple(outcome.payoffs[seat] if shown(seat, disclosure.payoffs) else None for seat in seats),
        facts=outcome.facts,
        transfers=tuple(row for row in outcome.transfers if agent in (row.payer, row.payee)),
        rule_events=tuple(
            row
            for row in rule_events
            if row.event not in UNTOLD_EVENTS and (row.event not in PRIVATE_EVENTS or agent in row.agents)
        ),
    )


def _fact(value: Fact) -> Json:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, tuple):
        return [None if part is None else plain(part) for part in value]
    return plain(value)
