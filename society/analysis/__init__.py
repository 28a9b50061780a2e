"""What the numbers of an episode, or of a game by itself, come to.

Everything is imported on first use, so that importing the room costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from society.analysis.alignment.align import align as align
    from society.analysis.alignment.alignment import Alignment as Alignment
    from society.analysis.alignment.chains import Decomposition as Decomposition
    from society.analysis.alignment.decompose import decompose as decompose
    from society.analysis.banzhaf_index import Banzhaf as Banzhaf
    from society.analysis.banzhaf_index import banzhaf as banzhaf
    from society.analysis.cores import core as core
    from society.analysis.cores import least_core as least_core
    from society.analysis.hedonic_games import stable_partitions as stable_partitions
    from society.analysis.nucleoli import kohlberg as kohlberg
    from society.analysis.nucleoli import nucleolus as nucleolus
    from society.analysis.nucleoli import prenucleolus as prenucleolus
    from society.analysis.shapley_value import shapley as shapley
    from society.analysis.shapley_value import shapley_sampled as shapley_sampled

_HOME = {
    "Alignment": "alignment.alignment",
    "Banzhaf": "banzhaf_index",
    "Decomposition": "alignment.chains",
    "align": "alignment.align",
    "banzhaf": "banzhaf_index",
    "core": "cores",
    "decompose": "alignment.decompose",
    "kohlberg": "nucleoli",
    "least_core": "cores",
    "nucleolus": "nucleoli",
    "prenucleolus": "nucleoli",
    "shapley": "shapley_value",
    "shapley_sampled": "shapley_value",
    "stable_partitions": "hedonic_games",
}
"""In which file of this room each public name lives. No file is called like a name in it."""


def __dir__() -> list[str]:
    return sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
