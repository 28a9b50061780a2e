"""Whether a commons that lasted would go on to last, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from society.analysis.sustaining import outlook_of
from society.core.exact import show
from society.episode import Episode
from society.metrics import Measured


def depletion_sentence(episode: Episode, measured: Mapping[str, Measured]) -> str | None:
    """The warning that a run only looks sustained; None for one that does not.

    Args:
        episode: what was played.
        measured: its metrics.
    """
    if "hidden_depletion" not in measured or measured["hidden_depletion"].value != 1:
        return None
    ahead = outlook_of(episode)
    if ahead is None:
        return None
    theme, gone = episode.scenario.theme, measured["depletion"]
    first = gone.denominator or 0
    left = first - (gone.numerator or 0)
    period = theme.round
    last = episode.settled[-1].round
    if ahead.rounds is None:
        future = "would not give what is asked of it"
    else:
        future = f"would be dead after {ahead.rounds} more {period}{'s' if ahead.rounds > 1 else ''}"
    return (
        f"It only looks sustained: {theme.place} lasted, but of {show(first)} {theme.resource} {show(left)} are left; if "
        f"{period} {last} were repeated, it {future}."
    )
