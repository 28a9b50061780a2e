"""T4: a small run dies, or its disk fails, at a system call: at any write, any sync, any rename or removal of a file.

`strace` puts the fault in: the process is killed at the call, or the call says that the disk is full or broken. Afterwards the log must
verify, or not be there yet; the run is resumed without any fault, asks nothing again that was committed, and ends with the chain of a run
that nobody disturbed.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

from society.core.errors import LogUnusable
from society.log import open_log
from tests.torture.children import Child, warm_up
from tests.torture.kills import committed_answers
from tests.torture.tally import Tally
from tests.torture.traced import traced, why_not
from tests.torture.wire import Provider, provider

SCENARIO = """
name: syscalls
rounds: 1
mechanism: {kind: public_goods, endowment: 20}
agents: 2
stages: {talk: {turns: 0}, declare: {predict: total}}
"""
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC", "from then on error=ENOSPC", "from then on error=EIO")
CALLS = ("fdatasync", "fsync", "pwrite64", "ftruncate", "unlink", "flock")
AT_ONCE = 2
FINE = (0, 1, 2, 4, -9, 137)
"""Exit codes of a run that was disturbed: not noticed, failed, a log that cannot be used, paused, killed."""


def syscalls(tally: Tally, count: int) -> None:
    """So many faults out of all there can be, each kind in its turn; all of them if there are no more."""
    if reason := why_not():
        tally.add(f"skipped: {reason}", 0)
        return
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        top = Path(name)
        (top / "run.yaml").write_text(SCENARIO)
        warm_up(str(top / "run.yaml"), top)
        with provider(top, delay=(0.0, 0.001)) as server:
            undisturbed = Traced(top / "undisturbed", server)
            code = undisturbed.run(["-e", f"trace={','.join(CALLS)}"])
            assert code == 0, undisturbed.told
            head = undisturbed.head()
            places = points(undisturbed.trace.read_text())
            tally.add("places at which a fault can be put in", len(places))
            places = in_turns(places, random.Random(tally.seed))
            for case in tally.cases(min(count, len(places))):
                with tally.case(case):
                    call, fault, number = places[case]
                    Point(tally, case, Traced(top / f"case-{case}", server)).play(call, fault, number, head)
                if case % 20 == 19:
                    tally.progress(f"{case + 1} faults, {len(tally.failures)} failures")
                if tally.given_up:
                    break


def points(trace: str) -> list[tuple[str, str, int]]:
    """Every call on the way, by the thread that makes it, with every fault; `strace` counts for each thread alone."""
    most: Counter[str] = Counter()
    for (_, call), number in Counter(re.findall(r"^(\d+) +(\w+)\(", trace, re.MULTILINE)).items():
        most[call] = max(most[call], number)
    return [(call, fault, 1 + k) for call in sorted(most) for fault in FAULTS for k in range(most[call])]


def in_turns(places: list[tuple[str, str, int]], luck: random.Random) -> list[tuple[str, str, int]]:
    """In an order by luck, in which every kind of fault at every kind of call has its turn before any has a second one."""
    by_kind: dict[tuple[str, str], list[tuple[str, str, int]]] = {}
    for place in luck.sample(places, len(places)):
        by_kind.setdefault(place[:2], []).append(place)
    kinds = luck.sample(sorted(by_kind), len(by_kind))
    return [place for row in zip_longest(*(by_kind[kind] for kind in kinds)) for place in row if place]


class Traced:
    """Runs of `society` on one log, under `strace` or not."""

    def __init__(self, folder: Path, server: Provider) -> None:
        folder.mkdir()
        self.folder, self.server = folder, server
        self.trace, self.log = folder / "trace.txt", folder / "log.db"
        self.told = ""

    def run(self, how: list[str] | None, resumes: str | None = None) -> int:
        """Play, or go on; the exit code. `how` tells strace what to do; None: without it."""
        scenario = str(self.folder.parent / "run.yaml")
        words = ["resume", resumes] if resumes else ["run", scenario, "--model", self.server.model]
        words += ["--log", f"sqlite:///{self.log}", "--quiet"]
        environment = {"SOCIETY_CONCURRENCY": str(AT_ONCE)}

        def begin(first: Callable[[], None] | None) -> Child:
            return Child(words, self.folder, environment, first=first)

        child = begin(None) if how is None else traced(begin, how, self.trace)
        code = child.wait()
        self.told = child.told()
        return code

    def head(self) -> str:
        with open_log(self.log) as log:
            return log.find("last").head

    def state(self) -> tuple[str | None, bool, dict[int, bytes], bool]:
        """The run's id if there is one, whether it has ended, its committed answers, and whether the log is sound."""
        try:
            with open_log(self.log) as log:
                runs = log.runs()
                if not runs:
                    return None, False, {}, log.verify().sound
                run = runs[-1]
                return run.id, run.status == "completed", committed_answers(log, run.id), log.verify().sound
        except LogUnusable as problem:
            early = "no log" in str(problem) or "not a log" in str(problem)
            return None, False, {}, early  # it died before the first run was in the file


class Point:
    """One fault, and what has to come of it."""

    def __init__(self, tally: Tally, case: int, traced: Traced) -> None:
        self.tally, self.case, self.traced = tally, case, traced

    def play(self, call: str, fault: str, number: int, head: str) -> None:
        """Put it in, look, go on, and compare."""
        tally, case, traced = self.tally, self.case, self.traced
        after, kind = ("+", fault.rsplit(maxsplit=1)[-1]) if fault.startswith("from") else ("", fault)
        here = f"{kind} at {call} {number}{after}"
        mark = len(traced.server.asked())
        code = traced.run(["-e", f"trace={call}", "-e", f"inject={call}:{kind}:when={number}{after}"])
        tally.add(f"faults: {kind}{after and ', and ever after'}")
        tally.check(case, "other failures", code in FINE, f"{here}: exit code {code}: {traced.told[-600:]}")
        tally.check(case, "uncaught tracebacks", "Traceback" not in traced.told, f"{here}: {traced.told[-1200:]}")
        run, ended, committed, sound = traced.state()
        tally.check(case, "invariant violations", sound, f"{here}: the log does not verify")
        first = traced.server.asked()[mark:]
        mark += len(first)
        if not ended:
            code = traced.run(None, run)
            tally.add("runs gone on with" if run else "runs begun anew")
            tally.check(case, "other failures", code == 0, f"{here}: then exit code {code}: {traced.told[-600:]}")
        again = traced.server.asked()[mark:]
        tally.check(case, "answers asked again", not set(again) & set(committed), f"{here}: asked again")
        repaid = sum((Counter(first) & Counter(again)).values())
        tally.add("calls repaid", repaid)
        tally.check(case, "other failures", repaid <= AT_ONCE, f"{here}: {repaid} calls repaid")
        _, ended, now, sound = traced.state()
        lost = [who for who, raw in committed.items() if now.get(who) != raw]
        tally.check(case, "answers lost", not lost, f"{here}: {len(lost)} answers lost")
        tally.check(case, "invariant violations", sound and ended, f"{here}: afterwards {ended=} {sound=}")
        same = ended and traced.head() == head
        tally.add("chains equal to the undisturbed one", int(same))
        tally.check(case, "invariant violations", same, f"{here}: another chain")
