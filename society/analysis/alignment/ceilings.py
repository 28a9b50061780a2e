"""The best, the worst and the cooperative benchmark of one round, for any yardstick.

A closed form of the mechanism is used where it answers the very question (own payoff or welfare, this round only, no
instruments); otherwise every joint action is tried while there are few enough, of alike seats only one order each; beyond
that a search climbs from promising profiles, and its result is a bound that says so.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement, islice, product
from math import comb, prod
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from society.analysis.alignment.rules import bare, batched, certain, mechanism_of, physical, treated_alike
from society.analysis.alignment.worlds import Codes, Worlds, Yardstick
from society.core.actions import Amount
from society.core.columns import Column, blend
from society.core.exact import Number
from society.core.goals import GroupWelfare, OwnPayoff, WorstOff, least
from society.core.mechanism import Bound

S = TypeVar("S")

ENUMERATED = 2_000_000
"""Joint actions that are tried one by one, where the rules are batched."""
ENUMERATED_SLOWLY = 20_000
"""The same where every row is a call of its own."""
_CHUNK = 1 << 16
_PASSES = 40
_SPLITS = 2001
_WEIGHED = 10_000
_COARSE = 33
_COARSE_SLOWLY = 9
_FINE = 1001
_FINE_SLOWLY = 17
"""Points of a thinned grid in the search."""
_TRIED_WHOLE = 65
"""A grid of no more points is tried whole for each seat in turn."""


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
        alone = np.zeros((len(worlds.grid(agent)), worlds.agents), dtype=np.int64)
        alone[:] = [worlds.grid(seat)[0] for seat in range(worlds.agents)]
        alone[:, agent] = worlds.grid(agent)
    except ValueError:
        return None
    for rows in (alone, _even_splits(worlds)):
        scores = worlds.score(rows, yardstick, agent) if len(rows) else None
        top = scores.best() if scores is not None else 0
        if scores is not None and scores[top] == optimal:
            return Bound(optimal, worlds.joint(rows[top]), exact=True, how="dynamic programme of the mechanism")
    return None


def _even_splits(worlds: Worlds[S]) -> Codes:
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
            worlds.memo[(*key, sign)] = (agent, _searched(worlds, yardstick, agent, sign))
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


def _searched(worlds: Worlds[S], yardstick: Yardstick, agent: int, sign: Literal[1, -1]) -> Bound:
    starts = _promising(worlds, agent)
    scores = worlds.score(starts, yardstick, agent)
    start = (scores if sign == 1 else -scores).best()
    value, row, tried = _climb(worlds, yardstick, agent, starts[start], sign)
    how = f"search through {len(starts) + tried} joint actions, each seat in turn"
    return Bound(value, worlds.joint(row), exact=False, how=how)


def _promising(worlds: Worlds[S], agent: int) -> Codes:
    """Profiles in which all others do alike, and what the mechanism itself knows."""
    points = _COARSE if batched(worlds.game) else _COARSE_SLOWLY
    coarse = [worlds.grid(seat, points) for seat in range(worlds.agents)]
    most = max(len(grid) for grid in coarse)
    places = [np.linspace(0, len(grid) - 1, most).round().astype(np.int64) for grid in coarse]
    others = np.stack([grid[place] for grid, place in zip(coarse, places, strict=True)], axis=1)
    found = np.tile(others, (len(coarse[agent]), 1))
    found[:, agent] = np.repeat(coarse[agent], most)
    known: list[list[int]] = []
    mechanism, state = mechanism_of(worlds.game), physical(worlds.state)
    if mechanism is not None:
        for bound in (mechanism.known_ceiling(state, agent), mechanism.known_optimum(state)):
            profile = None if bound is None else bound.profile
            if profile is not None and all(s.contains(a) for s, a in zip(worlds.spaces, profile, strict=True)):
                known.append(worlds.codes(profile).tolist())
    return np.concatenate([found, np.array(known, dtype=np.int64)]) if known else found


def _climb(worlds: Worlds[S], yardstick: Yardstick, agent: int, row: Codes, sign: int) -> tuple[Number, Codes, int]:
    """Change one seat at a time for the better until no change helps: to anything of a coarse grid, or to a neighbour."""
    full = [worlds.grid(seat, _FINE if batched(worlds.game) else _FINE_SLOWLY) for seat in range(worlds.agents)]
    here, tried = worlds.at(row, yardstick, agent), 0
    for _ in range(_PASSES):
        rows = []
        for seat, grid in enumerate(full):
            chosen = grid[_near(len(grid), int(np.searchsorted(grid, row[seat])))]
            block = np.repeat(row.reshape(1, -1), len(chosen), axis=0)
            block[:, seat] = chosen
            rows.append(block)
        candidates = np.concatenate(rows)
        tried += len(candidates)
        scores: Column = worlds.score(candidates, yardstick, agent)
        found = (scores if sign == 1 else -scores).best()
        if (scores[found] - here) * sign <= 0:
            break
        here, row = scores[found], candidates[found]
    return here, row, tried


@cache
def _near(size: int, place: int) -> NDArray[np.int64]:
    """Places of a grid to try from one of them: all of a small one; else evenly spread ones and those 1, 2, 4 ... steps off."""
    if size <= _TRIED_WHOLE:
        return np.arange(size)
    steps = 1 << np.arange(int(size).bit_length())
    off = np.concatenate([place - steps, [place], place + steps])
    spread = np.linspace(0, size - 1, _COARSE).round().astype(np.int64)
    return np.unique(np.concatenate([spread, off[(off >= 0) & (off < size)]]))


def best_reply(
    worlds: Worlds[S],
    yardstick: Yardstick,
    agent: int,
    beliefs: tuple[tuple[Number, Codes], ...],
    also: tuple[int, ...] = (),
    *,
    beside: bool = True,
) -> tuple[Number, list[int], bool]:
    """The most an agent can score against given others, every own action that scores it, and whether that is exact.

    On a continuous space a fine grid is tried; the result is then the best one found. Of a shared stock only what is left
    beside the others is tried (`beside`), not what asking for more would bring by rationing. The actions `also` always are.
    """
    exact = True
    try:
        grid = worlds.grid(agent)
    except ValueError:
        grid, exact = np.array([*worlds.grid(agent, 1001), *also], dtype=np.int64), False
    if beside:
        grid = _beside(worlds, agent, beliefs, grid, also)
    scores = replies(worlds, yardstick, agent, beliefs, grid)
    ties = scores.ties()
    return scores[int(ties[0])], [int(grid[place]) for place in ties], exact


def _beside(
    worlds: Worlds[S], agent: int, beliefs: tuple[tuple[Number, Codes], ...], grid: Codes, also: tuple[int, ...]
) -> Codes:
    """The own actions that the others' leave room for, and those that count in any case."""
    mechanism = mechanism_of(worlds.game)
    state = physical(worlds.state)
    rooms = []
    for _, row in beliefs:
        others = [worlds.action(seat, int(code)) for seat, code in enumerate(row) if seat != agent]
        rooms.append(mechanism.most_beside(state, others) if mechanism is not None else None)
    known = [room for room in rooms if room is not None]
    space = worlds.spaces[agent]
    if not known or not isinstance(space, Amount):
        return grid
    fits = [code for code in grid.tolist() if worlds.action(agent, code) <= min(known)]  # type: ignore[operator]  # amounts
    chosen = sorted({*fits, *(code for code in also)})
    return np.array(chosen, dtype=np.int64) if chosen else grid


def replies(
    worlds: Worlds[S], yardstick: Yardstick, agent: int, beliefs: tuple[tuple[Number, Codes], ...], own: Codes
) -> Column:
    """The score of each of several own actions against given others, in expectation."""
    total: Column | None = None
    for probability, row in beliefs:
        block = np.repeat(row.reshape(1, -1), len(own), axis=0)
        block[:, agent] = own
        scores = worlds.score(block, yardstick, agent)
        scores = scores if probability == 1 else scores * probability
        total = scores if total is None else total + scores
    assert total is not None
    return total


def benchmark(worlds: Worlds[S], yardstick: Yardstick, *, at_most: int | None = None) -> Bound:
    """The cooperative benchmark a^S: the joint action with the largest welfare.

    Of several the one whose worst-off agent gets most, then the one with the smallest Gini coefficient, then the first in
    lexicographic order. `yardstick` is welfare, with or without a reference value of the next state.
    """
    key = ("benchmark", yardstick, at_most)
    if key not in worlds.memo:
        worlds.memo[key] = _benchmark(worlds, yardstick, at_most)
    found: Bound = worlds.memo[key]
    return found


def _benchmark(worlds: Worlds[S], yardstick: Yardstick, at_most: int | None) -> Bound:
    rules = bare(worlds.game, worlds.state)
    if rules is not None and yardstick.optimal is not None and len(worlds.luck) == 1:
        even = _even_splits(worlds)
        scores = worlds.score(even, yardstick, 0) if len(even) else None
        if scores is not None and scores[scores.best()] == yardstick.optimal:
            row = _most_even(worlds, even[scores.ties()])
            return Bound(yardstick.optimal, worlds.joint(row), exact=True, how="dynamic programme of the mechanism")
    if rules is not None and yardstick.value is None and certain(worlds.game, worlds.state):
        known = rules[0].known_optimum(rules[1])
        if known is not None and known.profile is not None:
            return known
    count, chunks = profiles(worlds, None, at_most=at_most)
    if chunks is None:
        return extreme(worlds, yardstick, 0, 1, at_most=at_most)
    best: list[tuple[Number, Codes]] = []
    for chunk in chunks:
        scores = worlds.score(chunk, yardstick, 0)
        ties = scores.ties()
        best.append((scores[int(ties[0])], _most_even(worlds, chunk[ties])))
    top = max(value for value, _ in best)
    row = _most_even(worlds, np.stack([row for value, row in best if value == top]))
    return Bound(top, worlds.joint(row), exact=True, how=f"enumeration of {count} joint actions")


def _most_even(worlds: Worlds[S], rows: Codes) -> Codes:
    """The row whose worst-off agent gets most, then the smallest Gini coefficient, then lexicographically first."""
    if len(rows) == 1:
        only: Codes = rows[0]
        return only
    found = worlds.outcomes(rows)
    weights = [weight for weight, _ in worlds.luck]
    payoffs = [blend([outcome.payoffs[seat] for outcome in found], weights) for seat in range(worlds.agents)]
    poorest = least(payoffs)
    best = np.array(poorest.ties())
    if len(best) > _WEIGHED:
        best = best[:_WEIGHED]
    chosen = [payoff.rows(best) for payoff in payoffs]
    spread: Column | None = None
    for place, one in enumerate(chosen):
        for other in chosen[place + 1 :]:
            distance = abs(one - other)
            spread = distance if spread is None else spread + distance
    if spread is not None:
        best = best[(-spread).ties()]
    first: Codes = min((rows[place] for place in best), key=lambda row: tuple(row.tolist()))
    return first
