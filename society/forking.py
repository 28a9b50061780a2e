"""A new run that shares the first rounds of another one: what would have come of it under other rules, words or models.

run = await fork("last", round=6, overrides=["instruments=[{kind: quota, limit: 5}]"])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from society import __version__
from society.agents.cast import Casting
from society.agents.prompting import Prompts
from society.core.errors import BadInput
from society.core.events import Event, Forked, Settled
from society.log import DEFAULT_LOG, Log
from society.orchestrator import Watcher, retold
from society.playing import Company, book_of, deciders, perform, rehearse_cast, with_model
from society.scenario.load import changed, resolved

if TYPE_CHECKING:
    from society.episode import Episode
    from society.models.counters import Counters
    from society.models.pool import ModelPool
    from society.run import Run
    from society.scenario.model import Scenario


async def fork(
    ref: str = "last",
    *,
    round: int,
    overrides: Sequence[str] = (),
    model: str | None = None,
    seed: int | None = None,
    log: str | Log = DEFAULT_LOG,
    pool: ModelPool | None = None,
    watcher: Watcher | None = None,
    counters: Counters | None = None,
    command: str = "",
) -> Run:
    """Play a new run that shares the first rounds of another one and differs after them.

    What is shared is taken from the log: nobody is asked again. The state, agreements and what agents remember are carried
    over, and the next round is played under the changed scenario.

    Args:
        ref: the run to share rounds with, finished or not.
        round: how many of its rounds are shared, at least 1.
        overrides: ``path.to.field=value`` each, on top of the scenario the run was played under.
        model: the model of all agents that name none, from here on.
        seed: another key of all noise from here on; default: the run's own.
        log: where the run is, and where the new one is written.
        pool: connections and limits to share with other runs.
        watcher: told where the episode is.
        counters: told of calls, tokens and cost as they come.
        command: what the user typed, for the log.

    Raises:
        BadInput: no such run or round, or a change that a fork cannot make: other agents, another kind of mechanism.
        Diverged: the shared rounds do not come out of the rules as they were played.
        Paused, ProviderRefused: as in `play`.
    """
    book = book_of(log)
    episode = book.episode(ref)
    plan = prepare(episode, round=round, overrides=overrides, model=model)
    seed = plan.seed if seed is None else seed
    casting = Casting.of(plan.scenario, Prompts.load())
    forked = Forked(
        round=round,
        scenario=resolved(plan.scenario),
        seed=seed,
        models=deciders(plan.scenario),
        prompts=casting.templates,
        version=__version__,
    )
    rehearse_cast(casting, seed, pool)
    retold((*_until(episode, round), forked))
    writer = book.fork_run(episode.run_id, forked, command=command)
    return await perform(casting, writer, book, Company(pool, watcher, counters))


@dataclass(frozen=True, slots=True)
class Plan:
    """A fork before it is played: the run it comes from, what is played from then on, and the seed that run had there."""

    run: str
    scenario: Scenario
    seed: int


def prepare(episode: Episode, *, round: int, overrides: Sequence[str] = (), model: str | None = None) -> Plan:
    """What a fork after a round would play; nothing is written and nobody is asked.

    Raises:
        BadInput: as `fork` does.
    """
    if not 1 <= round <= len(episode.settled):
        done = f"1 to {len(episode.settled)}" if episode.settled else "none"
        raise BadInput(f"run {episode.run_id} cannot be forked after round {round}; its finished rounds: {done}")
    phase = episode.phase(round)
    scenario = with_model(changed(phase.scenario, overrides), model)
    _check_fork(phase.scenario, scenario, round)
    return Plan(episode.run_id, scenario, phase.seed)


def _until(episode: Episode, round: int) -> tuple[Event, ...]:
    """The events up to the end of a finished round."""
    end = next(k for k, e in enumerate(episode.events) if isinstance(e, Settled) and e.round == round)
    return episode.events[: end + 1]


def _check_fork(before: Scenario, after: Scenario, round: int) -> None:
    """Whether play can go on from one scenario into the other.

    Raises:
        BadInput: naming what a fork cannot change.
    """
    if after.names != before.names:
        raise BadInput(
            f"a fork keeps its agents, by number and name ({', '.join(before.names)}); begin a new run instead"
        )
    if after.mechanism.kind != before.mechanism.kind:
        raise BadInput(
            f"a fork keeps its mechanism, {before.mechanism.kind}: there is no state of {after.mechanism.kind} to go on from"
        )
    if after.rounds <= round:
        raise BadInput(
            f"{round} rounds are shared and {after.rounds} are played in all: nothing is left; --set rounds=N"
        )
