"""What an agent says in its turn of talk, read from its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from society.agents.schemas import EVERYBODY
from society.agents.stated import Reading, exact_data, fields_of, read_action, said
from society.agents.transcript import whole
from society.core.actions import action_to_plain
from society.core.errors import Unreadable
from society.core.exact import Json
from society.core.moves import read_moves
from society.core.policy import Draft, Speak, Utterance

MOST_DRAFTS = 10


def read_utterance(question: Speak, fields: Mapping[str, Any]) -> Reading[Utterance]:
    """The messages and moves of an answer; empty messages are silence.

    Raises:
        Unreadable: no messages, messages to nobody known, or a move that is not on offer.
    """
    if "messages" in fields:
        raw = fields["messages"]
        items = [] if raw is None else raw
        if not isinstance(items, list) or len(items) > MOST_DRAFTS:
            raise Unreadable(f"'messages' must be a list of at most {MOST_DRAFTS}")
        drafts = [_read_draft(question, fields_of(item), "text") for item in items]
    elif "message" in fields:
        drafts = [_read_draft(question, fields, "message")]
    else:
        raise Unreadable("the answer has no 'messages'" if question.private else "the answer has no 'message'")
    kept = tuple(draft for draft, _ in drafts if draft.text.strip() or draft.announced is not None)
    moves = read_moves(exact_data(fields.get("moves")), question.offers, question.seen.names) if question.offers else ()
    sent: list[Json] = [_sent(draft) for draft in kept]
    outside = "; ".join(outside for _, outside in drafts if outside)
    return Reading(Utterance(kept, moves), [*sent, said(fields["moves"])] if moves else sent, outside=outside)


def _sent(draft: Draft) -> Json:
    sent: dict[str, Json] = {"to": None if draft.to is None else list(draft.to), "text": draft.text}
    return sent if draft.announced is None else {**sent, "announced": action_to_plain(draft.announced)}


def _read_draft(question: Speak, fields: Mapping[str, Any], key: str) -> tuple[Draft, str]:
    """One message, and why what it announces is the nearest allowed action and not what was said."""
    text = fields.get(key)
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise Unreadable(f"{key!r} must be text")
    to = _recipients(question, fields.get("to")) if question.private else None
    raw = fields.get("announced") if question.announce else None
    if raw is None:
        return Draft(to, whole(text)), ""
    try:
        announced = read_action(question.seen.space, raw)
    except Unreadable as problem:
        raise Unreadable(f"announced: {problem}") from None
    return Draft(to, whole(text), announced.value), announced.outside and f"announced: {announced.outside}"


def _recipients(question: Speak, raw: Any) -> tuple[int, ...] | None:
    seen = question.seen
    named = [raw] if isinstance(raw, str) else raw
    if named is None or named == []:
        named = [EVERYBODY]
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise Unreadable("'to' must be a list of names")
    seats = {name.casefold(): seat for seat, name in enumerate(seen.names)}
    if any(name.strip().casefold() == EVERYBODY and EVERYBODY not in seats for name in named):
        if not question.public:
            raise Unreadable("'to' must name who hears it; there are no public messages here")
        return None
    found: set[int] = set()
    for name in named:
        seat = seats.get(name.strip().casefold())
        if seat is None:
            raise Unreadable(f"'to' names {name[:40]!r}, and nobody is called that")
        found.add(seat)
    found.discard(seen.agent)
    if not found:
        raise Unreadable("'to' names only yourself")
    return tuple(sorted(found))
