"""What one agent is told once, before the first round: the system message and the constant words of all its prompts.

Only what this agent may know goes in: its own goal and persona, the public roles of the others, the rules. Neither the goals and
personas of others nor how anybody decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from society.agents.prompting import Plain, Prompts, plain_data
from society.agents.transcript import inert, label
from society.core.goals import Goal, Weighted
from society.core.mechanism import Facts, Mechanism
from society.scenario.model import Scenario

STAGES = ("talk", "declare", "act", "decide")
ANY_MECHANISM = "mechanisms/any.j2"


@dataclass(frozen=True)
class Brief:
    """What a seat knows from the start.

    Attributes:
        agent: the seat.
        names: everybody's name, in seat order.
        words: plain data for the templates.
        system: the system message.
        mechanism: the template that words the mechanism.
    """

    agent: int
    names: tuple[str, ...]
    words: Mapping[str, Plain]
    system: str
    mechanism: str

    def situation(self, prompts: Prompts, facts: Facts, round_: int) -> str:
        """The state of the commons as this agent is told of it, in words."""
        context = {**self.words, "facts": plain_data(facts), "round": round_}
        return prompts.render(self.mechanism, context, block="state")


def brief(scenario: Scenario, agent: int, prompts: Prompts) -> Brief:
    """The brief of one seat.

    Raises:
        TemplateFault: a template is missing or wrong.
    """
    spec = scenario.agents[agent]
    mechanism = mechanism_template(scenario.mechanism, prompts)
    theme = {
        key: inert(value) if key != "story" else value.strip() for key, value in plain_data(scenario.theme).items()
    }
    words: dict[str, Plain] = {
        "theme": theme,
        "me": label(scenario.names[agent]),
        "names": [label(name) for name in scenario.names],
        "others": [
            {"name": label(name), "role": inert(other.role)}
            for seat, (name, other) in enumerate(zip(scenario.names, scenario.agents, strict=True))
            if seat != agent
        ],
        "role": inert(spec.role),
        "rounds": scenario.rounds if scenario.disclosure.horizon else None,
        "talk": plain_data(scenario.stages.talk),
        "declare": plain_data(scenario.stages.declare),
        "act": plain_data(scenario.stages.act),
        "mechanism": plain_data(scenario.mechanism),
    }
    system = prompts.render(
        "system.j2",
        {
            **words,
            "persona": spec.persona.strip(),
            "goal": goal_words(spec.goal, prompts, words),
            "rules": prompts.render(mechanism, words, block="rules"),
            "instruments": [text for text in instrument_words(scenario, agent, prompts, words) if text],
        },
    )
    return Brief(agent, scenario.names, words, system, mechanism)


def mechanism_template(mechanism: Mechanism[Any], prompts: Prompts) -> str:
    """The template of a mechanism; a mechanism without one of its own gets a plain list of its parameters."""
    name = f"mechanisms/{mechanism.kind}.j2"
    return name if prompts.has(name) else ANY_MECHANISM


def goal_words(goal: Goal, prompts: Prompts, words: Mapping[str, Plain]) -> str:
    """A goal as the sentence its agent is told."""
    parts: list[Plain] = []
    if isinstance(goal, Weighted):
        parts = [
            {"weight": plain_data(part.weight), "words": goal_words(part.goal, prompts, words)} for part in goal.parts
        ]
    return prompts.render(f"goals/{goal.kind}.j2", {**words, "goal": plain_data(goal), "parts": parts})


def instrument_words(scenario: Scenario, agent: int, prompts: Prompts, words: Mapping[str, Plain]) -> Iterator[str]:
    """What each instrument with a template of its own tells this agent from the start."""
    for instrument in scenario.instruments:
        name = f"instruments/{instrument.kind}.j2"
        if prompts.has(name):
            yield prompts.render(name, {**words, "instrument": plain_data(instrument), "agent": agent})


def templates_used(scenario: Scenario, prompts: Prompts) -> dict[str, str]:
    """SHA-256 of each template that this scenario's prompts are made of, by name."""
    wanted = {"system.j2", "history.j2", "repair.j2", *(f"{stage}.j2" for stage in STAGES)}
    wanted.add(mechanism_template(scenario.mechanism, prompts))
    wanted |= {f"goals/{kind}.j2" for spec in scenario.agents for kind in _goal_kinds(spec.goal)}
    governed = {f"instruments/{instrument.kind}.j2" for instrument in scenario.instruments}
    wanted |= {name for name in governed if prompts.has(name)}
    return {name: prompts.hash(name) for name in sorted(wanted)}


def _goal_kinds(goal: Goal) -> Iterator[str]:
    yield goal.kind
    if isinstance(goal, Weighted):
        for part in goal.parts:
            yield from _goal_kinds(part.goal)
