"""What becomes of a broken rule: noticed or not, sanctioned or not, and when so much fails that the rule is overthrown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from society.core.instrument import Breach, Instrument, Played, Standing
from society.core.rows import RuleEvent
from society.core.seeds import Noise
from society.governance.rulebook import Rule

KEPT = Fraction(1, 2)
"""A rule that a smaller share of the agents keeps is in danger."""
LAWLESS_ROUNDS = 3
"""Rounds in danger after which a rule counts as overthrown."""


def judged(rule: Rule, breach: Breach, noise: Noise, *, defying: bool) -> Breach:
    """Detection and execution of one breach, on noise keyed by the rule and the agent."""
    if rule.instrument.enforcement == "advisory":
        return replace(breach, due=0)
    detected, executed = fate(rule.instrument, rule.id, noise, breach.agent, breach.about)
    return replace(breach, detected=detected, executed=executed and not defying)


def fate(instrument: Instrument, rule: str, noise: Noise, agent: int, about: str = "") -> tuple[bool, bool]:
    """Whether a breach by this agent would be detected, and its sanction executed, in the luck of this round."""
    if instrument.enforcement == "hard":
        return True, True
    who = (agent, about) if about else agent
    detected = noise.chance(instrument.detection, f"{rule}/detect", who)
    return detected, detected and noise.chance(instrument.execution, f"{rule}/execute", who)


def told(rule: Rule, breach: Breach) -> tuple[RuleEvent, ...]:
    """What happened to a breach: always a violation, then exactly one of evade, defy or sanction (none if advisory)."""
    who = (breach.agent,)
    violation = RuleEvent("violation", rule.id, who, amount=breach.excess)
    if rule.instrument.enforcement == "advisory":
        return (violation,)
    if not breach.detected:
        return (violation, RuleEvent("evade", rule.id, who, amount=breach.due))
    detect = RuleEvent("detect", rule.id, who)
    fate = RuleEvent("sanction" if breach.executed else "defy", rule.id, who, amount=breach.due)
    return (violation, detect, fate)


def watched(
    standing: Standing, seats: Sequence[int], played: Played, events: Sequence[RuleEvent]
) -> tuple[Standing, tuple[RuleEvent, ...]]:
    """How a rule stands after a round, and the event of its overthrow by those who broke it, told once.

    A rule is in danger when fewer than half of those it applies to keep it while the sanctions due (of what was detected)
    exceed those executed and paid by more than half; after three such rounds in a row it counts as overthrown.
    """
    broke = tuple(sorted({breach.agent for breach in played.breaches}))
    due = sum(breach.due for breach in played.breaches if breach.detected)
    defied = sum(e.amount or 0 for e in events if e.event == "defy" and e.rule == standing.rule)
    hardly_kept = len(seats) - len(broke) < KEPT * len(seats)
    lawless = standing.lawless + 1 if hardly_kept and 2 * due > 3 * (due - defied) else 0
    after = standing if lawless == standing.lawless else replace(standing, lawless=lawless)
    if lawless != LAWLESS_ROUNDS:
        return after, ()
    return after, (RuleEvent("overthrow", standing.rule, broke, f"hardly kept for {LAWLESS_ROUNDS} rounds"),)
