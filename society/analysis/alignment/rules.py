"""The rules that are called again: bare, or under instruments with what was decided in the second stage held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from society.core.actions import Action, Joint
from society.core.batching import batch_by_steps
from society.core.instrument import Instrument, words_only
from society.core.mechanism import Batch, Facts, Game, Mechanism, SpaceOf, Transition
from society.core.seeds import Noise
from society.episode import Round
from society.governance.governed import Governed, GovernedState, GovernedTransition
from society.governance.institution import HUMAN, REPLY
from society.governance.pipeline_batch import in_batches


@dataclass(frozen=True)
class Held:
    """A governed game in which every second-stage decision is the one that was made, whatever is changed before it.

    With `felt`, payoffs are what motivation makes of them.
    """

    game: Governed
    decisions: Mapping[tuple[int, str], Mapping[str, Action]] = field(default_factory=dict)
    felt: bool = False

    @property
    def agents(self) -> int:
        return self.game.agents

    def initial_state(self) -> GovernedState:
        return self.game.initial_state()

    def over(self, state: GovernedState) -> bool:
        return self.game.over(state)

    def space(self, state: GovernedState, agent: int) -> SpaceOf:
        return self.game.space(state, agent)

    def observe(self, state: GovernedState, agent: int) -> Facts:
        return self.game.observe(state, agent)

    def step(self, state: GovernedState, joint: Joint, noise: Noise) -> GovernedTransition:
        done = self.game.step(state, joint, noise, self.decisions)
        return replace(done, payoffs=done.felt) if self.felt else done

    def batch(self, state: GovernedState, joints: NDArray[np.int64], noise: Noise) -> Batch:
        # its next states are physical ones
        return self.game.batch_now(state, joints, noise, self.decisions, felt=self.felt)

    batch_now = batch

    def abstention(self, state: GovernedState, agent: int) -> Action:
        return self.game.abstention(state, agent)


def decisions_of(
    game: Governed, played: Round, before: GovernedState, joint: Joint, noise: Noise
) -> dict[tuple[int, str], dict[str, Action]]:
    """What humans decided for those who asked, what was decided in the second stage, and in answer to it; votes of the same
    agents under the same rule come after it.
    """
    if not played.decisions:
        return {}
    human = {
        (event.agent, event.purpose): dict(event.parts)
        for event in played.decisions
        if event.purpose.endswith(HUMAN) and event.status != "defaulted"
    }
    first = game.step(before, joint, noise, human)
    asked = {(ask.agent, ask.purpose) for ask in game.second_stage(before, first)}
    asked |= {(event.agent, event.purpose) for event in played.decisions if event.purpose.endswith(REPLY)}
    made: dict[tuple[int, str], dict[str, Action]] = dict(human)
    for event in played.decisions:
        key = (event.agent, event.purpose)
        if key in asked:
            asked.remove(key)
            if event.status != "defaulted":
                made[key] = dict(event.parts)
    return made


@dataclass(frozen=True)
class Expected:
    """A game that pays what the luck of the round pays on average, where its mechanism knows that; next states are unchanged."""

    game: Game[Any]

    @property
    def agents(self) -> int:
        return self.game.agents

    def initial_state(self) -> Any:  # Any: each game has its own type of state
        return self.game.initial_state()

    def over(self, state: Any) -> bool:  # Any: as above
        return self.game.over(state)

    def space(self, state: Any, agent: int) -> SpaceOf:  # Any: as above
        return self.game.space(state, agent)

    def observe(self, state: Any, agent: int) -> Facts:  # Any: as above
        return self.game.observe(state, agent)

    def step(self, state: Any, joint: Joint, noise: Noise) -> Transition[Any]:  # Any: as above
        found = self.game.step(state, joint, noise)
        rules = bare(self.game, state)
        paid = None if rules is None else rules[0].known_expectation(rules[1], joint)
        return found if paid is None else replace(found, payoffs=paid)

    def batch(self, state: Any, joints: NDArray[np.int64], noise: Noise) -> Batch:  # Any: as above
        return batch_by_steps(self, state, joints, noise)

    batch_now = batch

    def abstention(self, state: Any, agent: int) -> Action:  # Any: as above
        return self.game.abstention(state, agent)


def expects(game: object, state: Any) -> bool:  # Any: as above
    """Whether the expected payoffs of this round are known exactly and may differ from those of one luck."""
    rules = bare(game, state)
    return rules is not None and rules[0].chancy(rules[1])


def certain(game: object, state: Any) -> bool:  # Any: as above
    """Whether closed forms of the mechanism hold for the very round that is asked about: they are expectations where luck
    decides, and then hold in expectation only.
    """
    return isinstance(game, Expected) or not expects(game, state)


def bare(game: object, state: Any) -> tuple[Mechanism[Any], Any] | None:  # Any: each mechanism has its own state
    """The mechanism and its state, where no instrument changes payoffs, spaces or states."""
    if isinstance(game, Expected):
        game = game.game
    if isinstance(game, Held):
        game = game.game
    if isinstance(game, Governed):
        quiet = not state.pot and all(words_only(rule.instrument) for rule in game.rules(state))
        return (game.mechanism, state.physical) if quiet else None
    return (game, state) if isinstance(game, Mechanism) else None


def mechanism_of(game: object) -> Mechanism[Any] | None:
    """The mechanism that is played, whatever governs it."""
    if isinstance(game, (Expected, Held)):
        return mechanism_of(game.game)
    if isinstance(game, Governed):
        return game.mechanism
    return game if isinstance(game, Mechanism) else None


def physical(state: Any) -> Any:  # Any: as above
    """The mechanism's part of a state."""
    return state.physical if isinstance(state, GovernedState) else state


def batched(game: object) -> bool:
    """Whether the game steps many joint actions at once, and not row by row."""
    if isinstance(game, Held):
        return batched(game.game)
    if isinstance(game, Governed):
        return all(in_batches(type(one)) for one in game.instruments) and batched(game.mechanism)
    if isinstance(game, Expected):
        return False
    return getattr(type(game), "batch", Mechanism.batch) is not Mechanism.batch


def steady(game: object, state: Any) -> bool:  # Any: as above
    """Whether many joint actions of a round can be stepped at once, states included: nothing that agents do in it changes the
    institution, whose rules cannot be broken, remember nothing and put nothing to the vote.
    """
    if isinstance(game, Held):
        return steady(game.game, state)
    if isinstance(game, Governed):
        return batched(game) and all(_steadfast(rule.instrument) for rule in game.rules(state))
    return isinstance(game, Mechanism)


def _steadfast(one: Instrument) -> bool:
    kind = type(one)
    unbroken = one.enforcement == "hard" or kind.restrict is Instrument.restrict
    return (
        unbroken
        and kind.breaches_of is Instrument.breaches_of
        and kind.remember is Instrument.remember
        and kind.decide is Instrument.decide
    )


def treated_alike(game: object, state: Any, noise: Noise) -> tuple[int, ...]:  # Any: as above
    """For each seat the first one that the rules treat just like it; each alone where what they decided tells them apart."""
    if isinstance(game, Expected):
        return treated_alike(game.game, state, noise)
    if isinstance(game, Held):
        return tuple(range(game.agents)) if game.decisions else treated_alike(game.game, state, noise)
    if isinstance(game, Governed) and game.instruments:
        return game.kin(state, noise)
    mechanism = mechanism_of(game)
    return (0,) * (0 if mechanism is None else mechanism.agents)


def unreplaced(game: Game[Any], state: Any, agent: int, action: Action) -> Game[Any]:
    """The same rules, but for one seat that acts as it chose, whatever a rule would have put in its place.

    The very same rules where there are none, or where the action exists only through them.
    """
    if isinstance(game, Expected):
        return replace(game, game=unreplaced(game.game, state, agent, action))
    if isinstance(game, Held):
        inner = unreplaced(game.game, state, agent, action)
        return replace(game, game=inner) if isinstance(inner, Governed) and inner is not game.game else game
    if not isinstance(game, Governed) or not game.mechanism.space(state.physical, agent).contains(action):
        return game
    return replace(game, exempt=frozenset({agent}))
