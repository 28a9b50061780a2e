"""What agents did to each other in an episode, as tables: messages, quantities, gifts, sanctions, votes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from society.core.actions import Choice
from society.episode import Episode
from society.governance.governed import GovernedState
from society.governance.institution import REPLY

Acts = list[list[list[float]]]
"""By round, giver and receiver; rounds in which nobody did anything are there, with zeros."""

_VOTED = re.compile(r"motion (\d+): (\w+)")


def messages_of(episode: Episode, rounds: Sequence[int] | None = None) -> list[list[int]]:
    """How many private messages went from whom to whom, in all rounds or in some."""
    n = len(episode.names)
    table = [[0] * n for _ in range(n)]
    for played in episode.rounds:
        for turn in played.turns if rounds is None or played.number in rounds else ():
            for message in turn.messages:
                for to in message.to or ():
                    table[turn.agent][to] += to != turn.agent
    return table


def states_of(episode: Episode) -> list[GovernedState]:
    """What every finished round found."""
    return [episode.game.state_from_plain(s.state_before) for s in episode.settled]


def quantities_of(episode: Episode, seat: int, start: GovernedState | None) -> list[float] | None:
    """What one agent did as numbers: amounts, or 0 and 1 for the words of a choice of two; None if they are neither."""
    done = [s.executed[seat] for s in episode.settled]
    levels = [episode.game.level(action) for action in done]
    if None not in levels:
        return [float(level) for level in levels if level is not None]
    space = None if start is None else episode.game.space(start, seat)
    options = space.options if isinstance(space, Choice) else ()
    if len(options) != 2 or any(action not in options for action in done):
        return None
    return [float(action == options[1]) for action in done]


def gifts_of(episode: Episode) -> Acts:
    """Units that went from one agent to another."""
    table = _nothing(episode)
    for place, settled in enumerate(episode.settled):
        for row in settled.transfers:
            if row.payer is not None and row.payee is not None:
                table[place][row.payer][row.payee] += float(row.amount)
    return table


def sanctions_of(episode: Episode) -> Acts:
    """Points that one agent laid on another: what was decided under a rule that then sanctioned those it was laid on.

    The log knows who laid them even where the agents were not told.
    """
    table = _nothing(episode)
    seat_of = {name: seat for seat, name in enumerate(episode.names)}
    finished = [played for played in episode.rounds if played.settled is not None]
    for place, played in enumerate(finished):
        events = played.settled.rule_events if played.settled is not None else ()
        hit = {(event.rule, seat) for event in events if event.event == "sanction" for seat in event.agents}
        for decided in played.decisions:
            rule = decided.purpose.removesuffix(REPLY)
            for name, points in decided.parts:
                target = seat_of.get(name)
                if target is not None and (rule, target) in hit and isinstance(points, (int, Fraction, float)):
                    table[place][decided.agent][target] += float(points)
    return table


def votes_of(episode: Episode) -> Acts:
    """Votes for (1) and against (-1) what another agent moved under a rule."""
    table = _nothing(episode)
    for place, settled in enumerate(episode.settled):
        votes = [
            (event, found)
            for event in settled.rule_events
            if event.event == "vote" and (found := _VOTED.match(event.detail))
        ]
        if not votes:
            continue
        ledger = episode.game.state_from_plain(settled.state_after).ledger
        for event, found in votes:
            motion = ledger.motion(int(found[1]))
            if motion is not None and motion.by != event.agents[0]:
                table[place][event.agents[0]][motion.by] += {"yes": 1.0, "no": -1.0}.get(found[2], 0.0)
    return table


def _nothing(episode: Episode) -> Acts:
    n = len(episode.names)
    return [[[0.0] * n for _ in range(n)] for _ in episode.settled]
