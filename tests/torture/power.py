"""T1, power loss: what the log asks of the disk is written down, and the power fails at any moment of it.

A real run, or one that goes on after a kill, is played under `strace`. At each moment of it the disk may hold everything that was synced,
and of what was not any sectors, in any order (`disk`). Each such disk must be a log that opens and verifies, with every answer and every
event that somebody was told is safe; going on with it, nothing of that is asked again, at most the calls in flight are repaid, and the
chain at the end is that of a run that nobody disturbed.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, event

import society
from society.core.errors import LogUnusable
from society.log import open_log
from society.log.writer import RunWriter
from society.models.recall import Recall
from society.playing import play, resume
from tests.torture.chaos import KEY, scratch
from tests.torture.children import Child, warm_up
from tests.torture.disk import LOSSES, Disk, Write
from tests.torture.kills import committed_answers
from tests.torture.process import Process, Work
from tests.torture.tally import Tally
from tests.torture.traced import traced, why_not
from tests.torture.virtual import ChaosProvider, Fate, simulated
from tests.torture.wire import Provider, provider

SCENARIO = """
name: power
rounds: 2
mechanism: {kind: public_goods, endowment: 20}
agents: 3
stages: {talk: {turns: 1, order: simultaneous}, declare: {predict: total}}
"""
AT_ONCE = 3
A_RECORDING = 250
"""Losses of power in one recording."""
GONE_ON_WITH = 5
"""Every so many disks, the run on it is brought to its end."""
PAGES = 25
"""Pages after which the log's side file is copied into the log, in every other recording; a long run reaches SQLite's own number."""
CALLS = ("openat", "pwrite64", "ftruncate", "fdatasync", "fsync", "unlink", "write")
WITNESS = "witness.txt"

__all__ = ["power", "why_not"]


def power(tally: Tally, count: int) -> None:
    """So many losses of power."""
    if reason := why_not():
        tally.add(f"skipped: {reason}", 0)
        return
    with tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name:
        top = Path(name)
        (top / "run.yaml").write_text(SCENARIO)
        warm_up(str(top / "run.yaml"), top)
        with provider(top, delay=(0.0, 0.004)) as server:
            recording, due = None, undisturbed(top / "undisturbed", server)
            for case in tally.cases(count):
                with tally.case(case) as luck:
                    number = case // A_RECORDING
                    if recording is None or recording.number != number:
                        recording = record(top / f"recording-{number}", server, number, tally)
                    Loss(tally, case, luck, recording, due).play(top / "disk")
                if case % 100 == 99:
                    tally.progress(f"{case + 1} losses, {len(tally.failures)} failures")
                if tally.given_up:
                    break


class Moment(NamedTuple):
    """One thing in a recording: a call on a file of the log, or what the run was told is safe."""

    what: str
    name: str
    at: int = 0
    data: bytes | None = None


@dataclass
class Recording:
    """What one process did, on a disk that held `before`."""

    number: int
    model: str
    before: dict[str, bytes]
    moments: list[Moment] = field(default_factory=list)


class Ended(NamedTuple):
    """How a run ends that nobody disturbs."""

    head: str
    answers: dict[int, bytes]


def undisturbed(folder: Path, server: Provider) -> Ended:
    folder.mkdir()
    child = _begin(folder, server, None)
    assert child.wait() == 0, child.told()
    with open_log(folder / "log.db") as log:
        return Ended(log.find("last").head, committed_answers(log, log.find("last").id))


def record(folder: Path, server: Provider, number: int, tally: Tally) -> Recording:
    """Play a run, or in every second recording go on with one that was killed, under strace."""
    folder.mkdir()
    luck, run = tally.luck(-1 - number), None
    if number % 2:
        before = server.requests()
        child = _begin(folder, server, None, seldom=True)
        child.kill_when(lambda: server.requests() >= before + luck.randint(8, 20), 0.002)
        with open_log(folder / "log.db") as log:
            run = log.find("last").id
    recording = Recording(number, server.model, {path.name: path.read_bytes() for path in _files(folder)})
    trace = folder / "trace.txt"
    options = ["-y", "-xx", "-s", str(2**20), "-e", f"trace={','.join(CALLS)}"]
    child = traced(lambda first: _begin(folder, server, run, first=first, seldom=number // 2 % 2 == 1), options, trace)
    code = child.wait()
    assert code == 0, f"exit code {code}: {child.told()[-2000:]}"
    recording.moments = list(moments(trace.read_text(), folder, set(recording.before)))
    tally.add("recordings")
    tally.add("calls on files of the log that were recorded", sum(one.what != "safe" for one in recording.moments))
    return recording


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("log.db*") if path.is_file() and not path.name.endswith("-shm")]


def _begin(folder: Path, server: Provider, run: str | None, *, first: Any = None, seldom: bool = True) -> Child:
    """`society run` or `society resume`, with a witness in the process that writes down what is safe from when on."""
    log = f"sqlite:///{folder}/log.db"
    words = (
        ["resume", run] if run else ["run", str(folder.parent / "run.yaml"), "--model", server.model, "--seeds", "1"]
    )

    def prepare() -> None:
        _take_down(folder / WITNESS)
        if not seldom:
            event.listen(Engine, "connect", lambda held, _: held.execute(f"PRAGMA wal_autocheckpoint={PAGES}"))
        if first is not None:
            first()

    environment = {"SOCIETY_CONCURRENCY": str(AT_ONCE), "SOCIETY_API_KEY": KEY}
    return Child([*words, "--log", log, "--quiet"], folder, environment, first=prepare)


def _take_down(path: Path) -> None:
    """From now on this process writes a line whenever a question may be sent, an answer may be used, or a stage is safe.

    A stage that nobody waits for is safe when the next question is.
    """
    book = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    issue, complete, stage = RunWriter.issue, Recall.complete, RunWriter.stage
    told, safe = 0, 0

    def are_safe() -> None:
        nonlocal safe
        if told > safe:
            safe = told
            os.write(book, f"events {safe}\n".encode())

    async def issued(self: RunWriter, request: Any, **how: Any) -> int:
        number = await issue(self, request, **how)
        are_safe()
        os.write(book, f"sent {request.sampling.seed}\n".encode())
        return number

    async def completed(self: Recall, request: Any) -> Any:
        response = await complete(self, request)
        os.write(book, f"answer {request.sampling.seed}\n".encode())
        return response

    async def staged(self: RunWriter, events: Any, **how: Any) -> None:
        nonlocal told
        await stage(self, events, **how)
        told += len(events)
        if how.get("wait", True):
            are_safe()

    RunWriter.issue, Recall.complete, RunWriter.stage = issued, completed, staged


_LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(.*)$")
_HEX = re.compile(r"\\x([0-9a-f]{2})")
_OPENED = re.compile(r'"([^"]*)", ([A-Z_|]+)')
_WRITTEN = re.compile(r'<([^>]*)>, "([^"]*)"(?:, (\d+))?(?:, (\d+))?')
_ON = re.compile(r"<([^>]*)>(?:, (\d+))?")
_NAMED = re.compile(r'"([^"]*)"')


def moments(trace: str, folder: Path, there: set[str]) -> Iterator[Moment]:
    """What a trace says happened to the files of the log, each thing when it was over."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        thread, call, rest = found.groups()
        if rest.endswith("<unfinished ...>"):
            begun[thread] = rest
            continue
        if " resumed>" in rest:
            rest = begun.pop(thread, "") + rest
        if call in CALLS and not re.search(r"= (-1 |\?)", rest[-120:]):
            yield from _moment(call, rest, folder, there)


def _moment(call: str, rest: str, folder: Path, there: set[str]) -> Iterator[Moment]:
    if call == "openat":
        found = _OPENED.search(rest)
        name = _name(found[1], folder) if found else None
        if found and name and "O_CREAT" in found[2] and name not in there:
            there.add(name)
            yield Moment("create", name)
    elif call in ("pwrite64", "write"):
        found = _WRITTEN.search(rest)
        name = _name(found[1], folder) if found else None
        if found and name == WITNESS:
            yield Moment("safe", _raw(found[2]).decode().strip())
        elif found and name:
            assert call == "pwrite64", f"{name} is written from wherever it stands: {rest[-100:]}"
            yield Moment("write", name, int(found[4]), _raw(found[2]))
    elif call == "unlink":
        found = _NAMED.search(rest)
        name = _name(found[1], folder) if found else None
        if name:
            there.discard(name)
            yield Moment("unlink", name)
    else:
        found = _ON.search(rest)
        name = _name(found[1], folder) if found else None
        if found and name:
            yield Moment("write" if call == "ftruncate" else "sync", name, int(found[2] or 0))


def _raw(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _name(text: str, folder: Path) -> str | None:
    """The name of a file of the log, "." for its folder; None for everything else."""
    path = _raw(text).decode(errors="replace").removesuffix(" (deleted)") if text.startswith("\\x") else text
    if path == str(folder):
        return "."
    name = path.removeprefix(f"{folder}/")
    return name if name == WITNESS or (re.fullmatch(r"log\.db(-\w+)?", name) and not name.endswith("-shm")) else None


class Loss:
    """One loss of power, and what has to be there afterwards."""

    def __init__(self, tally: Tally, case: int, luck: random.Random, recording: Recording, due: Ended) -> None:
        self.tally, self.case, self.luck, self.recording, self.due = tally, case, luck, recording, due
        self.instant = luck.randint(0, len(recording.moments))
        self.how = luck.choice(list(LOSSES))
        self.safe: set[int] = set()
        self.sent: set[int] = set()
        self.events = 0

    @property
    def here(self) -> str:
        begun = "going on with a killed run" if self.recording.number % 2 else "a run"
        return f"power lost at moment {self.instant} of {len(self.recording.moments)} of {begun}; of what was not synced: {self.how}"

    def disk(self) -> Disk:
        """The disk at that moment; also what somebody was told is safe by then."""
        disk = Disk(self.recording.before)
        for one in self.recording.moments[: self.instant]:
            match one.what:
                case "safe":
                    what, number = one.name.split()
                    if what == "events":
                        self.events = int(number)
                    else:
                        (self.sent if what == "sent" else self.safe).add(int(number))
                case "create":
                    disk.create(one.name)
                case "unlink":
                    disk.unlink(one.name)
                case "write":
                    disk.write(one.name, Write(one.at, one.data))
                case _:
                    disk.sync_names() if one.name == "." else disk.sync(one.name)
        return disk

    def play(self, folder: Path) -> None:
        tally = self.tally
        files = self.disk().after_a_loss(self.how, self.luck)
        folder.mkdir(exist_ok=True)
        for old in folder.rglob("*"):
            if old.is_file():
                old.unlink()
        for name, raw in files.items():
            (folder / name).write_bytes(raw)
        path = folder / "log.db"
        tally.add("losses of power")
        tally.add(f"of what was not synced: {self.how}")
        run = self._holds(path)
        if self.case % GONE_ON_WITH == 0:
            self._goes_on(path, run)

    def _holds(self, path: Path) -> str | None:
        """What is there is sound, and all of what was safe is there; the run to go on with, if there is one."""
        tally, case, here = self.tally, self.case, self.here
        promised = bool(self.safe or self.sent or self.events or self.recording.number % 2)
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as held:
                whole = held.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            tally.check(case, "invariant violations", whole, f"{here}: the database is damaged")
            with open_log(path) as log:
                runs = log.runs()
                tally.check(case, "answers lost", bool(runs) or not promised, f"{here}: the run is gone")
                if not runs:
                    tally.add("disks before the run was safe")
                    return None
                now, stored = committed_answers(log, runs[-1].id), log.stored(runs[-1].id)
                report = log.verify()
        except (LogUnusable, sqlite3.Error) as problem:
            tally.check(case, "answers lost", not promised, f"{here}: {problem}")
            tally.add("disks before the log was safe")
            return None
        tally.check(case, "invariant violations", report.sound, f"{here}: verify: {report.faults[:2]}")
        lost = [who for who in self.safe if now.get(who) != self.due.answers[who]]
        tally.check(case, "answers lost", not lost, f"{here}: {len(lost)} of {len(self.safe)} answers are lost")
        tally.add("safe answers looked for", len(self.safe))
        missing = self.events - len(stored)
        tally.check(case, "answers lost", missing <= 0, f"{here}: {missing} events are lost")
        return runs[-1].id

    def _goes_on(self, path: Path, run: str | None) -> None:
        """The run goes on, or is begun anew where it had not begun; it ends as if nothing had happened."""
        tally, case, here = self.tally, self.case, self.here
        committed, ended, asked = dict[int, bytes](), False, list[int]()
        if run is not None:
            with open_log(path) as log:
                ended, committed = log.find(run).status == "completed", committed_answers(log, run)
        if not ended:
            model = ChaosProvider("power", 0)
            with simulated(model, Fate()):
                process = Process(path, self._work(run), at_once=AT_ONCE, key=KEY, luck=self.luck)
                process.go_on()
            asked, problem = model.asked, process.problem
            if not tally.check(case, "other failures", problem is None, f"{here}: it does not go on: {problem}"):
                return
        again = set(asked) & (set(committed) | self.safe)
        tally.check(case, "answers asked again", not again, f"{here}: {len(again)} answers were asked again")
        repaid = len(set(asked) & self.sent)
        tally.add("calls repaid", repaid)
        tally.peak("calls repaid after a loss", repaid)
        tally.check(case, "other failures", repaid <= AT_ONCE, f"{here}: {repaid} calls repaid")
        with open_log(path) as log:
            head, sound = log.find("last").head, log.verify().sound
        same = sound and head == self.due.head
        tally.add(f"runs {'gone on with' if run else 'begun anew'}, to the chain of an undisturbed one", int(same))
        tally.check(case, "invariant violations", same, f"{here}: afterwards {sound=}, {head[:12]}")

    def _work(self, run: str | None) -> Work:
        if run is not None:
            return lambda log, pool: resume(run, log=log, pool=pool)
        scenario = society.loads(SCENARIO)
        return lambda log, pool: play(scenario, model=self.recording.model, seed=1, log=log, pool=pool)
