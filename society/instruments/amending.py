"""What can be amended: a parameter of a rule, and the values it can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from society.core.actions import Action, Amount, Choice, action_to_plain
from society.core.canonical import canonical_json
from society.core.exact import Exact, Json, Number
from society.core.instrument import Standing
from society.core.mechanism import SpaceOf
from society.core.moves import Terms


class Amendable(BaseModel):
    """One parameter of one rule that can be changed, and the values it can take."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    """the rule's name (by default its kind)"""
    field: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    """the parameter; ``in_force`` brings a rule into force (yes) or repeals it (no)"""
    low: Exact = 0
    """smallest value"""
    high: Exact = 100
    """largest value"""
    step: Exact | None = 1
    """values are multiples of this; null: any number"""
    options: tuple[str, ...] | None = None
    """the words it can take, for parameters that are words"""
    tuples: tuple[tuple[Exact, ...], ...] | None = None
    """the lists it can take, for parameters that are lists, such as weights"""

    @property
    def term(self) -> str:
        """How a motion names it."""
        return f"{self.rule}.{self.field}"

    @property
    def space(self) -> SpaceOf:
        """The values it can take."""
        if self.field == "in_force":
            return Choice(options=("yes", "no"))
        if self.options is not None:
            return Choice(options=self.options)
        if self.tuples is not None:
            return Choice(options=tuple(_words(values) for values in self.tuples))
        return Amount.between(self.low, self.high, step=self.step)

    def value(self, action: Action) -> Json:
        """The plain value of the parameter that an answer stands for."""
        if self.tuples is not None:
            return next([action_to_plain(v) for v in values] for values in self.tuples if _words(values) == action)
        return action_to_plain(action)


def _words(values: Sequence[Number]) -> str:
    return " ".join(str(action_to_plain(value)).replace("/", ":") for value in values)


def touched_values(item: Amendable) -> tuple[Json, ...]:
    """Sample values of an amendable parameter: the words, the lists, or the smallest and the largest number."""
    if item.field == "in_force":
        return (True, False)
    space = item.space
    samples = (space.low, space.high) if isinstance(space, Amount) else space.grid()
    return tuple(item.value(sample) for sample in samples)


def amended(standings: tuple[Standing, ...], terms: Terms, agenda: Sequence[Amendable]) -> tuple[Standing, ...]:
    """How the rules stand after the changes."""
    items = {item.term: item for item in agenda}
    after = {standing.rule: standing for standing in standings}
    for term, action in terms:
        item = items[term]
        old = after[item.rule]
        if item.field == "in_force":
            after[item.rule] = replace(old, in_force=action == "yes")
        else:
            changes = dict(old.changes) | {item.field: canonical_json(item.value(action))}
            after[item.rule] = replace(old, changes=tuple(sorted(changes.items())))
    return tuple(after[standing.rule] for standing in standings)


def worded(terms: Terms) -> str:
    """The changes as one line."""
    return ", ".join(f"{term} = {action_to_plain(value)}" for term, value in terms)
