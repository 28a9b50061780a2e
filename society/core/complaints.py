"""What a validator found, in words a user can act on."""

from __future__ import annotations

import types
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeAliasType

from society.core.errors import did_you_mean

Path = tuple[str | int, ...]

MAX_WIDTH = 120

_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a map of fields",
    "model_type": "a map of fields",
    "model_attributes_type": "a map of fields",
    "dataclass_type": "a map of fields",
    "finite_number": "a finite number",
}


def complaint(detail: Any) -> str:  # Any: pydantic's ErrorDetails is not public at run time
    """What is wrong with a value, and what would be right."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in _TYPES:
        hint = ""
        if kind == "string_type" and isinstance(given, (int, float)):
            hint = " (put it in quotes)"
        if kind == "bool_type" and str(given).casefold() in ("yes", "no", "on", "off"):
            hint = " (YAML 1.2 reads yes, no, on and off as text)"
        return f"{_TYPES[kind]} is needed here, not {_type_name(given)}{hint}"
    if kind == "missing":
        return "a value is needed here"
    if kind == "literal_error":
        options = [option.strip("'") for option in str(context["expected"]).replace(" or ", ", ").split(", ")]
        guess = did_you_mean(given, options) if isinstance(given, str) else ""
        return f"must be {context['expected']}{guess}"
    if kind == "union_tag_not_found":
        return "a 'kind' is needed here"
    bounds = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
    if kind in bounds:
        relation = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}[bounds[kind]]
        return f"must be {relation} {context[bounds[kind]]}"
    if kind in ("string_too_long", "string_too_short"):
        side, limit = ("most", "max_length") if kind.endswith("long") else ("least", "min_length")
        return f"at {side} {context[limit]} characters are allowed here"
    if kind in ("too_short", "too_long"):
        side, limit = ("most", "max_length") if kind.endswith("long") else ("least", "min_length")
        return f"at {side} {context[limit]} items are needed here"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    if kind in ("value_error", "assertion_error"):
        return visible(str(context["error"]))
    return visible(str(detail["msg"]))


def _type_name(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a decimal"
    if isinstance(value, str):
        return "text in quotes" if type(value) is not str else "text"
    return "a list" if isinstance(value, (list, tuple)) else "a map"


def unknown_kind(detail: Any, noun: str) -> str:  # Any: as above
    """That there is no such kind, with the nearest one."""
    tags = [tag.strip("'") for tag in str(detail["ctx"]["expected_tags"]).split(", ")]
    tag = str(detail["ctx"]["tag"])
    return f"no {noun} of kind {visible(tag, 40)!r}{did_you_mean(tag, tags)} (known: {', '.join(tags)})"


def trace(model: Any, loc: Sequence[str | int]) -> tuple[Path, type[BaseModel] | None]:  # Any: walks every annotation
    """The path in the file of a validator's location, and the type the last part is a field of.

    Locations also hold the tags of unions and the names of validators; those stand for no field.
    """
    path: list[str | int] = []
    here: Any = model
    owner: type[BaseModel] | None = None
    for part in loc:
        here = _unwrap(here)
        tagged = _member(here, part)
        if tagged is not None:
            here = tagged
            continue
        for option in _options(here):
            inside = _step(option, part)
            if inside is not None:
                owner = option if isinstance(option, type) and issubclass(option, BaseModel) else None
                here = inside
                path.append(part)
                break
        else:
            models = [o for o in _options(here) if isinstance(o, type) and issubclass(o, BaseModel)]
            if models and isinstance(part, str):  # an unknown field of this model
                owner = models[0]
                path.append(part)
            break
    return tuple(path), owner


def _unwrap(annotation: Any) -> Any:
    while True:
        if isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        else:
            return annotation


def _options(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for option in get_args(annotation) for inner in _options(_unwrap(option))]
    return [annotation]


def _member(annotation: Any, tag: str | int) -> Any:
    """The member of a union that a tag chooses."""
    options = _options(annotation)
    for option in options if len(options) > 1 else ():
        field = getattr(option, "model_fields", {}).get("kind")
        if field is not None and field.default == tag:
            return option
    return None


def _step(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return field.annotation if field is not None else None
    origin, inner = get_origin(annotation), get_args(annotation)
    if isinstance(part, int) and origin in (tuple, list, set, frozenset) and inner:
        return inner[0] if origin is not tuple or inner[-1] is Ellipsis else inner[min(part, len(inner) - 1)]
    if isinstance(part, str) and origin is dict:
        return inner[1]
    return None


def visible(text: str, longest: int = 4 * MAX_WIDTH) -> str:
    r"""The text on one line, with everything that a terminal or an eye could misread written out as ``\u{...}``."""
    clipped = text if len(text) <= longest else text[:longest] + "…"
    return "".join(
        char if char == " " or unicodedata.category(char)[0] not in "CZ" else f"\\u{{{ord(char):x}}}"
        for char in clipped
    )
