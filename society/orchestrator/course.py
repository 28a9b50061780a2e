"""How an episode stands, and how each event moves it on: the same whether the event was just made or is told again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from society.core.actions import Action
from society.core.errors import Diverged, SocietyError
from society.core.events import Acted, Decided, Declared, Event, Forked, RunStarted, Settled, Spoke
from society.core.exact import Json, Number
from society.core.policy import Heard, Meant, Observation
from society.core.rows import RuleEvent
from society.core.seeds import Noise
from society.governance.governed import Governed, GovernedState, GovernedTransition
from society.orchestrator.memory import Memory
from society.orchestrator.settling import public_results, settled
from society.scenario.model import Scenario

Decisions: TypeAlias = dict[tuple[int, str], Mapping[str, Action]]


class Course:
    """The state of one episode between two events.

    Attributes:
        scenario: what is played now; game: its rules; names: its agents'; seed: the key of all its noise.
        state: the game's; stock: the shared stock as the last round left it.
        rule_events: what happened under rules since the last round was settled.
        last: each agent's last action, by seat.
        defaulted, decisions: how many actions were defaulted, of how many.
        rounds: how many are settled.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self.game = Governed(scenario.mechanism, scenario.instruments, scenario.names)
        self.state: GovernedState = self.game.initial_state()
        self.stock: Number | None = None
        self.rule_events: list[RuleEvent] = []
        self.names = scenario.names
        self.memory = Memory(len(scenario.agents))
        self.last: dict[int, Action] = {}
        self.defaulted = self.decisions = self.rounds = 0
        self._last_told: tuple[GovernedState, Json] | None = None

    @property
    def agents(self) -> int:
        return len(self.scenario.agents)

    @property
    def over(self) -> bool:
        """Whether no further round can be played."""
        return self.game.over(self.state)

    def noise(self, number: int) -> Noise:
        """The luck of a round."""
        return Noise(self.seed, number)

    def seen(self, agent: int, number: int) -> Observation:
        """All that an agent knows now."""
        return Observation(
            agent=agent,
            names=self.names,
            round=number,
            rounds=self.scenario.rounds if self.scenario.disclosure.horizon else None,
            facts=self.game.observe(self.state, agent),
            space=self.game.space(self.state, agent),
            history=self.memory.of(agent),
            rules=self.game.rules_for(self.state, agent),
            state=self.state.physical,
            standing=self.state if self.game.instruments else None,
        )

    def spoken(self, event: Spoke) -> None:
        """Deliver what was said, and make the moves beside it."""
        for draft in event.messages:
            self.memory.hear(Heard(event.round, event.turn, event.agent, draft.to, draft.text, draft.announced))
        moved = self.game.move(self.state, event.agent, event.moves)
        self.state = moved.state
        self.rule_events.extend(moved.rule_events)

    def declared(self, event: Declared) -> None:
        """An agent remembers what it declared."""
        if event.declaration is not None:
            self.memory.tell(event.agent, Meant(event.round, event.declaration))

    def acted(self, event: Acted) -> None:
        self.decisions += 1
        self.defaulted += event.status == "defaulted"
        self.last[event.agent] = event.legal

    def settle(
        self, number: int, outcome: GovernedTransition, votes: Mapping[tuple[int, str], Mapping[str, Action]]
    ) -> Settled:
        """Close a round: the state moves on, and everybody is told what came of it."""
        before = self.state
        closed = self.game.close(outcome, votes)
        self.state, self.stock = closed.state, outcome.stock_after
        rule_events = (*self.rule_events, *outcome.rule_events, *closed.rule_events)
        self.rule_events = []
        for agent, told in enumerate(public_results(number, outcome, rule_events, self.scenario.disclosure)):
            self.memory.tell(agent, told)
        self.rounds = number
        return settled(
            number,
            outcome,
            before=self._told(before),
            after=self._told(closed.state),
            coalitions=before.ledger.coalition_structure(),
            rule_events=rule_events,
        )

    def _told(self, state: GovernedState) -> Json:
        """A state as events tell it; that in which a round leaves the game is, as a rule, the one that the next round finds."""
        if self._last_told is None or self._last_told[0] is not state:
            self._last_told = (state, self.game.state_to_plain(state))
        return self._last_told[1]

    def fork(self, event: Forked) -> None:
        """Go on under another scenario.

        Raises:
            Diverged: the state cannot be carried over into it.
        """
        self.scenario, self.seed = Scenario.model_validate(event.scenario), event.seed
        self.names = self.scenario.names
        game = Governed(self.scenario.mechanism, self.scenario.instruments, self.scenario.names)
        try:
            self.state = game.take_over(self.state, self.game, round=event.round + 1)
        except ValueError as problem:
            raise Diverged(f"the state after round {event.round} cannot be carried over: {problem}") from None
        self.game = game


def retold(events: Sequence[Event]) -> Course:
    """How an episode stands after these events, which begin with its manifest and end with a round or a fork.

    Nobody is asked. The rules are called again, and must give what the events say.

    Raises:
        Diverged: the first round that comes out otherwise.
    """
    manifest = events[0]
    assert isinstance(manifest, RunStarted), "a run begins with its manifest"
    course = Course(Scenario.model_validate(manifest.scenario), manifest.seed)
    joint: dict[int, Action] = {}
    decided: dict[str, Decisions] = {
        "second": {},
        "vote": {},
    }  # what a human decides belongs to the step, like the second
    for event in events[1:]:
        match event:
            case Spoke():
                course.spoken(event)
            case Declared():
                course.declared(event)
            case Acted():
                course.acted(event)
                joint[event.agent] = event.legal
            case Decided():
                if event.status != "defaulted":
                    decided["vote" if event.stage == "vote" else "second"][event.agent, event.purpose] = dict(
                        event.parts
                    )
            case Settled():
                try:
                    again = _again(course, event.round, joint, decided)
                except (SocietyError, ArithmeticError, LookupError, TypeError, ValueError) as problem:
                    raise Diverged(f"round {event.round} cannot be derived again: {problem}") from problem
                if again != event:
                    raise Diverged(
                        f"round {event.round} does not come out as it was played: the rules have changed since, or the log"
                    )
                joint, decided = {}, {"second": {}, "vote": {}}
            case Forked():
                course.fork(event)
    return course


def _again(course: Course, number: int, joint: Mapping[int, Action], decided: Mapping[str, Decisions]) -> Settled:
    row = tuple(joint[seat] for seat in range(course.agents))
    outcome = course.game.step(course.state, row, course.noise(number), decided["second"])
    return course.settle(number, outcome, decided["vote"])
