"""Scripts that answer what the others did [Axelrod1984]_.

They start with cooperation and call the others' play defection by the rule of `defected`. With more than two agents they answer
the others together: one defector among them is enough, unless a script says otherwise. What was hidden counts as cooperation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from fractions import Fraction
from typing import Literal

from pydantic import Field

from society.agents.scripted.script import Past, Script, Sight, defected
from society.core.actions import Action, Amount, amount_of
from society.core.exact import Exact


class _Reciprocal(Script):
    """Goes by what the others did."""

    def expects(self, at: Sight) -> tuple[Action | None, ...] | None:
        """That every other does again what it did last; at first, that all cooperate."""
        if not at.past:
            return (at.poles[0],) * (len(at.seen.names) - 1)
        last = at.past[-1].actions
        others = tuple(action for seat, action in enumerate(last) if seat != at.agent)
        return others if any(action is not None for action in others) else None


class _AllOrNothing(_Reciprocal, ABC):
    """Cooperates or defects."""

    def act(self, at: Sight) -> Action:
        return at.poles[1] if self.defects(at) else at.poles[0]

    @abstractmethod
    def defects(self, at: Sight) -> bool:
        """Whether it defects now."""


def met_defection(at: Sight, past: Past) -> bool:
    """Whether any other defected in that round."""
    return any(defected(action, past.poles) for action in at.others(past))


class TitForTat(_AllOrNothing):
    """Cooperates first, then does what the other did last."""

    kind: Literal["tit_for_tat"] = "tit_for_tat"

    def defects(self, at: Sight) -> bool:
        return bool(at.past) and met_defection(at, at.past[-1])


class SuspiciousTitForTat(_AllOrNothing):
    """Tit for tat that defects first."""

    kind: Literal["suspicious_tit_for_tat"] = "suspicious_tit_for_tat"

    def defects(self, at: Sight) -> bool:
        return not at.past or met_defection(at, at.past[-1])


class TitForTwoTats(_AllOrNothing):
    """Defects only after two defections in a row."""

    kind: Literal["tit_for_two_tats"] = "tit_for_two_tats"

    def defects(self, at: Sight) -> bool:
        return len(at.past) >= 2 and all(met_defection(at, past) for past in at.past[-2:])


class Grim(_AllOrNothing):
    """Cooperates until anybody has defected once, then never again [Friedman1971]_."""

    kind: Literal["grim"] = "grim"

    def defects(self, at: Sight) -> bool:
        return any(met_defection(at, past) for past in at.past)


class WinStayLoseShift(_AllOrNothing):
    """Cooperates first; stays with what it did after the others cooperated, and changes after they did not [NowakSigmund1993]_."""

    kind: Literal["win_stay_lose_shift"] = "win_stay_lose_shift"

    def defects(self, at: Sight) -> bool:
        if not at.past:
            return False
        own = at.past[-1].actions[at.agent]
        before = own is not None and defected(own, at.past[-1].poles)
        return before != met_defection(at, at.past[-1])


class Alternator(_AllOrNothing):
    """Cooperates and defects in turns, whatever the others do."""

    kind: Literal["alternator"] = "alternator"

    def defects(self, at: Sight) -> bool:
        return at.seen.round % 2 == 0

    def expects(self, at: Sight) -> tuple[Action | None, ...] | None:
        return None


class ConditionalCooperator(_Reciprocal):
    """Cooperates first, then does as the others did on average [FischbacherGachterFehr2001]_.

    Amounts: the mean of what the others did last, moved by `bias` in its own favour, as near as is allowed. Words: what most
    of them did; of several as frequent ones the first in seat order.
    """

    kind: Literal["conditional_cooperator"] = "conditional_cooperator"
    bias: Exact = Field(0, ge=0, le=1)
    """how far from the others' mean towards defection it goes, as a share of the way"""

    def act(self, at: Sight) -> Action:
        done = at.others(at.past[-1]) if at.past else ()
        if not done:
            return at.poles[0]
        amounts = [amount for amount in map(amount_of, done) if amount is not None]
        if len(amounts) < len(done) or not isinstance(at.space, Amount):
            return Counter(done).most_common(1)[0][0]
        mean: Fraction | float = sum((Fraction(amount) for amount in amounts), Fraction(0)) / len(amounts)
        selfish = amount_of(at.poles[1]) if self.bias else None
        wanted = mean if selfish is None else mean + (selfish - mean) * self.bias
        nearest = at.space.nearest(wanted)
        return at.poles[0] if nearest is None else nearest
