"""The decomposition adds up on every mechanism under every instrument; both are found, none is named."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from society.analysis import align, decompose
from society.core.actions import Action, Division
from society.core.columns import Column
from society.core.policy import Act, Answer, Decide, Declaration, Declare, Draft, Question, Speak, Utterance
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.testing import random_joint

from test_alignment_episode import play  # isort: skip
from test_instruments import GAMES, _pick, fitting, play_a_round  # isort: skip
from society.scenario.model import AgentSpec, Scenario, Stages, Talk

FEW = 60
"""Joint actions tried one by one for a ceiling; beyond, a search: what has to hold holds for lower bounds as well."""


def near(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return bool(abs(float(one) - float(other)) <= 1e-9 * max(1.0, abs(float(one))))
    return bool(one == other)


def adds_up(found: Any) -> None:
    total = sum(found.terms.values())
    assert near(total, found.total)
    assert near(found.total, found.W0 - found.W4)
    if found.subjective is not None:
        assert near(sum(found.subjective.values()), found.total)
    if "goal_conflict" in found.splits:
        assert near(found.splits["goal_conflict"] + found.splits["against_benchmark"], found.W0 - found.W1)
    if "parse" in found.splits:
        assert near(found.splits["parse"] + found.splits["governance"], found.W2 - found.W3)
    if found.attribution is not None:
        assert near(sum(share for share in found.attribution.shares if share is not None), found.W3 - found.W4)
    if found.ordering is not None:
        for path in (*found.ordering.paths.values(), found.ordering.average):
            assert near(sum(path), found.W1 - found.W4)
    assert found.regret >= 0 or near(found.regret, 0)
    assert all(stage <= found.W0 or near(stage, found.W0) for stage in found.stages.values())
    if found.planning is not None:
        assert found.planning >= 0 or near(found.planning, 0)


def declared(dice: random.Random, game: Any, state: Any, agent: int, joint: Any) -> dict[str, Any]:
    """A random declaration: right, wrong, partial, not allowed, or missing."""
    spaces = [game.space(state, seat) for seat in range(game.agents)]
    others = [seat for seat in range(game.agents) if seat != agent]
    kind = dice.choice(["points", "right", "partial", "spread", "odd", "none"])
    said: dict[str, Any] = {"intended": dice.choice([None, _pick(dice, spaces[agent]), joint[agent]])}
    some = [_pick(dice, spaces[seat]) for seat in others]
    if kind == "points":
        said["predicted"] = some
    if kind == "right":
        said["predicted"] = [joint[seat] for seat in others]
    if kind == "partial":
        said["predicted"] = [None, *some[1:]]
    if kind == "spread":
        said["distribution"] = [(Fraction(1, 3), some), (Fraction(2, 3), [joint[seat] for seat in others])]
    if kind == "odd":
        said["predicted"] = [-7 if isinstance(action, (int, Fraction)) else action for action in some]
        said["intended"] = 10**6 if isinstance(joint[agent], (int, Fraction)) else joint[agent]
    said["forecast"] = dice.choice([None, dice.randint(-9, 9), Fraction(dice.randint(-9, 9), 7)])
    return said


def check(dice: random.Random, game: Any, state: Any, joint: Any, noise: Noise) -> None:
    for yardstick in ("own", "welfare"):
        agent = dice.randrange(game.agents)
        said = declared(dice, game, state, agent, joint)
        found = decompose(
            game, agent, actual=joint, state=state, noise=noise, yardstick=yardstick, enumerate_up_to=FEW, **said
        )
        adds_up(found)
        if said.get("predicted") == [joint[seat] for seat in range(game.agents) if seat != agent]:
            assert near(found.surprise, 0)
            if said["intended"] == joint[agent]:
                assert near(found.say_do, 0)


@pytest.mark.parametrize("mechanism", GAMES, ids=lambda game: game.kind)
@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.slow)])
def test_it_adds_up_on_every_mechanism(mechanism: Any, seed: int) -> None:
    dice = random.Random(seed)
    state = mechanism.initial_state()
    for number in (1, 2):
        if mechanism.over(state):
            break
        joint = random_joint(mechanism, state, dice)
        noise = Noise(seed, number)
        check(dice, mechanism, state, joint, noise)
        state = mechanism.step(state, joint, noise).state


@pytest.mark.parametrize("kind", INSTRUMENTS.kinds)
def test_it_adds_up_under_every_instrument(kind: str) -> None:
    dice = random.Random(kind)
    pairs = fitting(kind)
    for mechanism, instrument in dice.sample(pairs, min(4, len(pairs))):
        game = Governed(mechanism, (instrument,))
        state = game.initial_state()
        done = play_a_round(dice, game, state, Noise(1, 1))
        check(dice, game, state, done.legal, Noise(1, 1))
        state, _ = game.close(done, {})
        if not game.over(state):
            joint = tuple(_pick(dice, game.space(state, agent)) for agent in range(game.agents))
            check(dice, game, state, joint, Noise(1, 2))


class Anything:
    """A policy that says, promises, declares and does anything it may, and punishes at random."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    async def answer(self, question: Question[Any]) -> Answer[Any]:
        pick, dice = _pick, self.dice
        space = question.seen.space
        if isinstance(question, Speak):
            announced: Action | None = pick(dice, space) if question.announce and dice.random() < 0.7 else None
            return Answer(Utterance((Draft(None, "so be it", announced),)))
        if isinstance(question, Declare):
            others = [s for seat, s in enumerate(question.spaces) if seat != question.seen.agent]
            stated = Declaration(pick(dice, space), tuple(pick(dice, other) for other in others), forecast=3)
            return Answer(stated if dice.random() < 0.8 else None, "ok" if dice.random() < 0.9 else "empty")
        if isinstance(question, Act):
            chosen = pick(dice, space)
            return Answer(chosen, submitted=None)
        assert isinstance(question, Decide)
        return Answer({name: pick(dice, part) for name, part in question.parts.items()})


SOME = [
    pytest.param(kind, marks=[pytest.mark.slow] if place % 3 else []) for place, kind in enumerate(INSTRUMENTS.kinds)
]
"""A third of them always; all in the long form."""


@pytest.mark.parametrize("kind", SOME)
def test_whole_episodes_add_up_under_every_instrument(kind: str) -> None:
    dice = random.Random(f"{kind}!")
    mechanism, instrument = dice.choice(fitting(kind))
    played = Scenario(
        name="anything",
        rounds=2,
        mechanism=mechanism,
        agents=tuple(AgentSpec(name=f"A{seat}") for seat in range(mechanism.agents)),
        instruments=(instrument,),
        stages=Stages(talk=Talk(announce=True)),
    )
    episode = play(played, [Anything(seat) for seat in range(mechanism.agents)], seed=dice.randint(0, 9))
    head = episode.head
    found = align(episode, enumerate_up_to=FEW)
    assert episode.head == head
    for judged in found.judged:
        adds_up(judged.gap)
    for agent in range(found.agents):
        for yardstick in found.yardsticks:
            whole = found.episode(agent, yardstick)
            if whole.start is not None:
                assert near(whole.start - whole.earned - whole.left_open, whole.total + whole.slack)
            assert near(whole.happened, whole.earned + whole.left_open)
    assert found.rows() == align(episode, enumerate_up_to=FEW).rows()
    assert found.text()


def test_a_denominator_beyond_machine_words_meets_zeros() -> None:
    tiny = Column.of([0, 0]) + Column.of([Fraction(1, 3**50), 0])
    assert [tiny[0], tiny[1]] == [Fraction(1, 3**50), 0]


def test_many_divisions_are_thinned_evenly_and_keep_their_ends() -> None:
    space = Division(total=100, parts=5)
    thin = space.grid(1001)
    assert len(set(thin)) == len(thin) == 1001
    assert all(space.contains(division) for division in thin)
    assert thin[0] == (0, 0, 0, 0, 100) and thin[-1] == (100, 0, 0, 0, 0)
    assert Division(total=7, parts=3).grid(3) == ((0, 0, 7), (0, 7, 0), (7, 0, 0))
    assert Division(total=3, parts=2).grid(99) == ((0, 3), (1, 2), (2, 1), (3, 0))


def test_every_mechanism_can_be_taken_apart_without_a_name() -> None:
    assert {game.kind for game in GAMES} == set(MECHANISMS.kinds)
