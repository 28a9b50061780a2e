"""T2: whatever is done to a log, in any order. Hypothesis chooses what comes next, and makes what fails as short as it can.

Runs are begun, played on commit by commit, killed, interrupted, resumed and forked, several at a time in one file, while the provider
fails and is well again; others try to write the same run, look on, hold a view of the log for hours, export it, change copies of it
behind its back. After every step all that is promised must hold, and in the end every run has the chain of one that nobody disturbed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import society
from society.core.errors import LogUnusable
from society.core.events import Settled
from society.exports import export
from society.forking import fork
from society.log import open_log
from society.playing import play, replay, resume
from society.views.web import run_page
from society.views.web.pages import page
from society.views.web.shelf import Shelf
from tests.torture.answering import envelope
from tests.torture.chaos import KEY, MODEL, scratch
from tests.torture.kills import committed_answers, sampling_seed
from tests.torture.process import Process, Work, contents, copied
from tests.torture.provider_faults import FAULTS, Served
from tests.torture.tally import Tally
from tests.torture.tampering import is_found, tamper
from tests.torture.virtual import ChaosProvider, Fate, VirtualLoop, run, simulated

SCENARIOS = (
    "mechanism: {kind: public_goods, endowment: 20}\nagents: 2\n"
    "stages: {talk: {turns: 1, channels: [public, private]}, declare: {predict: per_agent}}\n"
    "instruments: [{kind: peer_sanction}]\n",
    "mechanism: {kind: common_pool, capacity: 1000, collapse_below: 0}\nagents: 3\n"
    "stages: {talk: {turns: 1, order: simultaneous}, declare: {predict: total}}\n",
    "mechanism: {kind: public_goods, endowment: 9}\nagents: 3\nstages: {talk: {turns: 0}, act: {order: sequential}}\n",
)
REST = "name: machine\nrounds: 2\non_failure: {attempts: 2, allowed_share: 1}\n"
MOST_RUNS = 3
STEPS = 50
"""Steps in an example of the long form."""
EXAMPLES_A_CASE = 10
PASSING = ("busy", "down", "wire", "slow", "no envelope", "stops")
"""Groups of faults that leave what the model says as it is."""
FORMATS, SHEETS = ("csv", "jsonl"), ("event", "model_call", "message", "action")
"""What is exported: of the tables, those of what was played (an analysis that is asked for is kept in the log)."""
UNREADABLE = 9
"""Every so many questions get an answer that nobody can read, however often they are asked."""


BROKEN = "invariant violations"
_SEEN = "SELECT run_id, seq, hash FROM event ORDER BY run_id, seq"


class Broken(AssertionError):
    """A promise that does not hold, and as what it is counted."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


def must(holds: bool, kind: str, words: str) -> None:
    if not holds:
        raise Broken(kind, words)


class Model(ChaosProvider):
    """What it says depends on the question alone; what comes between, on how often it was asked."""

    def __init__(self, key: str) -> None:
        super().__init__(key, 0, _passing)

    def plain(self, who: int, good: str) -> Served:
        if who % UNREADABLE == 0:
            return Served(
                "unreadable words", "unreadable", body=json.dumps(envelope("I would rather not say.")).encode()
            )
        return super().plain(who, good)


def _passing(good: str, luck: random.Random) -> Served:
    (group,) = luck.choices(PASSING, [FAULTS[name][0] for name in PASSING])
    return FAULTS[group][1](good, luck)


@dataclass
class Played:
    """A run, what has to come of it, and what is known to be safe.

    Attributes:
        due: the hashes of its events, as they are if nobody disturbs it.
        base: of what a fork would have to be made: scenario and seed; None for a fork.
        asked: all questions it has sent.
        committed: the raw answers that stand in the journal.
        hashes: of the events that stand in the log; rounds: how many of them end a round.
    """

    number: int
    due: list[str]
    base: tuple[int, int] | None = None
    process: Process | None = None
    id: str | None = None
    asked: set[int] = field(default_factory=set)
    committed: dict[int, bytes] = field(default_factory=dict)
    hashes: list[str] = field(default_factory=list)
    rounds: int = 0
    status: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "invalid")


_DUE: dict[tuple[Any, ...], list[str]] = {}
"""By scenario, seed and fork: the chain of a run that nobody disturbs."""


def due(scenario: int, seed: int, forked: tuple[int, int] | None = None) -> list[str]:
    """The chain of a run, or of its fork after a round with a seed of its own, that nobody disturbs."""
    key = (scenario, seed, forked)
    if key not in _DUE:
        with tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name, simulated(Model("due"), Fate()):
            path = Path(name) / "log.db"
            works = [_playing(scenario, seed)] + ([] if forked is None else [_forking("last", *forked)])
            for work in works:
                process = Process(path, work, at_once=1, key=KEY, luck=random.Random(0))
                process.go_on()
                assert process.problem is None, process.problem
            with open_log(path) as log:
                _DUE[key] = [digest for _, _, digest in log.stored(log.find("last").id)]
    return _DUE[key]


def _playing(scenario: int, seed: int) -> Work:
    loaded = society.loads(SCENARIOS[scenario] + REST)
    return lambda log, pool: play(loaded, model=MODEL, log=log, pool=pool, seed=seed)


def _forking(ref: str, round: int, seed: int) -> Work:
    return lambda log, pool: fork(ref, round=round, seed=seed, log=log, pool=pool)


class LogMachine(RuleBasedStateMachine):
    """One log, and all that happens to it."""

    tally = Tally("machine", 0, quick=True)

    def __init__(self) -> None:
        super().__init__()
        self.open = contextlib.ExitStack()
        self.folder = Path(self.open.enter_context(tempfile.TemporaryDirectory(prefix="torture-", dir=scratch())))
        self.path = self.folder / "log.db"
        self.runs: list[Played] = []
        self.view: tuple[sqlite3.Connection, list[Any]] | None = None
        self.stirred: Played | None = None

    @initialize(seed=st.integers(0, 999))
    def _provider(self, seed: int) -> None:
        self.provider = Model(str(seed))
        self.luck = random.Random(seed)
        self.open.enter_context(simulated(self.provider, Fate()))

    # What is done.

    @precondition(lambda self: len(self.runs) < MOST_RUNS)
    @rule(scenario=st.integers(0, len(SCENARIOS) - 1), at_once=st.integers(1, 4), commits=st.integers(1, 30))
    def start(self, scenario: int, at_once: int, commits: int) -> None:
        number = len(self.runs)
        played = Played(number, due(scenario, number), base=(scenario, number))
        self.runs.append(played)
        self._begin(played, _playing(scenario, number), at_once, commits)

    @precondition(lambda self: self._alive())
    @rule(pick=st.integers(0, 9), commits=st.integers(1, 25))
    def step(self, pick: int, commits: int) -> None:
        self._move(_one(self._alive(), pick), lambda process: process.go_on(commits))

    @precondition(lambda self: self._alive())
    @rule(rate=st.sampled_from((0.0, 0.3, 0.7)))
    def provider_fails(self, rate: float) -> None:
        self.provider.rate = rate

    @precondition(lambda self: self._alive())
    @rule(pick=st.integers(0, 9), commits=st.integers(1, 8), written=st.booleans())
    def dies(self, pick: int, commits: int, written: bool) -> None:
        played, alone = _one(self._alive(), pick), len(self._alive()) == 1 and self.view is None
        self._move(played, lambda process: process.die(commits, written=written, alone=alone))
        self.tally.add("deaths")

    @precondition(lambda self: self._alive())
    @rule(pick=st.integers(0, 9))
    def is_interrupted(self, pick: int) -> None:
        self._move(_one(self._alive(), pick), Process.interrupt)
        self.tally.add("interrupts")

    @precondition(lambda self: self._left())
    @rule(pick=st.integers(0, 9), at_once=st.integers(1, 4), commits=st.integers(1, 30))
    def go_on(self, pick: int, at_once: int, commits: int) -> None:
        played = _one(self._left(), pick)
        self._begin(played, _resuming(str(played.id)), at_once, commits)
        self.tally.add("resumes")

    @precondition(lambda self: len(self.runs) < MOST_RUNS and self._bases())
    @rule(pick=st.integers(0, 9), at_once=st.integers(1, 4), commits=st.integers(1, 30))
    def is_forked(self, pick: int, at_once: int, commits: int) -> None:
        base, number = _one(self._bases(), pick), len(self.runs)
        assert base.base is not None, "forks are not forked again"
        played = Played(number, due(*base.base, forked=(1, 100 + number)))
        self.runs.append(played)
        self._begin(played, _forking(str(base.id), 1, 100 + number), at_once, commits)
        self.tally.add("forks")

    @precondition(lambda self: self._alive())
    @rule(pick=st.integers(0, 9))
    def has_a_second_writer(self, pick: int) -> None:
        played, before = _one(self._alive(), pick), len(self.provider.asked)
        second = Process(self.path, _resuming(str(played.id)), at_once=4, key=KEY, luck=self.luck)
        second.go_on()
        must(isinstance(second.problem, LogUnusable), BROKEN, f"two processes write one run: {second.problem}")
        must(
            f"process {os.getpid()}" in str(second.problem),
            "other failures",
            f"the owner is not named: {second.problem}",
        )
        must(len(self.provider.asked) == before, "answers asked again", "a second writer asked something")
        self.tally.add("second writers sent away")

    @precondition(lambda self: self._there())
    @rule(pick=st.integers(0, 9), exported=st.booleans())
    def is_read(self, pick: int, exported: bool) -> None:
        """The page of a run as the viewer makes it, its transcript, and what is exported: no byte of the log changes."""
        played, before = _one(self._there(), pick), contents(self.folder)
        with open_log(self.path, secrets=(KEY,)) as log:
            if exported:
                export(log, [str(played.id)], self.folder / "export", formats=FORMATS, tables=SHEETS, force=True)
            else:
                shelf = Shelf(log)
                told = page("run.html", **run_page.run_values(shelf, shelf.info(str(played.id))))
                must(KEY not in told, "secrets leaked", "the page shows the key")
        must(contents(self.folder) == before, BROKEN, "reading has changed the log")
        self.tally.add("exports" if exported else "pages read")

    @precondition(lambda self: self.view is None and self._there())
    @rule()
    def is_looked_at_for_hours(self) -> None:
        view = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        view.execute("BEGIN")
        self.view = view, view.execute(_SEEN).fetchall()

    @precondition(lambda self: self.view is not None)
    @rule()
    def is_let_go(self) -> None:
        assert self.view is not None
        view, seen = self.view
        must(view.execute(_SEEN).fetchall() == seen, BROKEN, "a reader sees other things than at first")
        view.close()
        self.view = None
        self.tally.add("views held while the log was written")

    @precondition(lambda self: any(played.hashes for played in self.runs))
    @rule(seed=st.integers(0, 10**6))
    def is_tampered_with(self, seed: int) -> None:
        """A copy is changed: anywhere if all runs have ended, else in an event."""
        luck, copy = random.Random(seed), copied(self.path, self.folder / "copy")
        if all(played.ended for played in self.runs):
            what = tamper(copy, luck, grafts=len(self.runs) > 1)
        else:
            what = edit_an_event(copy, luck)
        with open_log(self.path) as log:
            head = log.find("last").head
        found = is_found(copy, head if what.startswith("rewritten") else None)
        must(found, BROKEN, f"{what} is not found")
        self.tally.add("changes behind its back, found")

    @precondition(lambda self: any(played.hashes and not played.process for played in self.runs))
    @rule(pick=st.integers(0, 9))
    def is_derived_again(self, pick: int) -> None:
        played = _one([played for played in self.runs if played.hashes and not played.process], pick)
        with open_log(self.path) as log:
            derived = run(VirtualLoop(), replay(str(played.id), log=log))
        must(
            derived.head == played.hashes[-1], BROKEN, f"replay gives {derived.head[:12]}, not {played.hashes[-1][:12]}"
        )
        self.tally.add("replays")

    # What must hold.

    @invariant()
    def all_is_sound(self) -> None:
        played, self.stirred = self.stirred, None
        if played is not None and played.id is not None:
            with open_log(self.path, secrets=(KEY,)) as log:
                report = log.verify(played.id)
            must(report.sound, BROKEN, f"verify: {report.faults[:2]}")
            self.tally.add("steps after which everything was verified")

    def teardown(self) -> None:
        """Nothing fails any more, and every run comes to its end."""
        try:
            if sys.exc_info()[0] is None and hasattr(self, "provider"):
                self._to_the_end()
        finally:
            for played in self.runs:
                if played.process is not None:
                    played.process.abandon()
            if self.view is not None:
                self.view[0].close()
            self.open.close()

    def _to_the_end(self) -> None:
        self.provider.rate = 0
        for played in self.runs:
            if played.process is not None:
                self._move(played, Process.go_on)
            if not played.ended:
                self._begin(played, _resuming(str(played.id)), 4, 10**9)
            must(played.ended, "other failures", f"the run is {played.status} though nothing fails any more")
            must(played.hashes == played.due, BROKEN, "the chain is not that of an undisturbed run")
            self.tally.add("runs that ended with the chain of an undisturbed one")
        if not self.runs:
            return
        with open_log(self.path) as log:
            must(log.verify().sound, BROKEN, f"verify: {log.verify().faults[:2]}")
        raw = b"".join(contents(self.folder).values())
        must(KEY.encode() not in raw, "secrets leaked", "the key stands in the log")

    # How.

    def _alive(self) -> list[Played]:
        return [played for played in self.runs if played.process is not None]

    def _left(self) -> list[Played]:
        return [played for played in self.runs if played.process is None and played.id and not played.ended]

    def _there(self) -> list[Played]:
        return [played for played in self.runs if played.id]

    def _bases(self) -> list[Played]:
        return [played for played in self._there() if played.base is not None and played.rounds]

    def _begin(self, played: Played, work: Work, at_once: int, commits: int) -> None:
        played.process = Process(self.path, work, at_once=at_once, key=KEY, luck=self.luck)
        self._move(played, lambda process: process.go_on(commits))

    def _move(self, played: Played, act: Callable[[Process], object]) -> None:
        """Let a process do something, and see what it asked and what it left."""
        process, mark = played.process, len(self.provider.asked)
        assert process is not None, "only what is alive moves"
        act(process)
        asked = self.provider.asked[mark:]
        played.asked.update(asked)
        again = [who for who in asked if who in played.committed]
        must(not again, "answers asked again", f"{len(again)} committed answers were asked again")
        self._look(played, asked)
        if process.closed:
            played.process = None
            self._after(played, process)
        self.stirred = played

    def _look(self, played: Played, asked: list[int]) -> None:
        with open_log(self.path) as log:
            others = {other.id for other in self.runs if other is not played}
            mine = [info for info in log.runs() if info.id not in others]
            if not mine:
                return
            played.id, played.status = mine[-1].id, mine[-1].status
            now, stored = committed_answers(log, played.id), log.stored(played.id)
            rows = log.sql("SELECT DISTINCT sampling FROM model_call WHERE run_id = :run", {"run": played.id}).rows()
        hashes = [digest for _, _, digest in stored]
        noted = {sampling_seed(row["sampling"]) for row in rows}
        must(noted.issuperset(asked), "answers lost", "a question was sent that the journal does not know of")
        kept = all(now.get(who) == raw for who, raw in played.committed.items())
        must(kept, "answers lost", "a committed answer is gone")
        must(hashes[: len(played.hashes)] == played.hashes, BROKEN, "what stood in the chain has changed")
        must(hashes == played.due[: len(hashes)], BROKEN, "the chain is not the beginning of an undisturbed one")
        played.committed, played.hashes = now, hashes
        played.rounds = sum(isinstance(event, Settled) for _, event, _ in stored)

    def _after(self, played: Played, process: Process) -> None:
        """What a process leaves: its run can go on, and of what was paid for at most what was in flight is lost, at a death alone."""
        if played.id is None:  # it died before its run was in the log
            self.runs.remove(played)
            return
        served = {who: self.provider.served[who][-1].outcome for who in played.asked}
        lost = [
            who
            for who, how in served.items()
            if how in ("good", "harmless", "unreadable") and who not in played.committed
        ]
        most = process.at_once if process.died else 0
        must(len(lost) <= most, "answers lost", f"{len(lost)} paid answers are lost, {most} may be")
        self.tally.add("calls repaid", len(lost))
        if process.problem is None:
            must(played.ended, "other failures", f"the run is {played.status} though it came to its end")
        else:
            with open_log(self.path) as log:
                info = log.find(played.id)
            must(played.ended or info.resumable, "other failures", f"the run is {info.status}: {process.problem}")
            self.tally.add(f"stops: {'death' if process.died else type(process.problem).__name__}")


def _one(many: list[Played], pick: int) -> Played:
    return many[pick % len(many)]


def _resuming(ref: str) -> Work:
    return lambda log, pool: resume(ref, log=log, pool=pool)


def edit_an_event(path: Path, luck: random.Random) -> str:
    """One letter of one event is another one."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT rowid, body FROM event").fetchall()
        rowid, body = luck.choice(rows)
        at = luck.randrange(len(body))
        changed = body[:at] + ("y" if body[at] == "x" else "x") + body[at + 1 :]
        connection.execute("UPDATE event SET body = ? WHERE rowid = ?", (changed, rowid))
        connection.commit()
    return f"letter {at} of event {rowid}"


def _broken(problem: BaseException) -> Broken | None:
    """The promise that does not hold, though hypothesis may say besides that it did not find it every time."""
    if isinstance(problem, BaseExceptionGroup):
        return next((found for one in problem.exceptions if (found := _broken(one))), None)
    return problem if isinstance(problem, Broken) else None


def machine(tally: Tally, count: int) -> None:
    """So many examples of at most `STEPS` steps (a third of that in the short form)."""
    phases = (Phase.generate,) if tally.only is None else (Phase.generate, Phase.shrink)
    told = type("LogMachine", (LogMachine,), {"tally": tally})
    steps = STEPS if count >= STEPS else STEPS // 3
    for case in tally.cases(-(-count // EXAMPLES_A_CASE)):
        with tally.case(case, seconds=1800) as luck:
            how = hypothesis.settings(
                max_examples=min(count, EXAMPLES_A_CASE), stateful_step_count=steps, deadline=None, database=None,
                report_multiple_bugs=False, phases=phases, suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            try:
                run_state_machine_as_test(hypothesis.seed(luck.getrandbits(32))(told), settings=how)
            except Exception as problem:
                steps_taken = "\n".join(getattr(problem, "__notes__", ()))
                broken = _broken(problem)
                kind = broken.kind if broken else "uncaught tracebacks"
                tally.fail(case, kind, f"{type(problem).__name__}: {broken or problem}\n{steps_taken}")
        tally.progress(f"{min(count, (case + 1) * EXAMPLES_A_CASE)} examples, {len(tally.failures)} failures")
        if tally.given_up:
            break
