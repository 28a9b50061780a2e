"""The negotiation ledger: who proposed what to whom, who agreed, and what is in force. `governance/negotiation.py` changes it.

Agreements may overlap. A proposal goes through

    open --quorum reached--> in_force --a member of an `all` agreement leaves, or too few stay--> dissolved
      |--proposer withdraws--> withdrawn                          |--its last round is over--> ended
      |--nobody completed it in time--> expired
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from society.core.exact import Number
from society.core.moves import Terms

ProposalStatus = Literal["open", "in_force", "withdrawn", "expired", "dissolved", "ended"]
MotionStatus = Literal["open", "passed", "failed"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """An agreement on offer or in force.

    Attributes:
        id: its number, counted from 1 within the episode.
        rule: the instrument it was made under.
        by: the proposer; counts as having accepted.
        members: the seats it is addressed to, ascending, the proposer included.
        terms: what it says, as the instrument reads it.
        quorum: acceptances needed, the proposer's included; None for all members.
        expires: the last round in which it can be accepted.
        lasts: rounds it stays in force; None for the rest of the episode.
        accepted: those who accepted and have not left, in the order in which they did; the members once it is in force.
        refused: those who refused.
        since: the round in which it came into force.
        counters: the proposal this one answers.
    """

    id: int
    rule: str
    by: int
    members: tuple[int, ...]
    terms: Terms
    quorum: int | None
    expires: int
    accepted: tuple[int, ...]
    lasts: int | None = None
    refused: tuple[int, ...] = ()
    status: ProposalStatus = "open"
    since: int | None = None
    counters: int | None = None

    @property
    def needed(self) -> int:
        """How many acceptances bring it into force."""
        return len(self.members) if self.quorum is None else self.quorum

    @property
    def last(self) -> int | None:
        """The last round in which it is in force; None while it is not, or where it has no end."""
        if self.status != "in_force" or self.since is None or self.lasts is None:
            return None
        return self.since + self.lasts - 1

    def term(self, name: str) -> Number:
        """The value of a term that is a number."""
        value = dict(self.terms)[name]
        assert not isinstance(value, (str, tuple)), f"{name} is a number"
        return value


@dataclass(frozen=True, slots=True)
class Motion:
    """A change of the rules on the table: `terms` name parameters as ``rule.field`` and give their new values."""

    id: int
    rule: str
    by: int
    terms: Terms
    round: int
    status: MotionStatus = "open"


@dataclass(frozen=True, slots=True)
class Gift:
    """Units promised this round by a transfer move; paid when the round settles, if what `terms` ask for is done."""

    rule: str
    by: int
    to: int
    amount: Number
    terms: Terms = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A bid or an ask of this round: so many units, at no more (buy) or no less (sell) than `price` each."""

    rule: str
    by: int
    side: Literal["buy", "sell"]
    units: int
    price: int | Fraction


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that has been agreed, and all that is on the table.

    Attributes:
        proposals, motions: oldest first, settled ones included.
        votes: (motion, seat, word) of the open motions; a later vote replaces an earlier one.
        delegated: (seat, rule, to whom) of those who have handed over their action (None) or their vote (a seat).
        defying: (seat, rule) of those who announced this round that they will not pay its sanctions.
        gifts: transfers of this round.
        orders: bids and asks of this round, oldest first; an agent has one at a time in each market.
    """

    proposals: tuple[Proposal, ...] = ()
    motions: tuple[Motion, ...] = ()
    votes: tuple[tuple[int, int, str], ...] = ()
    delegated: tuple[tuple[int, str, int | None], ...] = ()
    defying: tuple[tuple[int, str], ...] = ()
    gifts: tuple[Gift, ...] = ()
    orders: tuple[Order, ...] = ()

    def proposal(self, number: int | None) -> Proposal | None:
        """The proposal with this number."""
        return next((p for p in self.proposals if p.id == number), None)

    def motion(self, number: int | None) -> Motion | None:
        """The motion with this number."""
        return next((m for m in self.motions if m.id == number), None)

    @property
    def open_motions(self) -> tuple[Motion, ...]:
        """The motions that are not decided yet."""
        return tuple(m for m in self.motions if m.status == "open")

    def under(self, rule: str, *status: ProposalStatus) -> tuple[Proposal, ...]:
        """The proposals made under a rule that have one of these statuses."""
        return tuple(p for p in self.proposals if p.rule == rule and p.status in status)

    def coalition_structure(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The agreements in force and their members, ascending; they may overlap."""
        return tuple((str(p.id), tuple(sorted(p.accepted))) for p in self.proposals if p.status == "in_force")
