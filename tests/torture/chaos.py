"""T1: whole runs against a provider that fails in every way it can, with crashes in between, in virtual time.

After every stop the log must verify, the run must be resumable, and no committed answer may be asked for again. Every action that
counts as the agent's own must be the one its model meant. In the end nothing fails any more, and the run must come to its end.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import society
from society.core.calls import ModelRequest, ModelResponse, Position
from society.core.errors import SocietyError
from society.core.events import Acted
from society.log import Log, open_log
from society.models.pool import ModelPool
from society.models.recall import Recall
from society.models.settings import ProviderSettings
from society.playing import play, replay, resume
from society.scenario.model import Scenario
from tests.torture.kills import sampling_seed
from tests.torture.provider_faults import Served, fault
from tests.torture.tally import Tally
from tests.torture.virtual import ChaosProvider, Fate, VirtualLoop, run, simulated

_ON_DISK = "SELECT COUNT(*) FROM model_call WHERE (round, stage, turn, agent, attempt) = (?, ?, ?, ?, ?) AND status = 'answered'"

KEY = "sk-torturetorturetorture"
OWN = ("ok", "repaired", "retried")
"""How an action was read that counts as the agent's own."""
STOPS = (1, 3, 10)
"""After so many stops, one of these, nothing fails any more."""
TWICE = 20
"""Every so many runs, one is played twice."""
SECONDS_A_CALL = 6
"""Virtual seconds the provider needs for an answer at most; so long a run may take for each of its calls once nothing fails any more."""
MAX_TRIES = 4

SCENARIOS = (
    "mechanism: {kind: public_goods, endowment: 20}\nagents: 3\n"
    "stages: {talk: {turns: 1, channels: [public, private]}, declare: {predict: per_agent}}\n"
    "instruments: [{kind: peer_sanction}]\n",
    "mechanism: {kind: common_pool, capacity: 1000, collapse_below: 0}\nagents: 4\n"
    "stages: {talk: {turns: 1, order: simultaneous}, declare: {predict: total}}\n",
    "mechanism: {kind: public_goods, endowment: 9}\nagents: 5\nstages: {talk: {turns: 0}, act: {order: sequential}}\n",
    "mechanism: {kind: public_goods, endowment: 9}\nagents: 2\n"
    "stages: {talk: {turns: 2, order: rotating}, declare: {predict: 'off'}}\n",
)
_REST = "name: chaos\nrounds: 3\n"
MODEL = "tiny@http://127.0.0.1:9/v1"


def scratch() -> str | None:
    """A folder in memory if there is one: nothing here tests the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def chaos(tally: Tally, count: int) -> None:
    """Play runs until there were `count` faults."""
    for case in tally.cases():
        with tally.case(case) as luck, tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name:
            failure = luck.choice(
                ("attempts: 2", "attempts: 4", "counts_as: repeat", "attempts: 1", "counts_as: void_run")
            )
            text = luck.choice(SCENARIOS) + _REST + f"on_failure: {{{failure}, allowed_share: 1}}\n"
            state = luck.getstate()
            storm = Storm(tally, case, luck, society.loads(text), Path(name))
            storm.play()
            tally.add("runs")
            if case % TWICE == 0:
                _again(tally, case, state, storm, Path(name) / "again")
        if case % 25 == 24:
            tally.progress(f"{tally.counts.get('faults injected', 0)} faults, {len(tally.failures)} failures")
        if tally.counts.get("faults injected", 0) >= count or tally.given_up:
            break


def _again(tally: Tally, case: int, state: Any, first: Storm, folder: Path) -> None:
    """The same seed gives the same run: the same questions in the same order, and the same chain."""
    folder.mkdir()
    luck = random.Random()
    luck.setstate(state)
    second = Storm(Tally("chaos", tally.seed, quick=True), case, luck, first.scenario, folder)
    second.play()
    traces = [(storm.provider.asked, storm.head, storm.elapsed) for storm in (first, second)]
    tally.check(case, "other failures", traces[0] == traces[1], "the same seed gives another trace")
    tally.add("runs played twice, alike")


class Storm:
    """One run, all that happens to it, and what must hold all the while."""

    def __init__(
        self,
        tally: Tally,
        case: int,
        luck: random.Random,
        scenario: Scenario,
        folder: Path,
        *,
        rate: float | None = None,
        maker: Callable[[str, random.Random], Served] = fault,
        crashes: bool = True,
        **settings: Any,
    ) -> None:
        self.tally, self.case, self.luck, self.scenario = tally, case, luck, scenario
        self.path = folder / "log.db"
        self.provider = ChaosProvider(f"{tally.seed} {case}", luck.uniform(0.1, 0.7) if rate is None else rate, maker)
        self.crashes = crashes
        given = {
            "concurrency": luck.randint(1, 6),
            "api_key": KEY,
            "max_body_bytes": 2**20,
            "max_tries": MAX_TRIES,
            **settings,
        }
        self.settings = ProviderSettings(_env_file=None, **given)
        self.run_id: str | None = None
        self.committed: dict[int, bytes] = {}
        self.elapsed = 0.0
        self.said: list[str] = []
        self.head = ""
        self.stops = luck.choice(STOPS)

    def play(self) -> None:
        """From the start to the end, through every stop."""
        for stop in range(self.stops + 3):
            calm = stop >= self.stops
            if calm:
                self.provider.rate = 0
            fate = Fate(self.luck.randint(1, 120), self.luck.random() < 0.5) if self.crashes and not calm else Fate()
            before = self.elapsed
            ended = self._segment(fate)
            if calm:
                self._in_time(self.elapsed - before)
            if ended:
                break
        else:
            self.tally.fail(
                self.case, "other failures", "the run does not come to its end though nothing fails any more"
            )
            return
        self._finished()

    def _segment(self, fate: Fate) -> bool:
        """Play until something stops it; whether that was the end."""
        mark, loop = len(self.provider.asked), VirtualLoop()
        kinds = {who: len(many) for who, many in self.provider.served.items()}
        with simulated(self.provider, fate), self._audited(fate):
            log = open_log(self.path, secrets=self.settings.secrets)
            try:
                run(loop, self._go(log, loop))
                ended = True
            except SocietyError as problem:
                ended = False
                self.said.append(str(problem))
                self.tally.add(f"stops: {'crash' if fate.dead else type(problem).__name__}")
            except Exception:
                if not fate.dead:
                    raise
                ended = False
                self.tally.add("stops: crash")
            finally:
                fate.dead = True
                log.close()
        self.elapsed += loop.elapsed - 1000
        self._counted(mark, kinds)
        return self._look(mark, ended=ended)

    def _in_time(self, seconds: float) -> None:
        """Once nothing fails any more, a run ends as fast as its calls are answered."""
        self.tally.add("runs that came to their end once nothing failed")
        most = SECONDS_A_CALL * (1 + len(self.provider.served))
        self.tally.check(
            self.case, "other failures", seconds <= most, f"it takes {seconds:.0f} s, at most {most} were due"
        )

    def _counted(self, mark: int, before: dict[int, int]) -> None:
        """Between two stops no question is sent more often than it may be, and none again once it was refused."""
        for who, times in Counter(self.provider.asked[mark:]).items():
            self.tally.check(
                self.case,
                "other failures",
                times <= MAX_TRIES,
                f"one question was sent {times} times, at most {MAX_TRIES} are allowed",
            )
            served = self.provider.served.get(who, [])[before.get(who, 0) :]
            final = [one.kind for one in served[:-1] if one.outcome in ("paused", "refused")]
            self.tally.check(self.case, "other failures", not final, f"asked once more after {final}")

    @contextlib.contextmanager
    def _audited(self, fate: Fate) -> Iterator[None]:
        """Inside, whatever answer is handed to an agent is looked up in the file first, by other means than the log's own."""
        complete = Recall.complete

        async def audited(client: Recall, request: ModelRequest) -> ModelResponse:
            response = await complete(client, request)
            at = (request.at.round, request.at.stage, request.at.turn, request.at.agent, request.at.attempt)
            with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
                found = connection.execute(_ON_DISK, at).fetchone()
            self.tally.add("answers looked up on disk before they were read")
            self.tally.check(
                self.case, "answers lost", found == (1,), f"the answer at {at} is read before it is on disk"
            )
            return response

        with mock.patch.object(Recall, "complete", audited):
            yield

    async def _go(self, log: Log, loop: VirtualLoop) -> None:
        pool = ModelPool(self.settings, clock=loop, jitter=self.luck.random)
        try:
            if self.run_id is None:
                await play(self.scenario, model=MODEL, log=log, pool=pool, seed=self.case)
            else:
                await resume(self.run_id, log=log, pool=pool)
        finally:
            await pool.close()

    def _look(self, mark: int, *, ended: bool) -> bool:
        """After a stop: nothing lost, nothing asked again, everything sound, and it can go on; whether it has ended."""
        tally, case = self.tally, self.case
        asked = self.provider.asked[mark:]
        again = [who for who in asked if who in self.committed]
        tally.check(case, "answers asked again", not again, f"{len(again)} committed answers were asked again")
        with open_log(self.path) as log:
            runs = log.runs()
            if not runs:
                return False
            self.run_id = runs[0].id
            now = {
                sampling_seed(row["sampling"]): bytes(row["raw"])
                for row in log.sql("SELECT sampling, raw FROM model_call WHERE status = 'answered'").rows()
            }
            rows = log.sql("SELECT DISTINCT sampling FROM model_call").rows()
            metrics = len(log.sql("SELECT name FROM metric").rows())
            report = log.verify(self.run_id)
        noted = {sampling_seed(row["sampling"]) for row in rows}
        tally.check(
            case, "answers lost", noted.issuperset(asked), "a question was sent that the journal does not know of"
        )
        tally.check(case, "invariant violations", report.sound, f"verify: {report.faults[:2]}")
        tally.check(
            case,
            "answers lost",
            all(now.get(who) == raw for who, raw in self.committed.items()),
            "a committed answer is gone",
        )
        self.committed = now
        done = runs[0].status in ("completed", "invalid")
        tally.check(case, "other failures", done or (not ended and runs[0].resumable), f"the run is {runs[0].status}")
        tally.check(
            case, "other failures", done == bool(metrics), f"the run is {runs[0].status}, with {metrics} metrics"
        )
        return done

    def _finished(self) -> None:
        tally, case = self.tally, self.case
        faults = sum(served.kind != "good" for many in self.provider.served.values() for served in many)
        tally.add("faults injected", faults)
        tally.add("requests", len(self.provider.asked))
        tally.add("virtual minutes", round(self.elapsed / 60))
        with open_log(self.path) as log:
            self.head = log.find(str(self.run_id)).head
            tally.add(f"runs {log.find(str(self.run_id)).status}")
            self._judge(log)
            loop = VirtualLoop()
            try:
                derived = run(loop, replay(str(self.run_id), log=log)).head
            except SocietyError as problem:
                derived = str(problem)
            tally.check(case, "invariant violations", derived == self.head, f"replay gives {derived[:300]}")
        raw = b"".join(file.read_bytes() for file in self.path.parent.glob("log.db*") if file.is_file())
        tally.check(case, "secrets leaked", KEY.encode() not in raw, "the key stands in the log")
        tally.check(case, "secrets leaked", not any(KEY in words for words in self.said), "an error shows the key")

    def _judge(self, log: Log) -> None:
        """Every action that counts as the agent's own is what its model meant, and every default has a reason."""
        asked = self._last_asked(log)
        for event in log.events(str(self.run_id)):
            if not isinstance(event, Acted):
                continue
            who = asked[event.round, event.agent]
            last = self.provider.served[who][-1]
            meant = self._meant(who)
            self.tally.add("actions judged")
            if event.status in OWN:
                plain = last.outcome in ("good", "harmless")
                self.tally.check(
                    self.case,
                    "silent actions",
                    plain and (event.submitted, event.legal) == (meant, meant),
                    f"{last.kind} became the action {event.submitted!r}, {event.status}, where {meant!r} was meant: "
                    f"{last.body[:300]!r}",
                )
            else:
                self.tally.add("actions not the agent's own, and marked so")
                self.tally.check(
                    self.case,
                    "other failures",
                    last.outcome == "unreadable",
                    f"a plain answer ({last.kind}) was {event.status}: {event.error}: {last.body[:300]!r}",
                )

    def _meant(self, who: int) -> Any:
        import json

        return json.loads(self.provider.good[who]).get("action")

    def _last_asked(self, log: Log) -> dict[tuple[int, int], int]:
        """The last question about each action, by round and agent."""
        last: dict[tuple[int, int], tuple[Position, int]] = {}
        for call in log.calls(str(self.run_id)):
            if call.stage == "act" and call.status == "answered":
                at = Position(call.round, call.stage, call.turn, call.agent, call.attempt)
                known = last.get((call.round, call.agent))
                if known is None or known[0] < at:
                    last[call.round, call.agent] = at, sampling_seed(call.sampling)
        return {place: who for place, (_, who) in last.items()}
