"""What one agent is told once, before the first round: the system message and the constant words of all its prompts.

Only what this agent may know goes in: its own goal and persona, the public roles of the others, the rules. Neither the goals and
personas of others nor how anybody decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from society.agents.plain import Plain, plain_data, with_numbers
from society.agents.prompting import Given, Prompts
from society.agents.transcript import inert, inert_lines, label
from society.core.exact import Json, show
from society.core.goals import Goal, Weighted
from society.core.mechanism import Fact, Facts, Mechanism
from society.governance.governed import Governed
from society.scenario.model import Scenario

QUESTIONS = ("talk.j2", "declare.j2", "act.j2", "decide.j2")
ANY_MECHANISM = "mechanisms/any.j2"
ANY_INSTRUMENT = "instruments/any.j2"


@dataclass(frozen=True)
class Wording:
    """How a mechanism is worded: the three blocks of its template, or what stands for those it has not.

    Without blocks, the whole template is the rules; it is told again in a question when it has come to say something else.

    Attributes:
        prompts: the templates; name: the mechanism's.
        words: the plain data of this agent's prompts.
        first: the facts before the first round.
    """

    prompts: Prompts
    name: str
    words: Mapping[str, Plain]
    first: Facts

    @cached_property
    def rules(self) -> str:
        """How a round works; told once."""
        return self._rules(self.first)

    def state(self, facts: Facts, round_: int) -> str:
        """How things stand now; told in every question."""
        if "state" in self.prompts.blocks(self.name):
            return self._block("state", facts, round_)
        if self.prompts.blocks(self.name):
            return _listed(facts)
        now = self._rules(facts)
        return "" if now == self.rules else now

    def result(self, facts: Facts, round_: int) -> str:
        """What came of a round; told in the record."""
        if "result" in self.prompts.blocks(self.name):
            return self._block("result", facts, round_)
        return _listed(facts)

    @cached_property
    def _given(self) -> Given:
        return self.prompts.given(self.words)

    def _block(self, block: str, facts: Facts, round_: int) -> str:
        return self._given.told(self.name, block, facts, round_)

    def _rules(self, facts: Facts) -> str:
        block = "rules" if "rules" in self.prompts.blocks(self.name) else None
        return self._given.render(self.name, {"facts": plain_data(facts)}, block=block)


def _listed(facts: Facts) -> str:
    return " ".join(f"{name}: {_fact(value)}." for name, value in facts.items())


@dataclass(frozen=True)
class Brief:
    """What a seat knows from the start.

    Attributes:
        agent: the seat.
        names: everybody's name, in seat order.
        words: plain data for the templates.
        system: the system message.
        mechanism: how the mechanism is worded.
        rules: what the system message says of each instrument in force at first, by the rule's id.
        game, goal: the mechanism and the goal themselves, for the hints of offline models; no template sees them.
    """

    agent: int
    names: tuple[str, ...]
    words: Mapping[str, Plain]
    system: str
    mechanism: Wording
    rules: Mapping[str, str]
    game: Mechanism[Any]  # Any: each mechanism has its own type of state
    goal: Goal


def _fact(value: Fact) -> str:
    if isinstance(value, tuple):
        return ", ".join(show(part, 4) for part in value)
    return str(value) if value is None or isinstance(value, (bool, str)) else show(value, 4)


def brief(scenario: Scenario, agent: int, prompts: Prompts) -> Brief:
    """The brief of one seat.

    Raises:
        TemplateFault: a template is missing or wrong.
    """
    spec = scenario.agents[agent]
    game = Governed(scenario.mechanism, scenario.instruments, scenario.names)
    state = game.initial_state()
    theme = {
        key: inert_lines(value.strip()) if key == "story" else inert(value)
        for key, value in plain_data(scenario.theme).items()
    }
    words: dict[str, Plain] = {
        "theme": theme,
        "me": label(scenario.names[agent]),
        "names": [label(name) for name in scenario.names],
        "n": len(scenario.names),
        "others": [
            {"name": label(name), "role": inert(other.role)}
            for seat, (name, other) in enumerate(zip(scenario.names, scenario.agents, strict=True))
            if seat != agent
        ],
        "role": inert(spec.role),
        "rounds": scenario.rounds if scenario.disclosure.horizon else None,
        "talk": plain_data(scenario.stages.talk),
        "declare": plain_data(scenario.stages.declare),
        "act_stage": plain_data(scenario.stages.act),
        "rules": plain_data(scenario.mechanism),
    }
    facts = game.observe(state, agent)
    wording = Wording(prompts, mechanism_template(scenario.mechanism, prompts), words, facts)
    rules = dict(rule_texts(game.rules_for(state, agent), prompts, words))
    told = {
        "persona": inert_lines(spec.persona.strip()),
        "goal_text": goal_words(spec.goal, prompts, words),
        "rules_text": wording.rules,
        "instrument_texts": [text for text in rules.values() if text],
    }
    system = prompts.render("system.j2", {**words, **told})
    return Brief(agent, scenario.names, words, system, wording, rules, scenario.mechanism, spec.goal)


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


def rule_texts(
    rules: Iterable[tuple[str, Mapping[str, Json]]], prompts: Prompts, words: Mapping[str, Plain]
) -> Iterator[tuple[str, str]]:
    """What each rule in force tells an agent, by the rule's id; one without a template of its own lists its parameters."""
    for template, variables in rules:
        name = template if prompts.has(template) else ANY_INSTRUMENT
        yield str(variables["id"]), prompts.render(name, {**words, "rule": with_numbers(variables)})


def templates_used(scenario: Scenario, prompts: Prompts) -> dict[str, str]:
    """SHA-256 of each template that this scenario's prompts are made of, by name."""
    wanted = {*QUESTIONS, "system.j2", "history.j2", "repair.j2"}
    wanted.add(mechanism_template(scenario.mechanism, prompts))
    wanted |= {f"goals/{kind}.j2" for spec in scenario.agents for kind in _goal_kinds(spec.goal)}
    wanted |= {"human.j2"} if scenario.human is not None else set()
    governed = [f"instruments/{instrument.kind}.j2" for instrument in scenario.instruments]
    wanted |= {name if prompts.has(name) else ANY_INSTRUMENT for name in governed}
    wanted |= {name for name in prompts.names if name.startswith(tuple(f"{one[:-3]}_" for one in governed))}
    return {name: prompts.hash(name) for name in sorted(wanted)}


def _goal_kinds(goal: Goal) -> Iterator[str]:
    yield goal.kind
    if isinstance(goal, Weighted):
        for part in goal.parts:
            yield from _goal_kinds(part.goal)
