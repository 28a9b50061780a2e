"""What one agent knew at one moment: all that was said and shown to it until then, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from society.episode import Episode
from society.views.story import Line, tell

_ORDER = {"talk": 0, "declare": 1, "act": 2, "decide": 3, "settle": 4}


@dataclass(frozen=True, slots=True)
class SeenRound:
    """One round as the agent knew it."""

    number: int
    title: str
    lines: Sequence[Line]


def seen(episode: Episode, number: int, seat: int) -> list[SeenRound]:
    """All that an agent knew when it was to act in a round, by the scenario's disclosure, the newest round first.

    Args:
        episode: what was played.
        number: the round in which it is about to act.
        seat: the agent.
    """
    word = episode.scenario.theme.round
    known: dict[int, list[Line]] = {}
    for line in tell(episode).lines:
        before = line.round < number or (line.round == number and _ORDER[line.stage] < _ORDER["act"])
        if before and _knows(episode, line, seat):
            known.setdefault(line.round, []).append(line)
    return [SeenRound(one, f"{word} {one}", tuple(lines)) for one, lines in sorted(known.items(), reverse=True)]


def _knows(episode: Episode, line: Line, seat: int) -> bool:
    if line.agent in (None, seat):
        return True
    if line.kind == "meant":
        return False
    if line.to is not None:
        return seat in line.to
    disclosed = episode.scenario.disclosure
    if line.kind in ("did", "decided"):
        return disclosed.actions
    return disclosed.payoffs if line.kind in ("got", "paid") else True
