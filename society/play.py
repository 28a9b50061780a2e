"""The one door between playing and reading: a scenario, a cast and a log become a run.

    run = await play(load("fishery"), model="mock:greedy", seed=1)
    run.outcome.welfare_efficiency, run.transcript()
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from society import __version__
from society.agents.cast import cast
from society.agents.prompting import Prompts
from society.core.errors import Paused, SocietyError
from society.core.events import RunStarted
from society.log import Log, RunWriter, open_log
from society.models.budget import RunBudget
from society.models.pool import ModelPool
from society.orchestrator import Watcher, play_episode
from society.run import Run
from society.scenario.load import resolved
from society.scenario.model import LlmPolicy, ModelSettings, Scenario

if TYPE_CHECKING:
    from society.models.counters import Counters

DEFAULT_LOG = "sqlite:///logs/society.db"
LOG_SCHEMA = 1


async def play(
    scenario: Scenario,
    *,
    model: str | None = None,
    seed: int | None = None,
    log: str | Log = DEFAULT_LOG,
    pool: ModelPool | None = None,
    watcher: Watcher | None = None,
    counters: Counters | None = None,
    command: str = "",
) -> Run:
    """Play a scenario once, with everything logged.

    Args:
        scenario: what to play, from `society.load`.
        model: the model of all agents that name none, such as ``mock:greedy``; default: the scenario's own.
        seed: keys all noise; default: the scenario's first seed.
        log: where everything is written; a URL or an open log.
        pool: connections and limits to share with other runs; default: its own, closed at the end.
        watcher: told where the episode is.
        counters: told of calls, tokens and cost as they come.
        command: what the user typed, for the log.

    Raises:
        Paused: a budget or quota is spent; `resume` goes on from there.
        ProviderRefused: the provider will never answer (key, model name).
        BadInput: the scenario, model or log cannot be used.
    """
    scenario = with_model(scenario, model)
    seed = scenario.seeds[0] if seed is None else seed
    book = open_log(log) if isinstance(log, str) else log
    prompts = Prompts.load()
    manifest = RunStarted(
        scenario=resolved(scenario),
        seed=seed,
        agents=scenario.names,
        models=tuple(_decider(scenario, seat) for seat in range(len(scenario.agents))),
        prompts=prompts.hashes,
        version=__version__,
        schema=LOG_SCHEMA,
    )
    writer = book.start_run(manifest, command=command)
    return await _perform(scenario, manifest, writer, book, prompts, pool, watcher, counters)
