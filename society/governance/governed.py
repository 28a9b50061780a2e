"""A mechanism under instruments: the whole round, as one game.

What an orchestrator calls, in this order; everything is pure, states are immutable:

    game = Governed(mechanism, instruments, names)       names decide how answers name agents; default: "0", "1", ...
    state = game.initial_state()
    while not game.over(state):
        game.observe(state, i), game.rules_for(state, i)       facts, and (template, variables) of each rule's paragraph
        game.offers(state, i)                                  which typed moves exist now (Speak.offers)
        state, events = game.move(state, i, moves)             talk: the moves an agent made beside its messages
        game.space(state, i)                                   declare and act: what hard rules leave possible
        asks = game.consultations(state, joint, noise)         what a human is asked for whom, if there is one to be asked
        first = game.step(state, joint, noise, decisions)      noise = Noise(seed, round)
        asks = game.second_stage(state, first)                 who has to decide what, now that all see what was done
        done = game.step(state, joint, noise, decisions)       the same round, with what was decided; skip when not asks
        asks = game.replies(state, done)                       who may answer to that; then step again with all decisions
        asks = game.ballots(done)                              what is put to the vote
        state, events = game.close(done, votes)                counts votes; call it every round; the next round's state

`decisions` and `votes` map (seat, purpose) to the parts of the answer, as `Decided` events hold them. In a counterfactual
`step` is called with another joint action and the same decisions. A `GovernedTransition` is a `Transition` whose `payoffs`
are those after governance; `material`, `transfers`, `rule_events`, `legal`, `executed` and `felt` stand beside them.

`governance/rulebook.py` says what the rules in force say in a state; `governance/pipeline.py` plays a round up to the last payment:
restrict, legalise, transform, mechanism, detect, pay; `governance/aftermath.py` says what it leaves behind: memories, and rules that
change, with those who changed them. Without instruments `step` hands the mechanism's own numbers through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from society.core.actions import Action, Joint
from society.core.arrays import NDArray, np
from society.core.batching import decoded, stack
from society.core.exact import Json, Number
from society.core.instrument import Instrument, Moment
from society.core.mechanism import Batch, Facts, Mechanism, SpaceOf
from society.core.moves import Move, Offer
from society.core.rows import RuleEvent
from society.core.seeds import Noise
from society.governance import stored
from society.governance.aftermath import changed, now, remembered, stood, told_by_mechanism
from society.governance.institution import HUMAN, NO_DECISIONS, REPLY
from society.governance.institution import Ask as Ask
from society.governance.institution import Closed as Closed
from society.governance.institution import Decisions as Decisions
from society.governance.institution import GovernedState as GovernedState
from society.governance.institution import GovernedTransition as GovernedTransition
from society.governance.kin import kin
from society.governance.negotiation import apply, end_round, offer_for
from society.governance.pipeline import Setting, acted, decided_under, feelings, legalised, restricted
from society.governance.pipeline_batch import batched, outcomes_in_batches
from society.governance.power import Charters
from society.governance.rulebook import UNKNOWN as UNKNOWN
from society.governance.rulebook import Rule, Rulebook

_FEW = 3
"""So many joint actions are played faster one by one."""
_KEPT_LUCKS = 512
"""Of how many lucks of one state it is remembered what the rules say."""


class _Recent(threading.local):
    """The state that was asked about last, and what it fixes, by luck; each thread has its own."""

    state: GovernedState | None = None

    def __init__(self) -> None:
        self.settings: dict[Noise, Setting] = {}

    def __reduce__(self) -> tuple[type[_Recent], tuple[()]]:
        return _Recent, ()  # a copy of a game, or one that is sent elsewhere, remembers nothing


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
        return self._settled(self._setting(state, noise), joint, decisions)

    def _settled(self, setting: Setting, joint: Joint, decisions: Decisions) -> GovernedTransition:
        """A round whose rules have been read: acted, remembered, and closed as if nobody voted."""
        state = setting.state
        done = acted(setting, joint, decisions)
        after = replace(state, physical=done.outcome.state, pot=done.pot)
        told = told_by_mechanism(self.book, state, after, done.executed, done.outcome)
        after, overthrown = stood(setting, after, done)
        after, seen, changes = remembered(setting, after, done)
        whole = GovernedTransition.of(
            done.outcome,
            after,
            done.balances,
            legal=done.legal,
            executed=done.executed,
            felt=feelings(setting, done),
            rule_events=(*done.events, *told, *overthrown, *changes),
            transfers=done.transfers,
            seen=seen,
            settled=after,
        )
        return replace(whole, state=self.close(whole).state)

    def batch_now(
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
        setting = self._setting(state, noise)
        if len(joints) > _FEW and batched(setting):
            return outcomes_in_batches(setting, joints, decisions, felt=felt)
        steps = []
        for joint in decoded(setting.spaces, joints):
            done = acted(setting, joint, decisions)
            outcome, payoffs = done.outcome, feelings(setting, done) if felt else done.balances
            steps.append(replace(outcome, payoffs=payoffs))
        return stack(steps)

    def kin(self, state: GovernedState, noise: Noise) -> tuple[int, ...]:
        """For each seat the first one that the rules of the round treat just as they treat it; see `society.governance.kin`."""
        return kin(self._setting(state, noise))

    def batch(self, state: GovernedState, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """`step` for many joint actions, as codes of `space`: as fast as the mechanism's own without instruments."""
        if self.instruments:
            setting = self._setting(state, noise)
            return stack([self._settled(setting, joint, NO_DECISIONS) for joint in decoded(setting.spaces, joints)])
        batch = self.mechanism.batch(state.physical, joints, noise)
        inner = batch.state_of
        if inner is None:
            return batch
        return replace(batch, state_of=lambda key: replace(state, physical=inner(key)))

    def consultations(self, state: GovernedState, joint: Joint, noise: Noise) -> tuple[Ask, ...]:
        """What a human is asked on behalf of whom, now that all have acted; without an answer the rule has one of its own."""
        setting = self._setting(state, noise)
        legal = legalised(setting, joint)
        asks = []
        for rule, at in zip(setting.rules, setting.moments, strict=True):
            for agent in at.seats:
                parts = rule.instrument.consult(at, rule.memory, legal, agent, setting.hard[agent])
                if parts:
                    asks.append(self.consultation(state, rule, agent, parts))
        return tuple(asks)

    def consultation(self, state: GovernedState, rule: Rule, agent: int, parts: Mapping[str, SpaceOf]) -> Ask:
        """How a human is asked on behalf of an agent under a rule, within `parts`."""
        variables = self.book.variables(state, rule, agent)
        return Ask(agent, rule.id + HUMAN, f"instruments/{rule.instrument.kind}_consult.j2", variables, parts)

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
            at = now(self.book.moment(done.settled, rule), state)
            change = rule.instrument.decide(at, rule.memory, decided_under(votes, rule.id))
            state, told = changed(self.book, state, rule, change)
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
        return stored.state_to_plain(state)

    def state_from_plain(self, raw: Any) -> GovernedState:  # Any: JSON
        """Back from `state_to_plain`.

        Raises:
            ValueError: not the shape of a state of this game.
        """
        return stored.state_from_plain(self.book, raw)

    def take_over(self, state: GovernedState, other: Governed, *, round: int) -> GovernedState:
        """A state of another game of the same mechanism as one of this game, with `round` to be played next.

        The physical state, agreements and the pot stay. A rule that was there under the same id and of the same kind keeps its
        memory and its standing; any other begins as in a first round.

        Raises:
            ValueError: the other game has another mechanism.
        """
        return stored.taken_over(self.book, self.initial_state(), state, other.book, round=round)

    # Pieces of the above

    @cached_property
    def _recent(self) -> _Recent:
        return _Recent()

    def _setting(self, state: GovernedState, noise: Noise) -> Setting:
        """What a state fixes, read once for all that is asked about it in a row."""
        recent = self._recent
        if recent.state is not state or len(recent.settings) >= _KEPT_LUCKS:
            recent.state, recent.settings = state, {}
        if noise not in recent.settings:
            recent.settings[noise] = restricted(self.book, state, noise, self.exempt)
        return recent.settings[noise]

    def _bare(self, state: GovernedState, joint: Joint, noise: Noise) -> GovernedTransition:
        legal = tuple(
            self.book.clamped(self.mechanism.space(state.physical, agent), action, state, agent)
            for agent, action in enumerate(joint)
        )
        outcome = self.mechanism.step(state.physical, legal, noise)
        after = replace(state, physical=outcome.state)
        told = told_by_mechanism(self.book, state, after, legal, outcome)
        return GovernedTransition.of(
            outcome, after, outcome.payoffs, legal=legal, executed=legal, felt=outcome.payoffs, rule_events=told
        )

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
