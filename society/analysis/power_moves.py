"""How power over the rules moved in an episode, who moved it, and what it brought them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from society.analysis.episode_effects import EpisodeEffect, Rerun
from society.analysis.power import Power, Seizure, seizure_index, voting_power
from society.core.exact import Number, tidy
from society.core.votes import Ballot, concentration, smallest_winning
from society.episode import Episode
from society.governance.power import risen
from society.metrics.measure import Measured, ratio


@dataclass(frozen=True, slots=True)
class PowerAt:
    """Power under one rule in one round.

    Attributes:
        round, rule: when, and under which rule.
        rules: the votes in force.
        power: what follows from them.
        seizure_index: how far it has moved from the first round (0) to a dictator (1).
    """

    round: int
    rule: str
    rules: Ballot
    power: Power
    seizure_index: Number | None


@dataclass(frozen=True, slots=True)
class Seized:
    """A seizure of power.

    Attributes:
        round, rule: when, and under which rule.
        seizure: who carried it, which of them were needed, and who can rule alone since.
        effect: what it came to for those who carried it and for the others, beside the same rounds with the rules unchanged;
            None where that cannot be played.
    """

    round: int
    rule: str
    seizure: Seizure
    effect: EpisodeEffect | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What one agent had to do with the rules, and what it holds.

    Attributes:
        moved, passed: its motions, and how many of them passed.
        proposals: its share of all motions; sanctions: its share of all sanctions that agents laid on each other; resources: its
            share of all payoffs. A share of nothing, or of payoffs some of which are losses, has no value.
    """

    moved: int
    passed: int
    proposals: Measured
    sanctions: Measured
    resources: Measured


def power_over_rounds(episode: Episode, rerun: Rerun | None) -> tuple[tuple[PowerAt, ...], tuple[Seized, ...]]:
    """Power by round and rule, and the seizures that the log tells.

    Where rules can be changed by more than one vote, the seizures are those of all votes together: who can rule alone by any
    of them. Who could not at the start of the round and can at its end is told of every seizure of that round.
    """
    timeline: list[PowerAt] = []
    seizures: list[Seized] = []
    first: dict[str, Number | None] = {}
    for place, settled in enumerate(episode.settled):
        before, after = (
            episode.game.charters(episode.game.state_from_plain(state))
            for state in (settled.state_before, settled.state_after)
        )
        for rule, ballot in before.items():
            power = voting_power(ballot.quota, ballot.weights)
            start = first.setdefault(rule, power.hhi)
            moved = None if power.hhi is None or start is None else seizure_index(power.hhi, start)
            timeline.append(PowerAt(settled.round, rule, ballot, power, moved))
        for event in settled.rule_events:
            if event.event == "seizure":
                by = event.agents
                seized = Seizure(
                    risen(before, after, len(episode.names), [group for _, group in settled.coalitions]),
                    event.amount or 0,
                    by,
                    smallest_winning(tuple(before.values()), by),
                )
                effect = None if rerun is None or not by else rerun.rules_unchanged(place, by)
                seizures.append(Seized(settled.round, event.rule, seized, effect))
    return tuple(timeline), tuple(seizures)


def standings(episode: Episode, sanctions: list[list[float]]) -> tuple[Standing, ...]:
    """What every agent had to do with the rules, by seat; `sanctions` says who laid how many on whom."""
    n, (moved, passed) = len(episode.names), _motions(episode)
    punished: list[Number] = [tidy(Fraction(sum(row))) for row in sanctions]
    gains = [tidy(sum(Fraction(s.payoffs[seat]) for s in episode.settled)) for seat in range(n)]
    losses = min(gains, default=0) < 0
    return tuple(
        Standing(
            moved[seat],
            passed[seat],
            ratio(moved[seat], moved.total()),
            ratio(punished[seat], sum(punished)),
            Measured(None, gains[seat], sum(gains)) if losses else ratio(gains[seat], sum(gains)),
        )
        for seat in range(n)
    )


def resource_concentration(found: tuple[Standing, ...]) -> Number | None:
    """The Herfindahl index of the agents' shares of all payoffs; None where these are no shares."""
    shares = [one.resources.value for one in found if one.resources.value is not None]
    return tidy(concentration(shares)) if shares and len(shares) == len(found) else None


def _motions(episode: Episode) -> tuple[Counter[int], Counter[int]]:
    """How many motions each agent made, and how many of them passed."""
    moved, passed, own = Counter[int](), Counter[int](), episode.game.mechanism.kind
    last: int | None = None
    for settled in episode.settled:
        for event in settled.rule_events:
            if event.event == "motion" and event.agents:
                moved[event.agents[0]] += 1
                last = event.agents[0] if event.rule == own else last
            elif event.event == "amend" and event.rule == own and last is not None:
                passed[last] += 1
    if episode.settled:
        ledger = episode.game.state_from_plain(episode.settled[-1].state_after).ledger
        passed.update(motion.by for motion in ledger.motions if motion.status == "passed")
    return moved, passed
