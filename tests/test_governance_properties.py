"""What holds of any instruments over any mechanism: books, limits, arms that differ only through a rule, and who seized power."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_instruments import (
    GAMES,
    LUCK,
    MANY,
    _answers,
    _moves,
    _some_action,
    fitting,
    hard_limits_hold,
    play_a_round,
    survives_json,
    the_books_balance,
)

from society.core.instrument import Instrument
from society.core.moves import Move
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS

ENFORCEMENTS = ("hard", "soft", "advisory")
WORDS_ONLY = frozenset(
    ("advice", "constitution", "disclosure", "guilt", "inequity_aversion", "leader", "overthrow", "pact", "reputation",
     "social_orientation")
)  # fmt: skip
"""Instruments that move nobody's action and nobody's payoff while nothing is decided under them."""


def known(mechanism, kinds=INSTRUMENTS.kinds):
    """Every example of these kinds that can govern the mechanism."""
    return [example for kind in kinds for game, example in fitting(kind) if game is mechanism]


def tangled(luck: random.Random, mechanism) -> Governed:
    """Random rules with rules over them: a constitution that can amend, repeal and soften each, and defiance of all."""
    chosen: list[Instrument] = luck.choices(known(mechanism), k=luck.randint(1, 3))
    ids = Governed(mechanism, tuple(chosen)).rule_ids
    agenda = [{"rule": rule, "field": "in_force"} for rule in ids]
    agenda += [{"rule": rule, "field": "enforcement", "options": list(ENFORCEMENTS)} for rule in ids]
    agenda.append({"rule": "charter", "field": "quota", "low": 1, "high": mechanism.agents})
    more = [
        {"kind": "constitution", "name": "charter", "agenda": agenda, "quota": 1 if luck.random() < 0.5 else None},
        {"kind": "overthrow", "name": "revolt", "over": ids, "wear": luck.choice([1, "1/2"])},
        {"kind": "exclusion", "name": "ban", "after": 1, "lasts": 1},
        {"kind": "institution_choice", "name": "feet", "governs": [luck.choice(ids)]},
        {"kind": "guilt", "name": "remorse", "about": ids[0]},
    ]
    extra = [INSTRUMENTS.parse(fields) for fields in luck.sample(more, k=luck.randint(1, len(more)))]
    rules = [*chosen, *extra]
    luck.shuffle(rules)
    try:
        return Governed(mechanism, tuple(rules))
    except ValueError:  # shuffled names of unnamed rules moved, or the agenda names what is not there
        return Governed(mechanism, (*chosen, *extra[:0], INSTRUMENTS.parse(more[0])))


@settings(max_examples=4 * MANY)
@given(luck=LUCK)
@pytest.mark.parametrize("mechanism", GAMES, ids=lambda game: game.kind)
def test_rules_over_rules_keep_the_books_and_the_limits(mechanism, luck):
    game = tangled(luck, mechanism)
    state = game.initial_state()
    for number in (1, 2, 3, 4):
        if game.over(state):
            break
        state, _ = _moves(luck, game, state)
        done = play_a_round(luck, game, state, Noise(luck.randint(0, 9), number))
        the_books_balance(state, done)
        hard_limits_hold(game, state, done)
        state, events = game.close(done, _answers(luck, game.ballots(done)))
        survives_json(game, state)
        told = [event for event in (*done.rule_events, *events) if event.event == "seizure"]
        assert all(event.agents for event in told)


@settings(max_examples=4 * MANY)
@given(luck=LUCK)
@pytest.mark.parametrize("mechanism", GAMES, ids=lambda game: game.kind)
def test_with_and_without_words_the_same_is_done_and_got_under_the_same_luck(mechanism, luck):
    """Counterfactual arms: what changes nothing by itself leaves actions, payoffs, states and luck of others as they were."""
    base: list[Instrument] = luck.choices(known(mechanism), k=luck.randint(0, 2))
    silent = luck.choice(known(mechanism, sorted(WORDS_ONLY)))
    if any(isinstance(other, type(silent)) for other in base):
        return
    plain, more = Governed(mechanism, tuple(base)), Governed(mechanism, (*base, silent))
    states = [plain.initial_state(), more.initial_state()]
    for number in (1, 2, 3):
        noise = Noise(luck.randint(0, 9), number)
        joint = tuple(_some_action(luck, plain, states[0], agent) for agent in range(plain.agents))
        one, two = (game.step(state, joint, noise) for game, state in zip((plain, more), states, strict=True))
        assert (one.executed, one.material, one.payoffs, one.transfers) == (
            two.executed,
            two.material,
            two.payoffs,
            two.transfers,
        )
        assert one.state.physical == two.state.physical and one.rule_events == two.rule_events
        states = [one.state, two.state]
        if plain.over(states[0]):
            break


RULES = [kind for kind in INSTRUMENTS.kinds if "fine" in INSTRUMENTS.type_of(kind).model_fields]


@settings(max_examples=4 * MANY)
@given(luck=LUCK)
@pytest.mark.parametrize("mechanism", GAMES, ids=lambda game: game.kind)
def test_turning_a_rule_from_hard_to_soft_to_advisory_changes_only_what_it_should(mechanism, luck):
    examples = known(mechanism, RULES)
    if not examples:
        return
    example = luck.choice(examples)
    quiet = {"in_force": True, "detection": 1, "execution": 1, "allow_debt": True}
    variants = {mode: example.model_copy(update={**quiet, "enforcement": mode}) for mode in ENFORCEMENTS}
    games = {mode: Governed(mechanism, (rule,)) for mode, rule in variants.items()}
    free = Governed(mechanism)
    state = games["hard"].initial_state()
    noise = Noise(luck.randint(0, 99), 1)
    joint = tuple(_some_action(luck, free, free.initial_state(), agent) for agent in range(free.agents))
    done = {mode: game.step(game.initial_state(), joint, noise) for mode, game in games.items()}
    bare = free.step(free.initial_state(), joint, noise)
    allowed = [games["soft"].book.allowed(state, games["soft"].rules(state)[0], seat) for seat in range(free.agents)]
    lawful = [space is None or space.contains(act) for space, act in zip(allowed, bare.legal, strict=True)]
    # advisory: as if there were no rule; soft: the same deeds, and fines that the lawless alone pay; hard: within the rule
    assert (done["advisory"].executed, done["advisory"].payoffs) == (bare.executed, bare.payoffs)
    assert (done["soft"].executed, done["soft"].material) == (bare.executed, bare.material)
    assert {row.payer for row in done["soft"].transfers} <= {s for s, kept in enumerate(lawful) if not kept}
    assert done["hard"].transfers == () and done["hard"].material == done["hard"].payoffs
    for seat, kept in enumerate(lawful):
        if kept:
            assert done["hard"].executed[seat] == bare.executed[seat]
    if all(lawful):
        assert len({(d.executed, d.payoffs, d.state.physical) for d in done.values()}) == 1


# Who seized power


def wins(quota, weights, group):
    return sum(weights[seat] for seat in group) >= quota


def spread(quota, weights):
    """The sum of squares of the Banzhaf shares, by going through all coalitions."""
    n = len(weights)
    swings = [0] * n
    for size in range(n + 1):
        for group in itertools.combinations(range(n), size):
            for seat in group:
                rest = [s for s in group if s != seat]
                swings[seat] += wins(quota, weights, group) and not wins(quota, weights, rest)
    whole = sum(swings)
    return sum(Fraction(s, whole) ** 2 for s in swings) if whole else Fraction(0)


@given(
    data=st.data(),
    n=st.integers(3, 6),
)
def test_a_seizure_is_told_exactly_when_it_is_one_and_by_exactly_those_who_voted_for_it(data, n):
    def votes():
        return data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any))

    old, new = votes(), votes()
    quota, new_quota = (data.draw(st.integers(1, sum(weights))) for weights in (old, new))
    yes = data.draw(st.sets(st.integers(0, n - 1), min_size=1))
    pact = data.draw(st.sets(st.integers(0, n - 1), min_size=2))
    agenda = [
        {"rule": "constitution", "field": "weights", "tuples": [old, new]},
        {"rule": "constitution", "field": "quota", "low": 1, "high": 4 * n},
    ]
    rule = {"kind": "constitution", "weights": old, "quota": quota, "agenda": agenda}
    game = Governed(
        MECHANISMS.parse({"kind": "public_goods", "agents": n}),
        (INSTRUMENTS.parse(rule), INSTRUMENTS.parse({"kind": "pact"})),
    )
    state = game.initial_state()
    first, *rest = sorted(pact)
    state, _ = game.move(state, first, (Move("propose", "pact", members=tuple(rest)),))
    for seat in rest:
        state, _ = game.move(state, seat, (Move("accept", "pact", target=1),))
    words = " ".join(map(str, new))
    terms = (("constitution.weights", words), ("constitution.quota", new_quota))
    state, _ = game.move(state, min(yes), (Move("motion", "constitution", terms=terms),))
    done = game.step(state, (0,) * n, Noise(1, 1))
    said = {(seat, "constitution"): {"motion 1": "yes" if seat in yes else "no"} for seat in range(n)}
    _, events = game.close(done, said)
    voters = tuple(seat for seat in sorted(yes) if old[seat])  # who has no vote is not asked
    told = [(event.event, event.agents) for event in events if event.event in ("amend", "seizure")]
    if not wins(quota, old, voters):
        assert told == []
        return
    groups = [*((seat,) for seat in range(n)), tuple(sorted(pact))]
    alone = any(wins(new_quota, new, g) and not wins(quota, old, g) for g in groups)
    seized = alone or spread(new_quota, new) - spread(quota, old) >= Fraction(1, 5)
    by = voters
    assert told == [("amend", by), *([("seizure", by)] if seized else [])]
