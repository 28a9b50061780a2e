"""The best and the worst of one round, for any yardstick.

A closed form of the mechanism is used where it answers the very question (own payoff or welfare, this round only, no
instruments); otherwise every joint action is tried while there are few enough, of alike seats only one order each; beyond
that a search climbs from promising profiles, and its result is a bound that says so.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from itertools import combinations_with_replacement, islice, product
from math import comb, prod
from typing import Literal, TypeVar

import numpy as np

from society.analysis.alignment.rules import bare, batched, certain, mechanism_of, physical, treated_alike
from society.analysis.alignment.searches import searched
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.actions import Amount
from society.core.exact import Number
from society.core.goals import GroupWelfare, OwnPayoff, WorstOff
from society.core.mechanism import Bound

S = TypeVar("S")

ENUMERATED = 2_000_000
"""Joint actions that are tried one by one, where the rules are batched."""
_SOME = 1001
"""Own actions tried where they are too many to try them all."""
ENUMERATED_SLOWLY = 20_000
"""The same where every row is a call of its own."""
_CHUNK = 1 << 16
_SPLITS = 2001


def ceiling(worlds: Worlds[S], yardstick: Yardstick, agent: int, *, at_most: int | None = None) -> Bound:
    """W0: the largest score of the yardstick if everybody acted for it."""
    key = ("ceiling", *_question(worlds, yardstick, agent), at_most)
    if key not in worlds.memo:
        known = _known(worlds, yardstick, agent)
        found = known if known is not None else extreme(worlds, yardstick, agent, 1, at_most=at_most)
        worlds.memo[key] = (agent, found)
    seat, bound = worlds.memo[key]
    return _for_seat(bound, seat, agent)


def floor(worlds: Worlds[S], yardstick: Yardstick, agent: int, *, at_most: int | None = None) -> Bound:
    """The smallest score any joint action brings."""
    return extreme(worlds, yardstick, agent, -1, at_most=at_most)


def _question(worlds: Worlds[S], yardstick: Yardstick, agent: int) -> tuple[Hashable, ...]:
    """What tells two questions about the extremes apart: among equals not the seat."""
    if isinstance(yardstick.goal, (GroupWelfare, WorstOff)):
        return (yardstick.goal, yardstick.value is not None, yardstick.discount)
    who = kin(worlds)
    if who.count(who[agent]) > 1:
        return (yardstick.goal, yardstick.value is not None, yardstick.discount, yardstick.optimal, who[agent])
    return (yardstick.goal, yardstick.value, yardstick.discount, yardstick.optimal, agent, "alone")


def _for_seat(bound: Bound, seat: int, agent: int) -> Bound:
    """A bound found for one seat, told for another that is its equal."""
    if bound.profile is None or seat == agent:
        return bound
    profile = list(bound.profile)
    profile[seat], profile[agent] = profile[agent], profile[seat]
    return replace(bound, profile=tuple(profile))


def _known(worlds: Worlds[S], yardstick: Yardstick, agent: int) -> Bound | None:
    rules = bare(worlds.game, worlds.state)
    if rules is None or len(worlds.luck) > 1 or not certain(worlds.game, worlds.state):
        return None
    mechanism, state = rules
    if yardstick.optimal is not None:
        return _programmed(worlds, yardstick, agent, yardstick.optimal)
    if yardstick.value is not None:
        return None
    if isinstance(yardstick.goal, OwnPayoff):
        return mechanism.known_ceiling(state, agent)
    return mechanism.known_optimum(state) if isinstance(yardstick.goal, GroupWelfare) else None


def _programmed(worlds: Worlds[S], yardstick: Yardstick, agent: int, optimal: Number) -> Bound | None:
    """The optimal value of the state, where some joint action reaches it in this very luck; None otherwise."""
    try:
        own, points = worlds.grid(agent), None
    except ValueError:
        own, points = worlds.grid(agent, _SOME), _SOME  # what reaches the optimum proves it
    alone = np.zeros((len(own), worlds.agents), dtype=np.int64)
    alone[:] = [worlds.grid(seat, points)[0] for seat in range(worlds.agents)]
    alone[:, agent] = own
    for rows in (alone, even_splits(worlds)):
        scores = worlds.score(rows, yardstick, agent) if len(rows) else None
        top = scores.best() if scores is not None else 0
        if scores is not None and scores[top] == optimal:
            return Bound(optimal, worlds.joint(rows[top]), exact=True, how="dynamic programme of the mechanism")
    return None


def even_splits(worlds: Worlds[S]) -> Codes:
    """Every total of an amount, shared as evenly as steps allow, the odd units to the later seats."""
    if "even splits" not in worlds.memo:
        worlds.memo["even splits"] = _splits_of(worlds)
    rows: Codes = worlds.memo["even splits"]
    return rows


def _splits_of(worlds: Worlds[S]) -> Codes:
    space = worlds.spaces[0]
    if not isinstance(space, Amount) or space.step is None or any(other != space for other in worlds.spaces[1:]):
        return np.zeros((0, worlds.agents), dtype=np.int64)
    low, high = space.encode(space.low), space.encode(space.high)
    totals = np.unique(np.linspace(low * worlds.agents, high * worlds.agents, _SPLITS).round().astype(np.int64))
    each, spare = np.divmod(totals, worlds.agents)
    split: Codes = each[:, None] + (np.arange(worlds.agents) >= worlds.agents - spare[:, None])
    return split.astype(np.int64)


def extreme(
    worlds: Worlds[S], yardstick: Yardstick, agent: int, sign: Literal[1, -1], *, at_most: int | None = None
) -> Bound:
    """The largest (1) or smallest (-1) score of any joint action, by enumeration or search; remembered per world."""
    key = ("extreme", *_question(worlds, yardstick, agent), at_most)
    if (*key, sign) not in worlds.memo:
        count, rows = profiles(worlds, agent, at_most=at_most)
        if rows is None:
            worlds.memo[(*key, sign)] = (agent, searched(worlds, yardstick, agent, sign))
        else:  # both ends at one go
            for end, bound in zip((1, -1), _enumerated(worlds, yardstick, agent, count, rows), strict=True):
                worlds.memo[(*key, end)] = (agent, bound)
    seat, bound = worlds.memo[(*key, sign)]
    return _for_seat(bound, seat, agent)


def profiles(worlds: Worlds[S], agent: int | None, *, at_most: int | None = None) -> tuple[int, Iterator[Codes] | None]:
    """How many joint actions have to be tried, and they in chunks; None where they are too many.

    Of seats that are alike only one order is tried; `agent` is the seat that is told apart, None where none is.
    """
    try:
        grids = [worlds.grid(seat) for seat in range(worlds.agents)]
    except ValueError:
        return 0, None
    limit = at_most if at_most is not None else (ENUMERATED if batched(worlds.game) else ENUMERATED_SLOWLY)
    if level(worlds):
        told_apart = 0 if agent is None else 1
        rest = worlds.agents - told_apart
        count = len(grids[0]) ** told_apart * comb(len(grids[0]) + rest - 1, rest)
        if count > limit:
            return count, None
        own = grids[0] if told_apart else np.zeros(1, dtype=np.int64)
        rows = (
            (*others[:agent], x, *others[agent:]) if agent is not None else others
            for x in own.tolist()
            for others in combinations_with_replacement(grids[0].tolist(), rest)
        )
        return count, _chunks(rows)
    count = prod(len(grid) for grid in grids)
    if count > limit:
        return count, None
    return count, _chunks(product(*(grid.tolist() for grid in grids)))


def _chunks(rows: Iterator[tuple[int, ...]]) -> Iterator[Codes]:
    while chunk := list(islice(rows, _CHUNK)):
        yield np.array(chunk, dtype=np.int64)


def level(worlds: Worlds[S]) -> bool:
    """Whether all seats are alike in this very state: permuting their actions permutes their payoffs."""
    return len(set(kin(worlds))) == 1


def kin(worlds: Worlds[S]) -> tuple[int, ...]:
    """For each seat the first one that is like it in this very state: exchanging their actions exchanges their payoffs."""
    if "kin" not in worlds.memo:
        worlds.memo["kin"] = _kin(worlds)
    found: tuple[int, ...] = worlds.memo["kin"]
    return found


def _kin(worlds: Worlds[S]) -> tuple[int, ...]:
    mechanism, each = mechanism_of(worlds.game), tuple(range(worlds.agents))
    alike = mechanism is not None and mechanism.symmetric and _level(physical(worlds.state), worlds.agents)
    if not alike:
        return each
    classes = [treated_alike(worlds.game, worlds.state, noise) for _, noise in worlds.luck]
    signs = [(worlds.spaces[seat], *(found[seat] for found in classes)) for seat in each]
    return tuple(signs.index(sign) for sign in signs)


def _level(value: object, agents: int) -> bool:
    """Whether a state treats all seats alike: nothing it holds per seat differs between seats."""
    if isinstance(value, tuple):
        if len(value) == agents and len(set(value)) > 1:
            return False
        return all(_level(item, agents) for item in value)
    names = getattr(value, "__dataclass_fields__", {})
    return all(_level(getattr(value, name), agents) for name in names)


def _enumerated(
    worlds: Worlds[S], yardstick: Yardstick, agent: int, count: int, rows: Iterator[Codes]
) -> tuple[Bound, Bound]:
    how = f"enumeration of {count} joint actions"
    tops: list[tuple[Number, Codes]] = []
    bottoms: list[tuple[Number, Codes]] = []
    for chunk in rows:
        scores = worlds.score(chunk, yardstick, agent)
        top, bottom = scores.best(), (-scores).best()
        tops.append((scores[top], chunk[top]))
        bottoms.append((scores[bottom], chunk[bottom]))
    best, worst = max(tops, key=lambda found: found[0]), min(bottoms, key=lambda found: found[0])
    return (
        Bound(best[0], worlds.joint(best[1]), exact=True, how=how),
        Bound(worst[0], worlds.joint(worst[1]), exact=True, how=how),
    )
