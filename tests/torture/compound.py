"""T5: one fault upon another. Whatever comes together, the run ends with the chain of a run that nobody disturbed.

The model behind the provider answers well throughout, so that every difference at the end is the fault of what happened.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import society
from society.agents.questions import Questions
from society.core.errors import LogUnusable, SocietyError
from society.log import open_log
from society.log.committer import Job
from tests.torture.chaos import KEY, SCENARIOS, Storm, scratch
from tests.torture.provider_faults import Served
from tests.torture.tally import Tally
from tests.torture.virtual import DyingCommitter, Fate

REST = "name: compound\nrounds: 2\n"


def compound(tally: Tally, count: int) -> None:
    """So many runs, each through one compound fault."""
    names = list(CASES)
    for case in tally.cases(count):
        with tally.case(case) as luck, tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name:
            scenario = society.loads(luck.choice(SCENARIOS) + REST)
            storms = []
            for part in ("undisturbed", "disturbed"):
                (Path(name) / part).mkdir()
                storm = Storm(tally, case, random.Random(case), scenario, Path(name) / part, rate=0, crashes=False)
                storms.append(storm)
            undisturbed, storm = storms
            undisturbed.play()
            what = names[case % len(names)]
            CASES[what](storm, luck)
            storm.provider.rate = 0
            storm.play()
            tally.add(f"runs through {what}")
            tally.check(
                case,
                "invariant violations",
                storm.head == undisturbed.head,
                f"{what}: the chain is not that of an undisturbed run",
            )
        if tally.given_up:
            break


def _crash(storm: Storm, luck: random.Random, low: int = 5, high: int = 60) -> None:
    storm._segment(Fate(luck.randint(low, high), luck.random() < 0.5))


def _again_and_again(storm: Storm, luck: random.Random) -> None:
    """It dies while it recovers, at the first commits, a dozen times."""
    _crash(storm, luck)
    for commit in range(12):
        storm._segment(Fate(1 + commit // 3, luck.random() < 0.5))


def _full(storm: Storm, luck: random.Random) -> None:
    """The disk is full; the run is resumed while it still is, and dies; then there is room."""
    _crash(storm, luck, 3, 25)
    with _full_disk(luck.randint(0, 3)):
        storm._segment(Fate())
        storm._segment(Fate(luck.randint(1, 4), False))


@contextmanager
def _full_disk(pages: int) -> Iterator[None]:
    """Inside, no file grows by more than so many pages: SQLite then fails as on a full disk."""
    prepare = DyingCommitter._prepare

    def full(self: DyingCommitter, job: Job) -> bool:
        if not hasattr(self, "full"):
            self.full = True
            with self.engine.connect() as connection:
                now = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.exec_driver_sql(f"PRAGMA max_page_count={now + pages}")
        return prepare(self, job)

    with mock.patch.object(DyingCommitter, "_prepare", full):
        yield


def _revoked(storm: Storm, luck: random.Random) -> None:
    """The key is refused in the middle; it is still refused when the run is resumed; then it is good again, and the run dies once more."""
    _crash(storm, luck, 20, 60)
    refused = Served("bad key", "refused", 401, json.dumps({"error": {"message": f"bad key {KEY}"}}).encode())
    storm.provider.maker, storm.provider.rate = lambda good, luck: refused, 0.5
    for rate in (0.5, 1.0):
        storm.provider.rate = rate
        before = len(storm.provider.asked)
        storm._segment(Fate())
        at_once = storm.settings.concurrency
        storm.tally.check(
            storm.case, "other failures", rate < 1 or len(storm.provider.asked) - before <= at_once,
            "more questions were sent with a refused key than can be in flight",
        )  # fmt: skip
    storm.provider.rate = 0
    _crash(storm, luck)


def _two_writers(storm: Storm, luck: random.Random) -> None:
    """While one process has the run, others are sent away without a question being asked."""
    _crash(storm, luck, 10, 50)
    if storm.run_id is None:
        return
    before = len(storm.provider.asked)
    with open_log(storm.path) as owner:
        try:
            writer = owner.resume_run(storm.run_id)
        except SocietyError:
            return  # it had ended
        for _ in range(2):
            with open_log(storm.path) as other:
                try:
                    other.resume_run(storm.run_id)
                except LogUnusable as problem:
                    storm.tally.add("second writers sent away")
                    known = f"process {os.getpid()}" in str(problem)
                    storm.tally.check(storm.case, "other failures", known, f"the owner is not named: {problem}")
                else:
                    storm.tally.fail(storm.case, "invariant violations", "two processes write one run")
        writer.abandon()
    storm.tally.check(
        storm.case, "answers asked again", len(storm.provider.asked) == before, "a second writer asked something"
    )


def _changed(storm: Storm, luck: random.Random) -> None:
    """The prompts are others when the run is resumed: refused with nothing sent, and what it was goes on when they are back."""
    _crash(storm, luck, 20, 50)
    if not storm.committed:
        return
    text, before = Questions.text, len(storm.provider.asked)
    with mock.patch.object(Questions, "text", lambda *given: text(*given) + " Be quick."):
        ended = storm._segment(Fate())
    if not ended:
        storm.tally.check(
            storm.case,
            "invariant violations",
            len(storm.provider.asked) == before,
            "another question was sent than was logged",
        )
        refused = (bool(storm.said) and "`society fork" in storm.said[-1]) or "begin a new run" in storm.said[-1]
        storm.tally.check(storm.case, "invariant violations", refused, f"not refused: {storm.said[-1:]}")


def _last_commits(storm: Storm, luck: random.Random) -> None:
    """It dies around its last commits."""
    counting = Fate()
    trial = Storm(
        storm.tally, storm.case, random.Random(storm.case), storm.scenario, _beside(storm.path), rate=0, crashes=False
    )
    trial._segment(counting)
    storm._segment(Fate(counting.commits - luck.randint(0, 3), luck.random() < 0.5))
    storm._segment(Fate(luck.randint(1, 3), luck.random() < 0.5))


def _beside(path: Path) -> Path:
    folder = path.parent.parent / "trial"
    folder.mkdir()
    return folder


CASES: dict[str, Callable[[Storm, random.Random], None]] = {
    "crashes in recovery": _again_and_again,
    "a full disk, and a crash on it": _full,
    "a key revoked midway, and a crash": _revoked,
    "a crash, and two writers": _two_writers,
    "a crash, and other prompts": _changed,
    "crashes at the last commits": _last_commits,
}
"""By name: what comes together."""
