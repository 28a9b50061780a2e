"""Rulers: what was possible, so that what happened can be measured.

Ruler              one round: optimum, ceilings, equilibria, prices, regret, dilemma strength
episode_optimum    a whole episode
SteadyPlay         a whole episode as one choice between two plans, for the dilemma of games with a state
"""

from society.rulers.dilemma import Finding, Schelling
from society.rulers.episode import episode_optimum
from society.rulers.equilibria import Equilibria
from society.rulers.mixtures import Mixed
from society.rulers.ruler import Ruler
from society.rulers.steady import SteadyPlay

__all__ = ["Equilibria", "Finding", "Mixed", "Ruler", "Schelling", "SteadyPlay", "episode_optimum"]
