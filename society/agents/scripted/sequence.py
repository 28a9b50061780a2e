"""A fixed list of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, JsonValue

from society.agents.scripted.script import Script, Sight
from society.core.actions import Action, Choice
from society.core.errors import BadInput
from society.core.exact import Json, parse_exact
from society.core.mechanism import SpaceOf


class SequenceScript(Script):
    """The given action of each round; the last one is repeated."""

    kind: Literal["sequence"] = "sequence"
    actions: tuple[JsonValue, ...] = Field(min_length=1)
    """an amount, a word, or a list of shares for each round"""

    def act(self, at: Sight) -> Action:
        return written(self.actions[min(at.seen.round, len(self.actions)) - 1], at.space)


class Always(Script):
    """The same action in every round: a word or an amount."""

    kind: Literal["always"] = "always"
    action: JsonValue
    """what it does"""

    def act(self, at: Sight) -> Action:
        return written(self.action, at.space)


def written(raw: Json, space: SpaceOf) -> Action:
    """An action as somebody wrote it into a scenario; it need not be allowed.

    Raises:
        BadInput: it is no action at all.
    """
    if isinstance(space, Choice):
        for option in space.options:
            if str(raw).casefold() == option.casefold():
                return option
        raise BadInput(f"wants {raw!r}; expected {space.describe()}")
    try:
        if isinstance(raw, Sequence) and not isinstance(raw, str):
            return tuple(parse_exact(part) for part in raw)
        return parse_exact(raw)
    except ValueError as problem:
        raise BadInput(f"wants {raw!r}: {problem}") from None
