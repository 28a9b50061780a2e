"""What is played: the fishery, so many agents, rounds and episodes, two calls an agent and round (a declaration, then the act).

The second call of a round waits for the first of all agents, as the game demands: the critical path of an episode is rounds x 2 x
the latency of the server.

This file imports nothing of the sandbox where it is loaded, so that other packages can be measured where it is not installed.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from society.scenario.model import Scenario

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve")
STAGES = 2
MODEL = "bench"


@dataclass(frozen=True, slots=True)
class Workload:
    """Attributes: as they say; `seconds` is the latency of the server, `in_flight` the most calls at a time."""

    episodes: int = 20
    rounds: int = 12
    seconds: float = 0.2
    in_flight: int = 100
    agents: int = len(NAMES)

    @property
    def calls(self) -> int:
        return self.episodes * self.rounds * STAGES * self.agents

    @property
    def critical_path(self) -> float:
        """Seconds that no program can beat: all episodes at once, stage after stage."""
        waves = -(-self.episodes * self.agents // self.in_flight)
        return self.rounds * STAGES * self.seconds * waves


Body = Mapping[str, Any]
"""One request to the server, as JSON."""

Stage = list[Body]
"""The requests of all agents in one stage, in seat order: they may be sent at once."""


def write(path: Path, workload: Workload, stages: list[Stage]) -> None:
    """Keep a workload and the calls of one of its episodes, for programs in other processes."""
    path.write_text(json.dumps({"workload": asdict(workload), "stages": stages}), encoding="utf-8")


def read(path: str | Path) -> tuple[Workload, list[Stage]]:
    """Back from `write`."""
    kept = json.loads(Path(path).read_text(encoding="utf-8"))
    return Workload(**kept["workload"]), kept["stages"]


async def play(workload: Workload, stages: list[Stage], send: Callable[[Body], Awaitable[object]]) -> None:
    """All episodes at once, with `send` for each call: how the bare programs and most peers are driven."""
    import asyncio

    async def episode() -> None:
        for stage in stages:
            await asyncio.gather(*(send(body) for body in stage))

    await asyncio.gather(*(episode() for _ in range(workload.episodes)))


def scenario_of(workload: Workload, name: str = "fishery") -> Scenario:
    """The scenario of the workload."""
    from society import load

    return load(name, [f"rounds={workload.rounds}", "stages.talk.turns=0"])


def recorded(workload: Workload) -> list[Stage]:
    """The calls of one episode, as the sandbox words and sends them."""
    import asyncio

    from society.agents.cast import Casting
    from society.agents.prompting import Prompts
    from society.core.calls import ModelRequest, ModelResponse
    from society.core.events import Event, RunStarted
    from society.models.dialect import Dialect
    from society.models.mock import MockModel
    from society.orchestrator import play_episode
    from society.scenario.load import resolved

    dialect = Dialect.of("http://127.0.0.1/v1")
    sent: dict[tuple[int, str], Stage] = {}

    class Listening(MockModel):
        async def complete(self, request: ModelRequest) -> ModelResponse:
            sent.setdefault((request.at.round, request.at.stage), []).append(dialect.body(MODEL, request))
            return await super().complete(request)

    class Nowhere:
        async def stage(self, events: tuple[Event, ...]) -> None:
            """Nobody is told."""

    scenario = scenario_of(workload)
    manifest = RunStarted(resolved(scenario), 0, scenario.names, ("mock:sustainable",) * workload.agents, {}, "", 0)
    policies = Casting.of(scenario, Prompts.load()).policies(seed=0, client_for=lambda _: Listening("sustainable"))
    asyncio.run(play_episode(scenario, policies, Nowhere(), manifest))
    return list(sent.values())
