"""A person at the terminal, asked as a model is: ``person``, or ``person:SECONDS`` where an answer has to come in time.

A person answers by the same journal as any model, so that what was typed is typed once: a resumed run does not ask again, and a
replay reads it from the log.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping

from society.core.calls import ModelRequest, ModelResponse
from society.core.errors import Paused
from society.core.exact import Json
from society.models.envelope import enveloped
from society.models.terminal import read_line


def to_stderr(text: str) -> None:
    """Show text beside the data, which go to standard output."""
    print(text, file=sys.stderr, flush=True)


class Person:
    """Asks whoever sits at the terminal, one question at a time.

    A number or a word alone answers a question that has one field; anything else is written as JSON.

    Args:
        seconds: how long an answer may take, counted from when the question is shown; None waits for ever.
        reader: gives one line for a prompt; raises EOFError when the person has left.
        writer: shows text.
    """

    def __init__(
        self,
        seconds: float | None = None,
        *,
        reader: Callable[[str], Awaitable[str]] = read_line,
        writer: Callable[[str], None] = to_stderr,
    ) -> None:
        self.seconds, self.reader, self.writer = seconds, reader, writer
        self._turn = asyncio.Lock()
        self._told: set[str] = set()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Show the question and wait for a line.

        Raises:
            Paused: the person has left; the run can be resumed.
        """
        async with self._turn:
            for message in request.messages:
                if message.role != "system" or message.content not in self._told:
                    self.writer(message.content)
                if message.role == "system":
                    self._told.add(message.content)
            self.writer(">" if self.seconds is None else f"({self.seconds:g} seconds) >")
            try:
                async with asyncio.timeout(self.seconds):
                    line = (await self.reader("")).strip()
            except TimeoutError:
                return ModelResponse("", finish="away", detail=f"no answer within {self.seconds:g} seconds")
            except EOFError:
                raise Paused("the person at the terminal has left") from None
        return enveloped(request, worded(line, request.schema), tokens=(0, 0))

    async def close(self) -> None:
        """Nothing is held."""


def worded(line: str, schema: Json) -> str:
    """A line as the JSON answer it stands for, where the schema has one field and the line is a number or a word alone."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not line or line[0] in "{[" or not isinstance(properties, Mapping) or len(properties) != 1:
        return line
    (field,) = properties
    try:
        value: Json = json.loads(line)
    except ValueError:
        value = line
    return json.dumps({field: value}, ensure_ascii=False)
