"""What was possible in a whole episode of a bare mechanism, for the metrics that compare with it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from society.core.exact import Number, tidy
from society.core.mechanism import Bound, Mechanism
from society.metrics import Reference
from society.rulers import Ruler, episode_optimum


def reference_of(mechanism: Mechanism[Any], rounds: int, *, seed: int = 0) -> Reference:  # Any: whatever its state is
    """Optimum and equilibria over so many rounds. What is not known exactly is None.

    Without a state, the equilibria of an episode are taken to be those of one round, played again and again. With one,
    what the mechanism itself knows counts. Many runs play one mechanism: it is searched once.
    """
    try:
        hash(mechanism)
    except TypeError:  # somebody's own mechanism may hold a list
        return _searched(mechanism, rounds, seed)
    return _kept(mechanism, rounds, seed)


def _searched(mechanism: Mechanism[Any], rounds: int, seed: int) -> Reference:  # Any: as above
    start = mechanism.initial_state()
    worst, best = mechanism.known_worst_equilibrium(rounds), mechanism.known_best_equilibrium(rounds)
    if mechanism.repeated:
        ruler = Ruler(mechanism)
        worst, best = _times(rounds, ruler.worst_equilibrium), _times(rounds, ruler.best_equilibrium)
    optimum = episode_optimum(mechanism, rounds, seed=seed)
    return Reference(
        optimum=_times(1, optimum),
        worst_equilibrium=worst,
        best_equilibrium=best,
        sustainable_first=mechanism.sustainable(start),
    )


_kept = lru_cache(maxsize=256)(_searched)


def _times(rounds: int, bound: Bound | None) -> Number | None:
    return tidy(rounds * bound.value) if bound is not None and bound.exact else None
