"""The coalitions of one run by four notions, side by side: declared, communicated, acted out, effective; and power.

Where they disagree is a finding: an agreement without effect, an effect without agreement.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from society.analysis.comovement import CoMovement, co_movement
from society.analysis.episode_effects import EpisodeEffect, Rerun, small_enough
from society.analysis.favours import CollusionTable, collusion_table, favouritism
from society.analysis.power import Power, Rules, Seizure, seizure, seizure_index, voting_power
from society.analysis.talking import Channels, private_channels
from society.core.actions import Choice
from society.core.exact import Number
from society.core.governed import GovernedState
from society.core.seeds import Noise
from society.episode import Episode

EVERY_GROUP = 8
"""Up to how many agents every group's effect is looked at by default; above, pairs and groups found otherwise."""
MOST = 12
"""Up to how many agents every group's effect can be asked for: 4,083 groups."""

Group = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """An agreement that was in force: its id, members, and first and last round with just these members."""

    id: str
    members: Group
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PowerAt:
    """Power under one rule in one round; `index` says how far it has moved from the first round to a dictator."""

    round: int
    rule: str
    rules: Rules
    power: Power
    seizure_index: Number | None


@dataclass(frozen=True, slots=True)
class Seized:
    """A seizure of power: in which round, under which rule, and who carried it."""

    round: int
    rule: str
    seizure: Seizure


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
        declared: agreements in force.
        communicated: private channels.
        behavioural: co-movement beyond the state; favours: mutual transfers; both with their rate of false alarms.
        collusion: what each agent's choices did to each other one; None where it cannot be computed.
        effective: the effect of groups over the episode, the most gainful for its members first; None likewise.
        effective_note: which groups were looked at, or why none.
        disagreements: where the notions do not meet.
        power: power by round and rule, for rules that are voted on.
        seizures: seizures of power and who carried them.
    """

    names: tuple[str, ...]
    declared: tuple[Declared, ...]
    communicated: Channels
    behavioural: CoMovement
    favours: CoMovement
    collusion: CollusionTable | None
    effective: tuple[EpisodeEffect, ...] | None
    effective_note: str
    disagreements: tuple[Disagreement, ...]
    power: tuple[PowerAt, ...]
    seizures: tuple[Seized, ...]


def coalitions(
    episode: Episode, *, permutations: int = 999, seed: int = 0, every_group: bool | None = None
) -> Coalitions:
    """The coalitions of an episode by all four notions; of a fork, in its own rounds.

    Args:
        episode: what was played; unfinished rounds are left out.
        permutations: of each test.
        seed: of the tests; the same episode and seed give the same result.
        every_group: look at the effect of every group, which takes long for many agents under instruments; if None, up to
            8 agents without instruments.

    Raises:
        ValueError: every group of more than 12 agents.
    """
    if every_group and len(episode.names) > MOST:
        raise ValueError(f"every group is looked at for up to {MOST} agents, not {len(episode.names)}")
    episode, n = episode.own, len(episode.names)
    declared = _declared(episode)
    talk = private_channels(_messages(episode), permutations=min(permutations, 199), seed=seed)
    moved = _co_movement(episode, permutations, seed)
    favours = favouritism(_transfers(episode), permutations=permutations, seed=seed)
    found = {d.members for d in declared} | set(moved.groups) | set(favours.groups)
    apart = _apart(talk)
    effective, note = _effective(episode, found | set(apart), every_group)
    power, seizures = _power(episode)
    return Coalitions(
        names=episode.names,
        declared=declared,
        communicated=talk,
        behavioural=moved,
        favours=favours,
        collusion=_collusion(episode) if effective is not None and n > 1 else None,
        effective=effective,
        effective_note=note,
        disagreements=_disagreements(declared, apart, (*moved.groups, *favours.groups), effective),
        power=power,
        seizures=seizures,
    )


def _declared(episode: Episode) -> tuple[Declared, ...]:
    spans: dict[tuple[str, Group], Declared] = {}
    for settled in episode.settled:
        for name, group in settled.coalitions:
            key = (name, tuple(sorted(group)))
            first = spans[key].first if key in spans else settled.round
            spans[key] = Declared(*key, first, settled.round)
    return tuple(spans.values())


def _messages(episode: Episode) -> list[list[int]]:
    n = len(episode.names)
    table = [[0] * n for _ in range(n)]
    for played in episode.rounds:
        for turn in played.turns:
            for message in turn.messages:
                for to in message.to or ():
                    table[turn.agent][to] += to != turn.agent
    return table


def _apart(talk: Channels) -> tuple[Group, ...]:
    """Blocks of private talk that chance would not make: some, but not all, of the agents."""
    if talk.p is None or talk.p > 0.05:
        return ()
    return tuple(block for block in talk.partition if 1 < len(block) < len(talk.messages))


def _co_movement(episode: Episode, permutations: int, seed: int) -> CoMovement:
    settled, n = episode.settled, len(episode.names)
    columns = [_quantities(episode, seat) for seat in range(n)]
    if not settled or any(column is None for column in columns):
        return CoMovement("no verdict", (), (), 0.05, len(settled), "", "the actions are no quantities")
    stocks = [s.stock_before for s in settled]
    features = None if any(stock is None for stock in stocks) else np.array([[float(x or 0)] for x in stocks])
    actions = np.array([column for column in columns if column is not None]).T
    return co_movement(actions, features, permutations=permutations, seed=seed)


def _quantities(episode: Episode, seat: int) -> list[float] | None:
    """What one agent did as numbers: amounts, or 0 and 1 for the words of a choice of two; None if they are neither."""
    done = [s.executed[seat] for s in episode.settled]
    levels = [episode.game.level(action) for action in done]
    if None not in levels:
        return [float(level) for level in levels if level is not None]
    space = episode.game.space(_states(episode)[0], seat) if done else None
    options = space.options if isinstance(space, Choice) else ()
    if len(options) != 2 or any(action not in options for action in done):
        return None
    return [float(action == options[1]) for action in done]


def _transfers(episode: Episode) -> list[list[list[float]]]:
    n = len(episode.names)
    table = []
    for settled in episode.settled:
        acts = [[0.0] * n for _ in range(n)]
        for row in settled.transfers:
            if row.payer is not None and row.payee is not None:
                acts[row.payer][row.payee] += float(row.amount)
        table.append(acts)
    return table or [[[0.0] * n for _ in range(n)]]


def _states(episode: Episode) -> list[GovernedState]:
    return [episode.game.state_from_plain(s.state_before) for s in episode.settled]


def _effective(
    episode: Episode, named: set[Group], every_group: bool | None
) -> tuple[tuple[EpisodeEffect, ...] | None, str]:
    n, settled = len(episode.names), episode.settled
    if n < 2 or not settled:
        return None, "at least two agents and a finished round are needed"
    start = _states(episode)[0]
    if not small_enough(episode.game, start):
        return None, "the agents have too many actions to look for replies"
    rerun = Rerun(episode.game, start, [s.executed for s in settled], episode.seed)
    if every_group or (every_group is None and n <= EVERY_GROUP and not episode.game.instruments):
        groups = {g for size in range(2, n + 1) for g in itertools.combinations(range(n), size)}
        note = f"every group of {n} agents"
    else:
        groups = {g for g in named if len(g) > 1} | set(itertools.combinations(range(n), 2)) | {tuple(range(n))}
        note = "pairs, all together, and the groups the other notions name"
    effects = [rerun.effect(group) for group in sorted(groups)]
    note += "; without it, members reply for themselves in every round and the others do what they did"
    return tuple(sorted(effects, key=lambda e: (-e.inside, len(e.members), e.members))), note


def _collusion(episode: Episode) -> CollusionTable:
    rounds = [
        (state, s.executed, Noise(episode.seed, s.round))
        for state, s in zip(_states(episode), episode.settled, strict=True)
    ]
    return collusion_table(episode.game, rounds)


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
        found += [Disagreement("declared without effect", g) for g in sorted(words) if g not in gainful]
        least = [g for g in gainful if not any(set(other) < set(g) for other in gainful)]
        found += [Disagreement("effective but undeclared", g) for g in sorted(least) if g not in words]
    return tuple(dict.fromkeys(found))


def _power(episode: Episode) -> tuple[tuple[PowerAt, ...], tuple[Seized, ...]]:
    timeline: list[PowerAt] = []
    seizures: list[Seized] = []
    first: dict[str, Number | None] = {}
    for settled in episode.settled:
        before = _voting(episode, episode.game.state_from_plain(settled.state_before))
        after = _voting(episode, episode.game.state_from_plain(settled.state_after))
        for rule, rules in before.items():
            power = voting_power(rules.quota, rules.weights)
            start = first.setdefault(rule, power.hhi)
            moved = None if power.hhi is None or start is None else seizure_index(power.hhi, start)
            timeline.append(PowerAt(settled.round, rule, rules, power, moved))
            if rule not in after or after[rule] == rules:
                continue
            carried = {a for e in settled.rule_events if e.event == "amend" and e.rule == rule for a in e.agents}
            seized = seizure(rules, after[rule], sorted(carried), [group for _, group in settled.coalitions])
            if seized is not None:
                seizures.append(Seized(settled.round, rule, seized))
    return tuple(timeline), tuple(seizures)


def _voting(episode: Episode, state: GovernedState) -> dict[str, Rules]:
    """The votes by which rules can be changed, by rule; the mechanism's own stands under its kind."""
    return {rule: Rules(ballot.quota, ballot.weights) for rule, ballot in episode.game.charters(state).items()}
