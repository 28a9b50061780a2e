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


def _stocked(record: Record) -> bool:
    """Whether the rounds have a stock that can be kept."""
    return bool(record.rounds) and all(
        r.sustainable is not None and r.stock_before is not None and r.stock_after is not None for r in record.rounds
    )


@metric("depletion", unit="share of the first stock; 0 kept, 1 dead, negative: grown", better="lower")
def depletion(record: Record) -> Measured:
    """Depletion: the share of the stock that the first round found and that is gone after the last one.

    (h_1 - h_end) / h_1. None without a stock that regrows.
    """
    if not _stocked(record):
        return NOT_APPLICABLE
    first, last = record.rounds[0].stock_before, record.rounds[-1].stock_after
    assert first is not None and last is not None, "rounds with a stock"
    return ratio(first - last, first)


@metric("overdraft", unit="0 to 1, share of all that was taken", better="lower")
def overdraft(record: Record) -> Measured:
    """Overdraft: the share of all that was taken which ate the stock itself, because it exceeded what regrows.

    sum max(0, total_t - f_t) / sum total_t, with f_t what could be taken in round t so that the next finds no less. None
    without a stock that regrows, or if nothing was taken.
    """
    if not _stocked(record):
        return NOT_APPLICABLE
    took = [r.total if r.granted is None else sum(r.granted) for r in record.rounds]
    if any(total is None for total in took):
        return NOT_APPLICABLE
    pairs = [(total, r.sustainable) for total, r in zip(took, record.rounds, strict=True)]
    return ratio(
        sum(max(0, total - kept) for total, kept in pairs if total is not None and kept is not None),
        sum(total for total in took if total is not None),
    )


@metric("hidden_depletion", unit="1: lasted on its stock; 0: lasted and would go on to", better="lower")
def hidden_depletion(record: Record, reference: Reference) -> Measured:
    """Hidden depletion: 1 if the commons lasted to the horizon and yet its stock fell, and the last round repeated would kill it.

    Such a run only looks sustained; a longer one would have shown it. 0 if it lasted and would go on. None if it collapsed
    (which hides nothing), was cut short, has no stock that regrows, or if what would follow is not known.
    """
    gone = depletion(record).value
    ended = len(record.rounds) < record.horizon or any(r.collapsed for r in record.rounds)
    if gone is None or ended or reference.lasting is None:
        return NOT_APPLICABLE
    return Measured(int(gone > 0 and not reference.lasting))


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
