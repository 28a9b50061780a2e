"""One question to a language model, its answer, and the journal that makes both survive.

A call is *identified by its position* (round, stage, turn, agent, attempt) and *verified by a hash* of what was asked: two
agents with identical prompts are two samples, and a resumed run that asks something else at a position is noticed.

`attempt` counts semantic re-asks after an unreadable answer; `issue` counts transport tries of the same question.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Literal, Protocol

from society.core.canonical import canonical_json, quoted_json
from society.core.exact import Json
from society.core.stem import Stem

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where in an episode a call belongs. `stage` is talk, declare, act, human, second or vote."""

    round: int
    stage: str
    turn: int
    agent: int
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the prompt; `stem` is what its content begins with, where other prompts begin with it as well."""

    role: Role
    content: str
    stem: Stem | None = field(default=None, compare=False, repr=False)

    def link(self, before: str) -> str:
        """The hash of a prompt that continues the prompt hashed as `before` with this message; see `prompt_link`."""
        if self.stem is not None:
            head = f'["{before}",{quoted_json(self.role)},"'
            found = self.stem.hash(head, self.content[self.stem.length :], '"]')
            if found is not None:
                return found
        return prompt_link(before, self.role, self.content)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. None leaves the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 512
    seed: int | None = None
    reasoning_effort: str | None = None

    def seeded(self, seed: int) -> Sampling:
        """The same, drawn by this seed."""
        return Sampling(self.temperature, self.top_p, self.max_tokens, seed, self.reasoning_effort)

    def canonical(self) -> str:
        """What is hashed of it, as canonical JSON: a list of all fields, real numbers in words."""
        effort = "null" if self.reasoning_effort is None else quoted_json(self.reasoning_effort)
        seed = "null" if self.seed is None else self.seed
        return f'["{self.temperature!r}","{self.top_p!r}",{self.max_tokens},{seed},{effort}]'


class Hints(Protocol):
    """What offline models, which read no prose, go by instead of the prompt. It never leaves the process and is worked out when asked for."""

    @property
    def known(self) -> Hashable:
        """All that the values follow from: equal for equal values."""
        ...

    def value(self, of: str, wish: Wish) -> Json:
        """A value in the form of the answer, or None; `of` is what the schema says its value is of (see `society.models.mock`)."""
        ...


Wish = Literal["share", "greedy", "last"]
"""The fair value, the selfish one, and what the others did last time."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question, complete: what is hashed is what is sent.

    Attributes:
        at: its position in the episode.
        model: the model as the user named it, such as ``mock:greedy`` or ``openai:NAME``.
        messages: the rendered prompt.
        schema: JSON Schema of the answer, or None for free text.
        schema_name: a short identifier of the schema, for providers that want one.
        sampling: temperature and the like.
        hints: what offline models may ask; no part of the question.
    """

    at: Position
    model: str
    messages: tuple[ChatMessage, ...]
    schema: Json = None
    schema_name: str = "answer"
    sampling: Sampling = field(default_factory=Sampling)
    hints: Hints | None = field(default=None, compare=False, repr=False)
    _links: tuple[str, ...] | None = field(default=None, init=False, compare=False, repr=False)
    _hash: str = field(default="", init=False, compare=False, repr=False)

    def canonical(self) -> str:
        """What is hashed, as canonical JSON: everything but nothing that varies between two equal questions.

        The messages and the schema stand in it as their hashes, which many questions share.
        """
        at, links = self.at, self.links
        place = f"[{at.round},{quoted_json(at.stage)},{at.turn},{at.agent},{at.attempt}]"
        schema = "null" if self.schema is None else f'"{schema_text(self.schema)[1]}"'
        return (
            f'{{"at":{place},"model":{quoted_json(self.model)},"prompt":"{links[-1] if links else ""}",'
            f'"sampling":{self.sampling.canonical()},"schema":{schema}}}'
        )

    @property
    def links(self) -> tuple[str, ...]:
        """The hash of the prompt up to each of its messages."""
        links = self._links
        if links is None:
            link, found = "", list[str]()
            for message in self.messages:
                link = message.link(link)
                found.append(link)
            links = tuple(found)
            object.__setattr__(self, "_links", links)  # worked out once
        return links

    @property
    def hash(self) -> str:
        """What the journal checks a recalled answer by."""
        if not self._hash:
            object.__setattr__(self, "_hash", sha256(self.canonical().encode()).hexdigest())  # worked out once
        return self._hash


@lru_cache(maxsize=256)  # it holds the messages themselves: enough for those that many questions begin with
def prompt_link(before: str, role: str, content: str) -> str:
    """The hash of a prompt that continues the prompt hashed as `before` with one more message.

    Prompts of one agent share all but their end, so they are hashed (and stored) message by message: a conversation that
    grows costs what was added, not what was said before.
    """
    return sha256(canonical_json([before, role, content]).encode()).hexdigest()


def schema_text(schema: Json) -> tuple[str, str]:
    """A schema as canonical JSON, and the SHA-256 of that. Schema objects are shared by many questions and never changed."""
    known = _SCHEMAS.get(id(schema))
    if known is None:
        if len(_SCHEMAS) >= _MOST_SCHEMAS:
            _SCHEMAS.clear()
        text = canonical_json(schema)
        known = _SCHEMAS[id(schema)] = (schema, text, sha256(text.encode()).hexdigest())
    return known[1:]


_MOST_SCHEMAS = 1024
_SCHEMAS: dict[int, tuple[Json, str, str]] = {}
"""By identity; the schema itself is kept beside its text, so that its identity is not given to another object."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one call. None is unknown, never zero.

    `estimated` marks numbers the provider did not give or that could not be true.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    usd: float | None = None
    estimated: bool = False


Finish = Literal["stop", "length", "refusal", "filtered", "empty", "error", "away"]


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """What came back, read from the raw bytes by a pure function.

    Attributes:
        text: the words of the answer; empty unless `finish` is stop or length.
        finish: why it ended. Only ``stop`` is a whole answer; ``away`` is a person who did not answer in time.
        raw: the body as received, committed before anything read it.
        usage: tokens and money.
        served_model: the model the provider says it used.
        detail: a refusal's words, an error's message.
        seconds: time on the wire; outside every hash.
        cached: answered from the response cache or the journal, without a call.
    """

    text: str
    finish: Finish = "stop"
    raw: bytes = b""
    usage: Usage = field(default_factory=Usage)
    served_model: str | None = None
    detail: str = ""
    seconds: float = 0.0
    cached: bool = False


class ModelClient(Protocol):
    """One call to a language model. Wrappers (journal, retry, throttle, cache, budget) are clients around a client."""

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer the question.

        Raises:
            ProviderRefused: no further try would help; the run stops.
            Paused: a budget, quota or full disk; the run stops and can be resumed.
        """
        ...

    async def close(self) -> None:
        """Release connections and threads; calling it twice is harmless."""
        ...


def at_once(answerer: object) -> bool:
    """Whether a client, or a policy, says by its attribute ``at_once`` that it waits for nothing and nobody: several of them are then
    asked one after the other.
    """
    return bool(getattr(answerer, "at_once", False))


class Journal(Protocol):
    """The part of the log that calls are written to. One journal serves one run."""

    def recall(self, request: ModelRequest) -> ModelResponse | None:
        """The committed answer at this position, or None.

        Raises:
            Diverged: the journal holds an answer to another question here.
        """
        ...

    async def issue(self, request: ModelRequest, *, reserved_usd: float | None) -> int:
        """Commit that the question is about to be sent; returns the issue number, counted from 0 per position."""
        ...

    async def answered(self, request: ModelRequest, issue: int, response: ModelResponse) -> ModelResponse:
        """Commit what came back, before anybody reads it; returns it as it was committed, which is what is to be read."""
        ...

    async def failed(
        self, request: ModelRequest, issue: int, error: str, *, raw: bytes = b"", charged: bool = False
    ) -> None:
        """Record that this try brought no answer; the question stays open.

        `raw` is what came instead, if anything; `charged` says that the provider may charge for it all the same.
        """
        ...
