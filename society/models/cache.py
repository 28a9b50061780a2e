"""Answers by content, in a folder; off unless the operator names one.

The key is everything that is asked (model, messages, schema, sampling with its seed), and *who* asks: the agent's seat and
the attempt. Without the seat, two agents with identical prompts would share one sample, and their agreement would be an
artefact; without the attempt, a question asked again would get the same unreadable answer. Round, stage and turn are left
out: an equal question later in the game is an equal question.

Only whole answers are kept, as the raw bytes of the provider, one file each; any number of processes may share a folder.
"""

from __future__ import annotations

import dataclasses
import os
from hashlib import sha256
from pathlib import Path

from society.core.calls import Journal, ModelClient, ModelRequest, ModelResponse
from society.core.canonical import canonical_json
from society.models.counters import Counters
from society.models.envelope import read_completion
from society.models.faults import RetryLater


def cache_key(request: ModelRequest) -> str:
    """The hash an answer is kept under."""
    sampling = request.sampling
    content = {
        "who": [request.at.agent, request.at.attempt],
        "model": request.model,
        "messages": [[message.role, message.content] for message in request.messages],
        "schema": request.schema,
        "sampling": [
            repr(sampling.temperature), repr(sampling.top_p), sampling.max_tokens, sampling.seed, sampling.reasoning_effort,
        ],
    }  # fmt: skip
    return sha256(canonical_json(content).encode()).hexdigest()


class Cache:
    """Answers from the folder where it can. What it answers stands in the journal like any other answer, at no cost."""

    def __init__(
        self,
        inner: ModelClient,
        folder: Path,
        journal: Journal | None,
        counters: tuple[Counters, ...],
    ) -> None:
        self.inner, self.folder, self.journal, self.counters = inner, folder, journal, counters

    async def complete(self, request: ModelRequest) -> ModelResponse:
        key = cache_key(request)
        path = self.folder / key[:2] / key[2:]
        known = _read(path)
        if known is not None:
            if self.journal is not None:
                issue = await self.journal.issue(request, reserved_usd=0.0)
                known = await self.journal.answered(request, issue, known)
            for counter in self.counters:
                counter.cached += 1
            return known
        response = await self.inner.complete(request)
        if response.finish == "stop" and response.raw:
            _write(path, response.raw)
        return response

    async def close(self) -> None:
        await self.inner.close()


def _read(path: Path) -> ModelResponse | None:
    """The kept answer; a damaged file is as good as none."""
    try:
        response = read_completion(path.read_bytes())
    except (OSError, RetryLater):
        return None
    return dataclasses.replace(response, usage=dataclasses.replace(response.usage, usd=0.0), cached=True)


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(raw)
    part.replace(path)
