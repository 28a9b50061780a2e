"""Everybody drives, and everybody is in everybody's way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement, product
from math import comb, prod
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from society.core.actions import Action, Joint, Route
from society.core.arrays import NDArray, np
from society.core.columns import over_common_denominator
from society.core.errors import did_you_mean
from society.core.exact import Exact, Number, show, tidy
from society.core.mechanism import Batch, Bound, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.crowds import Crowds, Group
from society.mechanisms.merit import merit
from society.mechanisms.network import (
    PRESETS,
    Edge,
    MinutesByEdge,
    Preset,
    Trip,
    WrittenEdge,
    WrittenTrip,
    ends_of,
    routes_of,
)
from society.mechanisms.option_game import MOST_PROFILES
from society.mechanisms.stateless import NOTHING, Nothing

MOST_ROUTES = 200


class Congestion(Mechanism[Nothing]):
    """Agents choose routes through a network at once; an edge takes the longer, the more use it [Rosenthal1973]_.

        payoff_i = - sum over the edges e of i's route of minutes_e(flow on e)

    In the default network [Braess1968]_, [Oesterle2024]_ all end up on 0-1-2-3 and need 17 minutes; with the shortcut 1-2
    closed they split and need 15. The best total keeps the shortcut open and sends only some over it.
    """

    kind: Literal["congestion"] = "congestion"
    source = ("Braess1968", "Oesterle2024", "Rosenthal1973", "RoughgardenTardos2002")
    state_type = Nothing
    payoff_unit = "minutes (negative: time lost)"

    agents: int = Field(
        10, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    preset: Preset | None = Field(None, description="a named network; null with no edges given: braess")
    edges: tuple[WrittenEdge, ...] = Field(
        (), description="the network: one-way edges with their travel times in minutes, or a map {0-1: 2 + 6 x/c, ...}"
    )
    trips: tuple[WrittenTrip, ...] = Field(
        (), description="where to: one trip per agent, or one for all; empty: the preset's"
    )
    closed: tuple[str, ...] = Field((), description="edges nobody can use, such as 1-2")
    flow: Exact = Field(1, gt=0, le=1_000_000, description="how much each agent adds to the flow of the edges it uses")

    @field_validator("edges", mode="before", json_schema_input_type=tuple[WrittenEdge, ...] | MinutesByEdge)
    @classmethod
    def _edges_by_name(cls, raw: Any) -> Any:  # Any: as it was written
        """Edges may be a map from their names to their minutes: ``{0-1: 2 + 6 x/c, 0-2: 10}``."""
        if isinstance(raw, Mapping):
            return tuple((*ends_of(str(name)), latency) for name, latency in raw.items())
        return raw

    @field_validator("trips", mode="before", json_schema_input_type=tuple[WrittenTrip, ...] | WrittenTrip)
    @classmethod
    def _one_trip(cls, raw: Any) -> Any:  # Any: as it was written
        """One trip for all needs no list around it."""
        return (raw,) if isinstance(raw, (str, Mapping, Trip)) else raw

    @field_validator("closed", mode="before", json_schema_input_type=tuple[str, ...] | str)
    @classmethod
    def _one_closed(cls, raw: Any) -> Any:  # Any: as it was written
        return (raw,) if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _network_makes_sense(self) -> Self:
        if self.preset is not None and self.edges:
            raise ValueError("give either a preset or edges, not both")
        names = [edge.name for edge in self.network]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two edges {sorted(twice)[0]}: put a node in the middle of one of them")
        for name in self.closed:
            if name not in names:
                hint = did_you_mean(name, names)
                raise ValueError(f"there is no edge {name!r} to close{hint} (known: {', '.join(names)})")
        if self.edges and not self.trips:
            raise ValueError("a network of one's own needs 'trips': where each agent starts and ends")
        if len(self.trips) not in (0, 1, self.agents):
            raise ValueError(f"{len(self.trips)} trips for {self.agents} agents: give one per agent, or one for all")
        for trip in {self.trip(agent) for agent in range(self.agents)}:
            if not self._routes[trip]:
                raise ValueError(f"no open route leads from {trip.start} to {trip.end}")
        for edge, times in zip(self._open, self._minutes, strict=True):
            if min(times) < 0:
                users = times.index(min(times))
                raise ValueError(
                    f"edge {edge.name} takes {show(min(times))} minutes with {users} agents on it: no less than 0 makes sense"
                )
        return self

    @property
    def network(self) -> tuple[Edge, ...]:
        """All edges, the closed ones too."""
        return self.edges or PRESETS[self.preset or "braess"][0]

    def trip(self, agent: int) -> Trip:
        """Where the agent goes."""
        if not self.trips:
            return PRESETS[self.preset or "braess"][1]
        return self.trips[agent if len(self.trips) > 1 else 0]

    @property
    def symmetric(self) -> bool:
        return len({self.trip(agent) for agent in range(self.agents)}) == 1

    @cached_property
    def _open(self) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.network if edge.name not in self.closed)

    @cached_property
    def _routes(self) -> dict[Trip, tuple[tuple[int, ...], ...]]:
        """The routes of each trip, as places of edges in `_open`."""
        place = {edge.name: k for k, edge in enumerate(self._open)}
        trips = {self.trip(agent) for agent in range(self.agents)}
        return {
            trip: tuple(tuple(place[edge.name] for edge in way) for way in routes_of(self._open, trip, MOST_ROUTES))
            for trip in trips
        }

    @cached_property
    def _spaces(self) -> dict[Trip, Route]:
        names = {
            trip: tuple("-".join([trip.start, *(self._open[k].end for k in way)]) for way in ways)
            for trip, ways in self._routes.items()
        }
        return {trip: Route(options=options) for trip, options in names.items()}

    @cached_property
    def _minutes(self) -> tuple[tuple[Fraction, ...], ...]:
        """Minutes of each open edge when 0, 1, ... n agents use it."""
        users, flow = range(self.agents + 1), Fraction(self.flow)
        return tuple(tuple(self._time(edge, k * flow) for k in users) for edge in self._open)

    def _time(self, edge: Edge, flow: Fraction) -> Fraction:
        try:
            return edge.latency.minutes(flow, self._all)
        except ValueError as problem:
            raise ValueError(f"edge {edge.name}: {problem}") from None

    @property
    def _all(self) -> Fraction:
        """The flow of all agents together."""
        return self.agents * Fraction(self.flow)

    def initial_state(self) -> Nothing:
        return NOTHING

    def space(self, state: Nothing, agent: int) -> Route:
        return self._spaces[self.trip(agent)]

    def observe(self, state: Nothing, agent: int) -> Facts:
        edges = "; ".join(f"{edge.name}: {edge.latency.formula(self._all)}" for edge in self._open)
        trip = self.trip(agent)
        return {"start": trip.start, "end": trip.end, "edges": edges, "flow": tidy(Fraction(self.flow))}

    def step(self, state: Nothing, joint: Joint, noise: Noise) -> Transition[Nothing]:
        picks = tuple(self.space(state, agent).options.index(str(route)) for agent, route in enumerate(joint))
        users, payoffs = self._drive(picks)
        counts = {f"users {edge.name}": users[k] for k, edge in enumerate(self._open)}
        return Transition(state=state, payoffs=payoffs, facts=counts)

    def facilities(self, state: Nothing, agent: int, action: Action) -> tuple[str, ...]:
        pick = self.space(state, agent).options.index(str(action))
        return tuple(self._open[k].name for k in self._routes[self.trip(agent)][pick])

    def delays(self, state: Nothing, joint: Joint) -> dict[str, Number]:
        users = self._drive(tuple(self.space(state, a).options.index(str(way)) for a, way in enumerate(joint)))[0]
        return {
            edge.name: tidy(times[k] - times[0])
            for edge, times, k in zip(self._open, self._minutes, users, strict=True)
        }

    def _drive(self, picks: tuple[int, ...]) -> tuple[list[int], tuple[Number, ...]]:
        """Users of each open edge, and the payoffs."""
        ways = [self._routes[self.trip(agent)][pick] for agent, pick in enumerate(picks)]
        users = [0] * len(self._open)
        for way in ways:
            for edge in way:
                users[edge] += 1
        minutes = [times[k] for times, k in zip(self._minutes, users, strict=True)]
        return users, tuple(tidy(-sum((minutes[edge] for edge in way), Fraction(0))) for way in ways)

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:  # Any: int64 or object, see over_common_denominator
        return over_common_denominator(self._minutes)

    @cached_property
    def _crowds(self) -> Crowds:
        groups = [Group(seats, self._routes[trip]) for trip, seats in self._groups.items()]
        return Crowds(groups, self._arrays[0])

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        return Batch(numerators=self._crowds.payoffs(joints), denominators=self._arrays[1])

    def known_ceiling(self, state: Nothing, agent: int) -> Bound | None:
        if self._count > MOST_PROFILES:
            return None
        own = self.trip(agent)
        places = [
            (picks, seat) for picks in self._profiles() for seat in self._one_per_route(picks) if self.trip(seat) == own
        ]
        picks, seat = max(places, key=lambda place: self._drive(place[0])[1][place[1]])
        placed = list(picks)
        placed[agent], placed[seat] = placed[seat], placed[agent]
        return Bound(self._drive(tuple(placed))[1][agent], self._named(tuple(placed)), how=self._how)

    def known_optimum(self, state: Nothing) -> Bound | None:
        if self._count > MOST_PROFILES:
            return None
        best = max(self._profiles(), key=lambda picks: merit(self._drive(picks)[1]))
        return Bound(sum(self._drive(best)[1]), self._named(best), how=self._how)

    def known_equilibria(self, state: Nothing) -> tuple[Joint, ...] | None:
        """Up to the order of agents with the same trip."""
        if self._count > MOST_PROFILES:
            return None
        return tuple(self._named(picks) for picks in self._profiles() if self._stable(picks))

    def _stable(self, picks: tuple[int, ...]) -> bool:
        users, payoffs = self._drive(picks)
        for seat in self._one_per_route(picks):
            ways = self._routes[self.trip(seat)]
            here = set(ways[picks[seat]])
            for way in ways:
                there = sum((self._minutes[edge][users[edge] + (edge not in here)] for edge in way), Fraction(0))
                if -there > payoffs[seat]:
                    return False
        return True

    def _one_per_route(self, picks: tuple[int, ...]) -> list[int]:
        first: dict[tuple[Trip, int], int] = {}
        for seat, pick in enumerate(picks):
            first.setdefault((self.trip(seat), pick), seat)
        return list(first.values())

    @cached_property
    def _groups(self) -> dict[Trip, list[int]]:
        """The seats of each trip."""
        groups: dict[Trip, list[int]] = {}
        for seat in range(self.agents):
            groups.setdefault(self.trip(seat), []).append(seat)
        return groups

    @cached_property
    def _count(self) -> int:
        return prod(comb(len(seats) + len(self._routes[trip]) - 1, len(seats)) for trip, seats in self._groups.items())

    @property
    def _how(self) -> str:
        return f"enumeration of {self._count} profiles"

    def _profiles(self) -> Iterator[tuple[int, ...]]:
        """Every profile up to the order of agents with the same trip."""
        choices = [
            combinations_with_replacement(range(len(self._routes[trip])), len(seats))
            for trip, seats in self._groups.items()
        ]
        order = [seat for seats in self._groups.values() for seat in seats]
        for parts in product(*choices):
            flat = [pick for part in parts for pick in part]
            yield tuple(pick for _, pick in sorted(zip(order, flat, strict=True)))

    def _named(self, picks: tuple[int, ...]) -> tuple[Action, ...]:
        return tuple(self._spaces[self.trip(agent)].options[pick] for agent, pick in enumerate(picks))
