"""Keyed noise: common random numbers by construction.

A draw is a pure function of (seed, round, purpose, entity). There is no running stream, so a counterfactual
action that needs more or fewer draws changes nobody else's luck, and any process, thread or order of evaluation
sees the same world ([Salmon2011]_ for counter-based generators, [GlassermanYao1992]_ for common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from society.core.exact import Number

T = TypeVar("T")
Entity = int | str | tuple[int | str, ...]

_WORD = 64


@dataclass(frozen=True, slots=True)
class Noise:
    """The luck of one round of one seed.

    Attributes:
        seed: the seed of the episode.
        round: which round, counted from 1; 0 is the time before the first round.
        draw: which of several alternative worlds; 0 is the one that happened, others serve expectations.
    """

    seed: int
    round: int = 0
    draw: int = 0

    def bits(self, purpose: str, entity: Entity = "") -> int:
        """64 uniform bits for one purpose and one entity."""
        key = repr((self.seed, self.round, self.draw, purpose, entity)).encode()
        return int.from_bytes(blake2b(key, digest_size=8).digest())

    def uniform(self, purpose: str, entity: Entity = "") -> float:
        """A float in [0, 1), on the grid of 2**-53."""
        return (self.bits(purpose, entity) >> 11) * 2.0**-53

    def chance(self, probability: Number, purpose: str, entity: Entity = "") -> bool:
        """True with the given probability; exact for rationals, since the draw is an integer."""
        return self.bits(purpose, entity) < probability * (1 << _WORD)

    def below(self, n: int, purpose: str, entity: Entity = "") -> int:
        """An integer in 0..n-1. The bias of at most n / 2**64 is far below what any run can see."""
        if n < 1:
            raise ValueError("below() needs at least one possibility")
        return self.bits(purpose, entity) * n >> _WORD

    def normal(self, purpose: str, entity: Entity = "") -> float:
        """A standard normal (Box and Muller), from two independent draws of the same key."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform(purpose + "/radius", entity)))
        return radius * math.cos(2.0 * math.pi * self.uniform(purpose + "/angle", entity))

    def order(self, items: Sequence[T], purpose: str) -> list[T]:
        """The items in random order. Each has its own lot: adding one leaves the others' order as it was."""
        lots = [(self.bits(purpose, str(item)), place) for place, item in enumerate(items)]
        return [items[place] for _, place in sorted(lots)]

    def other(self, draw: int) -> Noise:
        """An alternative world of the same round."""
        return Noise(self.seed, self.round, draw)
