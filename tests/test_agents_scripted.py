"""Scripted policies against the numbers of the literature."""

from fractions import Fraction

import pytest

from society.agents.scripted import SCRIPTS, ScriptedPolicy, parse_script
from society.core.actions import Amount, Choice
from society.core.calls import Position
from society.core.errors import BadInput, UnknownKind
from society.core.goals import OwnPayoff
from society.core.policy import Act, Decide, Declare, Happened, Observation, Speak, Utterance
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS

CAST = ("allc", "alld", "tft", "stft", "grim", "tf2t", "wsls", "alt")
SCRIPT_OF = {
    "allc": ("always", {"action": "C"}),
    "alld": ("always", {"action": "D"}),
    "tft": ("tit_for_tat", {}),
    "stft": ("suspicious_tit_for_tat", {}),
    "grim": ("grim", {}),
    "tf2t": ("tit_for_two_tats", {}),
    "wsls": ("win_stay_lose_shift", {}),
    "alt": ("alternator", {}),
}
# Row's score over 200 rounds of the prisoner's dilemma 5, 3, 1, 0 against each column.
TOURNAMENT = {
    "allc": (600, 0, 600, 597, 600, 600, 600, 300),
    "alld": (1000, 200, 204, 200, 204, 208, 600, 600),
    "tft": (600, 199, 600, 500, 600, 600, 600, 498),
    "stft": (602, 200, 500, 200, 203, 602, 401, 500),
    "grim": (600, 199, 600, 203, 600, 600, 600, 597),
    "tf2t": (600, 198, 600, 597, 600, 600, 600, 300),
    "wsls": (600, 100, 600, 401, 600, 600, 600, 450),
    "alt": (800, 100, 503, 500, 107, 800, 450, 400),
}


class Table:
    """Plays scripts against each other, with nothing but the rules in between."""

    def __init__(self, game, policies, seed=0):
        self.game, self.policies, self.seed = game, policies, seed
        self.state, self.history, self.actions, self.payoffs = game.initial_state(), [], [], []

    def seen(self, agent, round_):
        return Observation(
            agent=agent,
            names=tuple(f"Agent {seat}" for seat in range(self.game.agents)),
            round=round_,
            rounds=None,
            facts=self.game.observe(self.state, agent),
            space=self.game.space(self.state, agent),
            history=self.history,
            state=self.state,
        )

    def play(self, rounds):
        for round_ in range(1, rounds + 1):
            joint = []
            for agent, policy in enumerate(self.policies):
                seen = self.seen(agent, round_)
                action = policy.reply(Act(Position(round_, "act", 0, agent), seen)).value
                joint.append(action if seen.space.contains(action) else seen.space.nearest(action))
            done = self.game.step(self.state, tuple(joint), Noise(self.seed, round_))
            self.proposer = getattr(self.state, "proposer", None)
            self.state = done.state
            self.history.append(Happened(round_, tuple(joint), done.granted, done.payoffs, done.facts))
            self.actions.append(tuple(joint))
            self.payoffs.append(done.payoffs)
            if done.over:
                break
        return self


def policy(game, kind, seed=0, **parameters):
    return ScriptedPolicy(parse_script(kind, parameters), game, goal=OwnPayoff(), seed=seed)


def table(game, *scripts, rounds, seed=0):
    return Table(game, [policy(game, kind, seed, **parameters) for kind, parameters in scripts], seed).play(rounds)


@pytest.mark.parametrize("row", CAST)
def test_the_tournament_of_two_hundred_rounds_comes_out_cell_by_cell(row):
    game = MECHANISMS.parse({"kind": "matrix_game"})
    scores = []
    for column in CAST:
        played = table(game, SCRIPT_OF[row], SCRIPT_OF[column], rounds=200)
        scores.append(sum(payoffs[0] for payoffs in played.payoffs))
    assert tuple(scores) == TOURNAMENT[row]


def test_nash_players_of_the_common_pool_resource_invest_eight_each():
    game = MECHANISMS.parse({"kind": "common_pool_resource", "agents": 8, "endowment": 25})
    assert table(game, *[("nash", {})] * 8, rounds=1).actions == [(8,) * 8]


def test_optimal_players_of_the_common_pool_resource_invest_thirty_six_together():
    game = MECHANISMS.parse({"kind": "common_pool_resource", "agents": 8, "endowment": 25})
    played = table(game, *[("optimum", {})] * 8, rounds=1)
    assert sum(played.actions[0]) == 36
    assert sum(played.payoffs[0]) == 1324


@pytest.mark.parametrize(("others", "replies"), [(35, {18, 19}), (40, {16}), (42, {15}), (49, {11, 12}), (56, {8})])
def test_best_replies_in_the_common_pool_resource_are_the_worked_ones(others, replies):
    game = MECHANISMS.parse({"kind": "common_pool_resource", "agents": 8, "endowment": 25})
    spread = [others // 7 + (seat < others % 7) for seat in range(7)]
    scripts = [("best_reply", {}), *[("always", {"action": amount}) for amount in spread]]
    assert table(game, *scripts, rounds=2).actions[1][0] in replies


def test_sustainable_players_keep_the_fishery_and_greedy_ones_end_it_at_once():
    game = MECHANISMS.parse({"kind": "common_pool", "agents": 5})
    kept = table(game, *[("sustainable", {})] * 5, rounds=12)
    assert [sum(payoffs) for payoffs in kept.payoffs] == [50] * 12
    steady = table(game, *[("steady_share", {})] * 5, rounds=12)
    assert steady.actions == kept.actions
    ended = table(game, *[("greedy", {})] * 5, rounds=12)
    assert ended.payoffs == [(20,) * 5]


def test_a_sequence_repeats_its_last_action_and_holds_amounts_words_and_divisions():
    pool = MECHANISMS.parse({"kind": "common_pool", "agents": 2})
    played = table(pool, ("sequence", {"actions": [30, 10]}), ("sequence", {"actions": [0]}), rounds=4)
    assert [joint[0] for joint in played.actions] == [30, 10, 10, 10]
    words = MECHANISMS.parse({"kind": "matrix_game"})
    assert table(words, ("always", {"action": "d"}), ("always", {"action": "C"}), rounds=1).actions == [("D", "C")]
    pie = MECHANISMS.parse({"kind": "constitution", "agents": 3})
    assert table(pie, *[("sequence", {"actions": [[50, 30, 20]]})] * 3, rounds=1).actions[0][0] == (50, 30, 20)


def test_what_a_sequence_cannot_get_is_submitted_as_it_stands():
    pool = MECHANISMS.parse({"kind": "common_pool", "agents": 2})
    seen = Table(pool, []).seen(0, 1)
    answer = policy(pool, "sequence", actions=[500]).reply(Act(Position(1, "act", 0, 0), seen))
    assert (answer.value, answer.submitted, answer.status) == (500, 500, "ok")


def test_grim_gives_up_for_good_after_one_defection():
    game = MECHANISMS.parse({"kind": "matrix_game"})
    played = table(game, ("grim", {}), ("sequence", {"actions": ["C", "D", "C"]}), rounds=5)
    assert [joint[0] for joint in played.actions] == ["C", "C", "D", "D", "D"]


def test_a_reciprocal_script_sees_overuse_of_the_fishery_as_defection():
    game = MECHANISMS.parse({"kind": "common_pool", "agents": 2})
    played = table(game, ("tit_for_tat", {}), ("sequence", {"actions": [25, 26, 20]}), rounds=3)
    assert played.actions[:2] == [(25, 25), (25, 26)]
    assert played.actions[2][0] == game.space(played.state, 0).high or played.actions[2][0] > 25


def test_a_conditional_cooperator_gives_what_the_others_gave_on_average():
    game = MECHANISMS.parse({"kind": "public_goods", "agents": 4})
    cast = [("conditional_cooperator", {}), *[("always", {"action": gift}) for gift in (5, 10, 15)]]
    assert [joint[0] for joint in table(game, *cast, rounds=2).actions] == [20, 10]
    biased = [("conditional_cooperator", {"bias": "1/2"}), *cast[1:]]
    assert table(game, *biased, rounds=2).actions[1][0] == 5


def test_random_play_depends_on_seed_round_and_seat_alone():
    game = MECHANISMS.parse({"kind": "public_goods", "agents": 4})
    once = table(game, *[("random", {})] * 4, rounds=6, seed=1).actions
    again = table(game, ("always", {"action": 3}), *[("random", {})] * 3, rounds=6, seed=1).actions
    assert [joint[1:] for joint in once] == [joint[1:] for joint in again]
    assert once != table(game, *[("random", {})] * 4, rounds=6, seed=2).actions
    assert len({action for joint in once for action in joint}) > 5


def test_always_safe_works_safely_in_a_race():
    game = MECHANISMS.parse({"kind": "ai_race"})
    assert table(game, ("always_safe", {}), ("greedy", {}), rounds=1).actions == [("SAFE", "UNSAFE")]


def test_a_myopic_voter_lets_through_what_costs_it_nothing_now():
    game = MECHANISMS.parse(
        {
            "kind": "constitution",
            "agents": 3,
            "motions": [
                {"name": "take", "shares": ["1/2", "1/2", 0]},
                {"name": "weigh", "weights": [5, 1, 1], "quota": 5},
            ],
        }
    )
    for seed in range(6):  # another proposer each time, who votes for its own motion
        played = table(game, *[("myopic_voter", {"proposal": "take"})] * 3, rounds=2, seed=seed)
        assert played.actions[1][:2] == ("yes", "yes")
        assert played.actions[1][2] == ("yes" if played.proposer == 2 else "no")
        weighed = table(game, *[("myopic_voter", {"proposal": "weigh"})] * 3, rounds=2, seed=seed)
        assert weighed.actions[1] == ("yes", "yes", "yes")


def test_scripts_are_silent_declare_honestly_and_abstain_from_decisions():
    game = MECHANISMS.parse({"kind": "common_pool", "agents": 3})
    seen = Table(game, []).seen(0, 1)
    sustainable = policy(game, "sustainable")
    assert sustainable.reply(Speak(Position(1, "talk", 0, 0), seen)).value == Utterance()
    declared = sustainable.reply(Declare(Position(1, "declare", 0, 0), seen, spaces=(seen.space,) * 3)).value
    assert (declared.intended, declared.predicted, declared.forecast) == (16, (16, 16), 16)
    vague = policy(game, "always", action=500).reply(Declare(Position(1, "declare", 0, 0), seen)).value
    assert (vague.intended, vague.predicted, vague.forecast) == (100, None, None)
    parts = {
        "Bo": Amount.between(0, 5),
        "motion 1": Choice(options=("yes", "no", "abstain")),
        "x": Choice(options=("a", "b")),
    }
    asked = Decide(Position(1, "second", 0, 0), seen, parts=parts)
    assert sustainable.reply(asked).value == {"Bo": 0, "motion 1": "abstain", "x": "a"}


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_every_script_plays_every_mechanism_or_says_why_not(kind):
    game = MECHANISMS.parse({"kind": kind})
    given = {"sequence": {"actions": ["SAFE"]}, "always": {"action": "C"}}
    for script in SCRIPTS.kinds:
        try:
            played = table(game, *[(script, given.get(script, {}))] * game.agents, rounds=3)
        except BadInput as problem:
            assert script in str(problem) or "script" in str(problem)
        else:
            assert played.actions


def test_an_unknown_script_and_a_wrong_parameter_are_named():
    with pytest.raises(UnknownKind, match="did you mean 'tit_for_tat'"):
        parse_script("tit_for_tatt", {})
    with pytest.raises(BadInput, match="script 'sequence', actions"):
        parse_script("sequence", {})
    with pytest.raises(BadInput, match=r"steady_share.*fraction"):
        parse_script("steady_share", {"fraction": 2})


def test_a_steady_share_is_rounded_down_to_whole_steps():
    game = MECHANISMS.parse({"kind": "common_pool", "agents": 2, "stock": 55})
    assert table(game, *[("steady_share", {"fraction": Fraction(1, 10)})] * 2, rounds=1).actions == [(5, 5)]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"kind": "grim"}, "the script 'grim' of Agent 0: the mechanism 'congestion' does not say what cooperation is"),
        (
            {"kind": "written", "actions": ["0-1-3"], "answers": [{"rule": "tax", "parts": {"*": "yes"}}]},
            "the script 'written' of Agent 0: there is no rule 'tax'; rules are toll, pact",
        ),
        (
            {"kind": "written", "actions": ["0-1-3"], "steps": [{"move": {"move": "propose", "rule": "pakt"}}]},
            "there is no rule 'pakt'; did you mean 'pact'?",
        ),
        (
            {"kind": "written", "actions": ["0-1-3"], "steps": [{"move": {"move": "propos", "rule": "pact"}}]},
            "there is no move 'propos'; did you mean 'propose'?",
        ),
    ],
)
def test_a_script_that_cannot_play_here_says_whose_it_is_and_what_is_missing(script, said):
    game = MECHANISMS.parse({"kind": "congestion", "agents": 2})
    rules = Governed(
        game, (INSTRUMENTS.parse({"kind": "delta_toll", "name": "toll"}), INSTRUMENTS.parse({"kind": "pact"}))
    )
    kind, parameters = script["kind"], {name: value for name, value in script.items() if name != "kind"}
    policy = ScriptedPolicy(parse_script(kind, parameters), game, goal=OwnPayoff(), rules=rules)
    with pytest.raises(BadInput) as problem:
        policy.reply(Act(Position(1, "act", 0, 0), Table(game, ()).seen(0, 1)))
    assert said in str(problem.value)
