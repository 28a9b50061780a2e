"""Scripts that know the rules and calculate with them."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from society.agents.scripted.expecting import expected_payoff
from society.agents.scripted.script import Script, Sight
from society.core.actions import Action, Amount, Choice, Division, Joint
from society.core.errors import BadInput
from society.core.exact import Number
from society.core.mechanism import Mechanism, encode
from society.core.seeds import Noise
from society.governance.governed import Governed

ELSEWHERE = Noise(0, 0, 1)
MOST_TRIED = 501
MOST_SWEEPS = 100

Played: TypeAlias = Mechanism[Any] | Governed  # Any: each mechanism has its own type of state


@lru_cache(maxsize=4096)
def best_reply(game: Played, state: Any, joint: Joint, agent: int) -> Action:  # Any: types of states differ
    """The action with the largest payoff in this round if the others act as in `joint`; of several the first on the grid.

    Under rules it is the payoff that the agent feels after all transfers, in expectation over being caught. Amounts of more
    than `MOST_TRIED` values are tried on an even grid of that many. Other luck is that of another world.

    Raises:
        BadInput: the agent has a total to divide.
    """
    spaces = [game.space(state, seat) for seat in range(game.agents)]
    space = spaces[agent]
    if isinstance(space, Division):
        raise BadInput("it tries every action, and there are too many ways to divide a total")
    grid = space.grid(MOST_TRIED)
    joints = [(*joint[:agent], action, *joint[agent + 1 :]) for action in grid]
    values: list[Number]
    if isinstance(game, Governed):
        values = [expected_payoff(game, state, tried, agent, elsewhere=ELSEWHERE) for tried in joints]
    elif all(isinstance(one, Choice) or (isinstance(one, Amount) and one.step is not None) for one in spaces):
        batch = game.batch(state, encode(game, state, joints), ELSEWHERE)
        under = [int(part) for part in batch.denominators[:, 0]] * (len(grid) // len(batch.denominators))
        values = [Fraction(top) / part for top, part in zip(batch.numerators[:, agent].tolist(), under, strict=True)]
    else:
        values = [game.step(state, tried, ELSEWHERE).payoffs[agent] for tried in joints]
    return grid[max(range(len(grid)), key=lambda place: (values[place], -place))]


@lru_cache(maxsize=1024)
def lasting(game: Played, state: Any) -> Joint | None:  # Any: types of states differ
    """Where best replies in turn, from everybody doing the least, come to rest; None if they do not."""
    joint = tuple(game.abstention(state, seat) for seat in range(game.agents))
    for _ in range(MOST_SWEEPS):
        before = joint
        for seat in range(game.agents):
            joint = (*joint[:seat], best_reply(game, state, joint, seat), *joint[seat + 1 :])
        if joint == before:
            return joint
    return None


class Nash(Script):
    """Its part of a pure equilibrium of this round [Nash1951]_.

    Of the known equilibria the one in which payoffs differ least; where none is known, as under rules, the one that best
    replies in turn come to rest at, starting from everybody doing the least; where they never rest, its best reply to that.
    """

    kind: Literal["nash"] = "nash"

    def act(self, at: Sight) -> Action:
        return self._profile(at)[at.agent]

    def expects(self, at: Sight) -> tuple[Action | None, ...]:
        profile = self._profile(at)
        return (*profile[: at.agent], *profile[at.agent + 1 :])

    def _profile(self, at: Sight) -> Joint:
        known = at.game.known_equilibria(at.state) if at.rules is None else None
        if known:
            return min(known, key=lambda joint: _spread(at, joint))
        game, state = at.law
        resting = lasting(game, state)
        if resting is not None:
            return resting
        least = tuple(game.abstention(state, seat) for seat in range(game.agents))
        return (*least[: at.agent], best_reply(game, state, least, at.agent), *least[at.agent + 1 :])


def _spread(at: Sight, joint: Joint) -> float:
    payoffs = at.game.step(at.state, joint, ELSEWHERE).payoffs
    return float(max(payoffs) - min(payoffs))


class Optimum(Script):
    """Its part of the profile with the largest sum of payoffs in this round; where none is known, cooperation."""

    kind: Literal["optimum"] = "optimum"

    def act(self, at: Sight) -> Action:
        profile = self._profile(at)
        return at.poles[0] if profile is None else profile[at.agent]

    def expects(self, at: Sight) -> tuple[Action | None, ...]:
        profile = self._profile(at)
        if profile is None:
            return (at.poles[0],) * (len(at.seen.names) - 1)
        return (*profile[: at.agent], *profile[at.agent + 1 :])

    def _profile(self, at: Sight) -> Joint | None:
        best = at.game.known_optimum(at.state)
        return None if best is None else best.profile


class BestReply(Script):
    """The best reply, for this round, to what the others did in the last one [Cournot1838]_.

    First it does `first`: cooperation, or its part of an equilibrium. What was hidden is taken to be what it does itself.
    """

    kind: Literal["best_reply"] = "best_reply"
    first: Literal["cooperate", "nash"] = "cooperate"
    """what it does in the first round"""

    def act(self, at: Sight) -> Action:
        if not at.past:
            return Nash().act(at) if self.first == "nash" else at.poles[0]
        return best_reply(*at.law, self._last(at), at.agent)

    def expects(self, at: Sight) -> tuple[Action | None, ...] | None:
        if not at.past:
            return None
        joint = self._last(at)
        return (*joint[: at.agent], *joint[at.agent + 1 :])

    def _last(self, at: Sight) -> Joint:
        last = at.past[-1].actions
        own = last[at.agent]
        game, state = at.law
        fallback = game.abstention(state, at.agent) if own is None else own
        joint = tuple(fallback if action is None else action for action in last)
        return tuple(_allowed(at, seat, action) for seat, action in enumerate(joint))


def _allowed(at: Sight, seat: int, action: Action) -> Action:
    game, state = at.law
    near = game.space(state, seat).nearest(action)
    return game.abstention(state, seat) if near is None else near
