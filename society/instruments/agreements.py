"""What instruments with a ledger tell of what is on the table and in force."""

from __future__ import annotations

from collections.abc import Mapping

from society.core.actions import action_to_plain
from society.core.exact import Json
from society.core.instrument import Moment
from society.core.ledger import Proposal


def on_the_table(at: Moment, agent: int) -> Mapping[str, Json]:
    """The open proposals addressed to the agent and the agreements it is in, under this rule, as plain values by name."""
    mine = [p for p in at.ledger.under(at.rule, "open", "in_force") if agent in p.members]
    return {
        "proposals": [_told(at, p) for p in mine if p.status == "open" and at.round <= p.expires],
        "agreements": [_told(at, p) for p in mine if p.status == "in_force" and agent in p.accepted],
    }


def _told(at: Moment, proposal: Proposal) -> Json:
    return {
        "number": proposal.id,
        "by": at.names[proposal.by],
        "members": [at.names[seat] for seat in proposal.members],
        "accepted": [at.names[seat] for seat in proposal.accepted],
        "needed": proposal.needed,
        "terms": {name: action_to_plain(value) for name, value in proposal.terms},
    }
