"""What holds for every instrument over every mechanism; both are found, none is named."""

from __future__ import annotations

import itertools
import json
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.actions import Division, Joint
from society.core.exact import tidy
from society.core.instrument import Instrument
from society.core.limits import intersect, is_empty
from society.core.mechanism import Mechanism
from society.core.moves import Move
from society.core.seeds import Noise
from society.governance.governed import Decisions, Governed, GovernedState, GovernedTransition
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS


def _mechanisms() -> list[Mechanism[Any]]:
    found = []
    for kind in MECHANISMS.kinds:
        fields = MECHANISMS.type_of(kind).model_fields["agents"]
        found.append(MECHANISMS.parse({"kind": kind} if not fields.is_required() else {"kind": kind, "agents": 3}))
    return found


GAMES = _mechanisms()


def fitting(kind: str) -> list[tuple[Mechanism[Any], Instrument]]:
    """Every mechanism with every example of the instrument that can govern it."""
    pairs = [(game, example) for game in GAMES for example in INSTRUMENTS.type_of(kind).examples(game)]
    return [(game, example) for game, example in pairs if example.unfit(game) is None]


MANY = max(3, settings().max_examples // 15)
"""Plays of each pair of an instrument and a mechanism; there are many pairs."""


LUCK = st.integers(0, 10**6).map(random.Random)
"""Everything else is drawn from this: many small draws by hypothesis would take most of the time."""


def _some_action(luck: random.Random, game: Governed, state: GovernedState, agent: int) -> Any:
    whole = game.mechanism.space(state.physical, agent)
    wide = game.space(state, agent)
    return _pick(luck, luck.choice([space for space in (whole, wide) if not is_empty(space)]))


def _pick(luck: random.Random, space: Any) -> Any:
    """Some action of the space."""
    if isinstance(space, Division):
        cuts = sorted(luck.randint(0, int(space.total / Fraction(space.step))) for _ in range(space.parts - 1))
        ends = [0, *cuts, int(space.total / Fraction(space.step))]
        return tuple(tidy((b - a) * space.step) for a, b in itertools.pairwise(ends))
    return luck.choice(space.grid(at_most=9))


def _answers(luck: random.Random, asks: Any) -> Decisions:
    return {(ask.agent, ask.purpose): {name: _pick(luck, space) for name, space in ask.parts.items()} for ask in asks}


def _moves(luck: random.Random, game: Governed, state: GovernedState) -> tuple[GovernedState, list[Any]]:
    """Every agent makes up to two random moves that are on offer."""
    told: list[Any] = []
    for agent in range(game.agents):
        for _ in range(luck.randint(0, 2)):
            offers = game.offers(state, agent)
            if not offers:
                break
            offer = luck.choice(offers)
            opens = offer.kind in ("propose", "counter")
            move = Move(
                offer.kind,
                offer.rule,
                target=luck.choice(offer.targets) if offer.targets else None,
                members=(luck.choice(offer.seats),) if opens else (),
                to=luck.choice(offer.seats) if offer.seats and not opens else None,
                terms=tuple((name, _pick(luck, space)) for name, space in offer.terms.items()),
                amount=_pick(luck, offer.amount) if offer.amount is not None else None,
                choice=luck.choice(offer.words) if offer.words else "",
            )
            state, events = game.move(state, agent, (move,))
            told.extend(events)
    return state, told


def play_a_round(luck: random.Random, game: Governed, state: GovernedState, noise: Noise) -> GovernedTransition:
    joint: Joint = tuple(_some_action(luck, game, state, agent) for agent in range(game.agents))
    first = game.step(state, joint, noise)
    decisions = _answers(luck, game.second_stage(state, first))
    if not decisions:
        return first
    done = game.step(state, joint, noise, decisions)
    replies = _answers(luck, game.replies(state, done))
    return game.step(state, joint, noise, {**decisions, **replies}) if replies else done


def the_books_balance(state: GovernedState, done: GovernedTransition) -> None:
    """Payoffs are the mechanism's plus the rows; what leaves the pot or enters it is a row as well."""
    payoffs = list(done.material)
    for row in done.transfers:
        assert row.amount >= 0
        assert row.payer is not None or row.payee is not None
        if row.payer is not None:
            payoffs[row.payer] -= row.amount
        if row.payee is not None:
            payoffs[row.payee] += row.amount
    if any(isinstance(p, float) for p in payoffs):
        assert [float(p) for p in done.payoffs] == pytest.approx([float(p) for p in payoffs])
    else:
        assert list(done.payoffs) == payoffs
    assert sum(r.amount for r in done.transfers if r.reason == "pot_share") == state.pot
    assert done.state.pot == sum(r.amount for r in done.transfers if r.reason == "pot")
    outside = sum(r.amount for r in done.transfers if r.payee is None) - sum(
        r.amount for r in done.transfers if r.payer is None
    )
    assert float(sum(done.payoffs)) == pytest.approx(float(sum(done.material) - outside))


def hard_limits_hold(game: Governed, state: GovernedState, done: GovernedTransition) -> None:
    for agent, action in enumerate(done.executed):
        physical = game.mechanism.space(state.physical, agent)
        assert physical.contains(action)
        space = physical
        for rule in game.rules(state):
            if rule.instrument.enforcement == "hard":
                allowed = game.book.allowed(state, rule, agent)
                space = space if allowed is None else intersect(space, allowed)
        assert space.contains(action) or is_empty(space)


@pytest.mark.parametrize("kind", INSTRUMENTS.kinds)
@settings(max_examples=MANY)
@given(luck=LUCK)
def test_every_instrument_keeps_the_books_and_the_limits_on_every_mechanism(kind, luck):
    pairs = fitting(kind)
    assert pairs, "it can govern nothing"
    for mechanism, instrument in pairs:
        game = Governed(mechanism, (instrument,))
        state = game.initial_state()
        for number in (1, 2):
            if game.over(state):
                break
            state, _ = _moves(luck, game, state)
            done = play_a_round(luck, game, state, Noise(luck.randint(0, 9), number))
            the_books_balance(state, done)
            hard_limits_hold(game, state, done)
            survives_json(game, done.state)
            state, _ = game.close(done, _answers(luck, game.ballots(done)))
            survives_json(game, state)


def survives_json(game: Governed, state: GovernedState) -> None:
    back = game.state_from_plain(json.loads(json.dumps(game.state_to_plain(state))))
    assert back == state and hash(back) == hash(state)


@settings(max_examples=5 * MANY)
@given(luck=LUCK)
@pytest.mark.parametrize("mechanism", GAMES, ids=lambda game: game.kind)
def test_any_instruments_together_keep_the_books_and_the_limits(mechanism, luck):
    known = [example for kind in INSTRUMENTS.kinds for game, example in fitting(kind) if game is mechanism]
    chosen: list[Instrument] = luck.choices(known, k=luck.randint(2, 4))
    game = Governed(mechanism, tuple(chosen))
    state = game.initial_state()
    for number in (1, 2, 3):
        if game.over(state):
            break
        state, _ = _moves(luck, game, state)
        done = play_a_round(luck, game, state, Noise(luck.randint(0, 9), number))
        the_books_balance(state, done)
        hard_limits_hold(game, state, done)
        state, _ = game.close(done, _answers(luck, game.ballots(done)))


@pytest.mark.parametrize("kind", INSTRUMENTS.kinds)
def test_every_instrument_says_its_class_its_invariant_and_its_source(kind):
    instrument = INSTRUMENTS.type_of(kind)
    assert instrument.klass in ("motivational", "strategic", "structural")
    assert instrument.invariant.endswith(".")
    assert instrument.__doc__ and instrument.__doc__ != Instrument.__doc__
