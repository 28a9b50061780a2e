"""What offline models are told beside the words: the fair value, the selfish value, and what the others did last.

A mock cannot read prose. The schema of an answer says what each value in it is *of*, and the mock asks for what it goes by: hints are
computed from the rules and the public record, and never leave the process. Other models never ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import Any

from society.agents.citizenship import civil_moves, civil_term
from society.core.actions import Action, Amount, amount_of, as_written
from society.core.calls import Wish
from society.core.exact import Json, Number
from society.core.goals import Goal
from society.core.mechanism import Mechanism, Transition
from society.core.moves import Move, Offer, move_to_plain
from society.core.policy import Happened, Observation
from society.core.seeds import Noise
from society.governance.institution import GovernedState
from society.governance.negotiation import offer_for


class Standard:
    """What the rules call fair and selfish as things stand: worked out once a state, for whoever is asked.

    Args:
        game: the mechanism.
    """

    def __init__(self, game: Mechanism[Any]) -> None:
        self.game = game
        self._moment: tuple[object, int] | None = None
        self._all_fair: Transition[Any] | None = None
        self._scores: dict[int, tuple[Goal, Number | None]] = {}

    def take(self, state: object, round: int) -> None:
        """Turn to a state and round."""
        if self._moment is not None and self._moment[0] is state and self._moment[1] == round:
            return
        self._moment, self._all_fair = (state, round), None
        self._scores.clear()
        now = self.game.initial_state() if state is None else state
        poles = self.game.poles(now)
        share = self.game.share(now)
        self.fair: Action | None = share if share is not None else poles[0] if poles else None
        self.selfish: Action | None = poles[1] if poles else None

    def fair_score(self, goal: Goal, agent: int) -> Number | None:
        """What the agent's goal makes of a round in which all act fairly; None where they cannot."""
        of, score = self._scores.get(agent, (None, None))
        if of is not goal:
            score = self._fair_score(goal, agent)
            self._scores[agent] = (goal, score)
        return score

    def _fair_score(self, goal: Goal, agent: int) -> Number | None:
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
    """The hints for one agent in one situation; nothing is worked out before somebody asks.

    Args:
        seen: what the agent sees.
        standard: what the rules call fair, or None to hint at nothing.
        goal: what the agent's scores are measured in.
        offers: the moves of negotiation that exist for it in this turn.
    """

    def __init__(
        self, seen: Observation, standard: Standard | None, goal: Goal | None, offers: Sequence[Offer] = ()
    ) -> None:
        self.seen, self.standard, self.goal, self.offers = seen, standard, goal, offers

    @property
    def known(self) -> Hashable:
        """All that the hints follow from. (In words, since 1 equals 1.0.)"""
        latest = self._latest
        done = None if latest is None else latest.requested
        moves = self._moves if self.offers else ()
        return (self.seen.agent, self.seen.space, repr((*self._poles, done, self._fair_score, moves)))

    def value(self, of: str, wish: Wish) -> Json:
        """The fair, the selfish or the last value: of the agent's ``own`` action, of the ``total`` of all others, of a ``score``, of a
        ``message``, of the ``moves`` of negotiation, or of the agent in a seat, given by its number.
        """
        if of == "moves":
            return self._moves if wish == "share" else [] if wish == "greedy" else None
        match wish:
            case "share":
                return as_written(self._share(of))
            case "greedy":
                return as_written(self._greedy(of))
            case "last":
                return as_written(self._last(of))

    def _share(self, of: str) -> Action | None:
        if of == "score":
            return self._fair_score
        fair = self._poles[0]
        if of == "total":
            return self._of_all_others(fair)
        return fair if of != "own" or (fair is not None and self.seen.space.contains(fair)) else None

    def _greedy(self, of: str) -> Action | None:
        selfish = self._poles[1]
        if of == "total":
            return self._of_all_others(selfish)
        return selfish if of != "own" or (selfish is not None and self.seen.space.contains(selfish)) else None

    def _last(self, of: str) -> Action | None:
        done = self._latest.requested if self._latest else ()
        if of == "own":
            return self._typical()
        if of == "total":
            amounts = [amount_of(action) for action in self._others()]
            known = [amount for amount in amounts if amount is not None]
            return sum(known) if known and len(known) == len(amounts) else None
        return done[int(of)] if of.isdecimal() and done else None

    def _of_all_others(self, action: Action | None) -> Number | None:
        each = amount_of(action)
        return None if each is None else each * (len(self.seen.names) - 1)

    @property
    def _poles(self) -> tuple[Action | None, Action | None]:
        """The fair and the selfish action."""
        if self.standard is None:
            return (None, None)
        self.standard.take(self.seen.state, self.seen.round)
        return (self.standard.fair, self.standard.selfish)

    @property
    def _fair_score(self) -> Number | None:
        """The agent's score if all act fairly; None where that means nothing."""
        if self.standard is None or self.goal is None or self._poles[0] is None:
            return None
        return self.standard.fair_score(self.goal, self.seen.agent)

    @property
    def _latest(self) -> Happened | None:
        """The result of the last round."""
        return next((entry for entry in reversed(self.seen.history) if isinstance(entry, Happened)), None)

    @property
    def _moves(self) -> list[Json]:
        """The moves of negotiation that a citizen makes now."""
        state = self.seen.standing if isinstance(self.seen.standing, GovernedState) else None
        fair = self._poles[0]
        made = civil_moves(self.offers, self.seen.agent, state, lambda name, space: civil_term(name, space, fair))
        return [self._stated(move) for move in made]

    def _stated(self, move: Move) -> Json:
        offer = offer_for(self.offers, move)
        return move_to_plain(move, self.seen.names, quorum=offer is not None and offer.quorum)

    def _others(self) -> list[Action]:
        done: Sequence[Action | None] = self._latest.requested if self._latest else ()
        return [action for seat, action in enumerate(done) if seat != self.seen.agent and action is not None]

    def _typical(self) -> Action | None:
        """The mean of what the others did, or what most of them did."""
        done = self._others()
        amounts = [amount for amount in map(amount_of, done) if amount is not None]
        if done and len(amounts) == len(done):
            mean = Fraction(sum(Fraction(amount) for amount in amounts), len(amounts))
            space = self.seen.space
            near = space.nearest(mean) if isinstance(space, Amount) else mean
            return mean if near is None else near
        return Counter(done).most_common(1)[0][0] if done else None
