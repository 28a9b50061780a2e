"""What a group's conduct came to over a whole episode: its rounds played again without the coalition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from society.analysis.alignment.rules import Held, decisions_of
from society.analysis.alignment.rules import physical as physical_of
from society.analysis.effects import Effect, Outsiders, best_reply, effect_of
from society.core.actions import Action, Joint
from society.core.errors import Unreadable
from society.core.exact import Number, tidy
from society.core.instrument import words_only
from society.core.mechanism import Game, Transition, legalise
from society.core.seeds import Noise
from society.episode import Episode, Round
from society.governance.governed import Decisions, Governed, GovernedState
from society.governance.institution import NO_DECISIONS
from society.rulers.scores import Board

_SWEEPS = 100

Baseline = Literal["replies", "before"]
"""What members do without the coalition: reply each for itself, or go on as they did before it."""


@dataclass(frozen=True, slots=True)
class EpisodeEffect:
    """What one group brought about in an episode, compared with the same episode without it.

    Attributes:
        members: the group.
        gains: each agent's payoffs over the episode as played minus without the coalition.
        inside, outside: sums over members and over the others.
        effect: by the signs of both.
        effective: the members gained together.
        rational: no member lost.
        rounds_without: how many of the rounds are played without the coalition, before the commons is gone.
        baseline: what members are taken to do without it.
        outsiders: frozen at what they did, or replying to the change.
        first: the round from which it is counted.
    """

    members: tuple[int, ...]
    gains: tuple[Number, ...]
    inside: Number
    outside: Number
    effect: Effect
    effective: bool
    rational: bool
    rounds_without: int
    baseline: Baseline = "replies"
    outsiders: Outsiders = "frozen"
    first: int = 1


@dataclass(frozen=True, slots=True)
class _Without:
    """A coalition that is left out: who, what its members and the others do instead, and from which frame on."""

    members: tuple[int, ...]
    baseline: Baseline
    outsiders: Outsiders
    first: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One round as it was played.

    Attributes:
        number: which.
        state: what it found.
        joint: what was executed; asked: what agents wanted, whatever a rule made of it.
        decisions: what was decided in the second stage.
        noise: its luck.
    """

    number: int
    state: GovernedState
    joint: Joint
    asked: Joint
    decisions: Decisions
    noise: Noise


def frames_of(episode: Episode) -> tuple[Frame, ...]:
    """The finished rounds of an episode that was played under one scenario."""
    found = []
    for played in episode.rounds:
        if played.settled is None:
            continue
        state = episode.game.state_from_plain(played.settled.state_before)
        joint, noise = played.settled.executed, Noise(episode.seed, played.number)
        decisions = decisions_of(episode.game, played, state, joint, noise)
        found.append(Frame(played.number, state, joint, _asked(episode, played, state, joint), decisions, noise))
    return tuple(found)


def _asked(episode: Episode, played: Round, state: GovernedState, joint: Joint) -> Joint:
    """What each agent wanted within the mechanism's own limits; what was executed where that cannot be read."""
    wanted = list(joint)
    for seat, acted in played.actions.items():
        if acted.status != "defaulted":
            with suppress(Unreadable):
                wanted[seat] = episode.game.mechanism.space(state.physical, seat).read(acted.submitted)
    return tuple(wanted)


class Rerun:
    """An episode that can be played again without some coalition.

    In every round the members do what they would without it, the others what they did, or the nearest thing still allowed.
    The commons goes its own way, so that one that collapses without the coalition counts as such; agreements, rules and what
    was decided in the second stage stay as they really were. Replies look at the round alone, as those of agents on their
    own do.

    Args:
        game: the rules.
        frames: what was played, round by round.
    """

    def __init__(self, game: Governed, frames: Sequence[Frame]) -> None:
        self.game, self.frames = game, tuple(frames)
        self._places: dict[Any, _Place] = {}  # Any: keys hold states of whatever mechanism
        self._played: dict[int, list[Number]] = {}

    def effect(
        self,
        group: Sequence[int],
        *,
        baseline: Baseline = "replies",
        outsiders: Outsiders = "frozen",
        first: int = 0,
        tolerance: float = 1e-9,
    ) -> EpisodeEffect:
        """The effect of one group.

        Args:
            group: its members.
            baseline: each member's own replies, or what it did before the round `first`: the mean of its amounts (its most
                frequent word) where the stock was the same, else over all earlier rounds.
            outsiders: frozen at what they did, or replying as well.
            first: the first place among the frames that counts.
            tolerance: what counts as no gain, relative to the largest payoff; only for payoffs in floats.
        """
        left_out = _Without(tuple(sorted(set(group))), baseline, outsiders, first)
        return self._compared(left_out, *self._run(left_out), tolerance=tolerance)

    def rules_unchanged(self, place: int, carriers: Sequence[int], *, tolerance: float = 1e-9) -> EpisodeEffect:
        """What a change of the rules came to for those who carried it, from the round of their vote on.

        Played again with the rules that stood before: where the vote is an action, theirs is no; where it is a rule's own
        ballot, the rules stay. All ask for what they asked for, and later votes are cast, as they were.
        """
        kept = self.frames[place].state.standings
        frames = list[Frame]()
        for frame in self.frames[place:]:
            refused = {agent for agent in carriers if frame.joint[agent] == "yes"} if not frames else set[int]()
            joint = tuple("no" if agent in refused else action for agent, action in enumerate(frame.asked))
            frames.append(replace(frame, state=replace(frame.state, standings=kept), joint=joint))
        left_out = _Without(tuple(sorted(carriers)), "before", "frozen", place)
        return self._compared(left_out, *self._play(frames, None), tolerance=tolerance)

    def nothing_decided(self, deciders: Sequence[int], *, tolerance: float = 1e-9) -> EpisodeEffect:
        """What second-stage decisions (sanctions, rewards) came to for those who took them, beside the same rounds without."""
        frames = [replace(frame, decisions=NO_DECISIONS) for frame in self.frames]
        left_out = _Without(tuple(sorted(deciders)), "before", "frozen", 0)
        return self._compared(left_out, *self._play(frames, None), tolerance=tolerance)

    def _compared(
        self, left_out: _Without, without: Sequence[Number], lasted: int, *, tolerance: float
    ) -> EpisodeEffect:
        members, first = left_out.members, left_out.first
        if first not in self._played:
            self._played[first] = self._play(self.frames[first:], None)[0]
        played = self._played[first]
        gains = [tidy(a - b) for a, b in zip(played, without, strict=True)]
        inside = tidy(sum(gain for agent, gain in enumerate(gains) if agent in members))
        outside = tidy(sum(gain for agent, gain in enumerate(gains) if agent not in members))
        floats = any(isinstance(gain, float) for gain in gains)
        slack = tolerance * max(1.0, *(abs(float(x)) for x in played)) if floats else 0
        return EpisodeEffect(
            members=members,
            gains=tuple(gains),
            inside=inside,
            outside=outside,
            effect=effect_of(inside, outside, slack),
            effective=inside > slack,
            rational=all(gains[agent] >= -slack for agent in members),
            rounds_without=lasted,
            baseline=left_out.baseline,
            outsiders=left_out.outsiders,
            first=self.frames[first].number,
        )

    def _run(self, left_out: _Without) -> tuple[list[Number], int]:
        return self._play(self.frames[left_out.first :], left_out)

    def _play(self, frames: Sequence[Frame], left_out: _Without | None) -> tuple[list[Number], int]:
        """Everybody's payoffs, and in how many rounds there was something to play for."""
        sums: list[Number] = [0] * self.game.agents
        physical = frames[0].state.physical
        for count, frame in enumerate(frames):
            if self.game.mechanism.over(physical):
                return sums, count
            # rules and agreements are those of the real round; what was physical goes on from the round before
            at = self._at(frame, physical)
            done = at.step(self._joint(at, frame, left_out))
            sums = [tidy(a + b) for a, b in zip(sums, done.payoffs, strict=True)]
            physical = physical_of(done.state)
        return sums, len(frames)

    def _at(self, frame: Frame, physical: Any) -> _Place:  # Any: each mechanism has its own type of state
        key = (frame.number, frame.state.standings, bool(frame.decisions), physical)
        if key not in self._places:
            state = replace(frame.state, physical=physical)
            plain = not state.pot and all(words_only(rule.instrument) for rule in self.game.rules(state))
            game = self.game.mechanism if plain else Held(self.game, frame.decisions)
            self._places[key] = _Place(game, physical if plain else state, frame.noise)
        return self._places[key]

    def _joint(self, at: _Place, frame: Frame, left_out: _Without | None) -> Joint:
        row = [at.allowed(agent, action) for agent, action in enumerate(frame.joint)]
        if left_out is None:
            return tuple(row)
        group = left_out.members
        movers = list(group) if left_out.baseline == "replies" else []
        if left_out.baseline == "before":
            for agent in group:
                row[agent] = self._as_before(at, agent, left_out.first)
        if group and left_out.outsiders == "reactive":
            movers += [agent for agent in range(self.game.agents) if agent not in group]
        for _ in range(_SWEEPS if movers else 0):
            before = list(row)
            for agent in sorted(movers):
                row[agent] = at.reply(tuple(row), agent)
            if row == before:
                break
        return tuple(row)

    def _as_before(self, at: _Place, agent: int, first: int) -> Action:
        """What an agent did before a round: on average where the stock was the same, else over all earlier rounds.

        Raises:
            ValueError: there is no earlier round.
        """
        earlier = self.frames[:first]
        if not earlier:
            raise ValueError("nothing was played before the first round")
        here = physical_of(at.state)
        same = [frame.joint[agent] for frame in earlier if frame.state.physical == here]
        done = same or [frame.joint[agent] for frame in earlier]
        levels = [self.game.level(action) for action in done]
        numbers = [Fraction(level) for level in levels if level is not None]
        if len(numbers) == len(done) and not any(isinstance(action, (str, tuple)) for action in done):
            return at.allowed(agent, tidy(sum(numbers, Fraction(0)) / len(numbers)))
        return at.allowed(agent, Counter(done).most_common(1)[0][0])


class _Place:
    """One round that may be played in many ways: the game, what it finds, its luck, and the replies that were looked for.

    The game is the mechanism alone, which is much faster, where the rules are words only.
    """

    def __init__(self, game: Game[Any], state: Any, noise: Noise) -> None:  # Any: of the mechanism, or of all
        self.game, self.state, self.noise = game, state, noise
        self._spaces = [game.space(state, agent) for agent in range(game.agents)]
        self._allowed: dict[tuple[int, Action], Action] = {}
        self._replies: dict[tuple[int, Joint], Action] = {}
        self._steps: dict[Joint, Transition[Any]] = {}

    @cached_property
    def board(self) -> Board[Any]:  # Any: as above
        """The round as a table of scores."""
        return Board(self.game, self.state, self.noise)

    def step(self, joint: Joint) -> Transition[Any]:  # Any: as above
        """The round played once."""
        if joint not in self._steps:
            self._steps[joint] = self.game.step(self.state, joint, self.noise)
        return self._steps[joint]

    def allowed(self, agent: int, action: Action) -> Action:
        """The action, or the nearest thing that is allowed."""
        key = (agent, action)
        if key not in self._allowed:
            try:
                self._allowed[key] = legalise(self._spaces[agent], action)
            except ValueError:
                self._allowed[key] = self._spaces[agent].grid()[-1]
        return self._allowed[key]

    def reply(self, row: Joint, agent: int) -> Action:
        """The agent's own best reply to what the others do."""
        key = (agent, row)
        if key not in self._replies:
            self._replies[key] = best_reply(self.board, list(row), agent)
        return self._replies[key]


def small_enough(game: Governed, state: Any, most: int = 400) -> bool:  # Any: a state of whatever mechanism
    """Whether replies can be looked for: no agent has more than so many actions."""
    try:
        return all(len(grid) <= most for grid in Board(game, state, Noise(0)).grids)
    except ValueError:
        return False
