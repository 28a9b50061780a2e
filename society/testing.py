"""Contract checks for authors of mechanisms, to be called from their own tests: ``check_mechanism(MyGame())``."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from society.core.actions import Action, Amount, Division, Joint, action_to_plain
from society.core.batching import batch_by_steps
from society.core.exact import Number
from society.core.mechanism import (
    Batch,
    Mechanism,
    SpaceOf,
    Transition,
    encode,
    legalise,
    state_from_plain,
    state_to_plain,
)
from society.core.revive import revive
from society.core.seeds import Entity, Noise


def check_mechanism(
    mechanism: Mechanism[Any], *, rounds: int = 4, plays: int = 6
) -> None:  # Any: whatever its state is
    """Play random rounds and check what every mechanism promises.

    Same arguments give the same result; payoffs are finite, one per agent; grants never exceed requests; states survive
    JSON and are hashable; a batch equals single steps; where the game says it is symmetric, permuting seats permutes
    payoffs; every closed form that names a profile is reached by it; an agent that acts otherwise changes nobody else's luck.

    Raises:
        AssertionError: with the promise that is broken.
    """
    kind = mechanism.kind
    again = type(mechanism).model_validate_json(mechanism.model_dump_json())
    assert again == mechanism, f"{kind}: the parameters do not survive JSON"
    looked_up: set[object] = set()
    for state, joint, noise in random_plays(mechanism, rounds=rounds, plays=plays):
        _check_state(mechanism, state)
        step = mechanism.step(state, joint, noise)
        assert step == mechanism.step(state, joint, noise), f"{kind}: the same arguments gave two results"
        assert not mechanism.repeated or step.state == state, f"{kind}: a repeated game went to another state"
        _check_transition(mechanism, joint, step)
        if state not in looked_up:
            looked_up.add(state)
            _check_hooks(mechanism, state)
        if mechanism.symmetric:
            _check_symmetry(mechanism, state, joint)
        _check_luck(mechanism, state, joint, noise)
        joints = [joint, *(random_joint(mechanism, state, random.Random(k)) for k in range(5))]
        codes = encode(mechanism, state, joints)
        fast, slow = mechanism.batch(state, codes, noise), batch_by_steps(mechanism, state, codes, noise)
        check_same_batch(state, fast, slow, kind)


def random_plays(
    mechanism: Mechanism[Any], *, rounds: int, plays: int
) -> Iterator[tuple[Any, Joint, Noise]]:  # Any: as above
    """States on random paths through the game, each with a random joint action and the noise of its round."""
    for seed in range(plays):
        dice = random.Random(seed)
        state = mechanism.initial_state()
        for number in range(1, rounds + 1):
            if mechanism.over(state):
                break
            joint = random_joint(mechanism, state, dice)
            yield state, joint, Noise(seed, number)
            state = mechanism.step(state, joint, Noise(seed, number)).state


def random_joint(mechanism: Mechanism[Any], state: Any, dice: random.Random) -> Joint:  # Any: as above
    """One allowed action per agent."""
    return tuple(_pick(mechanism.space(state, agent), dice) for agent in range(mechanism.agents))


def _pick(space: SpaceOf, dice: random.Random) -> Action:
    if isinstance(space, Division):
        units = int(space.total / Fraction(space.step))
        cuts = sorted(dice.randint(0, units) for _ in range(space.parts - 1))
        return tuple(space.step * (b - a) for a, b in zip([0, *cuts], [*cuts, units], strict=True))
    values: tuple[Action, ...] = space.grid(at_most=101)
    return dice.choice(values)


def _check_state(mechanism: Mechanism[Any], state: Any) -> None:  # Any: as above
    kind = mechanism.kind
    assert type(state) is mechanism.state_type, f"{kind}: a state is no {mechanism.state_type.__name__}"
    hash(state)
    raw = json.loads(json.dumps(state_to_plain(state)))
    assert state_from_plain(mechanism.state_type, raw) == state, f"{kind}: a state does not survive JSON"
    for agent in range(mechanism.agents):
        idle, space = mechanism.abstention(state, agent), mechanism.space(state, agent)
        assert space.contains(idle), f"{kind}: abstaining ({idle!r}) is not allowed"
        assert legalise(space, idle) == idle
        assert revive(Action, json.loads(json.dumps(action_to_plain(idle)))) == idle
        assert all(isinstance(name, str) for name in mechanism.observe(state, agent))


def _check_transition(mechanism: Mechanism[Any], joint: Joint, step: Transition[Any]) -> None:  # Any: as above
    kind = mechanism.kind
    assert len(step.payoffs) == mechanism.agents, f"{kind}: not one payoff per agent"
    assert all(math.isfinite(payoff) for payoff in step.payoffs), f"{kind}: a payoff is not finite"
    assert not any(isinstance(payoff, Fraction) and payoff.denominator == 1 for payoff in step.payoffs), (
        f"{kind}: a whole payoff is written as a fraction; tidy() it"
    )
    if step.granted is not None:
        asked = [mechanism.level(action) for action in joint]
        assert all(g <= (a or 0) for g, a in zip(step.granted, asked, strict=True)), f"{kind}: more granted than asked"
    assert ("total" in mechanism.quantities) == (step.total is not None), f"{kind}: quantities and total disagree"
    assert ("stock_after" in mechanism.quantities) == (step.stock_after is not None), f"{kind}: so do the stocks"
    if step.collapsed:
        assert step.over, f"{kind}: collapsed but not over"
    assert step.over == mechanism.over(step.state), f"{kind}: the transition and its state disagree on being over"


def _check_symmetry(mechanism: Mechanism[Any], state: Any, joint: Joint) -> None:  # Any: as above
    noise = Noise(1, 1)
    turned = (*joint[1:], joint[0])
    payoffs = mechanism.step(state, joint, noise).payoffs
    assert mechanism.step(state, turned, noise).payoffs == (*payoffs[1:], payoffs[0]), (
        f"{mechanism.kind}: symmetric by its own word, but turning the seats does not turn the payoffs"
    )


@dataclass(frozen=True, slots=True)
class _Lots(Noise):
    """Noise that writes down what it is asked: each draw's purpose and entity, and among how much it chose."""

    drawn: dict[tuple[str, Entity], set[Number]] = field(default_factory=dict)

    def chance(self, probability: Number, purpose: str, entity: Entity = "") -> bool:
        self._note(probability, purpose, entity)
        return Noise.chance(self, probability, purpose, entity)

    def below(self, n: int, purpose: str, entity: Entity = "") -> int:
        self._note(n, purpose, entity)
        return Noise.below(self, n, purpose, entity)

    def _note(self, among: Number, purpose: str, entity: Entity) -> None:
        self.drawn.setdefault((purpose, entity), set()).add(among)


def _check_luck(mechanism: Mechanism[Any], state: Any, joint: Joint, noise: Noise) -> None:  # Any: as above
    """A lot that is drawn whoever acts how falls alike; only an agent's own lots may depend on what that agent does."""
    lots = _Lots(noise.seed, noise.round)
    mechanism.step(state, joint, lots)
    for agent in range(mechanism.agents):
        space = mechanism.space(state, agent)
        for action in {mechanism.abstention(state, agent), *_ends(space)} - {joint[agent]}:
            others = _Lots(noise.seed, noise.round)
            mechanism.step(state, (*joint[:agent], action, *joint[agent + 1 :]), others)
            for key in lots.drawn.keys() & others.drawn.keys():
                own = key[1] == agent or (isinstance(key[1], tuple) and agent in key[1])
                assert own or lots.drawn[key] == others.drawn[key], (
                    f"{mechanism.kind}: what agent {agent} does changes the lot {key[0]!r} of {key[1]!r}; key each lot by "
                    "whom it is for, and draw it among the same whoever acts how"
                )


def _ends(space: SpaceOf) -> tuple[Action, ...]:
    """The first and the last action."""
    if isinstance(space, Division):
        return ()
    values: tuple[Action, ...] = space.grid(at_most=2) if isinstance(space, Amount) else space.grid()
    return values[:1] + values[-1:]


def _check_hooks(mechanism: Mechanism[Any], state: Any) -> None:  # Any: as above
    kind = mechanism.kind
    optimum = mechanism.known_optimum(state)
    if optimum is not None and optimum.profile is not None:
        reached = sum(_expected(mechanism, state, optimum.profile))
        assert reached == optimum.value, f"{kind}: the optimum's profile gives {reached}, not {optimum.value}"
    for agent in range(mechanism.agents):
        ceiling = mechanism.known_ceiling(state, agent)
        if ceiling is not None and ceiling.profile is not None:
            got = _expected(mechanism, state, ceiling.profile)[agent]
            assert got == ceiling.value, f"{kind}: the ceiling's profile gives {got}, not {ceiling.value}"
    for pole in mechanism.poles(state) or ():
        assert mechanism.space(state, 0).contains(pole), f"{kind}: the pole {pole!r} is not allowed"
    for profile in mechanism.known_equilibria(state) or ():
        assert len(profile) == mechanism.agents
        assert all(mechanism.space(state, a).contains(profile[a]) for a in range(mechanism.agents))


def _expected(mechanism: Mechanism[Any], state: Any, joint: Joint) -> tuple[Number, ...]:  # Any: as above
    payoffs = mechanism.known_expectation(state, joint)
    return mechanism.step(state, joint, Noise(0, 1)).payoffs if payoffs is None else payoffs


def check_same_batch(state: object, fast: Batch, slow: Batch, kind: str) -> None:
    """Two batches from one state hold the same outcomes, number by number and state by state."""
    assert len(fast.numerators) == len(slow.numerators)
    for row in range(len(fast.numerators)):
        ours = [_ratio(fast, row, agent) for agent in range(fast.numerators.shape[1])]
        theirs = [_ratio(slow, row, agent) for agent in range(slow.numerators.shape[1])]
        assert ours == theirs, f"{kind}: a batch pays {ours} where a step pays {theirs}"
    for name in ("totals", "stocks"):
        mine, other = getattr(fast, name), getattr(slow, name)
        assert (mine is None) == (other is None) and (mine is None or np.array_equal(mine, other)), f"{kind}: {name}"
    assert _granted(fast) == _granted(slow), f"{kind}: a batch grants other amounts than a step"
    assert [_state(state, fast, row) for row in range(len(fast.numerators))] == [
        _state(state, slow, row) for row in range(len(slow.numerators))
    ], f"{kind}: a batch goes to another state than a step"


def _granted(batch: Batch) -> list[list[Number]] | None:
    if batch.granted is None:
        return None
    seats = [batch.granted.seat(agent) for agent in range(batch.numerators.shape[1])]
    return [[seat[row] for seat in seats] for row in range(len(batch.numerators))]


def _ratio(batch: Batch, row: int, agent: int) -> Fraction | float:
    over = batch.denominators[row % len(batch.denominators), 0]
    value = batch.numerators[row, agent]
    return float(value) / float(over) if batch.numerators.dtype == np.float64 else Fraction(int(value), int(over))


def _state(state: object, batch: Batch, row: int) -> object:
    if batch.keys is None or batch.state_of is None:
        return state
    return batch.state_of(int(batch.keys[row]))
