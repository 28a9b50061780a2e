"""The one door between playing and reading: a scenario, a cast and a log become a run.

run = await play(load("fishery"), model="mock:greedy", seed=1)
run.outcome.welfare_efficiency, run.transcript()
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from society import __version__
from society.agents.cast import Casting
from society.agents.prompting import Prompts
from society.core.calls import ModelClient
from society.core.canonical import canonical_json
from society.core.errors import BadInput, Diverged, NotBegun, Paused
from society.core.events import Event, Forked, RunStarted, setting_of
from society.core.exact import Json
from society.invariants import Invariants
from society.log import DEFAULT_LOG, Log, RunWriter, open_log
from society.log.schema import SCHEMA_VERSION
from society.models.budget import RunBudget, Spent
from society.models.names import parse_name
from society.models.pool import ModelPool
from society.models.prices import FREE
from society.models.recall import Recall, ReplayOnly
from society.models.settings import ProviderSettings
from society.orchestrator import Watcher, play_episode
from society.run import Run
from society.scenario.load import resolved
from society.scenario.model import Budget, LlmPolicy, ModelSettings, Scenario, ScriptedPolicy

if TYPE_CHECKING:
    from society.models.counters import Counters


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
    sweep: str | None = None,
    cell: Mapping[str, Json] | None = None,
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
        sweep: the sweep it belongs to, if any.
        cell: its point in that sweep.

    Raises:
        Paused: a budget or quota is spent; `resume` goes on from there.
        ProviderRefused: the provider will never answer (key, model name).
        BadInput: the scenario, model or log cannot be used.
    """
    scenario = with_model(scenario, model)
    seed = scenario.seeds[0] if seed is None else seed
    book = book_of(log)
    casting, manifest = _opened(scenario, seed)
    rehearse_cast(casting, seed, pool)
    writer = book.start_run(manifest, command=command, sweep=sweep, cell=cell, wait=False)
    return await perform(casting, writer, book, Company(pool, watcher, counters))


def _opened(scenario: Scenario, seed: int) -> tuple[Casting, RunStarted]:
    """Who plays, and the manifest; what it holds of the scenario is shared with that of other runs, but for the seeds."""
    whole = resolved(scenario)
    casting = casting_of(scenario, whole, Prompts.load())
    manifest = RunStarted(
        scenario={**casting.whole, "seeds": whole["seeds"]},
        seed=seed,
        agents=scenario.names,
        models=deciders(scenario),
        prompts=casting.templates,
        version=__version__,
        schema=SCHEMA_VERSION,
    )
    return replace(casting, scenario=scenario), manifest


async def resume(
    ref: str = "last",
    *,
    log: str | Log = DEFAULT_LOG,
    pool: ModelPool | None = None,
    watcher: Watcher | None = None,
    counters: Counters | None = None,
    budget: Budget | None = None,
) -> Run:
    """Go on with a run that was left: no committed answer is asked for again.

    The run is played from its start against its own journal, and goes on live where the journal ends. A `budget` stands for
    the scenario's own from here on; what the run has used already counts against it.

    Raises:
        BadInput: no such run, it is finished, or somebody else is writing it.
        Diverged: the code, prompts or scenario have changed, so that another question would be asked.
        Paused, ProviderRefused: as in `play`.
    """
    book = book_of(log)
    writer = book.resume_run(ref, budget=budget)
    scenario = Scenario.model_validate(writer.setting.scenario)
    try:
        casting = Casting.of(scenario, Prompts.load())
    except Exception as problem:
        await writer.finish("failed", str(problem))
        raise
    return await perform(casting, writer, book, Company(pool, watcher, counters))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run that came out of its own log again, bit for bit.

    Attributes:
        run: its id.
        events: how many events were derived and compared.
        head: the hash of the last one.
        ended: False for a run that was left; it is derived as far as its log goes.
        shared: of a fork, the rounds it shares with another run: there the rules are called again, the answers are taken as
            they were read.
        calls: how many questions were put together again and found in the journal, by their hash.
    """

    run: str
    events: int
    head: str
    ended: bool
    shared: int = 0
    calls: int = 0


async def replay(ref: str = "last", *, log: str | Log = DEFAULT_LOG) -> Replayed:
    """Derive a run again from its log: manifest and committed answers in, events out, compared bit by bit.

    No model is asked, and nothing is written.

    Raises:
        BadInput: no such run, or a person took part, whose answers only the events hold.
        Diverged: the first event or question that does not come out as the log holds it.
    """
    book = book_of(log)
    rerun = book.rerun(ref)
    if "human" in setting_of(rerun.shared or (rerun.manifest,)).models:
        raise BadInput(
            f"run {rerun.run_id}: a person took part, so it cannot be derived again; `society verify` checks it"
        )
    setting = setting_of(rerun.shared or (rerun.manifest,))
    shared = setting.round if isinstance(setting, Forked) else 0
    scenario = Scenario.model_validate(setting.scenario)
    client = Recall(ReplayOnly(), rerun, None, ())
    casting = Casting.of(scenario, Prompts.load())
    policies = casting.policies(seed=setting.seed, client_for=lambda _: client)
    asked = casting.humans(seed=setting.seed, client_for=lambda _: client)
    try:
        await play_episode(scenario, policies, rerun, rerun.manifest, shared=rerun.shared, humans=asked)
    except Paused as end_of_log:
        if not rerun.complete:
            raise Diverged(f"run {rerun.run_id}: {end_of_log}") from None
        return Replayed(rerun.run_id, rerun.compared, rerun.head, ended=False, shared=shared, calls=rerun.recalled)
    rerun.require_complete()
    return Replayed(rerun.run_id, rerun.compared, rerun.head, ended=True, shared=shared, calls=rerun.recalled)


def tune_interpreter() -> None:
    """Set the interpreter up for playing; calling it again does nothing.

    The garbage collector looks at what episodes make and no more at what was loaded: that lives as long as the process. And the
    log's thread, with all who wait for it, is not kept waiting by a busy event loop for five milliseconds at each statement.

    For programs that play many episodes: both hold for the whole process.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        sys.setswitchinterval(TURN)


TURN = 0.002
"""Seconds that a thread keeps the interpreter while another one wants it."""


def play_sync(scenario: Scenario, **how: Any) -> Run:  # Any: the arguments of `play`
    """`play` for code that is not asynchronous.

    Raises:
        RuntimeError: called where an event loop is running already, as in a notebook; await `play` there.
    """
    return asyncio.run(play(scenario, **how))


def with_model(scenario: Scenario, model: str | None) -> Scenario:
    """The scenario with another model for all agents that name none."""
    if model is None:
        return scenario
    default = scenario.models.get("default", ModelSettings(name=model)).model_copy(update={"name": model})
    return scenario.model_copy(update={"models": {**scenario.models, "default": default}})


@dataclass(frozen=True, slots=True)
class Company:
    """Who is with a run while it is played: shared connections, and those who look on."""

    pool: ModelPool | None = None
    watcher: Watcher | None = None
    counters: Counters | None = None


async def perform(casting: Casting, writer: RunWriter, book: Log, company: Company) -> Run:
    """Play the run of a writer to its end, and leave the log consistent whatever stops it.

    The casting is that of the scenario which the writer's manifest, or its last fork, holds.
    """
    pool = company.pool or ModelPool()
    scenario, seed = casting.scenario, writer.setting.seed
    try:
        purse = _purse(writer)

        @cache
        def client_of(model: str) -> ModelClient:
            return pool.client(model, journal=writer, budget=purse, counters=company.counters)

        def client_for(settings: ModelSettings) -> ModelClient:
            return client_of(settings.name)

        policies = casting.policies(seed=seed, client_for=client_for)
        asked = casting.humans(seed=seed, client_for=client_for)
        await _keep_prices(scenario, pool, book, writer.run_id)
        sink = _Remembering(writer, scenario)
        end = await play_episode(
            scenario, policies, sink, writer.manifest, watcher=company.watcher, shared=writer.shared, humans=asked
        )
        run = Run(writer.run_id, book)
        run.know([writer.stored(event) for event in sink.told], None if writer.redacts else scenario)
        await writer.finish(end.status, end.reason, results={"metric": run.metric_rows()})
        return run
    except Paused as problem:
        await writer.finish("paused", str(problem))
        if not writer.stands:
            raise NotBegun.because(problem) from problem
        raise
    except asyncio.CancelledError:
        await asyncio.shield(writer.finish("interrupted", "interrupted"))
        raise
    except Exception as problem:
        await writer.finish("failed", str(problem))
        raise
    finally:
        if company.pool is None:
            await pool.close()


def _purse(writer: RunWriter) -> RunBudget | None:
    """What the calls of a run are paid from; None where nothing bounds them."""
    budget, used = writer.session.budget, writer.used
    if budget == Budget():
        return None
    return RunBudget(
        usd=None if budget.usd is None else float(budget.usd),
        tokens=budget.tokens,
        minutes=None if budget.minutes is None else float(budget.minutes),
        spent=Spent(used.usd, used.tokens, used.seconds + writer.session.seconds),
    )


async def _keep_prices(scenario: Scenario, pool: ModelPool, book: Log, run_id: str) -> None:
    """Write down what the run's models are charged at, where a resumed run does not say so already. Free models have no price."""
    names = {
        scenario.model_of(seat).name for seat, one in enumerate(scenario.agents) if isinstance(one.policy, LlmPolicy)
    }
    names |= set() if scenario.model_of_human is None else {scenario.model_of_human.name}
    prices = {name: price for name in sorted(names) if (price := pool.price(parse_name(name))) not in (None, FREE)}
    if not prices:
        return
    stood = book.sql("SELECT * FROM price WHERE run_id = :run", {"run": run_id}).rows()
    columns = ("input", "output", "cached", "as_of")
    last = {row["model"]: tuple(row[name] for name in columns) for row in sorted(stood, key=lambda row: row["since"])}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    charged: list[dict[str, Any]] = []  # Any: SQL values
    for model, price in prices.items():
        assert price is not None, "those that are not known were left out"
        row = (price.input, price.output, price.cached, None if price.as_of is None else price.as_of.isoformat())
        if last.get(model) != row:
            charged.append({"model": model, "since": now, **dict(zip(columns, row, strict=True))})
    if charged:
        await book.keep(run_id, "price", [*stood, *charged])


class _Remembering:
    """A sink that looks at everything before it hands it on, and keeps it: a run need not be read back to be measured."""

    def __init__(self, writer: RunWriter, scenario: Scenario) -> None:
        self.writer, self.told = writer, list(writer.shared)
        self.invariants = Invariants(None if writer.shared else scenario)
        self.invariants.require(writer.shared)
        self._by_hand = "human" in writer.setting.models  # what a person did is in the events alone, and in no journal

    async def stage(self, events: tuple[Event, ...]) -> None:
        self.invariants.require(events)
        await self.writer.stage(events, wait=self._by_hand)
        self.told.extend(events)


def book_of(log: str | Log) -> Log:
    """An open log, which knows the secrets that must never be stored in it."""
    return open_log(log, secrets=ProviderSettings.read().secrets) if isinstance(log, str) else log


MOST_CASTINGS = 64
_CASTINGS: dict[tuple[str, Prompts], Casting] = {}


def casting_of(scenario: Scenario, whole: dict[str, Json], prompts: Prompts) -> Casting:
    """The casting of a scenario whose whole content is given as well: runs that differ in their seeds alone share one.

    Raises:
        BadInput: as `Casting.of`.
    """
    key = (canonical_json({name: value for name, value in whole.items() if name != "seeds"}), prompts)
    casting = _CASTINGS.get(key)
    if casting is None:
        if len(_CASTINGS) >= MOST_CASTINGS:
            _CASTINGS.clear()
        casting = _CASTINGS[key] = replace(Casting.of(scenario, prompts), whole=whole)
    return casting


def rehearse_cast(casting: Casting, seed: int, pool: ModelPool | None) -> None:
    """Engage everybody once before anything is logged, so that what cannot be played leaves no run behind.

    Raises:
        BadInput, ProviderRefused: an unknown script or model, a missing key or extra.
    """
    client_of = cache((pool or ModelPool()).client)
    casting.policies(seed=seed, client_for=lambda settings: client_of(settings.name))
    casting.humans(seed=seed, client_for=lambda settings: client_of(settings.name))


def deciders(scenario: Scenario) -> tuple[str, ...]:
    return tuple(_decider(scenario, seat) for seat in range(len(scenario.agents)))


def _decider(scenario: Scenario, seat: int) -> str:
    """What decides for a seat, as the log names it: a model, or a policy that is none."""
    policy = scenario.agents[seat].policy
    if isinstance(policy, LlmPolicy):
        return scenario.model_of(seat).name
    return f"scripted:{policy.rule}" if isinstance(policy, ScriptedPolicy) else policy.kind
