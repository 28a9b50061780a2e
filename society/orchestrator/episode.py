"""One episode: rounds of talk, declarations, actions and consequences, told to a sink stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from society.core.actions import Action
from society.core.calls import Position
from society.core.events import Acted, Declared, EndStatus, Event, RunEnded, RunStarted, Sink
from society.core.mechanism import SpaceOf
from society.core.policy import Act, Answer, Decide, Declare, Policy, Speak
from society.governance.governed import Ask, GovernedTransition
from society.orchestrator.asking import ask
from society.orchestrator.course import Course, retold
from society.orchestrator.reading import VoidRun, acted, decided, stand_in
from society.orchestrator.settling import public_result
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
    shared: Sequence[Event] = (),
    humans: Sequence[Policy] = (),
) -> RunEnded:
    """Play a scenario once and return its last event.

    Args:
        scenario: what is played; `manifest` holds the same, for the log.
        policies: who decides, one per seat.
        sink: told every stage before the next one begins; the first event is `manifest`.
        manifest: what determines the run; its seed keys all noise.
        watcher: told where the episode is.
        shared: of a fork, everything up to its last `Forked` event, the manifest included: it is taken as it was, nobody is
            asked again, and the sink is told only what follows.
        humans: by seat, who answers when the agent there asks a human; empty where rules answer for one.

    Raises:
        Paused, ProviderRefused, LogCorrupt: what stopped the run. All stages told before are whole.
    """
    course = retold(shared) if shared else Course(scenario, manifest.seed)
    return await _Episode(course, policies, sink, watcher or Silent(), humans).play(() if shared else (manifest,))


class _Episode:
    """Asks whoever has to be asked, and tells the sink what came of it."""

    def __init__(
        self, course: Course, policies: Sequence[Policy], sink: Sink, watcher: Watcher, humans: Sequence[Policy]
    ) -> None:
        self.course, self.policies, self.sink, self.watcher = course, policies, sink, watcher
        self.humans = humans
        self.scenario, self.game, self.agents = course.scenario, course.game, course.agents

    async def play(self, first: tuple[Event, ...]) -> RunEnded:
        course = self.course
        if first:
            await self.sink.stage(first)
        reason = "all rounds were played"
        try:
            while course.rounds < self.scenario.rounds and not (course.rounds and course.over):
                await self._round(course.rounds + 1)
            if course.over:
                reason = f"the game was over after round {course.rounds}"
        except VoidRun as void:
            return await self._end("invalid", str(void))
        share = Fraction(course.defaulted, course.decisions) if course.decisions else Fraction(0)
        if share > self.scenario.on_failure.allowed_share:
            return await self._end(
                "invalid",
                f"{course.defaulted} of {course.decisions} actions were defaulted, more than the scenario allows",
            )
        return await self._end("completed", reason)

    async def _end(self, status: EndStatus, reason: str) -> RunEnded:
        end = RunEnded(status, reason, self.course.rounds)
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

    def _watch(self, number: int, stage: str) -> None:
        self.watcher.stage(number, self.scenario.rounds, stage, self.course.stock)

    async def _talk(self, number: int) -> None:
        talk = self.scenario.stages.talk
        for turn in range(talk.turns):
            self._watch(number, "talk")
            said: list[Event] = []
            for group in speaking_order(talk, self.agents, turn, self.course.noise(number)):
                questions = {
                    agent: Speak(
                        at=Position(number, "talk", turn, agent),
                        seen=self.course.seen(agent, number),
                        private="private" in talk.channels,
                        public="public" in talk.channels,
                        most_characters=talk.length,
                        turns=talk.turns,
                        announce=talk.announce,
                        offers=self.game.offers(self.course.state, agent),
                    )
                    for agent in group
                }
                answers = await ask(self.policies, questions)
                for agent in group:
                    spoken = deliverable(answers[agent], speaker=agent, agents=self.agents, talk=talk)
                    event = spoke(answers[agent], spoken, round=number, turn=turn, agent=agent)
                    self.course.spoken(event)
                    said.append(event)
            await self.sink.stage(tuple(said))

    async def _declare(self, number: int, stage: str) -> None:
        predict = self.scenario.stages.declare.predict
        if predict == "off":
            return
        self._watch(number, stage)
        seen = [self.course.seen(agent, number) for agent in range(self.agents)]
        spaces = tuple(one.space for one in seen)
        questions = {
            agent: Declare(
                at=Position(number, stage, 0, agent),
                seen=seen[agent],
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
            event = Declared(number, agent, answer.value, status, answer.text, answer.error, stage)
            self.course.declared(event)
            events.append(event)
        await self.sink.stage(tuple(events))

    async def _act(self, number: int) -> tuple[Action, ...]:
        self._watch(number, "act")
        seats = range(self.agents)
        events: dict[int, Acted] = {}
        groups = [tuple(seats)] if self.scenario.stages.act.order == "simultaneous" else [(seat,) for seat in seats]
        for group in groups:
            earlier = tuple((seat, event.legal) for seat, event in events.items())
            questions = {
                agent: Act(at=Position(number, "act", 0, agent), seen=self.course.seen(agent, number), earlier=earlier)
                for agent in group
            }
            for agent, answer in (await ask(self.policies, questions)).items():
                space = questions[agent].seen.space
                event = acted(answer, space, round=number, agent=agent)
                events[agent] = event or self._default(number, answer, space, agent)
        for agent in seats:
            self.course.acted(events[agent])
        await self.sink.stage(tuple(events[agent] for agent in seats))
        return tuple(events[agent].legal for agent in seats)

    def _default(self, number: int, answer: Answer[Action], space: SpaceOf, agent: int) -> Acted:
        """What stands for an action that could not be read.

        Raises:
            VoidRun: the scenario says that nothing can.
        """
        reason = f"{answer.status}: {answer.error}" if answer.error else answer.status
        course, rule = self.course, self.scenario.on_failure
        abstention = self.game.abstention(course.state, agent)
        legal, counted_as = stand_in(
            rule, last=course.last.get(agent), abstention=abstention, space=space, reason=reason
        )
        return Acted(number, agent, answer.submitted, legal, "defaulted", counted_as, reason)

    async def _settle(self, number: int, legal: tuple[Action, ...]) -> None:
        """Apply the rules, ask what instruments want to know, and tell everybody what came of the round."""
        state, noise = self.course.state, self.course.noise(number)
        asked = self.game.consultations(state, legal, noise) if self.humans else ()
        made = await self._decide(number, "human", asked) if asked else {}
        outcome = self.game.step(state, legal, noise, made)
        asks = self.game.second_stage(state, outcome)
        if asks:
            made |= await self._decide(number, "second", asks, outcome)
            outcome = self.game.step(state, legal, noise, made)
            replies = self.game.replies(state, outcome)
            if replies:
                made |= await self._decide(number, "second", replies, outcome, first_turn=len(asks))
                outcome = self.game.step(state, legal, noise, made)
        ballots = self.game.ballots(outcome)
        votes = await self._decide(number, "vote", ballots, outcome) if ballots else {}
        await self.sink.stage((self.course.settle(number, outcome, votes),))

    async def _decide(
        self,
        number: int,
        stage: str,
        asks: Sequence[Ask],
        outcome: GovernedTransition | None = None,
        *,
        first_turn: int = 0,
    ) -> dict[tuple[int, str], Mapping[str, Action]]:
        """Ask every agent what instruments want decided: its first question at once with the others' first, and so on.

        `outcome` is what came of the round so far, if anything did; everybody is told of it before it decides. In the stage
        ``human`` the human is asked, who sees what the agent has seen.
        """
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
                    at=Position(number, stage, first_turn + turn, agent),
                    seen=self.course.seen(agent, number),
                    purpose=asked.purpose,
                    template=asked.template,
                    variables=asked.variables,
                    parts=asked.parts,
                    so_far=None
                    if outcome is None
                    else public_result(number, agent, outcome, outcome.rule_events, self.scenario.disclosure),
                )
                for agent, asked in now.items()
            }
            for agent, answer in (await ask(self.humans if stage == "human" else self.policies, questions)).items():
                event = decided(
                    answer, now[agent].parts, round=number, agent=agent, purpose=now[agent].purpose, stage=stage
                )
                events.append(event)
                if event.status != "defaulted":
                    made[agent, event.purpose] = dict(event.parts)
        await self.sink.stage(tuple(events))
        return made
