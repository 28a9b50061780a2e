r"""What happened, event by event, in canonical form.

Events are the source of truth: an episode is a pure function of them, and they hold nothing that varies between two equal
runs (no time, latency, request id or cost). Those stand in the journal of calls, outside the chain.

    RunStarted    the manifest: all that determines the run
    Spoke         one agent's turn of talk
    Declared      one agent's private declaration
    Acted         one agent's action: submitted, legal, and how it was read
    Decided       one further decision an instrument asked for (sanction points, a vote)
    Settled       what the round came to, for everybody
    Forked        the rounds so far are another run's; from here on another scenario holds
    RunEnded      why it ended

The chain: ``h_0 = SHA-256("society-log/1\n" + manifest)``, ``h_k = SHA-256(h_{k-1} + canonical(event_k))``, in hex digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, Protocol, TypeAlias, get_args

from society.core.actions import Action
from society.core.canonical import encoder
from society.core.exact import Json, Number
from society.core.moves import Move
from society.core.policy import Declaration, Draft, ParseStatus
from society.core.revive import part_to_plain, record_to_plain, revive
from society.core.rows import RuleEvent as RuleEvent
from society.core.rows import Transfer as Transfer

CHAIN = "society-log/1"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """All that determines the run; the rest follows from it and from the answers.

    Attributes:
        scenario: the whole resolved scenario, as canonical JSON.
        seed: the seed of this run.
        agents: names in seat order.
        models: the model of each seat, or the policy's name where no model is asked.
        prompts: SHA-256 of each template used, by name.
        version: version of this package; schema: version of the log's layout.
    """

    scenario: Json
    seed: int
    agents: tuple[str, ...]
    models: tuple[str, ...]
    prompts: Json
    version: str
    schema: int
    kind: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True)
class Spoke:
    round: int
    turn: int
    agent: int
    messages: tuple[Draft, ...]
    status: ParseStatus
    clipped: bool = False
    error: str = ""
    moves: tuple[Move, ...] = ()
    kind: Literal["spoke"] = "spoke"


@dataclass(frozen=True, slots=True)
class Declared:
    """A private declaration; `declaration` is None when nothing usable was said. `stage` is declare, or before_talk."""

    round: int
    agent: int
    declaration: Declaration | None
    status: ParseStatus
    text: str | None = None
    error: str = ""
    stage: str = "declare"
    kind: Literal["declared"] = "declared"


@dataclass(frozen=True, slots=True)
class Acted:
    """An action as submitted and as it legally stands; `rule` says what a default counted as (abstain, repeat)."""

    round: int
    agent: int
    submitted: Json
    legal: Action
    status: ParseStatus
    rule: str | None = None
    error: str = ""
    kind: Literal["acted"] = "acted"


@dataclass(frozen=True, slots=True)
class Decided:
    """A further decision that an instrument asked for: in the second stage, or a vote when the round is settled."""

    round: int
    agent: int
    purpose: str
    parts: tuple[tuple[str, Action], ...]
    status: ParseStatus
    error: str = ""
    stage: str = "second"
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True, slots=True)
class Settled:
    """What one round came to.

    Attributes:
        state_before, state_after: canonical JSON of the whole game state (physical and institutional).
        material: payoffs of the mechanism; payoffs: after transfers.
        transfers, rule_events: what governance did, row by row.
        coalitions: the declared coalitions in force during the round: (id, members).
    """

    round: int
    executed: tuple[Action, ...]
    payoffs: tuple[Number, ...]
    material: tuple[Number, ...]
    state_before: Json
    state_after: Json
    granted: tuple[Number, ...] | None = None
    total: Number | None = None
    stock_before: Number | None = None
    stock_after: Number | None = None
    collapsed: bool = False
    over: bool = False
    facts: Json = field(default_factory=dict)
    transfers: tuple[Transfer, ...] = ()
    rule_events: tuple[RuleEvent, ...] = ()
    coalitions: tuple[tuple[str, tuple[int, ...]], ...] = ()
    kind: Literal["settled"] = "settled"


@dataclass(frozen=True, slots=True)
class Forked:
    """What was played so far is shared with another run; the next round is played under another scenario.

    Attributes:
        round: the last round that is shared.
        scenario, seed, models, prompts, version: what holds from the next round on, as in `RunStarted`.
    """

    round: int
    scenario: Json
    seed: int
    models: tuple[str, ...]
    prompts: Json
    version: str
    kind: Literal["forked"] = "forked"


EndStatus = Literal["completed", "invalid"]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last event of a run. A run without one is unfinished, and says so wherever it is shown."""

    status: EndStatus
    reason: str
    rounds: int
    kind: Literal["run_ended"] = "run_ended"


Event: TypeAlias = RunStarted | Spoke | Declared | Acted | Decided | Settled | Forked | RunEnded

_EVENTS: dict[str, Any] = {  # Any: dataclass types of different shapes
    event_type.__dataclass_fields__["kind"].default: event_type for event_type in get_args(Event)
}


def event_to_plain(event: Event) -> dict[str, Json]:
    """The event as JSON values; numbers stay exact, as ``"2/5"``."""
    shape: dict[str, Json] = record_to_plain(event)
    return shape


def event_from_plain(shape: dict[str, Json]) -> Event:
    """Back from `event_to_plain`: ``event_from_plain(event_to_plain(e)) == e``.

    Raises:
        ValueError: not the shape of any event.
    """
    kind = shape.get("kind")
    if kind not in _EVENTS:
        raise ValueError(f"no event is called {kind!r}")
    event: Event = revive(_EVENTS[str(kind)], shape)
    return event


def canonical_event(event: Event) -> str:
    """The text that is stored and hashed: ``canonical_json(event_to_plain(event))``, in one pass."""
    return _ENCODER(event)


_ENCODER = encoder(part_to_plain)


def setting_of(events: Iterable[Event]) -> RunStarted | Forked:
    """What holds where these events end: the manifest, or the last fork.

    Raises:
        ValueError: neither is among them.
    """
    found: RunStarted | Forked | None = None
    for event in events:
        if isinstance(event, (RunStarted, Forked)):
            found = event
    if found is None:
        raise ValueError("no event says what was played")
    return found


def chain_start(manifest: RunStarted) -> str:
    """h_0, the hash of the manifest."""
    return sha256(f"{CHAIN}\n{canonical_event(manifest)}".encode()).hexdigest()


def chain_next(previous: str, event: str) -> str:
    """h_k from h_{k-1} and the canonical text of event k."""
    return sha256((previous + event).encode()).hexdigest()


class Sink(Protocol):
    """Who is told what happened. The first event is `RunStarted`, the last `RunEnded`."""

    async def stage(self, events: tuple[Event, ...]) -> None:
        """One stage is over; its events in canonical order (agent within turn). Returns when they are safe."""
        ...
