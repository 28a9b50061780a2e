"""What the rules in force say in one state: to whom they apply, what they allow, and who can change them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from society.core.actions import Action
from society.core.errors import ScenarioError, did_you_mean
from society.core.exact import Json
from society.core.instrument import Instrument, Moment, Standing, legible
from society.core.limits import intersect, is_empty, just
from society.core.mechanism import Facts, Mechanism, SpaceOf
from society.core.votes import Ballot
from society.governance.institution import GovernedState

UNKNOWN = "unknown"
"""What an agent is told in place of a fact that a rule hides from it."""


class Rule(NamedTuple):
    """An instrument in force in one state, with its amendments.

    Attributes:
        place: which of the scenario's instruments it is.
        id: its name, or its kind.
    """

    place: int
    id: str
    instrument: Instrument
    memory: Any  # Any: each instrument has its own type of memory


@dataclass(frozen=True)
class Rulebook:
    """A mechanism and the instruments over it, with the agents resolved to seats.

    Raises:
        ScenarioError: an instrument cannot govern this mechanism, two have one name, or an agent does not exist.
    """

    mechanism: Mechanism[Any]  # Any: governs every mechanism
    instruments: tuple[Instrument, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "instruments", tuple(i.resolved(self.names) for i in self.instruments))
        for instrument in self.instruments:
            reason = instrument.unfit(self.mechanism)
            if reason:
                raise ScenarioError(f"{instrument.kind} cannot govern {self.mechanism.kind}: {reason}")
        given = [i.name for i in self.instruments if i.name]
        if len(set(given)) < len(given):
            raise ScenarioError("two instruments have the same name")
        for rule, instrument in zip(self.ids, self.instruments, strict=True):
            for touched in instrument.touches():
                self._check_touch(rule, *touched)

    def _check_touch(self, rule: str, other: str, parameter: str, values: Sequence[Json]) -> None:
        """What a rule may do to another one is possible; found out before the first round, not in the tenth."""
        if other not in self.ids:
            known = did_you_mean(other, self.ids)
            raise ScenarioError(f"{rule} acts on a rule {other!r} that does not exist{known}")
        target = self.instruments[self.ids.index(other)]
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

    @cached_property
    def ids(self) -> tuple[str, ...]:
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

    def first_standings(self) -> tuple[Standing, ...]:
        """How every rule stands before the first round."""
        enrolled: dict[str, tuple[int, ...]] = {}
        for instrument in self.instruments:
            enrolled |= instrument.enrolled(self.mechanism.agents)
        return tuple(
            Standing(rule, in_force=i.in_force, members=enrolled.get(rule))
            for rule, i in zip(self.ids, self.instruments, strict=True)
        )

    def in_force(self, state: GovernedState) -> tuple[Rule, ...]:
        """The rules in force in this state, with amendments, in the scenario's order."""
        if not self.instruments:
            return ()
        return tuple(
            Rule(place, standing.rule, _amended(instrument, standing.changes), memory)
            for place, (instrument, standing, memory) in enumerate(
                zip(self.instruments, state.standings, state.memories, strict=True)
            )
            if standing.in_force
        )

    def applies(self, state: GovernedState, rule: Rule, agent: int) -> bool:
        """Whether the rule concerns the agent in this round."""
        members = state.standings[rule.place].members
        return (members is None or agent in members) and rule.instrument.applies(agent, state.round)

    def moment(self, state: GovernedState, rule: Rule) -> Moment:
        """What the rule's hooks may look at before anybody acted."""
        return Moment(
            rule=rule.id,
            round=state.round,
            mechanism=self.mechanism,
            physical=state.physical,
            seats=tuple(agent for agent in range(self.mechanism.agents) if self.applies(state, rule, agent)),
            names=self.names,
            standings=state.standings,
            ledger=state.ledger,
        )

    def variables(self, state: GovernedState, rule: Rule, agent: int) -> Mapping[str, Json]:
        """What the templates of a rule word for one agent."""
        told = rule.instrument.tell(self.moment(state, rule), rule.memory, agent)
        return {
            "id": rule.id,
            "now": self._current(state, rule.instrument),
            **rule.instrument.parameters(),
            **{name: legible(value) for name, value in told.items()},
        }

    def _current(self, state: GovernedState, instrument: Instrument) -> Mapping[str, Json]:
        """The values of all parameters that an instrument can change, as ``rule.field``."""
        found: dict[str, Json] = {}
        for other, field, _ in instrument.touches():
            place = self.ids.index(other)
            standing = state.standings[place]
            target = Rule(place, other, _amended(self.instruments[place], standing.changes), state.memories[place])
            if field == "in_force":
                found[f"{other}.in_force"] = "yes" if standing.in_force else "no"
            elif field:
                found[f"{other}.{field}"] = target.instrument.value_of(field, self.moment(state, target))
        return found

    def observe(self, state: GovernedState, agent: int) -> Facts:
        """The mechanism's facts as the agent may see them, and those of the rules."""
        if not self.instruments:
            return self.mechanism.observe(state.physical, agent)
        facts: dict[str, Any] = dict(self._played_by(state, agent).observe(state.physical, agent))
        for rule in self.in_force(state):
            if self.applies(state, rule, agent):
                at = self.moment(state, rule)
                for name in rule.instrument.hidden(at, rule.memory, agent):
                    facts[name] = UNKNOWN
                facts.update(rule.instrument.observe(at, rule.memory, agent))
        return facts

    def groups(self, state: GovernedState) -> tuple[tuple[int, ...], ...] | None:
        """Who plays the mechanism apart from whom: what the first rule says that separates agents; None: all together."""
        found = (rule.instrument.groups(self.moment(state, rule), rule.memory) for rule in self.in_force(state))
        return next((groups for groups in found if groups is not None), None)

    def sized(self, group: Sequence[int]) -> Mechanism[Any]:  # Any: as above
        """The mechanism as a group plays it among itself."""
        return _sized(self.mechanism, len(group))

    def _played_by(self, state: GovernedState, agent: int) -> Mechanism[Any]:  # Any: as above
        groups = self.groups(state) or ()
        return next((self.sized(group) for group in groups if agent in group), self.mechanism)

    def allowed(self, state: GovernedState, rule: Rule, agent: int) -> SpaceOf | None:
        """The part of the mechanism's space that one rule allows the agent; None where it says nothing."""
        if not self.applies(state, rule, agent):
            return None
        space = self.mechanism.space(state.physical, agent)
        return rule.instrument.restrict(self.moment(state, rule), rule.memory, agent, space)

    def hard(self, state: GovernedState, agent: int) -> SpaceOf:
        """The mechanism's space within hard rules; rules that contradict each other leave doing nothing."""
        space = whole = self.mechanism.space(state.physical, agent)
        if not self.instruments:
            return whole
        for rule in self.in_force(state):
            if rule.instrument.enforcement == "hard":
                allowed = self.allowed(state, rule, agent)
                space = space if allowed is None else intersect(space, allowed)
        return just(whole, self.mechanism.abstention(state.physical, agent)) if is_empty(space) else space

    def space(self, state: GovernedState, agent: int) -> SpaceOf:
        """What the agent can do: the mechanism's space within hard rules, and what instruments add to it."""
        space = self.hard(state, agent)
        for rule in self.in_force(state):
            if self.applies(state, rule, agent):
                space = rule.instrument.widen(self.moment(state, rule), rule.memory, agent, space)
        return space

    def clamped(self, space: SpaceOf, action: Action, state: GovernedState, agent: int) -> Action:
        """The action, the nearest allowed one, or doing nothing where nearness means nothing."""
        if space.contains(action):
            return action
        near = space.nearest(action)
        if near is not None:
            return near
        nothing = self.mechanism.abstention(state.physical, agent)
        return nothing if space.contains(nothing) else space.grid()[-1]

    def charters(self, state: GovernedState) -> dict[str, Ballot]:
        """By rule, the vote by which rules can be changed now; the mechanism's own stands under its kind."""
        own = self.mechanism.charter(state.physical)
        found = {} if own is None else {self.mechanism.kind: own}
        for rule in self.in_force(state):
            charter = rule.instrument.charter(self.moment(state, rule), rule.memory)
            if charter is not None:
                found[rule.id] = charter
        return found


@lru_cache(maxsize=256)
def _sized(mechanism: Mechanism[Any], agents: int) -> Mechanism[Any]:  # Any: as in `Rulebook`
    smaller = mechanism.of_size(agents)
    assert smaller is not None, "what groups play apart can be played by any number"
    return smaller


@lru_cache(maxsize=256)
def _amended(instrument: Instrument, changes: tuple[tuple[str, str], ...]) -> Instrument:
    if not changes:
        return instrument
    fields = instrument.model_dump(mode="json") | {name: json.loads(value) for name, value in changes}
    return type(instrument).model_validate(fields)
