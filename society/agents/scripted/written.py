"""A part written out as in a play: for casts whose answer is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from society.agents.scripted.script import Script, Sight
from society.agents.scripted.sequence import written
from society.core.actions import Action, Choice
from society.core.errors import BadInput, Unreadable, did_you_mean
from society.core.moves import Move, MoveKind, Offer, read_moves
from society.core.policy import Decide, Draft, Speak

_KINDS: tuple[str, ...] = get_args(MoveKind)


class _Cue(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rounds: tuple[int, ...] | None = None
    """the rounds in which it is said or done; null: all"""

    def due(self, round: int) -> bool:
        """Whether it is this round's."""
        return self.rounds is None or round in self.rounds


class Line(_Cue):
    """Something said."""

    text: str = Field(min_length=1, max_length=8000)
    """the words"""
    to: tuple[str, ...] | None = None
    """names of the recipients; null: everybody"""


class Step(_Cue):
    """A move of negotiation; made where such a move exists at that moment, else left out."""

    move: dict[str, JsonValue]
    """as a language model writes it: {move: propose, rule: pact, with: [Ben]}; where it answers a proposal without
    naming its number, it answers the first one on offer"""
    turn: int = Field(1, ge=1)
    """in which turn of the round's talk"""


class Reply(_Cue):
    """What it answers to a rule: points, votes, a yes or no."""

    rule: str
    """the rule that asks"""
    parts: dict[str, JsonValue]
    """the fields of the answer; `*` stands for every field that is not named"""


class WrittenPart(Script):
    """Acts, speaks, makes moves and answers rules as it is written, round by round.

    What no line covers is silence, no move, and the abstention of every script.
    """

    kind: Literal["written"] = "written"
    actions: tuple[JsonValue, ...] = Field(min_length=1)
    """the action of each round; the last one is repeated. Where only one is possible, it does that"""
    lines: tuple[Line, ...] = ()
    """what it says, in the first turn of talk"""
    steps: tuple[Step, ...] = ()
    """the moves it makes in talk"""
    answers: tuple[Reply, ...] = ()
    """what it answers to rules"""

    def act(self, at: Sight) -> Action:
        self._check_rules(() if at.rules is None else at.rules.rule_ids)
        if isinstance(at.space, Choice) and len(at.space.options) == 1:
            return at.space.options[0]
        return written(self.actions[min(at.seen.round, len(self.actions)) - 1], at.space)

    def says(self, at: Sight, question: Speak) -> tuple[Draft, ...]:
        names = at.seen.names
        return tuple(
            Draft(None if line.to is None else tuple(_seat(name, names) for name in line.to), line.text)
            for line in self.lines
            if question.at.turn == 0 and line.due(at.seen.round)
        )

    def moves(self, at: Sight, question: Speak) -> tuple[Move, ...]:
        due = [step.move for step in self.steps if step.turn == question.at.turn + 1 and step.due(at.seen.round)]
        return tuple(move for raw in due for move in _made(raw, question.offers, at.seen.names))

    def decide(self, at: Sight, question: Decide) -> Mapping[str, Action]:
        answer = dict(super().decide(at, question))
        for reply in self.answers:
            if reply.due(at.seen.round) and question.purpose == reply.rule:
                for name, space in question.parts.items():
                    raw = reply.parts.get(name, reply.parts.get("*"))
                    if raw is not None:
                        answer[name] = written(raw, space)
        return answer

    def _check_rules(self, known: Sequence[str]) -> None:
        """A part that names a rule which the scenario does not have would be left out in silence.

        Raises:
            BadInput: it names such a rule, or a kind of move that there is none of.
        """
        for step in self.steps:
            kind = str(step.move.get("move"))
            if kind not in _KINDS:
                raise BadInput(f"there is no move {kind!r}{did_you_mean(kind, _KINDS)}; moves are {', '.join(_KINDS)}")
        named = [reply.rule.partition("/")[0] for reply in self.answers]  # such as ask_human/human
        for rule in (*named, *(str(step.move["rule"]) for step in self.steps if step.move.get("rule") is not None)):
            if rule not in known:
                there = f"rules are {', '.join(known)}" if known else "there are no instruments"
                raise BadInput(f"there is no rule {rule!r}{did_you_mean(rule, known)}; {there}")


def _made(
    raw: Mapping[str, JsonValue],
    offers: Sequence[Offer],
    names: Sequence[str],
) -> Iterable[Move]:
    """The move, if one of its kind is on offer now.

    Raises:
        BadInput: it is on offer, but not in this form.
    """
    fitting = [o for o in offers if o.kind == raw.get("move") and raw.get("rule") in {o.rule, None}]
    if not fitting:
        return ()
    whole = dict(raw)
    if fitting[0].targets:
        whole.setdefault("number", fitting[0].targets[0])
    try:
        return read_moves([whole], offers, names)
    except Unreadable as problem:
        raise BadInput(f"wants the move {dict(raw)}: {problem}") from None


def _seat(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise BadInput(f"writes to {name!r}, who is not there{did_you_mean(name, names)}")
    return list(names).index(name)
