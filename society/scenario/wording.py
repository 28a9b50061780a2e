"""What the validator found, in words a user can act on, at the place they stand for."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeAliasType

from society.core.errors import did_you_mean
from society.scenario.problems import Place, Problem, visible
from society.scenario.tree import Entry, Node

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def problem_at(root: Node, path: Path, message: str, *, key: bool = False) -> Problem:
    """A problem with the field at `path`; it points at the value, or at its key."""
    return Problem(_place(root, path, key=key), dotted(path), message)


def problems_of(
    error: ValidationError, root: Node, model: type[BaseModel], prefix: Path = (), *, ignore: Iterable[str] = ()
) -> list[Problem]:
    """Everything a validation found, once each.

    Args:
        error: what pydantic raised.
        root: the whole tree.
        model: the type that was validated.
        prefix: where in the tree the validated part stands.
        ignore: fields whose absence was reported elsewhere.
    """
    found: list[Problem] = []
    mistyped: set[tuple[Path, str]] = set()
    details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
    for detail in details:
        path, owner = _trace(model, detail["loc"])
        full = prefix + path
        kind, context = detail["type"], detail.get("ctx", {})
        if kind == "extra_forbidden":
            known = list(owner.model_fields) if owner is not None else []
            word = str(path[-1]) if path else ""
            near = did_you_mean(word, [*known, *(("extends",) if not prefix and len(path) == 1 else ())])
            mistyped.update((path[:-1], name) for name in known if f"{name!r}?" in near)
            _hide(root, full)
            message = f"unknown field {visible(word, 40)!r}"
            known_fields = f" (known: {', '.join(known)})" if known and not near else ""
            found.append(problem_at(root, full, message + (f" ({near[2:]})" if near else known_fields), key=True))
        elif kind == "missing":
            name = str(path[-1])
            if (path[:-1], name) not in mistyped and not (len(path) == 1 and name in ignore):
                found.append(Problem(_place(root, full[:-1], key=True), dotted(full), f"{name!r} is needed here"))
        elif kind == "union_tag_invalid":
            tags = [tag.strip("'") for tag in str(context["expected_tags"]).split(", ")]
            tag = str(context["tag"])
            message = f"no {full[-1]} of kind {visible(tag, 40)!r}{did_you_mean(tag, tags)} (known: {', '.join(tags)})"
            found.append(problem_at(root, (*full, "kind"), message))
        elif kind == "too_short" and context.get("actual_length") == 0 and len(detail["input"]) > 0:
            continue  # an item was refused, which is reported for itself
        else:
            found.append(problem_at(root, full, _words(detail)))
    return _once(found)


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """One problem a field: several branches of a union say the same in other words."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.field, str(problem.place)), problem)
    return list(first.values())


_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
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


def _words(detail: Any) -> str:  # Any: pydantic's ErrorDetails is not public at run time
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in _TYPES:
        hint = ""
        if kind == "string_type" and isinstance(given, (int, float)):
            hint = " (put it in quotes)"
        if kind == "bool_type" and str(given).casefold() in ("yes", "no", "on", "off"):
            hint = " (YAML 1.2 reads yes, no, on and off as text)"
        return f"{_TYPES[kind]} is needed here, not {_type_name(given)}{hint}"
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


def _trace(model: Any, loc: Sequence[str | int]) -> tuple[Path, type[BaseModel] | None]:  # Any: walks every annotation
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


def _entry(root: Node, path: Path) -> Entry | Node | None:
    here: Entry | Node = root
    for part in path:
        node = here.node if isinstance(here, Entry) else here
        if isinstance(node.value, dict) and part in node.value:
            here = node.value[str(part)]
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            here = node.value[part]
        else:
            return None
    return here


def _place(root: Node, path: Path, *, key: bool) -> Place:
    for end in range(len(path), -1, -1):  # the nearest part that stands in the file
        found = _entry(root, path[:end])
        if isinstance(found, Entry):
            inside = end < len(path) or key or found.node.map is not None
            return found.key if inside else found.node.place
        if found is not None:
            return found.place
    return root.place


def _hide(root: Node, path: Path) -> None:
    found = _entry(root, path)
    if isinstance(found, Entry):
        found.node.place.source.hide(found.node.place)
