from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest

from society.analysis import decompose, decompose_each
from society.analysis.alignment.accuracy import accuracy
from society.analysis.alignment.attribution import shapley_sampled, student_t
from society.analysis.alignment.case import Case, Deed, Settings
from society.analysis.alignment.declared import read_claims
from society.analysis.alignment.diagnosis import deviation, diagnose
from society.analysis.alignment.orders import path_average
from society.analysis.alignment.principal import principal_chain
from society.analysis.alignment.worlds import Worlds, Yardstick, one
from society.core.actions import Amount, Choice, Joint
from society.core.columns import Column
from society.core.errors import BadInput
from society.core.exact import Exact
from society.core.goals import GroupWelfare, OwnPayoff, WorstOff
from society.core.mechanism import Batch, Facts, Mechanism, SpaceOf, Transition
from society.core.policy import Declaration
from society.core.seeds import Noise
from society.mechanisms.collective_risk import Account, CollectiveRisk
from society.mechanisms.common_pool import CommonPool
from society.mechanisms.common_pool_resource import CommonPoolResource
from society.mechanisms.matrix_game import MatrixGame
from society.mechanisms.shared_compute import SharedCompute


@dataclass(frozen=True)
class Nothing:
    """No state."""


class Table(Mechanism[Nothing]):
    """Two agents, C or D; payoffs T, R, P, S."""

    agents: int = 2
    payoffs: tuple[Exact, Exact, Exact, Exact] = (5, 3, 1, 0)
    state_type = Nothing

    def initial_state(self) -> Nothing:
        return Nothing()

    def space(self, state: Nothing, agent: int) -> SpaceOf:
        return Choice(options=("C", "D"))

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        T, R, P, S = self.payoffs
        cells = {("C", "C"): (R, R), ("C", "D"): (S, T), ("D", "C"): (T, S), ("D", "D"): (P, P)}
        return Transition(state=state, payoffs=cells[joint[0], joint[1]])


class Tokens(Mechanism[Nothing]):
    """The common-pool resource of Ostrom, Gardner and Walker: u_i = 5(e - x_i) + x_i(23 - X/4)."""

    agents: int = 8
    endowment: int = 25
    state_type = Nothing

    def initial_state(self) -> Nothing:
        return Nothing()

    def space(self, state: Nothing, agent: int) -> SpaceOf:
        return Amount.between(0, self.endowment)

    def observe(self, state: Nothing, agent: int) -> Facts:
        return {}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        taken = [F(x) for x in joint if not isinstance(x, (str, tuple))]
        total = sum(taken)
        return Transition(
            state=state, payoffs=tuple(5 * (self.endowment - x) + x * (23 - total / 4) for x in taken), total=total
        )

    def batch(self, state: Nothing, joints: np.ndarray, noise: Noise) -> Batch:
        total = joints.sum(axis=1, keepdims=True)
        return Batch(20 * (self.endowment - joints) + joints * (92 - total), np.array([[4]]), totals=total[:, 0])


class Lottery(Table):
    """Six agents with 40 each; if they give less than 120 in all, nine times of ten the rest is lost."""

    agents: int = 6

    def space(self, state: Nothing, agent: int) -> SpaceOf:
        return Amount.between(0, 40)

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        lost = sum(joint) < 120 and noise.chance(F(9, 10), "lottery")
        return Transition(state=state, payoffs=tuple(0 if lost else 40 - given for given in joint))


PD, CPR, OGW = Table(kind="table"), Tokens(kind="tokens"), CommonPoolResource(agents=8, endowment=25)
A3 = {"intended": 5, "predicted": [5] * 7, "actual": [8, 8, 8, 8, 8, 8, 10, 6]}
COLUMNS: list[tuple[str, Mechanism, dict, str]] = [
    (PD, {"intended": "C", "predicted": ["C"], "actual": ["C", "D"], "forecast": 3}, "own", "5 5 3 3 0 | 0 2 0 3 | 3 2 0 | 1"),
    (PD, {"intended": "C", "predicted": ["C"], "actual": ["C", "D"], "forecast": 6}, "welfare", "6 6 6 6 5 | 0 0 0 1 | 6 0 0 | 0"),
    (PD, {"intended": "D", "predicted": ["D"], "actual": ["D", "D"], "forecast": 1}, "own", "5 1 1 1 1 | 4 0 0 0 | 1 4 0 | 0"),
    (PD, {"intended": "C", "predicted": ["C"], "actual": ["D", "D"], "forecast": 3}, "own", "5 5 3 5 1 | 0 2 -2 4 | 3 2 0 | 0"),
    (CPR, A3 | {"forecast": 170}, "own",
     "1675/4 421/2 165 183 141 | 833/4 91/2 -18 42 | 170 995/4 5 | 0"),
    (CPR, A3 | {"forecast": 1320}, "welfare",
     "1324 1324 1320 5247/4 1128 | 0 4 33/4 735/4 | 1320 4 0 | 96"),

]  # fmt: skip
SHIPPED = [(OGW if game is CPR else MatrixGame(), *rest) for game, *rest in COLUMNS]


@pytest.mark.parametrize(
    ("game", "said", "yardstick", "numbers"), COLUMNS + SHIPPED, ids=["A1", "A1b", "A2", "A2b", "A3", "A3b"] * 2
)
def test_the_worked_examples_come_out_as_printed(game: Mechanism, said: Mapping, yardstick: str, numbers: str) -> None:
    stages, terms, forecast, regret = ([F(word) for word in part.split()] for part in numbers.split("|"))
    found = decompose(game, **said, yardstick=yardstick)
    assert stages == [found.W0, found.W1, found.W2, found.W3, found.W4]
    assert [found.anticipated, found.planning, found.say_do, found.surprise] == terms
    assert [found.forecast, found.aspiration, found.model_error] == forecast
    assert found.regret == regret[0]
    assert sum(found.terms.values()) == sum(found.subjective.values()) == found.total == stages[0] - stages[4]


def test_the_order_of_the_steps_changes_the_terms_by_the_interaction() -> None:
    crossed = decompose(CPR, **A3).interaction
    assert (crossed.value, crossed.say_do, crossed.surprise) == (F(-63, 4), F(-81, 8), F(273, 8))
    assert (crossed.say_do_last, crossed.surprise_first) == (F(-9, 4), F(105, 4))
    assert crossed.say_do + crossed.surprise == 165 - 141
    assert crossed.large == (F(63, 4) > F(60, 4))


def test_the_average_over_all_orders_of_two_ladders() -> None:
    grid = [[F(421, 2), 116], [165, F(555, 4)], [183, 141]]
    own, others = path_average(grid)
    assert (*own, *others) == (F(91, 4), F(-15, 2), F(217, 4))


def test_each_share_of_the_surprise_is_two_cents_per_unexpected_token() -> None:
    assert decompose(CPR, **A3).attribution.shares == (None, 6, 6, 6, 6, 6, 10, 2)


@pytest.mark.parametrize(
    ("yardstick", "shares"),
    [("own", (None, 12, 0, 0, 14, 0, 6, -6)), ("welfare", (None, F(81, 2), 0, 0, F(189, 4), 0, F(81, 4), F(-81, 4)))],
)
def test_heterogeneous_predictions_are_attributed_exactly(yardstick: str, shares: tuple) -> None:
    found = decompose(
        CPR, intended=6, predicted=[4, 4, 5, 5, 6, 6, 5], actual=[8, 10, 4, 5, 12, 6, 9, 2], yardstick=yardstick
    )
    assert found.attribution.shares == shares
    assert sum(share for share in shares if share is not None) == found.surprise


STOCK = CommonPool(agents=12)
BEYOND = STOCK.known_value(5, None)
BEYOND_ALL = 10**9
"""A lower end above everything makes the scale negative, so that no interval is ever narrow enough to stop early."""
OVER = {"intended": 4, "predicted": [4] * 11, "actual": [4, 4, 4, 10, 4, 14, 4, 4, 20, 4, 4, 12], "value": BEYOND}


def test_the_threshold_example_is_attributed_exactly() -> None:
    found = decompose(STOCK, **OVER, yardstick="welfare")
    assert found.surprise == 64
    assert [round(float(share), 4) for share in found.attribution.shares if share] == [9.8333, 16.5, 24.5, 13.1667]


def test_sampled_shares_add_up_and_their_intervals_hold_the_exact_ones() -> None:
    exact = decompose(STOCK, **OVER, yardstick="welfare").attribution.shares
    kept, tries = 0, 0
    for seed in range(40):
        found = decompose(
            STOCK, **OVER, yardstick="welfare", attribution="sampled", orders=40, noise=Noise(seed, 1)
        ).attribution
        assert found.method == "sampled"
        assert sum(share for share in found.shares if share is not None) == 64
        for share, half, true in zip(found.shares, found.half_widths, exact, strict=True):
            if true:
                tries += 1
                kept += abs(share - true) <= half
            elif true == 0:
                assert share == 0
    assert tries == 160
    assert kept >= 140  # 95 % of 160 is 152; fewer than 140 has probability 4e-5


@pytest.mark.parametrize(("orders", "widths"), [
    (100, (0.56, 0.85, 1.00, 0.78)), (400, (0.26, 0.45, 0.52, 0.37)), (1600, (0.13, 0.22, 0.26, 0.20)),
])  # fmt: skip
def test_sampled_intervals_are_as_wide_as_printed(orders: int, widths: tuple[float, ...]) -> None:
    found = decompose(
        STOCK, **OVER, yardstick="welfare", attribution="sampled", orders=orders, reference_low=BEYOND_ALL
    )
    blame = found.attribution
    assert blame.orders == orders
    for seat, width in zip((3, 5, 8, 11), widths, strict=True):
        assert blame.half_widths[seat] == pytest.approx(width, rel=0.35)
    exact = (9.8333, 16.5, 24.5, 13.1667)
    assert sum(abs(blame.shares[seat] - F(true)) <= 2 * width for seat, true, width in zip((3, 5, 8, 11), exact, widths, strict=True)) == 4  # fmt: skip


def test_sampling_stops_when_every_interval_is_narrow_against_what_was_at_stake() -> None:
    found = decompose(STOCK, **OVER, yardstick="welfare", attribution="sampled", orders=400).attribution
    assert found.orders < 400


def test_pairs_of_orders_and_their_reverses_make_intervals_narrower() -> None:
    def worth(sets: Any) -> Column:
        over = sets @ np.array([6, 10, 16, 8])
        return Column.of(over + 2 * np.maximum(0, over - 12))

    paired = shapley_sampled(4, worth, luck=Noise(1), orders=400)
    plain = shapley_sampled(4, worth, luck=Noise(1), orders=400, antithetic=False)
    assert max(paired.half_widths) < 0.8 * max(plain.half_widths)


def test_where_the_score_is_quadratic_one_order_and_its_reverse_are_exact() -> None:
    said = {"intended": 6, "predicted": [4, 4, 5, 5, 6, 6, 5], "actual": [8, 10, 4, 5, 12, 6, 9, 2]}
    for yardstick in ("own", "welfare"):
        exact = decompose(CPR, **said, yardstick=yardstick).attribution.shares
        for seed in range(3):
            pair = decompose(CPR, **said, yardstick=yardstick, attribution="sampled", orders=2, noise=Noise(seed, 1))
            assert pair.attribution.shares == exact


def test_unilateral_gains_of_the_common_pool_are_as_printed() -> None:
    gains = [decompose(CPR, seat, actual=[4, 4, 4, 4, 5, 5, 5, 5]).regret for seat in range(8)]
    assert gains == [64] * 4 + [60] * 4 and sum(gains) == 496
    assert all(decompose(CPR, seat, actual=[8] * 8).regret == 0 for seat in range(8))


def test_student_t_has_the_quantiles_of_the_tables() -> None:
    from scipy import stats

    for freedom in (1, 2, 3, 9, 49, 199):
        assert student_t(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_luck_is_what_the_lottery_did_beyond_its_expectation() -> None:
    game = Lottery(kind="lottery")
    lost = next(Noise(seed, 1) for seed in range(99) if Noise(seed, 1).chance(F(9, 10), "lottery"))
    saved = next(Noise(seed, 1) for seed in range(99) if not Noise(seed, 1).chance(F(9, 10), "lottery"))
    odds = [(F(9, 10), lost), (F(1, 10), saved)]
    for noise, luck in ((lost, F(11, 5)), (saved, F(-99, 5))):
        found = decompose(game, intended=18, predicted=[18] * 5, actual=[18] * 6, noise=noise, expected=odds)
        assert (found.W4, found.luck) == (F(11, 5), luck)
        assert sum(found.terms.values()) == found.total == found.W0 - (0 if noise is lost else 22)


def test_an_average_over_fresh_lucks_tells_its_error() -> None:
    found = decompose(
        Lottery(kind="lottery"), intended=18, predicted=[21] * 5, actual=[18] * 6, expected=128, reference_low=0
    )
    assert set(found.errors) == {"anticipated", "planning", "say_do", "surprise", "luck"}
    assert found.errors["say_do"] == 0
    assert found.errors["surprise"] == pytest.approx(22 * 0.3 / 128**0.5, rel=0.3)
    assert abs(found.W4 - F(11, 5)) < 4 * found.errors["luck"]
    assert sum(found.terms.values()) == found.total


CLIMATE = CollectiveRisk(agents=6)
LOTS = [Noise(seed, 10) for seed in range(60)]
LOST = next(lot for lot in LOTS if lot.chance(F(9, 10), "disaster"))
SAVED = next(lot for lot in LOTS if not lot.chance(F(9, 10), "disaster"))


@pytest.mark.parametrize(("lot", "luck"), [(LOST, F(11, 5)), (SAVED, F(-99, 5))])
def test_where_the_rules_know_the_expectation_luck_is_exact(lot: Noise, luck: F) -> None:
    """Everybody gives 2 in the last of ten rounds and 18 in all: 108 of the 120 that save the rest, for certain."""
    state = Account(played=9, paid=(16,) * 6)
    said = {"intended": 2, "predicted": [2] * 5, "actual": [2] * 6, "state": state, "noise": lot}
    found = decompose(CLIMATE, **said, expected="exact")
    assert (found.W4, found.luck, found.errors) == (F(11, 5), luck, {})
    assert found.ceiling_exact and found.ceiling_how.startswith("closed form, expected")
    assert sum(found.terms.values()) == found.total
    drawn = decompose(CLIMATE, **said, expected=400)
    assert abs(drawn.W4 - found.W4) < 4 * drawn.errors["luck"]


@pytest.mark.parametrize("lot", [LOST, SAVED])
@pytest.mark.parametrize("paid", [0, 14, 18])
@pytest.mark.parametrize("yardstick", ["own", "welfare"])
def test_under_the_luck_of_the_round_no_ceiling_is_an_expectation(lot: Noise, paid: int, yardstick: Any) -> None:
    state = Account(played=9, paid=(paid,) * 6)
    for gift in (0, 2, 4):
        found = decompose(
            CLIMATE, intended=0, predicted=[gift] * 5, actual=[gift] * 6, state=state, noise=lot, yardstick=yardstick
        )
        joints = itertools.product((0, 2, 4), repeat=6)
        best = max(CLIMATE.step(state, joint, lot).payoffs[0] for joint in joints) if yardstick == "own" else found.W0
        assert found.W0 == best >= max(found.stages.values())


def test_an_exact_expectation_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadInput, match="know no exact expectation"):
        decompose(PD, actual=["C", "D"], expected="exact")
    with pytest.raises(BadInput, match="does not follow from expected payoffs"):
        decompose(CLIMATE, actual=[2] * 6, expected="exact", yardstick=WorstOff())


def test_the_principal_chain_tells_a_wrong_goal_from_not_following_it() -> None:
    game = SharedCompute(agents=5, capacity=100, value=1, cost="1/5", most=200)
    said = Declaration(intended=40, predicted=(20, 20, 20, 20))
    worlds = Worlds(game, game.initial_state(), one(Noise(0, 1)))
    case = Case(worlds, 0, Yardstick("principal", GroupWelfare()), Settings())
    deed = Deed(worlds.codes([60, 20, 30, 80, 50]))
    chain = principal_chain(case, read_claims(worlds, 0, said), deed, goal=Yardstick("goal", OwnPayoff()))
    assert chain.stages == {"P0": 80, "P1": 80, "P2": 60, "P4": 76, "P5": 72, "P6": 52}
    assert chain.terms == {"anticipated": 0, "outer": 20, "inner+capability": -16, "say_do": 4, "surprise": 20}
    assert chain.outer == (20, 20)
    assert chain.total == 28


def test_goal_conflict_and_coordination_loss_of_all_at_eight() -> None:
    found = [decompose(CPR, agent, actual=[8] * 8) for agent in range(8)]
    shared = decompose(CPR, actual=[8] * 8, yardstick="welfare")
    assert sum(gap.W0 for gap in found) - shared.W0 == 2026
    assert shared.W0 - shared.W4 == 196
    assert found[0].terms == {"unattributed": F(1675, 4) - 141}


@pytest.mark.parametrize(
    ("surprise", "regret", "loss", "situation"),
    [
        (0, 0, 0, "aligned"),
        (0, 0, F(1, 2), "equilibrium trap"),
        (F(1, 2), 0, F(1, 2), "broken expectations"),
        (F(-1, 2), 0, F(1, 2), "broken expectations"),
        (0, F(1, 2), F(1, 2), "knowing self-sacrifice or incompetence"),
        (F(1, 2), F(1, 2), 0, "miscoordination"),
        (F(1, 2), 0, F(-1, 9), "no collective problem"),
        (0, F(1, 2), 0, "no collective problem"),
        (None, 0, F(1, 2), "undetermined"),
        (0, None, 0, "undetermined"),
    ],
)
def test_situations_have_names(surprise: Any, regret: Any, loss: Any, situation: str) -> None:
    assert diagnose(surprise, regret, loss).situation == situation


@pytest.mark.parametrize(
    ("own", "welfare", "kind"),
    [(1, 1, "win-win"), (1, -1, "selfish"), (-1, 1, "altruistic"), (-1, -1, "sabotaging"), (0, 1, "neutral")],
)
def test_broken_words_are_classed_by_who_gains(own: int, welfare: int, kind: str) -> None:
    assert deviation(own, welfare).kind == kind


def test_a_missing_intention_merges_its_two_terms() -> None:
    found = decompose(PD, predicted=["C"], actual=["C", "D"], forecast=3)
    assert found.terms == {"anticipated": 0, "planning+say_do": 2, "surprise": 3}
    assert found.subjective == {"aspiration": 2, "model_error+say_do": 0, "surprise": 3}
    assert (found.W2, found.interaction, found.planning) == (None, None, None)


def test_without_predictions_nothing_is_attributed() -> None:
    for predicted in (None, [None]):
        found = decompose(PD, intended="C", predicted=predicted, actual=["C", "D"], forecast=3)
        assert found.terms == {"unattributed": 5}
        assert (found.attribution, found.subjective, found.regret) == (None, None, 1)


def test_a_partial_prediction_is_too_little_for_a_chain_unless_imputed() -> None:
    said = {"intended": 5, "predicted": [5, 5, 5, None, 5, 5, 5], "actual": A3["actual"]}
    assert decompose(CPR, **said).prediction == "partial"
    assert decompose(CPR, **said).terms == {"unattributed": F(1111, 4)}
    found = decompose(CPR, **said, assumed=[5] * 8)
    assert found.prediction == "imputed"
    assert found.surprise == 42


def test_a_stated_total_is_shared_equally_with_the_odd_units_in_the_lowest_seats() -> None:
    found = decompose(CPR, intended=5, predicted_total=37, actual=A3["actual"])
    by_hand = decompose(CPR, intended=5, predicted=[6, 6, 5, 5, 5, 5, 5], actual=A3["actual"])
    assert found.terms == by_hand.terms
    assert (found.prediction, found.attribution.shares) == ("total", by_hand.attribution.shares)
    assert "shared equally" in found.convention


def test_a_distribution_is_taken_in_expectation_at_every_stage() -> None:
    found = decompose(PD, intended="C", distribution=[("1/4", ["C"]), ("3/4", ["D"])], actual=["C", "D"])
    assert (2, F(3, 4), F(3, 4), 0) == (found.W1, found.W2, found.W3, found.W4)
    assert found.attribution.shares == (None, F(3, 4))


def test_what_is_not_allowed_counts_as_the_nearest_and_is_marked() -> None:
    found = decompose(CPR, intended=40, predicted=[5] * 6 + [99], actual=A3["actual"])
    assert not found.valid
    assert found.terms == decompose(CPR, intended=25, predicted=[5] * 6 + [25], actual=A3["actual"]).terms


def test_whoever_was_seen_to_move_is_predicted_as_seen() -> None:
    found = decompose(PD, 1, intended="D", predicted=["C"], actual=["D", "D"], observed={0: "D"})
    assert (found.W1, found.surprise) == (1, 0)


def test_others_who_would_have_answered_change_what_could_have_been_had() -> None:
    frozen = decompose(PD, intended="C", predicted=["C"], actual=["D", "D"])
    copying = decompose(PD, intended="C", predicted=["C"], actual=["D", "D"], respond=lambda own: [own])
    assert (frozen.regret, copying.regret) == (0, 2)
    assert copying.interaction.value == 3 - 5 - 3 + 1


def test_the_splits_add_up() -> None:
    found = decompose(OGW, **A3, legal=10, announced=3, desired=500, yardstick="own")
    assert found.splits["goal_conflict"] + found.splits["against_benchmark"] == found.anticipated
    assert found.splits["parse"] + found.splits["governance"] == found.say_do
    assert found.splits["parse"] == 165 - (125 + 10 * (18 - F(45, 4)))
    assert found.beside["announce"] == 125 + 3 * (18 - F(38, 4)) - 165
    assert found.beside["ambition"] == 500 - F(1675, 4)
    assert found.beside["avoidable_inter_agent"] == found.benchmark - found.W1 + 42
    assert found.scale.value == F(1675, 4) + 675
    assert found.normalised["surprise"] == 42 / found.scale.value


def test_shares_of_no_gap_do_not_exist() -> None:
    assert decompose(PD, intended="C", predicted=["C"], actual=["C", "C"], yardstick="welfare").shares is None
    mixed = decompose(PD, intended="C", predicted=["C"], actual=["D", "D"])
    assert mixed.shares == {"anticipated": 0, "planning": F(1, 4), "say_do": F(1, 4), "surprise": F(1, 2)}


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"actual": ["C"]}, "give the own one as 'executed'"),
        ({"actual": ["C", "D", "D"]}, "2 agents acted"),
        ({"actual": ["C", "D"], "executed": "D"}, "'executed' says"),
        ({"actual": ["C", "D"], "predicted": ["C", "C"]}, "1 other"),
        ({"actual": ["C", "D"], "predicted": ["C"], "distribution": [(1, ["C"])]}, "give one of"),
        ({"actual": ["C", "D"], "distribution": [("1/2", ["C"])]}, "sum to 1"),
        ({"actual": ["C", "D"], "yardstick": "welfair"}, "did you mean 'welfare'"),
        ({"actual": ["C", "D"], "agent": 2}, "no agent 2"),
    ],
)
def test_wrong_arguments_are_told(mistake: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        decompose(PD, **mistake)


def test_predictions_are_scored_by_how_close_they_came() -> None:
    sure = accuracy(0, [(1, [None, 5, 5])], [9, 8, 5])
    assert (sure.absolute, sure.crps, sure.total) == ((None, 3, 0), (None, 3, 0), 3)
    assert sure.brier == (None, 2, 0)
    spread = accuracy(0, [(F(1, 2), [0, 4, "C"]), (F(1, 2), [0, 8, "C"])], [9, 8, "D"])
    assert spread.absolute == (None, 2, None)
    assert spread.crps == (None, 2 - 1, None)
    assert spread.brier == (None, F(1, 2), 2)
    assert spread.total is None


def test_goals_in_order_are_a_vector_of_decompositions_and_no_sum() -> None:
    """The worst-off first, then own payoff: no number of the one enters the other, and the forecast goes with the first."""
    game = MatrixGame(agents=2, preset="prisoners_dilemma")
    said: dict[str, Any] = {"intended": "C", "predicted": ["C"], "actual": ["C", "D"], "forecast": 3}
    first, second = decompose_each(game, 0, yardsticks=[WorstOff(), "own"], **said)
    assert first == decompose(game, 0, yardstick=WorstOff(), **said)
    assert first.terms == {"anticipated": 0, "planning": 0, "say_do": 0, "surprise": 3}
    assert first.subjective == {"aspiration": 0, "model_error": 0, "say_do": 0, "surprise": 3}
    assert second.terms == {"anticipated": 0, "planning": 2, "say_do": 0, "surprise": 3}
    assert second.subjective is None
    first, second = decompose_each(game, 0, yardsticks=["own", "welfare"], reference_low=-1, **said)
    assert (first.scale.low, second.scale.low) == (-1, decompose(game, 0, yardstick="welfare", **said).scale.low)
    with pytest.raises(BadInput, match="yardsticks"):
        decompose_each(game, 0, yardsticks=[], **said)
    with pytest.raises(BadInput, match="call decompose for each goal"):
        decompose_each(game, 0, yardsticks=["own", "welfare"], value=lambda state: 7, **said)
