"""A person at the terminal takes a seat.

The person reads what a language model would read, and answers by the same rules. A line of plain words is a message, a number or
word alone is an action or an intention, an empty line is silence or "not stated"; anything larger is written as JSON. What
cannot be read is asked again, until it can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from society.agents.briefing import Brief
from society.agents.prompting import Prompts
from society.agents.questions import Questions, transcript_of
from society.agents.reading import read
from society.agents.stated import read_action
from society.core.errors import Paused, Unreadable
from society.core.policy import Answer, Declaration, Declare, Draft, ParseStatus, Question, Speak, Utterance
from society.models.terminal import read_line

T = TypeVar("T")
Reader = Callable[[str], Awaitable[str]]
Writer = Callable[[str], None]


class HumanPolicy:
    """An agent whose answers are typed by a person.

    Args:
        brief: what the seat knows from the start; shown before the first question.
        prompts: the templates.
        reader: gives one line for a prompt; raises EOFError when the person has left.
        writer: shows text.
    """

    def __init__(self, brief: Brief, prompts: Prompts, *, reader: Reader = read_line, writer: Writer = print) -> None:
        self.brief, self.reader, self.writer = brief, reader, writer
        self._questions = Questions(brief, prompts)
        self._transcript = transcript_of(brief, prompts)
        self._shown = 0
        self._greeted = False

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Ask until the answer can be read.

        Raises:
            Paused: the person has left; the run can be resumed.
        """
        if not self._greeted:
            self.writer(self.brief.system)
            self._greeted = True
        history = question.seen.history
        for entry in history[self._shown :]:
            self.writer(self._transcript.line(entry))
        self._shown = len(history)
        self.writer(self._questions.text(question))
        attempts = 0
        while True:
            attempts += 1
            try:
                line = (await self.reader("> ")).strip()
            except EOFError:
                raise Paused("the person at the terminal has left") from None
            try:
                return self._read(line, question, attempts)
            except Unreadable as problem:
                self.writer(f"{problem}")

    def _read(self, line: str, question: Question[T], attempts: int) -> Answer[T]:
        status: ParseStatus = "ok" if attempts == 1 else "retried"
        if not line.startswith("{"):
            plain = self._plain(line, question)
            if plain is not None:
                return cast("Answer[T]", Answer(plain, status, None, line, attempts=attempts))
        reading = read(line, question)
        return Answer(reading.value, status, reading.submitted, line, reading.outside, attempts)

    def _plain(self, line: str, question: Question[T]) -> Utterance | Declaration | None:
        """What a line without braces says to a person's question, where that differs from a model's."""
        if isinstance(question, Speak) and (question.public or not line):
            return Utterance((Draft(None, line),) if line else ())
        if isinstance(question, Declare):
            return Declaration(intended=read_action(question.seen.space, line).value if line else None)
        return None
