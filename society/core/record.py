"""What happened, as tables: the form in which metrics, goals and analysis read an episode.

It knows no names, words or calls. An `Episode` gives one; so does a roll-out of a mechanism by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from society.core.actions import Action
from society.core.exact import Number


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """One round, in seat order.

    Attributes:
        round: counted from 1.
        executed: what each agent did, after governance.
        payoffs: what each got, after governance (taxes, fines, transfers).
        material: what the mechanism handed out before governance.
        granted: what each was given of a short stock.
        total: what all took or gave together.
        stock_before: the shared stock as the round found it.
        stock_after: the stock the next round finds.
        collapsed: the commons died in this round.
        share: the sustainable share of one agent in this round, where the mechanism knows one: what all may take and
            still find the same stock next round, shared equally and rounded down.
        sustainable: what all may take in this round and still find the same stock next round.
        defaulted: whose action was not its own: an unreadable answer counted as the scenario says.
        sanctioned: who was sanctioned or excluded in this round.
    """

    round: int
    executed: tuple[Action, ...]
    payoffs: tuple[Number, ...]
    material: tuple[Number, ...]
    granted: tuple[Number, ...] | None = None
    total: Number | None = None
    stock_before: Number | None = None
    stock_after: Number | None = None
    collapsed: bool = False
    share: Number | None = None
    sustainable: Number | None = None
    defaulted: tuple[bool, ...] = ()
    sanctioned: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """The rounds of one episode.

    Attributes:
        agents: how many.
        horizon: how many rounds were planned (T); `rounds` may be fewer after a collapse or an interrupt.
        rounds: those that were played.
        own_decisions_only: sums over agents leave out what a defaulted decision brought (see `without_defaulted`).
    """

    agents: int
    horizon: int
    rounds: tuple[RoundRecord, ...]
    own_decisions_only: bool = False

    def without_defaulted(self) -> Record:
        """The same episode, read without the decisions that no agent made.

        A (agent, round) whose action stands for an unreadable answer is dropped from every sum over agents: its payoff,
        harvest and sanction count for nobody. What all did together (stock, total, collapse) stays as it was.
        """
        return replace(self, own_decisions_only=True)

    def counts(self, round_record: RoundRecord, agent: int) -> bool:
        """Whether this agent's decision of that round enters the sums."""
        return not (self.own_decisions_only and round_record.defaulted and round_record.defaulted[agent])

    @property
    def gains(self) -> tuple[Number, ...]:
        """Each agent's payoffs summed over the episode."""
        return tuple(
            sum(r.payoffs[agent] for r in self.rounds if self.counts(r, agent)) for agent in range(self.agents)
        )
