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
    from society.analysis.alignment.decompose import decompose_each as decompose_each
    from society.analysis.alignment.decompose import decompose_plans as decompose_plans
    from society.analysis.banzhaf_index import Banzhaf as Banzhaf
    from society.analysis.banzhaf_index import banzhaf as banzhaf
    from society.analysis.calibration import Trials as Trials
    from society.analysis.calibration import calibrate as calibrate
    from society.analysis.calibration import power_table as power_table
    from society.analysis.comovement import co_movement as co_movement
    from society.analysis.comovement import naive_correlation as naive_correlation
    from society.analysis.cores import core as core
    from society.analysis.cores import least_core as least_core
    from society.analysis.counterfactual import what_if as what_if
    from society.analysis.effects import group_effects as group_effects
    from society.analysis.favours import collusion_table as collusion_table
    from society.analysis.favours import favouritism as favouritism
    from society.analysis.four_notions import Coalitions as Coalitions
    from society.analysis.four_notions import coalitions as coalitions
    from society.analysis.hedonic_games import stable_partitions as stable_partitions
    from society.analysis.many_runs import coalitions_over_runs as coalitions_over_runs
    from society.analysis.nucleoli import kohlberg as kohlberg
    from society.analysis.nucleoli import nucleolus as nucleolus
    from society.analysis.nucleoli import prenucleolus as prenucleolus
    from society.analysis.power import power_of as power_of
    from society.analysis.power import seizure as seizure
    from society.analysis.power import seizure_index as seizure_index
    from society.analysis.power import voting_power as voting_power
    from society.analysis.shapley_value import shapley as shapley
    from society.analysis.shapley_value import shapley_sampled as shapley_sampled
    from society.analysis.simulator_games import SimulatorGames as SimulatorGames
    from society.analysis.talking import private_channels as private_channels
    from society.analysis.transfers import general_self_interest_level as general_self_interest_level

_HOME = {
    "Alignment": "alignment.alignment",
    "Banzhaf": "banzhaf_index",
    "Decomposition": "alignment.chains",
    "SimulatorGames": "simulator_games",
    "Trials": "calibration",
    "align": "alignment.align",
    "banzhaf": "banzhaf_index",
    "calibrate": "calibration",
    "Coalitions": "four_notions",
    "coalitions": "four_notions",
    "coalitions_over_runs": "many_runs",
    "co_movement": "comovement",
    "collusion_table": "favours",
    "core": "cores",
    "decompose": "alignment.decompose",
    "decompose_each": "alignment.decompose",
    "decompose_plans": "alignment.decompose",
    "favouritism": "favours",
    "general_self_interest_level": "transfers",
    "group_effects": "effects",
    "kohlberg": "nucleoli",
    "least_core": "cores",
    "naive_correlation": "comovement",
    "nucleolus": "nucleoli",
    "power_of": "power",
    "power_table": "calibration",
    "prenucleolus": "nucleoli",
    "private_channels": "talking",
    "seizure": "power",
    "seizure_index": "power",
    "shapley": "shapley_value",
    "shapley_sampled": "shapley_value",
    "stable_partitions": "hedonic_games",
    "voting_power": "power",
    "what_if": "counterfactual",
}
"""In which file of this room each public name lives. No file is called like a name in it."""


def __dir__() -> list[str]:
    return sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
