"""What happened under rules, one line for each rule and kind of thing; every single entry stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from society.core.events import Settled
from society.core.exact import show
from society.core.rows import RuleEvent, Transfer
from society.episode import Episode
from society.views.story import Line, Teller

ROUTINE = {
    "violation": "broken by", "detect": "seen of", "evade": "unseen of", "sanction": "sanctioned", "defy": "defied by",
    "ignored": "ignored by", "transfer": "transfer by", "join": "joined by", "leave": "left by",
}  # fmt: skip
"""Events that come in numbers, in words that a list of names can follow; others are told one by one."""
MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Ruled:
    """What one rule did in one round: in short, and entry by entry."""

    round: int
    rule: str
    short: str
    entries: Sequence[str]


def ruled(episode: Episode, settled: Settled) -> list[Ruled]:
    """What each rule did in one round, in the order in which they first did something."""
    teller = Teller(episode.names, episode.scenario.theme)
    names = [*(event.rule for event in settled.rule_events), *(row.rule for row in settled.transfers)]
    return [
        _of_rule(
            teller,
            settled.round,
            rule,
            [event for event in settled.rule_events if event.rule == rule],
            [transfer for transfer in settled.transfers if transfer.rule == rule],
        )
        for rule in dict.fromkeys(names)
    ]


def all_ruled(episode: Episode) -> list[Ruled]:
    """The same for the whole episode."""
    return [row for settled in episode.settled for row in ruled(episode, settled)]


def _of_rule(
    teller: Teller, number: int, rule: str, events: Sequence[RuleEvent], transfers: Sequence[Transfer]
) -> Ruled:
    lines = [teller.under_rule(number, event) for event in events] + [teller.paid(number, row) for row in transfers]
    parts: list[str] = []
    for kind in dict.fromkeys(event.event for event in events):
        of_kind = [event for event in events if event.event == kind]
        if kind in ROUTINE:
            parts.append(f"{ROUTINE[kind]} {_names(teller, of_kind)}")
        else:
            told = (teller.under_rule(number, event).words.removeprefix(f"{rule}: ") for event in of_kind)
            parts += [words if times == 1 else f"{words} ({times} times)" for words, times in _counted(told)]
    if transfers:
        whole = sum(row.amount for row in transfers)
        reasons = ", ".join(dict.fromkeys(row.reason for row in transfers if row.reason))
        many = "1 payment" if len(transfers) == 1 else f"{len(transfers)} payments"
        parts.append(f"{many}, {show(whole)} in all" + (f" ({reasons})" if reasons else ""))
    return Ruled(number, rule, "; ".join(parts), [_whole(teller, line) for line in lines])


def _names(teller: Teller, events: Iterable[RuleEvent]) -> str:
    found: list[str] = []
    for seat in dict.fromkeys(seat for event in events for seat in event.agents[:1]):
        times = sum(1 for event in events if seat in event.agents[:1])
        found.append(teller.names[seat] + (f" ×{times}" if times > 1 else ""))
    if len(found) > MOST_NAMES:
        return f"{len(found)} agents"
    return ", ".join(found) or "nobody in particular"


def _counted(words: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for one in words:
        counts[one] = counts.get(one, 0) + 1
    return list(counts.items())


def _whole(teller: Teller, line: Line) -> str:
    who = f"{teller.names[line.agent]} " if line.kind == "paid" and line.agent is not None else ""
    return who + line.words
