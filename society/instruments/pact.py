"""Declared coalitions: agreements that bind nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from society.core.exact import Json
from society.core.instrument import Instrument, Moment
from society.core.moves import Offer
from society.governance.negotiation import proposal_offers
from society.instruments.agreements import on_the_table


class Pact(Instrument):
    """Agents may propose, accept, refuse, join and leave coalitions. Words only: no action and no payoff changes.

    A coalition is in force once its quorum has accepted. When a member of a coalition of all leaves, it dissolves.
    """

    kind: Literal["pact"] = "pact"
    patience: int = Field(0, ge=0)
    """rounds after this one in which a proposal can still be accepted"""
    lasts: int | None = Field(None, ge=1)
    """rounds a coalition stays in force; null: to the end"""

    klass = "strategic"
    invariant: ClassVar[str] = "It changes no action and no payoff."

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Json]:
        return on_the_table(at, agent)

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        others = tuple(seat for seat in at.seats if seat != agent)
        return proposal_offers(
            at.ledger, at.rule, agent, others, at.round,
            terms={}, binding=False, quorum=True, patience=self.patience, lasts=self.lasts,
        )  # fmt: skip
