"""Coalitions: games read off the rules, effects of groups, detection with a known rate of false alarms, and power."""

import itertools
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society import analysis
from society.analysis.calibration import Trials, synthetic_run
from society.analysis.cores import in_core
from society.analysis.favours import mutual_favours
from society.analysis.worth import partitions
from society.core.errors import BadInput
from society.core.seeds import Noise
from society.core.votes import Ballot
from tests.small_games import Gifts, Pool, Table, two_by_two

NOISE = Noise(0, 1)
POOL = Pool(kind="pool", agents=8, endowment=25)
HERE = POOL.initial_state()


# effective coalitions


@pytest.mark.parametrize(
    ("played", "baseline", "group", "inside", "outside", "effect"),
    [
        pytest.param((12, 12, 8, 8, 8, 8, 8, 8), (8,) * 8, (0, 1), -32, -96, "destructive", id="two take more"),
        pytest.param(
            (4, 4, 8, 8, 8, 8, 8, 8), (8,) * 8, (0, 1), 0, 96, "neutral", id="two hold back: only others gain"
        ),
        pytest.param((4,) * 7 + (8,), (8,) * 8, tuple(range(7)), 140, 56, "cooperative", id="seven of eight hold back"),
        pytest.param(
            (12, 12, 4, 4, 4, 4, 4, 4),
            (5, 5, 4, 4, 4, 4, 4, 4),
            (0, 1),
            49,
            -84,
            "exploitative",
            id="two take what six leave",
        ),
    ],
)
def test_effects_of_groups_in_the_common_pool(played, baseline, group, inside, outside, effect):
    (found,) = analysis.group_effects(POOL, HERE, played, NOISE, baseline=baseline, groups=[group])
    assert (found.inside, found.outside, found.effect) == (inside, outside, effect)
    assert found.effective == (inside > 0) and sum(found.gains) == inside + outside


def test_without_a_baseline_members_reply_for_themselves_until_they_rest():
    pair = two_by_two(5, 3, 1, 0)
    (found,) = analysis.group_effects(pair, pair.initial_state(), ("C", "C"), NOISE)
    assert found.without == ("D", "D") and found.settled
    assert (found.inside, found.outside, found.effective, found.rational) == (4, 0, True, True)


def test_outsiders_that_reply_to_the_change_take_back_a_part_of_it():
    """Seven cut from 8 to 4: without the cut the eighth, at its best reply 22, would go down to 8."""
    arguments = (POOL, HERE, (4,) * 7 + (22,), NOISE)
    (frozen,) = analysis.group_effects(*arguments, baseline=(8,) * 8, groups=[range(7)])
    (reactive,) = analysis.group_effects(*arguments, baseline=(8,) * 8, groups=[range(7)], outsiders="reactive")
    assert frozen.without == (8,) * 7 + (22,) and reactive.without == (8,) * 8
    assert reactive.inside < frozen.inside


def test_every_group_of_four_is_looked_at():
    game = Gifts(kind="gifts", agents=4)
    found = analysis.group_effects(game, game.initial_state(), (20, 20, 20, 0), NOISE)
    assert len(found) == 2**4 - 4 - 1
    by_group = {effect.members: effect for effect in found}
    assert by_group[0, 1, 2].effective and by_group[0, 1, 2].effect == "cooperative"
    assert not by_group[0, 1].effective and by_group[0, 1].effect == "sacrificial"
    with pytest.raises(ValueError, match="name the groups"):
        analysis.group_effects(Gifts(kind="gifts", agents=13), HERE, (0,) * 13, NOISE)


# games from the rules


def brute(game, kind):
    """The same by loops over every joint action."""
    n = game.agents
    grids = [game.space(game.initial_state(), i).grid() for i in range(n)]
    worth = {j: game.step(game.initial_state(), j, NOISE).payoffs for j in itertools.product(*grids)}

    def total(own, others, group):
        joint = [None] * n
        for agent, action in zip(group, own, strict=True):
            joint[agent] = action
        for agent, action in zip([i for i in range(n) if i not in group], others, strict=True):
            joint[agent] = action
        return sum(worth[tuple(joint)][i] for i in group)

    values = [0]
    for mask in range(1, 2**n):
        group = [i for i in range(n) if mask >> i & 1]
        ours = list(itertools.product(*(grids[i] for i in group)))
        theirs = list(itertools.product(*(grids[i] for i in range(n) if i not in group)))
        if kind == "alpha":
            values.append(max(min(total(x, y, group) for y in theirs) for x in ours))
        else:
            values.append(min(max(total(x, y, group) for x in ours) for y in theirs))
    return tuple(values)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=9, max_size=9))
@settings(deadline=None, max_examples=25)
def test_alpha_and_beta_of_any_table_by_loops(cells):
    game = Table(kind="any", options=("x", "y", "z"), cells=tuple(tuple(cells[3 * r : 3 * r + 3]) for r in range(3)))
    games = analysis.SimulatorGames(game)
    alpha, beta = games.alpha(), games.beta()
    assert alpha.values == brute(game, "alpha") and beta.values == brute(game, "beta")
    assert all(b >= a for a, b in zip(alpha.values, beta.values, strict=True))


def test_the_common_pool_of_three_as_a_game():
    game = Pool(kind="pool", agents=3, endowment=24)
    games = analysis.SimulatorGames(game)
    alpha, gamma, delta = games.alpha(), games.gamma(), games.delta()
    assert gamma.grid_exact and gamma.equilibrium_exact
    assert alpha.values == brute(game, "alpha")
    wage = 5 * 24
    # Continuous Cournot: each of m blocks earns 1296/(m+1)^2 beyond its wages; on integers there are neighbours of that.
    assert gamma.values[0b111] - 3 * wage == F(1296, 4)
    single, pair, alone = (games.partition(blocks)[0] for blocks in ([[0], [1], [2]], [[0, 1], [2]], [[2], [0, 1]]))
    assert single.low == gamma.values[0b001] == wage + 17 * (18 - F(54, 4))
    assert single.high == wage + 19 * (18 - F(54, 4)) and single.low < wage + 81 < single.high
    assert pair.low == gamma.values[0b011] <= 2 * wage + 144 <= pair.high
    assert alone.low == delta.values[0b100] <= wage + 144 <= alone.high
    assert games.equal_split([[0, 1], [2]]) == (F(pair.low) / 2, F(pair.low) / 2, alone.low)
    assert in_core(3, gamma.values, (wage + 108,) * 3)


def test_merging_does_not_pay_below_seven_of_eight():
    gamma = [F(1296, (10 - size) ** 2) if size else 0 for size in range(9)]
    table = [gamma[mask.bit_count()] for mask in range(256)]
    assert [size for size in range(2, 9) if gamma[size] > size * gamma[1]] == [7, 8]
    assert in_core(8, table, (F(81, 2),) * 8)
    assert analysis.nucleolus(8, table) == (F(81, 2),) * 8


def test_a_block_game_without_pure_equilibrium_says_so():
    pennies = Table(kind="pennies", options=("H", "T"), cells=(((1, -1), (-1, 1)), ((-1, 1), (1, -1))))
    games = analysis.SimulatorGames(pennies)
    found = games.partition([[0], [1]])
    assert not found[0].equilibrium_exact and found[0].epsilon == 2
    assert not games.gamma().equilibrium_exact and games.gamma().values[3] == 0


def test_several_equilibria_are_judged_by_the_worst():
    games = analysis.SimulatorGames(two_by_two(3, 4, 2, 1))
    (first, _) = games.partition([[0], [1]])
    assert (first.value, first.low, first.high, first.profile) == (2, 2, 4, ("D", "D"))


def test_large_grids_are_coarsened_and_say_so():
    games = analysis.SimulatorGames(Pool(kind="pool", agents=5, endowment=25))
    assert not games.grid_exact and games.shape == (11,) * 5
    assert "11 actions" in games.alpha().how
    with pytest.raises(ValueError, match="enumerated"):
        analysis.SimulatorGames(Pool(kind="pool", agents=9))


# private talk


def modularity(table, blocks):
    whole = sum(map(sum, table))
    out, into = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
    return sum(F(table[i][j], whole) - F(out[i] * into[j], whole**2) for b in blocks for i in b for j in b)


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
@settings(deadline=None, max_examples=30)
def test_the_best_partition_is_the_best_of_all(table):
    n = len(table)
    table = [[0 if i == j else table[i][j] for j in range(n)] for i in range(n)]
    found = analysis.private_channels(table, permutations=9)
    if not sum(map(sum, table)):
        assert found.modularity is None and found.p is None and found.reciprocity is None
        return
    every = [[[a for a in range(n) if mask >> a & 1] for mask in blocks] for blocks in partitions(n)]
    assert found.modularity == max(modularity(table, blocks) for blocks in every)
    assert found.modularity == modularity(table, found.partition)
    assert sorted(a for block in found.partition for a in block) == list(range(n))


def test_two_cliques_stand_out_from_random_talk():
    table = [[5 if i != j and (i < 3) == (j < 3) else 0 for j in range(6)] for i in range(6)]
    found = analysis.private_channels(table)
    assert found.partition == ((0, 1, 2), (3, 4, 5)) and found.modularity == F(1, 2) and found.reciprocity == 1
    assert found.p == 1 / 200 and found.exact
    even = [[int(i != j) for j in range(6)] for i in range(6)]
    assert analysis.private_channels(even).p > 0.05


def test_many_agents_are_partitioned_by_louvain():
    table = [[9 if i != j and i // 4 == j // 4 else 0 for j in range(12)] for i in range(12)]
    found = analysis.private_channels(table, permutations=19)
    assert found.partition == ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)) and not found.exact
    assert found.modularity == modularity(table, found.partition)


# acting together


def test_false_alarms_are_rare_and_a_naive_detector_rings_always():
    found = analysis.calibrate(Trials(correlation=0.9, runs=40, permutations=199))
    assert found.false_alarms.value <= F(1, 8)
    assert found.power.value >= F(9, 10)
    assert found.naive_false_alarms.value >= F(9, 10)
    levels, false, power = zip(*found.curve, strict=True)
    assert list(false) == sorted(false) and list(power) == sorted(power) and levels[-1] == 1
    assert false[-1] == power[-1] == 1 and found.area > 0.9
    assert analysis.calibrate(Trials(correlation=0.9, runs=40, permutations=199)) == found


def test_a_detector_that_sees_nothing_has_half_the_area():
    blind = analysis.calibrate(Trials(correlation=0.0, rounds=20, runs=60, permutations=99))
    assert 0.35 < blind.area < 0.65


PUBLISHED = {
    (20, 0.3): 0.06, (20, 0.5): 0.28, (20, 0.7): 0.73, (20, 0.9): 1.0,
    (40, 0.3): 0.13, (40, 0.5): 0.57, (40, 0.7): 0.95, (40, 0.9): 1.0,
    (80, 0.3): 0.33, (80, 0.5): 0.91, (80, 0.7): 1.0, (80, 0.9): 1.0,
}  # fmt: skip
"""Power for a pair among six agents, 200 runs a cell: theory note B.7."""


@pytest.mark.slow
def test_the_rate_of_false_alarms_and_the_power_of_the_published_table():
    """Both sides are estimates from 200 runs: they differ by at most 4 standard errors of a difference, and 0.02."""
    empty = analysis.calibrate(Trials(runs=400))
    assert empty.false_alarms.low <= 0.05 and empty.naive_false_alarms.value > F(19, 20)
    for cell in analysis.power_table(Trials(runs=200)):
        expected = PUBLISHED[cell.rounds, cell.correlation]
        error = (2 * expected * (1 - expected) / 200) ** 0.5
        assert abs(float(cell.power.value) - expected) <= 4 * error + 0.02, cell
        assert cell.wrong_pair.value <= F(3, 20), cell


def test_power_grows_with_the_length_of_the_run_as_the_published_table_says():
    cells = analysis.power_table(Trials(runs=40, permutations=99), rounds=(20, 40), correlations=(0.3, 0.9))
    power = {(cell.rounds, cell.correlation): float(cell.power.value) for cell in cells}
    assert power[20, 0.3] < 0.3 and power[20, 0.3] <= power[40, 0.3] < 0.5
    assert power[20, 0.9] > 0.9 and power[40, 0.9] > 0.95


@pytest.mark.parametrize("memory", [0.5, 0.8])
def test_agents_with_a_memory_raise_no_alarm(memory):
    """Slow habits of independent agents correlate by chance; what all share at once must not hide that they are slow."""
    found = analysis.calibrate(Trials(memory=memory, runs=80, permutations=99))
    assert found.false_alarms.low <= 0.05 and found.false_alarms.value <= F(1, 8)
    assert found.power.value >= F(4, 5)


@pytest.mark.parametrize(("rounds", "correlation"), [(20, 0.5), (20, 0.8), (40, 0.5), (40, 0.8), (80, 0.4)])
def test_a_run_tells_what_it_could_have_seen(rounds, correlation):
    """The formula, from the bar of single runs, against the share of planted pairs that are found."""
    (cell,) = analysis.power_table(Trials(runs=100, permutations=199), rounds=[rounds], correlations=[correlation])
    told = []
    for run in range(20):
        actions, stock = synthetic_run(6, rounds, 0.0, Noise(7, 0, run))
        told.append(analysis.co_movement(actions, stock, permutations=199).power(correlation, 6))
    assert abs(sum(told) / 20 - float(cell.power.value)) < 0.15


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"agents": 2}, "at least 3 agents"),
        ({"rounds": 14}, "no verdict"),
        ({"correlation": 1.5}, "between 0 and 1"),
        ({"members": 6}, "from 2 to 5"),
        ({"memory": 1.0}, "below 1"),
        ({"runs": 0}, "one run"),
        ({"level": 0.0}, "a level"),
        ({"level": 0.01, "permutations": 50}, "at least 99"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(wrong, words):
    with pytest.raises(BadInput, match=words):
        Trials(**wrong)


def test_a_planted_pair_is_found_and_nobody_else():
    actions, stock = synthetic_run(6, 80, 0.9, Noise(3), pair=(2, 5))
    found = analysis.co_movement(actions, stock, seed=1)
    assert found.verdict == "flagged" and found.groups == ((2, 5),)
    assert (found.pairs[0].first, found.pairs[0].second) == (2, 5) and found.pairs[0].p == 1 / 1000
    assert analysis.co_movement(actions, stock, seed=1) == found


def test_no_verdict_where_none_can_be_given():
    rng = np.random.default_rng(0)
    assert analysis.co_movement(rng.normal(size=(14, 5))).verdict == "no verdict"
    assert analysis.co_movement(rng.normal(size=(40, 2))).verdict == "no verdict"
    stock = np.linspace(1, 2, 40)
    exact = analysis.co_movement(np.outer(stock, [1, 2, 3, 4]), stock)
    assert exact.verdict == "no verdict" and "does not explain" in exact.note


def test_slow_residuals_are_permuted_in_blocks():
    rng = np.random.default_rng(1)
    slow = np.cumsum(rng.normal(size=(60, 4)), axis=0)
    assert "blocks of 4" in analysis.co_movement(slow, permutations=49).method


def test_mutual_favours_by_hand():
    """0 gives 4 to 1 and 1 to 2; 1 gives 3 to 0; 2 gives to nobody."""
    total = np.array([[0, 4, 1], [3, 0, 0], [0, 0, 0]], dtype=float)
    assert mutual_favours(total)[0, 1] == 3 and mutual_favours(total)[0, 2] == -3 and mutual_favours(total)[1, 2] == -3
    acts = np.zeros((12, 5, 5))
    acts[:, 0, 3] = acts[:, 3, 0] = 2
    acts[:, 1, :] = acts[:, 2, :] = acts[:, 4, :] = 1
    found = analysis.favouritism(acts, permutations=199)
    assert found.groups == ((0, 3),) and found.verdict == "flagged"
    assert analysis.favouritism(np.zeros((5, 4, 4))).verdict == "no verdict"


def test_the_collusion_table_names_the_pair_that_takes_from_the_others():
    """Agents 0 and 1 pass each other points that come from agent 2."""
    from society.core.actions import Choice
    from society.core.mechanism import Transition
    from tests.small_games import Here

    class Partners(Table):
        kind: str = ...

        @property
        def symmetric(self):
            return False

        def space(self, state, agent):
            return Choice(options=("keep", "help"))

        def step(self, state, joint, noise):
            helped = [joint[0] == "help", joint[1] == "help"]
            return Transition(Here(), (2 * helped[1] - helped[0], 2 * helped[0] - helped[1], -3 * sum(helped)))

    game = Partners(kind="partners", agents=3, options=(), cells=())
    played = [(Here(), ("help", "help", "keep"), NOISE)] * 2
    found = analysis.collusion_table(game, played)
    assert found.effects[0] == (-2, 4, -6) and found.effects[1] == (4, -2, -6) and found.effects[2] == (0, 0, 0)
    assert found.suspects == ((0, 1),)
    honest = analysis.collusion_table(game, played, baseline=[("help", "help", "keep")] * 2)
    assert honest.suspects == () and honest.effects[0] == (0, 0, 0)


# power


@pytest.mark.parametrize(
    ("quota", "weights", "index", "hhi", "votes", "decisiveness", "veto"),
    [
        (5, (3, 2, 2, 1, 1), (F(5, 13), F(3, 13), F(3, 13), F(1, 13), F(1, 13)), F(45, 169), F(19, 81), F(1, 2), ()),
        (7, (6, 2, 2, 1, 1), (F(15, 19), *[F(1, 19)] * 4), F(229, 361), F(46, 144), F(15, 32), (0,)),
        (6, (6, 2, 2, 1, 1), (F(15, 19), *[F(1, 19)] * 4), F(229, 361), F(46, 144), F(17, 32), ()),
        (5, (9, 0, 0, 0, 0), (1, 0, 0, 0, 0), 1, 1, F(1, 2), (0,)),
    ],
)
def test_power_under_a_sequence_of_rules(quota, weights, index, hhi, votes, decisiveness, veto):
    power = analysis.voting_power(quota, weights)
    assert (power.index, power.hhi, power.weights_hhi) == (index, hhi, votes)
    assert (power.decisiveness, power.veto) == (decisiveness, veto)
    assert power.dummies == tuple(a for a, x in enumerate(index) if x == 0)


def test_minimal_winning_coalitions_and_rules_nobody_can_change():
    assert analysis.voting_power(2, (1, 1, 1)).minimal == ((0, 1), (0, 2), (1, 2))
    stuck = analysis.voting_power(9, (1, 1))
    assert stuck.index is None and stuck.hhi is None and stuck.decisiveness == 0 and stuck.veto == ()
    assert stuck.dummies == (0, 1)


def test_the_seizure_index_runs_from_the_beginning_to_a_dictator():
    assert analysis.seizure_index(F(45, 169), F(45, 169)) == 0
    assert analysis.seizure_index(1, F(45, 169)) == 1
    assert analysis.seizure_index(1, 1) is None


def test_a_seizure_is_attributed_to_exactly_those_who_carried_it():
    before, after = Ballot(5, (3, 2, 2, 1, 1)), Ballot(7, (6, 2, 2, 1, 1))
    found = analysis.seizure(before, after, (0, 1))
    assert found.carried_by == (0, 1) and found.minimal == ((0, 1),)
    assert found.rise == F(229, 361) - F(45, 169) and found.alone == ()
    alone = analysis.seizure(Ballot(7, (6, 2, 2, 1, 1)), Ballot(6, (6, 2, 2, 1, 1)), (0, 4))
    assert alone.alone == ((0,),) and alone.rise == 0 and alone.minimal == ((0, 4),)
    group = analysis.seizure(Ballot(4, (1,) * 5), Ballot(3, (1,) * 5), (0, 1, 2, 3, 4), declared=[(0, 1, 2)])
    assert group.alone == ((0, 1, 2),) and len(group.minimal) == 5
    assert analysis.seizure(before, before, (0, 1)) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: analysis.co_movement([1, 2, 3]), "table of rounds by agents"),
        (lambda: analysis.co_movement(np.zeros((20, 3)), np.zeros(19)), "each of the 20 rounds"),
        (lambda: analysis.co_movement(np.full((20, 3), np.nan)), "finite"),
        (lambda: analysis.favouritism(np.zeros((5, 3, 4))), "by round, giver and receiver"),
        (lambda: analysis.private_channels([[0, 1], [1, 0], [0, 0]]), "from each agent to each"),
        (lambda: analysis.shapley(1, [0, float("nan")]), "finite number"),
        (lambda: analysis.shapley(1, lambda group: "much" if group else 0), "finite number"),
        (lambda: analysis.shapley(quota=0, weights=[1, 2]), "above 0"),
        (lambda: analysis.shapley(quota=1, weights=[]), "at least one weight"),
        (lambda: analysis.banzhaf(quota=1, weights=[1, -1]), "negative"),
        (lambda: analysis.kohlberg(2, [0, 0, 0, 1], (1,)), "each of 2 agents"),
        (lambda: analysis.stable_partitions(11, lambda agent, group: 0), "1 to 10"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
