"""How the agents behaved as such: in peace, and by their own decisions."""

from __future__ import annotations

from society.core.record import Record
from society.metrics.measure import NOT_APPLICABLE, Measured, metric, ratio


@metric("peace", unit="agents per round; n means total peace", source="Perolat2017", better="higher")
def peace(record: Record) -> Measured:
    """Peace P: how many agents are neither sanctioned nor excluded, per planned round [Perolat2017]_.

    P = (n T - number of (agent, round) sanctioned) / T. None where nothing in the game could sanction anybody.
    """
    if not any(r.sanctioned for r in record.rounds):
        return NOT_APPLICABLE
    hit = sum(
        sanctioned and record.counts(r, agent) for r in record.rounds for agent, sanctioned in enumerate(r.sanctioned)
    )
    return ratio(record.agents * record.horizon - hit, record.horizon)


@metric("defaulted_share", unit="0 to 1, share of decisions", better="lower")
def defaulted_share(record: Record) -> Measured:
    """The share of actions that were nobody's choice: unreadable answers that counted as the scenario says.

    Always over all decisions. None if no round was played.
    """
    return ratio(sum(sum(r.defaulted) for r in record.rounds), record.agents * len(record.rounds))
