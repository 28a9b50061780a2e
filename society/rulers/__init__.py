"""Rulers: what was possible, so that what happened can be measured.

Ruler              one round: optimum, ceilings, equilibria, prices, regret, dilemma strength
episode_optimum    a whole episode
"""

from society.rulers.dilemma import Finding, Schelling
from society.rulers.episode import episode_optimum
from society.rulers.equilibria import Equilibria, Mixed
from society.rulers.ruler import Ruler

__all__ = ["Equilibria", "Finding", "Mixed", "Ruler", "Schelling", "episode_optimum"]
