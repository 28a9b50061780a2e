"""The JSON Schema of scenario files says what the loader says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from society.agents.scripted import SCRIPTS
from society.core.exact import Quoted
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.scenario.places import shipped
from society.scenario.schema import MODELINE, schema
from society.scenario.tree import read_tree

ROOT = Path(__file__).parent.parent
WHOLE = schema(SCRIPTS.types)
GOOD = "name: x\nmechanism: {kind: common_pool}\nagents: 2\n"


def fits(value, part):
    """A validator of the keywords the schema uses; any other keyword is an error of the test."""
    if part is True or part is False:
        return part
    return all(_KEYWORDS[word](value, part[word], part) for word in part if word not in _NOTES)


def _type(value, kind, _):
    kinds = {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "array": isinstance(value, tuple),
        "object": isinstance(value, dict),
    }
    return any(kinds[one] for one in ([kind] if isinstance(kind, str) else kind))


def _number(relation):
    return lambda value, limit, _: isinstance(value, (str, bool, dict, tuple, type(None))) or relation(value, limit)


def _extra(value, allowed, part):
    known = part.get("properties", {})
    return not isinstance(value, dict) or all(fits(v, allowed) for k, v in value.items() if k not in known)


_NOTES = frozenset({"description", "default", "discriminator", "$defs", "$schema", "title", "examples"})
_KEYWORDS = {
    "$ref": lambda value, ref, _: fits(value, WHOLE["$defs"][ref.rsplit("/", 1)[1]]),
    "type": _type,
    "const": lambda value, const, _: value == const and type(value) is not bool,
    "enum": lambda value, options, _: value in options,
    "anyOf": lambda value, options, _: any(fits(value, option) for option in options),
    "oneOf": lambda value, options, _: sum(fits(value, option) for option in options) == 1,
    "properties": lambda value, parts, _: (
        not isinstance(value, dict) or all(fits(value[k], part) for k, part in parts.items() if k in value)
    ),
    "required": lambda value, names, _: not isinstance(value, dict) or set(names) <= set(value),
    "additionalProperties": _extra,
    "propertyNames": lambda value, part, _: not isinstance(value, dict) or all(fits(name, part) for name in value),
    "items": lambda value, part, whole: (
        not isinstance(value, tuple) or all(fits(item, part) for item in value[len(whole.get("prefixItems", ())) :])
    ),
    "prefixItems": lambda value, parts, _: (
        not isinstance(value, tuple) or all(map(fits, value[: len(parts)], parts[: len(value)]))
    ),
    "minItems": lambda value, least, _: not isinstance(value, tuple) or len(value) >= least,
    "maxItems": lambda value, most, _: not isinstance(value, tuple) or len(value) <= most,
    "uniqueItems": lambda value, on, _: not isinstance(value, tuple) or len(set(value)) == len(value),
    "minLength": lambda value, least, _: not isinstance(value, str) or len(value) >= least,
    "maxLength": lambda value, most, _: not isinstance(value, str) or len(value) <= most,
    "pattern": lambda value, pattern, _: not isinstance(value, str) or re.search(pattern, value) is not None,
    "minimum": _number(lambda value, limit: value >= limit),
    "maximum": _number(lambda value, limit: value <= limit),
    "exclusiveMinimum": _number(lambda value, limit: value > limit),
    "exclusiveMaximum": _number(lambda value, limit: value < limit),
    "minProperties": lambda value, least, _: not isinstance(value, dict) or len(value) >= least,
    "maxProperties": lambda value, most, _: not isinstance(value, dict) or len(value) <= most,
}


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_fits_the_schema(name):
    assert fits(read_tree(shipped()[name].read_bytes(), name).root.plain(), WHOLE)


@pytest.mark.parametrize(
    "more",
    [
        "seeds: 0-9", "seeds: 3", "seeds: [1, 2]", "on_failure: repeat", "models: {default: local}", "budget: {usd: 1/3}",
        "stages: {talk: off, declare: off, act: sequential}", "stages: {talk: 3, declare: {predict: total}}",
        "agents: [Ann, {name: Bo, goal: own_payoff}, {policy: greedy}]",
        "agents: [{policy: {kind: scripted, rule: steady_share, parameters: {fraction: 1/5}}}]",
        "agents: [{policy: {kind: scripted, rule: sequence, actions: [1, 2]}}]",
        "agents: [{goal: {kind: weighted, parts: [{weight: 1, goal: {kind: sustain, at_least: 3}}]}}]",
    ],
)  # fmt: skip
def test_what_the_loader_takes_the_schema_takes(more):
    key = more.partition(":")[0]
    text = "\n".join([*(line for line in GOOD.splitlines() if not line.startswith(key)), more])
    assert fits(read_tree(text, "x").root.plain(), WHOLE)


@pytest.mark.parametrize(
    "more",
    [
        "ronuds: 3", "rounds: 0", "rounds: '3'", "rounds: true", "mechanism: comon_pool", "mechanism: {kind: common_pol}",
        "mechanism: {capacity: 3}", "mechanism: {kind: common_pool, capasity: 3}", "mechanism: {kind: common_pool, capacity: x}",
        "agents: []", "agents: 0", "agents: [{cuont: 3}]", "agents: [{goal: own_payof}]", "agents: [{goal: {kind: sustain}}]",
        "agents: [{policy: gredy}]", "agents: [{policy: {kind: scripted, rule: gredy}}]",
        "agents: [{policy: {kind: scripted, rule: steady_share, parameters: {fracton: 1}}}]", "agents: [{policy: scripted}]",
        "on_failure: abstian", "seeds: some", "instruments: quota", "instruments: [quotta]", "extends: ../x.yaml",
        "theme: [fish]", "disclosure: {actions: yes}", "stages: {talk: {order: any}}",
    ],
)  # fmt: skip
def test_what_the_loader_refuses_the_schema_refuses(more):
    key = more.partition(":")[0]
    text = "\n".join([*(line for line in GOOD.splitlines() if not line.startswith(key)), more])
    assert not fits(read_tree(text, "x").root.plain(), WHOLE)


def test_every_kind_is_in_the_schema():
    text = json.dumps(WHOLE)
    for kind in (*MECHANISMS.kinds, *INSTRUMENTS.kinds, *SCRIPTS.kinds):
        assert f'"const": "{kind}"' in text


def test_every_field_has_a_description():
    silent = [
        f"{owner}.{name}"
        for owner, definition in WHOLE["$defs"].items()
        for name, field in definition.get("properties", {}).items()
        if name != "kind" and "description" not in field and "$ref" not in field
    ]
    assert silent == []


def test_the_shipped_schema_is_fresh():
    """`society schema -o scenarios/schema.json` makes it fresh."""
    assert json.loads((ROOT / "scenarios" / "schema.json").read_text("utf-8")) == json.loads(json.dumps(WHOLE))


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_tells_editors_of_the_schema(name):
    assert shipped()[name].read_text("utf-8").startswith(f"{MODELINE}./schema.json\n")


def test_the_validator_of_this_test_can_fail():
    assert not fits("3", {"type": "integer"}) and fits(3, {"type": "integer"})
    assert fits(Quoted("a"), {"enum": ["a"]}) and not fits(2, {"oneOf": [{"type": "integer"}, {"minimum": 1}]})
