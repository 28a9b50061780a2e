"""What situation a group was in, and what kind of a broken word a broken word was.

The named situations, by how large surprise, regret and welfare loss are against what was at stake:

    surprise   largest regret   welfare loss   name
    small      small            small          aligned
    small      small            large          equilibrium trap: nobody was surprised, nobody could do better alone
    large      small            large          broken expectations: each reply was fine for what it expected
    small      large            large          knowing self-sacrifice or incompetence: compare planning under both yardsticks
    large      large            any            miscoordination: somebody could have done better alone
    otherwise                   small          no collective problem
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from society.core.actions import Action
from society.core.exact import Number, tidy

Situation = Literal[
    "aligned",
    "equilibrium trap",
    "broken expectations",
    "knowing self-sacrifice or incompetence",
    "miscoordination",
    "no collective problem",
    "undetermined",
]
SMALL = Fraction(1, 20)
"""Up to this share of what was at stake a number counts as small."""


@dataclass(frozen=True)
class Diagnosis:
    """The situation of a group, and the three numbers it follows from.

    Attributes:
        situation: its name; undetermined where surprise is unknown and would decide, or nothing was at stake.
        surprise: the largest |surprise| of any agent, over its scale; None where some agent predicted nothing.
        regret: the largest regret of any agent, over its scale.
        loss: the welfare loss over its scale.
        small: the share up to which a number counted as small.
    """

    situation: Situation
    surprise: Number | None
    regret: Number | None
    loss: Number | None
    small: Number = SMALL


def diagnose(
    surprise: Number | None, regret: Number | None, loss: Number | None, *, small: Number = SMALL
) -> Diagnosis:
    """The situation, from numbers that are shares of what was at stake."""
    return Diagnosis(_situation(surprise, regret, loss, small), surprise, regret, loss, small)


def _situation(surprise: Number | None, regret: Number | None, loss: Number | None, small: Number) -> Situation:
    if regret is None or loss is None:
        return "undetermined"
    harmless = loss <= small
    if surprise is None:
        return "no collective problem" if harmless and regret <= small else "undetermined"
    surprised, regretting = max(surprise, -surprise) > small, regret > small
    table: dict[tuple[bool, bool, bool], Situation] = {
        (False, False, True): "aligned",
        (False, False, False): "equilibrium trap",
        (True, False, False): "broken expectations",
        (False, True, False): "knowing self-sacrifice or incompetence",
        (True, True, False): "miscoordination",
        (True, True, True): "miscoordination",
    }
    return table.get((surprised, regretting, harmless), "no collective problem")


@dataclass(frozen=True)
class GroupGap:
    """The gaps of all agents together, under own payoff.

    Attributes:
        conflict: sum of the agents' ceilings minus the best welfare: what cannot be had by all at once.
        loss: the best welfare minus the realised one: what coordination would have brought.
        exact: all ceilings are known.
    """

    conflict: Number
    loss: Number
    exact: bool

    @property
    def total(self) -> Number:
        """Sum over agents of ceiling minus payoff."""
        return tidy(self.conflict + self.loss)


DeviationKind = Literal["win-win", "selfish", "altruistic", "sabotaging", "neutral"]


@dataclass(frozen=True)
class Deviation:
    """What it changed that an agent did not do what it had said in public, the others doing what they had said.

    Attributes:
        own_gain: change of its own payoff.
        welfare_change: change of the sum of payoffs.
        kind: by the signs of the two [Shi2026]_: win-win (+,+), selfish (+,-), altruistic (-,+), sabotaging (-,-);
            neutral where one of them is 0.
        all_announced: every other agent had announced an action; those who had not are held at what they did.
        reference: how the rounds that follow are valued; none where only this one counts.
    """

    own_gain: Number
    welfare_change: Number
    kind: DeviationKind
    all_announced: bool
    reference: str = "none"


def deviation(
    own_gain: Number, welfare_change: Number, *, all_announced: bool = True, reference: str = "none"
) -> Deviation:
    """Class a deviation from a public word."""
    kinds: dict[tuple[bool, bool], DeviationKind] = {
        (True, True): "win-win",
        (True, False): "selfish",
        (False, True): "altruistic",
        (False, False): "sabotaging",
    }
    kind = kinds[own_gain > 0, welfare_change > 0] if own_gain and welfare_change else "neutral"
    return Deviation(tidy(own_gain), tidy(welfare_change), kind, all_announced, reference)


@dataclass(frozen=True)
class PublicWord:
    """Said in public, meant in private, done: one decision of an agent that had announced an action to everybody.

    Attributes:
        announced: its last public announcement before acting.
        intended: what it declared in private; None where it declared nothing.
        done: what it did, within hard limits and before governance.
        deviation: what doing something else than announced changed; None where it kept its word.
    """

    announced: Action
    intended: Action | None
    done: Action
    deviation: Deviation | None

    @property
    def kept(self) -> bool:
        """It did what it had announced."""
        return self.deviation is None

    @property
    def meant(self) -> bool | None:
        """Its private plan was what it had announced; None where it declared no plan."""
        return None if self.intended is None else self.intended == self.announced


@dataclass(frozen=True)
class WordCount:
    """How often an agent announced an action to everybody, and what became of it.

    Attributes:
        announced: in how many rounds.
        meant: in how many of them its private plan was what it had announced; None where it declared no plans.
        kept: in how many it did what it had announced.
        kinds: how often breaking it was of each kind.
        own_gain, welfare_change: what breaking it changed, summed.
    """

    announced: int
    meant: int | None
    kept: int
    kinds: tuple[tuple[DeviationKind, int], ...]
    own_gain: Number
    welfare_change: Number


def counted(words: Sequence[PublicWord]) -> WordCount:
    """The public words of an agent, counted."""
    broken = [word.deviation for word in words if word.deviation is not None]
    planned = [word.meant for word in words if word.meant is not None]
    return WordCount(
        announced=len(words),
        meant=sum(planned) if planned else None,
        kept=sum(word.kept for word in words),
        kinds=tuple(sorted(Counter(one.kind for one in broken).items())),
        own_gain=tidy(sum(one.own_gain for one in broken)),
        welfare_change=tidy(sum(one.welfare_change for one in broken)),
    )
