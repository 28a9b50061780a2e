"""What was played: an episode, built from its events alone.

It knows nothing of databases and models: whoever has the events (a log, an export, a list in a test) has the episode.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from society.core.actions import Action
from society.core.errors import LogCorrupt
from society.core.events import (
    Acted,
    Decided,
    Declared,
    Event,
    Forked,
    RunEnded,
    RunStarted,
    Settled,
    Spoke,
    canonical_event,
    chain_next,
    chain_start,
)
from society.core.record import Record, RoundRecord
from society.governance.governed import Governed
from society.scenario.model import Scenario

EpisodeStatus = Literal["completed", "invalid", "unfinished"]


@dataclass(frozen=True)
class Round:
    """One round as it was played; in an unfinished episode the last one may lack its later parts.

    Attributes:
        number: counted from 1.
        turns: who spoke, in the order of the talk; each turn holds its messages.
        early: declarations asked for before the first message, by seat.
        declarations: declarations made just before acting, by seat.
        actions: actions, by seat.
        decisions: further decisions instruments asked for, in order.
        settled: what the round came to; None in a round that was not finished.
    """

    number: int
    turns: tuple[Spoke, ...] = ()
    early: dict[int, Declared] = field(default_factory=dict)
    declarations: dict[int, Declared] = field(default_factory=dict)
    actions: dict[int, Acted] = field(default_factory=dict)
    decisions: tuple[Decided, ...] = ()
    settled: Settled | None = None

    @property
    def announced(self) -> dict[int, Action]:
        """The action that each agent last announced to everybody, by seat; who announced none is left out."""
        return {
            turn.agent: message.announced
            for turn in self.turns
            for message in turn.messages
            if message.to is None and message.announced is not None
        }


@dataclass(frozen=True)
class Episode:
    """One play of a scenario.

    Attributes:
        run_id: the run it was read from, or any name for events that were never logged.
        manifest: all that determined the run.
        events: everything that happened, the manifest first.
        rounds: the same, round by round.
        ended: the last event; None while the run is unfinished.
        forks: where another scenario began to hold, oldest first; empty for a run that was played from its start.
    """

    run_id: str
    manifest: RunStarted
    events: tuple[Event, ...]
    rounds: tuple[Round, ...]
    ended: RunEnded | None = None
    forks: tuple[Forked, ...] = ()

    @classmethod
    def from_events(cls, events: Iterable[Event], *, run_id: str = "") -> Episode:
        """The episode these events tell.

        Raises:
            LogCorrupt: they do not begin with one manifest, go on after their end, or tell something twice.
        """
        told = tuple(events)
        if not told or not isinstance(told[0], RunStarted):
            raise LogCorrupt(f"run {run_id or '?'}: the first event is not the manifest of a run")
        rounds: dict[int, Round] = {}
        ended: RunEnded | None = None
        forks: list[Forked] = []
        for place, event in enumerate(told[1:], start=1):
            if ended is not None or isinstance(event, RunStarted):
                raise LogCorrupt(
                    f"run {run_id or '?'}: event {place} ({event.kind}) comes after the end or begins anew"
                )
            if isinstance(event, RunEnded):
                ended = event
                continue
            if isinstance(event, Forked):
                last = rounds.get(event.round)
                if event.round != len(rounds) or last is None or last.settled is None:
                    raise LogCorrupt(
                        f"run {run_id or '?'}: event {place} (forked) does not stand at the end of a round"
                    )
                forks.append(event)
                continue
            so_far = rounds.get(event.round)
            if event.round != len(rounds) + (so_far is None):
                raise LogCorrupt(f"run {run_id or '?'}: event {place} ({event.kind}) belongs to another round")
            rounds[event.round] = _with(so_far or Round(event.round), event, run_id, place)
        return cls(run_id, told[0], told, tuple(rounds.values()), ended, tuple(forks))

    @property
    def setting(self) -> RunStarted | Forked:
        """What holds where the episode ends: its manifest, or the last fork."""
        return self.forks[-1] if self.forks else self.manifest

    @cached_property
    def scenario(self) -> Scenario:
        """What was played, resolved, as the manifest holds it; of a fork, what is played after it.

        Raises:
            pydantic.ValidationError: the manifest was written by a version whose scenarios this one cannot read.
        """
        return Scenario.model_validate(self.setting.scenario)

    @cached_property
    def phases(self) -> tuple[Episode, ...]:
        """The stretches that were played under one scenario and one seed; the episode itself unless it is a fork.

        Each is an episode with its own rounds, under their own numbers: what calls the rules again goes phase by phase.
        """
        if not self.forks:
            return (self,)
        settings: tuple[RunStarted | Forked, ...] = (self.manifest, *self.forks)
        ends = (*(fork.round for fork in self.forks), len(self.rounds))
        starts = (0, *ends[:-1])
        found = []
        for setting, start, end in zip(settings, starts, ends, strict=True):
            manifest = replace(self.manifest, scenario=setting.scenario, seed=setting.seed, models=setting.models)
            last = end == len(self.rounds)
            found.append(
                Episode(self.run_id, manifest, self.events, self.rounds[start:end], self.ended if last else None)
            )
        return tuple(found)

    @property
    def own(self) -> Episode:
        """The rounds after the last fork, which are this run's own; the episode itself unless it is a fork."""
        return self.phases[-1]

    @property
    def shared(self) -> int:
        """How many rounds were played before those that are this run's own; 0 unless it is a fork."""
        rounds = self.own.rounds
        return rounds[0].number - 1 if rounds else len(self.rounds)

    def phase(self, number: int) -> Episode:
        """The phase that a round belongs to; the last one for a round that was not played."""
        return next((p for p in self.phases if p.rounds and number <= p.rounds[-1].number), self.phases[-1])

    @cached_property
    def game(self) -> Governed:
        """The rules that were played: the mechanism under the scenario's instruments."""
        return Governed(self.scenario.mechanism, self.scenario.instruments, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The agents' names in seat order."""
        return self.manifest.agents

    @property
    def models(self) -> tuple[str, ...]:
        """The model (or policy) of each seat."""
        return self.setting.models

    @property
    def seed(self) -> int:
        return self.setting.seed

    @property
    def status(self) -> EpisodeStatus:
        """How it ended. A paused or crashed run is unfinished here; the log knows why."""
        return self.ended.status if self.ended else "unfinished"

    @property
    def settled(self) -> tuple[Settled, ...]:
        """What each finished round came to."""
        return tuple(r.settled for r in self.rounds if r.settled is not None)

    @cached_property
    def head(self) -> str:
        """The hash of the last event: equal heads are equal episodes."""
        head = chain_start(self.manifest)
        for event in self.events[1:]:
            head = chain_next(head, canonical_event(event))
        return head

    def record(self) -> Record:
        """The finished rounds as metrics read them.

        An action is marked `defaulted` where the scenario chose it in place of an unreadable answer. A metric without
        defaulted decisions leaves out just these (agent, round) pairs, never a whole round and never the stock:
        ``episode.record().without_defaulted()``.
        """
        return Record(
            agents=len(self.names),
            horizon=self.scenario.rounds,
            rounds=tuple(
                phase._round_record(r, r.settled)
                for phase in self.phases
                for r in phase.rounds
                if r.settled is not None
            ),
        )

    def _round_record(self, played: Round, settled: Settled) -> RoundRecord:
        before = self.game.state_from_plain(settled.state_before)
        seats = range(len(self.names))
        punished = {agent for e in settled.rule_events if e.event == "sanction" for agent in e.agents}
        return RoundRecord(
            round=settled.round,
            executed=settled.executed,
            payoffs=settled.payoffs,
            material=settled.material,
            granted=settled.granted,
            total=settled.total,
            stock_before=settled.stock_before,
            stock_after=settled.stock_after,
            collapsed=settled.collapsed,
            share=self.game.share(before),
            sustainable=self.game.sustainable(before),
            defaulted=tuple(seat in played.actions and played.actions[seat].status == "defaulted" for seat in seats),
            sanctioned=tuple(seat in punished for seat in seats),
        )


def _with(so_far: Round, event: Spoke | Declared | Acted | Decided | Settled, run_id: str, place: int) -> Round:
    """The round with one more event, the one at a place of a run.

    Raises:
        LogCorrupt: the round holds such an event already.
    """
    if so_far.settled is not None:
        raise LogCorrupt(
            f"run {run_id or '?'}: event {place} ({event.kind}) comes after round {event.round} was settled"
        )
    if isinstance(event, Settled):
        return replace(so_far, settled=event)
    if isinstance(event, Decided):
        return replace(so_far, decisions=(*so_far.decisions, event))
    if isinstance(event, Spoke):
        twice = any((t.turn, t.agent) == (event.turn, event.agent) for t in so_far.turns)
        so_far = replace(so_far, turns=(*so_far.turns, event))
    elif isinstance(event, Declared):
        asked = so_far.early if event.stage == "before_talk" else so_far.declarations
        twice = event.agent in asked
        asked[event.agent] = event
    else:
        twice = event.agent in so_far.actions
        so_far.actions[event.agent] = event
    if twice:
        raise LogCorrupt(
            f"run {run_id or '?'}: event {place} ({event.kind}) tells round {event.round} of one agent twice"
        )
    return so_far
