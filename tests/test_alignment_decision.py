from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Literal

import numpy as np
import pytest

from society.analysis import decompose
from society.core.actions import Amount, Choice, Joint
from society.core.exact import Exact
from society.core.mechanism import Batch, Facts, Mechanism, SpaceOf, Transition
from society.core.seeds import Noise


@dataclass(frozen=True)
class Nothing:
    """No state."""


class Table(Mechanism[Nothing]):
    """Two agents, C or D; payoffs T, R, P, S."""

    kind: Literal["test_table"] = "test_table"
    agents: int = 2
    payoffs: tuple[Exact, Exact, Exact, Exact] = (5, 3, 1, 0)
    state_type = Nothing

    def initial_state(self) -> Nothing:
        return Nothing()

    def space(self, state: Nothing, agent: int) -> SpaceOf:
        return Choice(options=("C", "D"))

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        T, R, P, S = self.payoffs
        cells = {("C", "C"): (R, R), ("C", "D"): (S, T), ("D", "C"): (T, S), ("D", "D"): (P, P)}
        return Transition(state=state, payoffs=cells[joint[0], joint[1]])


class Tokens(Mechanism[Nothing]):
    """The common-pool resource of Ostrom, Gardner and Walker: u_i = 5(e - x_i) + x_i(23 - X/4)."""

    kind: Literal["test_tokens"] = "test_tokens"
    agents: int = 8
    endowment: int = 25
    state_type = Nothing

    def initial_state(self) -> Nothing:
        return Nothing()

    def space(self, state: Nothing, agent: int) -> SpaceOf:
        return Amount.between(0, self.endowment)

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        taken = [F(x) for x in joint if not isinstance(x, (str, tuple))]
        total = sum(taken)
        return Transition(
            state=state, payoffs=tuple(5 * (self.endowment - x) + x * (23 - total / 4) for x in taken), total=total
        )

    def batch(self, state: Nothing, joints: np.ndarray, noise: Noise) -> Batch:
        total = joints.sum(axis=1, keepdims=True)
        return Batch(20 * (self.endowment - joints) + joints * (92 - total), np.array([[4]]), totals=total[:, 0])


PD, CPR = Table(), Tokens()
A3 = {"intended": 5, "predicted": [5] * 7, "actual": [8, 8, 8, 8, 8, 8, 10, 6]}
COLUMNS: list[tuple[str, Mechanism, dict, str]] = [
    (PD, {"intended": "C", "predicted": ["C"], "actual": ["C", "D"], "forecast": 3}, "own", "5 5 3 3 0 | 0 2 0 3 | 3 2 0 | 1"),
    (PD, {"intended": "C", "predicted": ["C"], "actual": ["C", "D"], "forecast": 6}, "welfare", "6 6 6 6 5 | 0 0 0 1 | 6 0 0 | 0"),
    (PD, {"intended": "D", "predicted": ["D"], "actual": ["D", "D"], "forecast": 1}, "own", "5 1 1 1 1 | 4 0 0 0 | 1 4 0 | 0"),
    (PD, {"intended": "C", "predicted": ["C"], "actual": ["D", "D"], "forecast": 3}, "own", "5 5 3 5 1 | 0 2 -2 4 | 3 2 0 | 0"),
    (CPR, A3 | {"forecast": 170}, "own",
     "1675/4 421/2 165 183 141 | 833/4 91/2 -18 42 | 170 995/4 5 | 0"),
    (CPR, A3 | {"forecast": 1320}, "welfare",
     "1324 1324 1320 5247/4 1128 | 0 4 33/4 735/4 | 1320 4 0 | 96"),
]  # fmt: skip


@pytest.mark.parametrize(("game", "said", "yardstick", "numbers"), COLUMNS, ids=["A1", "A1b", "A2", "A2b", "A3", "A3b"])
def test_the_worked_examples_come_out_as_printed(game: Mechanism, said: Mapping, yardstick: str, numbers: str) -> None:
    stages, terms, forecast, regret = ([F(word) for word in part.split()] for part in numbers.split("|"))
    found = decompose(game, **said, yardstick=yardstick)
    assert stages == [found.W0, found.W1, found.W2, found.W3, found.W4]
    assert [found.anticipated, found.planning, found.say_do, found.surprise] == terms
    assert [found.forecast, found.aspiration, found.model_error] == forecast
    assert found.regret == regret[0]
    assert sum(found.terms.values()) == sum(found.subjective.values()) == found.total == stages[0] - stages[4]
