"""What offline models are told beside the words: the fair value, the selfish value, and what the others did last.

A mock cannot read prose. These hints stand under one key of the answer's schema (see `society.models.schema`), are computed from the
rules and the public record, and never leave the process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from society.core.actions import Action, Amount, Division, amount_of
from society.core.exact import Json, Number
from society.core.goals import Goal
from society.core.mechanism import Mechanism, SpaceOf, Transition
from society.core.policy import Happened, Observation
from society.core.seeds import Noise

Hint = dict[str, Json]


class Standard:
    """What the rules call fair and selfish as things stand: worked out once a state, for whoever is asked.

    Args:
        game: the mechanism.
    """

    def __init__(self, game: Mechanism[Any]) -> None:
        self.game = game
        self._moment: tuple[object, int] | None = None
        self._all_fair: Transition[Any] | None = None

    def take(self, state: object, round: int) -> None:
        """Turn to a state and round."""
        if self._moment is not None and self._moment[0] is state and self._moment[1] == round:
            return
        self._moment, self._all_fair = (state, round), None
        now = self.game.initial_state() if state is None else state
        poles = self.game.poles(now)
        share = self.game.share(now)
        self.fair: Action | None = share if share is not None else poles[0] if poles else None
        self.selfish: Action | None = poles[1] if poles else None

    def fair_score(self, goal: Goal, agent: int) -> Number | None:
        """What the agent's goal makes of a round in which all act fairly; None where they cannot."""
        if self._all_fair is None:
            assert self._moment is not None, "`take` comes first"
            state, round_ = self._moment
            now = self.game.initial_state() if state is None else state
            fair, seats = self.fair, range(self.game.agents)
            if fair is None or not all(self.game.space(now, seat).contains(fair) for seat in seats):
                return None
            self._all_fair = self.game.step(now, (fair,) * self.game.agents, Noise(0, round_))
        score: Number = goal.utility(self._all_fair, agent)
        return score


class Hints:
    """The hints for one agent in one situation.

    Args:
        seen: what the agent sees.
        standard: what the rules call fair, or None to hint at nothing but roles.
        goal: what the agent's scores are measured in.
    """

    def __init__(self, seen: Observation, standard: Standard | None, goal: Goal | None) -> None:
        self.seen, self.standard, self.goal = seen, standard, goal
        self.fair: Action | None = None
        self.selfish: Action | None = None
        if standard is not None:
            standard.take(seen.state, seen.round)
            self.fair, self.selfish = standard.fair, standard.selfish
        self.last = next((entry for entry in reversed(seen.history) if isinstance(entry, Happened)), None)

    @property
    def known(self) -> tuple[Hashable, ...]:
        """All that actions and messages are hinted by: equal for equal hints. (In words, since 1 equals 1.0.)"""
        done = self.last.requested if self.last else None
        return (self.seen.agent, self.seen.space, repr((self.fair, self.selfish, done)))

    @cached_property
    def fair_score(self) -> Number | None:
        """The agent's score if all act fairly; None where that means nothing."""
        if self.standard is None or self.goal is None or self.fair is None:
            return None
        return self.standard.fair_score(self.goal, self.seen.agent)

    def action(self, role: str, space: SpaceOf) -> Hint:
        """For the agent's own action, or its intention."""
        hint: Hint = {"role": role}
        hint |= {"share": _plain(self.fair)} if self.fair is not None and space.contains(self.fair) else {}
        if self.selfish is not None and space.contains(self.selfish):
            hint["greedy"] = _plain(self.selfish)
        if isinstance(space, Division):
            hint |= {"total": _plain(space.total), "own": self.seen.agent}
        typical = self._typical()
        if typical is not None:
            hint["last"] = typical
        return hint

    def prediction(self, seat: int, space: SpaceOf) -> Hint:
        """For what one other agent will do."""
        hint: Hint = {"role": "predicted"}
        if isinstance(space, Division):
            hint |= {"total": _plain(space.total), "own": seat}
        if self.fair is not None:
            hint["share"] = _plain(self.fair)
        if self.selfish is not None:
            hint["greedy"] = _plain(self.selfish)
        done = self.last.requested[seat] if self.last else None
        return hint | ({"last": _plain(done)} if done is not None else {})

    def total(self) -> Hint:
        """For what all others will do together."""
        others = len(self.seen.names) - 1
        hint: Hint = {"role": "predicted"}
        for key, value in (("share", self.fair), ("greedy", self.selfish)):
            each = amount_of(value)
            if each is not None:
                hint[key] = _plain(each * others)
        done = [amount_of(action) for action in self._others()]
        if done and all(amount is not None for amount in done):
            hint["last"] = _plain(sum(amount for amount in done if amount is not None))
        return hint

    def probability(self) -> Hint:
        """For the probability of one possible case: it is the only one."""
        return {"role": "predicted", "share": 1, "greedy": 1, "last": 1}

    def score(self, role: str) -> Hint:
        """For a forecast or a wish: the score if all act fairly."""
        return {"role": role} | ({} if self.fair_score is None else {"share": _plain(self.fair_score)})

    def decision(self, space: SpaceOf) -> Hint:
        """For a part of a further decision: offline models punish and reward nobody, unless they are random."""
        return {"role": "decided"} | (
            {"share": _plain(space.low)} if isinstance(space, Amount) and space.intervals else {}
        )

    def message(self) -> Hint:
        """For words to others."""
        return {"role": "message"} | ({"share": _plain(self.fair)} if self.fair is not None else {})

    def _others(self) -> list[Action]:
        done: Sequence[Action | None] = self.last.requested if self.last else ()
        return [action for seat, action in enumerate(done) if seat != self.seen.agent and action is not None]

    def _typical(self) -> Json:
        """The mean of what the others did, or what most of them did."""
        done = self._others()
        amounts = [amount for amount in map(amount_of, done) if amount is not None]
        if done and len(amounts) == len(done):
            mean = Fraction(sum(Fraction(amount) for amount in amounts), len(amounts))
            space = self.seen.space
            near = space.nearest(mean) if isinstance(space, Amount) else mean
            return _plain(mean if near is None else near)
        return _plain(Counter(done).most_common(1)[0][0]) if done else None


def _plain(value: Action | Number) -> Json:
    """As a model would write it: decimals, not ratios."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value
