"""The JSON Schema of a scenario file, for editors: every field, kind and short form, with its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from society.core.registry import Registry
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.scenario.model import Scenario

Shape: TypeAlias = dict[str, Any]
"""JSON Schema; Any, since it nests without end."""

MODELINE = "# yaml-language-server: $schema="
_REF = "#/$defs/{model}"


def schema(scripts: Mapping[str, type[BaseModel]] | None = None) -> Shape:
    """The schema of scenario files (JSON Schema 2020-12).

    Args:
        scripts: the scripts a scripted policy may name, each as the model of its parameters; None leaves names open.
    """
    scripts = scripts or {}
    kinds: tuple[type[BaseModel], ...] = (
        *MECHANISMS.types.values(),
        *INSTRUMENTS.types.values(),
        *scripts.values(),
    )
    by_type, whole = models_json_schema(
        [(Scenario, "validation"), *((kind, "validation") for kind in kinds)], ref_template=_REF
    )
    defs: Shape = whole["$defs"]
    top = defs.pop(by_type[Scenario, "validation"]["$ref"].rsplit("/", 1)[1])

    def chosen(registry: Registry[Any]) -> Shape:  # Any: mechanisms and instruments alike
        refs = [by_type[kind, "validation"]["$ref"] for kind in registry.types.values()]
        for ref in refs:
            shape = defs[ref.rsplit("/", 1)[1]]
            shape["required"] = [
                "kind",
                *(name for name in shape.get("required", ()) if name not in ("kind", "agents")),
            ]
        whole_forms = {"oneOf": [{"$ref": ref} for ref in refs], "discriminator": {"propertyName": "kind"}}
        return {"anyOf": [{"enum": list(registry.kinds), "type": "string"}, whole_forms]}

    fields = top["properties"]
    fields["mechanism"] = {"description": fields["mechanism"]["description"], **chosen(MECHANISMS)}
    fields["instruments"] = {
        "description": fields["instruments"]["description"],
        "type": "array",
        "items": chosen(INSTRUMENTS) if INSTRUMENTS.kinds else False,
    }
    fields["extends"] = {
        "type": "string",
        "pattern": r"^[^/\\]+\.ya?ml$",
        "description": "another scenario in the same folder that this one builds on: maps merge, everything else replaces",
    }
    _short_forms(fields, defs, sorted(scripts))
    rules = {
        name: defs.pop(by_type[script, "validation"]["$ref"].rsplit("/", 1)[1]) for name, script in scripts.items()
    }
    if rules:
        defs["ScriptedPolicy"] = _scripted(defs["ScriptedPolicy"], rules)
    top["anyOf"] = [{"required": ["extends"]}, {"required": ["name", "mechanism", "agents"]}]
    top.pop("required", None)
    top.update({"$defs": defs, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "society scenario"})
    _untitle(top["properties"])
    _untitle(defs)
    return top  # type: ignore[no-any-return]  # pydantic types schemas as Any


def _short_forms(fields: Shape, defs: Shape, rules: Sequence[str]) -> None:
    """What `society.scenario.shorthand` spells out."""
    word = {"type": "string"}
    _or(fields, "seeds", {"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9,\- ]+$"})
    _or(fields, "agents", {"type": "integer", "minimum": 1, "maximum": 1000})
    _or(fields, "on_failure", dict(defs["OnFailure"]["properties"]["counts_as"]))
    agents = next(option for option in fields["agents"]["anyOf"] if "items" in option)
    agents["items"] = {"anyOf": [dict(word), agents["items"]]}
    fields["models"]["additionalProperties"] = {"anyOf": [dict(word), fields["models"]["additionalProperties"]]}
    stages, agent = defs["Stages"]["properties"], defs["AgentSpec"]["properties"]
    _or(stages, "talk", {"const": "off"}, {"type": "integer", "minimum": 0})
    _or(stages, "declare", dict(defs["DeclareStage"]["properties"]["predict"]))
    _or(stages, "act", dict(defs["ActStage"]["properties"]["order"]))
    goals = [ref.rsplit("/", 1)[1] for ref in agent["goal"]["discriminator"]["mapping"].values()]
    plain = [g for g in goals if not defs[g].get("required")]
    _or(agent, "goal", {"enum": [defs[g]["properties"]["kind"]["const"] for g in plain], "type": "string"})
    _or(agent, "policy", {"enum": ["llm", "human", "learned", *rules], "type": "string"} if rules else dict(word))
    for definition in defs.values():  # one word chooses the kind, so an editor must be told that it is needed
        kind = definition.get("properties", {}).get("kind", {})
        if "const" in kind and "kind" not in definition.get("required", []):
            definition["required"] = ["kind", *definition.get("required", [])]


def _scripted(policy: Shape, rules: Mapping[str, Shape]) -> Shape:
    """One form a script: its name, and what parameters it takes."""
    forms = []
    for name, rule in rules.items():
        properties = dict(policy["properties"])
        properties["rule"] = {"const": name, "description": " ".join(str(rule.get("description", "")).split())}
        beside = {"kind", "actions"} if name == "sequence" else {"kind"}
        parameters = {key: value for key, value in rule["properties"].items() if key not in beside}
        properties["parameters"] = {"type": "object", "additionalProperties": False, "properties": parameters}
        needed = ["kind", "rule"]
        if name == "sequence":
            needed = ["kind", "actions"]
        else:
            del properties["actions"]
        forms.append({**policy, "properties": properties, "required": needed})
    return {"oneOf": forms}


def _or(fields: Shape, name: str, *short: Shape) -> None:
    """A field that may also be written short."""
    whole = fields[name]
    kept = {key: whole.pop(key) for key in ("description", "default") if key in whole}
    for form in short:
        form.pop("default", None)
    fields[name] = {"anyOf": [*short, whole], **kept}


_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _untitle(shape: Any) -> None:
    """Titles repeat the names of fields; editors show them in place of the description. Bounds get their standard names."""
    if isinstance(shape, dict):
        for bound, standard in _BOUNDS.items():
            if isinstance(shape.get(bound), (int, float)):
                shape[standard] = shape.pop(bound)
        if isinstance(shape.get("title"), str):
            del shape["title"]
        for inside in shape.values():
            _untitle(inside)
    elif isinstance(shape, list):
        for inside in shape:
            _untitle(inside)
