"""The prompts of one agent, round by round."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from society import open_log
from society.agents.window import tokens_in
from society.core.calls import ModelRequest, ModelResponse
from society.models.mock import MockModel
from society.models.pool import ModelPool
from society.playing import play
from society.scenario.model import Scenario


def by_round(scenario: Scenario, rounds: int) -> tuple[list[int], list[str]]:
    """Tokens of all prompts of the first agent in each round, and these prompts as text, in order."""
    tokens = [0] * rounds
    texts: list[str] = []

    class Listening(MockModel):
        async def complete(self, request: ModelRequest) -> ModelResponse:
            if request.at.agent == 0:
                tokens[request.at.round - 1] += sum(tokens_in(message.content) for message in request.messages)
                texts.append("\n".join(message.content for message in request.messages))
            return await super().complete(request)

    pool = ModelPool()
    pool._connect = lambda name: Listening(name.name)  # type: ignore[method-assign]  # to listen
    with open_log("sqlite://") as log:
        asyncio.run(play(scenario, model="mock:sustainable", log=log, pool=pool))
    return tokens, texts


def shared_prefix(texts: Sequence[str]) -> float:
    """The share of each prompt that the one before it began with as well, over all prompts after the first."""
    shared = sum(_common(before, after) for before, after in pairwise(texts))
    return shared / sum(map(len, texts[1:]))


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    unlike = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(unlike, min(len(one), len(other)))
