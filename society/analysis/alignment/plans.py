r"""Whole plans at once: the mode *episode*.

A plan says what an agent does in every round: a sequence of actions, or a rule that looks at the round, the state it finds and
what was done before. U(x, y) plays the whole episode with plan x against plans y under the noise of the run, and adds the
scores of its rounds; the chain is then taken once, with all rounds inside. Against plans that are sequences the best reply is
a dynamic programme over the states that can be reached, and exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from society.analysis.alignment.rules import bare, mechanism_of, physical, steady
from society.analysis.alignment.worlds import Worlds, Yardstick, one
from society.core.actions import Action, Joint, leaves_room
from society.core.exact import Number, tidy
from society.core.goals import Goal
from society.core.mechanism import Game, SpaceOf
from society.core.seeds import Noise
from society.governance.governed import GovernedState

Rule: TypeAlias = Callable[[int, Any, tuple[Joint, ...]], Action]  # Any: each game has its own type of state
"""What is done in a round: from its number, the state it finds and the joint actions before."""
Plan: TypeAlias = tuple[Action, ...] | Rule

MOST_ROWS = 400_000
"""Joint actions tried for one best reply; beyond that own actions are thinned, and the reply is the best one found."""
MOST_ROWS_GOVERNED = 20_000
"""The same under instruments that what agents do leaves as they are."""
MOST_ROWS_SLOWLY = 500
"""The same where every row is a call of its own: others answer, or the institution changes with what agents do."""
_THINNED = 9


@dataclass(frozen=True)
class Plans:
    """An episode as one move: each agent has a plan, and everything follows.

    Attributes:
        games: the rules of each round, in order.
        state: what the first round finds.
        first: its number; seed: keys the noise of every round; discount: weight of each next round.
    """

    games: tuple[Game[Any], ...]
    state: Any  # Any: each game has its own type of state
    seed: int = 0
    first: int = 1
    discount: Number = 1

    @property
    def agents(self) -> int:
        return self.games[0].agents

    def play(self, plans: Sequence[Plan]) -> list[Any]:  # Any: transitions of any game
        """The transitions of all rounds, until the game is over."""
        state, history = self.state, tuple[Joint, ...]()
        steps: list[Any] = []
        for place, game in enumerate(self.games):
            if game.over(state):
                break
            joint = self.joint(place, state, plans, history)
            steps.append(game.step(state, joint, Noise(self.seed, self.first + place)))
            state, history = steps[-1].state, (*history, joint)
        return steps

    def joint(
        self, place: int, state: Any, plans: Sequence[Plan], history: tuple[Joint, ...]
    ) -> Joint:  # Any: as above
        """What the plans do in one round; what is not allowed in its state becomes the nearest allowed action, or none."""
        game = self.games[place]
        wanted = [
            plan[place] if isinstance(plan, tuple) else plan(self.first + place, state, history) for plan in plans
        ]
        return tuple(_meant(game, state, seat, action) for seat, action in enumerate(wanted))

    def score(self, plans: Sequence[Plan], goal: Goal, agent: int) -> Number:
        """U: the scores of all rounds, added up."""
        steps = self.play(plans)
        return tidy(sum(self.discount**place * goal.utility(step, agent) for place, step in enumerate(steps)))

    def best(
        self,
        plans: Sequence[Plan],
        seat: int,
        goal: Goal,
        agent: int,
        at_most: int | None = None,
        *,
        beside: bool = False,
    ) -> tuple[Number, tuple[Action, ...], bool] | None:
        """The plan of one seat that scores most for a goal against the others' plans, and whether no plan does better.

        Of a shared stock it takes what is left beside the others (`beside`), or asks for anything and is rationed like them.
        Every action is tried while the states it leads to are few enough, else nine a round; None where even those lead to
        more states than can be tried.
        """
        try:
            return _Programme(self, plans, seat, goal, agent, at_most, beside).solved()
        except OverflowError:
            if at_most is not None:
                return None
            return self.best(plans, seat, goal, agent, at_most=_THINNED, beside=beside)


def _meant(
    game: Game[Any], state: Any, seat: int, action: Action
) -> Action:  # Any: each game has its own type of state
    """The action, the nearest allowed one, or nothing where what is decided in this state is of another kind (a vote, a division)."""
    near = game.space(state, seat).nearest(action)
    return game.abstention(state, seat) if near is None else near


@dataclass
class _Programme:
    """The dynamic programme of one seat: forward to the states it can reach, backward to what is best from each."""

    plans: Plans
    others: Sequence[Plan]
    seat: int
    goal: Goal
    agent: int
    at_most: int | None
    beside: bool = False
    exact: bool = True
    tried: int = 0
    layers: list[dict[Any, list[tuple[Action, Number, Any]]]] = field(default_factory=list)  # Any: keys of states

    def solved(self) -> tuple[Number, tuple[Action, ...], bool]:
        remembers = any(not isinstance(plan, tuple) for seat, plan in enumerate(self.others) if seat != self.seat)
        start = (self.plans.state, ())
        reached = {start}
        for place in range(len(self.plans.games)):
            layer = {key: self._moves(place, *key, remembers) for key in reached}
            self.layers.append(layer)
            reached = {after for moves in layer.values() for _, _, after in moves}
        worth: dict[Any, Number] = {}  # Any: as above
        choice: list[dict[Any, tuple[Action, Any]]] = []  # Any: as above
        for layer in reversed(self.layers):
            now: dict[Any, Number] = {}  # Any: as above
            chosen: dict[Any, tuple[Action, Any]] = {}  # Any: as above
            for key, moves in layer.items():
                values = [score + self.plans.discount * worth.get(after, 0) for _, score, after in moves]
                best = max(range(len(values)), key=values.__getitem__) if values else None
                now[key] = 0 if best is None else values[best]
                if best is not None:
                    chosen[key] = (moves[best][0], moves[best][2])
            worth = now
            choice.insert(0, chosen)
        found: list[Action] = []
        here: Any = start  # Any: as above
        for place in range(len(self.plans.games)):
            action, here = choice[place].get(here, (self._rest(place), here))
            found.append(action)
        return tidy(worth[start]), tuple(found), self.exact

    def _rest(self, place: int) -> Action:
        """Anything at all, for rounds that are not played any more."""
        own = self.others[self.seat]
        return own[place] if isinstance(own, tuple) else 0

    def _moves(
        self, place: int, state: Any, history: Any, remembers: bool
    ) -> list[tuple[Action, Number, Any]]:  # Any: as above
        game = self.plans.games[place]
        if game.over(state):
            return []
        joint = list(self.plans.joint(place, state, self._filled(place, state), history))
        noise = Noise(self.plans.seed, self.plans.first + place)
        grid = self._grid(game.space(state, self.seat))
        if self.beside:
            grid = self._left_over(game, state, joint, grid)
        self.tried += len(grid)
        at_once = not remembers and steady(game, state)
        if self.tried > ((MOST_ROWS if bare(game, state) else MOST_ROWS_GOVERNED) if at_once else MOST_ROWS_SLOWLY):
            raise OverflowError("too many states")
        if at_once:
            return self._at_once(place, state, joint, grid)
        moves: list[tuple[Action, Number, Any]] = []  # Any: as above
        for action in grid:
            joint[self.seat] = action
            step = game.step(state, tuple(joint), noise)
            after = (step.state, (*history, tuple(joint)) if remembers else ())
            moves.append((action, self.goal.utility(step, self.agent), after))
        return moves

    def _at_once(
        self, place: int, state: Any, joint: list[Action], grid: Sequence[Action]
    ) -> list[Any]:  # Any: as above
        """All own actions of one round in one batch, where only the mechanism's part of the next state depends on them."""
        worlds = Worlds(self.plans.games[place], state, one(Noise(self.plans.seed, self.plans.first + place)))
        rows = np.repeat(worlds.codes(joint).reshape(1, -1), len(grid), axis=0)
        rows[:, self.seat] = [worlds.code(self.seat, action) for action in grid]
        scores = worlds.score(rows, Yardstick("", self.goal), self.agent)
        batch = worlds.outcomes(rows)[0].batch
        if batch.keys is None or batch.state_of is None:
            same = worlds.game.step(state, worlds.joint(rows[0]), worlds.luck[0][1]).state
            return [(action, scores[row], (same, ())) for row, action in enumerate(grid)]
        states = {key: batch.state_of(key) for key in set(batch.keys.tolist())}
        if isinstance(state, GovernedState):
            institution = worlds.game.step(state, worlds.joint(rows[0]), worlds.luck[0][1]).state
            assert institution.physical == states[int(batch.keys[0])], "one row stepped alone is the row of the batch"
            states = {key: replace(institution, physical=after) for key, after in states.items()}
        return [(action, scores[row], (states[int(batch.keys[row])], ())) for row, action in enumerate(grid)]

    def _grid(self, space: SpaceOf) -> Sequence[Action]:
        try:
            grid = space.grid(self.at_most)
        except ValueError:
            grid = space.grid(1001)
            self.exact = False
        if self.at_most is not None and len(grid) >= self.at_most:
            self.exact = False
        return grid

    def _left_over(
        self, game: Game[Any], state: Any, joint: Sequence[Action], grid: Sequence[Action]
    ) -> Sequence[Action]:  # Any: as above
        """The own actions that the others' leave room for, where they share a stock; all where none does."""
        mechanism = mechanism_of(game)
        others = [action for seat, action in enumerate(joint) if seat != self.seat]
        room = None if mechanism is None else mechanism.most_beside(physical(state), others)
        return grid if room is None else [action for action in grid if leaves_room(action, room)] or grid

    def _filled(self, place: int, state: Any) -> list[Plan]:  # Any: as above
        """The others' plans, and anything allowed in the place of the own one."""
        free = self.plans.games[place].space(state, self.seat).grid(2)[0]
        return [(free,) * len(self.plans.games) if seat == self.seat else plan for seat, plan in enumerate(self.others)]
