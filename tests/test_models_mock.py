"""Mock models: every schema gets an answer that fits it, and each personality does as it says."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from society.core.calls import ChatMessage, ModelRequest, Position
from society.models.mock import PERSONALITIES, MockModel
from society.models.schema import full, portable

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
