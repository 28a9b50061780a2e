"""A language model that reads its answers from a file: ``mock:script:PATH``.

The file is a JSON list, or JSON Lines. Each entry is a string (the words of an answer to anything), or an object:

    {"match": {"round": 2, "stage": "act", "agent": [0, 3]}, "answer": {"amount": 5}}

`match` names any of round, stage, turn, agent and attempt, each with a value or a list of values; without it the entry
fits every question. `text` holds words as they are, `answer` JSON that is written out, `finish` how it ends (``stop`` if
not given; length, refusal, filtered, empty). The first entry that fits a question answers it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from society.core.calls import ModelRequest, ModelResponse
from society.core.errors import BadInput
from society.core.exact import Json
from society.models.envelope import enveloped


class Match(BaseModel):
    """Which questions an entry fits; None fits all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: int | tuple[int, ...] | None = None
    stage: str | tuple[str, ...] | None = None
    turn: int | tuple[int, ...] | None = None
    agent: int | tuple[int, ...] | None = None
    attempt: int | tuple[int, ...] | None = None

    def fits(self, request: ModelRequest) -> bool:
        at = request.at
        pairs = (
            (self.round, at.round),
            (self.stage, at.stage),
            (self.turn, at.turn),
            (self.agent, at.agent),
            (self.attempt, at.attempt),
        )
        return all(
            wanted is None or (actual in wanted if isinstance(wanted, tuple) else actual == wanted)
            for wanted, actual in pairs
        )


class Line(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Match = Match()
    text: str | None = None
    answer: Json = None
    finish: Literal["stop", "length", "refusal", "filtered", "empty"] = "stop"


_LINES: TypeAdapter[list[Line]] = TypeAdapter(list[Line])


class ScriptedModel:
    """Answers from the lines of a file."""

    def __init__(self, lines: list[Line], source: str) -> None:
        self.lines, self.source = lines, source

    @classmethod
    def load(cls, path: Path) -> ScriptedModel:
        """Read the file.

        Raises:
            BadInput: it cannot be read, or is not of the form above.
        """
        try:
            text = path.read_text(encoding="utf-8")
            first = text.lstrip()[:1]
            raw = json.loads(text) if first == "[" else [json.loads(line) for line in text.splitlines() if line.strip()]
            entries = [{"text": entry} if isinstance(entry, str) else entry for entry in raw]
            return cls(_LINES.validate_python(entries), str(path))
        except (OSError, UnicodeDecodeError) as problem:
            raise BadInput(f"mock:script cannot read {path}: {problem}") from None
        except ValidationError as problem:
            first_error = problem.errors()[0]
            place = ".".join(str(part) for part in first_error["loc"])
            raise BadInput(f"mock:script: {path}, entry {place}: {first_error['msg']}") from None
        except ValueError as problem:
            raise BadInput(f"mock:script: {path} is not JSON: {problem}") from None

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """The first entry that fits.

        Raises:
            BadInput: none does.
        """
        for line in self.lines:
            if line.match.fits(request):
                text = line.text if line.text is not None else json.dumps(line.answer)
                return enveloped(request, "" if line.finish == "empty" else text, line.finish)
        at = request.at
        raise BadInput(
            f"mock:script: {self.source} has no answer for round {at.round}, stage {at.stage}, turn {at.turn}, "
            f"agent {at.agent}, attempt {at.attempt}; add an entry, or a last one without 'match'"
        )

    async def close(self) -> None:
        """Nothing is held."""
