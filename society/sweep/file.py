"""What a sweep file says: which scenarios, what is varied, how often each point is played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from society.core.complaints import visible
from society.core.errors import ScenarioError, did_you_mean
from society.core.exact import Json
from society.metrics import METRICS
from society.scenario.overrides import Change
from society.scenario.places import SUFFIXES, find_scenario, folders, read_bytes
from society.scenario.problems import Problem
from society.scenario.seeds import parse_seeds
from society.scenario.tree import Node, read_tree
from society.scenario.wording import dotted, problem_at, problems_of

SCENARIO = "scenario"
"""The axis that several scenarios make."""
FOCAL = "focal"
"""Paths that begin with it mean every focal agent."""
_LISTED = {SCENARIO: "scenarios", "scenarios": "scenarios", "seed": "seeds", "seeds": "seeds"}
"""What is varied without an axis, and where."""
Order = Literal["as_written", "rotated", "every"]
Label = int | float | str | bool | None


class SweepFile(BaseModel):
    """A sweep: every combination of the axes, each played with every seed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """a short name; runs in a log belong to the sweep of their name"""
    about: str = Field("", max_length=4000)
    """what the question is, and how to read the table"""
    scenarios: tuple[str, ...] = Field(min_length=1, max_length=1000)
    """names of scenarios, or files beside this one or in the folder above it; several of them are an axis"""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field(min_length=1, max_length=10_000)
    """each cell is played once with each, and cells are compared seed by seed: a number, a list, or a span such as 0-9"""
    axes: dict[str, Any] = Field(default_factory=dict, max_length=20)
    """what is varied: a field and the values it takes (`mechanism.capacity: [50, 100]`), or a name and its arms, each a map of
    fields (`rule: {none: {}, quota: {instruments: [...]}}`); a map goes on top of the scenario's, everything else replaces it"""
    include: tuple[dict[str, Any], ...] = ()
    """further cells: an arm or value for some axes; axes that are not named stay as the scenario has them"""
    exclude: tuple[dict[str, Any], ...] = ()
    """cells that are left out: those that fit every arm or value named here"""
    baseline: dict[str, Any] = Field(default_factory=dict)
    """what the other cells are compared with: those that agree on all axes but these; default: the first arm of the last axis"""
    replicates: int = Field(1, ge=1, le=1000)
    """how often each seed is played: for models that do not answer alike twice. Runs of one seed share all chance but theirs, and
    are averaged before cells are compared"""
    seats: Order = "as_written"
    """rotated: with the k-th seed every agent sits k seats further; every: each seed is played in all rotations"""
    names: Order = "as_written"
    """the same for names, which move over agents and leave everything else where it is"""
    focal: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """agents whose score and whose effect on all others are told apart, by place in the scenario, counted from 0; the axis
    `focal.policy` varies all of them, while the others stay as they are"""
    metrics: tuple[str, ...] = Field(("total_welfare", "welfare_efficiency", "survival", "gini"), min_length=1)
    """what the table shows"""
    usd: float | None = Field(None, gt=0)
    """US dollars for the whole sweep; it pauses before it would spend more"""


@dataclass(frozen=True, slots=True)
class Arm:
    """One value of an axis: how it is called, and what it changes."""

    label: Label
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """What is varied, with its arms in order; `named` where arms have names of their own, and no other value can be meant."""

    name: str
    arms: tuple[Arm, ...]
    named: bool = False

    def arm(self, label: Label) -> Arm | None:
        """The arm of that label, if there is one."""
        return next((arm for arm in self.arms if _same(arm.label, label)), None)


@dataclass(frozen=True)
class Sweep:
    """A sweep file as it was read.

    Attributes:
        settings: its fields.
        scenarios: the file of each scenario, by label.
        axes: what is varied, the scenario first where there are several.
        include: further cells, axis by axis.
        place: whom to blame: the tree it was read from.
    """

    settings: SweepFile
    scenarios: Mapping[str, Path]
    axes: tuple[Axis, ...]
    include: tuple[Mapping[str, Arm], ...]
    tree: Node

    def problem(self, path: tuple[str | int, ...], message: str) -> ScenarioError:
        """An error that names the place in the file."""
        return ScenarioError.of([problem_at(self.tree, path, message)])


def load_sweep(path: str | Path) -> Sweep:
    """The sweep in a file, or of a name such as ``governance`` among those in ``scenarios/sweeps``.

    Raises:
        ScenarioError: everything that is wrong with it, with lines and columns.
    """
    file = find_sweep(path)
    reading = read_tree(read_bytes(file), file.name if file.name == str(path) else str(file))
    root, problems = reading.root, list(reading.problems)
    if root.map is None:
        raise ScenarioError.of(
            [Problem(root.place, "", "a sweep is a map of fields, such as name, scenarios and axes")]
        )
    _spell_out(root, problems)
    try:
        settings = SweepFile.model_validate(root.plain())
    except ValidationError as error:
        raise ScenarioError.of([*problems, *problems_of(error, root, SweepFile)]) from None
    problems += [
        problem_at(root, ("metrics", k), f"no metric {visible(name, 40)!r}{did_you_mean(name, METRICS)}")
        for k, name in enumerate(settings.metrics)
        if name not in METRICS
    ]
    problems += _doubles(settings, root)
    scenarios = _scenarios(file, settings, root, problems)
    axes = _axes(root, settings, problems)
    if len(scenarios) > 1:
        axes = [Axis(SCENARIO, tuple(Arm(name, ()) for name in scenarios), named=True), *axes]
    include = [
        _included(("include", k), node, axes, settings.focal, problems)
        for k, node in enumerate(_items(root.get("include")))
    ]
    for field in ("exclude", "baseline"):
        _check_labels(field, root, axes, problems)
    if problems:
        raise ScenarioError.of(problems)
    return Sweep(settings, scenarios, tuple(axes), tuple(include), root)


def find_sweep(name: str | Path) -> Path:
    """The file that a path or the bare name of a shipped sweep means.

    Raises:
        ScenarioError: there is none; the message names the nearest.
    """
    path = Path(name)
    if "\0" not in str(name) and path.is_file():
        return path
    known = shipped_sweeps()
    stem = path.name.removesuffix(".yaml").removesuffix(".yml")
    if stem in known:
        return known[stem]
    raise ScenarioError(
        f"there is no sweep {visible(str(name), 80)!r}{did_you_mean(stem, known)} (known: {', '.join(known) or 'none'})"
    )


def shipped_sweeps() -> dict[str, Path]:
    """Every sweep that can be named, in alphabetical order."""
    found: dict[str, Path] = {}
    for folder in folders():
        if (folder / "sweeps").is_dir():
            for path in sorted((folder / "sweeps").iterdir()):
                if path.suffix in SUFFIXES:
                    found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def labelled(value: Json) -> Label:
    """What a value is called: itself where it is one word or number, else its kind with its parts in brackets."""
    if isinstance(value, Mapping):
        rest = ", ".join(f"{name}={labelled(part)}" for name, part in value.items() if name != "kind")
        kind = str(value.get("kind", ""))
        return f"{kind}({rest})" if rest or not kind else kind
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(labelled(item)) for item in value) + "]"
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def _spell_out(root: Node, problems: list[Problem]) -> None:
    """Short forms: one scenario, one seed, a span of seeds."""
    one = root.get("scenario")
    if one is not None and root.get("scenarios") is None and root.map is not None:
        root.map["scenarios"] = root.map.pop("scenario")
    many = root.get("scenarios")
    if many is not None and isinstance(many.value, str):
        many.value = [Node(many.value, many.place)]
    seeds = root.get("seeds")
    if seeds is not None and isinstance(seeds.value, (str, int)) and not isinstance(seeds.value, bool):
        try:
            seeds.value = [Node(seed, seeds.place) for seed in parse_seeds(str(seeds.value))]
        except ValueError as problem:
            problems.append(Problem(seeds.place, "seeds", str(problem)))
            seeds.value = [Node(1, seeds.place)]


def _doubles(settings: SweepFile, root: Node) -> list[Problem]:
    """What stands twice in a list, where it can only be a slip."""
    found: list[Problem] = []
    for field in ("scenarios", "seeds", "focal", "metrics"):
        values = getattr(settings, field)
        twice = next((k for k, value in enumerate(values) if value in values[:k]), None)
        if twice is not None:
            found.append(problem_at(root, (field, twice), f"{visible(str(values[twice]), 40)} stands here twice"))
    return found


def _scenarios(file: Path, settings: SweepFile, root: Node, problems: list[Problem]) -> dict[str, Path]:
    """The files of the scenarios: beside the sweep, in the folder above it, or shipped."""
    found: dict[str, Path] = {}
    for k, name in enumerate(settings.scenarios):
        label = name.removeprefix("../").removesuffix(".yaml").removesuffix(".yml")
        above = file.resolve().parent.parent if name.startswith("../") else file.resolve().parent
        try:
            if any(char in label for char in "/\\\0:"):
                raise ScenarioError(
                    "expected the name of a scenario, or of a .yaml file in this folder or the one above"
                )
            beside = above / name.removeprefix("../")
            if name.endswith(SUFFIXES) and not beside.is_file():
                near = did_you_mean(beside.name, (path.name for path in above.iterdir() if path.suffix in SUFFIXES))
                raise ScenarioError(
                    f"there is no file {visible(name, 80)!r}{near}; a shipped scenario is named without .yaml"
                )
            found[label] = beside if name.endswith(SUFFIXES) else find_scenario(label)
        except ScenarioError as problem:
            problems.append(problem_at(root, ("scenarios", k), str(problem)))
    return found


def _axes(root: Node, settings: SweepFile, problems: list[Problem]) -> list[Axis]:
    node = root.get("axes")
    found: list[Axis] = []
    for name, entry in (node.map or {}).items() if node is not None else ():
        values, path = entry.node, ("axes", name)
        if name in _LISTED:
            problems.append(
                problem_at(root, path, f"{_LISTED[name]} are listed under `{_LISTED[name]}`, not on an axis")
            )
        elif isinstance(values.value, list) and values.value:
            arms = [Arm(labelled(item.plain()), _changes(name, item, settings.focal)) for item in values.value]
            found.append(Axis(name, tuple(arms)))
        elif values.map:
            arms = []
            for label, arm in values.map.items():
                if arm.node.map is None:
                    problems.append(
                        problem_at(root, (*path, label), "an arm is a map of fields and values; {} changes nothing")
                    )
                    continue
                changes = [c for field, e in arm.node.map.items() for c in _changes(field, e.node, settings.focal)]
                arms.append(Arm(label, tuple(changes)))
            found.append(Axis(name, tuple(arms), named=True))
        else:
            problems.append(problem_at(root, path, "an axis is a list of values, or a map of named arms"))
        if name.split(".")[0] == FOCAL and not settings.focal:
            problems.append(problem_at(root, path, "this varies the focal agents; name them, as in `focal: [0, 1]`"))
    for axis in found:
        labels = [str(arm.label) for arm in axis.arms]
        double = next((label for label in labels if labels.count(label) > 1), None)
        if double is not None:
            problems.append(problem_at(root, ("axes", axis.name), f"{visible(double, 40)} stands here twice"))
    return found


def _changes(field: str, value: Node, focal: Sequence[int]) -> tuple[Change, ...]:
    """What setting a field changes; a field of the focal agents is a field of each of them."""
    first, _, rest = field.partition(".")
    if first != FOCAL:
        return (Change(field, value),)
    return tuple(Change(f"agents.{seat}.{rest}", value) for seat in focal)


def _included(
    path: tuple[str, int], node: Node, axes: list[Axis], focal: Sequence[int], problems: list[Problem]
) -> dict[str, Arm]:
    """One further cell: known arms by label, other values as they stand."""
    known = {axis.name: axis for axis in axes}
    found: dict[str, Arm] = {}
    for name, entry in (node.map or {}).items():
        axis, label = known.get(name), labelled(entry.node.plain())
        if axis is None:
            message = f"no axis {visible(name, 40)!r}{did_you_mean(name, known)}"
        elif (arm := axis.arm(label)) is not None:
            found[name] = arm
            continue
        elif not axis.named:
            found[name] = Arm(label, _changes(name, entry.node, focal))
            continue
        else:
            message = _no_arm(axis, label)
        problems.append(Problem(entry.key, dotted((*path, name)), message))
    return found


def _no_arm(axis: Axis, label: Label) -> str:
    arms = ", ".join(str(arm.label) for arm in axis.arms)
    return f"axis {axis.name!r} has no arm {visible(str(label), 40)!r} (known: {arms})"


def _check_labels(field: str, root: Node, axes: list[Axis], problems: list[Problem]) -> None:
    """`exclude` and `baseline` name axes and arms that exist."""
    node = root.get(field)
    if node is None:
        return
    known = {axis.name: axis for axis in axes}
    listed = (
        [((field, k), item) for k, item in enumerate(node.value)]
        if isinstance(node.value, list)
        else [((field,), node)]
    )
    for path, item in listed:
        if field == "exclude" and not item.map:
            problems.append(problem_at(root, path, "this fits no cell; name the arms to leave out, as in {axis: arm}"))
        for name, entry in (item.map or {}).items():
            label = labelled(entry.node.plain())
            axis = known.get(name)
            if axis is None:
                problems.append(
                    problem_at(root, (*path, name), f"no axis {visible(name, 40)!r}{did_you_mean(name, known)}")
                )
            elif axis.arm(label) is None:
                problems.append(problem_at(root, (*path, name), _no_arm(axis, label)))


def _items(node: Node | None) -> list[Node]:
    return node.value if node is not None and isinstance(node.value, list) else []


def _same(one: Label, other: Label) -> bool:
    return (type(one) is type(other) and one == other) or str(one) == str(other)
