"""The typed questions an agent is asked, and its answers.

A policy (language model, script, learned, human) is one coroutine from a question to an answer. All it knows is what the
question shows it; all it leaves behind is the answer. A failure is a value: `Answer.value` is None, `status` says why, and
the scenario says what that counts as. It is never silently an action.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from society.core.actions import Action
from society.core.calls import Position
from society.core.exact import Json, Number
from society.core.mechanism import Facts, SpaceOf
from society.core.moves import Move, Offer
from society.core.revive import LATER
from society.core.rows import RuleEvent, Transfer

T = TypeVar("T")

ParseStatus = Literal["ok", "repaired", "retried", "empty", "refused", "out_of_range", "truncated", "defaulted"]
"""How an answer was read.

ok: as asked, at once. repaired: mended without asking again (prose around it, a missing brace). retried: asked again, then
fine. empty, refused, truncated: no usable answer, for that reason. out_of_range: plain but not allowed, the nearest allowed
value stands. defaulted: unreadable to the end; what stands is the scenario's `on_failure`, not the agent's choice.
"""


# What an agent has seen so far, oldest first. Everybody's history differs: private messages and own intents.


@dataclass(frozen=True, slots=True)
class Heard:
    """A message this agent sent or received. `to` is None for everybody, else the recipients' seats.

    `announced` is the action that it says its speaker will take; None where it names none.
    """

    round: int
    turn: int
    speaker: int
    to: tuple[int, ...] | None
    text: str
    announced: Action | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    """What this agent itself declared in private."""

    round: int
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class Happened:
    """The public result of one round.

    Attributes:
        requested: what each agent asked for or did, as far as the scenario makes it public (None: hidden).
        granted: what each was given, where that differs from what was asked.
        payoffs: what each got in the end (None: hidden).
        facts: further public results of the mechanism and of instruments.
        transfers: units that changed hands with this agent as payer or payee.
        rule_events: what happened under the rules, as far as it is public or this agent's own.
    """

    round: int
    requested: tuple[Action | None, ...]
    granted: tuple[Number, ...] | None
    payoffs: tuple[Number | None, ...]
    facts: Facts
    transfers: tuple[Transfer, ...] = ()
    rule_events: tuple[RuleEvent, ...] = ()


Seen: TypeAlias = Heard | Meant | Happened


@dataclass(frozen=True, slots=True)
class Observation:
    """All that an agent is told when it is asked.

    Attributes:
        agent: its seat.
        names: everybody's name, in seat order.
        round: which round this is, counted from 1.
        rounds: how many are planned, or None where the scenario hides the end.
        facts: the state as this agent may see it.
        space: what it can do this round, after hard rules.
        history: what it has seen, oldest first. Append-only: a later observation starts with the same entries.
        rules: the rules in force that concern this agent: the template that words each, and its variable ``rule``.
        state: the physical state, for scripts that know the rules and for the hints of offline models. Neither language
            models nor people are shown it.
        standing: that state with the institution's, where there are instruments; for scripts alone.
    """

    agent: int
    names: tuple[str, ...]
    round: int
    rounds: int | None
    facts: Facts
    space: SpaceOf
    history: Sequence[Seen] = ()
    rules: tuple[tuple[str, Mapping[str, Json]], ...] = ()
    state: object = None
    standing: object = None


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One thing an agent is asked; the subclass says what, and its type parameter what an answer is."""

    at: Position
    seen: Observation


# Talk


@dataclass(frozen=True, slots=True)
class Draft:
    """One message an agent wants to send: to everybody (None) or to the seats named.

    `announced` is the action it tells them it will take this round. It is cheap talk like the words, but typed, so that nobody
    has to read numbers out of prose; None announces nothing.
    """

    to: tuple[int, ...] | None
    text: str
    announced: Action | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What an agent says in its turn, and the moves it makes; no message at all is silence, which is allowed."""

    messages: tuple[Draft, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Speak(Question[Utterance]):
    """Say something, to all or in private.

    Attributes:
        private: private messages to named recipients are allowed.
        public: public messages are allowed.
        most_characters: longer messages are clipped and marked.
        turns: how many turns of talk this round has.
        announce: a message can announce, beside its words, the action its speaker will take.
        offers: the typed moves this agent can make beside its words (`moves_schema` and `read_moves` in society.core.moves).
    """

    private: bool = False
    public: bool = True
    most_characters: int = 600
    turns: int = 1
    announce: bool = False
    offers: tuple[Offer, ...] = ()


# Declare

PredictionKind = Literal["per_agent", "total", "distribution"]


@dataclass(frozen=True, slots=True)
class Belief:
    """One possible joint action of the others, in seat order without the agent itself, and its probability."""

    probability: int | Fraction
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an agent states in private before acting. None is "not stated", never zero.

    Attributes:
        intended: the action it is about to take.
        predicted: one action per *other* agent, in seat order; an entry is None where none was stated.
        predicted_total: what all others together will take or give.
        distribution: several possible profiles of the others with probabilities that sum to 1.
        forecast: the score it expects, in the units of its goal.
        desired: the score its goal asks for, reachable or not.
        objective: in its own words, what it is after.
        valid: False where some stated value was not allowed and the nearest one stands.
    """

    intended: Action | None = None
    predicted: tuple[Action | None, ...] | None = None
    predicted_total: Number | None = None
    distribution: tuple[Belief, ...] | None = None
    forecast: Number | None = None
    desired: Number | None = None
    objective: str | None = None
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Declare(Question[Declaration]):
    """State privately what you will do, what the others will do, and what you will get.

    Attributes:
        predict: in which form the others' actions are asked for.
        spaces: the action space of every seat, in seat order.
        totals: whether actions can be added up at all.
        objective: also ask, in words, what the agent is after.
    """

    predict: PredictionKind = "per_agent"
    spaces: tuple[SpaceOf, ...] = ()
    totals: bool = True
    objective: bool = False


# Act, and the other decisions that come from a space


@dataclass(frozen=True, slots=True)
class Act(Question[Action]):
    """Do it: one action of `seen.space`.

    Attributes:
        earlier: the actions of those who moved before, in a sequential stage: (seat, action).
    """

    earlier: tuple[tuple[int, Action], ...] = ()


@dataclass(frozen=True, slots=True)
class Decide(Question[Mapping[str, Action]]):
    """Any further decision an instrument asks for: sanction points, a vote, a yes or no.

    Attributes:
        purpose: the id of the rule that asks.
        template: the template that says what is asked and what follows, with `variables`.
        parts: the fields of the answer with the space of each: agents by name, a motion, a yes or no.
        so_far: what came of the round up to this question, as far as the agent may see it; not yet part of its history.
    """

    purpose: str = ""
    template: str = ""
    variables: Mapping[str, Json] = field(default_factory=dict)
    parts: Mapping[str, SpaceOf] = field(default_factory=dict)
    so_far: Happened | None = None


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """How a policy answered.

    Attributes:
        value: the answer as a type of this module, or None when nothing usable was said.
        status: how it was read.
        submitted: the answer as given, before any clamping; what the log calls submitted.
        text: the words it was read from, whole; None for scripted policies.
        error: why there is no value, or what was wrong with an earlier attempt.
        attempts: how many times the agent was asked.
    """

    value: T | None
    status: ParseStatus = "ok"
    submitted: Json = None
    text: str | None = None
    error: str = ""
    attempts: int = 1


class Policy(Protocol):
    """An agent's decision rule."""

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Answer one typed question. Bad answers are values; only what stops the whole run is raised."""
        ...
