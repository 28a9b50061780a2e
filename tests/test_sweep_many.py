"""Many runs in one process: nobody is kept waiting while others are served, and nothing of a run stays once it is in the log."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import pytest
from fault_server import completion, http
from provider import provider

from society.agents.prompting import Prompts
from society.core.exact import Number
from society.episode import Episode
from society.log import open_log
from society.log.writer import RunWriter
from society.models.counters import Counters
from society.models.pool import ModelPool
from society.orchestrator.course import Course
from society.playing import casting_of
from society.scenario.load import resolved
from society.sweep.engine import Tally, play_all, still_to_play
from society.sweep.file import load_sweep
from society.sweep.grid import Planned, cells, plan

LAKE = """
name: lake
rounds: 4
seeds: [7]
mechanism: {kind: common_pool, capacity: 100, stock: 100}
agents: [{name: Ann}, {name: Ben}, {name: Cy}]
stages: {talk: off, declare: off}
models: {default: "MODEL"}
"""
SWEEP = """
name: many
scenarios: [lake.yaml]
seeds: SEEDS
axes: {mechanism.capacity: [100, 200]}
metrics: [total_welfare]
"""


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[Planned]:
    model, seeds = request.param
    monkeypatch.chdir(tmp_path)
    Path("lake.yaml").write_text(LAKE.replace("MODEL", model))
    Path("many.yaml").write_text(SWEEP.replace("SEEDS", seeds))
    sweep = load_sweep("many.yaml")
    return plan(sweep, cells(sweep))


class Pace:
    """In which round each run is, and the most by which one was ahead of another that had begun and not ended."""

    def __init__(self) -> None:
        self.rounds: dict[tuple[str, int], int] = {}
        self.lead = 0

    def begin(self, one: Planned) -> Runner:
        self.rounds[one.key] = 0
        return Runner(self, one)


class Runner:
    def __init__(self, pace: Pace, one: Planned) -> None:
        self.pace, self.one, self.counters, self._ended = pace, one, Counters(), False

    def stage(self, round: int, rounds: int, stage: str, stock: Number | None) -> None:
        self.pace.rounds[self.one.key] = round
        self.pace.lead = max(self.pace.lead, round - min(self.pace.rounds.values()))

    @property
    def ended(self) -> bool:
        return self._ended

    @ended.setter
    def ended(self, value: bool) -> None:
        self._ended = value
        self.pace.rounds.pop(self.one.key, None)


@pytest.mark.parametrize("planned", [("openai:tiny", "0-4")], indirect=True)
async def test_runs_that_share_a_narrow_gate_go_on_side_by_side(planned: list[Planned], monkeypatch) -> None:
    """Ten runs of three agents before a gate for two calls: whoever has waited longest is next, so no run is a round ahead of another."""
    with provider(http(200, completion('{"action": 5}')), seconds=0.002) as serving, open_log("s.db") as log:
        monkeypatch.setenv("OPENAI_BASE_URL", serving.server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        monkeypatch.setenv("SOCIETY_CONCURRENCY", "2")
        log.prepare()
        pool, pace = ModelPool(), Pace()
        try:
            left = still_to_play(log, "many", planned)[0]
            tally = await play_all(left, log, "many", pool=pool, parallel=10, watch=pace.begin)
        finally:
            await pool.close()
        assert (tally.played, tally.failures) == (10, {})
        assert serving.most == 2  # one gate for all of them
        assert serving.server.requests == 10 * 4 * 3
    assert pace.lead <= 1


@pytest.mark.parametrize("planned", [("mock:random", "0-29")], indirect=True)
async def test_a_run_that_is_in_the_log_is_kept_nowhere_else(planned: list[Planned]) -> None:
    """Counted, not weighed: whatever is alive of a run while sixty are played belongs to one of the four that are going.

    Or to one whose last rows are on their way to the disk, of which there are no more than go on.
    """
    kinds = (Course, RunWriter, Episode)
    most: Counter[str] = Counter()
    sizes: list[int] = []

    def look(tally: Tally) -> None:
        if tally.played % 10 == 0:
            gc.collect()
            alive = gc.get_objects()
            sizes.append(len(alive))
            now = Counter(type(one).__name__ for one in alive if isinstance(one, kinds))
            for name, count in now.items():
                most[name] = max(most[name], count)

    gc.collect()
    before = Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, kinds))
    with open_log("s.db") as log:
        log.prepare()
        left = still_to_play(log, "many", planned)[0]
        tally = await play_all(left, log, "many", pool=ModelPool(), parallel=4, told=look)
    assert tally.played == 60 and len(sizes) == 6
    assert all(1 <= most[name] - before[name] <= 2 * 4 for name in most), most - before
    assert "RunWriter" in most and "Course" in most
    assert sizes[-1] - sizes[3] < 20 * 20, sizes  # not even twenty objects a run, once bounded caches are full


@pytest.mark.parametrize("planned", [("mock:random", "0-1")], indirect=True)
def test_what_is_the_same_for_all_seeds_is_made_once(planned: list[Planned]) -> None:
    first, second = [one for one in planned if one.cell is planned[0].cell]
    assert first.seed != second.seed
    prompts = Prompts.load()
    made = [casting_of(one.scenario, resolved(one.scenario), prompts) for one in (first, second)]
    assert made[0] is made[1]
    assert casting_of(planned[-1].scenario, resolved(planned[-1].scenario), prompts) is not made[0]  # another cell
