"""What a governed round leaves behind: how each rule stands, what it remembers, and rules that changed, with who changed them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from society.core.actions import Joint
from society.core.mechanism import Transition
from society.core.moment import Amendment, Change, Moment, Played
from society.core.rows import RuleEvent
from society.governance.detection import watched
from society.governance.institution import GovernedState
from society.governance.pipeline import Acted, Setting
from society.governance.power import seizure
from society.governance.rulebook import Rule, Rulebook


def told_by_mechanism(
    book: Rulebook,
    before: GovernedState,
    after: GovernedState,
    joint: Joint,
    outcome: Transition[Any],  # Any: any state
) -> tuple[RuleEvent, ...]:
    """What happened to the mechanism's own rules, and whether power over them was seized."""
    events: list[RuleEvent] = []
    for event in book.mechanism.told(before.physical, joint, outcome):
        events.append(event)
        if event.event == "amend":
            events.extend(_seizure(book, event.rule, event.agents, before, after))
    return tuple(events)


def stood(setting: Setting, after: GovernedState, done: Acted) -> tuple[GovernedState, tuple[RuleEvent, ...]]:
    """How the rules stand after a round, and those that were overthrown: hardly kept by anybody, although sanctions were due."""
    standings, events = list(after.standings), list[RuleEvent]()
    for rule, at, played in zip(setting.rules, setting.moments, done.seen, strict=True):
        standings[rule.place], told = watched(standings[rule.place], at.seats, played, done.events)
        events.extend(told)
    unchanged = all(new is old for new, old in zip(standings, after.standings, strict=True))
    return after if unchanged else replace(after, standings=tuple(standings)), tuple(events)


def remembered(
    setting: Setting, after: GovernedState, done: Acted
) -> tuple[GovernedState, tuple[tuple[str, Played], ...], tuple[RuleEvent, ...]]:
    """What each rule remembers of the round, balances being final; what each could look at; and what there is to tell."""
    seen, events = list[tuple[str, Played]](), list[RuleEvent]()
    for rule, at, played in zip(setting.rules, setting.moments, done.seen, strict=True):
        final = played if played.balances == done.balances else replace(played, balances=done.balances)
        seen.append((rule.id, final))
        change = rule.instrument.remember(now(at, after), rule.memory, final)
        after, told = changed(setting.book, after, rule, change)
        events.extend(told)
    return after, tuple(seen), tuple(events)


def changed(
    book: Rulebook, state: GovernedState, rule: Rule, change: Change
) -> tuple[GovernedState, tuple[RuleEvent, ...]]:
    """The state with a change applied, amendments one after the other, and all that there is to tell of it."""
    if change.standings is not None or change.ledger is not None or change.memory is not rule.memory:
        state = replace(
            state,
            memories=(*state.memories[: rule.place], change.memory, *state.memories[rule.place + 1 :]),
            standings=state.standings if change.standings is None else change.standings,
            ledger=state.ledger if change.ledger is None else change.ledger,
        )
    events = list(change.events)
    for amendment in change.amendments:
        before, state = state, replace(state, standings=amendment.standings)
        events.extend(_amended(book, rule.id, amendment, before, state))
    return state, tuple(events)


def now(at: Moment, state: GovernedState) -> Moment:
    """The same moment with the standings and the ledger as rules before have left them."""
    if at.standings is state.standings and at.ledger is state.ledger:
        return at
    return replace(at, standings=state.standings, ledger=state.ledger)


def _amended(
    book: Rulebook, rule: str, amendment: Amendment, before: GovernedState, after: GovernedState
) -> tuple[RuleEvent, ...]:
    about = rule if amendment.rule is None else amendment.rule
    event = RuleEvent(amendment.how, about, amendment.by, amendment.words, amendment.amount)
    return (event, *_seizure(book, about, amendment.by, before, after))


def _seizure(
    book: Rulebook, rule: str, by: tuple[int, ...], before: GovernedState, after: GovernedState
) -> tuple[RuleEvent, ...]:
    declared = [members for _, members in before.ledger.coalition_structure()]
    return seizure(rule, by, book.charters(before), book.charters(after), names=book.names, declared=declared)
