"""How close what was predicted came to what happened. This is about beliefs; what a wrong one cost is the surprise.

Point predictions are distributions on one point, so that all forms are scored alike. Lower is better, 0 is perfect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from society.core.actions import Action, amount_of
from society.core.exact import Number, tidy


@dataclass(frozen=True)
class Accuracy:
    """The errors of one agent's predictions, in seat order; None at its own seat and where nothing was predicted.

    Attributes:
        absolute: distance of the expected amount from the real one, in units of the action; None for words.
        brier: squared error of the probabilities of each possible action, summed; 0 to 2 [Brier1950]_.
        crps: continuous ranked probability score, in units of the action; None for words. For a point it is the
            absolute error [GneitingRaftery2007]_.
        total: distance of the expected sum of the others from the real one; None for words.
    """

    absolute: tuple[Number | None, ...]
    brier: tuple[Number | None, ...]
    crps: tuple[Number | None, ...]
    total: Number | None


def accuracy(
    agent: int, beliefs: Sequence[tuple[Number, Sequence[Action | None]]], actual: Sequence[Action]
) -> Accuracy:
    """The errors of beliefs about the others.

    Args:
        agent: who believed.
        beliefs: possible joint actions with probabilities; entries are None where nothing was stated.
        actual: what everybody did.
    """
    absolute: list[Number | None] = []
    brier: list[Number | None] = []
    crps: list[Number | None] = []
    for seat, done in enumerate(actual):
        marginal = _marginal(beliefs, seat) if seat != agent else None
        amounts = _amounts(marginal)
        real = amount_of(done)
        brier.append(None if marginal is None else brier_score(marginal, done))
        absolute.append(None if amounts is None or real is None else apart(_mean(amounts), real))
        crps.append(None if amounts is None or real is None else ranked_score(amounts, real))
    return Accuracy(tuple(absolute), tuple(brier), tuple(crps), _total_error(agent, beliefs, actual))


def brier_score(probabilities: dict[Action, Number], happened: Action) -> Number:
    """Sum over actions of (probability - what happened)^2, where what happened counts 1 and everything else 0."""
    stated: Number = sum(p * p for action, p in probabilities.items() if action != happened)
    missed: Number = 1 - probabilities.get(happened, 0)
    return tidy(stated + missed * missed)


def ranked_score(probabilities: dict[Number, Number], happened: Number) -> Number:
    """E|X - x| - E|X - X'|/2, with X and X' independent draws of the prediction."""
    far: Number = sum(p * apart(value, happened) for value, p in probabilities.items())
    spread: Number = sum(
        p * q * apart(one, other)
        for one, p in probabilities.items()
        for other, q in probabilities.items()
        if one < other
    )
    return tidy(far - spread)


def apart(one: Number, other: Number) -> Number:
    """The distance of two numbers."""
    return one - other if one > other else other - one


def _marginal(beliefs: Sequence[tuple[Number, Sequence[Action | None]]], seat: int) -> dict[Action, Number] | None:
    found: dict[Action, Number] = defaultdict(int)
    for probability, profile in beliefs:
        action = profile[seat]
        if action is None:
            return None
        found[action] += probability
    return dict(found) or None


def _amounts(marginal: dict[Action, Number] | None) -> dict[Number, Number] | None:
    if marginal is None:
        return None
    amounts = {amount_of(action): p for action, p in marginal.items()}
    return None if None in amounts else {value: p for value, p in amounts.items() if value is not None}


def _mean(amounts: dict[Number, Number]) -> Number:
    return tidy(sum(value * p for value, p in amounts.items()))


def _total_error(
    agent: int, beliefs: Sequence[tuple[Number, Sequence[Action | None]]], actual: Sequence[Action]
) -> Number | None:
    def others(profile: Sequence[Action | None]) -> Number | None:
        amounts = [amount_of(action) for seat, action in enumerate(profile) if seat != agent]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None

    real = others(actual)
    expected: Number = 0
    for probability, profile in beliefs:
        total = others(profile)
        if total is None:
            return None
        expected += probability * total
    return None if real is None or not beliefs else tidy(apart(expected, real))
