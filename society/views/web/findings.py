"""The parts of a run's page that an analysis has to be made for: alignment and coalitions."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from society.analysis import coalitions
from society.analysis.four_notions import Coalitions
from society.episode import Episode
from society.log import RunInfo
from society.views.alignment import own_rounds
from society.views.charts.drawing import Chart
from society.views.coalitions import coalition_sections
from society.views.web.alliances import alliance_charts
from society.views.web.losses import Losses, is_small, let_down, loss_charts, meanings, stored_losses, worked_out
from society.views.web.shelf import Shelf


def alignment_values(shelf: Shelf, info: RunInfo, *, now: bool = False) -> dict[str, Any]:  # Any: what templates show
    """What was lost on the way from goals to what happened.

    Args:
        shelf: where the log is.
        info: which run.
        now: work it out however long it takes.
    """
    losses, episode = losses_of(shelf, info, now=now), shelf.episode(info)
    if losses is None:
        return {"too_long": True, "rounds": len(episode.settled)}
    charts = shelf.once("loss charts", info, lambda: loss_charts(losses, episode))
    return {
        "too_long": False,
        "of_fork": own_rounds(episode.shared) if episode.shared else "",
        "charts": charts,
        "words": losses.words,
        "meanings": meanings(losses),
        "lead": let_down(losses, episode),
    }


def losses_of(shelf: Shelf, info: RunInfo, *, now: bool = False) -> Losses | None:
    """The decomposition of a run; None where it takes minutes and is neither kept nor asked for."""
    episode = shelf.episode(info)
    if is_small(episode):
        return shelf.once("losses", info, lambda: worked_out(episode))
    kept: Losses | None = shelf.kept("losses", info) or stored_losses(shelf.log, info)
    if kept is not None or not now:
        return kept
    found: Losses = shelf.once("losses", info, lambda: _beside(worked_out, episode))
    return found


def coalitions_values(shelf: Shelf, info: RunInfo, *, now: bool = False) -> dict[str, Any]:  # Any: what templates show
    """Who stood together; arguments as for `alignment_values`."""
    episode = shelf.episode(info)
    found: Coalitions | None = shelf.kept("coalitions", info)
    if found is None and not episode.settled:
        return {"too_long": False, "charts": (), "sections": ()}
    if found is None:
        if not is_small(episode) and not now:
            return {"too_long": True}
        found = shelf.once("coalitions", info, lambda: coalitions(episode) if is_small(episode) else _beside(coalitions, episode))  # fmt: skip
    return {"too_long": False, "charts": alliance_charts(found, episode), "sections": coalition_sections(found)}


def drawings(shelf: Shelf, info: RunInfo) -> list[Chart]:
    """Everything that is drawn of the analyses of a run."""
    losses, episode = losses_of(shelf, info, now=True), shelf.episode(info)
    found = shelf.once("coalitions", info, lambda: coalitions(episode)) if episode.settled else None
    return [
        *(loss_charts(losses, episode) if losses is not None else ()),
        *(alliance_charts(found, episode) if found is not None else ()),
    ]


def _beside(work: Any, episode: Episode) -> Any:  # Any: a function of an episode, and what it gives
    """What takes minutes is done in another process, so that pages go on being served."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, episode).result()
