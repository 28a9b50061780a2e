"""What everybody does in many joint actions at once, and what an instrument may look at once they are played.

Thousands of joint actions are made of few different actions. Each pair of a seat and an action is numbered once per state;
a joint action is a row of numbers, and whatever follows from one agent's own action (a charge, a breach) is worked out once
per pair and then looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from society.core.actions import Action
from society.core.arrays import NDArray, np
from society.core.columns import Column
from society.core.exact import Number

if TYPE_CHECKING:
    from society.core.instrument import Breach

Mask: TypeAlias = "NDArray[np.bool_]"
"""Which seats in which rows: shape (rows, seats)."""
Places: TypeAlias = "NDArray[np.intp]"
"""Numbers of pairs: shape (rows, seats)."""


@dataclass(slots=True)
class Answers:
    """What is known of one question about pairs, by their numbers; 0 where nobody has asked yet."""

    values: list[Number] = field(default_factory=list)
    asked: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    column: Column = field(default_factory=lambda: Column.of([0]))


@dataclass(slots=True)
class Register:
    """The pairs of a seat and an action met so far in one state, and what is known of them."""

    pairs: list[tuple[int, Action]] = field(default_factory=list)
    _places: dict[tuple[int, Action], int] = field(default_factory=dict)
    _answers: dict[Hashable, Answers] = field(default_factory=dict)

    def place(self, seat: int, action: Action) -> int:
        """The number of a pair."""
        found = self._places.setdefault((seat, action), len(self.pairs))
        if found == len(self.pairs):
            self.pairs.append((seat, action))
        return found

    def answers(self, question: Hashable, function: Callable[[int, Action], Number], about: Places) -> Column:
        """What a function says of these pairs, by number; each is asked about once."""
        known = self._answers.setdefault(question, Answers())
        more = int(about[-1]) + 1 - len(known.values) if len(about) else 0
        if more > 0:
            known.values.extend([0] * more)
            known.asked = np.concatenate([known.asked, np.zeros(more, dtype=np.bool_)])
        new = about[~known.asked[about]].tolist()
        if new:
            for place in new:
                known.values[place] = function(*self.pairs[place])
            known.asked[new] = True
            known.column = Column.of(known.values)
        return known.column


@dataclass(slots=True)
class Known:
    """What has been worked out of one state for many joint actions at once.

    Attributes:
        register: the pairs of a seat and an action.
        lookups: by seat, the pair of each code; -1 where nobody has asked yet.
        breaches: by rule and pair, how an action breaks a rule.
        kin: for each seat the first one that the rules treat alike; None before anybody has asked.
    """

    register: Register = field(default_factory=Register)
    lookups: dict[int, Places] = field(default_factory=dict)
    breaches: dict[tuple[int, int, Action], tuple[Breach, ...]] = field(default_factory=dict)
    kin: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Acts:
    """One action of every seat, row by row.

    Attributes:
        register: numbers the pairs.
        places: the pair of each seat in each row.
    """

    register: Register
    places: Places

    @cached_property
    def used(self) -> Places:
        """The numbers of the pairs that occur, ascending."""
        occurs = np.zeros(len(self.register.pairs), dtype=np.bool_)
        occurs[self.places.ravel()] = True
        return np.flatnonzero(occurs)

    def each(self, question: Hashable, function: Callable[[int, Action], Number]) -> Column:
        """A number that follows from each agent's own action, in the shape (rows, seats).

        Args:
            question: tells it apart from everything else that is asked in this state: the rule's id, and a word.
            function: the number for a seat and its action.
        """
        found = self.register.answers(question, function, self.used)
        assert isinstance(found.den, int), "numbers that are worked out one by one have one denominator"
        return Column(found.num[self.places], found.den)

    def where(self, question: Hashable, function: Callable[[int, Action], bool]) -> Mask:
        """Who in which row does what the function asks about."""
        return np.asarray(self.each(question, lambda seat, action: int(function(seat, action))).num, dtype=np.bool_)

    def replaced(self, where: Mask, actions: Mapping[int, Action]) -> Acts:
        """The same with another action, by seat, where the mask holds."""
        touched = where.any(axis=0)
        instead = np.zeros(self.places.shape[1], dtype=np.intp)
        instead[touched] = [self.register.place(seat, actions[seat]) for seat in np.flatnonzero(touched).tolist()]
        return Acts(self.register, np.where(where, instead, self.places))


@dataclass(frozen=True, slots=True)
class PlayedBatch:
    """`Played` for many joint actions at once: what a hook may look at once everybody acted, row by row.

    Attributes:
        legal, executed: the actions after hard limits, and those the mechanism was played with.
        granted: what each was given of a short stock, shape (rows, seats); None where nothing is requested.
        balances: payoffs as they stand when it is this rule's turn to pay, shape (rows, seats).
        breaches: how an agent's action breaks this rule, with detection and execution drawn.
        broken: the same for every rule, by its id.
        decisions, replies: what was decided under this rule in the second stage, and in answer to that, by seat.
    """

    legal: Acts
    executed: Acts
    granted: Column | None
    balances: Column
    breaches: Callable[[int, Action], tuple[Breach, ...]]
    broken: Mapping[str, Callable[[int, Action], tuple[Breach, ...]]]
    decisions: Mapping[int, Mapping[str, Action]]
    replies: Mapping[int, Mapping[str, Action]]

    def seats(self, seats: tuple[int, ...]) -> Mask:
        """Some seats as a mask that fits every row."""
        mask = np.zeros((1, self.executed.places.shape[1]), dtype=np.bool_)
        mask[0, list(seats)] = True
        return mask

    def nothing(self) -> Column:
        """0 for every seat in every row."""
        return Column(np.zeros(self.executed.places.shape, dtype=np.int64))
