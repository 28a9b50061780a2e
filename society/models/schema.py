"""The JSON Schema of an answer, in the dialects that servers understand.

A question's schema may hold hints for offline models under the key `HINT` (see `society.models.mock`); they never leave the
process. Two dialects go out:

    full      as asked, for servers that turn a schema into a grammar (llama.cpp, vLLM, Ollama, LM Studio)
    portable  the common subset of hosted providers: every property required, nothing additional, no limits; limits are
              restated in the description, and enforced when the answer is read
"""

from __future__ import annotations

from typing import Any, TypeAlias

HINT = "x-society"

Shape: TypeAlias = dict[str, Any]  # Any: JSON Schema is data whose keys decide the types of their values

_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matching {}",
}
_DROPPED = {*_LIMITS, "default", "title", "format", "examples", "uniqueItems", "discriminator", "$schema", "$id"}
_NAMED = ("properties", "$defs", "definitions")  # keys whose values map free names to schemas


def full(schema: Shape) -> Shape:
    """The schema as asked, without our own hints."""
    return _walk(schema, portable_subset=False)


def portable(schema: Shape) -> Shape:
    """The schema in the subset every hosted provider accepts."""
    return _walk(schema, portable_subset=True)


def _walk(schema: Shape, *, portable_subset: bool) -> Shape:
    found: Shape = {}
    for key, value in schema.items():
        if key.startswith("x-") or (portable_subset and (key in _DROPPED or _lists(key, value))):
            continue
        if key in _NAMED and isinstance(value, dict):
            found[key] = {name: _branch(part, portable_subset) for name, part in value.items()}
        elif key in {"enum", "const", "required"}:
            found[key] = value
        else:
            name = "anyOf" if portable_subset and key == "oneOf" else key
            found[name] = _branch(value, portable_subset)
    if not portable_subset:
        return found
    properties = found.get("properties")
    if isinstance(properties, dict):
        asked = set(schema.get("required", ()))
        found["properties"] = {
            name: part if name in asked or not isinstance(part, dict) else _nullable(part)
            for name, part in properties.items()
        }
        found["required"] = list(properties)
        found["additionalProperties"] = False
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    if limits:
        about = str(found.get("description", "")).rstrip(".")
        found["description"] = f"{about}; {', '.join(limits)}" if about else ", ".join(limits)
    return found


def _lists(key: str, value: Any) -> bool:  # Any: see Shape
    """Whether whole lists are enumerated, which hosted providers do not take."""
    return key == "enum" and any(isinstance(one, list) for one in value)


def _branch(value: Any, portable_subset: bool) -> Any:  # Any: see Shape
    if isinstance(value, dict):
        return _walk(value, portable_subset=portable_subset)
    if isinstance(value, list):
        return [_branch(item, portable_subset) for item in value]
    return value


def _nullable(part: Shape) -> Shape:
    """An optional property of the original: hosted providers want it there, so it may be null instead."""
    kind = part.get("type")
    if isinstance(kind, str) and kind != "null" and "enum" not in part:
        return {**part, "type": [kind, "null"]}
    if isinstance(kind, list) and "null" in kind:
        return part
    options = part["anyOf"] if set(part) == {"anyOf"} else [part]
    return {"anyOf": [*options, {"type": "null"}]}
