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
        asks = game.replies(state, done)                       who may answer to that; then step again with all decisions
        asks = game.ballots(done)                              what is put to the vote
        state, events = game.close(done, votes)                counts votes; call it every round; the next round's state

`decisions` and `votes` map (seat, purpose) to the parts of the answer, as `Decided` events hold them. In a counterfactual
`step` is called with another joint action and the same decisions. A `GovernedTransition` is a `Transition` whose `payoffs`
are those after governance; `material`, `transfers`, `rule_events`, `legal`, `executed` and `felt` stand beside them.

`core/rulebook.py` says what the rules in force say in a state; `core/pipeline.py` plays a round up to the last payment:
restrict, legalise, transform, mechanism, detect, pay. Here stands what follows: felt payoffs, memories, and the rules that
change, with those who changed them. Without instruments `step` hands the mechanism's own numbers through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Action, Joint
from society.core.batching import decoded, stack
from society.core.detection import watched
from society.core.exact import Json, Number, from_plain, plain
from society.core.institution import NO_DECISIONS, REPLY
from society.core.institution import Ask as Ask
from society.core.institution import Closed as Closed
from society.core.institution import Decisions as Decisions
from society.core.institution import GovernedState as GovernedState
from society.core.institution import GovernedTransition as GovernedTransition
from society.core.instrument import Amendment, Change, Instrument, Moment, Standing
from society.core.ledger import Ledger, apply, end_round, offer_for
from society.core.mechanism import Batch, Facts, Mechanism, SpaceOf, Transition, state_from_plain, state_to_plain
from society.core.moves import Move, Offer
from society.core.pipeline import Acted, Setting, acted, decided_under, feelings, restricted
from society.core.power import Charters, seizure
from society.core.revive import record_to_plain, revive
from society.core.rows import RuleEvent
from society.core.rulebook import UNKNOWN as UNKNOWN
from society.core.rulebook import Rule, Rulebook
from society.core.seeds import Noise


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
        object.__setattr__(self, "instruments", self.book.instruments)

    @cached_property
    def book(self) -> Rulebook:
        """What the rules say in a state."""
        return Rulebook(self.mechanism, tuple(self.instruments), self.names)

    @property
    def agents(self) -> int:
        return self.mechanism.agents

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The id of every instrument: its name, or its kind, numbered from the second one on."""
        return self.book.ids

    def initial_state(self) -> GovernedState:
        return GovernedState(
            physical=self.mechanism.initial_state(),
            memories=tuple(i.first_memory(self.agents) for i in self.instruments),
            standings=self.book.first_standings(),
        )

    def over(self, state: GovernedState) -> bool:
        return self.mechanism.over(state.physical)

    def rules(self, state: GovernedState) -> tuple[Rule, ...]:
        """The rules in force in this state, with amendments, in the scenario's order."""
        return self.book.in_force(state)

    def motivated(self, state: GovernedState, agent: int) -> bool:
        """Whether a rule in force changes what payoffs are worth to the agent."""
        return any(
            rule.instrument.klass == "motivational" and self.book.applies(state, rule, agent)
            for rule in self.rules(state)
        )

    def charters(self, state: GovernedState) -> Charters:
        """By rule, the vote by which rules can be changed now: the mechanism's own, and that of every instrument."""
        return self.book.charters(state)

    # Observe and negotiate

    def space(self, state: GovernedState, agent: int) -> SpaceOf:
        """What the agent can do: the mechanism's space within hard rules, and what instruments add to it."""
        return self.book.space(state, agent)

    def observe(self, state: GovernedState, agent: int) -> Facts:
        return self.book.observe(state, agent)

    def rules_for(self, state: GovernedState, agent: int) -> tuple[tuple[str, Mapping[str, Json]], ...]:
        """What to tell the agent of each rule that applies to it: the template and the variable ``rule``."""
        return tuple(
            (f"instruments/{rule.instrument.kind}.j2", self.book.variables(state, rule, agent))
            for rule in self.rules(state)
            if self.book.applies(state, rule, agent)
        )

    def offers(self, state: GovernedState, agent: int) -> tuple[Offer, ...]:
        """The moves of negotiation that exist for the agent now; for the answer's schema, see `society.core.moves`."""
        return tuple(
            offer
            for rule in self.rules(state)
            if self.book.applies(state, rule, agent)
            for offer in rule.instrument.offers(self.book.moment(state, rule), rule.memory, agent)
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

    # Act and settle

    def step(
        self, state: GovernedState, joint: Joint, noise: Noise, decisions: Decisions = NO_DECISIONS
    ) -> GovernedTransition:
        """Play one round; actions outside hard limits are replaced by the nearest inside.

        `decisions` holds what was decided in the second stage; nobody does anything there by default.
        """
        if not self.instruments:
            return self._bare(state, joint, noise)
        return self._settled(restricted(self.book, state, noise, self.exempt), joint, decisions)

    def _settled(self, setting: Setting, joint: Joint, decisions: Decisions) -> GovernedTransition:
        """A round whose rules have been read: acted, remembered, and closed as if nobody voted."""
        state = setting.state
        done = acted(setting, joint, decisions)
        after = replace(state, physical=done.outcome.state, pot=done.pot)
        told = self._mechanism_told(state, after, done.executed, done.outcome)
        after, watched_ = self._watched(setting, after, done)
        after, felt, seen, remembered = self._remembered(setting, after, done)
        outcome = done.outcome
        whole = GovernedTransition(
            state=after,
            payoffs=done.balances,
            granted=outcome.granted,
            total=outcome.total,
            stock_before=outcome.stock_before,
            stock_after=outcome.stock_after,
            collapsed=outcome.collapsed,
            over=outcome.over,
            facts=outcome.facts,
            legal=done.legal,
            executed=done.executed,
            material=outcome.payoffs,
            transfers=done.transfers,
            rule_events=(*done.events, *told, *watched_, *remembered),
            felt=felt,
            outcome=outcome,
            seen=seen,
            settled=after,
        )
        return replace(whole, state=self.close(whole).state)

    def outcomes(
        self,
        state: GovernedState,
        joints: NDArray[np.int64],
        noise: Noise,
        decisions: Decisions = NO_DECISIONS,
        *,
        felt: bool = False,
    ) -> Batch:
        """What many joint actions bring, without what instruments would make of them for later.

        Payoffs (with `felt`, what motivation makes of them), totals and stocks are those of `step`; the next states are the
        mechanism's alone. For counterfactuals, which need nothing else: several times as fast as `batch`.
        """
        if not self.instruments:
            return self.mechanism.batch(state.physical, joints, noise)
        setting = restricted(self.book, state, noise, self.exempt)
        steps = []
        for joint in decoded(setting.spaces, joints):
            done = acted(setting, joint, decisions)
            outcome, payoffs = done.outcome, feelings(setting, done) if felt else done.balances
            steps.append(Transition(outcome.state, payoffs, total=outcome.total, stock_after=outcome.stock_after))
        return stack(steps)

    def batch(self, state: GovernedState, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """`step` for many joint actions, as codes of `space`: as fast as the mechanism's own without instruments."""
        if self.instruments:
            setting = restricted(self.book, state, noise, self.exempt)
            return stack([self._settled(setting, joint, NO_DECISIONS) for joint in decoded(setting.spaces, joints)])
        batch = self.mechanism.batch(state.physical, joints, noise)
        inner = batch.state_of
        if inner is None:
            return batch
        return replace(batch, state_of=lambda key: replace(state, physical=inner(key)))

    def second_stage(self, state: GovernedState, first: GovernedTransition) -> tuple[Ask, ...]:
        """Who has to decide what, after everybody acted; `first` is the step without decisions."""
        seen = dict(first.seen)
        return self._asks(
            state, "decide", "", lambda rule, at, agent: rule.instrument.ask(at, rule.memory, seen[rule.id], agent)
        )

    def replies(self, state: GovernedState, done: GovernedTransition) -> tuple[Ask, ...]:
        """Who may answer to what was decided in the second stage; `done` is the step with those decisions."""
        seen = dict(done.seen)
        return self._asks(
            state, "reply", REPLY, lambda rule, at, agent: rule.instrument.reply(at, rule.memory, seen[rule.id], agent)
        )

    def ballots(self, done: GovernedTransition) -> tuple[Ask, ...]:
        """Who has to vote on what, once the round is settled."""
        if done.settled is None:
            return ()
        return self._asks(
            done.settled, "vote", "", lambda rule, at, agent: rule.instrument.ballot(at, rule.memory, agent)
        )

    def close(self, done: GovernedTransition, votes: Decisions = NO_DECISIONS) -> Closed:
        """Count the votes under the rules in force and turn to the next round; what passed applies from then on."""
        if done.settled is None:
            return Closed(done.state)
        state, events = done.settled, list[RuleEvent]()
        for rule in self.rules(done.settled):
            at = _now(self.book.moment(done.settled, rule), state)
            state, told = self._changed(
                state, rule, rule.instrument.decide(at, rule.memory, decided_under(votes, rule.id))
            )
            events.extend(told)
        ledger, lapsed = end_round(state.ledger, state.round)
        return Closed(replace(state, ledger=ledger, round=state.round + 1), (*events, *lapsed))

    def abstention(self, state: GovernedState, agent: int) -> Action:
        """What an agent does that does nothing, within hard rules."""
        nothing = self.mechanism.abstention(state.physical, agent)
        return self.book.clamped(self.book.hard(state, agent), nothing, state, agent)

    def level(self, action: Action) -> Number | None:
        """The action as a quantity, as the mechanism sees it."""
        return self.mechanism.level(action)

    def share(self, state: GovernedState) -> Number | None:
        """What each agent may take so that the stock can be kept, as the mechanism sees it."""
        return self.mechanism.share(state.physical)

    def sustainable(self, state: GovernedState) -> Number | None:
        """What all together may take so that the stock can be kept, as the mechanism sees it."""
        return self.mechanism.sustainable(state.physical)

    # States as JSON

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

    # Pieces of the above

    def _bare(self, state: GovernedState, joint: Joint, noise: Noise) -> GovernedTransition:
        legal = tuple(
            self.book.clamped(self.mechanism.space(state.physical, agent), action, state, agent)
            for agent, action in enumerate(joint)
        )
        outcome = self.mechanism.step(state.physical, legal, noise)
        after = replace(state, physical=outcome.state)
        return GovernedTransition(
            state=after,
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
            rule_events=self._mechanism_told(state, after, legal, outcome),
            felt=outcome.payoffs,
            outcome=outcome,
        )

    def _mechanism_told(
        self,
        before: GovernedState,
        after: GovernedState,
        joint: Joint,
        outcome: Transition[Any],  # Any: any state
    ) -> tuple[RuleEvent, ...]:
        """What happened to the mechanism's own rules, and whether power over them was seized."""
        events: list[RuleEvent] = []
        for event in self.mechanism.told(before.physical, joint, outcome):
            events.append(event)
            if event.event == "amend":
                events.extend(self._seizure(event.rule, event.agents, before, after))
        return tuple(events)

    def _watched(
        self, setting: Setting, after: GovernedState, done: Acted
    ) -> tuple[GovernedState, tuple[RuleEvent, ...]]:
        """The rules that hardly anybody keeps although sanctions are due."""
        standings, events = list(after.standings), list[RuleEvent]()
        for rule, at, played in zip(setting.rules, setting.moments, done.seen, strict=True):
            standings[rule.place], told = watched(standings[rule.place], at.seats, played, done.events)
            events.extend(told)
        unchanged = all(new is old for new, old in zip(standings, after.standings, strict=True))
        return after if unchanged else replace(after, standings=tuple(standings)), tuple(events)

    def _remembered(
        self, setting: Setting, after: GovernedState, done: Acted
    ) -> tuple[GovernedState, tuple[Number, ...], tuple[tuple[str, Any], ...], tuple[RuleEvent, ...]]:  # Any: Played
        """What payoffs feel like and what each rule remembers of the round, balances being final."""
        seen, events = [], list[RuleEvent]()
        for rule, at, played in zip(setting.rules, setting.moments, done.seen, strict=True):
            final = played if played.balances == done.balances else replace(played, balances=done.balances)
            seen.append((rule.id, final))
            after, told = self._changed(after, rule, rule.instrument.remember(_now(at, after), rule.memory, final))
            events.extend(told)
        return after, feelings(setting, done), tuple(seen), tuple(events)

    def _changed(self, state: GovernedState, rule: Rule, change: Change) -> tuple[GovernedState, tuple[RuleEvent, ...]]:
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
            events.extend(self._amended(rule.id, amendment, before, state))
        return state, tuple(events)

    def _amended(
        self, rule: str, amendment: Amendment, before: GovernedState, after: GovernedState
    ) -> tuple[RuleEvent, ...]:
        about = rule if amendment.rule is None else amendment.rule
        event = RuleEvent(amendment.how, about, amendment.by, amendment.words, amendment.amount)
        return (event, *self._seizure(about, amendment.by, before, after))

    def _seizure(
        self, rule: str, by: tuple[int, ...], before: GovernedState, after: GovernedState
    ) -> tuple[RuleEvent, ...]:
        declared = [members for _, members in before.ledger.coalition_structure()]
        return seizure(rule, by, self.charters(before), self.charters(after), names=self.names, declared=declared)

    def _asks(
        self,
        state: GovernedState,
        stage: str,
        suffix: str,
        parts_of: Callable[[Rule, Moment, int], Mapping[str, SpaceOf]],
    ) -> tuple[Ask, ...]:
        asks = []
        for rule in self.rules(state):
            at = self.book.moment(state, rule)
            template = f"instruments/{rule.instrument.kind}_{stage}.j2"
            for agent in at.seats:
                parts = parts_of(rule, at, agent)
                if parts:
                    variables = self.book.variables(state, rule, agent)
                    asks.append(Ask(agent, rule.id + suffix, template, variables, parts))
        return tuple(asks)


def _now(at: Moment, state: GovernedState) -> Moment:
    """The same moment with the standings and the ledger as rules before have left them."""
    if at.standings is state.standings and at.ledger is state.ledger:
        return at
    return replace(at, standings=state.standings, ledger=state.ledger)
