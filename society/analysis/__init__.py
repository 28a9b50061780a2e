"""What was played, judged: the alignment decomposition and the theory of games around it. Pure functions of rules and records."""

from society.analysis.alignment.align import align
from society.analysis.alignment.alignment import Alignment
from society.analysis.alignment.chains import Decomposition
from society.analysis.alignment.decompose import decompose

__all__ = ["Alignment", "Decomposition", "align", "decompose"]
