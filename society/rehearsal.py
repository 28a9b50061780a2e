"""A rehearsal: a scenario played with an offline model and no log, to see that it plays and what it would cost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from society import __version__
from society.agents.cast import Casting
from society.agents.prompting import Prompts
from society.core.calls import ModelClient, ModelRequest, ModelResponse
from society.core.events import Event, RunStarted, Settled
from society.models.mock import MockModel
from society.models.sizes import likely_usage
from society.orchestrator import play_episode
from society.scenario.load import resolved
from society.scenario.model import HumanPolicy, LlmPolicy, Scenario

PERSONALITY = "sustainable"
"""Keeps the commons alive, so that the rehearsal is as long as the run can be."""


@dataclass(slots=True)
class Tally:
    """What the calls of one model come to: how many, likely tokens in and out, and the most that may come out."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    most_out: int = 0

    def add(self, other: Tally, times: int = 1) -> None:
        """Count another tally so many times."""
        self.calls += other.calls * times
        self.tokens_in += other.tokens_in * times
        self.tokens_out += other.tokens_out * times
        self.most_out += other.most_out * times


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a run would come to.

    Attributes:
        played: rounds that were rehearsed; rounds: those the run would have.
        expected: by model, over all rounds; those that were not rehearsed count as the last one that was.
        events: what happened in the rehearsal.
    """

    played: int
    rounds: int
    expected: dict[str, Tally]
    events: tuple[Event, ...]


async def rehearse(scenario: Scenario, *, rounds: int = 10) -> Rehearsal:
    """Play the first rounds of a scenario offline.

    Args:
        scenario: what is to be played; people are stood in for.
        rounds: how many rounds at most; prompts grow over the first ones and are bounded then.

    Raises:
        BadInput: it cannot be played: an unknown script, a template that does not fit.
    """
    stand_ins = tuple(
        agent.model_copy(update={"policy": LlmPolicy()}) if isinstance(agent.policy, HumanPolicy) else agent
        for agent in scenario.agents
    )
    human = scenario.human
    if human is not None and isinstance(human.policy, HumanPolicy):
        human = human.model_copy(update={"policy": LlmPolicy(), "model": None})
    scenario = scenario.model_copy(update={"agents": stand_ins, "human": human})
    seed = scenario.seeds[0]
    stage = _Stage(rounds)
    casting = Casting.of(scenario, Prompts.load())
    policies = casting.policies(seed=seed, client_for=lambda settings: _Counting(settings.name, stage))
    asked = casting.humans(seed=seed, client_for=lambda settings: _Counting(settings.name, stage))
    manifest = RunStarted(
        resolved(scenario), seed, scenario.names, ("mock",) * len(scenario.agents), {}, __version__, 0
    )
    ended = False
    try:
        await play_episode(scenario, policies, stage, manifest, humans=asked)
        ended = True
    except _Enough:
        pass
    expected: dict[str, Tally] = defaultdict(Tally)
    played = max(stage.tallies, default=0)
    for number, by_model in stage.tallies.items():
        times = 1 + (scenario.rounds - played if number == played and not ended else 0)
        for model, tally in by_model.items():
            expected[model].add(tally, times)
    return Rehearsal(played, played if ended else scenario.rounds, dict(expected), tuple(stage.events))


class _Enough(Exception):
    """The last round of the rehearsal is settled."""


@dataclass(slots=True)
class _Stage:
    """The sink of a rehearsal: keeps events and counts, and ends it in time."""

    rounds: int
    events: list[Event] = field(default_factory=list)
    tallies: dict[int, dict[str, Tally]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Tally)))

    async def stage(self, events: tuple[Event, ...]) -> None:
        self.events.extend(events)
        if any(isinstance(event, Settled) and event.round >= self.rounds for event in events):
            raise _Enough


class _Counting:
    """An offline model that counts what a real one would be asked."""

    def __init__(self, model: str, stage: _Stage) -> None:
        self.model, self.stage = model, stage
        self.inner: ModelClient = MockModel(PERSONALITY)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        response = await self.inner.complete(request)
        usage = likely_usage(request, response.text)
        tally = Tally(1, usage.tokens_in or 0, usage.tokens_out or 0, request.sampling.max_tokens)
        self.stage.tallies[request.at.round][self.model].add(tally)
        return response

    async def close(self) -> None:
        """Nothing is held."""
