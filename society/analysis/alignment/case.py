"""One decision and what it is judged by: the questions the chain asks of a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import numpy as np

from society.analysis.alignment.attribution import ORDERS
from society.analysis.alignment.benchmarks import benchmark
from society.analysis.alignment.ceilings import ceiling, floor
from society.analysis.alignment.chains import Mode, Scale
from society.analysis.alignment.replies import best_reply, replies
from society.analysis.alignment.rules import unreplaced
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.actions import Action
from society.core.exact import Number, tidy
from society.core.goals import GroupWelfare
from society.core.mechanism import Bound
from society.core.seeds import Noise

S = TypeVar("S")
Method = Literal["auto", "exact", "sampled", "none"]
WELFARE = Yardstick("welfare", GroupWelfare())


@dataclass(frozen=True)
class Deed:
    """What an agent and the others did.

    Attributes:
        joint: everybody's executed action, as a row of codes.
        legal: the own action after parsing and clamping, before governance; None where it was not told apart.
        announced: what the agent had said in public it would do; None where it said nothing.
        replaced: a rule put another action in the place of the one in `joint`, inside the simulator.
    """

    joint: Codes
    legal: int | None = None
    announced: int | None = None
    replaced: bool = False


@dataclass(frozen=True)
class Settings:
    """How a decomposition is computed.

    Attributes:
        shared: welfare with the horizon of the yardstick, for the cooperative benchmark; None leaves it out.
        attribution, orders: how surprise is attributed; `luck` keys the random orders.
        at_most: joint actions tried one by one before a search; None is the default of the ceilings.
        low: declared lower end of the scale.
        respond: how others react to another own action; None holds them at what they did.
        scaled: whether the scale is worked out, which needs the smallest score of any joint action.
    """

    shared: Yardstick | None = WELFARE
    attribution: Method = "auto"
    orders: int = ORDERS
    luck: Noise = field(default_factory=lambda: Noise(0))
    at_most: int | None = None
    low: Number | None = None
    respond: Callable[[Action], Sequence[Action]] | None = None
    scaled: bool = True


@dataclass(frozen=True)
class Case(Generic[S]):
    """One agent's decision in one round, and what it is judged by."""

    worlds: Worlds[S]
    agent: int
    yardstick: Yardstick
    settings: Settings

    def score(self, row: Codes) -> Number:
        """The score of one joint action."""
        return self.worlds.at(row, self.yardstick, self.agent)

    def against(self, beliefs: tuple[tuple[Number, Codes], ...], own: int) -> Number:
        """The score of one own action against what was predicted."""
        return replies(self.worlds, self.yardstick, self.agent, beliefs, np.array([own]))[0]

    def unreplaced(self, beliefs: tuple[tuple[Number, Codes], ...], own: int) -> Number:
        """The score of one own action against what was predicted, had no rule put another in its place.

        An action that exists only through a rule, such as handing one's decision to somebody, asks for being replaced.
        """
        action = self.worlds.action(self.agent, own)
        free = unreplaced(self.worlds.game, self.worlds.state, self.agent, action)
        if free is self.worlds.game:
            return self.against(beliefs, own)
        worlds = Worlds(free, self.worlds.state, self.worlds.luck)
        coded = []
        for probability, row in beliefs:
            joint = [action if s == self.agent else self.worlds.action(s, int(code)) for s, code in enumerate(row)]
            coded.append((probability, worlds.codes(joint)))
        return replies(worlds, self.yardstick, self.agent, tuple(coded), np.array([worlds.code(self.agent, action)]))[0]

    def after(self, deed: Deed, own: int) -> Number:
        """The score of another own action against what the others did, or would then have done."""
        row = deed.joint.copy()
        row[self.agent] = own
        if self.settings.respond is not None and own != deed.joint[self.agent]:
            action = self.worlds.action(self.agent, own)
            others = list(self.settings.respond(action))
            row = self.worlds.codes([*others[: self.agent], action, *others[self.agent :]])
        return self.score(row)

    @property
    def mode(self) -> Mode:
        """Which horizon the scores have."""
        return "myopic" if self.yardstick.value is None else "continuation"

    def reply(
        self, beliefs: tuple[tuple[Number, Codes], ...], also: tuple[int, ...] = (), *, beside: bool = True
    ) -> tuple[Number, list[int], bool]:
        """The most that an own action can score against what was predicted, the actions that do, and whether that is exact."""
        return best_reply(self.worlds, self.yardstick, self.agent, beliefs, also, beside=beside)

    def top(self) -> Bound:
        """The largest score of any joint action."""
        return ceiling(self.worlds, self.yardstick, self.agent, at_most=self.settings.at_most)

    def bottom(self) -> Bound | None:
        """The smallest one; None where it is not worked out."""
        return floor(self.worlds, self.yardstick, self.agent, at_most=self.settings.at_most)

    def cooperation(self) -> Number | None:
        """C: the score at the cooperative benchmark, where that is known."""
        if self.settings.shared is None:
            return None
        shared = benchmark(self.worlds, self.settings.shared, at_most=self.settings.at_most)
        if shared.profile is None or not shared.exact:
            return None
        return self.score(self.worlds.codes(shared.profile))

    def best_after_all(self, deed: Deed, also: tuple[int, ...]) -> Number:
        """The most the agent could have scored, given what the others did. Never below what it did score."""
        if self.settings.respond is None:
            value, _, _ = self.reply(((1, deed.joint),), also, beside=False)
            return max(value, self.score(deed.joint))
        own = {*self.worlds.grid(self.agent, 1001).tolist(), *also}
        return max(self.after(deed, code) for code in sorted(own))

    def scale(self, top: Number, top_exact: bool) -> Scale | None:
        """How much was at stake."""
        low = self.settings.low
        if low is not None:
            return Scale(tidy(top - low), low, "reference", top_exact)
        if not self.settings.scaled:
            return None
        worst = self.bottom()
        if worst is None:
            return None
        return Scale(tidy(top - worst.value), worst.value, "minimum", top_exact and worst.exact)
