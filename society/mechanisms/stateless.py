"""The state of games that have none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nothing:
    """No state: every round is the same game."""


NOTHING = Nothing()
