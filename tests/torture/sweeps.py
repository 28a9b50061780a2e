"""A real `society sweep` is killed at random instants, and gone on with by the same command or by `resume --sweep`, until it ends.

Its table is then that of a sweep nobody disturbed, cell by cell and number by number; heads are equal; no committed answer is lost or
asked for again; and at most the calls in flight are paid for without an answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from society.core.errors import LogUnusable
from society.log import Log, open_log
from tests.torture.children import Child, warm_up
from tests.torture.tally import Tally
from tests.torture.wire import Provider, provider

AT_ONCE = 4
"""Calls in flight at most, over all runs of the sweep."""
SEVERAL = 4
"""How often a sweep is disturbed, on average; then it is left to end."""
SCENARIO = """
name: torture
rounds: 2
mechanism: {kind: common_pool, capacity: 60}
agents: 3
stages: {talk: off, declare: {predict: total}}
"""
SWEEP = """
name: grid
scenarios: [torture.yaml]
seeds: 0-2
seats: rotated
axes:
  mechanism.capacity: [30, 90]
  rule:
    none: {}
    quota: {instruments: [{kind: quota, amount: 5, enforcement: hard}]}
metrics: [total_welfare, survival, gini]
"""
RUNS = 12
DELAY = (0.001, 0.008)
FINISHED = ("completed", "invalid")
Answers = dict[tuple[str, int, tuple[Any, ...]], bytes]
"""The raw answers of a log, by the cell and the seed of their run, and their position in it."""


@dataclass(frozen=True)
class Ground:
    """Where sweeps write, and what befalls them.

    Attributes:
        place: from the folder of a case and its number to the URL of a fresh log.
        disturb: does it to a sweep that is going; gives what it was, in a word, and whether the process is dead.
        words: further words of the command.
        seconds: a case that takes longer hangs.
    """

    place: Callable[[Path, int], str]
    disturb: Callable[[Child, str, random.Random], tuple[str, bool]]
    words: tuple[str, ...] = ()
    seconds: float = 300.0


def kill(child: Child, url: str, luck: random.Random) -> tuple[str, bool]:
    """The process dies."""
    return "kills", child.kill()


def sweep_loop(tally: Tally, count: int) -> None:
    """Kill sweeps that write into SQLite files."""
    loop(tally, count, Ground(lambda folder, _: f"sqlite:///{folder}/log.db", kill))


def sweep_loop_postgres(tally: Tally, count: int) -> None:
    """Kill sweeps that write into PostgreSQL, or end all their sessions at once."""
    with postgres_ground() as ground:
        loop(tally, count, ground)


@contextlib.contextmanager
def postgres_ground() -> Iterator[Ground]:
    """A private PostgreSQL server with a database for each sweep."""
    import psycopg

    from tests.postgres_server import fresh_database, running_server

    with running_server() as server:

        def disturb(child: Child, url: str, luck: random.Random) -> tuple[str, bool]:
            if luck.random() < 0.5:
                return kill(child, url, luck)
            with psycopg.connect(server.format(database="postgres"), autocommit=True) as connection:
                name = url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            return "sessions ended", False

        yield Ground(lambda _, number: fresh_database(server, f"sweep_{number + 1}"), disturb)


def sweep_loop_ray(tally: Tally, count: int) -> None:
    """Kill workers of a Ray cluster on this machine, its head, or the sweep that made it; the log is in PostgreSQL."""
    with postgres_ground() as ground:

        def disturb(child: Child, url: str, luck: random.Random) -> tuple[str, bool]:
            family = descendants(child.pid)
            workers = [pid for pid, name in family.items() if name.startswith("ray::Player")]
            head = [pid for pid, name in family.items() if "gcs_server" in name or "raylet/raylet" in name]
            draw = luck.random()
            if draw < 0.5 and workers:
                os.kill(luck.choice(workers), signal.SIGKILL)
                return "workers killed", False
            if draw < 0.7 and head:
                os.kill(luck.choice(head), signal.SIGKILL)
                return "heads killed", False
            if draw < 0.85:
                return ground.disturb(child, url, luck)
            return kill(child, url, luck)

        loop(tally, count, replace(ground, disturb=disturb, words=("--ray", "local", "--workers", "2"), seconds=900))


def descendants(pid: int) -> dict[int, str]:
    """All processes that a process started, and these again, with their command lines."""
    found: dict[int, str] = {}
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            with contextlib.suppress(OSError):
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ").strip()
                found |= descendants(child)
    return found


def loop(tally: Tally, count: int, ground: Ground) -> None:
    """Play sweeps and disturb them until that was done `count` times."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        top = Path(name)
        (top / "torture.yaml").write_text(SCENARIO)
        (top / "grid.yaml").write_text(SWEEP)
        warm_up(str(top / "torture.yaml"), top)
        with provider(top, delay=DELAY) as server:
            whole = Case(tally, -1, random.Random(0), top, server, ground).undisturbed()
            for case in tally.cases():
                with tally.case(case, seconds=ground.seconds) as luck:
                    Case(tally, case, luck, top, server, ground).play(whole)
                if tally.counts.get("disturbances", 0) >= count or tally.given_up:
                    break


@dataclass(frozen=True)
class Whole:
    """How a sweep ends: its table, the heads of its runs, and its answers."""

    table: Any
    heads: dict[tuple[str, int], tuple[str, str]]
    answers: Answers


@dataclass
class Case:
    """One sweep and what it survives."""

    tally: Tally
    number: int
    luck: random.Random
    top: Path
    server: Provider
    ground: Ground
    folder: Path = field(init=False)
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.top / f"case-{self.number}"
        self.folder.mkdir()
        self.url = self.ground.place(self.folder, self.number)

    def undisturbed(self) -> Whole:
        """Let it end."""
        child = self.start(again=False)
        assert child.wait() == 0, child.told()[-2000:]
        return self.found()

    def play(self, whole: Whole) -> None:
        """Disturb it and go on, until it ends; look after every time, and compare at the end."""
        tally, left = self.tally, 1 + self.luck.randrange(2 * SEVERAL - 1)
        answers: Answers = {}
        while True:
            mark = self.server.requests()
            child = self.start(again=bool(answers))
            befell, dead, times = "", False, 0
            while left and not dead and child.lives_when(*self.moment(mark, len(whole.answers) - len(answers))):
                befell, dead = self.ground.disturb(child, self.url, self.luck)
                left, times = left - 1, times + 1
                tally.add("disturbances")
                tally.add(befell)
            if not dead:
                child.wait()
            answers = self.look(answers, mark, times)
            if dead:
                continue
            if child.code == 0:
                break
            if not times or "Traceback" in child.told():
                tally.fail(self.number, "other failures", f"exit code {child.code}: {child.told()[-1500:]}")
                return
        self.compare(whole)

    def start(self, *, again: bool) -> Child:
        """Begin the sweep, or go on with it: by the same command, or now and then by its name alone and then the command."""
        model = f"models.default={self.server.model}"
        environment = {"SOCIETY_CONCURRENCY": str(AT_ONCE), "SOCIETY_API_KEY": "sk-torturetorture"}
        if again and self.luck.random() < 0.3:
            resume = Child(["resume", "--sweep", "grid", "--log", self.url, "--quiet"], self.folder, environment)
            resume.wait()  # 2: whatever was begun has ended
            self.tally.check(self.number, "other failures", resume.code in (0, 2), f"resume: exit code {resume.code}")
        words = ["sweep", "../grid.yaml", "--set", model, "--log", self.url, "--quiet"]
        words += ["--parallel", str(self.luck.choice([1, 3, 50])), *self.ground.words]
        return Child(words, self.folder, environment)

    def moment(self, mark: int, calls: int) -> tuple[Callable[[], bool], float]:
        """When to strike: mostly a few milliseconds after some request came, sometimes at any time from the start on."""
        if self.luck.random() < 0.2:
            return (lambda: True), self.luck.uniform(0, 1.0)
        goal = mark + 1 + self.luck.randrange(max(1, calls))
        return (lambda: self.server.requests() >= goal), self.luck.uniform(0, 2 * DELAY[1])

    def look(self, before: Answers, mark: int, times: int) -> Answers:
        """What is in the log now is what was there, and more; what was paid for is there, but for calls in flight."""
        tally, case = self.tally, self.number
        try:
            with open_log(self.url) as log:
                while any(run.status == "running" for run in log.runs()):
                    time.sleep(0.1)  # workers of a cluster outlive by a moment whoever hired them
                now = answers_of(log)
                faults = log.verify().faults
        except LogUnusable:
            now, faults = {}, ()  # killed before the log was there
        lost = [at for at, raw in before.items() if now.get(at) != raw]
        tally.check(case, "answers lost", not lost, f"{len(lost)} committed answers are gone or changed")
        tally.check(case, "invariant violations", not faults, f"verify: {faults[:2]}")
        unpaid = self.server.requests() - mark - (len(now) - len(before))
        tally.check(
            case, "answers asked again", unpaid <= AT_ONCE * times, f"{unpaid} calls paid for in vain, {times} times"
        )
        tally.add("calls in flight that were paid for again", max(0, unpaid))
        tally.peak("calls in flight at one time", max(0, unpaid))
        return now

    def compare(self, whole: Whole) -> None:
        """The end is that of a sweep nobody disturbed."""
        tally, case, mine = self.tally, self.number, self.found()
        tally.add("sweeps finished")
        tally.add("runs", len(mine.heads))
        tally.check(case, "invariant violations", mine.heads == whole.heads, "the chains of some runs are others")
        tally.check(case, "answers lost", mine.answers == whole.answers, "the answers are others")
        tally.check(
            case,
            "other failures",
            mine.table == whole.table,
            f"the table is another: {difference(mine.table, whole.table)}",
        )

    def found(self) -> Whole:
        """The table as the command prints it, and what the log holds."""
        reader = self.folder / "reader"
        reader.mkdir()
        model = f"models.default={self.server.model}"
        words = ["sweep", "../../grid.yaml", "--set", model, "--log", self.url, "--table", "--json"]
        child = Child(words, reader, {"SOCIETY_API_KEY": "sk-torturetorture"})
        assert child.wait() == 0, child.told()[-2000:]
        with open_log(self.url) as log:
            runs = [run for run in log.runs(sweep="grid") if run.status in FINISHED]
            assert len(runs) == RUNS, f"{len(runs)} of {RUNS} runs have ended"
            heads = {(str(run.cell), run.seed): (run.status, run.head) for run in runs}
            return Whole(comparable((reader / "stdout.txt").read_text()), heads, answers_of(log))


def answers_of(log: Log) -> Answers:
    """All committed answers."""
    runs = {run.id: (str(run.cell), run.seed) for run in log.runs()}
    sql = "SELECT run_id, round, stage, turn, agent, attempt, raw FROM model_call WHERE status = 'answered'"
    return {
        (*runs[row["run_id"]], (row["round"], row["stage"], row["turn"], row["agent"], row["attempt"])): bytes(
            row["raw"]
        )
        for row in log.sql(sql).rows()
    }


def comparable(text: str) -> Any:
    """The table without what names single runs."""
    told = json.loads(text)
    for line in told["lines"]:
        line["values"] = sorted((row["seed"], row["unit"], row["value"]) for row in line["values"])
    for arm in told["survival"]:
        arm["lives"] = sorted((row["rounds"], row["died"]) for row in arm["lives"])
    return {"lines": told["lines"], "survival": told["survival"]}


def difference(mine: Any, other: Any) -> str:
    """The first line that differs."""
    for one, two in zip(mine["lines"] + mine["survival"], other["lines"] + other["survival"], strict=False):
        if one != two:
            return f"{json.dumps(one)[:600]} in place of {json.dumps(two)[:600]}"
    return "other lines"
