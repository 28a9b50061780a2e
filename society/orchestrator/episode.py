"""One episode: rounds of talk, declarations, actions and consequences, told to a sink stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from society.core.actions import Action
from society.core.calls import Position
from society.core.events import Acted, Declared, EndStatus, Event, RunEnded, RunStarted, Sink
from society.core.exact import Number
from society.core.governed import Ask, Governed, GovernedState
from society.core.mechanism import SpaceOf
from society.core.policy import Act, Answer, Decide, Declare, Heard, Meant, Observation, Policy, Speak
from society.core.rows import RuleEvent
from society.core.seeds import Noise
from society.orchestrator.asking import ask
from society.orchestrator.memory import Memory
from society.orchestrator.reading import VoidRun, acted, decided, stand_in
from society.orchestrator.settling import public_result, settled
from society.orchestrator.talk import deliverable, speaking_order, spoke
from society.orchestrator.watch import Silent, Watcher
from society.scenario.model import Scenario


async def play_episode(
    scenario: Scenario,
    policies: Sequence[Policy],
    sink: Sink,
    manifest: RunStarted,
    *,
    watcher: Watcher | None = None,
) -> RunEnded:
    """Play a scenario once and return its last event.

    Args:
        scenario: what is played; `manifest` holds the same, for the log.
        policies: who decides, one per seat.
        sink: told every stage before the next one begins; the first event is `manifest`.
        manifest: what determines the run; its seed keys all noise.
        watcher: told where the episode is.

    Raises:
        Paused, ProviderRefused, LogCorrupt: what stopped the run. All stages told before are whole.
    """
    return await _Episode(scenario, policies, sink, manifest, watcher or Silent()).play()


class _Episode:
    """The state of one episode while it is played."""

    def __init__(
        self, scenario: Scenario, policies: Sequence[Policy], sink: Sink, manifest: RunStarted, watcher: Watcher
    ) -> None:
        self.scenario, self.policies, self.sink, self.watcher = scenario, policies, sink, watcher
        self.manifest = manifest
        self.agents = len(scenario.agents)
        self.game = Governed(scenario.mechanism, scenario.instruments, scenario.names)
        self.state: GovernedState = self.game.initial_state()
        self.stock: Number | None = None
        self.rule_events: list[RuleEvent] = []
        self.memory = Memory(self.agents)
        self.last: dict[int, Action] = {}
        self.defaulted = 0
        self.decisions = 0
        self.rounds = 0
        self.noise = Noise(manifest.seed)

    async def play(self) -> RunEnded:
        await self.sink.stage((self.manifest,))
        reason = "all rounds were played"
        try:
            for number in range(1, self.scenario.rounds + 1):
                self.noise = Noise(self.manifest.seed, number)
                await self._round(number)
                self.rounds = number
                if self.game.over(self.state):
                    reason = f"the game was over after round {number}"
                    break
        except VoidRun as void:
            return await self._end("invalid", str(void))
        share = Fraction(self.defaulted, self.decisions) if self.decisions else Fraction(0)
        if share > self.scenario.on_failure.allowed_share:
            return await self._end(
                "invalid", f"{self.defaulted} of {self.decisions} actions were defaulted, more than the scenario allows"
            )
        return await self._end("completed", reason)

    async def _end(self, status: EndStatus, reason: str) -> RunEnded:
        end = RunEnded(status, reason, self.rounds)
        await self.sink.stage((end,))
        return end

    async def _round(self, number: int) -> None:
        stages = self.scenario.stages
        if stages.declare.before_talk:
            await self._declare(number, "before_talk")
        if stages.talk.turns:
            await self._talk(number)
        await self._declare(number, "declare")
        legal = await self._act(number)
        await self._settle(number, legal)

    def _seen(self, agent: int, number: int) -> Observation:
        return Observation(
            agent=agent,
            names=self.scenario.names,
            round=number,
            rounds=self.scenario.rounds if self.scenario.disclosure.horizon else None,
            facts=self.game.observe(self.state, agent),
            space=self.game.space(self.state, agent),
            history=self.memory.of(agent),
            rules=self.game.rules_for(self.state, agent),
            state=self.state.physical,
        )

    def _watch(self, number: int, stage: str) -> None:
        self.watcher.stage(number, self.scenario.rounds, stage, self.stock)

    async def _talk(self, number: int) -> None:
        talk = self.scenario.stages.talk
        for turn in range(talk.turns):
            self._watch(number, "talk")
            said: list[Event] = []
            for group in speaking_order(talk, self.agents, turn, self.noise):
                questions = {
                    agent: Speak(
                        at=Position(number, "talk", turn, agent),
                        seen=self._seen(agent, number),
                        private="private" in talk.channels,
                        public="public" in talk.channels,
                        most_characters=talk.length,
                        turns=talk.turns,
                        announce=talk.announce,
                        offers=self.game.offers(self.state, agent),
                    )
                    for agent in group
                }
                answers = await ask(self.policies, questions)
                for agent in group:
                    spoken = deliverable(answers[agent], speaker=agent, agents=self.agents, talk=talk)
                    said.append(spoke(answers[agent], spoken, round=number, turn=turn, agent=agent))
                    for draft in spoken.messages:
                        self.memory.hear(Heard(number, turn, agent, draft.to, draft.text, draft.announced))
                    moved = self.game.move(self.state, agent, spoken.moves)
                    self.state = moved.state
                    self.rule_events.extend(moved.rule_events)
            await self.sink.stage(tuple(said))

    async def _declare(self, number: int, stage: str) -> None:
        predict = self.scenario.stages.declare.predict
        if predict == "off":
            return
        self._watch(number, stage)
        spaces = tuple(self.game.space(self.state, agent) for agent in range(self.agents))
        questions = {
            agent: Declare(
                at=Position(number, stage, 0, agent),
                seen=self._seen(agent, number),
                predict=predict,
                spaces=spaces,
                totals="total" in self.scenario.mechanism.quantities,
                objective=self.scenario.stages.declare.objective,
            )
            for agent in range(self.agents)
        }
        answers = await ask(self.policies, questions)
        events: list[Event] = []
        for agent, answer in answers.items():
            status = "defaulted" if answer.value is None and answer.status == "ok" else answer.status
            events.append(Declared(number, agent, answer.value, status, answer.text, answer.error, stage))
            if answer.value is not None:
                self.memory.tell(agent, Meant(number, answer.value))
        await self.sink.stage(tuple(events))

    async def _act(self, number: int) -> tuple[Action, ...]:
        self._watch(number, "act")
        seats = range(self.agents)
        spaces = {agent: self.game.space(self.state, agent) for agent in seats}
        events: dict[int, Acted] = {}
        groups = [tuple(seats)] if self.scenario.stages.act.order == "simultaneous" else [(seat,) for seat in seats]
        for group in groups:
            earlier = tuple((seat, event.legal) for seat, event in events.items())
            questions = {
                agent: Act(at=Position(number, "act", 0, agent), seen=self._seen(agent, number), earlier=earlier)
                for agent in group
            }
            for agent, answer in (await ask(self.policies, questions)).items():
                event = acted(answer, spaces[agent], round=number, agent=agent)
                events[agent] = event or self._default(number, answer, spaces[agent], agent)
        self.decisions += self.agents
        for agent, event in events.items():
            self.last[agent] = event.legal
        await self.sink.stage(tuple(events[agent] for agent in seats))
        return tuple(events[agent].legal for agent in seats)

    def _default(self, number: int, answer: Answer[Action], space: SpaceOf, agent: int) -> Acted:
        """What stands for an action that could not be read.

        Raises:
            VoidRun: the scenario says that nothing can.
        """
        reason = f"{answer.status}: {answer.error}" if answer.error else answer.status
        abstention = self.game.abstention(self.state, agent)
        rule = self.scenario.on_failure
        legal, counted_as = stand_in(rule, last=self.last.get(agent), abstention=abstention, space=space, reason=reason)
        self.defaulted += 1
        return Acted(number, agent, answer.submitted, legal, "defaulted", counted_as, reason)

    async def _settle(self, number: int, legal: tuple[Action, ...]) -> None:
        """Apply the rules, ask what instruments want to know, and tell everybody what came of the round."""
        before = self.state
        outcome = self.game.step(before, legal, self.noise)
        asks = self.game.second_stage(before, outcome)
        if asks:
            outcome = self.game.step(before, legal, self.noise, await self._decide(number, "second", asks))
        ballots = self.game.ballots(outcome)
        votes = await self._decide(number, "vote", ballots) if ballots else {}
        closed = self.game.close(outcome, votes)
        self.state, self.stock = closed.state, outcome.stock_after
        rule_events = (*self.rule_events, *outcome.rule_events, *closed.rule_events)
        self.rule_events = []
        for agent in range(self.agents):
            self.memory.tell(agent, public_result(number, agent, outcome, rule_events, self.scenario.disclosure))
        event = settled(self.game, number, outcome, before=before, after=closed.state, rule_events=rule_events)
        await self.sink.stage((event,))

    async def _decide(
        self, number: int, stage: str, asks: Sequence[Ask]
    ) -> dict[tuple[int, str], Mapping[str, Action]]:
        """Ask every agent what instruments want decided: its first question at once with the others' first, and so on."""
        self._watch(number, stage)
        waiting: dict[int, list[Ask]] = {}
        for ask_ in asks:
            waiting.setdefault(ask_.agent, []).append(ask_)
        made: dict[tuple[int, str], Mapping[str, Action]] = {}
        events: list[Event] = []
        for turn in range(max(len(own) for own in waiting.values())):
            now = {agent: own[turn] for agent, own in waiting.items() if turn < len(own)}
            questions = {
                agent: Decide(
                    at=Position(number, stage, turn, agent),
                    seen=self._seen(agent, number),
                    purpose=asked.purpose,
                    template=asked.template,
                    variables=asked.variables,
                    parts=asked.parts,
                )
                for agent, asked in now.items()
            }
            for agent, answer in (await ask(self.policies, questions)).items():
                event = decided(
                    answer, now[agent].parts, round=number, agent=agent, purpose=now[agent].purpose, stage=stage
                )
                events.append(event)
                if event.status != "defaulted":
                    made[agent, event.purpose] = dict(event.parts)
        await self.sink.stage(tuple(events))
        return made
