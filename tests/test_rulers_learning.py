"""What independent learners come to, at reduced size; the long form has the size of the baseline."""

from collections import Counter
from fractions import Fraction as F

import pytest

import society
from society.core.errors import BadInput
from society.core.goals import GroupWelfare, OwnPayoff
from society.core.seeds import Noise
from society.mechanisms import get
from society.rulers import Learnt, Schooling, learn


def lessons(kind, *, seeds=3, steps=5000, rate=0.1, points=101, expected=False, goals=None, **parameters):
    game = get(kind, **parameters).mechanism
    how = Schooling(steps=steps, rate=rate, points=points, expected=expected)
    return game, learn(game, range(seeds), how, goals=goals)


def ends(found):
    return Counter(tuple(sorted(map(str, lesson.greedy))) for lesson in found.lessons)


@pytest.mark.parametrize(
    ("kind", "parameters", "end"),
    [
        pytest.param("matrix_game", {}, ("D", "D"), id="the prisoner's dilemma fails"),
        pytest.param("matrix_game", {"preset": "risky_stag_hunt"}, ("D", "D"), id="risk dominance wins"),
        pytest.param("matrix_game", {"preset": "chicken"}, ("C", "D"), id="chicken is settled, unequally"),
        pytest.param("public_goods", {"endowment": 5}, ("0",) * 4, id="nobody gives"),
        pytest.param("volunteers_dilemma", {}, ("volunteer", *["wait"] * 4), id="one volunteers"),
        pytest.param("congestion", {"agents": 4}, ("0-1-2-3",) * 4, id="all take the shortcut"),
        pytest.param("congestion", {"agents": 4, "closed": "1-2"}, ("0-1-3", "0-1-3", "0-2-3", "0-2-3"), id="half and half"),
        pytest.param("ai_race", {"risk": "1/5"}, ("UNSAFE", "UNSAFE"), id="a race at low risk"),
        pytest.param("ai_race", {"risk": "7/10"}, ("UNSAFE", "UNSAFE"), id="a race where safety is best for both"),
        pytest.param("ai_race", {"risk": "9/10"}, ("SAFE", "SAFE"), id="a race where safety is risk-dominant"),
    ],
)  # fmt: skip
def test_learners_without_words_end_where_the_baseline_does(kind, parameters, end):
    _, found = lessons(kind, **parameters)
    assert ends(found) == {end: 3}


def test_a_renewable_commons_is_emptied_in_the_first_round():
    game, found = lessons("common_pool", seeds=2, steps=8000)
    for lesson in found.lessons:
        step = game.step(game.initial_state(), lesson.greedy, Noise(0, 1))
        assert step.collapsed and step.total == 100
        assert lesson.welfare == pytest.approx(100)


def test_learners_of_the_laboratory_commons_overuse_it_short_of_nash():
    game, found = lessons("common_pool_resource", agents=4, seeds=3, steps=8000, rate=0.05, a=23, b="1/2", endowment=25)
    best, selfish = game.known_optimum(game.initial_state()).value, 4 * 5 * 25 + F(4 * 18**2, 25) / F(1, 2)
    mean, half = found.mean(lambda lesson: lesson.welfare)
    assert selfish * F(9, 10) < mean <= best and half >= 0


def test_the_same_seed_learns_the_same_and_another_may_not():
    _, one = lessons("matrix_game", preset="stag_hunt", seeds=10, steps=3000)
    _, again = lessons("matrix_game", preset="stag_hunt", seeds=10, steps=3000)
    assert all(
        (a.tables == b.tables).all() and a.greedy == b.greedy for a, b in zip(one.lessons, again.lessons, strict=True)
    )
    assert len(ends(one)) == 2


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("common_pool_resource", {"agents": 3}),
        ("common_pool", {"growth": "stochastic"}),
        ("collective_risk", {"periods": 1, "most": 40}),
        ("attention", {"outcomes": "drawn"}),
    ],
    ids=["amounts", "a stock", "one lottery", "many lots"],
)
def test_what_a_group_learns_does_not_depend_on_which_others_learn(kind, parameters):
    game = get(kind, **parameters).mechanism
    together = learn(game, [4, 9, 2], Schooling(steps=600)).lessons
    for lesson in together:
        (alone,) = learn(game, [lesson.seed], Schooling(steps=600)).lessons
        assert (alone.tables == lesson.tables).all() and (alone.greedy, alone.payoffs) == (
            lesson.greedy,
            lesson.payoffs,
        )


def test_own_payoff_as_a_goal_teaches_what_payoffs_teach():
    _, plain = lessons("public_goods", steps=500, seeds=1)
    _, aimed = lessons("public_goods", steps=500, seeds=1, goals=[OwnPayoff()] * 4)
    assert plain.lessons[0].payoffs == aimed.lessons[0].payoffs


def test_amounts_can_be_learnt_on_a_coarser_grid():
    _, found = lessons("shared_compute", points=11, steps=400, seeds=2)
    assert all(sent % 10 == 0 for lesson in found.lessons for sent in lesson.greedy)
    with pytest.raises(BadInput, match="at least two points"):
        lessons("shared_compute", points=1)


def test_a_lottery_that_is_drawn_teaches_otherwise_than_its_expectation():
    """With nine chances in ten to lose all, six who learn from what they drew come to pay; from expectations nobody pays."""
    climate = {"periods": 1, "most": 40, "step_size": 20, "target": 120}
    _, drawn = lessons("collective_risk", steps=6000, rate=0.05, seeds=4, **climate)
    _, known = lessons("collective_risk", steps=6000, rate=0.05, seeds=4, expected=True, **climate)
    assert max(sum(lesson.greedy) for lesson in known.lessons) < 120
    assert sum(sum(lesson.greedy) >= 120 for lesson in drawn.lessons) > 0


def test_whether_learners_settled_is_told():
    pennies = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]
    _, chase = lessons("matrix_game", seeds=4, steps=4000, table=pennies)
    assert chase.settled < 1 and any(lesson.changes for lesson in chase.lessons)
    _, long = lessons("matrix_game", seeds=4, steps=4000)
    assert long.settled == 1


def test_learners_learn_from_their_goals():
    _, found = lessons("public_goods", endowment=3, agents=3, mpcr="1/2", goals=[GroupWelfare()] * 3)
    assert ends(found) == {("3", "3", "3"): 3}


def test_what_was_learnt_is_done_in_every_state():
    game, found = lessons("common_pool", seeds=1, steps=3000)
    learnt = Learnt(game, found.lessons[0])
    state = type(game.initial_state())(7)
    assert game.space(state, 0).contains(learnt.action(state, 0))
    assert learnt.action(game.initial_state(), 1) == found.lessons[0].greedy[1]


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("constitution", {}, "learners keep a value for every action"),
        ("constitution", {"agents": 3, "motions": [{"name": "rise", "quota": 3}]}, "the same actions in every round"),
    ],
    ids=["divisions", "votes"],
)
def test_games_that_cannot_be_learnt_by_a_table_say_so(kind, parameters, said):
    with pytest.raises(BadInput, match=said):
        lessons(kind, **parameters)


SCENARIO = """
name: learnt
rounds: 3
mechanism: matrix_game
agents:
  - {name: Ann, policy: learned}
  - {name: Bo, policy: {kind: learned, steps: 2000, rate: 0.1}}
"""


def test_a_learned_policy_plays_a_run_that_is_logged_and_replayed(tmp_path):
    (tmp_path / "learnt.yaml").write_text(SCENARIO)
    log = f"sqlite:///{tmp_path}/log.db"
    run = society.play_sync(society.load(tmp_path / "learnt.yaml"), seed=1, log=log)
    assert [played.settled.executed for played in run.episode.rounds] == [("D", "D")] * 3
    assert set(run.episode.models) == {"learned"}
    declared = run.episode.rounds[0].declarations[0].declaration
    assert (declared.intended, declared.predicted, declared.forecast) == ("D", ("D",), 1)
    again = society.play_sync(society.load(tmp_path / "learnt.yaml"), seed=1, log=log)
    assert again.episode.head == run.episode.head or again.episode.settled == run.episode.settled


@pytest.mark.slow
def test_the_baseline_at_its_own_size():
    """Three stag hunts of ten end well; the laboratory commons is over-used, but less than at Nash (64 tokens, 39.5 %); the
    service earns more than at Nash (20) and far less than it could (80).
    """
    _, stags = lessons("matrix_game", preset="stag_hunt", seeds=100, steps=20_000)
    assert stags.mean(lambda lesson: lesson.greedy == ("C", "C"))[0] == pytest.approx(0.295, abs=0.13)
    _, commons = lessons("common_pool_resource", seeds=100, steps=20_000, rate=0.05)
    assert commons.mean(lambda lesson: sum(lesson.greedy))[0] == pytest.approx(54.2, abs=2.5)
    assert commons.mean(lambda lesson: (lesson.welfare - 8 * 125) / 324)[0] == pytest.approx(0.726, abs=0.06)
    _, service = lessons("shared_compute", seeds=100, steps=20_000, rate=0.05, points=21)
    assert service.mean(lambda lesson: sum(lesson.greedy))[0] == pytest.approx(318, abs=12)
    assert service.mean(lambda lesson: lesson.welfare)[0] == pytest.approx(36.3, abs=2.5)


@pytest.mark.slow
@pytest.mark.parametrize("risk", ["9/10", "1/2", "1/10"])
def test_learners_who_know_the_odds_of_the_climate_miss_its_target(risk):
    climate = {"periods": 1, "most": 40, "step_size": 4, "probability": risk}
    _, found = lessons("collective_risk", steps=20_000, rate=0.05, seeds=6, expected=True, **climate)
    assert max(sum(lesson.greedy) for lesson in found.lessons) < 120
