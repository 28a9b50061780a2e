"""T3: a real `society run` is killed at a random instant and resumed, again and again, until it ends; then all is compared.

For each run: no committed answer is lost or asked for again, at most the calls in flight are repaid, and the chain of the finished
log is that of a run that nobody disturbed. Requests are counted by the server.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import create_engine

from society.core.canonical import canonical_json
from society.core.errors import LogUnusable
from society.log import Log, open_log
from tests.torture.children import Child, warm_up
from tests.torture.tally import Tally
from tests.torture.wire import Provider, provider

AT_ONCE = 4
"""Calls in flight at most."""
KILLS_A_RUN = 4
"""On average; then the run is left to end."""
SCENARIO = """
name: torture
rounds: 4
mechanism: {kind: public_goods, endowment: 20}
agents: 5
stages: {talk: {turns: 1, order: simultaneous, channels: [public, private]}, declare: {predict: per_agent}}
"""
DELAY = (0.002, 0.012)
"""Seconds the server takes for an answer."""

Places = Callable[[Path, int], str]
"""From the folder of a run and its number to the URL of its log."""


@contextlib.contextmanager
def sqlite_places() -> Iterator[Places]:
    """A file for each run."""
    yield lambda folder, _: f"sqlite:///{folder}/log.db"


@contextlib.contextmanager
def postgres_places() -> Iterator[Places]:
    """One database of a private PostgreSQL server for all runs."""
    from tests.postgres_server import running_server

    with running_server() as url:
        engine = create_engine(
            url.format(database="postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE society")
        engine.dispose()
        yield lambda folder, number: url.format(database="society")


def kill_loop(tally: Tally, count: int, *, first: Callable[[], None] | None = None) -> None:
    """Kill runs in SQLite files."""
    with sqlite_places() as places:
        loop(tally, count, places, first)


def kill_loop_postgres(tally: Tally, count: int) -> None:
    """Kill runs in a PostgreSQL database."""
    with postgres_places() as places:
        loop(tally, count, places, None)


def loop(tally: Tally, count: int, places: Places, first: Callable[[], None] | None) -> None:
    """Play runs and kill them until there were `count` kills."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        top = Path(name)
        (top / "torture.yaml").write_text(SCENARIO)
        warm_up(str(top / "torture.yaml"), top)
        with provider(top, delay=DELAY) as server:
            undisturbed = Undisturbed(top, server, places, first)
            for case in tally.cases():
                with tally.case(case) as luck:
                    Run(tally, case, luck, top, server, places, first).play(undisturbed)
                if tally.counts.get("kills", 0) >= count or tally.given_up:
                    break
    kills, repaid = tally.counts.get("kills", 0), tally.counts.get("calls repaid", 0)
    if kills >= 50:
        tally.check(
            0, "other failures", repaid / kills <= AT_ONCE / 2, f"{repaid / kills:.2f} calls repaid a kill on average"
        )


class Undisturbed:
    """How runs end when nobody kills them, by their seed: the head of the chain. Also, how long one takes."""

    def __init__(self, top: Path, server: Provider, places: Places, first: Callable[[], None] | None) -> None:
        self.top, self.server, self.places, self.first = top, server, places, first
        self.heads: dict[int, tuple[str, int]] = {}

    def head(self, seed: int) -> tuple[str, int]:
        """The head, and the number of requests."""
        if seed not in self.heads:
            folder = self.top / f"undisturbed-{seed}"
            folder.mkdir(exist_ok=True)
            before = len(self.server.asked())
            child = start(folder, self.server, self.places(folder, -1 - seed), seed, first=self.first)
            code = child.wait()
            assert code == 0, f"exit code {code}: {child.told()[-2000:]}"
            with open_log(self.places(folder, -1 - seed)) as log:
                self.heads[seed] = log.find("last").head, len(self.server.asked()) - before
        return self.heads[seed]


def start(
    folder: Path, server: Provider, log: str, seed: int, *, resumes: str | None = None, first: Callable[[], None] | None
) -> Child:
    """Begin `society run`, or `society resume`."""
    environment = {"SOCIETY_CONCURRENCY": str(AT_ONCE), "SOCIETY_API_KEY": "sk-torturetorture"}
    if resumes is not None:
        words = ["resume", resumes, "--log", log, "--quiet"]
    else:
        scenario = str(folder.parent / "torture.yaml")
        words = ["run", scenario, "--model", server.model, "--seeds", str(seed), "--log", log, "--quiet"]
    return Child(words, folder, environment, first=first)


class Run:
    """One run and the kills it survives."""

    def __init__(
        self,
        tally: Tally,
        case: int,
        luck: random.Random,
        top: Path,
        server: Provider,
        places: Places,
        first: Callable[[], None] | None,
    ) -> None:
        self.tally, self.case, self.luck, self.server, self.first = tally, case, luck, server, first
        self.folder = top / f"run-{case}"
        self.folder.mkdir(exist_ok=True)
        self.log = places(self.folder, case)
        self.seed = case % 5
        self.known: set[str] = set()
        self.ended = False

    def play(self, undisturbed: Undisturbed) -> None:
        """Kill and resume until it ends; look after every kill, and compare at the end."""
        tally = self.tally
        head, calls = undisturbed.head(self.seed)
        with contextlib.suppress(LogUnusable), open_log(self.log) as log:
            self.known = {run.id for run in log.runs()}
        left = 1 + self.luck.randrange(2 * KILLS_A_RUN - 1)
        committed: dict[int, bytes] = {}
        asked_before: Counter[int] = Counter()
        run: str | None = None
        while True:
            mark = len(self.server.asked())
            child = start(self.folder, self.server, self.log, self.seed, resumes=run, first=self.first)
            killed = child.kill_when(*self._moment(mark, calls - len(committed))) if left else False
            if not killed:
                child.wait()
            asked = Counter(self.server.asked()[mark:])
            again = [who for who in asked if who in committed]
            tally.check(self.case, "answers asked again", not again, f"{len(again)} committed answers were asked again")
            repaid = sum(min(number, asked_before[who] + number - 1) for who, number in asked.items())
            tally.add("calls repaid", repaid)
            tally.peak("calls repaid after a kill", repaid)
            tally.check(self.case, "other failures", repaid <= AT_ONCE, f"{repaid} calls repaid after one kill")
            asked_before += asked
            run, committed = self._look(committed, run)
            if killed:
                tally.add("kills")
                left -= 1
                if tally.counts["kills"] % 50 == 0:
                    tally.progress(
                        f"{tally.counts['kills']} kills, {self.case + 1} runs, {len(tally.failures)} failures"
                    )
                if not self.ended:
                    continue
            elif child.code != 0:
                tally.fail(self.case, "other failures", f"exit code {child.code}: {child.told()[-1500:]}")
                return
            break
        tally.add("runs finished")
        with open_log(self.log) as log:
            info = log.find(str(run))
            report = log.verify(str(run))
        tally.check(self.case, "invariant violations", report.sound, f"verify: {report.faults[:2]}")
        tally.check(
            self.case, "invariant violations", info.head == head, f"the head is {info.head[:12]}, not {head[:12]}"
        )
        tally.add("chains equal to the undisturbed one", int(info.head == head))
        tally.add("calls", calls)
        told = child.told()
        tally.check(self.case, "uncaught tracebacks", "Traceback" not in told, told[-1500:])

    def _moment(self, mark: int, calls: int) -> tuple[Callable[[], bool], float]:
        """When to kill: mostly a few milliseconds after some request came, sometimes at any time from the start on."""
        if self.luck.random() < 0.15:
            return (lambda: True), self.luck.uniform(0, 0.4)
        goal = mark + 1 + self.luck.randrange(max(1, calls))
        return (lambda: self.server.requests() >= goal), self.luck.uniform(0, 2 * DELAY[1])

    def _look(self, before: dict[int, bytes], run: str | None) -> tuple[str | None, dict[int, bytes]]:
        """The run's id, and the answers that stand in its log."""
        try:
            with open_log(self.log) as log:
                mine = [info.id for info in log.runs() if info.id not in self.known]
                if not mine:
                    return None, {}
                return mine[0], self._answers(log, mine[0], before)
        except LogUnusable:
            return run, before  # killed before the file was there

    def _answers(self, log: Log, run: str, before: dict[int, bytes]) -> dict[int, bytes]:
        now = committed_answers(log, run)
        lost = [who for who, raw in before.items() if now.get(who) != raw]
        self.tally.check(self.case, "answers lost", not lost, f"{len(lost)} committed answers are gone or changed")
        self.ended = log.find(run).status in ("completed", "invalid")
        if not self.ended:
            report = log.verify(run)
            self.tally.check(self.case, "invariant violations", report.sound, f"verify: {report.faults[:2]}")
        return now


def committed_answers(log: Log, run: str) -> dict[int, bytes]:
    """The raw answers in the journal of a run, by `identity`."""
    rows = log.sql("SELECT sampling, raw FROM model_call WHERE run_id = :run AND status = 'answered'", {"run": run})
    return {sampling_seed(row["sampling"]): bytes(row["raw"]) for row in rows.rows()}


def sampling_seed(text: str) -> int:
    """The seed in the sampling column of a call."""
    import json

    seed = json.loads(text)[3]
    assert isinstance(seed, int), canonical_json(text)
    return seed
