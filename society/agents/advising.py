"""Who answers when an agent asks a human: what that human is told, and scripts in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from society.agents.briefing import Brief, brief, goal_words
from society.agents.prompting import Prompts
from society.core.goals import Goal
from society.core.policy import Act, Answer, Decide, Policy, Question
from society.scenario.model import Scenario

T = TypeVar("T")


def human_goal(scenario: Scenario, agent: int) -> Goal:
    """What the human wants for an agent: the scenario's word, or what the one who deployed that agent wants."""
    spec = scenario.agents[agent]
    wanted = None if scenario.human is None else scenario.human.goal
    goal: Goal = wanted or spec.principal_goal or spec.goal
    return goal


def human_brief(scenario: Scenario, agent: int, prompts: Prompts) -> Brief:
    """What the human is told once of the agent that asks: what that agent was told of the game, but not its persona.

    Raises:
        TemplateFault: a template is missing or wrong.
    """
    assert scenario.human is not None, "only a scenario with a human asks one"
    known, goal = brief(scenario, agent, prompts), human_goal(scenario, agent)
    told = {
        "persona": scenario.human.persona.strip(),
        "goal_text": goal_words(goal, prompts, known.words),
        "rules_text": known.mechanism.rules,
        "instrument_texts": [text for text in known.rules.values() if text],
    }
    return replace(known, system=prompts.render("human.j2", {**known.words, **told}), goal=goal)


class InPlace:
    """A script that does for an agent what it would do in its place."""

    at_once = True

    def __init__(self, script: Policy) -> None:
        self.script = script

    async def answer(self, question: Question[T]) -> Answer[T]:
        """The script's action within what the agent can do."""
        assert isinstance(question, Decide), "a human is asked nothing else"
        (part, space), *_ = question.parts.items()
        acted: Answer[Any] = await self.script.answer(Act(question.at, replace(question.seen, space=space)))
        near = None if acted.value is None else space.nearest(acted.value)
        return replace(acted, value=None if near is None else {part: near})
