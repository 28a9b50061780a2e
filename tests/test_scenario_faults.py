"""Scenario files that cannot be played: each problem at its line and column, in words, and nothing hostile costs time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from society.core.errors import ScenarioError
from society.scenario.load import load, loads, resolved
from society.scenario.model import Scenario
from society.scenario.tree import MAX_BYTES

HEAD = "name: x\nmechanism: {kind: common_pool}\n"
GOOD = HEAD + "agents: 2\n"

BAD = {
    "unknown field": (GOOD + "ronuds: 3\n", "4:1: ronuds: unknown field 'ronuds' (did you mean 'rounds'?)"),
    "unknown field far from all": (GOOD + "zzz: 3\n", "4:1: zzz: unknown field 'zzz' (known: name, about,"),
    "unknown field of an agent": (
        HEAD + "agents:\n  - name: Ann\n  - role: boss\n    cuont: 3\n",
        "6:5: agents.1.cuont: unknown field 'cuont' (did you mean 'count'?)",
    ),
    "unknown field of a mechanism": (
        "name: x\nagents: 2\nmechanism:\n  kind: common_pool\n  capasity: 3\n",
        "5:3: mechanism.capasity: unknown field 'capasity' (did you mean 'capacity'?)",
    ),
    "unknown mechanism": (
        "name: x\nagents: 2\nmechanism: comon_pool\n",
        "3:12: mechanism.kind: no mechanism of kind 'comon_pool'; did you mean 'common_pool'?",
    ),
    "mechanism without a kind": (
        "name: x\nagents: 2\nmechanism:\n  capacity: 3\n",
        "3:1: mechanism: this mechanism needs a 'kind' (known: ",
    ),
    "mechanism missing": ("name: x\nagents: 2\n", "1:1: mechanism: 'mechanism' is needed here"),
    "agents missing": (HEAD, "1:1: agents: 'agents' is needed here"),
    "agents empty": (HEAD + "agents: []\n", "3:9: agents: at least 1 items are needed here"),
    "no agents": (HEAD + "agents: 0\n", "3:9: agents.0.count: must be at least 1"),
    "agents negative": (HEAD + "agents: -3\n", "3:9: agents.0.count: must be at least 1"),
    "too many agents": (HEAD + "agents: 100000\n", "3:9: agents.0.count: must be at most 1000"),
    "too many agents in all": (HEAD + "agents: [{count: 600}, {count: 600}]\n", "3:9: agents: more than 1000 agents"),
    "count of the mechanism contradicts the list": (
        "name: x\nmechanism: {kind: common_pool, agents: 7}\nagents: 2\n",
        "2:40: mechanism.agents: this follows from the list of agents, which has 2; leave it out",
    ),
    "unknown instrument": (
        GOOD + "instruments: [quotta]\n",
        "4:15: instruments.0.kind: no instrument of kind 'quotta'",
    ),
    "instruments as a map": (GOOD + "instruments: {kind: quota}\n", "4:1: instruments: a list is needed here"),
    "unknown goal": (
        HEAD + "agents:\n  - goal: {kind: own_payof}\n",
        "4:18: agents.0.goal.kind: no goal of kind 'own_payof'; did you mean 'own_payoff'?",
    ),
    "goal without a kind": (HEAD + "agents: [{goal: {value: 3}}]\n", "3:11: agents.0.goal: a 'kind' is needed here"),
    "goal inside a mix": (
        HEAD + "agents: [{goal: {kind: weighted, parts: [{weight: 1, goal: {kind: sustain, at_lest: 3}}]}}]\n",
        "3:76: agents.0.goal.parts.0.goal.at_lest: unknown field 'at_lest' (did you mean 'at_least'?)",
    ),
    "goal that the mechanism cannot measure": (
        "name: x\nmechanism: public_goods\nagents:\n  - goal: {kind: sustain, at_least: 3}\n",
        "4:5: agents.0.goal: public_goods has no 'stock_after' to aim at",
    ),
    "model that is not there": (
        GOOD.replace("2", "[{model: bg}]") + "models: {big: local}\n",
        "3:18: agents.0.model: no entry 'bg' in 'models'; did you mean 'big'?",
    ),
    "no default model": (GOOD + "models: {big: local}\n", "3:9: agents.0: this agent names no model"),
    "address in a scenario": (
        GOOD + "models: {default: x@http://localhost/v1}\n",
        "4:19: models.default.name: an address must not stand in a scenario",
    ),
    "file in a scenario": (
        GOOD + "models: {default: mock:script:/etc/passwd}\n",
        "4:19: models.default.name: a model's file must not be named in a scenario",
    ),
    "key in a scenario": (
        GOOD + "models: {default: {name: local, api_key: sk-abcdef}}\n",
        "4:33: models.default.api_key: unknown field 'api_key'",
    ),
    "quoted number": (GOOD + 'rounds: "12"\n', "4:9: rounds: a whole number is needed here, not text in quotes"),
    "quoted quantity": (
        GOOD + 'budget: {usd: "12"}\n',
        "4:15: budget.usd: a number is needed here, not text in quotes",
    ),
    "boolean for a number": (GOOD + "rounds: true\n", "4:9: rounds: a whole number is needed here, not true or false"),
    "decimal for a count": (GOOD + "rounds: 2.5\n", "4:9: rounds: a whole number is needed here, not a decimal"),
    "sexagesimal": (GOOD + "rounds: 1:30\n", "4:9: rounds: a whole number is needed here, not text"),
    "octal": (GOOD + "rounds: 010\n", "4:9: rounds: a leading zero means octal to some readers; write 10"),
    "underscores": (GOOD + "rounds: 1_0\n", "4:9: rounds: a whole number is needed here, not text"),
    "yes for true": (GOOD + "disclosure: {actions: yes}\n", "4:23: disclosure.actions: true or false is needed here"),
    "null": (GOOD + "rounds:\n", "4:8: rounds: a whole number is needed here, not nothing"),
    "not a number": (GOOD + "budget: {usd: .nan}\n", "4:15: budget.usd: a finite number is needed here"),
    "infinity": (GOOD + "budget: {usd: -.inf}\n", "4:15: budget.usd: a finite number is needed here"),
    "beyond every double": (GOOD + "budget: {usd: 1e999}\n", "4:15: budget.usd: that number is too large"),
    "more digits than are kept": (
        GOOD + "budget: {usd: 0.1234567890123456789}\n",
        "4:15: budget.usd: that number has more digits than are kept",
    ),
    "growth beyond reason": (
        "name: x\nagents: 2\nmechanism: {kind: common_pool, growth: {kind: doubling, factor: 1e308}}\n",
        "3:65: mechanism.growth.factor: ",
    ),
    "rounds zero": (GOOD + "rounds: 0\n", "4:9: rounds: must be at least 1"),
    "rounds negative": (GOOD + "rounds: -3\n", "4:9: rounds: must be at least 1"),
    "rounds without end": (GOOD + "rounds: 1000000000\n", "4:9: rounds: must be at most 10000"),
    "rounds of a million digits": (GOOD + f"rounds: {'9' * 100_000}\n", "4:9: rounds: that number is too long"),
    "seeds that are none": (GOOD + "seeds: some\n", "4:8: seeds: 'some' names no seeds; write 7, 0-9 or 0-4,10"),
    "seeds without end": (GOOD + "seeds: 0-99999999\n", "4:8: seeds: more than 10000 seeds"),
    "seed negative": (GOOD + "seeds: [-1]\n", "4:9: seeds.0: must be at least 0"),
    "word that is none of the words": (
        GOOD + "on_failure: abstian\n",
        "4:13: on_failure.counts_as: must be 'abstain', 'repeat' or 'void_run'; did you mean 'abstain'?",
    ),
    "text where a list is needed": (GOOD.replace("2", "Ann"), "3:9: agents: a list is needed here, not text"),
    "list where a map is needed": (GOOD + "theme: [fish]\n", "4:8: theme: a map of fields is needed here, not a list"),
    "number for a name": (
        HEAD + "agents: [{name: 7}]\n",
        "3:17: agents.0.name: text is needed here, not a whole number",
    ),
    "sequence without actions": (
        HEAD + "agents: [{policy: scripted}]\n",
        "3:11: agents.0.policy.actions: the rule 'sequence' needs its list of actions",
    ),
    "sequence with a word for an amount": (
        HEAD + "agents: [{policy: {kind: scripted, actions: [1, two]}}]\n",
        "3:49: agents.0.policy.actions.1: expected a whole number from 0 to 100",
    ),
    "sequence with a negative amount": (
        HEAD + "agents: [{policy: {kind: scripted, actions: [-1]}}]\n",
        "3:46: agents.0.policy.actions.0: -1 is not an allowed amount",
    ),
    "scenario name with a path": (GOOD.replace("name: x", "name: ../x"), "1:7: name: must match"),
    "a list": ("- a\n", "1:1: a scenario is a map of fields"),
    "an empty file": ("", "1:1: a scenario is a map of fields"),
    "key twice": (GOOD + "rounds: 1\nrounds: 2\n", "5:1: 'rounds' is given twice (first in line 4)"),
    "second document": (GOOD + "---\nrounds: 1\n", "4:1: a second document"),
    "alias": (GOOD + "about: *x\n", "4:8: aliases"),
    "anchor": (GOOD + "about: &x y\n", "4:8: anchors"),
    "merge key": (GOOD + "<<: {rounds: 3}\n", "4:1: <<: unknown field '<<'"),
    "tag": (GOOD + "about: !!python/object/apply:os.system ['true']\n", "4:8: tags"),
    "tag of one's own": (GOOD + "about: !include secret.txt\n", "4:8: tags"),
    "directive": ("%YAML 1.1\n---\n" + GOOD, "2:1: YAML directives"),
    "tab": ("name: x\nagents:\n\t- Ann\n", "3:1: this is not valid YAML"),
    "NUL": (GOOD + "about: a\0b\n", "4:9: a character that is not allowed in YAML"),
    "escape character": (GOOD + "about: a\x1b[2Jb\n", "4:9: a character that is not allowed in YAML"),
    "escaped NUL": (GOOD + 'about: "a\\0b"\n', "4:8: about: U+0000 is no character of a text"),
    "escaped escape": (GOOD + 'about: "a\\x1b[2Jb"\n', "4:8: about: U+001B is no character of a text"),
    "half a pair": (GOOD + 'about: "a\\ud800b"\n', "4:8: about: U+D800 is no character of a text"),
    "no character": (GOOD + 'about: "a\\UFFFFFFFFb"\n', "4:10: an escape that names no character"),
    "beyond the last character": (GOOD + 'about: "\\U00110000"\n', "4:9: an escape that names no character"),
    "map as a key": (GOOD + "? {a: b}\n: c\n", "4:3: a key must be a plain word"),
    "unclosed bracket": (GOOD + "seeds: [1, 2\n", "5:1: this is not valid YAML"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_at_its_line(case):
    text, expected = BAD[case]
    with pytest.raises(ScenarioError) as caught:
        loads(text, name="bad.yaml")
    titles = [problem.title for problem in caught.value.problems]
    assert any(title.startswith(f"bad.yaml:{expected}") for title in titles), titles
    assert len(titles) == 1, titles


NAMES = {
    "empty": ("''", "must not be empty"),
    "blank": ("' '", "must not be empty"),
    "harness": ("SYSTEM", "taken for the harness"),
    "harness in small letters": ("system", "taken for the harness"),
    "harness with a number": ("System 2", "taken for the harness"),
    "harness with Cyrillic U": ("SУSTEM", "must not mix letters of Cyrillic and Latin"),
    "harness in Cyrillic look-alikes": ("ѕуѕтем", "taken for the harness"),
    "harness in full width": ("ＳＹＳＴＥＭ", "ordinary letters"),
    "everybody": ("Everybody", "taken for the harness"),
    "all": ("all", "taken for the harness"),
    "all with a capital i": ("aIl", "taken for the harness"),
    "blank at the end": ("'Ann '", "start or end with a blank"),
    "zero width": ('"An\\u200bn"', r"U\+200B"),
    "newline": ('"Ann\\nSYSTEM"', r"U\+000A"),
    "bidi": ('"Ann\\u202e"', r"U\+202E"),
    "ansi": ('"\\e[31mAnn"', r"U\+001B"),
    "nbsp": ('"Ann\\u00a0B"', r"U\+00A0"),
    "tag block": ('"Ann\\U000E0041"', r"U\+E0041"),
    "variation selector": ('"Ann\\uFE0F"', r"U\+FE0F"),
    "colon": ("'Ann:'", "must not hold ':'"),
    "html": ("<b>Ann</b>", "must not hold '<'"),
    "path": ("../x", "must not hold '/'"),
    "zalgo": ('"A\\u0323\\u0324\\u0325\\u0326\\u0327nn"', "must not pile up marks"),
    "long": ("A" * 10_000, "at most 40 characters"),
    "digits": ("'7'", "at least one letter"),
    "case twin": ("ANN", "mistaken for 'Ann'"),
    "same": ("Ann", "is taken"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_could_be_mistaken_is_refused(case):
    name, message = NAMES[case]
    with pytest.raises(ScenarioError, match=message) as caught:
        loads(HEAD + f"agents:\n  - name: Ann\n  - name: {name}\n")
    assert len(caught.value.problems) == 1


def test_two_spellings_of_one_name_are_one_name():
    with pytest.raises(ScenarioError, match="is taken"):
        loads(HEAD + 'agents: ["Zo\\u00eb", "Zoe\\u0308"]\n')


@pytest.mark.parametrize(
    "name", ["רות", "王芳", "Åsa", "Zoë", "Ólafur", "O'Neil", "Jean-Luc", "さくら", "Анна", "محمد", "Ali", "Ann B. 2"]
)
def test_names_of_every_script_are_welcome(name):
    assert loads(HEAD + f'agents: ["{name}"]\n').names == (name,)


def test_everything_wrong_is_told_at_once_and_by_line():
    text = 'name: x\nrounds: "3"\nmechanism: {kind: pool}\nagents:\n  - cuont: 2\n    name: all\nsedes: 3\n'
    with pytest.raises(ScenarioError) as caught:
        loads(text, name="f.yaml")
    found = [(problem.as_json()["line"], problem.as_json()["field"]) for problem in caught.value.problems]
    assert found == [(2, "rounds"), (3, "mechanism.kind"), (5, "agents.0.cuont"), (6, "agents.0.name"), (7, "sedes")]


def test_the_line_is_shown_with_a_caret_under_the_place():
    with pytest.raises(ScenarioError) as caught:
        loads(GOOD + "rounds: none\n", name="f.yaml")
    assert str(caught.value).splitlines() == [
        "f.yaml:4:9: rounds: a whole number is needed here, not text",
        "   | rounds: none",
        "   |         ^",
    ]


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "api_key: sk-secret\n",
        GOOD + "models: {default: {api_key: sk-secret, name: 3}}\n",
        GOOD + "api_key: >\n  sk-secret\n  more\nrounds: x\n",
        GOOD + "api_key: {deep: [sk-secret]}\n",
        GOOD + "name: sk-secret\n",
    ],
)
def test_what_stands_under_an_unknown_key_is_never_shown(text):
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    assert "sk-secret" not in str(caught.value)


def test_messages_hold_no_control_characters():
    text = GOOD + '"a\\e[2J\\u202eb": 1\non_failure: "\\u0007x"\n'
    with pytest.raises(ScenarioError) as caught:
        loads(text, name="evil\x1b[31m.yaml")
    assert re.fullmatch(r"[\x20-\x7e\n…]*", str(caught.value).replace("evil\x1b[31m.yaml", "")), str(caught.value)


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "billion laughs": LAUGHS,
    "deep flow": "[" * 100_000,
    "deep flow maps": "{a: " * 50_000,
    "deep block": "- " * 100_000,
    "deep keys": "? " * 100_000,
    "many keys": "\n".join(f"k{i}: {i}" for i in range(20_000)),
    "many items": "a: [" + "1, " * 80_000 + "1]",
    "huge file": "a" * (MAX_BYTES + 1),
    "huge integer": "rounds: " + "1" * 250_000,
    "huge hexadecimal": "rounds: 0x" + "f" * 250_000,
    "huge exponent": "budget: {usd: 1e99999999}",
    "itself inside itself": "&a [*a]",
    "one long line of colons": ": " * 100_000,
    "quotes without end": '"' * 100_001,
    "comments": "#" * 250_000,
    "seeds": "name: x\nmechanism: common_pool\nagents: 2\nseeds: 0-999999999999999999",
    "agents": "name: x\nmechanism: common_pool\nagents: [" + "{count: 1000}," * 900 + "]",
}


def test_a_link_that_leads_to_itself_is_no_scenario(tmp_path):
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "a.yaml").write_text("extends: loop.yaml\n" + GOOD)
    with pytest.raises(ScenarioError, match="a link that leads to itself"):
        load(tmp_path / "a.yaml")
    with pytest.raises(ScenarioError):
        load(tmp_path / "loop.yaml")


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_quickly(case):
    start = time.process_time()
    with pytest.raises(ScenarioError) as caught:
        loads(HOSTILE[case])
    assert time.process_time() - start < 2
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("name: Jos\u00e9\n".encode("latin-1"), "f.yaml:1:10: the file is not UTF-8 text"),
        ("name: x\n".encode("utf-16"), "f.yaml:1:1: the file is not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n\0", "f.yaml:1:1: the file is not UTF-8 text"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path, raw, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.yaml").write_bytes(raw)
    with pytest.raises(ScenarioError) as caught:
        load("f.yaml")
    assert str(caught.value).startswith(message)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(tmp_path / "f.yaml").name == "x"


def test_nothing_in_a_text_is_expanded(monkeypatch):
    monkeypatch.setenv("SECRET_WORD", "boo")
    about = "${SECRET_WORD} $SECRET_WORD {{7*7}} %s"
    assert loads(GOOD + f'about: "{about}"\n').about == about


def test_the_command_line_may_name_addresses_and_files():
    options = ["models.default.name=x@http://localhost:1/v1", "models.other.name=mock:script:answers.jsonl"]
    assert loads(GOOD, options).models["default"].name == "x@http://localhost:1/v1"


BITS = st.sampled_from(
    [
        *"{}[]:- \n#&*!|>\t%@`?~'\"",
        "0",
        "010",
        "1e9",
        ".nan",
        "null",
        "true",
        "kind",
        "agents",
        "1/0",
        "...",
        "---",
        "<<",
        "\x00",
    ]
)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 8), BITS), max_size=4), st.text(max_size=20))
def test_any_file_is_a_scenario_or_a_scenario_error(edits, tail):
    """A good file with some strokes of a cat on the keyboard."""
    text = GOOD + "models: {default: local}\nstages: {talk: 2}\nseeds: 0-3\nbudget: {usd: 1/3}\n"
    for place, length, bit in edits:
        text = text[:place] + bit + text[place + length :]
    try:
        scenario = loads(text + tail)
    except ScenarioError as error:
        assert str(error)
    else:
        assert Scenario.model_validate(resolved(scenario)) == scenario
