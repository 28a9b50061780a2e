"""The form of an answer: its schema, the line that words it, and how it is read; made once for questions that are alike."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import Any, TypeVar

from society.agents.reading import read
from society.agents.schemas import Schema, answer_schema, shape
from society.agents.stated import Reading
from society.core.policy import Act, Declare, Question, Speak

T = TypeVar("T")

MOST_FORMS = 1024
MOST_READINGS = 64
MOST_REMEMBERED = 2_000
"""Longest answer whose reading is kept, in characters."""


class Form:
    """The form of the answer to all questions that are alike in what it depends on.

    Attributes:
        schema: its JSON Schema; shared and never changed.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._readings: dict[tuple[str, bool], Reading[Any]] = {}

    @cached_property
    def shape(self) -> str:
        """The schema as one line for the prompt."""
        return shape(self.schema)

    def reading(self, text: str, question: Question[T], last: bool) -> Reading[T]:
        """As `society.agents.reading.read`: equal words mean the same to questions that are alike, and are read once.

        Raises:
            OutOfRange, Unreadable: as there.
        """
        known = self._readings.get((text, last))
        if known is None:
            known = read(text, question, last=last)
            if len(text) <= MOST_REMEMBERED:
                if len(self._readings) >= MOST_READINGS:
                    self._readings.clear()
                self._readings[text, last] = known
        return known


_FORMS: dict[Hashable, Form] = {}


def form_of(question: Question[Any]) -> Form:
    """The form of the answer to a question."""
    key = _alike(question)
    if key is None:
        return Form(answer_schema(question))
    form = _FORMS.get(key)
    if form is None:
        if len(_FORMS) >= MOST_FORMS:
            _FORMS.clear()
        form = _FORMS[key] = Form(answer_schema(question))
    return form


def _alike(question: Question[Any]) -> Hashable:
    """All that the form of an answer depends on; None where it is not worth looking for an equal one."""
    seen = question.seen
    if isinstance(question, Act):
        return (Act, seen.agent, seen.space)
    if isinstance(question, Declare):
        spaces: tuple[Hashable, ...] = (len(question.spaces), seen.space)
        if any(space is not seen.space for space in question.spaces):
            spaces = (*spaces, *question.spaces)
        return (Declare, seen.agent, seen.names, spaces, question.predict, question.totals, question.objective)
    if isinstance(question, Speak) and not question.offers:
        channels = (question.private, question.public, question.most_characters, question.announce)
        return (Speak, seen.agent, seen.names, seen.space if question.announce else None, *channels)
    return None
