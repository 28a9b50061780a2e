"""Feelings about payoffs that have the form of a goal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Number
from society.core.goals import Goal
from society.core.instrument import Instrument, Moment, Played


@dataclass(frozen=True, slots=True)
class _Payoffs:
    """As much of many outcomes as such a goal looks at."""

    payoffs: tuple[Column, ...]
    total: None = None
    stock_after: None = None


class Regard(Instrument):
    """Agents feel about payoffs as if they had another goal than their own."""

    klass = "motivational"

    @property
    @abstractmethod
    def regard(self) -> Goal:
        """The goal whose utility payoffs feel like."""

    def feel(self, at: Moment, memory: Any, played: Played, felt: tuple[Number, ...]) -> tuple[Number, ...]:
        goal, outcome = self.regard, replace(played.outcome, payoffs=played.balances)
        change = {seat: goal.utility(outcome, seat) - played.balances[seat] for seat in at.seats}
        return tuple(value + change.get(seat, 0) for seat, value in enumerate(felt))

    def feel_batch(self, at: Moment, memory: Any, played: PlayedBatch, felt: Column) -> Column:
        goal, outcome = self.regard, _Payoffs(tuple(played.balances.seat(seat) for seat in range(at.agents)))
        values = [felt.seat(seat) for seat in range(at.agents)]
        for seat in at.seats:
            values[seat] = values[seat] + (goal.utility(outcome, seat) - outcome.payoffs[seat])
        return Column.beside(values)

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        return ()
