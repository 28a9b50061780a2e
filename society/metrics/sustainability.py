"""Whether the commons lasted, and who overdrew it."""

from __future__ import annotations

from fractions import Fraction

from society.core.actions import amount_of
from society.core.exact import Number
from society.core.record import Record, RoundRecord
from society.metrics.measure import NOT_APPLICABLE, Measured, Reference, metric, ratio


def _reward_times(record: Record) -> list[Fraction]:
    """For each agent that was ever rewarded: the mean number of the rounds in which it was."""
    times = []
    for agent in range(record.agents):
        rounds = [r.round for r in record.rounds if record.counts(r, agent) and r.payoffs[agent] > 0]
        if rounds:
            times.append(Fraction(sum(rounds), len(rounds)))
    return times


def harvest(round_record: RoundRecord, agent: int) -> Number | None:
    """What the agent took: what it was granted, or its action where nothing is rationed."""
    if round_record.granted is not None:
        return round_record.granted[agent]
    return amount_of(round_record.executed[agent])


@metric("sustainability", unit="round, from 1; late means that rewards lasted", source="Perolat2017", better="higher")
def sustainability(record: Record) -> Measured:
    """Sustainability S: at what time rewards are collected, on average [Perolat2017]_.

    S = mean over agents of t_i, the mean number (from 1) of the rounds with a positive payoff. An agent that was never
    rewarded has no t_i and is left out (see `never_rewarded`). None if nobody was.
    """
    times = _reward_times(record)
    return ratio(sum(times), len(times))


@metric("never_rewarded", unit="agents", better="lower")
def never_rewarded(record: Record) -> Measured:
    """How many agents never had a positive payoff; `sustainability` leaves them out."""
    return Measured(record.agents - len(_reward_times(record)))


@metric("survival", unit="rounds, 1 to T", source="Piatti2024", better="higher")
def survival(record: Record) -> Measured:
    """Survival time m: the round in which the commons collapsed, else the horizon T [Piatti2024]_.

    None without a stock, and for a run that was cut short before anything collapsed.
    """
    for r in record.rounds:
        if r.collapsed:
            return Measured(r.round)
    if len(record.rounds) < record.horizon or all(r.stock_before is None for r in record.rounds):
        return NOT_APPLICABLE
    return Measured(record.horizon)


@metric("govsim_efficiency", unit="0 to 1, clipped at 1", source="Piatti2024", better="higher")
def govsim_efficiency(record: Record, reference: Reference) -> Measured:
    """GovSim's efficiency u: harvest against T times what could be taken in round 1 for ever [Piatti2024]_.

    u = 1 - max(0, T f(0) - sum R) / (T f(0)), with R in units of the stock. T f(0) is not the optimum: the last round
    may take everything, so u is clipped. f(0) is the reference's `sustainable_first`, else n times the share of round
    1. None where there is no share.
    """
    first = reference.sustainable_first
    if first is None and record.rounds and record.rounds[0].share is not None:
        first = record.agents * record.rounds[0].share
    if first is None:
        return NOT_APPLICABLE
    could = record.horizon * first
    taken = [harvest(r, agent) for r in record.rounds for agent in range(record.agents) if record.counts(r, agent)]
    if any(amount is None for amount in taken):
        return NOT_APPLICABLE
    return ratio(min(could, sum(amount for amount in taken if amount is not None)), could)


@metric("over_use", unit="0 to 1, share of decisions", source="Piatti2024", better="lower")
def over_use(record: Record) -> Measured:
    """Over-use o: the share of harvests above the sustainable share of that round.

    After GovSim [Piatti2024]_, with the share floor(f(t)/n) as the threshold of one agent. The denominator counts the
    (agent, round) decisions of rounds that have a share; None if there are none.
    """
    above = decisions = 0
    for r in record.rounds:
        for agent in range(record.agents):
            taken = harvest(r, agent)
            if r.share is None or taken is None or not record.counts(r, agent):
                continue
            decisions += 1
            above += taken > r.share
    return ratio(above, decisions)
