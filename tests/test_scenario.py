"""A scenario file becomes a scenario, whole and exact."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from society.core.canonical import canonical_json
from society.core.errors import ScenarioError
from society.core.goals import Sustain, Target
from society.scenario.load import load, loads, resolved
from society.scenario.model import Scenario
from society.scenario.places import find_scenario, shipped

PLAIN = """\
name: plain
mechanism: common_pool
agents: 5
"""


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_loads_and_survives_the_log(name):
    scenario = load(name)
    assert scenario.name == name
    assert Scenario.model_validate(json.loads(canonical_json(resolved(scenario)))) == scenario


def test_defaults_are_filled_in_and_agents_spelled_out():
    scenario = loads(PLAIN)
    assert scenario.names == ("Ann", "Bo", "Cy", "Dee", "Eli")
    assert [agent.count for agent in scenario.agents] == [1] * 5
    assert scenario.mechanism.agents == 5
    assert scenario.model_of(4).name == "local"


def test_a_resolved_scenario_is_itself_a_scenario_file():
    scenario = loads(PLAIN)
    assert loads(canonical_json(resolved(scenario))) == scenario


def test_decimals_and_fractions_mean_what_they_say():
    text = PLAIN + "on_failure: {allowed_share: 1/3}\nbudget: {usd: 0.1}\n"
    scenario = loads(text)
    assert (scenario.on_failure.allowed_share, scenario.budget.usd) == (Fraction(1, 3), Fraction(1, 10))
    assert Scenario.model_validate(resolved(scenario)) == scenario


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("mechanism: public_goods", "mechanism: {kind: public_goods}"),
        ("agents: 2", "agents: [{}, {}]"),
        ("agents: [Ann, {name: Bo, goal: own_payoff}]", "agents: [{name: Ann}, {name: Bo, goal: {kind: own_payoff}}]"),
        ("agents: [{policy: greedy}]", "agents: [{policy: {kind: scripted, rule: greedy}}]"),
        ("agents: [{policy: human}]", "agents: [{policy: {kind: human}}]"),
        ("models: {default: local}", "models: {default: {name: local}}"),
        ("on_failure: void_run", "on_failure: {counts_as: void_run}"),
        ("seeds: 0-3", "seeds: [0, 1, 2, 3]"),
        ("seeds: 7", "seeds: [7]"),
        ("seeds: 0-1,5", "seeds: [0, 1, 5]"),
        ("stages: {talk: off, declare: off}", "stages: {talk: {turns: 0}, declare: {predict: off}}"),
        (
            "stages: {talk: 2, declare: total, act: sequential}",
            "stages: {talk: {turns: 2}, declare: {predict: total}, act: {order: sequential}}",
        ),
    ],
)
def test_a_short_form_means_its_long_form(short, long):
    def whole(part):
        key = part.partition(":")[0]
        rest = [line for line in PLAIN.splitlines() if not line.startswith(key)]
        return loads("\n".join([*rest, part]))

    assert whole(short) == whole(long)


def test_seats_that_are_given_no_name_avoid_the_names_that_are_given():
    scenario = loads("name: x\nmechanism: common_pool\nagents: [{count: 2}, Bo, {name: Tia, count: 2}]\n")
    assert scenario.names == ("Ann", "Cy", "Bo", "Tia 1", "Tia 2")


def test_a_thousand_agents_have_a_thousand_names():
    assert len(set(loads("name: x\nmechanism: common_pool\nagents: 1000\n").names)) == 1000


# --set


@pytest.mark.parametrize(
    ("option", "read"),
    [
        ("mechanism.capacity=200", lambda s: s.mechanism.capacity == 200),
        ("rounds=3", lambda s: s.rounds == 3),
        ("seeds=0-4", lambda s: s.seeds == (0, 1, 2, 3, 4)),
        ("agents=3", lambda s: len(s.agents) == 3),
        ("agents.0.count=3", lambda s: len(s.agents) == 3),
        ("agents.3.policy=greedy", lambda s: [a.policy.kind for a in s.agents].index("scripted") == 3),
        ("agents.0.policy.kind=human", lambda s: s.agents[0].policy.kind == "human"),
        ("agents.4.name=Zita", lambda s: s.names == ("Ann", "Bo", "Cy", "Dee", "Zita")),
        ("agents.1.goal={kind: sustain, at_least: 7}", lambda s: s.agents[1].goal == Sustain(at_least=7)),
        ("stages.declare=off", lambda s: s.stages.declare.predict == "off"),
        ("on_failure=repeat", lambda s: s.on_failure.counts_as == "repeat"),
        ("models.default.temperature=0.5", lambda s: s.models["default"].temperature == 0.5),
        ("budget.usd=1/3", lambda s: s.budget.usd == Fraction(1, 3)),
    ],
)
def test_a_value_can_be_set_from_outside(option, read):
    assert read(loads(PLAIN + "models: {default: local}\n", [option]))


def test_setting_another_kind_drops_the_fields_of_the_old_one():
    text = PLAIN.replace("agents: 5", "agents: [{goal: {kind: sustain, at_least: 3}}]")
    options = ["agents.0.goal.kind=target", "agents.0.goal.quantity=total", "agents.0.goal.value=9"]
    assert loads(text, options).agents[0].goal == Target(quantity="total", value=9)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("rounds", "--set rounds: expected path.to.field=value"),
        ("rounds=ten", "--set rounds: rounds: a whole number is needed here, not text"),
        ("ronuds=3", "--set ronuds: ronuds: unknown field 'ronuds' (did you mean 'rounds'?)"),
        ("agents.9.name=Zed", "--set agents.9.name: agents: there is no item '9' in this list (its items are 0 to 4)"),
        ("rounds.x=1", "--set rounds.x: rounds: this is no map or list"),
        ("rounds=[1", "--set rounds: this is not valid YAML"),
        ("rounds=&a 1", "--set rounds: anchors"),
        ("mechanism.capacity=010", "--set mechanism.capacity: a leading zero"),
    ],
)
def test_a_bad_option_is_named(option, message):
    with pytest.raises(ScenarioError) as caught:
        loads(PLAIN + "rounds: 2\n", [option])
    assert str(caught.value).startswith(message)


# extends


def test_a_scenario_extends_its_neighbour(tmp_path: Path):
    (tmp_path / "base.yaml").write_text(PLAIN + "rounds: 9\nmodels: {big: local, default: local}\n")
    top = tmp_path / "top.yaml"
    top.write_text(
        "extends: base.yaml\nname: top\nmechanism: {kind: common_pool, capacity: 40}\nagents: [{model: big}]\n"
    )
    scenario = load(top)
    assert (scenario.name, scenario.rounds, scenario.mechanism.capacity) == ("top", 9, 40)
    assert len(scenario.agents) == 1


def test_a_map_of_another_kind_replaces_the_one_it_extends(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("name: base\nmechanism: {kind: common_pool, capacity: 40}\nagents: 4\n")
    (tmp_path / "top.yaml").write_text("extends: base.yaml\nmechanism: {kind: public_goods, endowment: 7}\n")
    assert load(tmp_path / "top.yaml").mechanism.endowment == 7


def test_a_problem_in_the_extended_file_names_that_file(tmp_path: Path):
    (tmp_path / "base.yaml").write_text(PLAIN + "ronuds: 9\n")
    (tmp_path / "top.yaml").write_text("extends: base.yaml\nrounds: two\n")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "top.yaml")
    assert [problem.title.removeprefix(str(tmp_path)) for problem in caught.value.problems] == [
        "/base.yaml:4:1: ronuds: unknown field 'ronuds' (did you mean 'rounds'?)",
        "/top.yaml:2:9: rounds: a whole number is needed here, not text",
    ]


@pytest.mark.parametrize(
    "target",
    [
        "../secret.yaml",
        "/etc/passwd",
        "sub/x.yaml",
        "link.yaml",
        "pipe.yaml",
        "folder.yaml",
        "none.yaml",
        "http://x/y.yaml",
    ],
)
def test_extends_stays_in_its_folder(tmp_path: Path, target: str):
    import os

    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (home / "folder.yaml").mkdir()
    for place in (tmp_path / "secret.yaml", home / "sub" / "x.yaml"):
        place.write_text(PLAIN)
    (home / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    os.mkfifo(home / "pipe.yaml")
    (home / "top.yaml").write_text(f"extends: {target}\nname: top\n")
    with pytest.raises(ScenarioError, match=r"top\.yaml:1:10: extends: "):
        load(home / "top.yaml")


def test_files_that_extend_each_other_are_refused(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n" + PLAIN)
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n" + PLAIN)
    with pytest.raises(ScenarioError, match="these files extend each other"):
        load(tmp_path / "a.yaml")


def test_a_chain_of_extends_ends_somewhere(tmp_path: Path):
    (tmp_path / "s0.yaml").write_text(PLAIN)
    for i in range(1, 12):
        (tmp_path / f"s{i}.yaml").write_text(f"extends: s{i - 1}.yaml\n")
    assert load(tmp_path / "s8.yaml").name == "plain"
    with pytest.raises(ScenarioError, match="more than 8 files"):
        load(tmp_path / "s9.yaml")


# places


def test_a_scenario_is_found_by_its_name_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert load("fishery").name == "fishery"
    assert find_scenario("scenarios/fishery.yaml").is_file()


def test_the_scenarios_of_the_working_folder_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "fishery.yaml").write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    assert load("fishery").name == "plain"


@pytest.mark.parametrize("name", ["fishry", "nothing/at/all.yaml", "a\0b", ".", "/dev/zero", "x" * 5000])
def test_what_is_no_scenario_file_is_refused(name):
    with pytest.raises(ScenarioError):
        load(name)


def test_a_folded_text_holds_no_marks_of_its_folds():
    scenario = loads(PLAIN + "about: >\n  One line\n  and another.\n")
    assert scenario.about == "One line and another.\n"
