"""What would become of a commons if agents went on as they ended."""

from __future__ import annotations

from society.episode import Episode
from society.rulers import Outlook, outlook


def outlook_of(episode: Episode) -> Outlook | None:
    """What would become of the stock if the last round were repeated for ever, by the mechanism alone; None without a stock."""
    if not episode.settled:
        return None
    last = episode.settled[-1]
    game = episode.phases[-1].game
    state = game.state_from_plain(last.state_after).physical
    return outlook(game.mechanism, lambda *_: last.executed, state=state, seed=episode.seed, start=last.round + 1)
