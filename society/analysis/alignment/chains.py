r"""The terms of one decision's gap, and nothing but subtraction.

With U(x, y) the yardstick's score of own action x against others y, the stage values of one decision are

    W0 = max U             everybody acts for this yardstick
    W1 = max_x U(x, pred)  best reply to the agent's own beliefs
    W2 = U(intended, pred) its stated plan under its stated beliefs
    W3 = U(done, pred)     what it did, had the others done what it predicted
    W4 = U(done, done')    what happened

and both chains are telescoping sums of W0 - W4, whatever the values in between are:

    objective    anticipated W0-W1, planning W1-W2, say_do W2-W3, surprise W3-W4
    subjective   aspiration W0-forecast, model_error forecast-W2, say_do, surprise

A stage that was not declared is left out, and the two terms beside it merge into one whose name joins theirs; without any
prediction all is `unattributed`. Nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from society.analysis.alignment.attribution import Attribution
from society.analysis.alignment.declared import PredictionKind
from society.analysis.alignment.orders import Interaction, Ordering, over, size
from society.core.actions import Joint
from society.core.exact import Number, show, tidy

if TYPE_CHECKING:
    from society.analysis.alignment.principal import PrincipalChain

Mode = Literal["myopic", "continuation", "episode"]
"""myopic: this round alone. continuation: plus a reference value of the next state. episode: whole plans at once."""

ORDER = ("anticipated", "planning", "say_do", "surprise")
SUBJECTIVE = ("aspiration", "model_error", "say_do", "surprise")
UNATTRIBUTED = "unattributed"


def telescope(stages: Sequence[Number | None], names: tuple[str, ...]) -> dict[str, Number]:
    """The differences of neighbouring stages; a missing stage merges the terms beside it.

    >>> telescope([5, 5, None, 3, 0], ORDER)
    {'anticipated': 0, 'planning+say_do': 2, 'surprise': 3}
    """
    terms: dict[str, Number] = {}
    waiting: list[str] = []
    last = stages[0]
    assert last is not None, "the first stage is always known"
    for stage, name in zip(stages[1:], names, strict=True):
        waiting.append(name)
        if stage is not None:
            terms["+".join(waiting)] = tidy(last - stage)
            last, waiting = stage, []
    assert not waiting, "the last stage is always known"
    return terms


@dataclass(frozen=True)
class Scale:
    """How much was at stake: the ceiling minus a lower end, in the units of the yardstick.

    Attributes:
        value: their distance K.
        low: the lower end.
        basis: what the lower end is: the smallest score of any joint action, or one the scenario declares.
        exact: both ends are known; otherwise K may be larger.
    """

    value: Number
    low: Number
    basis: Literal["minimum", "reference"]
    exact: bool


@dataclass(frozen=True)
class Decomposition:
    """Where the distance between the best possible and what happened was lost, for one decision under one yardstick.

    Attributes:
        agent: the seat.
        yardstick: what outcomes were scored by.
        mode: which horizon the scores have.
        W0, W1, W2, W3, W4: the stage values; None where the declaration they need is missing.
        terms: the objective chain, in order; sums to `total` exactly.
        subjective: the subjective chain, or None without a forecast; sums to `total` exactly.
        splits: further exact splits, where defined: goal_conflict + against_benchmark = anticipated;
            parse + governance = say_do.
        beside: reported beside the chain, where defined: announce, ambition, forecast_error (forecast - W4),
            avoidable (C - W4), avoidable_inter_agent (C - W1 + surprise).
        benchmark: C, the agent's score at the cooperative benchmark, or None.
        regret: what the best reply to what the others really did would have added.
        interaction: of say_do and surprise, or None where either is not defined.
        ordering: the terms in every order of the steps, or None without predictions.
        attribution: whose behaviour the surprise is, or None where it is not defined.
        luck: None, or the last step of the ex-ante chain (it then belongs to `terms`).
        errors: standard errors of terms that are Monte-Carlo averages, by name; empty where none is.
        scale: how much was at stake, or None where that is unknown.
        ceiling_exact: W0 is the maximum and not only the best found. If not, the first term is a lower bound.
        reply_exact: the same for W1 and regret.
        ceiling_how: one line on how W0 was found.
        ceiling_profile: a joint action that reaches it, if one is known.
        prediction: in which form the others were predicted.
        convention: how a stated total was shared out; empty where nothing was assumed.
        valid: False where some declared value was not allowed and the nearest one stands.
        forecast, desired: as declared.
        principal: from the principal's goal over the agent's to what happened, where the yardstick is the principal's goal
            and the agent's own goal is known; else None.
    """

    agent: int
    yardstick: str
    mode: Mode
    W0: Number
    W1: Number | None
    W2: Number | None
    W3: Number | None
    W4: Number
    terms: Mapping[str, Number]
    subjective: Mapping[str, Number] | None
    splits: Mapping[str, Number]
    beside: Mapping[str, Number]
    benchmark: Number | None
    regret: Number
    interaction: Interaction | None
    ordering: Ordering | None
    attribution: Attribution | None
    luck: Number | None
    errors: Mapping[str, float]
    scale: Scale | None
    ceiling_exact: bool
    reply_exact: bool
    ceiling_how: str
    ceiling_profile: Joint | None
    prediction: PredictionKind
    convention: str
    valid: bool
    forecast: Number | None = None
    desired: Number | None = None
    principal: PrincipalChain | None = None

    @property
    def stages(self) -> dict[str, Number]:
        """The stage values that are defined, by name."""
        values = {"W0": self.W0, "W1": self.W1, "W2": self.W2, "W3": self.W3, "W4": self.W4}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def total(self) -> Number:
        """G: the whole gap."""
        return tidy(self.W0 - (self.W4 if self.luck is None else self.W4 - self.luck))

    @property
    def anticipated(self) -> Number | None:
        return self.terms.get("anticipated")

    @property
    def planning(self) -> Number | None:
        return self.terms.get("planning")

    @property
    def say_do(self) -> Number | None:
        return self.terms.get("say_do")

    @property
    def surprise(self) -> Number | None:
        return self.terms.get("surprise")

    @property
    def unattributed(self) -> Number | None:
        return self.terms.get(UNATTRIBUTED)

    @property
    def aspiration(self) -> Number | None:
        return None if self.subjective is None else self.subjective.get("aspiration")

    @property
    def model_error(self) -> Number | None:
        return None if self.subjective is None else self.subjective.get("model_error")

    @property
    def inter_agent(self) -> Number | None:
        """The whole inter-agent gap: anticipated and surprise together. Surprise alone misses accurate pessimists."""
        if self.anticipated is None or self.surprise is None:
            return None
        return tidy(self.anticipated + self.surprise)

    @property
    def normalised(self) -> dict[str, Number] | None:
        """The terms over the scale; None where the scale is unknown or nothing was at stake."""
        if self.scale is None or self.scale.value == 0:
            return None
        return {name: over(term, self.scale.value) for name, term in self.terms.items()}

    @property
    def shares(self) -> dict[str, Number] | None:
        """The terms over the gap; None where there is none. With mixed signs: |term| over the sum of all |terms|.

        Shares are for reading one decision. Never average them: average terms and scales, then divide.
        """
        if size(self.total) < 1e-9 * max(1, size(self.W0)):
            return None
        if min(self.terms.values()) < 0 < max(self.terms.values()):
            sizes = sum(size(term) for term in self.terms.values())
            return {name: over(size(term), sizes) for name, term in self.terms.items()}
        return {name: over(term, self.total) for name, term in self.terms.items()}

    def rows(self) -> list[dict[str, object]]:
        """Every stage value and term as one row: (part, name, value)."""
        return [{"part": part, "name": name, "value": value} for part, name, value in self._parts()]

    def _parts(self) -> Iterator[tuple[str, str, Number]]:
        for part, values in (
            ("stage", self.stages),
            ("objective", self.terms),
            ("subjective", self.subjective or {}),
            ("split", self.splits),
            ("beside", self.beside),
        ):
            for name, value in values.items():
                yield part, name, value

    def __str__(self) -> str:
        """The sum in one line, such as ``4 = 0 anticipated + 2 planning - 2 say_do + 4 surprise``."""
        parts = [f"{'-' if term < 0 else '+'} {show(size(term))} {name}" for name, term in self.terms.items()]
        least = "" if self.ceiling_exact else " (at least)"
        first = " ".join(parts).removeprefix("+ ")
        return f"{show(self.total)}{least} = {first} [{self.yardstick}, {self.mode}]"
