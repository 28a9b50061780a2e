"""The coalitions of one run by four notions, side by side: declared, communicated, acted out, effective; and power.

Where they disagree is a finding: an agreement without effect, an effect without agreement.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from society.analysis.comovement import CoMovement, co_movement
from society.analysis.conduct import gifts_of, messages_of, quantities_of, sanctions_of, states_of, votes_of
from society.analysis.effects import Outsiders
from society.analysis.episode_effects import EpisodeEffect, Rerun, frames_of, small_enough
from society.analysis.favours import CollusionTable, collusion_table, favouritism
from society.analysis.power_moves import PowerAt, Seized, Standing, power_over_rounds, resource_concentration, standings
from society.analysis.talking import Channels, private_channels
from society.core.exact import Number, tidy
from society.episode import Episode

LEVEL = 0.05
"""The promised rate of false alarms of each family of tests."""
EVERY_GROUP = 8
"""Up to how many agents every group's effect is looked at by default; above, pairs and groups found otherwise."""
MOST = 12
"""Up to how many agents every group's effect can be asked for: 4,083 groups."""

Group = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """An agreement that was in force.

    Attributes:
        id: its number.
        members: who was in it.
        first, last: the first and the last round with just these members.
        effect: what it came to from its first round on, beside its members going on as they did before; None where it was in
            force from the first round, or where that cannot be played.
    """

    id: str
    members: Group
    first: int
    last: int
    effect: EpisodeEffect | None = None


FavourKind = Literal["gifts", "votes", "sanctions spared"]


@dataclass(frozen=True, slots=True)
class Favours:
    """Who favours whom in one kind of targeted acts. Several kinds share the promised rate of false alarms equally."""

    kind: FavourKind
    test: CoMovement


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where two notions do not meet."""

    kind: Literal["declared without effect", "effective but undeclared", "acting together undeclared", "talking apart"]
    members: Group


@dataclass(frozen=True, slots=True)
class Coalitions:
    """What is known of the coalitions of one run.

    Attributes:
        names: the agents in seat order.
        declared: agreements in force, and what each came to.
        communicated: private channels.
        behavioural: co-movement beyond the state, with its rate of false alarms.
        favours: mutual favours, by kind of act; empty where nobody did anything to anybody by name.
        collusion: what each agent's choices did to each other one; None where it cannot be computed.
        sanctions: how much each agent (row) laid on each other one.
        sanctions_effect: what that came to for those who laid them, beside the same rounds without; None without sanctions.
        effective: the effect of groups over the episode, the most gainful for its members first; None likewise.
        effective_note: which groups were looked at, or why none.
        alone: what each agent would have gained by replying for itself in every round while all others did what they did: a
            member for whom that is more than nothing has a reason to leave. None likewise.
        disagreements: where the notions do not meet.
        power: power by round and rule, for rules that are voted on.
        seizures: seizures of power, who carried them, and what they brought.
        standings: what each agent had to do with the rules, and what it holds.
        resources_hhi: the concentration of all payoffs; None where some are losses.
        shared: of a fork, how many rounds were before it, which are not looked at; 0 of any other run.
    """

    names: tuple[str, ...]
    declared: tuple[Declared, ...]
    communicated: Channels
    behavioural: CoMovement
    favours: tuple[Favours, ...]
    collusion: CollusionTable | None
    sanctions: tuple[tuple[float, ...], ...]
    sanctions_effect: EpisodeEffect | None
    effective: tuple[EpisodeEffect, ...] | None
    effective_note: str
    alone: tuple[Number, ...] | None
    disagreements: tuple[Disagreement, ...]
    power: tuple[PowerAt, ...]
    seizures: tuple[Seized, ...]
    standings: tuple[Standing, ...]
    resources_hhi: Number | None
    shared: int = 0

    @property
    def acting_together(self) -> tuple[Group, ...]:
        """The groups that some test of conduct flags."""
        favoured = [group for one in self.favours for group in one.test.groups]
        return tuple(dict.fromkeys((*self.behavioural.groups, *favoured)))


def coalitions(
    episode: Episode,
    *,
    permutations: int = 999,
    seed: int = 0,
    every_group: bool | None = None,
    outsiders: Outsiders = "frozen",
) -> Coalitions:
    """The coalitions of an episode by all four notions; of a fork, in its own rounds.

    Args:
        episode: what was played; unfinished rounds are left out.
        permutations: of each test.
        seed: of the tests; the same episode and seed give the same result.
        every_group: look at the effect of every group, which takes long for many agents under instruments; if None, up to
            8 agents without instruments.
        outsiders: without a coalition the others do what they did (frozen), or reply to the change (reactive).

    Raises:
        ValueError: every group of more than 12 agents.
    """
    if every_group and len(episode.names) > MOST:
        raise ValueError(f"every group is looked at for up to {MOST} agents, not {len(episode.names)}")
    tests = tests_of(episode, permutations=permutations, talk_permutations=min(permutations, 199), seed=seed)
    talk, moved, favours = tests.talk, tests.moved, tests.favours
    episode, n = episode.own, len(episode.names)
    rerun, why = _rerun(episode)
    declared = _declared(episode, rerun, outsiders)
    together = (*moved.groups, *(group for one in favours for group in one.test.groups))
    apart = _apart(talk)
    named = {d.members for d in declared} | set(together) | set(apart)
    effective, note = (None, why) if rerun is None else _effective(episode, rerun, named, every_group, outsiders)
    power, seizures = power_over_rounds(episode, rerun)
    sanctions = np.array(sanctions_of(episode)).reshape(-1, n, n).sum(axis=0)
    givers = np.flatnonzero(sanctions.any(axis=1)).tolist()
    known = standings(episode, sanctions.tolist())
    return Coalitions(
        names=episode.names,
        declared=declared,
        communicated=talk,
        behavioural=moved,
        favours=favours,
        collusion=None if rerun is None else _collusion(rerun),
        sanctions=tuple(map(tuple, sanctions.tolist())),
        sanctions_effect=None if rerun is None or not givers else rerun.nothing_decided(givers),
        effective=effective,
        effective_note=note,
        alone=None if rerun is None else tuple(tidy(-rerun.effect((seat,)).inside) for seat in range(n)),
        disagreements=_disagreements(declared, apart, together, effective),
        power=power,
        seizures=seizures,
        standings=known,
        resources_hhi=resource_concentration(known),
        shared=episode.shared,
    )


@dataclass(frozen=True, slots=True)
class Tests:
    """What conduct alone says of who stands together: private talk, co-movement, favours by kind."""

    talk: Channels
    moved: CoMovement
    favours: tuple[Favours, ...]


def tests_of(episode: Episode, *, permutations: int, talk_permutations: int | None = None, seed: int = 0) -> Tests:
    """The tests of an episode's conduct; of a fork, of its own rounds."""
    episode = episode.own
    many = permutations if talk_permutations is None else talk_permutations
    return Tests(
        private_channels(messages_of(episode), permutations=many, seed=seed),
        _co_movement(episode, permutations, seed),
        _favours(episode, permutations, seed),
    )


def _rerun(episode: Episode) -> tuple[Rerun | None, str]:
    if len(episode.names) < 2 or not episode.settled:
        return None, "at least two agents and a finished round are needed"
    frames = frames_of(episode)
    if not small_enough(episode.game, frames[0].state):
        return None, "the agents have too many actions to look for replies"
    return Rerun(episode.game, frames), ""


def _declared(episode: Episode, rerun: Rerun | None, outsiders: Outsiders) -> tuple[Declared, ...]:
    spans: dict[tuple[str, Group], tuple[int, int, int]] = {}
    for place, settled in enumerate(episode.settled):
        for name, group in settled.coalitions:
            key = (name, tuple(sorted(group)))
            start, first, _ = spans.get(key, (place, settled.round, 0))
            spans[key] = (start, first, settled.round)
    found = []
    for (name, group), (start, first, last) in spans.items():
        effect = None
        if rerun is not None and start and len(group) > 1:
            effect = rerun.effect(group, baseline="before", first=start, outsiders=outsiders)
        found.append(Declared(name, group, first, last, effect))
    return tuple(found)


def _favours(episode: Episode, permutations: int, seed: int) -> tuple[Favours, ...]:
    """The kinds of targeted acts that occurred; each is tested at its part of the promised rate."""
    kinds: dict[FavourKind, NDArray[np.float64]] = {
        "gifts": np.array(gifts_of(episode)),
        "votes": np.array(votes_of(episode)),
        "sanctions spared": -np.array(sanctions_of(episode)),
    }
    there = {kind: acts for kind, acts in kinds.items() if acts.any()}
    return tuple(
        Favours(kind, favouritism(acts, permutations=permutations, level=LEVEL / len(there), seed=seed))
        for kind, acts in there.items()
    )


def _apart(talk: Channels) -> tuple[Group, ...]:
    """Blocks of private talk that chance would not make: some, but not all, of the agents."""
    if talk.p is None or talk.p > 0.05:
        return ()
    return tuple(block for block in talk.partition if 1 < len(block) < len(talk.messages))


def _co_movement(episode: Episode, permutations: int, seed: int) -> CoMovement:
    settled, n = episode.settled, len(episode.names)
    start = states_of(episode)[0] if settled else None
    columns = [quantities_of(episode, seat, start) for seat in range(n)]
    if not settled or any(column is None for column in columns):
        return CoMovement("no verdict", (), (), LEVEL, len(settled), "", "the actions are no quantities")
    stocks = [s.stock_before for s in settled]
    features = None if any(stock is None for stock in stocks) else np.array([[float(x or 0)] for x in stocks])
    actions = np.array([column for column in columns if column is not None]).T
    return co_movement(actions, features, permutations=permutations, level=LEVEL, seed=seed)


def _effective(
    episode: Episode, rerun: Rerun, named: set[Group], every_group: bool | None, outsiders: Outsiders
) -> tuple[tuple[EpisodeEffect, ...], str]:
    n = len(episode.names)
    if every_group or (every_group is None and n <= EVERY_GROUP and not episode.game.instruments):
        groups = {g for size in range(2, n + 1) for g in itertools.combinations(range(n), size)}
        note = f"every group of {n} agents"
    else:
        groups = {g for g in named if len(g) > 1} | set(itertools.combinations(range(n), 2)) | {tuple(range(n))}
        note = "pairs, all together, and the groups the other notions name"
    effects = [rerun.effect(group, outsiders=outsiders) for group in sorted(groups)]
    others = "do what they did" if outsiders == "frozen" else "reply to the change as well"
    note += f"; without it, members reply for themselves in every round and the others {others}"
    return tuple(sorted(effects, key=lambda e: (-e.inside, len(e.members), e.members))), note


def _collusion(rerun: Rerun) -> CollusionTable:
    return collusion_table(rerun.game, [(frame.state, frame.joint, frame.noise) for frame in rerun.frames])


def _disagreements(
    declared: tuple[Declared, ...],
    apart: tuple[Group, ...],
    together: tuple[Group, ...],
    effective: tuple[EpisodeEffect, ...] | None,
) -> tuple[Disagreement, ...]:
    words = {d.members for d in declared if len(d.members) > 1}
    found = [Disagreement("talking apart", group) for group in apart if group not in words]
    found += [Disagreement("acting together undeclared", group) for group in together if group not in words]
    if effective is not None:
        gainful = [e.members for e in effective if e.effective and e.rational]
        gainful += [d.members for d in declared if d.effect is not None and d.effect.effective and d.effect.rational]
        found += [Disagreement("declared without effect", g) for g in sorted(words) if g not in gainful]
        least = [g for g in gainful if not any(set(other) < set(g) for other in gainful)]
        found += [
            Disagreement("effective but undeclared", g)
            for g in sorted(least)
            if not any(set(g) <= set(w) for w in words)
        ]
    return tuple(dict.fromkeys(found))
