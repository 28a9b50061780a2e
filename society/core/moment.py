"""What an instrument's hooks look at and give back: the moment before anybody acted, what was played, payments, changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from society.core.actions import Action, Joint
from society.core.exact import Number
from society.core.ledger import Ledger
from society.core.mechanism import Mechanism, SpaceOf, Transition
from society.core.rows import RuleEvent, Transfer
from society.core.seeds import Noise


@dataclass(frozen=True, slots=True)
class Blank:
    """The memory of an instrument that remembers nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule stands.

    Attributes:
        rule: its id.
        in_force: whether it applies in this round.
        strength: between 0 and 1; falls when it is defied, see the instrument ``overthrow``.
        lawless: rounds in a row in which hardly anybody kept it and most sanctions failed.
        changes: amended parameters, as pairs of a field and its value in canonical JSON.
        members: the seats it applies to, where agents choose their institution; None leaves it to its own scope.
    """

    rule: str
    in_force: bool = True
    strength: Number = 1
    changes: tuple[tuple[str, str], ...] = ()
    members: tuple[int, ...] | None = None
    lawless: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """What a hook may look at before anybody acted.

    Attributes:
        rule: the id of the instrument that is asked.
        round: counted from 1.
        mechanism, physical: the mechanism and its state.
        seats: those the instrument applies to in this round.
        names: everybody's name, in seat order.
        standings: how every rule stands, in the scenario's order.
        ledger: what has been agreed.
        noise: the luck of the round; None before the round is played, so that looking at it is an error.
        answers: what a human answered under this rule to those who asked, by seat; empty where nobody was asked.
    """

    rule: str
    round: int
    mechanism: Mechanism[Any]  # Any: an instrument works on every mechanism
    physical: Any  # Any: the state of that mechanism
    seats: tuple[int, ...]
    names: tuple[str, ...]
    standings: tuple[Standing, ...]
    ledger: Ledger
    noise: Noise | None = None
    answers: Mapping[int, Mapping[str, Action]] = field(default_factory=dict)

    @property
    def agents(self) -> int:
        return self.mechanism.agents


@dataclass(frozen=True, slots=True)
class Breach:
    """One agent broke a rule.

    Attributes:
        agent: its seat.
        due: what the sanction costs it.
        excess: how far it went beyond what is allowed.
        about: which of several agreements under the rule was broken.
        detected, executed: what became of it; both False until the round has drawn them.
    """

    agent: int
    due: Number = 0
    excess: Number = 1
    about: str = ""
    detected: bool = False
    executed: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """What a hook may look at once everybody acted.

    Attributes:
        legal: the actions after hard limits, delegation words included.
        executed: the actions the mechanism was played with.
        outcome: the mechanism's own transition, with its payoffs before governance.
        allowed: what this rule allows each seat; None where it says nothing.
        breaches: who broke this rule, with detection and execution drawn.
        broken: every breach of every rule, as (rule, breach).
        decisions: what was decided under this rule in the second stage, by seat.
        replies: what was decided in answer to that, by seat.
        balances: payoffs as they stand when it is this rule's turn to pay.
        noise: the luck of the round.
    """

    legal: Joint
    executed: Joint
    outcome: Transition[Any]
    noise: Noise
    allowed: tuple[SpaceOf | None, ...] = ()
    breaches: tuple[Breach, ...] = ()
    broken: tuple[tuple[str, Breach], ...] = ()
    decisions: Mapping[int, Mapping[str, Action]] = field(default_factory=dict)
    replies: Mapping[int, Mapping[str, Action]] = field(default_factory=dict)
    balances: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """Rows of transfers, and what else is to be said about them."""

    transfers: tuple[Transfer, ...] = ()
    events: tuple[RuleEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change of the rules. The round tells it, and tells whether it was a seizure of power as well.

    Attributes:
        standings: how all rules stand after it.
        by: those who voted for it, or whose defiance brought it about.
        words: what changed.
        how: amend where the procedure in force was followed, overthrow where it was not.
        rule: the rule it happened to or under; None for the instrument's own.
        amount: a number that belongs to it, such as the strength of the rule.
    """

    standings: tuple[Standing, ...]
    by: tuple[int, ...]
    words: str
    how: Literal["amend", "overthrow"] = "amend"
    rule: str | None = None
    amount: Number | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an instrument makes of the state for the next round.

    Attributes:
        memory: its own memory.
        standings: how rules stand from now on, or None to leave them.
        ledger: what is agreed from now on, or None to leave it.
        events: what there is to tell beside the amendments.
        amendments: changes of the rules, one after the other; they begin with `standings`.
    """

    memory: Any  # Any: each instrument has its own type of memory
    standings: tuple[Standing, ...] | None = None
    ledger: Ledger | None = None
    events: tuple[RuleEvent, ...] = ()
    amendments: tuple[Amendment, ...] = ()
