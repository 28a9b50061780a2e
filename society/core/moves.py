"""Moves of negotiation: what an agent can do in its turn of talk besides talking.

Free text never binds anybody. A move is typed, is checked by the ledger, and is a row whether it was valid or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from society.core.actions import Action
from society.core.exact import Number

MoveKind = Literal[
    "propose", "counter", "accept", "refuse", "withdraw", "sign", "join", "leave",
    "transfer", "motion", "vote", "delegate", "defy",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """One move. Which fields mean something depends on `kind`; the others keep their defaults.

    Attributes:
        kind: propose and counter open a proposal; accept, refuse, withdraw, sign, join and leave answer one by `target`;
            transfer gives `amount` to seat `to`; motion asks to change a rule; vote answers a motion; delegate hands
            one's action to `rule`; defy announces that sanctions of `rule` will not be paid.
        rule: the instrument the move is made under.
        target: the number of a proposal or motion.
        members: seats a proposal is addressed to, the proposer included.
        terms: what a proposal or motion says, as pairs of a field of the instrument and its value.
        quorum: acceptances needed, the proposer's included; None means all members.
        expires: the last round in which it can be accepted; None means this round.
        to: the seat that receives a transfer, or a candidate.
        amount: how much.
        choice: the word of a vote.
    """

    kind: MoveKind
    rule: str = ""
    target: int | None = None
    members: tuple[int, ...] = ()
    terms: tuple[tuple[str, Action], ...] = ()
    quorum: int | None = None
    expires: int | None = None
    to: int | None = None
    amount: Number | None = None
    choice: str = ""
