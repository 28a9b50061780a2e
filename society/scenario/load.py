"""From a scenario file to a `Scenario`.

    bytes -> tree with places -> extends -> shorthand -> overrides -> kinds -> Scenario -> checks -> seats

Every problem of a file is found and told at once, each with its line. Nothing in a file can name an endpoint, a key, a
template, or a file outside its own folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from society.core.errors import ScenarioError, UnknownKind
from society.core.exact import Json
from society.core.registry import Kind, Registry
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.scenario.checks import check, check_words, count_agents, seat_agents
from society.scenario.model import Scenario
from society.scenario.overrides import Change, apply, merge, override
from society.scenario.places import beside, find_scenario, read_bytes
from society.scenario.problems import Place, Problem, Source
from society.scenario.shorthand import spell_out
from society.scenario.tree import Node, Reading, read_tree, tree_of
from society.scenario.wording import problem_at, problems_of

MAX_EXTENDS = 8

K = TypeVar("K", bound=Kind)


def load(path: str | Path, overrides: Sequence[str | Change] = ()) -> Scenario:
    """The scenario in a file, resolved: every default filled in, one entry per agent.

    Args:
        path: a file, or the name of a scenario that came with the package, such as ``fishery``.
        overrides: ``path.to.field=value`` each, as `--set` on the command line takes them, or values from another file.

    Raises:
        ScenarioError: everything that is wrong with it, sorted by line.
    """
    file = find_scenario(path)
    reading = _extended(file, file.name if file.name == str(path) else str(file), [])
    return _build(reading, overrides)


def loads(text: str, overrides: Sequence[str] = (), *, name: str = "scenario") -> Scenario:
    """The scenario in a text; it cannot extend another one.

    Raises:
        ScenarioError: everything that is wrong with it, sorted by line.
    """
    reading = read_tree(text, name)
    base = reading.root.get("extends")
    if base is not None:
        reading.problems.append(Problem(base.place, "extends", "only a scenario in a file can extend another"))
    return _build(reading, overrides)


def changed(scenario: Scenario, overrides: Sequence[str | Change]) -> Scenario:
    """A resolved scenario with other values in some fields, validated as a whole again.

    Raises:
        ScenarioError: a value does not fit.
    """
    place = Place(Source(f"scenario {scenario.name}"), 0, 0, 0, 0)
    root = tree_of(resolved(scenario), place)
    mechanism = root.get("mechanism")
    if mechanism is not None and mechanism.map is not None:
        mechanism.map.pop("agents", None)  # it follows from the list of agents, which may change
    return _build(Reading(root), overrides)


def resolved(scenario: Scenario) -> dict[str, Json]:
    """The whole scenario as plain JSON; `Scenario.model_validate` reads it back equal. Numbers stay exact."""
    whole: dict[str, Json] = scenario.model_dump(mode="json")
    return whole


def _extended(file: Path, name: str, chain: list[Path]) -> Reading:
    """The tree of a file on top of the one it extends."""
    reading = read_tree(read_bytes(file), name)
    reading.problems += spell_out(reading.root)
    entry = (reading.root.map or {}).get("extends")
    if entry is None:
        return reading
    base = entry.node
    chain = [*chain, file.resolve()]
    try:
        if not isinstance(base.value, str):
            raise ValueError("expected the name of a .yaml file in the same folder")
        other = beside(file, base.value)
        if other in chain:
            raise ValueError("this file extends itself" if other == chain[-1] else "these files extend each other")
        if len(chain) > MAX_EXTENDS:
            raise ValueError(f"more than {MAX_EXTENDS} files extend each other")
    except ValueError as problem:
        reading.problems.append(Problem(base.place, "extends", str(problem)))
        return reading
    below = _extended(other, str(Path(name).parent / other.name), chain)
    return Reading(merge(below.root, reading.root), below.problems + reading.problems)


def _build(reading: Reading, overrides: Sequence[str | Change]) -> Scenario:
    root, problems = reading.root, reading.problems
    if root.map is None:
        problems.append(Problem(root.place, "", "a scenario is a map of fields, such as name, mechanism and agents"))
        raise _everything(problems)
    problems += spell_out(root)
    for option in overrides:
        try:
            problems += override(root, option) if isinstance(option, str) else apply(root, option)
        except ScenarioError as refused:
            found = [problem for problem in refused.problems if isinstance(problem, Problem)]
            problems += [Problem(Place(p.place.source, 0, 0, 0, 0), "", p.message) for p in found]
    entries = {key: entry for key, entry in root.map.items() if key != "extends"}
    fields = Node(entries, root.place).plain()
    fields.pop("mechanism", None)
    fields.pop("instruments", None)
    ignore = set()
    problems += check_words(root)
    agents = count_agents(root)
    mechanism = root.get("mechanism")
    if mechanism is not None:
        game = _kind(MECHANISMS, root, ("mechanism",), problems, {"agents": agents})
        if game is None:
            ignore.add("mechanism")
        else:
            fields["mechanism"] = game
    instruments = root.get("instruments")
    if instruments is not None and isinstance(instruments.value, list):
        rules = [_kind(INSTRUMENTS, root, ("instruments", i), problems, {}) for i in range(len(instruments.value))]
        fields["instruments"] = tuple(rule for rule in rules if rule is not None)
    elif instruments is not None:
        problems.append(problem_at(root, ("instruments",), "a list is needed here"))
    try:
        scenario = Scenario.model_validate(fields, strict=True)
    except ValidationError as error:
        problems += problems_of(error, root, Scenario, ignore=ignore)
        raise _everything(problems) from None
    problems += check(scenario, root)
    if problems:
        raise _everything(problems)
    return seat_agents(scenario)


def _kind(
    registry: Registry[K], root: Node, path: tuple[str | int, ...], problems: list[Problem], given: dict[str, Any]
) -> K | None:
    """One mechanism or instrument, or None and its problems."""
    node = root
    for part in path:
        node = node.value[part] if isinstance(node.value, list) else node.get(str(part))  # type: ignore[index, assignment]  # the caller looked
    if node.map is None:
        problems.append(problem_at(root, path, "a map of fields with a 'kind' is needed here"))
        return None
    kind = node.get("kind")
    if kind is None or not isinstance(kind.value, str):
        known = ", ".join(registry.kinds)
        where = (*path, "kind") if kind is not None else path
        problems.append(problem_at(root, where, f"this {registry.noun} needs a 'kind' (known: {known})"))
        return None
    try:
        kind_type = registry.type_of(kind.value)
    except UnknownKind as error:
        problems.append(problem_at(root, (*path, "kind"), str(error)))
        return None
    fields = node.plain()
    for name, value in given.items():
        if fields.setdefault(name, value) != value:
            message = f"this follows from the list of agents, which has {value}; leave it out"
            problems.append(problem_at(root, (*path, name), message))
            return None
    try:
        return kind_type.model_validate(fields, strict=True)
    except ValidationError as error:
        problems += problems_of(error, root, kind_type, path)
        return None


def _everything(problems: Sequence[Problem]) -> ScenarioError:
    """All problems by file and line; one a place, in the words of whoever came first."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((str(problem.place), problem.field), problem)
    ordered = sorted(first.values(), key=lambda p: (p.place.source.name, p.place.line, p.place.column, p.field))
    return ScenarioError.of(ordered)
