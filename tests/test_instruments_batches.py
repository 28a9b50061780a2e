"""Under every instrument, on every mechanism, many joint actions at once come to what they come to one by one."""

from __future__ import annotations

import random
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.analysis.alignment.ceilings import _level as equals
from society.core.batching import stack
from society.core.exact import Exact, Number
from society.core.instrument import Instrument, Moment, Paid, Played
from society.core.mechanism import Transition, encode
from society.core.rows import Transfer
from society.core.seeds import Noise
from society.governance.governed import Decisions, Governed, GovernedState, GovernedTransition
from society.governance.pipeline_batch import in_batches
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.testing import check_same_batch

from test_instruments import GAMES, LUCK, MANY, _answers, _moves, _pick, fitting  # isort: skip

ROWS = 5
PAIRS = 5
"""Mechanisms that one example tries an instrument on."""


def check_outcomes(luck: random.Random, game: Governed, state: GovernedState, noise: Noise) -> None:
    """A handful of joint actions, on what hard rules leave and off it, with and without a second stage."""
    spaces = [game.space(state, agent) for agent in range(game.agents)]
    wide = [game.mechanism.space(state.physical, agent) for agent in range(game.agents)]
    beyond = [w if s.kind == "amount" else s for s, w in zip(spaces, wide, strict=True)]
    joints = [tuple(_pick(luck, space) for space in luck.choice([spaces, beyond])) for _ in range(ROWS)]
    codes = encode(game, state, joints)
    first = game.step(state, joints[0], noise)
    made: Decisions = _answers(luck, game.second_stage(state, first))
    done = game.step(state, joints[0], noise, made)
    answered: Decisions = {**made, **_answers(luck, game.replies(state, done))}
    for decisions in [answered] if answered and luck.random() < 0.8 else [{}]:
        steps = [game.step(state, joint, noise, decisions) for joint in joints]
        for felt in (False, True):
            one_by_one = stack([_as_outcome(step, step.felt if felt else step.payoffs) for step in steps])
            check_same_batch(
                state.physical, game.batch_now(state, codes, noise, decisions, felt=felt), one_by_one, "batch_now"
            )


def kin_can_be_exchanged(luck: random.Random, game: Governed, state: GovernedState, noise: Noise) -> None:
    """Two seats that rules treat alike, in a game of equals: exchanging their actions exchanges their payoffs."""
    kin = game.kin(state, noise)
    pairs = [(a, b) for a in range(game.agents) for b in range(a) if kin[a] == kin[b]]
    if not pairs or not game.mechanism.symmetric or not equals(state.physical, game.agents):
        return
    one, other = luck.choice(pairs)
    joint = [_pick(luck, game.space(state, agent)) for agent in range(game.agents)]
    turned = list(joint)
    turned[one], turned[other] = joint[other], joint[one]
    before, after = game.step(state, tuple(joint), noise), game.step(state, tuple(turned), noise)
    for here, there in ((before.payoffs, after.payoffs), (before.felt, after.felt)):
        exchanged = list(there)
        exchanged[one], exchanged[other] = there[other], there[one]
        assert [float(pay) for pay in here] == pytest.approx([float(pay) for pay in exchanged], rel=1e-12)


def _as_outcome(step: GovernedTransition, payoffs: tuple[Number, ...]) -> Transition[Any]:
    return Transition(
        step.state.physical, payoffs, granted=step.granted, total=step.total, stock_after=step.stock_after
    )


@pytest.mark.parametrize("kind", INSTRUMENTS.kinds)
@settings(max_examples=MANY)
@given(luck=LUCK)
def test_many_joint_actions_at_once_are_many_single_steps(kind: str, luck: random.Random) -> None:
    pairs = fitting(kind)
    for mechanism, instrument in luck.sample(pairs, min(PAIRS, len(pairs))):
        check_rounds(luck, Governed(mechanism, (instrument,)), 2)


@pytest.mark.parametrize("mechanism", GAMES, ids=lambda game: game.kind)
@settings(max_examples=2 * MANY)
@given(luck=LUCK)
def test_several_instruments_together_as_well(mechanism: Any, luck: random.Random) -> None:
    known = [example for kind in INSTRUMENTS.kinds for game, example in fitting(kind) if game is mechanism]
    check_rounds(luck, Governed(mechanism, tuple(luck.choices(known, k=luck.randint(2, 5)))), 3)


def check_rounds(luck: random.Random, game: Governed, rounds: int) -> None:
    """Rounds of random moves, actions and votes; in each, many joint actions at once are many single steps."""
    state = game.initial_state()
    for number in range(1, rounds + 1):
        if game.over(state):
            break
        state, _ = _moves(luck, game, state)
        noise = Noise(luck.randint(0, 9), number)
        check_outcomes(luck, game, state, noise)
        kin_can_be_exchanged(luck, game, state, noise)
        joint = tuple(_pick(luck, game.space(state, agent)) for agent in range(game.agents))
        done = game.step(state, joint, noise)
        state, _ = game.close(done, _answers(luck, game.ballots(done)))


def test_every_instrument_says_its_form_for_many_joint_actions() -> None:
    assert [kind for kind in INSTRUMENTS.kinds if not in_batches(INSTRUMENTS.type_of(kind))] == []


class Toll(Instrument):
    """An instrument of an author who knows nothing of batches."""

    kind: Literal["toll"] = "toll"
    amount: Exact = 1

    def pay(self, at: Moment, memory: object, played: Played) -> Paid:
        return Paid(tuple(Transfer(seat, None, self.amount, at.rule, "toll") for seat in at.seats))


@settings(max_examples=MANY)
@given(seed=st.integers(0, 99))
def test_an_instrument_without_such_a_form_is_played_row_by_row_and_right(seed: int) -> None:
    assert not in_batches(Toll)
    mechanism = MECHANISMS.parse({"kind": "common_pool", "agents": 3})
    tax = INSTRUMENTS.parse({"kind": "tax", "rate": "3/2", "rebate": 1})
    game = Governed(mechanism, (Toll(amount=2), tax))
    check_outcomes(random.Random(seed), game, game.initial_state(), Noise(seed, 1))
