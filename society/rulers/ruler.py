"""What was possible in one round: the ruler that what happened is held against."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Generic, TypeVar

from society.core.actions import Action, Joint
from society.core.exact import Number, tidy
from society.core.goals import Goal
from society.core.mechanism import Bound, Game, Mechanism
from society.core.prices import price_parts
from society.core.seeds import Noise
from society.rulers.best import best_for, best_together
from society.rulers.dilemma import Finding, Schelling, schelling, self_interest_level, selfishness_level
from society.rulers.equilibria import Equilibria, pure_equilibria
from society.rulers.mixtures import Mixed, mixed_equilibria
from society.rulers.scores import Board
from society.rulers.steady import SteadyPlay

S = TypeVar("S")


class Ruler(Generic[S]):
    """Optimum, ceilings, equilibria and dilemma strength of the stage game in one state.

    Everything is computed on first use: from the mechanism's closed form where it has one, else by enumeration through
    the batched rules, else by a search that says so. Each value tells whether it is exact, and how it was found.

    Args:
        game: a mechanism, bare or under instruments.
        state: the state the round finds; the initial state if None.
        noise: the luck of the round, to judge a game of chance in that one world. None: by expected payoffs where the
            mechanism knows them, else in the world of seed 0, round 1.
        goals: one per agent, to judge by their utilities instead of own payoffs; closed forms are then not used.
    """

    def __init__(
        self,
        game: Game[S],
        state: S | None = None,
        noise: Noise | None = None,
        *,
        goals: Sequence[Goal] | None = None,
    ) -> None:
        self.game = game
        self.state: S = game.initial_state() if state is None else state
        self.board = Board(game, self.state, noise, goals)
        self._known: Mechanism[S] | None = game if isinstance(game, Mechanism) and goals is None else None
        if self._known is not None and noise is not None and self._known.chancy(self.state):
            self._known = None  # closed forms are expectations

    @cached_property
    def optimum(self) -> Bound:
        """The largest sum of scores, at the cooperative benchmark: among the joint actions that reach it the one with the
        larger minimum, then the smaller Gini coefficient, then the lexicographically first.
        """
        known = self._known.known_optimum(self.state) if self._known else None
        return known or best_together(self.board)

    @cached_property
    def ceiling(self) -> tuple[Bound, ...]:
        """For each agent the largest score it can get in this round if everybody acts for it."""
        bounds: list[Bound] = []
        for agent in range(self.game.agents):
            known = self._known.known_ceiling(self.state, agent) if self._known else None
            if known is None and agent and self.board.symmetric:
                first = bounds[0]
                profile = None if first.profile is None else _swap(first.profile, agent)
                known = Bound(first.value, profile, first.exact, first.how)
            bounds.append(known or best_for(self.board, agent))
        return tuple(bounds)

    @cached_property
    def equilibria(self) -> Equilibria:
        """All pure Nash equilibria, up to the order of the seats where the game is symmetric."""
        known = self._known.known_equilibria(self.state) if self._known else None
        if known is not None:
            return Equilibria(known, exact=True, how="listed by the mechanism", up_to_order=self.board.symmetric)
        return pure_equilibria(self.board)

    @cached_property
    def mixed_equilibria(self) -> tuple[Mixed, ...] | None:
        """The equilibria in which at least two agents mix, of small games; None where they are not computed."""
        return mixed_equilibria(self.board)

    def scores(self, joint: Joint) -> tuple[Number, ...]:
        """What each agent gets (or thinks of it, by its goal)."""
        table = self.board.score_joints([joint])
        return tuple(map(table.value, table.units[0]))

    def welfare(self, joint: Joint) -> Number:
        """The sum of all scores."""
        return sum(self.scores(joint))

    @property
    def worst_equilibrium(self) -> Bound | None:
        """The pure equilibrium of least welfare; None if there is none."""
        return self._by_welfare[0] if self._by_welfare else None

    @property
    def best_equilibrium(self) -> Bound | None:
        """The pure equilibrium of most welfare; None if there is none."""
        return self._by_welfare[1] if self._by_welfare else None

    @cached_property
    def _by_welfare(self) -> tuple[Bound, Bound] | None:
        """The worst and the best, of equals the first and the last."""
        found = self.equilibria
        if not len(found):
            return None
        scores = self.board.score_joints(found.profiles)
        sums = scores.units.sum(axis=1)
        places = int(sums.argmin()), len(sums) - 1 - int(sums[::-1].argmax())
        worst, best = (
            Bound(scores.value(sums[place]), found.profiles[place], found.exact, found.how) for place in places
        )
        return worst, best

    @property
    def price_of_anarchy(self) -> Finding:
        """Optimum over the worst pure equilibrium [Koutsoupias1999]_; for costs the other way round."""
        return self._price(self.worst_equilibrium)

    @property
    def price_of_stability(self) -> Finding:
        """Optimum over the best pure equilibrium [Anshelevich2008]_; for costs the other way round."""
        return self._price(self.best_equilibrium)

    def _price(self, reached: Bound | None) -> Finding:
        if reached is None:
            why = "there is no pure equilibrium" if self.equilibria.exact else "no pure equilibrium is known"
            return Finding(None, self.equilibria.exact, why)
        exact = self.optimum.exact and self.equilibria.exact
        parts = price_parts(self.optimum.value, reached.value)
        if parts is None:
            return Finding(None, exact, "welfare is zero or of mixed sign; use welfare efficiency")
        over, under = parts
        rational = not isinstance(over, float) and not isinstance(under, float)
        value = tidy(Fraction(over) / Fraction(under)) if rational else over / under
        return Finding(value, exact, f"optimum {self.optimum.how}; equilibria {self.equilibria.how}")

    def regret(self, joint: Joint, agent: int) -> Number:
        """What the agent could have gained by acting otherwise, the others as they were: at least 0."""
        return max(self._options(joint, agent)[1]) - self._played(joint, agent)

    def best_replies(self, joint: Joint, agent: int) -> tuple[Action, ...]:
        """The agent's best actions against the others' actions in this joint action; its own does not matter."""
        actions, values = self._options(joint, agent)
        top = max(values)
        slack = self.board.score_joints([joint]).slack
        return tuple(action for action, value in zip(actions, values, strict=True) if value >= top - slack)

    def nash_conv(self, joint: Joint) -> Number:
        """The sum of all agents' regrets; 0 exactly at a Nash equilibrium [Lanctot2017]_."""
        return tidy(sum(self.regret(joint, agent) for agent in range(self.game.agents)))

    def exploitability(self, joint: Joint) -> Number:
        """`nash_conv` per agent [Lanctot2017]_."""
        total = self.nash_conv(joint)
        return total / self.game.agents if isinstance(total, float) else tidy(Fraction(total) / self.game.agents)

    def epsilon(self, joint: Joint) -> Number:
        """The smallest e for which this joint action is an e-Nash equilibrium: the largest regret."""
        return max(self.regret(joint, agent) for agent in range(self.game.agents))

    @cached_property
    def schelling(self) -> Schelling | None:
        """The Schelling diagram between the mechanism's poles; None where it has none, or seats are too unlike."""
        poles = self.poles
        return None if poles is None else schelling(self.board, poles)

    @property
    def poles(self) -> tuple[Action, Action] | None:
        """The actions called cooperation and defection."""
        return self.game.poles(self.state) if isinstance(self.game, (Mechanism, SteadyPlay)) else None

    @cached_property
    def self_interest_level(self) -> Finding:
        """s*, see `society.rulers.dilemma.self_interest_level`."""
        poles = self.poles
        if poles is None:
            return Finding(None, how="no pair of actions is called cooperation and defection")
        return self_interest_level(self.board, poles)

    @cached_property
    def selfishness_level(self) -> Finding:
        """See `society.rulers.dilemma.selfishness_level`."""
        best = self.optimum.profile
        return selfishness_level(self.board, () if best is None else (best,))

    def _played(self, joint: Joint, agent: int) -> Number:
        return self.scores(joint)[agent]

    def _options(self, joint: Joint, agent: int) -> tuple[tuple[Action, ...], list[Number]]:
        actions = self.board.grids[agent]
        if joint[agent] not in actions:
            actions = (*actions, joint[agent])
        joints = [(*joint[:agent], action, *joint[agent + 1 :]) for action in actions]
        scores = self.board.score_joints(joints)
        return actions, [scores.value(x) for x in scores.units[:, agent]]


def _swap(profile: Joint, agent: int) -> Joint:
    """The same profile with agent 0 and `agent` in each other's place."""
    seats = list(profile)
    seats[0], seats[agent] = seats[agent], seats[0]
    return tuple(seats)
