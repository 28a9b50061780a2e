"""Moves of negotiation: what an agent can do in its turn of talk besides talking.

Free text never binds anybody. A move is typed, is checked by the ledger, and is a row whether it was valid or not.
`Offer` says which moves exist for an agent now; `moves_schema` shows them to a language model, `read_moves` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from society.core.actions import Action, as_written
from society.core.errors import Unreadable
from society.core.exact import Json, Number
from society.core.mechanism import SpaceOf

MoveKind = Literal[
    "propose", "counter", "accept", "refuse", "withdraw", "sign", "join", "leave",
    "transfer", "motion", "vote", "delegate", "defy", "order",
]  # fmt: skip

Terms: TypeAlias = tuple[tuple[str, Action], ...]
"""What a proposal or motion says, as pairs of a term and its value."""

MOST_MOVES = 4
"""How many moves one turn of talk may hold."""


@dataclass(frozen=True, slots=True)
class Move:
    """One move. Which fields mean something depends on `kind`; the others keep their defaults.

    Attributes:
        kind: propose and counter open a proposal; accept, sign, refuse, withdraw, join and leave answer one by `target`;
            transfer gives `amount` to seat `to`; motion asks to change rules; vote answers a motion; delegate hands one's
            action, or one's vote, to another; defy announces that sanctions of `rule` will not be paid;
            order is a bid or an ask in a market.
        rule: the instrument the move is made under.
        target: the number of a proposal or motion.
        members: seats a proposal is addressed to; the proposer is always one of them.
        terms: what a proposal or motion says.
        quorum: acceptances needed, the proposer's included; None means all members.
        to: the seat that receives a transfer, or to whom one's vote is delegated.
        amount: how much.
        choice: the word of a vote.
    """

    kind: MoveKind
    rule: str = ""
    target: int | None = None
    members: tuple[int, ...] = ()
    terms: Terms = ()
    quorum: int | None = None
    to: int | None = None
    amount: Number | None = None
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of move that an agent can make now.

    Attributes:
        kind, rule: as in `Move`.
        targets: proposals or motions it can answer; empty where it answers none.
        seats: whom it may name.
        terms: the space of every term. A proposal gives all of them, a motion some.
        quorum: whether a proposal may name its own quorum.
        amount: the space of the amount.
        words: the words of a vote.
        patience: further rounds in which a new proposal can be accepted; 0 means only this one.
        lasts: rounds an agreement stays in force; None means for the rest of the episode.
    """

    kind: MoveKind
    rule: str
    targets: tuple[int, ...] = ()
    seats: tuple[int, ...] = ()
    terms: Mapping[str, SpaceOf] = field(default_factory=dict)
    quorum: bool = False
    amount: SpaceOf | None = None
    words: tuple[str, ...] = ()
    patience: int = 0
    lasts: int | None = None


def moves_schema(offers: Sequence[Offer], names: Sequence[str]) -> dict[str, Json] | None:
    """JSON Schema of the list of moves in an answer, or None where no move exists."""
    if not offers:
        return None
    variants: list[Json] = [_variant(offer, names) for offer in offers]
    return {
        "type": "array",
        "maxItems": MOST_MOVES,
        "items": variants[0] if len(variants) == 1 else {"anyOf": variants},
        "description": "moves that count, beside the words; an empty list is no move",
    }


def _variant(offer: Offer, names: Sequence[str]) -> Json:
    fields: dict[str, Json] = {
        "move": {"type": "string", "enum": [offer.kind]},
        "rule": {"type": "string", "enum": [offer.rule]},
    }
    who: Json = {"type": "string", "enum": [names[seat] for seat in offer.seats]}
    if offer.targets:
        fields["number"] = {"type": "integer", "enum": list(offer.targets)}
    if offer.kind in ("propose", "counter"):
        fields["with"] = {"type": "array", "items": who, "minItems": 1, "maxItems": len(offer.seats)}
    elif offer.seats:
        fields["to"] = who
    if offer.terms:
        wording: dict[str, Json] = {name: space.answer_schema() for name, space in offer.terms.items()}
        shape: dict[str, Json] = {"type": "object", "properties": wording, "additionalProperties": False}
        shape |= {"minProperties": 1} if offer.kind == "motion" else {"required": list(wording)}
        fields["terms"] = shape
    if offer.quorum:
        fields["quorum"] = {
            "type": ["integer", "null"],
            "minimum": 2,
            "maximum": len(offer.seats) + 1,
            "description": "how many must accept, you included; null: all",
        }
    if offer.amount is not None:
        fields["amount"] = offer.amount.answer_schema()
    if offer.words:
        fields["vote"] = {"type": "string", "enum": list(offer.words)}
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def move_to_plain(move: Move, names: Sequence[str], *, quorum: bool = False) -> dict[str, Json]:
    """A move as an answer states it, with its quorum where one is asked for; `read_moves` reads it back
    where its numbers are decimals.
    """
    found: dict[str, Json] = {"move": move.kind, "rule": move.rule}
    if move.target is not None:
        found["number"] = move.target
    if move.members:
        found["with"] = [names[seat] for seat in move.members]
    if move.to is not None:
        found["to"] = names[move.to]
    if move.terms:
        found["terms"] = {name: as_written(value) for name, value in move.terms}
    if quorum:
        found["quorum"] = move.quorum
    if move.amount is not None:
        found["amount"] = as_written(move.amount)
    if move.choice:
        found["vote"] = move.choice
    return found


def read_moves(raw: Json, offers: Sequence[Offer], names: Sequence[str]) -> tuple[Move, ...]:
    """The moves an answer states.

    Raises:
        Unreadable: not a list of moves that are on offer.
    """
    if raw is None:
        return ()
    if not isinstance(raw, (list, tuple)):
        raise Unreadable("moves must be a list")
    if len(raw) > MOST_MOVES:
        raise Unreadable(f"at most {MOST_MOVES} moves in one turn")
    return tuple(_read_move(item, offers, names) for item in raw)


def _read_move(raw: Json, offers: Sequence[Offer], names: Sequence[str]) -> Move:
    if not isinstance(raw, Mapping):
        raise Unreadable("a move must be an object with 'move' and 'rule'")
    kind, rule = raw.get("move"), raw.get("rule")
    fitting = [o for o in offers if o.kind == kind and (o.rule == rule or rule is None)]
    if not fitting:
        known = ", ".join(sorted({f"{o.kind} under {o.rule}" for o in offers})) or "none"
        raise Unreadable(f"no move {str(kind)[:20]!r} under {str(rule)[:40]!r} now (moves: {known})")
    offer = fitting[0]
    target = raw.get("number")
    if offer.targets and (isinstance(target, bool) or target not in offer.targets):
        raise Unreadable(f"{offer.kind}: expected one of the numbers {', '.join(map(str, offer.targets))}")
    members: tuple[int, ...] = ()
    to = amount = None
    choice = ""
    if offer.kind in ("propose", "counter"):
        named = raw.get("with")
        if not isinstance(named, (list, tuple)) or not named:
            raise Unreadable(f"{offer.kind}: 'with' must be a list of names")
        members = tuple(sorted({_seat(name, offer, names) for name in named}))
    elif offer.seats:
        to = _seat(raw.get("to"), offer, names)
    if offer.amount is not None:
        value = offer.amount.read(raw.get("amount"))
        amount = None if isinstance(value, (str, tuple)) else value
    if offer.words:
        word = raw.get("vote")
        if word not in offer.words:
            raise Unreadable(f"vote: expected one of: {', '.join(offer.words)}")
        choice = str(word)
    return Move(
        kind=offer.kind,
        rule=offer.rule,
        target=target if offer.targets and isinstance(target, int) else None,
        members=members,
        terms=_read_terms(raw.get("terms"), offer),
        quorum=_read_quorum(raw.get("quorum"), offer),
        to=to,
        amount=amount,
        choice=choice,
    )


def _read_terms(raw: Json, offer: Offer) -> Terms:
    if not offer.terms:
        return ()
    if not isinstance(raw, Mapping):
        raise Unreadable(f"{offer.kind}: 'terms' must be an object with {', '.join(offer.terms)}")
    strange = set(raw) - set(offer.terms)
    missing = set() if offer.kind == "motion" and raw else set(offer.terms) - set(raw)
    if strange or missing:
        wrong = sorted(strange or missing)[0]
        raise Unreadable(f"{offer.kind}: {'unknown' if strange else 'missing'} term {str(wrong)[:40]!r}")
    return tuple((name, space.read(raw[name])) for name, space in offer.terms.items() if name in raw)


def _read_quorum(raw: Json, offer: Offer) -> int | None:
    if not offer.quorum or raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int) or not 2 <= raw <= len(offer.seats) + 1:
        raise Unreadable(f"quorum: expected a number from 2 to {len(offer.seats) + 1}, or null")
    return raw


def _seat(raw: Json, offer: Offer, names: Sequence[str]) -> int:
    folded = str(raw).strip().casefold()
    for seat in offer.seats:
        if names[seat].casefold() == folded:
            return seat
    raise Unreadable(f"{offer.kind}: expected one of: {', '.join(names[seat] for seat in offer.seats)}")
