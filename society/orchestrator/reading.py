"""From an answer to an action that stands: the one place where an agent's failure becomes something that happens."""

from __future__ import annotations

from collections.abc import Mapping

from society.core.actions import Action, action_to_plain
from society.core.events import Acted, Decided
from society.core.mechanism import SpaceOf
from society.core.policy import Answer
from society.scenario.model import OnFailure


class VoidRun(Exception):  # not an error: a scenario's rule, caught by the episode
    """The scenario says that an unreadable answer ends the run."""


def stand_in(
    rule: OnFailure, *, last: Action | None, abstention: Action, space: SpaceOf, reason: str = ""
) -> tuple[Action, str]:
    """The action that stands for an unreadable one, and the rule it came from.

    Raises:
        VoidRun: the scenario says so; the message is the reason.
    """
    if rule.counts_as == "void_run":
        raise VoidRun(f"an answer could not be read ({reason}), and the scenario says void_run")
    if rule.counts_as == "repeat" and last is not None:
        near = last if space.contains(last) else space.nearest(last)
        if near is not None:
            return near, "repeat"
    return abstention, "abstain"


def acted(answer: Answer[Action], space: SpaceOf, *, round: int, agent: int) -> Acted | None:
    """The event of an answer that can stand, or None when it cannot.

    An action outside the space (a script that wants more than is left) is moved to the nearest allowed one, and the event
    says `out_of_range` and keeps what was submitted.
    """
    if answer.value is None:
        return None
    submitted = answer.submitted if answer.submitted is not None else action_to_plain(answer.value)
    if space.contains(answer.value):
        return Acted(round, agent, submitted, answer.value, answer.status, error=answer.error)
    near = space.nearest(answer.value)
    if near is None:
        return None
    return Acted(round, agent, submitted, near, "out_of_range", error=answer.error)


def decided(
    answer: Answer[Mapping[str, Action]],
    parts: Mapping[str, SpaceOf],
    *,
    round: int,
    agent: int,
    purpose: str,
    stage: str = "second",
) -> Decided:
    """The event of a further decision. One that cannot be read, or is not allowed, is no decision: nothing is done."""
    made = answer.value or {}
    if answer.value is None or any(name not in parts or not parts[name].contains(made[name]) for name in made):
        reason = f"{answer.status}: {answer.error}" if answer.error else answer.status
        return Decided(round, agent, purpose, (), "defaulted", reason, stage)
    chosen = tuple((name, made[name]) for name in parts if name in made)
    return Decided(round, agent, purpose, chosen, answer.status, stage=stage)
