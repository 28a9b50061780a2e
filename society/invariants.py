"""What holds in every round, whatever is played: looked at before a round is logged, and again when a log is verified.

    I1   each agent spoke, declared and acted once where the scenario asks for it
    I4   nobody is given more than it asked for, nor all together more than there was; the stock is between nothing and what the
         place holds; each round finds the state that the round before left
    I5   payoffs are the mechanism's, plus what came in, minus what went out, to the last digit; nobody pays itself
    I6   no number is infinite or no number
    I7   what only one agent may know stands in nobody else's prompt

The other invariants are about the log as a whole and stand in `society.log.verify`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from society.core.actions import amount_of
from society.core.errors import LogCorrupt
from society.core.events import Acted, Decided, Declared, Event, Forked, RunStarted, Settled, Spoke
from society.core.exact import Number, tidy
from society.scenario.model import Scenario

INVARIANTS = {
    "I1": "each agent spoke, declared and acted once where the scenario asks for it",
    "I2": "attempts at a question, and tries of each, are counted without gaps; only the last is answered",
    "I3": "the hash of a question follows from what is stored of it",
    "I4": "nobody is given more than it asked for, nor all more than there was; a round finds the state the last one left",
    "I5": "payoffs are the mechanism's, plus what came in, minus what went out",
    "I6": "no number is infinite or no number",
    "I7": "what only one agent may know stands in nobody else's prompt, unless somebody said it",
    "I8": "a history in a prompt gives back who said what to whom",
    "I9": "each event's hash follows from the one before",
    "I10": "the cost of a run is the sum of its calls, and each cost what its tokens cost",
    "I11": "events are counted without gaps",
    "I12": "no configured key stands anywhere",
    "I13": "events follow from the manifest and the answers; rows and results follow from the events",
    "I14": "no row belongs to a run, or refers to a row, that is not there",
    "I15": "in a run that has ended every try has ended, or was given up for a later one",
    "I16": "reading changes nothing",
}
"""What must hold in every log, in a sentence each."""


class Broken(NamedTuple):
    """An invariant that does not hold: the kind of row, which one, and what is wrong with it."""

    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.what}"


SHORTEST_PRIVATE = 24
"""Characters; shorter texts occur by chance."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What only its owner may know, by text: personas that are nobody else's and are told to nobody else.

    Attributes:
        texts: each with the seats that may read it.
    """

    texts: tuple[tuple[str, frozenset[int]], ...]

    @classmethod
    def of(cls, scenario: Scenario) -> Privacy:
        """The private texts of a scenario."""
        owners: dict[str, set[int]] = {}
        for seat, spec in enumerate(scenario.agents):
            if len(spec.persona.strip()) >= SHORTEST_PRIVATE:
                owners.setdefault(spec.persona.strip(), set()).add(seat)
        theme = scenario.theme.model_dump_json()
        public = [theme, scenario.about, *(spec.role for spec in scenario.agents)]
        found: list[tuple[str, frozenset[int]]] = []
        for words, seats in owners.items():
            if any(words in other for other in public):
                continue
            within = {seat for other, others in owners.items() if words in other for seat in others}
            found.append((words, frozenset(seats | within)))
        return cls(tuple(found))

    def owner_of(self, prompt: str, agent: int, said: Iterable[str] = ()) -> int | None:
        """Whose private words stand in a prompt of this agent; None if nobody's, or if somebody said them."""
        for words, seats in self.texts:
            if agent not in seats and words in prompt and not any(words in message for message in said):
                return min(seats)
        return None


@dataclass(slots=True)
class Invariants:
    """Follows one run event by event.

    Attributes:
        scenario: what is played; by default as the manifest says, and in any case as a fork says.
    """

    scenario: Scenario | None = None
    _asked: set[tuple[str, int, int]] = field(default_factory=set)
    _decided: set[tuple[str, str, int]] = field(default_factory=set)
    _left: Settled | None = None

    def broken(self, events: Iterable[Event]) -> Iterator[Broken]:
        """What does not hold in these events, given all that were looked at before."""
        for event in events:
            match event:
                case Spoke() | Declared() | Acted() | Decided():
                    yield from self._once(event)
                case Settled():
                    yield from self._settled(event)
                case RunStarted() if self.scenario is not None:
                    pass
                case RunStarted() | Forked():
                    self.scenario = Scenario.model_validate(event.scenario) if _whole(event.scenario) else None

    def require(self, events: Iterable[Event]) -> None:
        """Go on only if all holds.

        Raises:
            LogCorrupt: naming the first row that is wrong.
        """
        for found in self.broken(events):
            raise LogCorrupt(f"an invariant is broken, so that the run stops before it is logged: {found}")

    def _once(self, event: Spoke | Declared | Acted | Decided) -> Iterator[Broken]:
        here = f"round {event.round}, agent {event.agent}"
        if isinstance(event, Decided):
            decision = (event.stage, event.purpose, event.agent)
            if decision in self._decided:
                yield Broken("decision", f"{here}, {event.purpose}", "I1: it was decided twice")
            self._decided.add(decision)
            return
        stage, turn = "act", 0
        if isinstance(event, Spoke):
            stage, turn = "talk", event.turn
        elif isinstance(event, Declared):
            stage = event.stage
        if (stage, turn, event.agent) in self._asked:
            yield Broken(_TABLE[event.kind], here, "I1: it was told twice")
        self._asked.add((stage, turn, event.agent))

    def _settled(self, event: Settled) -> Iterator[Broken]:
        here = f"round {event.round}"
        for stage, turn, agent in self._expected(len(event.payoffs)):
            if (stage, turn, agent) not in self._asked:
                table = _TABLE_OF_STAGE[stage]
                yield Broken(table, f"{here}, agent {agent}", f"I1: it has no outcome in {stage}, turn {turn}")
        self._asked.clear()
        self._decided.clear()
        yield from _numbers(event, here)
        yield from self._stock(event, here)
        if not _adds_up(event):
            yield Broken("payoff", here, "I5: payoffs are not the mechanism's plus transfers")
        for place, row in enumerate(event.transfers):
            if row.payer == row.payee:
                yield Broken("transfer", f"{here}, place {place}", "I5: who pays is who is paid")
        self._left = event

    def _expected(self, agents: int) -> Iterator[tuple[str, int, int]]:
        for agent in range(agents):
            yield "act", 0, agent
            if self.scenario is None:
                continue
            stages = self.scenario.stages
            yield from (("talk", turn, agent) for turn in range(stages.talk.turns))
            if stages.declare.predict != "off":
                yield "declare", 0, agent
                if stages.declare.before_talk:
                    yield "before_talk", 0, agent

    def _stock(self, event: Settled, here: str) -> Iterator[Broken]:
        for agent, granted in enumerate(event.granted or ()):
            asked = amount_of(event.executed[agent])
            if granted < 0 or (asked is not None and granted > asked):
                yield Broken("action", f"{here}, agent {agent}", f"I4: it is given {granted}, having asked for {asked}")
        before, after = event.stock_before, event.stock_after
        if event.granted is not None and before is not None and sum(event.granted) > before:
            yield Broken("outcome", here, f"I4: {sum(event.granted)} are given of a stock of {before}")
        most = None if self.scenario is None else self.scenario.mechanism.most_stock
        if after is not None and (after < 0 or (most is not None and after > most)):
            yield Broken("outcome", here, f"I4: a stock of {after} is left, where {most} is the most")
        if self._left is None or self._left.round != event.round - 1:
            return
        if before is not None and self._left.stock_after is not None and before != self._left.stock_after:
            yield Broken("outcome", here, f"I4: it finds a stock of {before}; {self._left.stock_after} were left")
        if _physical(event.state_before) != _physical(self._left.state_after):
            yield Broken("outcome", here, "I4: the state it finds is not the one that was left")


def _numbers(event: Settled, here: str) -> Iterator[Broken]:
    values: tuple[Number | None, ...] = (
        *event.payoffs,
        *event.material,
        *(event.granted or ()),
        *(row.amount for row in event.transfers),
        event.total,
        event.stock_before,
        event.stock_after,
    )
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        yield Broken("outcome", here, "I6: a number is not finite")


def _adds_up(settled: Settled) -> bool:
    balances = list(settled.material)
    for row in settled.transfers:
        if row.payer is not None:
            balances[row.payer] = tidy(balances[row.payer] - row.amount)
        if row.payee is not None:
            balances[row.payee] = tidy(balances[row.payee] + row.amount)
    return tuple(balances) == tuple(settled.payoffs)


def _physical(state: Any) -> Any:  # Any: JSON
    """The mechanism's part of a state; what agents agree on may change while they talk."""
    return state.get("physical", state) if isinstance(state, dict) else state


def _whole(scenario: Any) -> bool:  # Any: JSON
    """Whether a manifest holds a scenario; logs made by hand may hold less."""
    return isinstance(scenario, dict) and "mechanism" in scenario and "agents" in scenario


_TABLE = {"spoke": "message", "declared": "intent", "acted": "action"}
_TABLE_OF_STAGE = {"talk": "message", "declare": "intent", "before_talk": "intent", "act": "action"}
