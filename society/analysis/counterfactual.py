"""One round played again with other actions: what would have come of it, everything else being as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from society.analysis.alignment.rules import Held, decisions_of
from society.core.actions import Action, Joint
from society.core.errors import BadInput
from society.core.exact import Number, tidy
from society.core.mechanism import legalise
from society.core.seeds import Noise
from society.episode import Episode, Round
from society.governance.governed import GovernedState, GovernedTransition


@dataclass(frozen=True, slots=True)
class Came:
    """What a round came to.

    Attributes:
        submitted, executed: what everybody chose, and what was carried out after governance.
        granted: what each was given of a short stock; None where nothing is rationed.
        payoffs: after governance.
        stock_after: the stock the next round finds; None where there is none.
        collapsed: the commons died in it.
    """

    submitted: Joint
    executed: Joint
    granted: tuple[Number, ...] | None
    payoffs: tuple[Number, ...]
    stock_after: Number | None
    collapsed: bool

    @property
    def welfare(self) -> Number:
        """The sum of all payoffs."""
        return tidy(sum(self.payoffs))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A round as it was, and as it would have been.

    Attributes:
        round: which; counted from 1.
        changed: the other actions, by seat.
        was, would_be: what it came to.
        rest_was, rest_would_be: each agent's payoffs over the rounds after it, if in those everybody did again what it did
            (or the nearest thing still allowed) under rules that stood as they stood. Agents would have answered to what they
            saw, so this is no forecast.
        later: how many rounds after it were played.
    """

    names: tuple[str, ...]
    round: int
    changed: Mapping[int, Action]
    was: Came
    would_be: Came
    rest_was: tuple[Number, ...]
    rest_would_be: tuple[Number, ...]
    later: int


def what_if(episode: Episode, number: int, changed: Mapping[int, Action]) -> WhatIf:
    """The same round with other actions: the same state, luck, rules and second-stage decisions.

    Args:
        episode: what was played.
        number: the round.
        changed: what some agents would have submitted instead, by seat.

    Raises:
        BadInput: the round was not finished, or an action is not allowed in it.
    """
    played = {r.number: r for r in episode.rounds if r.settled is not None}
    if number not in played:
        raise BadInput(f"round {number} was not finished; there are {len(played)}")
    episode = episode.phase(number)
    played = {r.number: r for r in episode.rounds if r.settled is not None}
    before = _before(episode, played[number])
    joint = _joint(played[number], episode.game.agents)
    for seat, action in changed.items():
        space = episode.game.space(before, seat)
        if not space.contains(action):
            raise BadInput(
                f"{episode.names[seat]} could not choose that in round {number}: expected {space.describe()}"
            )
    other = tuple(changed.get(seat, action) for seat, action in enumerate(joint))
    was, would_be = (_step(episode, played[number], before, joint, row) for row in (joint, other))
    later = [played[k] for k in sorted(played) if k > number]
    return WhatIf(
        names=episode.names,
        round=number,
        changed=dict(changed),
        was=_came(joint, was),
        would_be=_came(other, would_be),
        rest_was=_rest(episode, later, was),
        rest_would_be=_rest(episode, later, would_be),
        later=len(later),
    )


def _before(episode: Episode, played: Round) -> GovernedState:
    assert played.settled is not None, "only finished rounds are played again"
    return episode.game.state_from_plain(played.settled.state_before)


def _joint(played: Round, agents: int) -> Joint:
    return tuple(played.actions[seat].legal for seat in range(agents))


def _step(episode: Episode, played: Round, before: GovernedState, joint: Joint, row: Joint) -> GovernedTransition:
    """The round under its own luck, with the second stage decided as it was."""
    noise = Noise(episode.seed, played.number)
    held = Held(episode.game, decisions_of(episode.game, played, before, joint, noise))
    return held.step(before, row, noise)


def _came(submitted: Joint, done: GovernedTransition) -> Came:
    return Came(submitted, done.executed, done.granted, done.payoffs, done.stock_after, done.collapsed)


def _rest(episode: Episode, later: list[Round], done: GovernedTransition) -> tuple[Number, ...]:
    """Payoffs of the rounds that follow: the commons goes its own way, the rules stand as they stood."""
    game, physical = episode.game, done.state.physical
    sums: tuple[Number, ...] = (0,) * game.agents
    for played in later:
        state = replace(_before(episode, played), physical=physical)
        if game.over(state):
            break
        row = tuple(_allowed(episode, state, seat, action) for seat, action in enumerate(_joint(played, game.agents)))
        step = _step(episode, played, state, row, row)
        sums = tuple(tidy(a + b) for a, b in zip(sums, step.payoffs, strict=True))
        physical = step.state.physical
    return sums


def _allowed(episode: Episode, state: GovernedState, seat: int, action: Action) -> Action:
    try:
        return legalise(episode.game.space(state, seat), action)
    except ValueError:
        return episode.game.abstention(state, seat)
