"""The governed round up to the last payment, stage by stage:

    restrict -> legalise (-> a human answers those who ask) -> transform -> the mechanism's step -> detect -> pay

Pure functions: what the stages before have made goes in, what the next stages need comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from society.core.actions import Action, Joint
from society.core.acts import Known
from society.core.exact import Number, tidy
from society.core.instrument import Moment, Played
from society.core.mechanism import SpaceOf, Transition
from society.core.rows import RuleEvent, Transfer
from society.core.seeds import Noise
from society.governance.detection import judged, told
from society.governance.institution import HUMAN, REPLY, Decisions, GovernedState
from society.governance.rulebook import Rule, Rulebook


@dataclass(frozen=True, slots=True)
class Setting:
    """What one state fixes before anybody acts: the rules in force, what each allows each seat, and who plays with whom.

    `known` remembers what has been worked out of it for many joint actions at once.
    """

    book: Rulebook
    state: GovernedState
    noise: Noise
    rules: tuple[Rule, ...]
    moments: tuple[Moment, ...]
    spaces: tuple[SpaceOf, ...]
    hard: tuple[SpaceOf, ...]
    allowed: tuple[tuple[SpaceOf | None, ...], ...]
    groups: tuple[tuple[int, ...], ...] | None = None
    exempt: frozenset[int] = frozenset()
    known: Known = field(default_factory=Known, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Acted:
    """A round up to the last payment."""

    legal: Joint
    executed: Joint
    outcome: Transition[Any]  # Any: each mechanism has its own type of state
    seen: tuple[Played, ...]
    events: tuple[RuleEvent, ...]
    transfers: tuple[Transfer, ...]
    balances: tuple[Number, ...]
    pot: Number


def restricted(book: Rulebook, state: GovernedState, noise: Noise, exempt: frozenset[int]) -> Setting:
    """Which rules are in force and what they allow: hard rules mask, soft and advisory ones leave possible."""
    rules = book.in_force(state)
    seats = range(book.mechanism.agents)
    return Setting(
        book=book,
        state=state,
        noise=noise,
        rules=rules,
        moments=tuple(replace(book.moment(state, rule), noise=noise) for rule in rules),
        spaces=tuple(book.space(state, agent) for agent in seats),
        hard=tuple(book.hard(state, agent) for agent in seats),
        allowed=tuple(tuple(book.allowed(state, rule, agent) for agent in seats) for rule in rules),
        groups=book.groups(state),
        exempt=exempt,
    )


def acted(setting: Setting, joint: Joint, decisions: Decisions) -> Acted:
    """All the stages in their order."""
    legal = legalised(setting, joint)
    setting = answered(setting, decisions)
    executed = transformed(setting, legal)
    done = Played(legal, executed, stepped(setting, executed), setting.noise)
    seen, events = detected(setting, done, decisions)
    return paid(setting, done, seen, events)


def legalised(setting: Setting, joint: Joint) -> Joint:
    """The nearest possible actions."""
    return tuple(
        action if space.contains(action) else setting.book.clamped(setting.hard[agent], action, setting.state, agent)
        for agent, (space, action) in enumerate(zip(setting.spaces, joint, strict=True))
    )


def answered(setting: Setting, decisions: Decisions) -> Setting:
    """The setting with what humans answered to those who asked them."""
    if not any(purpose.endswith(HUMAN) for _, purpose in decisions):
        return setting
    moments = tuple(
        replace(at, answers=decided_under(decisions, rule.id + HUMAN))
        for rule, at in zip(setting.rules, setting.moments, strict=True)
    )
    return replace(setting, moments=moments)


def transformed(setting: Setting, legal: Joint) -> Joint:
    """The actions that are executed: mediators and mandates put others in their place, within hard limits."""
    joint = legal
    for rule, at in zip(setting.rules, setting.moments, strict=True):
        joint = rule.instrument.transform(at, rule.memory, joint)
    return tuple(
        legal[agent]
        if agent in setting.exempt
        else setting.book.clamped(setting.hard[agent], action, setting.state, agent)
        for agent, action in enumerate(joint)
    )


def stepped(setting: Setting, executed: Joint) -> Transition[Any]:  # Any: as in `Acted`
    """What the mechanism makes of the executed actions: in one group, or in groups that play apart."""
    book, state = setting.book, setting.state
    if setting.groups is None:
        return book.mechanism.step(state.physical, executed, setting.noise)
    return _played_apart(book, state, setting.groups, executed, setting.noise)


def detected(setting: Setting, done: Played, decisions: Decisions) -> tuple[tuple[Played, ...], tuple[RuleEvent, ...]]:
    """By rule, what it can look at: its breaches, noticed and sanctioned by chance, and what was decided under it."""
    seen: list[Played] = []
    events: list[RuleEvent] = []
    defying = setting.state.ledger.defying
    for rule, at, within in zip(setting.rules, setting.moments, setting.allowed, strict=True):
        allowed = within
        if rule.instrument.enforcement == "hard":
            # it could not be broken; what is outside was forced by another rule
            pairs = zip(within, done.executed, strict=True)
            allowed = tuple(a if a is not None and a.contains(action) else None for a, action in pairs)
        played = replace(
            done,
            allowed=allowed,
            decisions=decided_under(decisions, rule.id),
            replies=decided_under(decisions, rule.id + REPLY),
        )
        breaches = tuple(
            judged(rule, breach, setting.noise, defying=(breach.agent, rule.id) in defying)
            for breach in rule.instrument.breaches(at, rule.memory, played)
        )
        seen.append(replace(played, breaches=breaches) if breaches else played)
        events.extend(event for breach in breaches for event in told(rule, breach))
    broken = tuple(
        (rule.id, breach) for rule, played in zip(setting.rules, seen, strict=True) for breach in played.breaches
    )
    return tuple(replace(played, broken=broken) for played in seen) if broken else tuple(seen), tuple(events)


def paid(setting: Setting, done: Played, seen: Sequence[Played], events: Sequence[RuleEvent]) -> Acted:
    """Taxes, fines, sanctions, contracts and rebates, rule by rule; each finds the balances the one before has left."""
    after, happened = list(seen), list(events)
    transfers = _shared_pot(setting.state, setting.book.mechanism.agents)
    balances = settled(done.outcome.payoffs, transfers)
    pot: Number = 0
    for place, (rule, at) in enumerate(zip(setting.rules, setting.moments, strict=True)):
        after[place] = replace(after[place], balances=balances)
        due = rule.instrument.pay(at, rule.memory, after[place])
        transfers.extend(due.transfers)
        happened.extend(due.events)
        balances = settled(balances, due.transfers)
        pot += sum(row.amount for row in due.transfers if row.payee is None and row.reason == "pot")
    return Acted(
        legal=done.legal,
        executed=done.executed,
        outcome=done.outcome,
        seen=tuple(after),
        events=tuple(happened),
        transfers=tuple(transfers),
        balances=balances,
        pot=tidy(pot),
    )


def feelings(setting: Setting, done: Acted) -> tuple[Number, ...]:
    """What motivation makes of the final balances, rule by rule; it changes none of them."""
    felt = done.balances
    for rule, at, played in zip(setting.rules, setting.moments, done.seen, strict=True):
        final = played if played.balances == done.balances else replace(played, balances=done.balances)
        felt = rule.instrument.feel(at, rule.memory, final, felt)
    return felt


def settled(balances: Sequence[Number], rows: Sequence[Transfer]) -> tuple[Number, ...]:
    """The balances after these transfers."""
    after = list(balances)
    for row in rows:
        if row.payer is not None:
            after[row.payer] = tidy(after[row.payer] - row.amount)
        if row.payee is not None:
            after[row.payee] = tidy(after[row.payee] + row.amount)
    return tuple(after)


def decided_under(decisions: Decisions, purpose: str) -> Mapping[int, Mapping[str, Action]]:
    """What was decided for one purpose, by seat."""
    return {seat: parts for (seat, name), parts in sorted(decisions.items()) if name == purpose}


def _shared_pot(state: GovernedState, agents: int) -> list[Transfer]:
    """Last round's pot, paid out to all alike."""
    if not state.pot:
        return []
    each = tidy(Fraction(state.pot) / agents)
    return [Transfer(None, agent, each, "pot", "pot_share") for agent in range(agents)]


def _played_apart(
    book: Rulebook, state: GovernedState, groups: Sequence[tuple[int, ...]], executed: Joint, noise: Noise
) -> Transition[Any]:  # Any: as in `Acted`
    """One transition of several groups that each play among themselves; each further group has luck of its own."""
    payoffs: dict[int, Number] = {}
    totals: list[Number | None] = []
    for place, group in enumerate(group for group in groups if group):
        luck = noise if not place else replace(noise, seed=noise.bits("group", place))
        outcome = book.sized(group).step(state.physical, tuple(executed[seat] for seat in group), luck)
        payoffs |= dict(zip(group, outcome.payoffs, strict=True))
        totals.append(outcome.total)
    known = [total for total in totals if total is not None]
    return Transition(
        state=state.physical,
        payoffs=tuple(payoffs[seat] for seat in range(len(executed))),
        total=tidy(sum(known)) if len(known) == len(totals) else None,
    )
