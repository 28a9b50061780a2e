"""Games in which everybody takes an amount, and all that matters besides is the sum of what is taken."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import lcm

from society.core.actions import Action, Amount, Joint
from society.core.arrays import NDArray, np
from society.core.exact import Number, tidy
from society.core.mechanism import Batch, Bound, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.amounts import whole_amounts
from society.mechanisms.merit import even_profile, merit
from society.mechanisms.stateless import NOTHING, Nothing

MOST_EQUILIBRIA = 5000
"""A game with more pure equilibria than this does not list them."""


def equilibria_by_total(
    agents: int, totals: Iterable[int], replies: Callable[[int], Iterable[int]]
) -> tuple[Joint, ...] | None:
    """All pure equilibria of a game in which only one's own amount and the total count, up to the order of the seats.

    A profile with total X is an equilibrium when every amount in it belongs to `replies(X)`: the amounts x that are a
    best reply to X - x. None when there are more than `MOST_EQUILIBRIA`.
    """
    found: list[Joint] = []
    for total in totals:
        allowed = sorted(replies(total))
        if not allowed:
            continue
        for profile in _multisets(allowed, agents, total):
            found.append(profile)
            if len(found) > MOST_EQUILIBRIA:
                return None
    return tuple(found)


def _multisets(allowed: list[int], agents: int, total: int) -> Iterator[tuple[int, ...]]:
    """Ascending tuples of allowed amounts that add up to the total."""
    if agents == 0:
        if total == 0:
            yield ()
        return
    for place, value in enumerate(allowed):
        if value * agents <= total <= value + allowed[-1] * (agents - 1):
            for rest in _multisets(allowed[place:], agents - 1, total - value):
                yield (value, *rest)


class Appropriation(Mechanism[Nothing]):
    """Each taken unit is worth less, the more all take: payoff_i = wage * (most - x_i) + x_i * (a - b * X).

    Selfish play takes n/(n+1) * (a - wage)/b in all, the group's best total is (a - wage)/(2b).
    """

    state_type = Nothing
    quantities = frozenset({"total"})

    @property
    @abstractmethod
    def most(self) -> int:
        """The most units one agent can take."""

    @property
    @abstractmethod
    def terms(self) -> tuple[Fraction, Fraction, Fraction]:
        """(wage, a, b) of the formula; b > 0."""

    def initial_state(self) -> Nothing:
        return NOTHING

    def space(self, state: Nothing, agent: int) -> Amount:
        return Amount.between(0, self.most)

    def observe(self, state: Nothing, agent: int) -> Facts:
        wage, a, b = self.terms
        return {"most": self.most, "wage": tidy(wage), "a": tidy(a), "b": tidy(b)}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        taken = whole_amounts(joint)
        total = sum(taken)
        return Transition(state=state, payoffs=tuple(self._pays(x, total) for x in taken), total=total)

    def _pays(self, own: int, total: int) -> Number:
        wage, a, b = self.terms
        return tidy(wage * (self.most - own) + own * (a - b * total))

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        over = lcm(*(term.denominator for term in self.terms))
        wage, a, b = (int(term * over) for term in self.terms)
        totals = joints.sum(axis=1)
        return Batch(
            numerators=wage * (self.most - joints) + joints * (a - b * totals)[:, None],
            denominators=np.array([[over]], dtype=np.int64),
            totals=totals,
        )

    def poles(self, state: Nothing) -> tuple[Action, Action]:
        """An even part of the group's best total, and of the selfish one, both rounded down."""
        n = self.agents
        best, selfish = self._turning_point / 2, self._turning_point * n / (n + 1)

        def part(total: Number) -> int:
            return min(self.most, max(0, int(total / n)))

        return part(best), part(selfish)

    def known_ceiling(self, state: Nothing, agent: int) -> Bound:
        own = max(self._whole(self._turning_point / 2, self.most), key=lambda x: (self._pays(x, x), -x))
        profile = tuple(own if seat == agent else 0 for seat in range(self.agents))
        return Bound(self._pays(own, own), profile, how="closed form: the others take nothing")

    def known_optimum(self, state: Nothing) -> Bound:
        def paid(total: int) -> tuple[Number, ...]:
            return self.step(state, even_profile(total, self.agents), Noise(0)).payoffs

        best = max(self._whole(self._turning_point / 2, self.most * self.agents), key=lambda t: (merit(paid(t)), -t))
        return Bound(
            sum(paid(best)), even_profile(best, self.agents), how="closed form: total (a - wage) / (2 b), shared evenly"
        )

    def known_equilibria(self, state: Nothing) -> tuple[Joint, ...] | None:
        """With M = (a - wage)/b, x is a best reply inside a total X when M - X - 1 <= x <= M - X + 1, or at a corner."""

        def replies(total: int) -> list[int]:
            low, high = self._turning_point - total - 1, self._turning_point - total + 1
            near = range(max(0, -int(-low // 1)), min(self.most, int(high // 1)) + 1)
            inside = set(near)
            if low <= 0 <= self.most and low <= 0:
                inside.add(0)
            if self.most <= high:
                inside.add(self.most)
            return sorted(inside)

        return equilibria_by_total(self.agents, range(self.agents * self.most + 1), replies)

    @property
    def _turning_point(self) -> Fraction:
        """The total M = (a - wage)/b at which one more unit is worth no more than the wage."""
        wage, a, b = self.terms
        return (a - wage) / b

    @staticmethod
    def _whole(value: Fraction, most: int) -> list[int]:
        return [min(most, max(0, whole)) for whole in (int(value // 1), int(value // 1) + 1)]
