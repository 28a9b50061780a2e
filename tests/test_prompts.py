"""The templates: strict, complete for everything that can be played, hashed, and shown word for word."""

import itertools
import os
import time
from pathlib import Path

import pytest
from canned import LAKE, NAMES, PROMPTS, CannedModel, act, declare, fishery, policy_with, seen_in, speak
from pydantic import TypeAdapter

from society.agents.briefing import brief, goal_words, rule_texts, templates_used
from society.agents.cast import Casting
from society.agents.lint import check_names, check_templates
from society.agents.plain import plain_data
from society.agents.preview import preview
from society.agents.prompting import Prompts, TemplateFault, listed, prompt_folders
from society.agents.questions import Questions
from society.agents.window import tokens_in
from society.core.calls import Position
from society.core.goals import Goal
from society.core.policy import Act, Declare, Happened, Heard, Speak
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.scenario.load import load as load_scenario
from society.scenario.model import AgentSpec, Scenario

GOLDEN = Path(__file__).parent / "golden"
SCENARIOS = Path(__file__).parents[1] / "scenarios"
GOALS = {
    "own_payoff": {},
    "group_welfare": {},
    "worst_off": {},
    "target": {"quantity": "total", "value": 40},
    "threshold": {"quantity": "welfare", "at_least": "1/3"},
    "sustain": {"at_least": 60},
    "inequity_aversion": {},
    "social_value_orientation": {"degrees": 45},
    "relative_payoff": {},
    "weighted": {
        "parts": [{"weight": "1/2", "goal": {"kind": "worst_off"}}, {"weight": 1, "goal": {"kind": "own_payoff"}}]
    },
}
ADAPTER = TypeAdapter(Goal)


def society_of(mechanism, **fields):
    agents = tuple(AgentSpec(name=f"Agent {seat}") for seat in range(mechanism.agents))
    return Scenario(name="any", mechanism=mechanism, agents=agents, theme=LAKE, **fields)


def golden(name, text):
    """Compares with a file; writes it when GOLDEN=write is set."""
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


# What agents are told, word for word


def test_the_system_message_of_a_fisher():
    told = fishery(
        agents=tuple(
            AgentSpec(
                name=name,
                role="the harbour master" if name == "Bo" else "",
                persona="You have fished here since you were a child." if name == "Ann" else "",
            )
            for name in NAMES
        ),
        instruments=(
            INSTRUMENTS.parse({"kind": "quota", "amount": 10, "enforcement": "soft", "fine": 5, "detection": "1/2"}),
        ),
    )
    golden("fishery_system.txt", brief(told, 0, PROMPTS).system)


async def test_the_prompts_of_a_fisher():
    outcome = {"remaining": 46, "regrowth": 46}
    history = [
        Heard(1, 0, 0, None, "Let us take 10 each."),
        Heard(1, 0, 1, None, 'Agreed. "10" it is!'),
        Heard(1, 0, 2, (0,), "Bo cannot be trusted."),
        Happened(1, (10, 14, 10, 10, 10), (10, 14, 10, 10, 10), (10, 14, 10, 10, 10), outcome),
    ]
    model = CannedModel('{"message": ""}', '{"messages": []}', '{"intended": 1}', "{", '{"action": 1}')
    policy = policy_with(model)
    now = {"history": history, "round_": 2, "facts": {"stock": 92, "capacity": 100}}
    for question in (speak(**now), speak(private=True, **now), declare(**now), act(**now)):
        await policy.answer(question)
    asked = [f"=== {r.at.stage}, attempt {r.at.attempt}\n{r.messages[1].content}" for r in model.requests]
    golden("fishery_questions.txt", "\n\n".join(asked))


def test_the_words_of_every_goal():
    words = brief(fishery(), 0, PROMPTS).words
    told = [
        f"{kind}\n{goal_words(ADAPTER.validate_python({'kind': kind, **GOALS[kind]}), PROMPTS, words)}"
        for kind in GOALS
    ]
    golden("goals.txt", "\n\n".join(told))


def test_the_prompts_of_the_fishery_fit_the_embedded_model():
    known = brief(fishery(), 0, PROMPTS)
    assert tokens_in(known.system) < 350
    asker = Questions(known, PROMPTS)
    for question in (speak(), speak(private=True), declare(), declare("total"), act()):
        assert tokens_in(asker.text(question)) < 120


# Complete


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_every_mechanism_is_worded_in_every_state_and_question(kind):
    mechanism = MECHANISMS.parse({"kind": kind})
    scenario = society_of(mechanism)
    known = brief(scenario, 0, PROMPTS)
    assert known.mechanism.name == f"mechanisms/{kind}.j2"
    transcript = policy_with(CannedModel(), scenario)._window.transcript
    game = Governed(mechanism, (), scenario.names)
    state = game.initial_state()
    for round_ in range(1, 5):
        spaces = tuple(game.space(state, seat) for seat in range(game.agents))
        facts = game.observe(state, 0)
        seen = seen_in(scenario, round_=round_, facts=facts, space=spaces[0], state=state.physical)
        at = Position(round_, "x", 0, 0)
        asker = Questions(known, PROMPTS)
        for question in (Speak(at, seen, private=True), Declare(at, seen, spaces=spaces), Act(at, seen)):
            text = asker.text(question)
            assert f"Month {round_}" in text and "Fraction(" not in text and "None" not in text
        joint = tuple(game.abstention(state, seat) for seat in range(game.agents))
        outcome = game.step(state, joint, Noise(1, round_))
        line = transcript.line(Happened(round_, joint, outcome.granted, outcome.payoffs, outcome.facts))
        assert line.startswith(f"[month {round_}] Result: you ") and "Fraction(" not in line
        state = game.close(outcome, {}).state
        if game.over(state):
            break


@pytest.mark.parametrize(("kind", "goal"), list(itertools.product(MECHANISMS.kinds, GOALS)))
def test_every_goal_can_be_told_with_every_mechanism(kind, goal):
    mechanism = MECHANISMS.parse({"kind": kind})
    wanted = ADAPTER.validate_python({"kind": goal, **GOALS[goal]})
    scenario = society_of(mechanism)
    agents = tuple(spec.model_copy(update={"goal": wanted}) for spec in scenario.agents)
    system = brief(scenario.model_copy(update={"agents": agents}), 0, PROMPTS).system
    assert "goal" in system and "None" not in system and "  " not in system


@pytest.mark.parametrize(("kind", "rule"), list(itertools.product(MECHANISMS.kinds, INSTRUMENTS.kinds)))
def test_every_instrument_can_be_told_with_every_mechanism_it_governs(kind, rule):
    mechanism = MECHANISMS.parse({"kind": kind})
    scenario = society_of(mechanism)
    words = brief(scenario, 0, PROMPTS).words
    instrument_type = INSTRUMENTS.type_of(rule)
    for instrument in instrument_type.examples(mechanism):
        if instrument.unfit(mechanism) is not None:
            continue
        game = Governed(mechanism, (instrument,), scenario.names)
        for agent in range(min(2, mechanism.agents)):
            for _, text in rule_texts(game.rules_for(game.initial_state(), agent), PROMPTS, words):
                assert "Fraction(" not in text and "  " not in text


def test_rules_that_change_are_told_in_the_question():
    quota = INSTRUMENTS.parse({"kind": "quota", "amount": 10})
    scenario = fishery(instruments=(quota,))
    known, asker = brief(scenario, 0, PROMPTS), Questions(brief(scenario, 0, PROMPTS), PROMPTS)
    assert "10 fish" in known.system
    assert "quota" not in asker.text(act(scenario=scenario))
    gone = act(scenario=scenario, rules=())
    assert "No longer in force: quota." in asker.text(gone)
    ((template, rule),) = seen_in(scenario).rules
    changed = act(scenario=scenario, rules=((template, {**rule, "limit": 7}),))
    assert "7 fish" in asker.text(changed)


def test_a_mechanism_without_words_of_its_own_is_told_in_numbers():
    prompts = Prompts({name: text for name, text in PROMPTS.sources.items() if name != "mechanisms/common_pool.j2"})
    known = brief(fishery(), 0, prompts)
    assert "capacity: 100" in known.system and "kind: common_pool" not in known.mechanism.rules


# Strict


@pytest.mark.parametrize("name", PROMPTS.names)
def test_no_branch_of_a_shipped_template_uses_a_name_it_is_never_given(name):
    check_names(PROMPTS, name)


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_no_branch_of_a_mechanisms_template_uses_a_parameter_it_has_not(kind):
    for goal, fields in GOALS.items():
        wanted = ADAPTER.validate_python({"kind": goal, **fields})
        scenario = society_of(MECHANISMS.parse({"kind": kind}))
        agents = tuple(spec.model_copy(update={"goal": wanted}) for spec in scenario.agents)
        scenario = scenario.model_copy(update={"agents": agents})
        check_templates(scenario, PROMPTS, templates_used(scenario, PROMPTS))


@pytest.mark.parametrize(
    ("name", "added", "said"),
    [
        ("act.j2", "{% if round == 7 %}{{ stok }}{% endif %}", "there is no 'stok'"),
        ("talk.j2", "{% if private %}{{ theme.resourse }}{% endif %}", "did you mean 'resource'"),
        ("mechanisms/common_pool.j2", "{% if false %}{{ rules.capasity }}{% endif %}", "did you mean 'capacity'"),
        ("goals/own_payoff.j2", "{{ goal.target }}", "there is no 'goal.target'"),
        ("heading.j2", "{{ persona }}", "there is no 'persona'"),
        ("system.j2", "{{ goal_texts }}", "did you mean 'goal_text'"),
    ],
)
def test_a_name_that_is_used_only_in_round_seven_is_found_before_the_first(name, added, said):
    prompts = Prompts({**PROMPTS.sources, name: PROMPTS.sources[name] + added})
    asked = []
    with pytest.raises(TemplateFault, match=said):
        Casting.of(fishery(), prompts).policies(seed=1, client_for=asked.append)
    assert not asked


REFUSED = {
    "a call": "{{ names.append(1) }}",
    "a global": "{{ range(10) }}",
    "lipsum": "{{ lipsum(100) }}",
    "a class": "{{ ''.__class__ }}",
    "a class by item": "{{ ''['__class__'] }}",
    "a class by filter": "{{ '' | attr('__class__') }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a repeated text": "{{ 'x' * 10000000000 }}",
    "a repeated name": "{{ me * 10000000000 }}",
    "a formatted text": "{{ '%1000000000s' % me }}",
    "padding": "{{ me | center(1000000000) }}",
    "a macro": "{% macro m() %}{% endmacro %}",
    "an import": "{% import 'system.j2' as s %}",
    "a computed include": "{% include me %}",
    "an include that is not there": "{% include 'nowhere.j2' %}",
    "a parent": "{% extends 'system.j2' %}",
    "an unknown name": "{{ themes }}",
    "an unknown name in a branch never taken": "{% if false %}{{ themes }}{% endif %}{{ themes }}",
    "an unknown field": "{{ theme.resources }}",
    "an open block": "{% if me %}",
    "an open brace": "{{ me",
    "a missing filter": "{{ me | shout }}",
    "joined texts": "{{ me ~ me }}",
    "itself": "{% include 'x.j2' %}",
    "doubling by addition": "{% set a = me + me %}{% set b = a + a %}{{ b }}",
    "doubling by joining": "{% set a = [me, me] | join %}{{ a }}",
    "doubling by a block": "{% set a %}{{ me }}{{ me }}{% endset %}{{ a }}",
    "loops in loops": "{% for a in names %}" * 4 + "x" + "{% endfor %}" * 4,
    "includes that double": "{% include 'x1.j2' %}{% include 'x1.j2' %}",
    "a deep loop": "{% for a in names %}" * 2000,
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED.keys())
def test_what_a_template_must_not_do_is_refused_by_name_at_once(source):
    doubling = {f"x{k}.j2": f"{{% include 'x{k + 1}.j2' %}}" * 2 for k in range(1, 40)} | {"x40.j2": "x"}
    prompts = Prompts({**PROMPTS.sources, **doubling, "x.j2": source})
    started = time.perf_counter()
    with pytest.raises(TemplateFault, match=r"x\.j2|nowhere"):
        prompts.render("x.j2", {"theme": plain_data(LAKE), "me": "Ann", "names": list(NAMES)})
    assert time.perf_counter() - started < 2


def test_agents_words_are_values_and_never_part_of_a_template():
    prompts = Prompts({"x.j2": "{{ me }}"})
    for words in ("{{ 7 * 7 }}", "{% for x in y %}", "%s {goal} $HOME"):
        assert prompts.render("x.j2", {"me": words}) == words


def test_a_template_is_given_plain_data_only():
    with pytest.raises(TypeError, match="Window"):
        plain_data({"a": [policy_with(CannedModel())._window]})


def test_a_nearer_folder_wins_and_paths_cannot_lead_out(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b" / "goals").mkdir(parents=True)
    (tmp_path / "a" / "act.j2").write_text("mine")
    (tmp_path / "b" / "act.j2").write_text("theirs")
    (tmp_path / "b" / "goals" / "x.j2").write_text("x")
    prompts = Prompts.load([tmp_path / "a", tmp_path / "b"])
    assert prompts.render("act.j2", {}) == "mine" and prompts.names == ("act.j2", "goals/x.j2")
    (tmp_path / "secret").write_text("key")
    (tmp_path / "a" / "talk.j2").symlink_to(tmp_path / "secret")
    with pytest.raises(TemplateFault, match=r"talk\.j2"):
        Prompts.load([tmp_path / "a"])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 70_000], ids=["no text", "too long"])
def test_a_file_that_is_no_template_is_refused(tmp_path, content):
    (tmp_path / "act.j2").write_bytes(content)
    with pytest.raises(TemplateFault, match=r"act\.j2"):
        Prompts.load([tmp_path])


def test_the_working_directory_comes_first(tmp_path, monkeypatch):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "act.j2").write_text("Do it. {{ shape }}")
    monkeypatch.chdir(tmp_path)
    assert prompt_folders()[0] == (tmp_path / "prompts").resolve()
    prompts = Prompts.load()
    assert Questions(brief(fishery(), 0, prompts), prompts).text(act()).startswith("Do it. {")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_can_be_told_to_everybody(path):
    scenario = load_scenario(path)
    check_templates(scenario, PROMPTS, templates_used(scenario, PROMPTS))
    for agent in range(len(scenario.agents)):
        for shown in preview(scenario, agent, PROMPTS):
            assert shown.tokens < 0.8 * scenario.model_of(agent).context_tokens
            for strange in ("None", "Fraction(", "{{", "  "):
                assert strange not in shown.system + shown.question


def test_who_moved_before_is_told_in_a_sequential_stage():
    question = Act(Position(1, "act", 0, 2), seen_in(agent=2), earlier=((0, 12), (1, 30)))
    assert "Before you: Ann 12, Bo 30.\nAct now." in Questions(brief(fishery(), 2, PROMPTS), PROMPTS).text(question)


def test_a_preview_shows_what_would_be_sent():
    shown = preview(fishery(), 2, PROMPTS)
    assert [one.stage for one in shown] == ["talk", "declare", "act"]
    assert all(one.system.startswith("You are Cy, fisher at the lake, one of 5") for one in shown)
    assert shown[2].question == Questions(brief(fishery(), 2, PROMPTS), PROMPTS).text(act(agent=2))
    assert shown[2].schema["required"] == ["action"] and "x-society" not in str(shown)
    quiet = fishery(stages={"talk": {"turns": 0}, "declare": {"predict": "off"}})
    assert [one.stage for one in preview(quiet, 0, PROMPTS)] == ["act"]


# Hashed


def test_a_hash_covers_what_is_included_and_nothing_else():
    sources = {
        "a.j2": "{% include 'b.j2' %}",
        "b.j2": "{% if x %}{% include 'c.j2' %}{% endif %}",
        "c.j2": "c",
        "d.j2": "d",
    }
    whole = Prompts(sources)
    assert whole.closure("a.j2") == ("a.j2", "b.j2", "c.j2")
    assert Prompts({**sources, "c.j2": "C"}).hash("a.j2") != whole.hash("a.j2")
    assert Prompts({**sources, "d.j2": "D"}).hash("a.j2") == whole.hash("a.j2")
    assert Prompts(dict(reversed(sources.items()))).hash("a.j2") == whole.hash("a.j2")


def test_a_run_names_the_templates_it_was_made_of():
    used = templates_used(fishery(instruments=(INSTRUMENTS.parse({"kind": "quota", "amount": 10}),)), PROMPTS)
    assert {
        "system.j2",
        "act.j2",
        "history.j2",
        "goals/own_payoff.j2",
        "mechanisms/common_pool.j2",
        "instruments/quota.j2",
    } <= set(used)
    assert "goals/weighted.j2" not in used and all(len(digest) == 64 for digest in used.values())


def test_words_are_listed_as_people_do():
    assert [listed(NAMES[:k]) for k in range(4)] == ["", "Ann", "Ann and Bo", "Ann, Bo and Cy"]
