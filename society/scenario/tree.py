"""YAML as a tree that remembers where everything stands.

Only the part of YAML 1.2 that data needs: maps, lists and scalars of the core schema. Anchors, aliases, tags, directives and
second documents are refused, and so is whatever is too long, too deep or too much, while the text is still being scanned:
nothing is built from a file that is refused.

Scalars mean what they show. `no` and `1:30` are text, a leading zero is refused (it is octal to some readers), NaN and
infinity are refused, and a decimal with more digits than a double keeps is refused instead of being rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import isfinite
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.scanner import RoundTripScanner

from society.core.complaints import visible
from society.core.errors import ScenarioError
from society.core.exact import MAX_DIGITS, Quoted
from society.scenario.problems import Place, Problem, Source

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 10_000

Scalar: TypeAlias = bool | int | float | str | None

_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_ESCAPE = re.compile(r"\\U([0-9a-fA-F]{8})")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of pairs: YAML lets them be escaped, and no text needs them."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True)
class Node:
    """A value and where it stands. `value` is a scalar, a list of nodes, or a map of keys to entries."""

    value: Scalar | list[Node] | dict[str, Entry]
    place: Place

    @property
    def map(self) -> dict[str, Entry] | None:
        return self.value if isinstance(self.value, dict) else None

    def get(self, key: str) -> Node | None:
        """The value under a key, if this is a map that has it."""
        entry = self.map.get(key) if self.map is not None else None
        return entry.node if entry else None

    def put(self, key: str, node: Node) -> None:
        """Set a key; it stands where the value stands."""
        assert isinstance(self.value, dict), "keys belong into maps"
        self.value[key] = Entry(key=node.place, node=node)

    def plain(self) -> Any:  # Any: raw fields, typed by whoever validates them
        """The value as dicts, tuples and scalars."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return tuple(item.plain() for item in self.value)
        return self.value

    def copy(self) -> Node:
        """A tree of its own; places are shared."""
        if isinstance(self.value, dict):
            entries = {key: Entry(entry.key, entry.node.copy()) for key, entry in self.value.items()}
            return Node(entries, self.place)
        if isinstance(self.value, list):
            return Node([item.copy() for item in self.value], self.place)
        return Node(self.value, self.place)


@dataclass(slots=True)
class Entry:
    """One key of a map: where the key stands, and its value."""

    key: Place
    node: Node


@dataclass(slots=True)
class Reading:
    """A tree, and what is wrong with single places of it."""

    root: Node
    problems: list[Problem] = field(default_factory=list)


class _Refused(Exception):
    """Reading stops here."""

    def __init__(self, message: str, mark: Any) -> None:  # Any: ruamel's marks are untyped
        super().__init__(message)
        self.message, self.mark = message, mark


class _Scanner(RoundTripScanner):
    """The scanner looks ahead of the parser, so the depth of brackets is watched here."""

    def fetch_flow_collection_start(self, token_class: Any, to_push: Any) -> None:  # Any: as in ruamel
        if len(self.flow_context) >= MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH} levels", self.reader.get_mark())
        super().fetch_flow_collection_start(token_class, to_push)


def read_tree(text: str | bytes, name: str) -> Reading:
    """The tree of one YAML document.

    Args:
        text: the document; bytes must be UTF-8.
        name: how the document is called in messages, such as ``fishery.yaml``.

    Raises:
        ScenarioError: the text is no YAML, or uses what is refused.
    """
    if len(text) > MAX_BYTES:
        raise _error(Source(name), f"the file is larger than {MAX_BYTES // 1024} KiB", 0, 0)
    if isinstance(text, bytes):
        text = _decode(text, name)
    source = Source(name, tuple(text.splitlines()))
    try:
        return _Builder(source).build(_events(text))
    except _Refused as stop:
        raise _error(source, stop.message, stop.mark.line, stop.mark.column) from None
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        at = (mark.line, mark.column) if isinstance(mark, StringMark) else (0, 0)
        words = visible(" ".join(filter(None, (problem.context, problem.problem))) or "no YAML")
        raise _error(source, f"this is not valid YAML: {words}", *at) from None
    except (OverflowError, ValueError) as problem:  # an escape that names no character
        if isinstance(problem, ScenarioError):
            raise
        found = next((m for m in _ESCAPE.finditer(text) if int(m[1], 16) > 0x10FFFF), None)
        offset = found.start() if found else 0
        raise _error(source, "an escape that names no character", *_line_column(text, offset)) from None
    except YAMLError as problem:  # an unprintable character: the reader gives its offset only
        offset = max(0, int(getattr(problem, "position", 0)))
        raise _error(source, "a character that is not allowed in YAML", *_line_column(text, offset)) from None


def tree_of(value: Any, place: Place) -> Node:  # Any: plain JSON
    """Plain data as a tree, every value of which stands at one place."""
    if isinstance(value, dict):
        return Node({str(key): Entry(place, tree_of(item, place)) for key, item in value.items()}, place)
    if isinstance(value, (list, tuple)):
        return Node([tree_of(item, place) for item in value], place)
    return Node(value, place)


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start)
        column = problem.start - (raw.rfind(b"\n", 0, problem.start) + 1)
        raise _error(Source(name), "the file is not UTF-8 text", line, column) from None


def _error(source: Source, message: str, line: int, column: int) -> ScenarioError:
    place = Place(source, line + 1, column + 1, line + 1, column + 2)
    return ScenarioError.of([Problem(place, "", message)])


def _events(text: str) -> Iterator[Any]:  # Any: ruamel's events are untyped
    yaml = YAML(typ="rt", pure=True)
    yaml.Scanner = _Scanner
    yield from yaml.parse(text)


class _Builder:
    """Builds the tree bottom up, counting as it goes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.nodes = 0
        self.problems: list[Problem] = []

    def build(self, events: Iterator[Any]) -> Reading:
        root: Node | None = None
        for event in events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                if root is not None:
                    raise _Refused("a second document; one file is one document", event.start_mark)
                if event.version or event.tags:
                    raise _Refused("YAML directives are not allowed", event.start_mark)
            elif name not in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"):
                root = self.node(event, events, 0)
        if root is None:
            root = Node(None, Place(self.source, 1, 1, 1, 1))
        fields = {id(node.place): field for field, node in _fields(root)} if self.problems else {}
        return Reading(root, [replace(p, field=fields.get(id(p.place), "")) for p in self.problems])

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        self.watch(event, depth)
        name, place = type(event).__name__, self.place(event)
        if name == "ScalarEvent":
            return Node(self.scalar(event, place), place)
        if name == "SequenceStartEvent":
            items = []
            while type(item := next(events)).__name__ != "SequenceEndEvent":
                items.append(self.node(item, events, depth + 1))
            return Node(items, self.until(place, item))
        entries: dict[str, Entry] = {}
        while type(key := next(events)).__name__ != "MappingEndEvent":
            if type(key).__name__ != "ScalarEvent":
                raise _Refused("a key must be a plain word", key.start_mark)
            self.watch(key, depth + 1)
            at = self.place(key)
            value = self.node(next(events), events, depth + 1)
            if value.value is None and value.place.line != at.line:  # nothing stands there: point behind the colon
                value.place = Place(self.source, at.line, at.end_column + 1, at.line, at.end_column + 1)
            if key.value in entries:
                first = entries[key.value].key.line
                message = f"{visible(key.value)!r} is given twice (first in line {first})"
                self.problems.append(Problem(at, "", message))
                at.source.hide(value.place)
                continue
            entries[key.value] = Entry(at, value)
        return Node(entries, self.until(place, key))

    def watch(self, event: Any, depth: int) -> None:
        """Refuse what only programs need, and too much of anything."""
        self.nodes += 1
        if type(event).__name__ == "AliasEvent":
            raise _Refused("aliases (*name) are not allowed; write the value again", event.start_mark)
        if event.anchor:
            raise _Refused("anchors (&name) are not allowed", event.start_mark)
        if event.tag is not None:
            raise _Refused("tags (!name) are not allowed", event.start_mark)
        if depth > MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        if self.nodes > MAX_NODES:
            raise _Refused(f"more than {MAX_NODES} values", event.start_mark)

    def place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        return Place(self.source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def until(self, place: Place, event: Any) -> Place:
        return Place(self.source, place.line, place.column, event.end_mark.line + 1, event.end_mark.column + 1)

    def scalar(self, event: Any, place: Place) -> Scalar:
        text: str = event.value
        if event.style == ">":
            text = text.replace("\a", "")  # ruamel marks the folds, so that it could write them again
        if event.style == '"' and (unfit := _UNFIT.search(text)):
            self.problems.append(Problem(place, "", f"U+{ord(unfit[0]):04X} is no character of a text"))
        if event.style is not None:
            return Quoted(text)
        try:
            return read_scalar(text)
        except ValueError as problem:
            self.problems.append(Problem(place, "", str(problem)))
            return text


def _fields(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its dotted path."""
    yield path.removeprefix("."), node
    if isinstance(node.value, dict):
        for key, entry in node.value.items():
            yield from _fields(entry.node, f"{path}.{key}")
    elif isinstance(node.value, list):
        for place, item in enumerate(node.value):
            yield from _fields(item, f"{path}.{place}")


def read_scalar(text: str) -> Scalar:
    """An unquoted scalar by the core schema of YAML 1.2.

    Raises:
        ValueError: a number that readers disagree on, or that cannot be kept as it is written.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        digits = text.lstrip("+-")
        if len(digits) > MAX_DIGITS:
            raise ValueError("that number is too long to be a quantity")
        if len(digits) > 1 and digits[0] == "0":
            plain = digits.lstrip("0") or "0"
            raise ValueError(f"a leading zero means octal to some readers; write {plain}, or quote it if it is text")
        return int(text)
    if _BASED.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError("that number is too long to be a quantity")
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("a finite number is needed here")
    if _DECIMAL.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError("that number is too long to be a quantity")
        value = float(text)
        if not isfinite(value):
            raise ValueError("that number is too large")
        if Decimal(repr(value)) != Decimal(text):
            raise ValueError("that number has more digits than are kept; write a fraction such as 1/3")
        return value
    return text
