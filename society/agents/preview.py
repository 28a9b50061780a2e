"""The exact prompts an agent would get before the first round, without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from society.agents.advising import human_brief
from society.agents.briefing import Brief, brief
from society.agents.prompting import Prompts
from society.agents.questions import Questions
from society.agents.schemas import Schema, answer_schema
from society.agents.window import tokens_in
from society.core.calls import Position
from society.core.policy import Act, Decide, Declare, Observation, Question, Speak
from society.governance.governed import Governed
from society.instruments.ask_human import AskHuman
from society.models.schema import full
from society.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class Shown:
    """One prompt as it would be sent.

    Attributes:
        stage: talk, declare or act; human, of what the human is asked on behalf of the agent.
        system, question: its two messages.
        schema: what an answer must look like.
    """

    stage: str
    system: str
    question: str
    schema: Schema

    @property
    def tokens(self) -> int:
        """Its length, as this package estimates tokens."""
        return tokens_in(self.system) + tokens_in(self.question)


def preview(scenario: Scenario, agent: int = 0, prompts: Prompts | None = None) -> tuple[Shown, ...]:
    """The first prompt of each stage the scenario has, for one seat.

    Raises:
        TemplateFault: a template is missing or wrong.
    """
    prompts = prompts or Prompts.load()
    known = brief(scenario, agent, prompts)
    game = Governed(scenario.mechanism, scenario.instruments, scenario.names)
    state = game.initial_state()
    seen = Observation(
        agent=agent,
        names=scenario.names,
        round=1,
        rounds=scenario.rounds if scenario.disclosure.horizon else None,
        facts=game.observe(state, agent),
        space=game.space(state, agent),
        rules=game.rules_for(state, agent),
        state=state.physical,
    )
    stages, asked = scenario.stages, list[Question[Any]]()  # Any: each has an answer of its own
    if stages.talk.turns:
        channels = stages.talk.channels
        asked.append(
            Speak(
                Position(1, "talk", 0, agent),
                seen,
                private="private" in channels,
                public="public" in channels,
                most_characters=stages.talk.length,
                turns=stages.talk.turns,
                announce=stages.talk.announce,
                offers=game.offers(state, agent),
            )
        )
    if stages.declare.predict != "off":
        asked.append(
            Declare(
                Position(1, "declare", 0, agent),
                seen,
                predict=stages.declare.predict,
                spaces=tuple(game.space(state, seat) for seat in range(game.agents)),
                totals="total" in scenario.mechanism.quantities,
                objective=stages.declare.objective,
            )
        )
    asked.append(Act(Position(1, "act", 0, agent), seen))

    def shown(known: Brief, one: Question[Any]) -> Shown:
        text = Questions(known, prompts).text(one)
        return Shown(one.at.stage, known.system, text, full(answer_schema(one)))

    found = tuple(shown(known, one) for one in asked)
    if scenario.model_of_human is None:
        return found
    human = human_brief(scenario, agent, prompts)
    return found + tuple(
        shown(
            human,
            Decide(
                Position(1, "human", 0, agent),
                seen,
                purpose=ask.purpose,
                template=ask.template,
                variables=ask.variables,
                parts=ask.parts,
            ),
        )
        for rule in game.rules(state)
        if isinstance(rule.instrument, AskHuman)
        for ask in [game.consultation(state, rule, agent, {"action": game.book.hard(state, agent)})]
    )
