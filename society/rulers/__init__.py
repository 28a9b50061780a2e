"""Rulers: what was possible, so that what happened can be measured.

Ruler              one round: optimum, ceilings, equilibria, prices, regret, dilemma strength
episode_optimum    a whole episode
learn              what independent learners come to
outlook            what becomes of a commons if everybody goes on in the same way
SteadyPlay         a whole episode as one choice between two plans, for the dilemma of games with a state
"""

from society.rulers.dilemma import Finding, Schelling
from society.rulers.episode import episode_optimum
from society.rulers.equilibria import Equilibria
from society.rulers.learning import Learnt, learn
from society.rulers.lessons import Lesson, Lessons, Schooling
from society.rulers.mixtures import Mixed
from society.rulers.outlook import Outlook, lasts, outlook
from society.rulers.ruler import Ruler
from society.rulers.steady import SteadyPlay

__all__ = [
    "Equilibria",
    "Finding",
    "Learnt",
    "Lesson",
    "Lessons",
    "Mixed",
    "Outlook",
    "Ruler",
    "Schelling",
    "Schooling",
    "SteadyPlay",
    "episode_optimum",
    "lasts",
    "learn",
    "outlook",
]
