"""The dilemma of a whole episode, as `society show` tells it, and the landmarks of single mechanisms."""

from fractions import Fraction

import pytest

from society import mechanisms
from society.core.seeds import Noise
from society.mechanisms.reference import reference_of
from society.rulers import Ruler, SteadyPlay, episode_optimum
from society.rulers.steady import COOPERATE, Once
from society.views.rulers import ruler_rows


def steady(kind, rounds, **parameters):
    return Ruler(SteadyPlay(mechanisms.get(kind, **parameters).mechanism, rounds))


def test_a_lone_free_rider_of_the_climate_game_loses_what_all_lose():
    # 100 of 120 paid: the fair keep 20, and lose it with nine tenths; the free rider 40, likewise
    diagram = steady("collective_risk", 10).schelling
    assert diagram.cooperator == (2, 2, 2, 2, 2, 20)
    assert diagram.defector == (4, 4, 4, 4, 4, 4)
    assert (diagram.greed, diagram.fear, diagram.is_dilemma) == (-16, 2, True)


def test_taking_everything_at_once_gains_less_than_a_year_of_fair_shares():
    diagram = steady("common_pool", 12).schelling
    assert diagram.cooperator[-1] == 120 and diagram.defector[0] == 20
    assert diagram.greed == 72 - 120  # 100 of the 140 units asked for: 71 and a half of them, by largest remainder


def test_over_one_round_steady_play_is_the_round_itself():
    for kind in ("public_goods", "common_pool_resource", "matrix_game"):
        whole, stage = steady(kind, 1), mechanisms.get(kind).ruler
        assert whole.schelling.cooperator == stage.schelling.cooperator
        assert whole.self_interest_level.value == stage.self_interest_level.value


def test_luck_that_no_formula_knows_is_averaged_over_worlds_and_says_so():
    game = mechanisms.get("common_pool", growth={"kind": "stochastic"}).mechanism
    play = SteadyPlay(game, 3)
    assert not play.certain and SteadyPlay(mechanisms.get("common_pool").mechanism, 3).certain
    joint = (COOPERATE,) * 5
    assert play.step(Once(), joint, Noise(0, 1)) == play.step(Once(), joint, Noise(7, 1))


@pytest.mark.parametrize(("table", "dominant"), [((5, 3, 1, 0), "D"), ((3, 4, 2, 1), None), ((3, 4, 3, 0), "D")])
def test_risk_dominance_asks_what_does_better_against_even_chances(table, dominant):
    game = mechanisms.get("matrix_game", trps=table)
    assert game.ruler.schelling.risk_dominant == dominant


def landmarks(kind, **parameters):
    return list(mechanisms.get(kind, **parameters).mechanism.known_landmarks().values())


def test_landmarks_are_those_of_the_literature():
    race = {"benefit": 4, "cost": 1, "speed": "3/2", "prize": 10_000, "steps": 100, "detection": "1/2"}
    assert (
        landmarks("ai_race", **race, risk="1/10")
        == landmarks("ai_race", **race, risk="8/10")
        == [Fraction(1, 3), Fraction(53, 69)]
    )
    assert landmarks("constitution", agents=5, quota=3, pie=1, unit=1, discount="9/10") == [
        Fraction(16, 25),
        Fraction(9, 50),
    ]
    assert landmarks("collective_risk") == [Fraction(1, 2)]
    assert landmarks("collective_risk", target=1000) == []


def shown(kind, rounds=None, **parameters):
    return {row["ruler"]: row for row in ruler_rows(mechanisms.get(kind, **parameters).mechanism, rounds)}


def test_a_game_with_a_state_is_judged_by_its_episodes():
    rows = shown("common_pool")
    assert rows["price of anarchy of 12 rounds"]["value"] == Fraction(13, 2)
    assert rows["greed over 12 rounds"]["value"] == -48 and "greed" not in rows
    assert shown("collective_risk")["worst equilibrium of 12 rounds, all together"]["value"] == 24


def test_a_game_without_a_state_is_judged_by_its_round():
    rows = shown("matrix_game")
    assert (rows["greed"]["value"], rows["fear"]["value"], rows["general self-interest level"]["value"]) == (
        2,
        1,
        Fraction(3, 5),
    )
    assert rows["discount at which grim trigger sustains cooperation"]["value"] == Fraction(1, 2)
    assert rows["discount at which tit for tat sustains cooperation"]["value"] == Fraction(2, 3)
    assert not any("rounds" in name for name in rows)


def test_the_mixed_equilibrium_of_volunteers_is_shown():
    (row,) = [row for name, row in shown("volunteers_dilemma", agents=3, benefit=4, cost=1).items() if "mixed" in name]
    assert (row["value"], row["reached by"], row["exact"]) == (9, "volunteer 0.5, wait 0.5 each", True)


def test_several_mixed_equilibria_are_numbered_and_unlike_agents_told_apart():
    names = [name for name in shown("matrix_game", table=[[[1, 1] if i == j else [0, 0] for j in range(3)] for i in range(3)]) if "mixed" in name]  # fmt: skip
    assert names == [f"mixed equilibrium {number}, all together" for number in (1, 2, 3, 4)]
    battle = shown("matrix_game", table=[[[2, 1], [0, 0]], [[0, 0], [1, 2]]])
    assert battle["mixed equilibrium, all together"]["reached by"] == "C 0.6667, D 0.3333; C 0.3333, D 0.6667"


@pytest.mark.parametrize("kind", mechanisms.MECHANISMS.kinds)
def test_every_mechanism_can_be_measured(kind):
    from society.views.rulers import instance_of

    rows = ruler_rows(instance_of(mechanisms.MECHANISMS.type_of(kind)))
    assert rows and len({row["ruler"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("kind", "parameters", "optimum", "worst", "best"),
    [
        ("common_pool_resource", {}, 1324, 1128, 1128),
        ("shared_compute", {}, 80, 20, 20),
        ("ai_race", {"risk": "4/5"}, 102, Fraction(153, 5), 102),
        ("public_goods", {}, 128, 80, 80),
        ("congestion", {}, Fraction(-746, 5), -170, -170),
    ],
)
def test_what_a_repeated_game_could_give_is_its_round_so_many_times(kind, parameters, optimum, worst, best):
    """The papers' own sizes are too large for a programme over states, and need none."""
    game = mechanisms.get(kind, **parameters).mechanism
    assert game.repeated and episode_optimum(game, 20).value == 20 * optimum
    known = reference_of(game, 20)
    assert (known.optimum, known.worst_equilibrium, known.best_equilibrium) == (20 * optimum, 20 * worst, 20 * best)


@pytest.mark.parametrize(("risk", "best"), [("9/10", 120), ("1/2", 120), ("1/10", 216)])
def test_the_best_equilibrium_of_the_climate_game_is_its_optimum(risk, best):
    """Twenty each are worth paying from even odds on; below them nobody pays, and that is best."""
    known = reference_of(mechanisms.get("collective_risk", probability=risk).mechanism, 10)
    assert (known.optimum, known.best_equilibrium) == (best, best)
    assert reference_of(mechanisms.get("collective_risk").mechanism, 9).best_equilibrium is None  # it ends too early
