"""What governance did, row by row: units that changed hands, and what happened to or under a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from society.core.exact import Number


@dataclass(frozen=True, slots=True)
class Transfer:
    """Units that changed hands under a rule. Seat None is the outside: burnt, or paid in by the operator."""

    payer: int | None
    payee: int | None
    amount: Number
    rule: str
    reason: str


RuleEventKind = Literal[
    "violation", "detect", "sanction", "evade", "defy", "amend", "overthrow", "seizure", "lapse", "motion", "vote",
    "propose", "accept", "refuse", "withdraw", "sign", "join", "leave", "dissolve", "ignored", "elect", "recall",
    "counter", "agree", "transfer", "delegate", "ask", "order",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """Something that happened to or under a rule: a violation, an amendment, a seizure."""

    event: RuleEventKind
    rule: str
    agents: tuple[int, ...]
    detail: str = ""
    amount: Number | None = None
