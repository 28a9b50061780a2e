"""What an agent said in private, in the form the chains need: an own action and beliefs about the others.

Nothing is filled in. A prediction that was not stated stays missing, and the terms that need it are merged with their
neighbours; what was stated but is not allowed counts as the nearest allowed value, and is marked as invalid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeVar

import numpy as np

from society.analysis.alignment.worlds import Codes, Worlds
from society.core.actions import Action, Amount, action_to_plain
from society.core.exact import Number, tidy
from society.core.mechanism import SpaceOf, legalise
from society.core.policy import Belief, Declaration

S = TypeVar("S")
PredictionKind = Literal["none", "partial", "per_agent", "total", "distribution", "imputed"]
"""How the others' actions were predicted. partial: some seats only, which is too little for a chain."""


@dataclass(frozen=True)
class Claims:
    """A declaration, read.

    Attributes:
        intended: the code of the intended own action, or None.
        beliefs: possible rows of the others' actions with probabilities; the own entry is meaningless. Empty: none.
        kind: in which form they were stated.
        forecast, desired: scores in the units of the yardstick.
        valid: False where some stated value was not allowed and the nearest one stands.
        clamped: the values that were not allowed, as stated.
        convention: how a stated total was shared out, or a missing prediction filled in; empty where nothing was.
    """

    intended: int | None = None
    beliefs: tuple[tuple[Number, Codes], ...] = ()
    kind: PredictionKind = "none"
    forecast: Number | None = None
    desired: Number | None = None
    valid: bool = True
    clamped: tuple[str, ...] = ()
    convention: str = ""


def read_claims(
    worlds: Worlds[S],
    agent: int,
    declaration: Declaration | None,
    *,
    observed: Sequence[tuple[int, Action]] = (),
    imputed: Sequence[Action | None] | None = None,
) -> Claims:
    """The declaration of one agent, read against what is possible in this state.

    Args:
        worlds: the round.
        agent: whose declaration it is.
        declaration: as stated, or None.
        observed: actions of those who moved before and were seen: they replace what was predicted for them.
        imputed: actions to assume for seats without a prediction, in seat order. The result is marked as imputed.
    """
    if declaration is None:
        declaration = Declaration()
    reader = _Reader(worlds, agent)
    intended = None if declaration.intended is None else reader.code(agent, declaration.intended)
    others = [seat for seat in range(worlds.agents) if seat != agent]
    convention = ""
    kind: PredictionKind = "none"
    profiles: list[tuple[Number, Sequence[Action | None]]] = []
    if declaration.distribution:
        kind = "distribution"
        profiles = [(belief.probability, belief.actions) for belief in declaration.distribution]
    elif declaration.predicted is not None:
        kind = "per_agent"
        profiles = [(1, declaration.predicted)]
    elif declaration.predicted_total is not None:
        kind, convention = "total", "the stated total is shared equally among the others"
        shares = equal_shares([worlds.spaces[seat] for seat in others], declaration.predicted_total)
        if sum(share for share in shares if not isinstance(share, (str, tuple))) != declaration.predicted_total:
            reader.clamped.append(f"a total of {declaration.predicted_total}")
        profiles = [(1, shares)]
    elif imputed is not None or (observed and len(observed) == len(others)):
        profiles = [(1, [None] * len(others))]
    beliefs: list[tuple[Number, Codes]] = []
    seen = dict(observed)
    for probability, profile in profiles:
        row = np.zeros(worlds.agents, dtype=np.int64)
        for seat, stated in zip(others, profile, strict=True):
            action = seen.get(seat, stated)
            if action is None and imputed is not None:
                action = imputed[seat]
                kind = "imputed"
                convention = "missing predictions are the last observed actions"
            code = None if action is None else reader.code(seat, action, trusted=seat in seen)
            if code is None:
                kind = "partial" if any(stated is not None for stated in profile) else "none"
                break
            row[seat] = code
        else:
            beliefs.append((probability, row))
            continue
        beliefs = []
        break
    if beliefs and kind == "none":
        kind = "per_agent"
    return Claims(
        intended=intended,
        beliefs=tuple(beliefs),
        kind=kind,
        forecast=declaration.forecast,
        desired=declaration.desired,
        valid=declaration.valid and not reader.clamped,
        clamped=tuple(reader.clamped),
        convention=convention,
    )


class _Reader:
    """Turns stated actions into codes and keeps what had to be mended."""

    def __init__(self, worlds: Worlds[Any], agent: int) -> None:
        self.worlds, self.agent = worlds, agent
        self.clamped: list[str] = []

    def code(self, seat: int, action: Action, *, trusted: bool = False) -> int | None:
        """The code of the nearest allowed action, or None where nothing is near."""
        space = self.worlds.spaces[seat]
        if trusted or space.contains(action):
            return self.worlds.code(seat, action)
        self.clamped.append(str(action_to_plain(action)))
        try:
            return self.worlds.code(seat, legalise(space, action))
        except (ValueError, TypeError):
            return None


def equal_shares(spaces: Sequence[SpaceOf], total: Number) -> list[Action]:
    """A total shared equally; in whole steps the units that are left go to the lowest seats. Kept inside the spaces.

    Raises:
        TypeError: the actions are no amounts.
    """
    shares: list[Action] = []
    steps = {space.step if isinstance(space, Amount) else None for space in spaces}
    if not all(isinstance(space, Amount) for space in spaces):
        raise TypeError("only amounts add up to a total")
    step = steps.pop() if len(steps) == 1 else None
    if step is None:
        shares = [tidy(Fraction(total) / len(spaces)) for _ in spaces]
    else:
        units, rest = divmod(int(Fraction(total) // step), len(spaces))
        shares = [tidy((units + (place < rest)) * step) for place in range(len(spaces))]
    return [legalise(space, share) for space, share in zip(spaces, shares, strict=True)]


def as_beliefs(distribution: Iterable[Any]) -> tuple[Belief, ...]:  # Any: as told below
    """A distribution from pairs (probability, actions), a mapping from actions to probabilities, or beliefs.

    Raises:
        ValueError: probabilities that are negative or do not sum to 1.
    """
    pairs = distribution.items() if isinstance(distribution, dict) else distribution
    beliefs: list[Belief] = []
    for item in pairs:
        if isinstance(item, Belief):
            beliefs.append(item)
        else:
            first, second = item
            actions, probability = (first, second) if isinstance(distribution, dict) else (second, first)
            beliefs.append(Belief(probability=Fraction(probability), actions=tuple(actions)))
    if any(belief.probability < 0 for belief in beliefs) or sum(b.probability for b in beliefs) != 1:
        raise ValueError("the probabilities of a distribution are not negative and sum to 1")
    return tuple(beliefs)
