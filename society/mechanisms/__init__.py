"""The stage games, one file each.

>>> from society import mechanisms
>>> game = mechanisms.get("public_goods", endowment=20, mpcr=0.4)
>>> game.play([5, 10, 15, 20]).payoffs
(35, 30, 25, 20)
>>> game.ruler.optimum.value, game.ruler.equilibria.profiles
(128, ((0, 0, 0, 0),))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from society.core.mechanism import Mechanism
from society.core.registry import Registry

if TYPE_CHECKING:
    from society.mechanisms.bench import Bench, Rollout, get

__all__ = ["MECHANISMS", "Bench", "Rollout", "get"]

MECHANISMS: Registry[Mechanism[Any]] = Registry(
    "mechanism", Mechanism, "society.mechanisms"
)  # Any: each has its own state


def __getattr__(name: str) -> Any:  # Any: one of three, loaded on first use since they need the rulers
    if name in ("Bench", "Rollout", "get"):
        from society.mechanisms import bench

        return getattr(bench, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
