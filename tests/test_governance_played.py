"""Governance in whole episodes, through prompts, answers and the log's events."""

import json
from collections import Counter
from fractions import Fraction
from typing import get_args

import pytest
from canned import PROMPTS

import society
from society.agents.cast import Casting
from society.analysis import align
from society.cli import main
from society.core.events import Decided, RunStarted, Settled, Spoke
from society.core.rows import RuleEvent, RuleEventKind
from society.models.envelope import enveloped
from society.models.mock import MockModel
from society.orchestrator.episode import play_episode
from society.scenario.load import loads
from society.sweep.file import load_sweep
from society.views.rule_words import rule_words


class Told:
    """An offline model that says what it is told to when a question holds certain words, and is fair otherwise."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    async def complete(self, request):
        self.requests.append(request)
        text = "\n".join(message.content for message in request.messages)
        for name, words, answer in self.answers:
            if text.startswith(f"You are {name},") and words in request.messages[-1].content:
                return enveloped(request, json.dumps(answer))
        return await MockModel("sustainable").complete(request)

    async def close(self):
        pass

    def asked(self, name, words):
        """The last message of each question to an agent that holds these words."""
        return [
            request.messages[-1].content
            for request in self.requests
            if request.messages[0].content.startswith(f"You are {name},") and words in request.messages[-1].content
        ]


class Kept:
    def __init__(self):
        self.events = []

    async def stage(self, events):
        self.events.extend(events)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


async def played(fields, model, seed=1):
    return await events_of(loads(json.dumps(fields)), model, seed)


async def events_of(scenario, model, seed=1):
    sink = Kept()
    policies = Casting.of(scenario, PROMPTS).policies(seed=seed, client_for=lambda settings: model)
    manifest = RunStarted({}, seed, scenario.names, ("canned",) * len(policies), {}, "0", 1)
    await play_episode(scenario, policies, sink, manifest)
    return sink


LAKE = {
    "name": "lake",
    "rounds": 2,
    "mechanism": {"kind": "common_pool"},
    "agents": [{"name": name} for name in ("Ann", "Bo", "Cy")],
}
GIFTS = LAKE | {"mechanism": {"kind": "public_goods"}}


async def test_whoever_punishes_is_told_what_everybody_did_and_whoever_answers_who_punished_it():
    rules = [{"kind": "peer_sanction", "counter": True}]
    model = Told(
        ("Ann", "How many points of disapproval do you assign", {"Bo": 3, "Cy": 0}),
        ("Bo", "How many do you give back", {"Ann": 1}),
    )
    sink = await played(GIFTS | {"instruments": rules, "rounds": 1}, model)
    (asked,) = model.asked("Ann", "How many points of disapproval do you assign")
    assert "Result: you 20 earned 24, Bo 20 earned 24, Cy 20 earned 24." in asked
    (answered,) = model.asked("Bo", "How many do you give back")
    assert "you: sanctioned (peer_sanction, 3; points by Ann)" in answered
    assert not model.asked("Cy", "give back")
    assert [(d.agent, d.purpose, d.parts) for d in sink.of(Decided)][3:] == [(1, "peer_sanction/reply", (("Ann", 1),))]
    assert sink.of(Settled)[0].payoffs == (24 - 3 - 3, 24 - 9 - 1, 24)


async def test_whoever_votes_is_told_what_the_round_came_to():
    rules = [
        {"kind": "quota", "amount": 9, "enforcement": "soft", "fine": 1},
        {"kind": "constitution", "agenda": [{"rule": "quota", "field": "amount", "high": 20}]},
    ]
    motion = {"message": "", "moves": [{"move": "motion", "rule": "constitution", "terms": {"quota.amount": 5}}]}
    model = Told(("Ann", "Your turn to speak", motion))
    await played(LAKE | {"instruments": rules, "rounds": 1}, model)
    (asked,) = model.asked("Bo", "How do you vote")
    assert "Result: Ann 16" in asked and "Motion 1 by Ann: quota.amount = 5 (now 9)." in asked


async def test_free_text_binds_nobody():
    rules = [{"kind": "contract"}, {"kind": "pact"}, {"kind": "side_payment"}]
    oath = {"message": "I sign contract 1, I accept, I pay Bo 5 and I swear to take 3.", "moves": []}
    model = Told(*((name, "Your turn to speak", oath) for name in ("Ann", "Bo", "Cy")))
    sink = await played(LAKE | {"instruments": rules}, model)
    for settled in sink.of(Settled):
        assert (settled.transfers, settled.rule_events, settled.coalitions) == ((), (), ())
        assert settled.payoffs == settled.material


async def test_an_answer_can_hold_only_moves_that_exist_in_this_scenario_and_stage():
    rules = [{"kind": "contract"}, {"kind": "side_payment"}]
    strange = {"message": "", "moves": [{"move": "vote", "rule": "constitution", "number": 1, "vote": "yes"}]}
    model = Told(("Ann", "Your turn to speak", strange))
    sink = await played(LAKE | {"instruments": rules, "rounds": 1}, model)
    first = next(event for event in sink.of(Spoke) if event.agent == 0)
    assert first.moves == () and first.status != "ok"
    schemas = [request.schema for request in model.requests if "moves" in json.dumps(request.schema)]
    kinds = {
        variant["properties"]["move"]["enum"][0]
        for schema in schemas
        for variant in schema["properties"]["moves"]["items"].get("anyOf", [schema["properties"]["moves"]["items"]])
    }
    assert kinds == {"propose", "transfer"}  # nobody has proposed anything: there is nothing to sign
    silent = Told()
    await played(LAKE | {"rounds": 1}, silent)
    assert not any("moves" in json.dumps(request.schema) for request in silent.requests)


async def test_agents_are_told_what_changed_and_not_what_a_reader_calls_it():
    rules = [
        {"kind": "constitution", "agenda": [{"rule": "constitution", "field": "quota", "low": 1, "high": 3}]},
    ]
    motion = {"message": "", "moves": [{"move": "motion", "rule": "constitution", "terms": {"constitution.quota": 1}}]}
    yes = {"motion 1": "yes"}
    model = Told(
        ("Ann", "Your turn to speak", motion),
        ("Ann", "How do you vote", yes),
        ("Bo", "How do you vote", yes),
        ("Cy", "How do you vote", {"motion 1": "no"}),
    )
    sink = await played(LAKE | {"instruments": rules}, model)
    events = sink.of(Settled)[0].rule_events
    assert [(e.event, e.agents) for e in events if e.event in ("amend", "seizure")] == [
        ("amend", (0, 1)),
        ("seizure", (0, 1)),
    ]
    said = "\n".join(message.content for request in model.requests for message in request.messages)
    assert "changed the rules" in said and "seiz" not in said.casefold()


def test_every_kind_of_event_is_told_in_a_sentence():
    names = ("Ann", "Bo", "Cy")
    for kind in get_args(RuleEventKind):
        for agents in ((), (0,), (0, 1)):
            for detail in ("", "proposal 1"):
                words = rule_words(RuleEvent(kind, "quota", agents, detail, 3), names)
                assert words.startswith("quota: ") and "None" not in words and "  " not in words
    assert rule_words(RuleEvent("violation", "quota", (0,), "", 2), names) == "quota: Ann breaks the rule, by 2"
    assert rule_words(RuleEvent("amend", "c", (0, 1), "tax.rate = 4"), names) == (
        "c: the rules are changed by Ann, Bo: tax.rate = 4"
    )


# Scripted casts


def cast_of(rule, count, **parameters):
    return [{"count": count, "policy": {"kind": "scripted", "rule": rule, "parameters": parameters}}]


async def actions_of(mechanism, instruments, agents, rounds=3, **more):
    fields = {"name": "arm", "rounds": rounds, "mechanism": mechanism, "instruments": instruments, "agents": agents}
    return [settled.executed for settled in (await played(fields | more, Told())).of(Settled)]


@pytest.mark.parametrize("script", [("best_reply", {"first": "nash"}), ("nash", {})], ids=["best_reply", "nash"])
@pytest.mark.parametrize(
    ("mechanism", "rule", "fine"),
    [
        ({"kind": "common_pool_resource"}, {"kind": "quota", "amount": 4}, {"fine_per_unit": 20}),
        ({"kind": "public_goods"}, {"kind": "quota", "amount": 15, "sense": "at_least"}, {"fine_per_unit": 1}),
        ({"kind": "matrix_game"}, {"kind": "restriction", "forbidden": ["D"]}, {"fine": 3}),
        ({"kind": "cournot"}, {"kind": "restriction", "intervals": [[0, 30], [63, 120]]}, {"fine": 2000}),
    ],
    ids=lambda value: value.get("kind", "") if isinstance(value, dict) else value,
)
async def test_a_certain_and_deterrent_fine_gives_the_same_play_of_rational_scripts_as_a_hard_rule(
    script, mechanism, rule, fine
):
    agents = cast_of(script[0], 2, **script[1])
    hard = await actions_of(mechanism, [rule | fine], agents)
    soft = await actions_of(mechanism, [rule | fine | {"enforcement": "soft"}], agents)
    free = await actions_of(mechanism, [rule | fine | {"enforcement": "advisory"}], agents)
    assert hard == soft != free


@pytest.mark.parametrize(
    ("detection", "execution", "keeps"), [("1/2", 1, True), ("1/2", "99/100", False), ("49/100", 1, False)]
)
async def test_a_rational_script_complies_exactly_while_its_gain_is_no_more_than_the_expected_fine(
    detection, execution, keeps
):
    # a gift costs 3/5 a unit: keeping all 20 gains 12, and a fine of 24 is expected to cost 24 q x
    rule = {"kind": "quota", "amount": 20, "sense": "at_least", "enforcement": "soft", "fine": 24}
    rules = [rule | {"detection": detection, "execution": execution}]
    done = await actions_of({"kind": "public_goods"}, rules, cast_of("nash", 3), rounds=1)
    # at a tie the first action of the grid is taken, which is to give nothing
    tie = detection == "1/2" and execution == 1
    assert done == [(0, 0, 0) if tie or not keeps else (20, 20, 20)]
    more = [rule | {"detection": detection, "execution": execution, "fine": 25}]
    assert await actions_of({"kind": "public_goods"}, more, cast_of("nash", 3), rounds=1) == [(20, 20, 20)]


async def test_a_tax_of_63_8_makes_rational_scripts_invest_36_together():
    commons = {"kind": "common_pool_resource", "endowment": 25}
    tax = [{"kind": "tax", "rate": "63/8"}]
    (done,) = await actions_of(commons, tax, cast_of("nash", 8), rounds=1)
    assert sum(done) == 36
    (free,) = await actions_of(commons, [], cast_of("nash", 8), rounds=1)
    assert sum(free) == 64


async def test_citizens_write_contracts_bring_rules_into_force_and_punish_those_who_defect():
    lake = {"kind": "common_pool_resource", "endowment": 25}
    contract = [{"kind": "contract", "most_penalty": 400, "lasts": None}]
    (rational,) = await actions_of(lake, contract, cast_of("nash", 4), rounds=1)
    civic = await played(
        {"name": "arm", "rounds": 3, "mechanism": lake, "instruments": contract, "agents": cast_of("civic", 4)}, Told()
    )
    assert [s.coalitions for s in civic.of(Settled)] == [(("1", (0, 1, 2, 3)),)] * 3
    assert [sum(s.executed) for s in civic.of(Settled)] == [36] * 3 and sum(rational) > 36
    limit = {"kind": "quota", "name": "limit", "amount": 9, "in_force": False}
    vote = [limit, {"kind": "constitution", "agenda": [{"rule": "limit", "field": "in_force"}]}]
    voted = await actions_of(lake, vote, cast_of("civic", 4, acts="greedy"), rounds=2)
    assert voted == [(14,) * 4, (9,) * 4]
    gifts = {"kind": "public_goods"}
    agents = [*cast_of("civic", 2, acts="sustainable", points=3), *cast_of("greedy", 1)]
    sink = await played(
        {"name": "arm", "rounds": 1, "mechanism": gifts, "instruments": [{"kind": "peer_sanction"}], "agents": agents},
        Told(),
    )
    assert sink.of(Settled)[0].payoffs == (16 - 3, 16 - 3, 36 - 18)


# Counterfactual arms, from the file to the comparison

ARMS = {
    "none": [],
    "words": [
        {"kind": "advice"},
        {"kind": "reputation"},
        {"kind": "disclosure", "hide": ["stock"]},
        {"kind": "guilt"},
        {"kind": "pact"},
    ],
    "tax": [{"kind": "tax", "rate": "1/2"}],
    "limit": [{"kind": "quota", "amount": 5}],
}


def test_arms_of_one_seed_differ_only_through_the_rule_and_are_compared_in_pairs(tmp_path, capsys):
    shock = {"kind": "common_pool", "shock": {"probability": "1/2", "loss": "1/4"}}
    agents = cast_of("random", 4)
    runs = {}
    for arm, rules in ARMS.items():
        scenario = loads(
            json.dumps({"name": arm, "rounds": 5, "mechanism": shock, "instruments": rules, "agents": agents})
        )
        for seed in (1, 2, 3):
            run = society.play_sync(scenario, seed=seed, log=f"sqlite:///{tmp_path}/arms.db")
            runs[arm, seed] = [played.settled for played in run.episode.rounds]
    for seed in (1, 2, 3):
        free, words, taxed, limited = (runs[arm, seed] for arm in ARMS)
        for one, two in zip(free, words, strict=True):
            assert (one.executed, one.payoffs, one.stock_after) == (two.executed, two.payoffs, two.stock_after)
        for one, two in zip(free, taxed, strict=True):
            assert (one.executed, one.material, one.stock_after) == (two.executed, two.material, two.stock_after)
            assert two.payoffs == tuple(payoff / Fraction(2) for payoff in one.payoffs)
        assert all(action <= 5 for settled in limited for action in settled.executed)
    wanted = [f"scenario={arm}" for arm in ARMS]
    assert (
        main(["compare", *wanted, "--metric", "total_welfare", "--log", f"sqlite:///{tmp_path}/arms.db", "--json"]) == 0
    )
    none, words, tax, _ = json.loads(capsys.readouterr().out)["lines"]
    assert none["comparison"] is None and words["comparison"]["paired"] and words["comparison"]["runs"] == 3
    assert words["comparison"]["difference"]["value"] == 0
    assert tax["comparison"]["difference"]["value"] == pytest.approx(-none["mean"]["value"] / 2)


@pytest.mark.parametrize(
    ("cast_", "rule", "keeps"),
    [
        ("rational", "none", False),
        ("rational", "limit_hard", True),
        ("rational", "limit_soft", True),
        ("rational", "limit_advisory", False),
        ("rational", "tax", True),
        ("rational", "contract_hard", False),
        ("civic", "contract_hard", True),
        ("civic", "contract_soft", True),
        ("civic", "vote_soft", False),
    ],
)
async def test_the_arms_of_the_shipped_experiment_keep_the_lake_where_the_rule_reaches_the_agents(cast_, rule, keeps):
    """Rational fishers keep it under what binds or costs; contracts need somebody who signs; a vote comes a month too late."""
    cast_axis, rule_axis = load_sweep("governance").axes
    changes = (*cast_axis.arm(cast_).changes, *rule_axis.arm(rule).changes)
    sink = await events_of(society.load("fishery", [*changes, "rounds=2"]), Told())
    taken = [sum(settled.executed) for settled in sink.of(Settled)]
    assert (taken == [50, 50]) == keeps and (taken[0] > 50) != keeps


@pytest.mark.parametrize(("cast_", "taken"), [("civic", [0, 50, 50]), ("rational", [0, 500])])
@pytest.mark.parametrize("rule", ["vote_first_hard", "vote_first_soft"])
async def test_a_vote_that_comes_before_the_first_catch_keeps_the_lake_of_those_who_move_and_vote(cast_, rule, taken):
    cast_axis, rule_axis = load_sweep("governance").axes
    changes = (*cast_axis.arm(cast_).changes, *rule_axis.arm(rule).changes)
    sink = await events_of(society.load("fishery", [*changes, "rounds=3"]), Told())
    assert [sum(settled.executed) for settled in sink.of(Settled)] == taken


@pytest.fixture
def book(tmp_path):
    return f"sqlite:///{tmp_path}/log.db"


def test_what_an_agent_feels_is_a_yardstick_of_its_own(book):
    """Who cares for the other by 45 degrees loses 2 of its own payoff by C against C, and nothing of what it feels."""
    fields = {
        "name": "carers",
        "rounds": 2,
        "mechanism": {"kind": "matrix_game"},
        "instruments": [{"kind": "social_orientation", "degrees": 45}],
        "agents": [
            {"name": "Ann", "policy": {"kind": "scripted", "rule": "nash"}},
            {"name": "Bo", "policy": {"kind": "scripted", "rule": "nash"}},
        ],
    }
    run = society.play_sync(loads(json.dumps(fields)), seed=1, log=book)
    assert [played.settled.executed for played in run.episode.rounds] == [("C", "C")] * 2
    found = align(run.episode)
    assert found.yardsticks == ("goal", "felt", "welfare")
    for agent, decided_ in ((0, found.of(0, "felt")), (1, found.of(1, "felt"))):
        own = found.of(agent)
        assert [d.gap.terms["planning"] for d in own] == [2, 2] and [d.earned for d in own] == [3, 3]
        assert [float(d.gap.terms["planning"]) for d in decided_] == [0, 0]
        assert [float(d.earned) for d in decided_] == pytest.approx([6 * 0.5**0.5] * 2)
    plain = society.play_sync(loads(json.dumps(fields | {"instruments": []})), seed=1, log=book)
    assert align(plain.episode).yardsticks == ("goal", "welfare")


def test_guilt_is_part_of_what_a_decision_is_worth_to_an_agent(book):
    fields = {
        "name": "norm",
        "rounds": 1,
        "mechanism": {"kind": "matrix_game"},
        "instruments": [
            {"kind": "restriction", "forbidden": ["D"], "enforcement": "advisory"},
            {"kind": "guilt", "cost": 4, "agents": ["Ann"]},
        ],
        "agents": [
            {"name": "Ann", "policy": {"kind": "scripted", "rule": "free_rider"}},
            {"name": "Bo", "policy": {"kind": "scripted", "rule": "always", "parameters": {"action": "C"}}},
        ],
    }
    found = align(society.play_sync(loads(json.dumps(fields)), seed=1, log=book).episode)
    (own,), (felt,) = found.of(0), found.of(0, "felt")
    assert (own.earned, felt.earned) == (5, 1)
    # D against C: 5, or 1 with guilt, where C would have brought 3
    assert (own.gap.terms["planning"], felt.gap.terms["planning"]) == (0, 2)
    assert found.of(1, "felt") == ()


@pytest.mark.parametrize("name", ["written_promises", "lake_council", "captured_constitution", "saving_coalition"])
def test_offline_models_use_the_institutions_there_are(name, tmp_path):
    """Moves are made, nearly all of them count, and what is agreed binds: scenarios show governance without a real model."""
    seen = {model: Counter() for model in ("sustainable", "random", "greedy")}
    for model, seed in (("sustainable", 3), ("random", 1), ("random", 2), ("random", 3), ("greedy", 3)):
        run = society.play_sync(
            society.load(name, ["rounds=4"]), model=f"mock:{model}", seed=seed, log=f"sqlite:///{tmp_path}/log.db"
        )
        events = [event.event for settled in run.episode.settled for event in settled.rule_events]
        seen[model].update(event for event in events if event in MOVES)
    assert not seen["greedy"], "the greedy sign nothing and move nothing"
    for model in ("sustainable", "random"):
        counted = seen[model].total() - seen[model]["ignored"]
        assert counted > seen[model]["ignored"], (model, seen[model])


def test_a_citizen_among_models_proposes_what_is_fair_and_the_others_sign(tmp_path):
    run = society.play_sync(
        society.load("written_promises", ["rounds=2"]), model="mock:sustainable", log=f"sqlite:///{tmp_path}/log.db"
    )
    events = [(e.event, e.agents) for e in run.episode.settled[0].rule_events]
    assert events[0] == ("propose", (0,)) and ("agree", tuple(range(len(run.episode.names)))) in events


MOVES = {"propose", "sign", "accept", "join", "leave", "counter", "motion", "vote", "transfer", "ignored", "refuse"}
