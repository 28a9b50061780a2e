"""What was played, judged: the alignment decomposition and the theory of games around it. Pure functions of rules and records."""

from society.analysis.alignment.decompose import decompose

__all__ = ["decompose"]
