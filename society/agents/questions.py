"""The words of a question, for a model or a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from society.agents.briefing import Brief, rule_texts
from society.agents.forms import Form, form_of
from society.agents.plain import Plain, with_numbers
from society.agents.prompting import Prompts
from society.agents.transcript import Transcript, action_text, label
from society.core.mechanism import Facts
from society.core.policy import Act, Decide, Declare, Question, Speak


def transcript_of(brief: Brief, prompts: Prompts) -> Transcript:
    """Renders the record of the agent that has this brief."""
    return Transcript(prompts, brief.agent, brief.names, brief.words, brief.mechanism.result)


class Questions:
    """Words the questions to one agent; `transcript` renders its record, by default one of its own."""

    def __init__(self, brief: Brief, prompts: Prompts, transcript: Transcript | None = None) -> None:
        self._brief, self._prompts = brief, prompts
        self._transcript = transcript or transcript_of(brief, prompts)
        self._given = self._transcript.given
        self._situation: tuple[int, Facts, str] | None = None

    def text(self, question: Question[Any], form: Form | None = None) -> str:
        """The words of one question, without the history; `form` is that of its answer, if it is at hand."""
        seen = question.seen
        context: dict[str, Plain] = {
            "round": seen.round,
            "rounds": seen.rounds,
            "situation": self._stands(seen.round, seen.facts),
            **self._news(question),
            "turn": question.at.turn,
            "shape": (form or form_of(question)).shape,
        }
        template, further = self._asked(question)
        return self._given.render(template, {**context, **further})

    def _stands(self, round_: int, facts: Facts) -> str:
        """How things stand; several questions in a row find them unchanged."""
        if self._situation is None or self._situation[:2] != (round_, facts):
            self._situation = (round_, facts, self._brief.mechanism.state(facts, round_))
        return self._situation[2]

    def _news(self, question: Question[Any]) -> dict[str, Plain]:
        """What has changed in the rules since the system message was written."""
        now = dict(rule_texts(question.seen.rules, self._prompts, self._brief.words))
        at_first = self._brief.rules
        return {
            "news": [text for rule, text in now.items() if text and at_first.get(rule) != text],
            "gone": [rule for rule in at_first if rule not in now],
        }

    def _asked(self, question: Question[Any]) -> tuple[str, Mapping[str, Plain]]:
        if isinstance(question, Speak):
            return "talk.j2", {
                "private": question.private,
                "public": question.public,
                "most_characters": question.most_characters,
                "turns": question.turns,
                "announce": question.announce,
            }
        if isinstance(question, Declare):
            return "declare.j2", {"predict": question.predict, "totals": question.totals}
        if isinstance(question, Act):
            earlier = [
                {"name": label(question.seen.names[seat]), "action": action_text(action)}
                for seat, action in question.earlier
            ]
            return "act.j2", {"earlier": earlier, "choices": question.seen.space.describe()}
        if isinstance(question, Decide):
            parts = [{"name": label(name), "choices": space.describe()} for name, space in question.parts.items()]
            rule = with_numbers(question.variables)
            about = self._given.render(question.template, {"round": question.seen.round, "rule": rule})
            so_far = None if question.so_far is None else self._transcript.line(question.so_far)
            return "decide.j2", {"about": about, "parts": parts, "purpose": question.purpose, "so_far": so_far}
        raise TypeError(f"no prompt is known for a {type(question).__name__}")
