"""Kinds that are found by being there.

A mechanism, instrument, goal or scripted policy is one class in one file of its room, with a literal `kind` field.
Nothing is registered by hand: the room's registry imports the files of its package, and packages of other authors
join through an entry point of the group ``society.<noun>s``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from society.core.errors import BadInput, UnknownKind, did_you_mean


def load_entry_points(group: str) -> None:
    """Load what packages of other authors add to a room.

    Raises:
        BadInput: such a package cannot be loaded; says which, and why.
    """
    for point in entry_points(group=group):
        try:
            point.load()
        except Exception as problem:
            whose = f"the package {point.dist.name!r}" if point.dist is not None else "a package"
            raise BadInput(
                f"{whose} has an entry point {point.name} = {point.value!r} of {group} that cannot be loaded: "
                f"{type(problem).__name__}: {problem}"
            ) from problem


class Kind(BaseModel):  # noqa: PLW1641  # a frozen model hashes its fields already
    """Something chosen by name in a scenario file, with parameters as fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    kind: str
    source: ClassVar[tuple[str, ...]] = ()
    """Keys of `references.bib` this kind is taken from."""

    def __eq__(self, other: object) -> bool:
        """Alike in kind and every field; what was worked out from them and kept does not count."""
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs = self.__dict__, other.__dict__
        return all(mine[name] == theirs[name] for name in type(self).model_fields)


K = TypeVar("K", bound=Kind)


class Registry(Generic[K]):
    """The kinds of one room, imported on first use."""

    def __init__(self, noun: str, base: Any, package: str) -> None:  # Any: mypy refuses an abstract class as type[K]
        self.noun, self.base, self.package = noun, base, package

    @cached_property
    def types(self) -> dict[str, type[K]]:
        """Every concrete kind by its name, in alphabetical order."""
        room = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(room.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        load_entry_points(f"society.{self.noun}s")
        return dict(sorted(self._met()))

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.types)

    def type_of(self, kind: str) -> type[K]:
        """The class of a kind. Where a file has its name it is looked for there first, so that the others need not be loaded.

        Raises:
            UnknownKind: with the nearest known name.
        """
        if "types" not in self.__dict__ and kind.isidentifier():
            module = f"{self.package}.{kind}"
            if find_spec(module) is not None:
                importlib.import_module(module)
                for name, kind_type in self._met():
                    if (name, kind_type.__module__) == (kind, module):
                        return kind_type
        if kind not in self.types:
            hint = did_you_mean(kind, self.types)
            raise UnknownKind(f"no {self.noun} of kind {kind!r}{hint} (known: {', '.join(self.types)})")
        return self.types[kind]

    def _met(self) -> Iterator[tuple[str, type[K]]]:
        """The concrete kinds that have been loaded by now, by name."""
        waiting: list[type[K]] = [self.base]
        while waiting:
            kind_type = waiting.pop()
            waiting.extend(kind_type.__subclasses__())
            name = kind_type.model_fields["kind"].default
            if isinstance(name, str):
                yield name, kind_type

    def parse(self, fields: dict[str, Any]) -> K:  # Any: these are raw fields from a file, typed by what follows
        """Build a kind from its ``kind`` and parameters.

        Raises:
            UnknownKind: no such kind, or none named.
            pydantic.ValidationError: a parameter is wrong.
        """
        kind = fields.get("kind")
        if not isinstance(kind, str):
            raise UnknownKind(f"this {self.noun} needs a 'kind' (known: {', '.join(self.types)})")
        return self.type_of(kind).model_validate(fields)
