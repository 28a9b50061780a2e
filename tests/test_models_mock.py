"""Mock models: every schema gets an answer that fits it, and each personality does as it says."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.calls import ChatMessage, ModelRequest, Position
from society.core.errors import BadInput
from society.models.mock import PERSONALITIES, MockModel
from society.models.schema import full, portable
from society.models.script import ScriptedModel

AMOUNT = {"type": "integer", "minimum": 0, "maximum": 100}


def asked(schema, *, round=1, stage="act", agent=0, attempt=0):
    messages = (ChatMessage("system", "You fish."), ChatMessage("user", "How much?"))
    return ModelRequest(Position(round, stage, 0, agent, attempt), "mock:x", messages, schema)


def said(personality, schema, **where):
    text, finish = MockModel(personality).answer(asked(schema, **where))
    assert finish == "stop"
    return json.loads(text)


def fits(value, schema):
    """Whether a value validates: a validator of the keywords the tests generate."""
    if "const" in schema:
        return value == schema["const"]
    if "enum" in schema:
        return value in schema["enum"]
    if "anyOf" in schema:
        return any(fits(value, option) for option in schema["anyOf"])
    match schema["type"]:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str) and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 9e9)
        case "integer" | "number" as kind:
            if isinstance(value, bool) or not isinstance(value, int if kind == "integer" else (int, float)):
                return False
            low, high = schema.get("minimum", value), schema.get("maximum", value)
            strict = schema.get("exclusiveMinimum", value - 1) < value < schema.get("exclusiveMaximum", value + 1)
            return (
                low <= value <= high
                and strict
                and value % schema.get("multipleOf", 1 if kind == "integer" else value or 1) == 0
            )
        case "array":
            sized = isinstance(value, list) and schema.get("minItems", 0) <= len(value) <= schema.get(
                "maxItems", len(value)
            )
            return sized and all(fits(item, schema["items"]) for item in value)
        case "object":
            return (
                isinstance(value, dict)
                and set(value) == set(schema["properties"])
                and all(fits(value[name], part) for name, part in schema["properties"].items())
            )
    raise AssertionError(schema)


@st.composite
def numbers(draw):
    low = draw(st.integers(-1000, 1000))
    schema = {"type": draw(st.sampled_from(["integer", "number"]))}
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + draw(st.integers(30, 500))
    if schema["type"] == "integer" and draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from([2, 5, 10]))
    return schema


@st.composite
def lengths(draw):
    least = draw(st.integers(0, 200))
    return {"type": "string", "minLength": least, "maxLength": least + draw(st.integers(0, 300))}


@st.composite
def arrays(draw, items):
    least = draw(st.integers(0, 4))
    return {"type": "array", "items": draw(items), "minItems": least, "maxItems": least + draw(st.integers(0, 3))}


LEAVES = st.one_of(
    numbers(),
    lengths(),
    st.just({"type": "null"}),
    st.just({"type": "boolean"}),
    st.builds(lambda v: {"const": v}, st.sampled_from(["a", 1, None])),
    st.builds(lambda v: {"enum": v}, st.lists(st.sampled_from(["yes", "no", 3, None]), min_size=1, unique=True)),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        arrays(inner),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda parts: {"type": "object", "properties": parts, "required": list(parts)},
            st.dictionaries(st.text("abcd", min_size=1, max_size=3), inner, max_size=4),
        ),
    ),
    max_leaves=10,
)


@given(
    schema=SCHEMAS, personality=st.sampled_from([p for p in PERSONALITIES if p != "malformed"]), agent=st.integers(0, 9)
)
def test_every_schema_gets_an_answer_that_validates(schema, personality, agent):
    assert fits(said(personality, schema, agent=agent), schema)


@settings(max_examples=40, deadline=None)
@given(schema=SCHEMAS)
def test_no_hint_and_no_limit_leaves_for_a_hosted_provider(schema):
    hinted = {"type": "object", "properties": {"a": {**schema, "x-society": {"share": 3}}}, "required": ["a"]}
    assert "x-society" not in json.dumps(full(hinted))
    sent = json.dumps(portable(hinted))
    assert "x-society" not in sent
    assert not any(f'"{key}":' in sent for key in ("minimum", "maximum", "minLength", "maxItems", "multipleOf"))


HINTED = {**AMOUNT, "x-society": {"role": "action", "share": 8, "last": 30}}
INTENDED = {**AMOUNT, "x-society": {"role": "intended", "share": 8, "last": 30}}


@pytest.mark.parametrize(
    ("personality", "schema", "value"),
    [
        ("sustainable", HINTED, 8),
        ("sustainable", AMOUNT, 33),
        ("greedy", HINTED, 100),
        ("greedy", {**AMOUNT, "x-society": {"role": "forecast"}}, 33),
        ("conditional", HINTED, 30),
        ("conditional", {**AMOUNT, "x-society": {"role": "action", "share": 8, "last": None}}, 8),
        ("liar", INTENDED, 8),
        ("liar", HINTED, 100),
        ("greedy", {**AMOUNT, "x-society": {"role": "action", "share": 8, "greedy": 0}}, 0),
        ("greedy", {"enum": ["C", "D"], "x-society": {"role": "action", "share": "C", "greedy": "D"}}, "D"),
        ("sustainable", {"enum": ["D", "C"], "x-society": {"role": "action", "share": "C"}}, "C"),
    ],
)
def test_each_personality_does_as_it_says(personality, schema, value):
    assert said(personality, schema) == value


@pytest.mark.parametrize(("personality", "shares"), [("sustainable", [34, 33, 33]), ("greedy", [0, 100, 0])])
def test_a_division_adds_up_to_its_total(personality, shares):
    hint = {"role": "action", "total": 100, "own": 1}
    schema = {"type": "array", "items": AMOUNT, "minItems": 3, "maxItems": 3, "x-society": hint}
    assert said(personality, schema) == shares
    assert sum(said("random", schema)) == 100


def test_random_answers_are_equal_for_equal_requests_and_differ_between_seats():
    drawn = [said("random", AMOUNT, agent=agent) for agent in range(20)]
    assert drawn == [said("random", AMOUNT, agent=agent) for agent in range(20)]
    assert len(set(drawn)) > 5


def test_malformed_answers_fail_in_many_ways_and_never_hold_a_valid_answer():
    schema = {"type": "object", "properties": {"amount": AMOUNT}, "required": ["amount"]}
    seen = set()
    for agent in range(14):
        text, finish = MockModel("malformed").answer(asked(schema, agent=agent))
        seen.add((text, finish))
        try:
            read = json.loads(text)
        except ValueError:
            continue
        assert finish != "stop" or not fits(read, schema), text
    assert len(seen) >= 10


def test_a_script_answers_by_position_and_its_first_fitting_line_counts(tmp_path):
    path = tmp_path / "answers.jsonl"
    lines = [
        {"match": {"round": 2, "agent": [0, 3]}, "answer": {"amount": 5}},
        {"match": {"stage": "talk"}, "text": "Hello", "finish": "length"},
        "anything else",
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    model = ScriptedModel.load(path)

    def ask(**where):
        return asyncio.run(model.complete(asked(None, **where)))

    assert ask(round=2, agent=3).text == '{"amount": 5}'
    assert (ask(stage="talk").text, ask(stage="talk").finish) == ("Hello", "length")
    assert ask(round=2, agent=1).text == "anything else"


@pytest.mark.parametrize(
    ("content", "words"),
    [("[1]", "entry 0"), ("{", "not JSON"), ('[{"match": {"rund": 1}}]', "rund"), (None, "cannot read")],
)
def test_a_bad_script_is_bad_input(tmp_path, content, words):
    path = tmp_path / "answers.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=words):
        ScriptedModel.load(path)


def test_a_script_without_a_fitting_line_says_where(tmp_path):
    path = tmp_path / "answers.json"
    path.write_text('[{"match": {"round": 1}, "text": "x"}]')
    with pytest.raises(BadInput, match="round 4"):
        asyncio.run(ScriptedModel.load(path).complete(asked(None, round=4)))
