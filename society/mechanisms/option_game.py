"""Stateless games of words: everybody picks one of a few options."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from itertools import combinations_with_replacement, product
from math import comb, prod
from typing import Any

from society.core.actions import Choice, Joint
from society.core.arrays import NDArray, np
from society.core.columns import over_common_denominator
from society.core.exact import Number
from society.core.mechanism import Batch, Bound, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.merit import merit
from society.mechanisms.stateless import NOTHING, Nothing

MOST_PROFILES = 20_000
"""Games with more profiles than this (multisets, where the seats are alike) leave their rulers to search."""


class OptionGame(Mechanism[Nothing]):
    """Everybody picks an option; a table says what each gets. Rulers go through all profiles."""

    state_type = Nothing

    @abstractmethod
    def words_of(self, agent: int) -> tuple[str, ...]:
        """The options as the agent says them."""

    @abstractmethod
    def pays(self, picks: tuple[int, ...]) -> tuple[Number, ...]:
        """The payoffs, given the place of each agent's option in its `words_of`."""

    def initial_state(self) -> Nothing:
        return NOTHING

    @cached_property
    def _choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(options=self.words_of(agent)) for agent in range(self.agents))

    def space(self, state: Nothing, agent: int) -> Choice:
        return self._choices[agent]

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {"options": ", ".join(self.words_of(agent))}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        places = tuple(choice.options.index(str(word)) for choice, word in zip(self._choices, joint, strict=True))
        return Transition(state=state, payoffs=self.pays(places))

    def known_ceiling(self, state: Nothing, agent: int) -> Bound | None:
        if not self._few:
            return None
        seats = [(profile, seat) for profile in self._profiles() for seat in self._told_apart(profile, agent)]
        profile, seat = max(seats, key=lambda place: self.pays(place[0])[place[1]])
        others = (*profile[:seat], *profile[seat + 1 :])
        placed = (*others[:agent], profile[seat], *others[agent:])
        return Bound(self.pays(profile)[seat], self._words_of(placed), how=self._how)

    def known_optimum(self, state: Nothing) -> Bound | None:
        if not self._few:
            return None
        best = max(self._profiles(), key=lambda profile: merit(self.pays(profile)))  # the first of equals
        return Bound(sum(self.pays(best)), self._words_of(best), how=self._how)

    def known_equilibria(self, state: Nothing) -> tuple[Joint, ...] | None:
        if not self._few:
            return None
        return tuple(self._words_of(profile) for profile in self._profiles() if self._stable(profile))

    def _stable(self, profile: tuple[int, ...]) -> bool:
        payoffs = self.pays(profile)
        for seat in self._told_apart(profile, None):
            for other in range(len(self.words_of(seat))):
                if other != profile[seat]:
                    changed = (*profile[:seat], other, *profile[seat + 1 :])
                    if self.pays(changed)[seat] > payoffs[seat]:
                        return False
        return True

    def _told_apart(self, profile: tuple[int, ...], agent: int | None) -> list[int]:
        """Seats worth looking at: one per option where the seats are alike, else the agent's own, or all."""
        if self.symmetric:
            return [profile.index(pick) for pick in sorted(set(profile))]
        return list(range(self.agents)) if agent is None else [agent]

    @property
    def _how(self) -> str:
        return f"enumeration of {self._count} profiles"

    @property
    def _count(self) -> int:
        options = [len(choice.options) for choice in self._choices]
        return comb(self.agents + options[0] - 1, self.agents) if self.symmetric else prod(options)

    @property
    def _few(self) -> bool:
        return self._count <= MOST_PROFILES

    def _profiles(self) -> Iterator[tuple[int, ...]]:
        options = [range(len(choice.options)) for choice in self._choices]
        if self.symmetric:
            return combinations_with_replacement(options[0], self.agents)
        return product(*options)

    def _words_of(self, picks: tuple[int, ...]) -> Joint:
        return tuple(choice.options[pick] for choice, pick in zip(self._choices, picks, strict=True))


class TwoOptionGame(OptionGame):
    """Two options, seats alike: what an agent gets depends on its option and on how many others pick the first one."""

    @property
    @abstractmethod
    def by_others(self) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        """For each option, the payoff when 0, 1, ... n-1 others pick the first option."""

    def pays(self, picks: tuple[int, ...]) -> tuple[Number, ...]:
        first = picks.count(0)
        table = self.by_others
        return tuple(table[pick][first - (pick == 0)] for pick in picks)

    @cached_property
    def _table(self) -> tuple[NDArray[Any], NDArray[Any]]:  # Any: int64 or object, see over_common_denominator
        return over_common_denominator(self.by_others)

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        numerators, denominators = self._table
        first = joints == 0
        others = first.sum(axis=1, dtype=np.int64)[:, None] - first
        return Batch(numerators=numerators[joints, others], denominators=denominators)
