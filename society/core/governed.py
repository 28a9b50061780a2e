"""A mechanism under instruments: the whole round, as one game.

What an orchestrator calls, in this order; everything is pure, states are immutable:

    game = Governed(mechanism, instruments, names)       names decide how answers name agents; default: "0", "1", ...
    state = game.initial_state()
    while not game.over(state):
        game.observe(state, i), game.rules_for(state, i)       facts, and (template, variables) of each rule's paragraph
        game.offers(state, i)                                  which typed moves exist now (Speak.offers)
        state, events = game.move(state, i, moves)             talk: the moves an agent made beside its messages
        game.space(state, i)                                   declare and act: what hard rules leave possible
        first = game.step(state, joint, noise)                 noise = Noise(seed, round)
        asks = game.second_stage(state, first)                 who has to decide what, now that all see what was done
        done = game.step(state, joint, noise, decisions)       the same round, with what was decided; skip when not asks
        asks = game.ballots(done)                              what is put to the vote
        state, events = game.close(done, votes)                counts votes; call it every round; the next round's state

`decisions` and `votes` map (seat, purpose) to the parts of the answer, as `Decided` events hold them. In a counterfactual
`step` is called with another joint action and the same decisions. A `GovernedTransition` is a `Transition` whose `payoffs`
are those after governance; `material`, `transfers`, `rule_events`, `legal`, `executed` and `felt` stand beside them.

Order within `step`, the same for every scenario: restrict, legalise, transform, mechanism, detect, second stage, pay,
remember. Without instruments `step` hands the mechanism's own numbers through.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from society.core.actions import Action, Division, Joint
from society.core.batching import batch_by_steps, stack
from society.core.errors import ScenarioError, did_you_mean
from society.core.exact import Json, Number, from_plain, plain, tidy
from society.core.instrument import Breach, Change, Instrument, Moment, Played, Standing, legible
from society.core.ledger import Ledger, apply, end_round, offer_for
from society.core.limits import intersect, is_empty, just
from society.core.mechanism import Batch, Facts, Mechanism, SpaceOf, Transition, state_from_plain, state_to_plain
from society.core.moves import Move, Offer
from society.core.revive import record_to_plain, revive
from society.core.rows import RuleEvent, Transfer
from society.core.seeds import Noise

Decisions: TypeAlias = Mapping[tuple[int, str], Mapping[str, Action]]
"""What was decided, by (seat, purpose)."""

_NOTHING: Decisions = {}

UNKNOWN = "unknown"
"""What an agent is told in place of a fact that a rule hides from it."""


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


@dataclass(frozen=True, slots=True)
class Ask:
    """A further decision of one agent.

    Attributes:
        agent: its seat.
        purpose: the id of the rule that asks; unique per agent and stage.
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


class _Rule(NamedTuple):
    place: int
    id: str
    instrument: Instrument
    memory: Any  # Any: as in GovernedState


class _Setting(NamedTuple):
    """What one state fixes before anybody acts."""

    state: GovernedState
    noise: Noise
    rules: tuple[_Rule, ...]
    moments: tuple[Moment, ...]
    spaces: tuple[SpaceOf, ...]
    hard: tuple[SpaceOf, ...]
    allowed: tuple[tuple[SpaceOf | None, ...], ...]


class _Acted(NamedTuple):
    """A round up to the last payment."""

    legal: Joint
    executed: Joint
    outcome: Transition[Any]
    seen: list[Played]
    events: list[RuleEvent]
    transfers: list[Transfer]
    balances: tuple[Number, ...]
    pot: Number


@dataclass(frozen=True)
class Governed:
    """A mechanism under instruments; a `Game`, and the simulator of every counterfactual.

    `exempt` serves counterfactuals: the actions of these seats are executed as they were chosen, whatever a rule would have
    put in their place.

    Raises:
        ScenarioError: an instrument cannot govern this mechanism, two have one name, or an agent does not exist.
    """

    mechanism: Mechanism[Any]  # Any: governs every mechanism
    instruments: tuple[Instrument, ...] = ()
    names: tuple[str, ...] = ()
    exempt: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        names = tuple(self.names) or tuple(str(seat) for seat in range(self.mechanism.agents))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "instruments", tuple(i.resolved(names) for i in self.instruments))
        for instrument in self.instruments:
            reason = instrument.unfit(self.mechanism)
            if reason:
                raise ScenarioError(f"{instrument.kind} cannot govern {self.mechanism.kind}: {reason}")
        given = [i.name for i in self.instruments if i.name]
        if len(set(given)) < len(given):
            raise ScenarioError("two instruments have the same name")
        for rule, instrument in zip(self.rule_ids, self.instruments, strict=True):
            for touched in instrument.touches():
                self._check_touch(rule, *touched)

    def _check_touch(self, rule: str, other: str, parameter: str, values: Sequence[Json]) -> None:
        """What a rule may do to another one is possible; found out before the first round, not in the tenth."""
        if other not in self.rule_ids:
            known = did_you_mean(other, self.rule_ids)
            raise ScenarioError(f"{rule} acts on a rule {other!r} that does not exist{known}")
        target = self.instruments[self.rule_ids.index(other)]
        if parameter and parameter not in type(target).model_fields:
            raise ScenarioError(
                f"{other} has no parameter {parameter!r}{did_you_mean(parameter, type(target).model_fields)}"
            )
        for value in values:
            try:
                changed = _amended(target, ((parameter, json.dumps(value)),))
            except ValidationError as problem:
                raise ScenarioError(
                    f"{other}.{parameter} cannot become {value!r}: {problem.errors()[0]['msg']}"
                ) from None
            reason = changed.unfit(self.mechanism)
            if reason:
                raise ScenarioError(f"{other}.{parameter} cannot become {value!r}: {reason}")

    @property
    def agents(self) -> int:
        return self.mechanism.agents

    @cached_property
    def rule_ids(self) -> tuple[str, ...]:
        """The id of every instrument: its name, or its kind, numbered from the second one on."""
        taken = {i.name for i in self.instruments if i.name}
        ids: list[str] = []
        for instrument in self.instruments:
            rule, count = instrument.name or instrument.kind, 1
            while rule in ids or (instrument.name is None and rule in taken):
                count += 1
                rule = f"{instrument.kind}_{count}"
            ids.append(rule)
        return tuple(ids)

    def initial_state(self) -> GovernedState:
        return GovernedState(
            physical=self.mechanism.initial_state(),
            memories=tuple(i.first_memory(self.agents) for i in self.instruments),
            standings=tuple(
                Standing(rule, in_force=i.in_force) for rule, i in zip(self.rule_ids, self.instruments, strict=True)
            ),
        )

    def over(self, state: GovernedState) -> bool:
        return self.mechanism.over(state.physical)

    def rules(self, state: GovernedState) -> tuple[_Rule, ...]:
        """The rules in force in this state, with amendments, in the scenario's order."""
        return tuple(
            _Rule(place, standing.rule, _amended(instrument, standing.changes), memory)
            for place, (instrument, standing, memory) in enumerate(
                zip(self.instruments, state.standings, state.memories, strict=True)
            )
            if standing.in_force
        )

    def space(self, state: GovernedState, agent: int) -> SpaceOf:
        """What the agent can do: the mechanism's space within hard rules, and what instruments add to it.

        Hard rules that contradict each other leave doing nothing.
        """
        space = self._hard(state, agent)
        for rule in self.rules(state):
            if self._applies(state, rule, agent):
                space = rule.instrument.widen(self._moment(state, rule), rule.memory, agent, space)
        return space

    def observe(self, state: GovernedState, agent: int) -> Facts:
        facts: dict[str, Any] = dict(self.mechanism.observe(state.physical, agent))
        for rule in self.rules(state):
            if self._applies(state, rule, agent):
                at = self._moment(state, rule)
                for name in rule.instrument.hidden(at, rule.memory, agent):
                    facts[name] = UNKNOWN
                facts.update(rule.instrument.observe(at, rule.memory, agent))
        return facts

    def offers(self, state: GovernedState, agent: int) -> tuple[Offer, ...]:
        """The moves of negotiation that exist for the agent now; for the answer's schema, see `society.core.moves`."""
        return tuple(
            offer
            for rule in self.rules(state)
            if self._applies(state, rule, agent)
            for offer in rule.instrument.offers(self._moment(state, rule), rule.memory, agent)
        )

    def move(self, state: GovernedState, agent: int, moves: Sequence[Move]) -> Closed:
        """The state after an agent's moves in its turn of talk; what is invalid is told as ``ignored``."""
        events: list[RuleEvent] = []
        for move in moves:
            offer = offer_for(self.offers(state, agent), move)
            ledger, told = apply(state.ledger, move, agent, state.round, offer)
            state = replace(state, ledger=ledger)
            events.extend(told)
        return Closed(state, tuple(events))

    def rules_for(self, state: GovernedState, agent: int) -> tuple[tuple[str, Mapping[str, Json]], ...]:
        """What to tell the agent of each rule that applies to it: the template and the variable ``rule``."""
        return tuple(
            (f"instruments/{rule.instrument.kind}.j2", self._variables(state, rule, agent))
            for rule in self.rules(state)
            if self._applies(state, rule, agent)
        )

    def step(
        self, state: GovernedState, joint: Joint, noise: Noise, decisions: Decisions = _NOTHING
    ) -> GovernedTransition:
        """Play one round; actions outside hard limits are replaced by the nearest inside.

        `decisions` holds what was decided in the second stage; nobody does anything there by default.
        """
        if not self.instruments:
            return self._bare(state, joint, noise)
        setting = self._setting(state, noise)
        rules, moments = setting.rules, setting.moments
        legal, executed, outcome, seen, events, transfers, balances, pot = self._acted(setting, joint, decisions)
        felt = balances
        after = replace(state, physical=outcome.state, pot=tidy(pot))
        for place, (rule, at) in enumerate(zip(rules, moments, strict=True)):
            seen[place] = replace(seen[place], balances=balances)
            felt = rule.instrument.feel(at, rule.memory, seen[place], felt)
            now = replace(at, standings=after.standings, ledger=after.ledger)
            change = rule.instrument.remember(now, rule.memory, seen[place])
            after = _changed(after, rule.place, change)
            events.extend(change.events)
        done = GovernedTransition(
            state=after,
            payoffs=balances,
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
            transfers=tuple(transfers),
            rule_events=tuple(events),
            felt=felt,
            outcome=outcome,
            seen=tuple((rule.id, played) for rule, played in zip(rules, seen, strict=True)),
            settled=after,
        )
        return replace(done, state=self.close(done).state)

    def outcomes(
        self, state: GovernedState, joints: NDArray[np.int64], noise: Noise, decisions: Decisions = _NOTHING
    ) -> Batch:
        """What many joint actions bring, without what instruments would make of them for later.

        Payoffs, totals and stocks are those of `step`; the next states are the mechanism's alone. For counterfactuals, which
        need nothing else: several times as fast as `batch`.
        """
        if not self.instruments:
            return self.mechanism.batch(state.physical, joints, noise)
        setting = self._setting(state, noise)
        spaces = [space for space in setting.spaces if not isinstance(space, Division)]
        steps = []
        for row in joints.tolist():
            joint = tuple(space.decode(code) for space, code in zip(spaces, row, strict=True))
            acted = self._acted(setting, joint, decisions)
            outcome = acted.outcome
            steps.append(
                Transition(outcome.state, acted.balances, total=outcome.total, stock_after=outcome.stock_after)
            )
        return stack(steps)

    def _setting(self, state: GovernedState, noise: Noise) -> _Setting:
        rules = self.rules(state)
        seats = range(self.agents)
        return _Setting(
            state=state,
            noise=noise,
            rules=rules,
            moments=tuple(replace(self._moment(state, rule), noise=noise) for rule in rules),
            spaces=tuple(self.space(state, agent) for agent in seats),
            hard=tuple(self._hard(state, agent) for agent in seats),
            allowed=tuple(tuple(self._allowed(state, rule, agent) for agent in seats) for rule in rules),
        )

    def _acted(self, setting: _Setting, joint: Joint, decisions: Decisions) -> _Acted:
        """Restrict, legalise, transform, play, detect and pay."""
        state, noise, rules, moments = setting.state, setting.noise, setting.rules, setting.moments
        legal = tuple(
            action if space.contains(action) else self._clamp(setting.hard[agent], action, state, agent)
            for agent, (space, action) in enumerate(zip(setting.spaces, joint, strict=True))
        )
        executed = legal
        for rule, at in zip(rules, moments, strict=True):
            executed = rule.instrument.transform(at, rule.memory, executed)
        executed = tuple(
            legal[agent] if agent in self.exempt else self._clamp(setting.hard[agent], action, state, agent)
            for agent, action in enumerate(executed)
        )
        outcome = self.mechanism.step(state.physical, executed, noise)

        seen: list[Played] = []
        events: list[RuleEvent] = []
        for rule, at, within in zip(rules, moments, setting.allowed, strict=True):
            allowed = within
            if rule.instrument.enforcement == "hard":
                # it could not be broken; what is outside was forced by another rule
                allowed = tuple(a if a and a.contains(done) else None for a, done in zip(within, executed, strict=True))
            played = Played(legal, executed, outcome, noise, allowed, decisions=_under(decisions, rule.id))
            breaches = tuple(
                _judge(rule, breach, noise, defying=(breach.agent, rule.id) in state.ledger.defying)
                for breach in rule.instrument.breaches(at, rule.memory, played)
            )
            seen.append(replace(played, breaches=breaches))
            events.extend(event for breach in breaches for event in _told(rule, breach))
        broken = tuple(
            (rule.id, breach) for rule, played in zip(rules, seen, strict=True) for breach in played.breaches
        )

        transfers = _shared_pot(state, self.agents)
        balances = _settle(outcome.payoffs, transfers)
        pot: Number = 0
        for place, (rule, at) in enumerate(zip(rules, moments, strict=True)):
            seen[place] = replace(seen[place], broken=broken, balances=balances)
            paid = rule.instrument.pay(at, rule.memory, seen[place])
            transfers.extend(paid.transfers)
            events.extend(paid.events)
            balances = _settle(balances, paid.transfers)
            pot += sum(row.amount for row in paid.transfers if row.payee is None and row.reason == "pot")
        return _Acted(legal, executed, outcome, seen, events, transfers, balances, pot)

    def second_stage(self, state: GovernedState, first: GovernedTransition) -> tuple[Ask, ...]:
        """Who has to decide what, after everybody acted; `first` is the step without decisions."""
        return self._asks(
            state,
            "decide",
            lambda rule, at, agent: rule.instrument.ask(at, rule.memory, dict(first.seen)[rule.id], agent),
        )

    def ballots(self, done: GovernedTransition) -> tuple[Ask, ...]:
        """Who has to vote on what, once the round is settled."""
        if done.settled is None:
            return ()
        return self._asks(done.settled, "vote", lambda rule, at, agent: rule.instrument.ballot(at, rule.memory, agent))

    def close(self, done: GovernedTransition, votes: Decisions = _NOTHING) -> Closed:
        """Count the votes under the rules in force and turn to the next round; what passed applies from then on."""
        if done.settled is None:
            return Closed(done.state)
        state, events = done.settled, list[RuleEvent]()
        for rule in self.rules(done.settled):
            at = replace(self._moment(done.settled, rule), standings=state.standings, ledger=state.ledger)
            change = rule.instrument.decide(at, rule.memory, _under(votes, rule.id))
            state = _changed(state, rule.place, change)
            events.extend(change.events)
        ledger, lapsed = end_round(state.ledger, state.round)
        return Closed(replace(state, ledger=ledger, round=state.round + 1), (*events, *lapsed))

    def batch(self, state: GovernedState, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """`step` for many joint actions, as codes of `space`: as fast as the mechanism's own without instruments."""
        if self.instruments:
            return batch_by_steps(self, state, joints, noise)
        batch = self.mechanism.batch(state.physical, joints, noise)
        inner = batch.state_of
        if inner is None:
            return batch
        return replace(batch, state_of=lambda key: replace(state, physical=inner(key)))

    def abstention(self, state: GovernedState, agent: int) -> Action:
        """What an agent does that does nothing, within hard rules."""
        return self._clamp(self._hard(state, agent), self.mechanism.abstention(state.physical, agent), state, agent)

    def level(self, action: Action) -> Number | None:
        """The action as a quantity, as the mechanism sees it."""
        return self.mechanism.level(action)

    def share(self, state: GovernedState) -> Number | None:
        """What each agent may take so that the stock can be kept, as the mechanism sees it."""
        return self.mechanism.share(state.physical)

    def state_to_plain(self, state: GovernedState) -> Json:
        """The canonical JSON form of a state."""
        return {
            "physical": state_to_plain(state.physical),
            "round": state.round,
            "memories": [record_to_plain(memory) for memory in state.memories],
            "standings": [record_to_plain(standing) for standing in state.standings],
            "ledger": record_to_plain(state.ledger),
            "pot": plain(state.pot),
        }

    def state_from_plain(self, raw: Any) -> GovernedState:  # Any: JSON
        """Back from `state_to_plain`.

        Raises:
            ValueError: not the shape of a state of this game.
        """
        return GovernedState(
            physical=state_from_plain(self.mechanism.state_type, raw["physical"]),
            round=raw["round"],
            memories=tuple(
                revive(instrument.memory_type, memory)
                for instrument, memory in zip(self.instruments, raw["memories"], strict=True)
            ),
            standings=tuple(revive(Standing, standing) for standing in raw["standings"]),
            ledger=revive(Ledger, raw["ledger"]),
            pot=from_plain(raw["pot"]),
        )

    def take_over(self, state: GovernedState, other: Governed, *, round: int) -> GovernedState:
        """A state of another game of the same mechanism as one of this game, with `round` to be played next.

        The physical state, agreements and the pot stay. A rule that was there under the same id and of the same kind keeps its
        memory and its standing; any other begins as in a first round.

        Raises:
            ValueError: the other game has another mechanism.
        """
        if self.mechanism.kind != other.mechanism.kind or self.agents != other.agents:
            raise ValueError(f"{self.mechanism.kind} cannot go on from a state of {other.mechanism.kind}")
        kept = {
            (rule, instrument.kind): (memory, standing)
            for rule, instrument, memory, standing in zip(
                other.rule_ids, other.instruments, state.memories, state.standings, strict=True
            )
        }
        fresh = self.initial_state()
        rules = [
            kept.get((rule, instrument.kind), first)
            for rule, instrument, *first in zip(
                self.rule_ids, self.instruments, fresh.memories, fresh.standings, strict=True
            )
        ]
        return replace(
            state,
            round=round if self.instruments else state.round,
            memories=tuple(memory for memory, _ in rules),
            standings=tuple(standing for _, standing in rules),
        )

    def _bare(self, state: GovernedState, joint: Joint, noise: Noise) -> GovernedTransition:
        legal = tuple(
            self._clamp(self.mechanism.space(state.physical, agent), action, state, agent)
            for agent, action in enumerate(joint)
        )
        outcome = self.mechanism.step(state.physical, legal, noise)
        return GovernedTransition(
            state=replace(state, physical=outcome.state),
            payoffs=outcome.payoffs,
            granted=outcome.granted,
            total=outcome.total,
            stock_before=outcome.stock_before,
            stock_after=outcome.stock_after,
            collapsed=outcome.collapsed,
            over=outcome.over,
            facts=outcome.facts,
            legal=legal,
            executed=legal,
            material=outcome.payoffs,
            felt=outcome.payoffs,
            outcome=outcome,
        )

    def _moment(self, state: GovernedState, rule: _Rule) -> Moment:
        return Moment(
            rule=rule.id,
            round=state.round,
            mechanism=self.mechanism,
            physical=state.physical,
            seats=tuple(agent for agent in range(self.agents) if self._applies(state, rule, agent)),
            names=self.names,
            standings=state.standings,
            ledger=state.ledger,
        )

    def _variables(self, state: GovernedState, rule: _Rule, agent: int) -> Mapping[str, Json]:
        told = rule.instrument.tell(self._moment(state, rule), rule.memory, agent)
        return {"id": rule.id, **rule.instrument.parameters(), **{name: legible(value) for name, value in told.items()}}

    def _applies(self, state: GovernedState, rule: _Rule, agent: int) -> bool:
        members = state.standings[rule.place].members
        return (members is None or agent in members) and rule.instrument.applies(agent, state.round)

    def _allowed(self, state: GovernedState, rule: _Rule, agent: int) -> SpaceOf | None:
        if not self._applies(state, rule, agent):
            return None
        space = self.mechanism.space(state.physical, agent)
        return rule.instrument.restrict(self._moment(state, rule), rule.memory, agent, space)

    def _hard(self, state: GovernedState, agent: int) -> SpaceOf:
        space = whole = self.mechanism.space(state.physical, agent)
        for rule in self.rules(state):
            if rule.instrument.enforcement == "hard":
                allowed = self._allowed(state, rule, agent)
                space = space if allowed is None else intersect(space, allowed)
        return just(whole, self.mechanism.abstention(state.physical, agent)) if is_empty(space) else space

    def _clamp(self, space: SpaceOf, action: Action, state: GovernedState, agent: int) -> Action:
        """The action, the nearest allowed one, or doing nothing where nearness means nothing."""
        if space.contains(action):
            return action
        near = space.nearest(action)
        if near is not None:
            return near
        nothing = self.mechanism.abstention(state.physical, agent)
        return nothing if space.contains(nothing) else space.grid()[-1]

    def _asks(
        self, state: GovernedState, stage: str, parts_of: Callable[[_Rule, Moment, int], Mapping[str, SpaceOf]]
    ) -> tuple[Ask, ...]:
        asks = []
        for rule in self.rules(state):
            at = self._moment(state, rule)
            template = f"instruments/{rule.instrument.kind}_{stage}.j2"
            for agent in at.seats:
                parts = parts_of(rule, at, agent)
                if parts:
                    asks.append(Ask(agent, rule.id, template, self._variables(state, rule, agent), parts))
        return tuple(asks)


@lru_cache(maxsize=256)
def _amended(instrument: Instrument, changes: tuple[tuple[str, str], ...]) -> Instrument:
    if not changes:
        return instrument
    fields = instrument.model_dump(mode="json") | {name: json.loads(value) for name, value in changes}
    return type(instrument).model_validate(fields)


def _under(decisions: Decisions, purpose: str) -> Mapping[int, Mapping[str, Action]]:
    return {seat: parts for (seat, name), parts in sorted(decisions.items()) if name == purpose}


def _judge(rule: _Rule, breach: Breach, noise: Noise, *, defying: bool) -> Breach:
    """Detection and execution of one breach, on noise keyed by the rule and the agent."""
    instrument = rule.instrument
    if instrument.enforcement == "advisory":
        return replace(breach, due=0)
    if instrument.enforcement == "hard":
        return replace(breach, detected=True, executed=not defying)
    who = (breach.agent, breach.about) if breach.about else breach.agent
    detected = noise.chance(instrument.detection, f"{rule.id}/detect", who)
    executed = detected and not defying and noise.chance(instrument.execution, f"{rule.id}/execute", who)
    return replace(breach, detected=detected, executed=executed)


def _told(rule: _Rule, breach: Breach) -> tuple[RuleEvent, ...]:
    """What happened to a breach: always a violation, then exactly one of evade, defy or sanction (none if advisory)."""
    who = (breach.agent,)
    violation = RuleEvent("violation", rule.id, who, amount=breach.excess)
    if rule.instrument.enforcement == "advisory":
        return (violation,)
    if not breach.detected:
        return (violation, RuleEvent("evade", rule.id, who, amount=breach.due))
    detect = RuleEvent("detect", rule.id, who)
    fate = RuleEvent("sanction" if breach.executed else "defy", rule.id, who, amount=breach.due)
    return (violation, detect, fate)


def _settle(balances: Sequence[Number], rows: Sequence[Transfer]) -> tuple[Number, ...]:
    after = list(balances)
    for row in rows:
        if row.payer is not None:
            after[row.payer] = tidy(after[row.payer] - row.amount)
        if row.payee is not None:
            after[row.payee] = tidy(after[row.payee] + row.amount)
    return tuple(after)


def _shared_pot(state: GovernedState, agents: int) -> list[Transfer]:
    """Last round's pot, paid out to all alike."""
    if not state.pot:
        return []
    each = tidy(Fraction(state.pot) / agents)
    return [Transfer(None, agent, each, "pot", "pot_share") for agent in range(agents)]


def _changed(state: GovernedState, place: int, change: Change) -> GovernedState:
    memories = (*state.memories[:place], change.memory, *state.memories[place + 1 :])
    return replace(
        state,
        memories=memories,
        standings=state.standings if change.standings is None else change.standings,
        ledger=state.ledger if change.ledger is None else change.ledger,
    )
