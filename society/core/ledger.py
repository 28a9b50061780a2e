"""The negotiation ledger: who proposed what to whom, who agreed, and what is in force.

Pure and typed: a ledger and a move give a ledger and the events that say what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from society.core.actions import Action
from society.core.exact import Number
from society.core.rows import RuleEvent

ProposalStatus = Literal["open", "in_force", "withdrawn", "expired", "dissolved"]
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
        quorum: acceptances needed, or None for all members.
        expires: the last round in which it can be accepted.
        accepted: those who accepted, in the order in which they did.
        refused: those who refused.
        since: the round in which it came into force.
        counters: the proposal this one answers.
    """

    id: int
    rule: str
    by: int
    members: tuple[int, ...]
    terms: tuple[tuple[str, Action], ...]
    quorum: int | None
    expires: int
    accepted: tuple[int, ...]
    refused: tuple[int, ...] = ()
    status: ProposalStatus = "open"
    since: int | None = None
    counters: int | None = None

    @property
    def needed(self) -> int:
        """How many acceptances bring it into force."""
        return len(self.members) if self.quorum is None else self.quorum


@dataclass(frozen=True, slots=True)
class Motion:
    """A change of the rules on the table. `rule` is the instrument whose parameters it would change."""

    id: int
    rule: str
    by: int
    terms: tuple[tuple[str, Action], ...]
    round: int
    status: MotionStatus = "open"


@dataclass(frozen=True, slots=True)
class Gift:
    """Units promised this round by a transfer move; paid when the round settles."""

    rule: str
    by: int
    to: int
    amount: Number


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that has been agreed, and all that is on the table.

    Attributes:
        proposals, motions: oldest first, settled ones included.
        votes: (motion, seat, word) of the open motions; a later vote replaces an earlier one.
        delegated: (seat, instrument) of those who have handed over their action.
        defying: (seat, instrument) of those who announced this round that they will not pay its sanctions.
        gifts: transfers of this round.
    """

    proposals: tuple[Proposal, ...] = ()
    motions: tuple[Motion, ...] = ()
    votes: tuple[tuple[int, int, str], ...] = ()
    delegated: tuple[tuple[int, str], ...] = ()
    defying: tuple[tuple[int, str], ...] = ()
    gifts: tuple[Gift, ...] = ()


def end_round(ledger: Ledger, round: int) -> tuple[Ledger, tuple[RuleEvent, ...]]:
    """The ledger as the next round finds it: gifts and defiance are over, and so is what has expired."""
    events = []
    proposals = []
    for proposal in ledger.proposals:
        if proposal.status == "open" and proposal.expires <= round:
            proposals.append(replace(proposal, status="expired"))
            events.append(RuleEvent("lapse", proposal.rule, (proposal.by,), f"proposal {proposal.id} expired"))
        else:
            proposals.append(proposal)
    return replace(ledger, proposals=tuple(proposals), gifts=(), defying=()), tuple(events)
