"""Road networks: edges with travel times, and the networks the literature is about."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from society.core.exact import Exact, Number, show
from society.mechanisms.formula import Formula

Node: TypeAlias = Annotated[str, Field(pattern=r"^[^-/\s]+$", max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Constant(_Part):
    """The same time however many drive."""

    kind: Literal["constant"] = "constant"
    a: Exact = Field(ge=0)
    """minutes"""

    def minutes(self, flow: Number, users: Fraction) -> Fraction:
        return Fraction(self.a)

    def formula(self, users: Fraction) -> str:
        return show(self.a, 6)


class LinearTime(_Part):
    """a + b * flow."""

    kind: Literal["linear"] = "linear"
    a: Exact = Field(0, ge=0)
    """minutes on the empty edge"""
    b: Exact = Field(ge=0)
    """further minutes per unit of flow"""

    def minutes(self, flow: Number, users: Fraction) -> Fraction:
        return Fraction(self.a) + Fraction(self.b) * Fraction(flow)

    def formula(self, users: Fraction) -> str:
        return f"{show(self.a, 6)} + {show(self.b, 6)} * users" if self.a else f"{show(self.b, 6)} * users"


class PerCapita(_Part):
    """a + b * flow / c, where c is the flow of all agents together."""

    kind: Literal["per_capita"] = "per_capita"
    a: Exact = Field(0, ge=0)
    """minutes on the empty edge"""
    b: Exact = Field(ge=0)
    """further minutes when everybody uses the edge"""

    def minutes(self, flow: Number, users: Fraction) -> Fraction:
        return Fraction(self.a) + Fraction(self.b) * Fraction(flow) / users

    def formula(self, users: Fraction) -> str:
        return f"{show(self.a, 6)} + {show(self.b, 6)} * users / {show(users, 6)}"


class Polynomial(_Part):
    """c0 + c1 * flow + c2 * flow^2 + ..."""

    kind: Literal["polynomial"] = "polynomial"
    coefficients: tuple[Annotated[Exact, Field(ge=0)], ...] = Field(min_length=1, max_length=10)
    """minutes, by power of the flow"""

    def minutes(self, flow: Number, users: Fraction) -> Fraction:
        return sum((Fraction(c) * Fraction(flow) ** power for power, c in enumerate(self.coefficients)), Fraction(0))

    def formula(self, users: Fraction) -> str:
        terms = [
            show(c, 6) + ("" if power == 0 else " * users" if power == 1 else f" * users^{power}")
            for power, c in enumerate(self.coefficients)
            if c
        ]
        return " + ".join(terms) or "0"


class Bpr(_Part):
    """The engineers' curve free * (1 + alpha * (flow / capacity)^power) [BPR1964]_."""

    kind: Literal["bpr"] = "bpr"
    free: Exact = Field(ge=0)
    """minutes on the empty edge"""
    capacity: Exact = Field(gt=0)
    """flow at which the edge counts as full"""
    alpha: Exact = Field("3/20", ge=0, validate_default=True)
    """share by which a full edge is slower than an empty one"""
    power: int = Field(4, ge=1, le=10)
    """how steeply the time rises"""

    def minutes(self, flow: Number, users: Fraction) -> Fraction:
        load = Fraction(flow) / Fraction(self.capacity)
        return Fraction(self.free) * (1 + Fraction(self.alpha) * load**self.power)

    def formula(self, users: Fraction) -> str:
        free, full = show(self.free, 6), show(self.capacity, 6)
        return f"{free} * (1 + {show(self.alpha, 6)} * (users / {full})^{self.power})"


class Written(_Part):
    """Any formula of x, the flow on the edge, and c, the flow of all agents together: ``2 + 6 x/c``."""

    kind: Literal["formula"] = "formula"
    text: str = Field(min_length=1)
    """minutes, with + - * / ^ and brackets"""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        assert self.read, "reading it raises what is wrong with it"
        return self

    @cached_property
    def read(self) -> Formula:
        return Formula(self.text)

    def minutes(self, flow: Number, users: Fraction) -> Fraction:
        return self.read.minutes(Fraction(flow), users)

    def formula(self, users: Fraction) -> str:
        return self.read.words(users)


def _latency_in_short(raw: Any) -> Any:  # Any: as it was written; what is no short form is left for the model to judge
    """A number is a constant time, text is a formula."""
    if isinstance(raw, str):
        return {"kind": "formula", "text": raw}
    return {"kind": "constant", "a": raw} if isinstance(raw, (int, float, Fraction)) else raw


_Latency: TypeAlias = Annotated[
    Constant | LinearTime | PerCapita | Polynomial | Bpr | Written, Field(discriminator="kind")
]
Latency: TypeAlias = Annotated[
    _Latency, BeforeValidator(_latency_in_short, json_schema_input_type=_Latency | str | float)
]
"""Minutes as a function of the flow: one of the kinds, a formula as text, or a number."""


def ends_of(name: str) -> tuple[str, str]:
    """The two nodes of ``0-1``.

    Raises:
        ValueError: it does not name two nodes.
    """
    start, dash, end = name.partition("-")
    if not dash or not start.strip() or not end.strip():
        raise ValueError(f"{name!r} names no two nodes; write them with a dash between, such as 0-1")
    return start.strip(), end.strip()


class Edge(_Part):
    """A one-way road. In short: ``0-1: 2 + 6 x/c`` as text, or [start, end, latency]."""

    start: Node
    """the node it leaves"""
    end: Node
    """the node it leads to"""
    latency: Latency
    """minutes it takes, as a function of the flow on it"""

    @property
    def name(self) -> str:
        return f"{self.start}-{self.end}"


class Trip(_Part):
    """Where an agent starts and where it wants to be. In short: ``0-3``."""

    start: Node
    """the node it starts from"""
    end: Node
    """the node it wants to reach"""


def edge_in_short(raw: Any) -> Any:  # Any: as it was written; what is no short form is left for the model to judge
    """``0-1: 2 + 6 x/c``, or [start, end, latency]."""
    if isinstance(raw, str):
        name, colon, latency = raw.partition(":")
        if not colon or not latency.strip():
            raise ValueError(f"{raw!r} is no edge; write its nodes and its minutes, such as 0-1: 2 + 6 x/c")
        start, end = ends_of(name)
        return {"start": start, "end": end, "latency": latency.strip()}
    if isinstance(raw, Sequence) and len(raw) == 3:
        return {"start": str(raw[0]), "end": str(raw[1]), "latency": raw[2]}
    return raw


def trip_in_short(raw: Any) -> Any:  # Any: as above
    """``0-3``, or [start, end]."""
    if isinstance(raw, str):
        return dict(zip(("start", "end"), ends_of(raw), strict=True))
    if isinstance(raw, Sequence) and len(raw) == 2:
        return {"start": str(raw[0]), "end": str(raw[1])}
    return raw


WrittenEdge: TypeAlias = Annotated[Edge, BeforeValidator(edge_in_short, json_schema_input_type=Edge | str)]
WrittenTrip: TypeAlias = Annotated[Trip, BeforeValidator(trip_in_short, json_schema_input_type=Trip | str)]
MinutesByEdge: TypeAlias = dict[str, Latency]
"""A network as a map from the names of its edges to their minutes: ``{0-1: 2 + 6 x/c, 0-2: 10}``."""


def _edge(start: str, end: str, a: int, b: int = 0, *, shared: bool = False) -> Edge:
    """A constant, linear or (shared) per-capita edge from its two numbers."""
    latency: Constant | LinearTime | PerCapita = Constant(a=a)
    if b:
        latency = PerCapita(a=a, b=b) if shared else LinearTime(a=a, b=b)
    return Edge(start=start, end=end, latency=latency)


_BRAESS = (
    _edge("0", "1", 2, 6, shared=True),
    _edge("0", "2", 10),
    _edge("1", "2", 1),
    _edge("1", "3", 10),
    _edge("2", "3", 2, 6, shared=True),
)

Preset = Literal["braess", "double_braess", "original_braess", "pigou"]

PRESETS: dict[Preset, tuple[tuple[Edge, ...], Trip]] = {
    "braess": (_BRAESS, Trip(start="0", end="3")),
    "double_braess": (
        (
            *_BRAESS,
            _edge("A", "0", 2, 6, shared=True),
            _edge("A", "2", 19),
            _edge("0", "B", 19),
            _edge("2", "B", 2, 6, shared=True),
        ),
        Trip(start="0", end="3"),
    ),
    "original_braess": (
        (
            _edge("0", "1", 0, 10),
            _edge("0", "2", 50, 1),
            _edge("1", "2", 10, 1),
            _edge("1", "3", 50, 1),
            _edge("2", "3", 0, 10),
        ),
        Trip(start="0", end="3"),
    ),
    "pigou": (
        (_edge("0", "1", 0, 1, shared=True), _edge("0", "2", 1), _edge("2", "1", 0)),
        Trip(start="0", end="1"),
    ),
}
"""The networks of [Oesterle2024]_ (braess, double_braess), [Braess1968]_ and [Pigou1920]_, with their usual trip.

Pigou's two parallel roads need a node in the middle of one of them, so that a route can be told by its nodes.
"""


def routes_of(edges: tuple[Edge, ...], trip: Trip, most: int) -> tuple[tuple[Edge, ...], ...]:
    """All ways without a circle, in the order of the edges.

    Raises:
        ValueError: more than `most` of them.
    """
    found: list[tuple[Edge, ...]] = []
    open_ends: list[tuple[Edge, ...]] = [()]
    while open_ends:
        way = open_ends.pop()
        here = way[-1].end if way else trip.start
        if here == trip.end and way:
            found.append(way)
            if len(found) > most:
                raise ValueError(f"more than {most} routes lead from {trip.start} to {trip.end}")
            continue
        visited = {trip.start, *(edge.end for edge in way)}
        open_ends.extend((*way, edge) for edge in reversed(edges) if edge.start == here and edge.end not in visited)
    return tuple(found)
