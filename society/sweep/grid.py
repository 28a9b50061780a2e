"""The cells of a sweep, and the runs it wants of each."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from society.core.errors import BadInput, ScenarioError
from society.core.exact import Json
from society.scenario.load import load, resolved
from society.scenario.model import Scenario
from society.sweep.file import SCENARIO, Arm, Label, Order, Sweep

MOST_CELLS, MOST_RUNS = 10_000, 1_000_000
_NOT_PLAYED = ("about", "budget", "seeds")
"""Fields that change nothing in what is played."""


@dataclass(frozen=True)
class Cell:
    """One point of the grid: its arm on each axis, and the scenario that makes."""

    labels: Mapping[str, Label]
    scenario: Scenario

    @cached_property
    def digests(self) -> dict[tuple[int, int], str]:
        """What is played in it, by how many places agents and names are moved; filled as they are asked for."""
        return {}

    @property
    def title(self) -> str:
        """Its arms in words."""
        return ", ".join(f"{axis} {label}" for axis, label in self.labels.items()) or self.scenario.name

    def fits(self, labels: Mapping[str, Label]) -> bool:
        """Whether it has all of these arms."""
        return all(str(self.labels.get(axis)) == str(label) for axis, label in labels.items())


@dataclass(frozen=True)
class Planned:
    """One run a sweep wants.

    Attributes:
        cell: the point of the grid.
        seed: keys all noise.
        seats, names: by how many places agents, and names, are moved.
        replicate: which repetition of the same it is, counted from 0.
        focal: the seats of the focal agents in this run.
    """

    cell: Cell
    seed: int
    seats: int = 0
    names: int = 0
    replicate: int = 0
    focal: tuple[int, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """What is played: the cell's scenario with this seed, agents and names moved. It is not kept: a sweep has many runs."""
        scenario = self.cell.scenario
        agents, n = scenario.agents, len(scenario.agents)
        named = [
            agent.model_copy(update={"name": agents[(place + self.names) % n].name})
            for place, agent in enumerate(agents)
        ]
        moved = tuple(named[(seat - self.seats) % n] for seat in range(n))
        return scenario.model_copy(update={"agents": moved, "seeds": (self.seed,)})

    @cached_property
    def point(self) -> dict[str, Json]:
        """What the log says of the run: its arms, how it was turned, and a digest of what was played.

        A run counts as this one only while the digest is the same, so that an edited scenario is played anew.
        """
        digests, moved = self.cell.digests, (self.seats, self.names)
        if moved not in digests:
            digests[moved] = digest_of(self.scenario)
        point: dict[str, Json] = {"axes": dict(self.cell.labels), "scenario": digests[moved]}
        turned: dict[str, Json] = {"seats": self.seats, "names": self.names, "replicate": self.replicate}
        turned["focal"] = list(self.focal)
        point.update({name: value for name, value in turned.items() if value})
        return point

    @cached_property
    def key(self) -> tuple[str, int]:
        """Which run it is within the sweep."""
        return json.dumps(self.point, sort_keys=True), self.seed


def digest_of(scenario: Scenario) -> str:
    """A digest of all that is played in a scenario."""
    played = {name: value for name, value in resolved(scenario).items() if name not in _NOT_PLAYED}
    return hashlib.sha256(json.dumps(played, sort_keys=True).encode()).hexdigest()[:16]


def key_of(cell: str | None, seed: int) -> tuple[str, int]:
    """The key of a run as the log holds it; see `Planned.key`."""
    return _sorted(cell or "null"), seed


@lru_cache(maxsize=MOST_CELLS)
def _sorted(point: str) -> str:
    return json.dumps(json.loads(point), sort_keys=True)


def cells(sweep: Sweep, overrides: Sequence[str] = ()) -> list[Cell]:
    """Every cell, in the order of the axes; further ones last.

    Args:
        sweep: what is varied.
        overrides: ``path=value`` for every cell, as `--set` gives them.

    Raises:
        ScenarioError: a cell whose scenario cannot be played, by its arms; or more cells than anybody wants.
        BadInput: an override of what an axis varies, which would change nothing.
    """
    _check_overrides(sweep, overrides)
    size = 1
    for axis in sweep.axes:
        size *= len(axis.arms)
    if size > MOST_CELLS:
        raise sweep.problem(("axes",), f"this makes {size} cells; {MOST_CELLS} are the most")
    found: list[Cell] = []
    for combination in itertools.product(*(axis.arms for axis in sweep.axes)):
        arms = dict(zip((axis.name for axis in sweep.axes), combination, strict=True))
        if not any(_fits(arms, pattern) for pattern in sweep.settings.exclude):
            found.append(_cell(sweep, arms, overrides))
    there = [cell.labels for cell in found]
    for place, further in enumerate(sweep.include):
        one = _cell(sweep, further, overrides)
        if one.labels in there:
            raise sweep.problem(("include", place), f"the cell {one.title} is there already")
        there.append(one.labels)
        found.append(one)
    if not found:
        raise sweep.problem(("exclude",), "this leaves no cell")
    wanted = sweep.settings.baseline
    if wanted and not any(cell.fits(wanted) for cell in found):
        raise sweep.problem(("baseline",), "no cell fits this; `exclude` has left them out")
    return found


def plan(sweep: Sweep, grid: Sequence[Cell], seeds: Sequence[int] | None = None) -> list[Planned]:
    """The runs a sweep wants, seed by seed, so that a sweep that stops early has compared all cells on some seeds."""
    settings = sweep.settings
    size = len(grid) * len(seeds or settings.seeds) * settings.replicates
    if size > MOST_RUNS:
        raise sweep.problem(("seeds",), f"this makes {size} runs; {MOST_RUNS} are the most")
    planned: dict[tuple[str, int], Planned] = {}
    for (place, seed), replicate, cell in itertools.product(
        enumerate(seeds or settings.seeds), range(settings.replicates), grid
    ):
        n = len(cell.scenario.agents)
        if any(seat >= n for seat in settings.focal):
            raise sweep.problem(("focal",), f"{cell.title}: there are {n} agents, 0 to {n - 1}")
        for seats, names in itertools.product(_turns(settings.seats, place, n), _turns(settings.names, place, n)):
            focal = tuple(sorted((seat + seats) % n for seat in settings.focal))
            one = Planned(cell, seed, seats, names, replicate, focal)
            planned.setdefault(one.key, one)
    return list(planned.values())


def baseline_of(sweep: Sweep, grid: Sequence[Cell], cell: Cell) -> Cell | None:
    """The cell another is compared with: the same but for the axes of the baseline; None for a baseline itself.

    Without a `baseline` in the file, it is the first arm of the last axis.
    """
    wanted = dict(sweep.settings.baseline)
    if not wanted and sweep.axes:
        last = sweep.axes[-1]
        wanted = {last.name: last.arms[0].label}
    if cell.fits(wanted) or not wanted:
        return None
    rest = {axis: label for axis, label in cell.labels.items() if axis not in wanted}
    return next((other for other in grid if other.fits({**rest, **wanted})), None)


def _turns(order: Order, place: int, n: int) -> Sequence[int]:
    return range(n) if order == "every" else [place % n if order == "rotated" else 0]


def _fits(arms: Mapping[str, Arm], pattern: Mapping[str, Label]) -> bool:
    return bool(pattern) and all(
        axis in arms and str(arms[axis].label) == str(label) for axis, label in pattern.items()
    )


def _check_overrides(sweep: Sweep, overrides: Sequence[str]) -> None:
    for path in (option.partition("=")[0].strip() for option in overrides):
        for axis in sweep.axes:
            if any(path == c.path or path.startswith(f"{c.path}.") for arm in axis.arms for c in arm.changes):
                raise BadInput(
                    f"--set {path}: the axis {axis.name!r} of this sweep says what {path} is, so this would change nothing; "
                    "put the value on the axis, or take the axis out of a copy of the file"
                )


def _cell(sweep: Sweep, arms: Mapping[str, Arm], overrides: Sequence[str]) -> Cell:
    labels = {axis: arm.label for axis, arm in arms.items()}
    name = str(labels.get(SCENARIO, next(iter(sweep.scenarios))))
    changes = [change for arm in arms.values() for change in arm.changes]
    try:
        scenario = load(sweep.scenarios[name], [*overrides, *changes])
    except ScenarioError as problem:
        told = ", ".join(f"{axis} {label}" for axis, label in labels.items())
        raise ScenarioError(f"cell {told or name}: {problem}", problem.problems) from None
    except BadInput as problem:
        raise ScenarioError(f"cell {labels}: {problem}") from None
    return Cell(labels, scenario)
