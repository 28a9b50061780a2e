"""What holds in every game, for every declaration: random games, random words, exact rationals."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any, ClassVar
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from society.analysis import decompose
from society.core.actions import Choice, Joint
from society.core.goals import (
    GroupWelfare,
    InequityAversion,
    OwnPayoff,
    Part,
    RelativePayoff,
    Target,
    Threshold,
    Weighted,
    WorstOff,
)
from society.core.mechanism import Facts, Mechanism, SpaceOf, Transition
from society.core.seeds import Noise


@dataclass(frozen=True)
class Place:
    """Where the game stands: one of three places."""

    place: int = 0


class Maze(Mechanism[Place]):
    """Payoffs and the next state follow from (salt, state, joint action) without rhyme or reason."""

    agents: int = 3
    salt: int = 0
    options: int = 3
    shift: int = 0
    order: tuple[int, ...] = ()
    state_type = Place
    symmetric: ClassVar[bool] = False

    def initial_state(self) -> Place:
        return Place()

    def space(self, state: Place, agent: int) -> SpaceOf:
        return Choice(options=tuple("abcd"[: self.options]))

    def observe(self, state: Place, agent: int) -> Facts:
        return {}

    def step(self, state: Place, joint: Joint, noise: Noise) -> Transition[Place]:
        seats = self.order or tuple(range(self.agents))
        words = "".join(str(joint[seats.index(seat)]) for seat in range(self.agents))
        bits = [crc32(f"{self.salt}/{state.place}/{words}/{seat}".encode()) for seat in range(self.agents + 1)]
        payoffs = [F(b % 41 - 20, 1 + b // 41 % 4) + self.shift for b in bits]
        return Transition(state=Place(bits[-1] % 3), payoffs=tuple(payoffs[seat] for seat in seats), total=bits[-1] % 7)


GOALS = st.sampled_from([
    OwnPayoff(), GroupWelfare(), WorstOff(), InequityAversion(), RelativePayoff(), Target(quantity="total", value=3),
    Target(quantity="own_payoff", value="7/2"), Threshold(quantity="welfare", at_least="1/3"),
    Weighted(parts=(Part(weight="2/3", goal=OwnPayoff()), Part(weight=-1, goal=Threshold(quantity="total", at_least=4)))),
])  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> tuple[Maze, dict[str, Any]]:
    n = draw(st.integers(2, 4))
    options = draw(st.integers(2, 3))
    game = Maze(kind="maze", agents=n, salt=draw(st.integers(0, 10**6)), options=options)
    action = st.sampled_from("abcd"[:options])
    odd = st.one_of(action, st.just("z"))
    others = st.tuples(*[action] * (n - 1))
    said: dict[str, Any] = {"agent": draw(st.integers(0, n - 1)), "actual": draw(st.tuples(*[action] * n))}
    form = draw(st.sampled_from(["none", "points", "gaps", "spread"]))
    if form == "points":
        said["predicted"] = draw(st.tuples(*[odd] * (n - 1)))
    if form == "gaps":
        said["predicted"] = draw(st.tuples(*[st.one_of(st.none(), action)] * (n - 1)))
    if form == "spread":
        profiles = draw(st.lists(others, min_size=1, max_size=3, unique=True))
        weights = [draw(st.integers(1, 5)) for _ in profiles]
        said["distribution"] = [(F(w, sum(weights)), p) for w, p in zip(weights, profiles, strict=True)]
    said["intended"] = draw(st.one_of(st.none(), odd))
    said["forecast"] = draw(st.one_of(st.none(), st.fractions(-9, 9, max_denominator=7)))
    said["legal"] = draw(st.one_of(st.none(), action))
    said["yardstick"] = draw(GOALS)
    said["state"] = Place(draw(st.integers(0, 2)))
    return game, said


@given(cases())
@settings(max_examples=50, deadline=None)
def test_both_chains_and_every_split_sum_to_the_gap(case: tuple[Maze, dict[str, Any]]) -> None:
    game, said = case
    found = decompose(game, **said)
    assert found.ceiling_exact
    assert sum(found.terms.values()) == found.W0 - found.W4 == found.total
    assert max(found.stages.values()) <= found.W0
    assert found.regret >= 0
    if found.subjective is not None:
        assert sum(found.subjective.values()) == found.total
    if "goal_conflict" in found.splits:
        assert found.splits["goal_conflict"] + found.splits["against_benchmark"] == found.terms.get(
            "anticipated", found.W0 - found.W1
        )
    if "parse" in found.splits:
        assert found.splits["parse"] + found.splits["governance"] == found.say_do
    if found.interaction is not None:
        assert found.interaction.say_do + found.interaction.surprise == found.W2 - found.W4
    for term in (found.anticipated, found.planning):
        assert term is None or term >= 0
    assert found.scale.exact
    assert found.scale.value >= 0


@given(cases())
@settings(max_examples=30, deadline=None)
def test_shares_sum_to_the_surprise_and_the_well_predicted_carry_none(case: tuple[Maze, dict[str, Any]]) -> None:
    game, said = case
    found = decompose(game, **said)
    sampled = decompose(game, **said, attribution="sampled", orders=6)
    if found.attribution is None:
        assert sampled.attribution is None
        return
    for blame in (found.attribution, sampled.attribution):
        assert sum(share for share in blame.shares if share is not None) == found.W3 - found.W4
        assert [place for place, share in enumerate(blame.shares) if share is None] == [found.agent]
        if "predicted" in said:
            predicted = list(said["predicted"])
            predicted.insert(found.agent, None)
            for seat, share in enumerate(blame.shares):
                assert seat == found.agent or predicted[seat] != said["actual"][seat] or share == 0


@given(cases())
@settings(max_examples=30, deadline=None)
def test_shares_equal_the_average_over_all_orders(case: tuple[Maze, dict[str, Any]]) -> None:
    game, said = case
    said.pop("distribution", None)
    me, actual = said["agent"], said["actual"]
    others = [seat for seat in range(game.agents) if seat != me]
    said["predicted"] = [chr(ord("a") + (ord(actual[seat]) - ord("a") + seat) % game.options) for seat in others]
    found = decompose(game, **said)
    expected = dict(zip(others, said["predicted"], strict=True))

    def score(revealed: set[int]) -> Any:
        joint = tuple(actual[s] if s == me or s in revealed else expected[s] for s in range(game.agents))
        return said["yardstick"].utility(game.step(said["state"], joint, Noise(0, 1)), me)

    orders = list(itertools.permutations(others))
    for seat in others:
        drops = [score(set(o[: o.index(seat)])) - score(set(o[: o.index(seat) + 1])) for o in orders]
        assert found.attribution.shares[seat] == F(sum(drops)) / len(orders)


@given(cases())
@settings(max_examples=30, deadline=None)
def test_what_was_right_loses_nothing(case: tuple[Maze, dict[str, Any]]) -> None:
    game, said = case
    me, actual = said["agent"], said["actual"]
    said.pop("distribution", None)
    said["predicted"] = [action for seat, action in enumerate(actual) if seat != me]
    said["intended"] = actual[me]
    found = decompose(game, **said)
    assert found.surprise == 0
    assert found.say_do == 0
    assert found.planning == found.regret
    replies = {
        x: game.step(said["state"], (*actual[:me], x, *actual[me + 1 :]), Noise(0, 1)) for x in "abcd"[: game.options]
    }
    best = max(replies, key=lambda x: said["yardstick"].utility(replies[x], me))
    assert decompose(game, **{**said, "intended": best}).planning == 0


@given(cases(), st.integers(-30, 30), st.fractions(F(1, 9), 9, max_denominator=9))
@settings(max_examples=30, deadline=None)
def test_a_constant_changes_no_term_and_a_factor_scales_them_all(
    case: tuple[Maze, dict[str, Any]], shift: int, factor: F
) -> None:
    game, said = case
    said |= {"forecast": None, "yardstick": OwnPayoff()}
    found = decompose(game, **said)
    moved = decompose(game.model_copy(update={"shift": shift}), **said)
    assert moved.terms == found.terms
    assert moved.attribution == found.attribution
    times = Weighted(parts=(Part(weight=factor, goal=OwnPayoff()),))
    scaled = decompose(game, **{**said, "yardstick": times})
    assert scaled.terms == {name: factor * term for name, term in found.terms.items()}


@given(cases(), st.data())
@settings(max_examples=30, deadline=None)
def test_permuting_the_seats_permutes_the_answer(case: tuple[Maze, dict[str, Any]], data: st.DataObject) -> None:
    game, said = case
    said.pop("distribution", None)
    me, n = said["agent"], game.agents
    order = tuple(data.draw(st.permutations(range(n))))
    turned = game.model_copy(update={"order": order})
    whole = list(said.pop("predicted", ["a"] * (n - 1)))
    whole.insert(me, None)
    found = decompose(game, **said, predicted=[a for seat, a in enumerate(whole) if seat != me])
    mine = order.index(me)
    moved = [whole[seat] for seat in order]
    again = decompose(
        turned,
        **{**said, "agent": mine, "actual": [said["actual"][seat] for seat in order]},
        predicted=[a for seat, a in enumerate(moved) if seat != mine],
    )
    assert again.terms == found.terms
    if found.attribution is not None:
        assert [again.attribution.shares[order.index(seat)] for seat in range(n)] == list(found.attribution.shares)


@given(cases(), st.lists(st.tuples(*[st.sampled_from("ab")] * 4), min_size=1, max_size=4), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_episode_adds_up_for_any_reference_value(
    case: tuple[Maze, dict[str, Any]], plays: list[tuple[str, ...]], salt: int
) -> None:
    game, said = case
    n, me, goal = game.agents, said["agent"], said["yardstick"]
    rounds, discount = len(plays), F(3, 4)

    def value(number: int) -> Any:
        if number > rounds:
            return lambda state: 0
        return lambda state: F(crc32(f"{salt}/{number}/{state.place}".encode()) % 99, 7)

    state, left, right = Place(), F(0), F(0)
    start = value(1)(state)
    for number, play in enumerate(plays, start=1):
        weight = discount ** (number - 1)
        said |= {"actual": play[:n], "state": state, "value": value(number + 1), "discount": discount}
        found = decompose(game, **said)
        assert found.mode == "continuation"
        outcome = game.step(state, play[:n], Noise(0, 1))
        left += weight * goal.utility(outcome, me)
        right += weight * (value(number)(state) - found.W0 + sum(found.terms.values()))
        state = outcome.state
    assert start - left == right


@given(cases())
@settings(max_examples=30, deadline=None)
def test_the_same_question_has_the_same_answer(case: tuple[Maze, dict[str, Any]]) -> None:
    game, said = case
    assert repr(decompose(game, **said)) == repr(decompose(game, **said))


def test_columns_of_numbers_stay_exact_beyond_machine_words() -> None:
    from society.core.columns import Column

    big = Column.of([2**62, 3, F(1, 3)])
    assert [(big + big)[row] for row in range(3)] == [2**63, 6, F(2, 3)]
    assert [(big * F(7, 2))[row] for row in range(3)] == [7 * 2**61, F(21, 2), F(7, 6)]
    assert (big - 3).ties().tolist() == [0]
    assert [(abs(-big))[row] for row in range(3)] == [2**62, 3, F(1, 3)]
