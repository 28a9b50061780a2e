"""What the validator found, in words a user can act on, at the place they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ValidationError

from society.core.complaints import Path, complaint, trace, unknown_kind, visible
from society.core.errors import did_you_mean
from society.scenario.problems import Place, Problem
from society.scenario.tree import Entry, Node


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
        path, owner = trace(model, detail["loc"])
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
            found.append(problem_at(root, (*full, "kind"), unknown_kind(detail, str(full[-1]))))
        elif kind == "too_short" and context.get("actual_length") == 0 and len(detail["input"]) > 0:
            continue  # an item was refused, which is reported for itself
        else:
            found.append(problem_at(root, full, complaint(detail)))
    return _once(found)


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """One problem a field: several branches of a union say the same in other words."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.field, str(problem.place)), problem)
    return list(first.values())


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
