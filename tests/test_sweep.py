"""Grids of settings: what a file says, what is played, what is never played twice, and what the table says of it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from postgres_server import running_server, why_not
from rich.console import Console

from society.cli import main
from society.cli.cells import CellBoard
from society.core.errors import BadInput, ScenarioError
from society.log import Log, open_log
from society.models.budget import RunBudget
from society.models.pool import ModelPool
from society.sweep.engine import Tally, play_all, still_to_play
from society.sweep.file import SweepFile, load_sweep, shipped_sweeps
from society.sweep.grid import Planned, baseline_of, cells, plan
from society.sweep.table import arms_of, table_of

ROOT = Path(__file__).parent.parent
SMALL = """
name: small
scenarios: [lake.yaml]
seeds: 0-2
axes:
  mechanism.capacity: [50, 100]
  cast:
    greedy: {models.default: "mock:greedy"}
    modest: {models.default: "mock:sustainable", stages.talk: off}
metrics: [total_welfare, gini]
"""
LAKE = """
name: lake
rounds: 2
seeds: [7]
mechanism: {kind: common_pool, capacity: 100}
agents: [{name: Ann}, {name: Ben, persona: hungry}, {name: Cy}]
models: {default: "mock:sustainable"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lake.yaml").write_text(LAKE)
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "other.yaml"
    path.write_text(text)
    return path


def held(folder: Path) -> list[tuple[str, int, str]]:
    with open_log(folder / "logs/society.db") as log:
        return [(run.cell or "", run.seed, run.status) for run in log.runs(sweep="small")]


# What a file says


def test_every_combination_of_the_axes_is_a_cell_and_every_seed_a_run(folder: Path) -> None:
    sweep = load_sweep("small.yaml")
    grid = cells(sweep)
    assert [cell.title for cell in grid] == [
        "mechanism.capacity 50, cast greedy",
        "mechanism.capacity 50, cast modest",
        "mechanism.capacity 100, cast greedy",
        "mechanism.capacity 100, cast modest",
    ]
    modest = grid[1].scenario
    assert modest.mechanism.capacity == 50 and modest.stages.talk.turns == 0
    assert modest.models["default"].name == "mock:sustainable"
    planned = plan(sweep, grid)
    assert [one.seed for one in planned] == [0] * 4 + [1] * 4 + [2] * 4
    assert len({one.key for one in planned}) == 12


def test_what_an_axis_varies_is_not_set_for_all_cells_as_well(folder: Path) -> None:
    sweep = load_sweep("small.yaml")
    for path in ("mechanism.capacity", "models.default", "models.default.name"):
        with pytest.raises(BadInput, match=rf"--set {path}: the axis .* would change nothing"):
            cells(sweep, [f"{path}=70"])
    assert {cell.scenario.rounds for cell in cells(sweep, ["rounds=3"])} == {3}


def test_cells_are_left_out_and_added(folder: Path) -> None:
    text = (
        SMALL + "exclude: [{mechanism.capacity: 50, cast: greedy}]\ninclude: [{mechanism.capacity: 70, cast: greedy}]\n"
    )
    grid = cells(load_sweep(written(folder, text)))
    assert [tuple(cell.labels.values()) for cell in grid] == [
        (50, "modest"),
        (100, "greedy"),
        (100, "modest"),
        (70, "greedy"),
    ]
    assert grid[-1].scenario.mechanism.capacity == 70


def test_a_cell_is_compared_with_the_one_that_differs_in_the_baseline_alone(folder: Path) -> None:
    sweep = load_sweep("small.yaml")
    grid = cells(sweep)
    assert [baseline_of(sweep, grid, cell) for cell in grid] == [None, grid[0], None, grid[2]]
    other = load_sweep(written(folder, SMALL + "baseline: {mechanism.capacity: 100}\n"))
    grid = cells(other)
    assert [baseline_of(other, grid, cell) for cell in grid] == [grid[2], grid[3], None, None]


def test_several_scenarios_are_an_axis(folder: Path) -> None:
    text = SMALL.replace("[lake.yaml]", "[lake.yaml, fishery]")
    grid = cells(load_sweep(written(folder, text)))
    assert [cell.labels["scenario"] for cell in grid] == ["lake"] * 4 + ["fishery"] * 4
    assert [len(cell.scenario.agents) for cell in grid] == [3] * 4 + [5] * 4


def test_a_map_in_an_arm_goes_on_top_and_a_list_replaces(folder: Path) -> None:
    text = """
name: small
scenarios: [lake.yaml]
seeds: 1
axes:
  rule:
    none: {}
    quota: {mechanism: {capacity: 60}, instruments: [{kind: quota, amount: 5}]}
"""
    none, quota = cells(load_sweep(written(folder, text)))
    assert (none.scenario.mechanism.capacity, none.scenario.instruments) == (100, ())
    assert quota.scenario.mechanism.kind == "common_pool" and quota.scenario.mechanism.capacity == 60
    assert [rule.kind for rule in quota.scenario.instruments] == ["quota"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seeds: 0-2", "seeds: 2-0", r"other.yaml:4:8: .*seeds"),
        ("axes:", "axis:", r"other.yaml:5:1: .*unknown field 'axis' \(did you mean 'axes'"),
        ("[lake.yaml]", "[lakes.yaml]", r"other.yaml:3:13: .*there is no file 'lakes.yaml'; did you mean 'lake.yaml'"),
        ("[lake.yaml]", "[../../etc/passwd]", r"expected the name of a scenario"),
        ("total_welfare,", "total_wellfare,", r"no metric 'total_wellfare'; did you mean 'total_welfare'"),
        ("[50, 100]", "[50, 50]", r"axes.mechanism.capacity.*50 stands here twice"),
        ("[50, 100]", "[50, many]", r"cell mechanism.capacity many, cast greedy: .*other.yaml:6:28"),
        ("mechanism.capacity:", "mechanism.capacitty:", r"unknown field 'capacitty'"),
        ("greedy: {models.default", "greedy: {modells.default", r"unknown field 'modells'"),
        ("greedy: {models.default: \"mock:greedy\"}", "greedy: 5", r"an arm is a map of fields"),
        ("[50, 100]", "5", r"an axis is a list of values, or a map of named arms"),
        ("metrics:", "baseline: {cast: nobody}\nmetrics:", r"axis 'cast' has no arm 'nobody' \(known: greedy, modest\)"),
        ("metrics:", "exclude: [{kast: greedy}]\nmetrics:", r"no axis 'kast'; did you mean 'cast'"),
        ("metrics:", "include: [{cast: other}]\nmetrics:", r"axis 'cast' has no arm 'other'"),
        ("metrics:", "exclude: [{cast: greedy}, {cast: modest}]\nmetrics:", r"this leaves no cell"),
        ("cast:", "focal.policy:", r"name them, as in `focal: \[0, 1\]`"),
        (SMALL, "", r"other.yaml:1:1: a sweep is a map of fields"),
        (SMALL, "- 1", r"other.yaml:1:1: a sweep is a map of fields"),
        ("name: small", "name: [small", r"not valid YAML"),
        ("name: small\n", "", r"'name' is needed here"),
        ("name: small", "name: a/b", r"other.yaml:2:7: name: must match"),
        ("seeds: 0-2\n", "", r"'seeds' is needed here"),
        ("0-2", "many", r"'many' names no seeds; write 7, 0-9 or 0-4,10"),
        ("0-2", "[0.5]", r"seeds.0: a whole number is needed here, not a decimal"),
        ("0-2", "[3, 1, 3]", r"other.yaml:4:\d+: seeds.2: 3 stands here twice"),
        ("0-2", "0-99999999", r"more than 10000 seeds"),
        ("0-2", "[]", r"other.yaml:4:8: seeds"),
        ("[lake.yaml]", "[lake.yaml, lake.yaml]", r"scenarios.1: lake.yaml stands here twice"),
        ("[lake.yaml]", "[5]", r"text is needed here, not a whole number"),
        ("[lake.yaml]", "[sub/lake.yaml]", r"in this folder or the one above"),
        ("[50, 100]", "[]", r"an axis is a list of values, or a map of named arms"),
        ("mechanism.capacity:", "seeds:", r"axes.seeds: seeds are listed under `seeds`, not on an axis"),
        ("mechanism.capacity:", "scenario:", r"scenarios are listed under `scenarios`, not on an axis"),
        ("mechanism.capacity:", "agents.7.persona:", r"no item '7' in this list \(its items are 0 to 2\)"),
        ("mechanism.capacity:", "rounds.more:", r"nothing can be set inside it"),
        ("mechanism.capacity:", "mechanism..capacity:", r"expected path.to.field"),
        ("mechanism.capacity: [50", "mechanism.kind: [comon_pool", r"did you mean 'common_pool'"),
        ("mechanism.capacity: [50", "rounds: [0", r"rounds: must be at least 1"),
        ("metrics:", "  rounds: [1]\n  rounds: [2]\nmetrics:", r"'rounds' is given twice \(first in line 10\)"),
        ("metrics:", "exclude: {cast: greedy}\nmetrics:", r"exclude: a list is needed here, not a map"),
        ("metrics:", "exclude: [{}]\nmetrics:", r"exclude.0: this fits no cell; name the arms to leave out"),
        ("metrics:", "include: [{mechanism.capacity: 50, cast: greedy}]\nmetrics:", r"include.0: the cell .* is there already"),
        ("metrics:", "include: [{mechanism.capacity: 7}, {mechanism.capacity: 7}]\nmetrics:", r"include.1: the cell .* is there already"),
        ("metrics:", "baseline: [greedy]\nmetrics:", r"baseline: a map of fields is needed here, not a list"),
        ("metrics:", "baseline: {cast: greedy}\nexclude: [{cast: greedy}]\nmetrics:", r"baseline: no cell fits this"),
        ("metrics:", "replicates: 0\nmetrics:", r"replicates: must be at least 1"),
        ("metrics:", "seats: rotate\nmetrics:", r"seats: must be .* did you mean 'rotated'"),
        ("metrics:", "focal: [0, 0]\nmetrics:", r"focal.1: 0 stands here twice"),
        ("metrics:", "usd: ten\nmetrics:", r"usd: a number is needed here, not text"),
        ("metrics:", "about: &a x\nmetrics:", r"anchors \(&name\) are not allowed"),
        ("[total_welfare, gini]", "[]", r"metrics"),
        ("[total_welfare, gini]", "[gini, gini]", r"metrics.1: gini stands here twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_its_mend(folder: Path, old: str, new: str, told: str) -> None:
    assert old in SMALL
    with pytest.raises(ScenarioError, match=told):
        cells(load_sweep(written(folder, SMALL.replace(old, new, 1))))


def test_more_runs_than_anybody_wants_are_refused(folder: Path) -> None:
    sweep = load_sweep(
        written(folder, SMALL.replace("0-2", "0-9999").replace("metrics:", "replicates: 1000\nmetrics:"))
    )
    with pytest.raises(ScenarioError, match="this makes 40000000 runs; 1000000 are the most"):
        plan(sweep, cells(sweep))


def test_a_grid_nobody_wants_is_refused(folder: Path) -> None:
    many = ", ".join(str(k) for k in range(1, 102))
    text = SMALL.replace("[50, 100]", f"[{many}]").replace("  cast:", f"  rounds: [{many}]\n  cast:")
    with pytest.raises(ScenarioError, match="this makes 20402 cells; 10000 are the most"):
        cells(load_sweep(written(folder, text)))


@pytest.mark.parametrize("name", sorted(shipped_sweeps()))
def test_every_shipped_sweep_expands(name: str) -> None:
    sweep = load_sweep(name)
    grid = cells(sweep)
    assert sweep.settings.name == name and sweep.settings.about and len(grid) >= 2
    assert shipped_sweeps()[name].read_text().startswith("# yaml-language-server: $schema=./schema.json\n")


def test_the_schema_beside_the_shipped_sweeps_is_the_one_of_this_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`society schema --sweep -o scenarios/sweeps/schema.json` writes it anew."""
    assert main(["schema", "--sweep"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((ROOT / "scenarios/sweeps/schema.json").read_text())
    assert set(SweepFile.model_fields) <= set(told["properties"])
    assert all(told["properties"][name].get("description") for name in SweepFile.model_fields)


# Seats, names, focal agents


def test_agents_move_over_seats_and_names_over_agents(folder: Path) -> None:
    sweep = load_sweep(written(folder, SMALL + "seats: rotated\n"))
    first = [one.scenario for one in plan(sweep, cells(sweep)) if one.cell.labels["cast"] == "greedy"]
    assert [scenario.names for scenario in first[::2]] == [
        ("Ann", "Ben", "Cy"),
        ("Cy", "Ann", "Ben"),
        ("Ben", "Cy", "Ann"),
    ]
    assert [[a.persona for a in scenario.agents].index("hungry") for scenario in first[::2]] == [1, 2, 0]
    sweep = load_sweep(written(folder, SMALL + "names: every\n"))
    planned = plan(sweep, cells(sweep))
    assert len(planned) == 4 * 3 * 3
    assert {tuple(one.scenario.names) for one in planned} == {
        ("Ann", "Ben", "Cy"),
        ("Ben", "Cy", "Ann"),
        ("Cy", "Ann", "Ben"),
    }
    assert all([a.persona for a in one.scenario.agents].index("hungry") == 1 for one in planned)


def test_replicates_are_runs_of_their_own_and_one_unit(folder: Path, capsys) -> None:
    path = written(folder, SMALL.replace("seeds: 0-2", "seeds: 0-2\nreplicates: 2"))
    assert main(["sweep", str(path), "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["played"]) == (24, 24)
    line = told["lines"][1]
    assert (line["runs"], line["units"], line["unit_is"], line["comparison"]["runs"]) == (6, 3, "seed", 3)
    assert main(["sweep", "small.yaml", "--json"]) == 0  # without replicates: the first of each seed is there already
    assert json.loads(capsys.readouterr().out)["there_before"] == 12


def test_focal_agents_are_scored_apart_from_the_background(folder: Path, capsys) -> None:
    """One agent asks for 100 of 100 fish beside two that ask for 16 each: in proportion, in whole fish, 76 and 12 and 12."""
    text = """
name: small
scenarios: [lake.yaml]
seeds: 0-2
seats: rotated
focal: [0]
axes:
  focal.policy:
    - {kind: scripted, rule: sequence, actions: [16]}
    - {kind: scripted, rule: sequence, actions: [100]}
metrics: [total_welfare]
"""
    (folder / "lake.yaml").write_text(LAKE.replace("persona: hungry}", "policy: {kind: scripted, rule: sequence, actions: [16]}}")
                                      .replace("{name: Cy}", "{name: Cy, policy: {kind: scripted, rule: sequence, actions: [16]}}")
                                      .replace("rounds: 2", "rounds: 1"))  # fmt: skip
    path = written(folder, text)
    sweep = load_sweep(path)
    grid = cells(sweep)
    planned = plan(sweep, grid)
    assert [one.focal for one in planned[::2]] == [(0,), (1,), (2,)]
    assert main(["sweep", str(path), "--quiet", "--workers", "1"]) == 0
    with open_log(folder / "logs/society.db") as log:
        focal, background, _ = table_of(sweep, grid, arms_of(log, sweep, grid, planned))
    assert [line.mean.value for line in focal] == [16, 76]
    assert background[1].comparison.difference.value == 12 - 16
    capsys.readouterr()
    assert main(["sweep", str(path), "--table"]) == 0
    head, _, honest, greedy = capsys.readouterr().out.splitlines()[2:6]
    assert (
        head.split()[-9:]
        == ["background", "95%", "interval", "harm", "to", "it", "its", "interval", "p", "(Holm)"][-9:]
    )
    assert " 16 " in honest and " 76 " in greedy and "  4  [4, 4]" in greedy


# Playing


def test_what_is_there_is_not_played_again_and_what_is_added_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "small.yaml", "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["there_before"], told["played"], told["failures"]) == (12, 0, 12, {})
    assert main(["sweep", "small.yaml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["there_before"], told["played"]) == (12, 12, 0)
    (folder / "small.yaml").write_text(SMALL.replace("[50, 100]", "[50, 100, 80]").replace("0-2", "0-3"))
    assert main(["sweep", "small.yaml", "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["there_before"], told["played"]) == (24, 12, 12)
    assert len(held(folder)) == 24 and {status for _, _, status in held(folder)} == {"completed"}


def test_an_edited_scenario_is_played_anew_and_a_new_comment_is_none(folder: Path, capsys) -> None:
    assert main(["sweep", "small.yaml", "--workers", "1", "--quiet"]) == 0
    (folder / "lake.yaml").write_text(LAKE + "about: other words\nbudget: {tokens: 1000000}\n")
    sweep = load_sweep("small.yaml")
    with open_log("sqlite:///logs/society.db") as log:
        assert still_to_play(log, "small", plan(sweep, cells(sweep)))[1] == 12
        (folder / "lake.yaml").write_text(LAKE.replace("rounds: 2", "rounds: 3"))
        assert still_to_play(log, "small", plan(sweep, cells(sweep)))[1] == 0


def test_runs_of_an_earlier_version_count_where_it_played_what_this_one_would(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scenarios of an earlier version lack a field, so its digests are others; fields it lacked are what they are by default."""
    with monkeypatch.context() as earlier:
        earlier.setattr("society.sweep.grid.digest_of", lambda scenario: f"older{scenario.mechanism.capacity}")
        assert main(["sweep", "small.yaml", "--workers", "1", "--quiet"]) == 0
    (folder / "small.yaml").write_text(SMALL.replace("[50, 100]", "[50, 100, 80]"))
    capsys.readouterr()
    assert main(["sweep", "small.yaml", "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["there_before"], told["played"]) == (18, 12, 6)
    assert all(line["missing"] == 0 and line["runs"] == 3 for line in told["lines"])
    (folder / "lake.yaml").write_text(LAKE.replace("rounds: 2", "rounds: 3"))
    sweep = load_sweep("small.yaml")
    with open_log("sqlite:///logs/society.db") as log:
        assert still_to_play(log, "small", plan(sweep, cells(sweep)))[1] == 0


def test_several_processes_give_the_runs_that_one_gives(folder: Path, capsys) -> None:
    assert main(["sweep", "small.yaml", "--workers", "1", "--log", "one.db", "--quiet"]) == 0
    assert main(["sweep", "small.yaml", "--workers", "2", "--log", "two.db", "--quiet"]) == 0
    heads = []
    for name in ("one.db", "two.db"):
        with open_log(folder / name) as log:
            heads.append({(run.cell, run.seed): run.head for run in log.runs()})
            assert log.verify().sound
    assert len(heads[0]) == 12 and heads[0] == heads[1]


def test_a_killed_sweep_goes_on_and_ends_like_an_uninterrupted_one(folder: Path) -> None:
    words = ["sweep", "small.yaml", "--seeds", "0-14", "--workers", "1", "--quiet"]
    assert main([*words, "--log", "whole.db"]) == 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "society", *words, "--log", "killed.db"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if (folder / "killed.db").exists() and _count(folder / "killed.db") >= 2:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL
    assert 2 <= _count(folder / "killed.db") < 60
    assert main([*words, "--log", "killed.db"]) == 0
    runs = []
    for name in ("whole.db", "killed.db"):
        with open_log(folder / name) as log:
            runs.append(sorted((run.cell, run.seed, run.head, run.status) for run in log.runs()))
    assert len(runs[0]) == 60 and runs[0] == runs[1]


def test_workers_do_not_outlive_the_sweep_that_was_killed(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = ["sweep", "small.yaml", "--seeds", "0-400", "--workers", "2", "--quiet", "--log", "killed.db"]
    process = subprocess.Popen([sys.executable, "-m", "society", *words], env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not ((folder / "killed.db").exists() and _count(folder / "killed.db")) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    assert len(children) >= 2
    while any(_lives(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_lives(pid) for pid in children)
    with open_log(folder / "killed.db") as log:
        assert {run.status for run in log.runs()} <= {"completed", "interrupted"}


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def _count(path: Path) -> int:
    with open_log(path) as log:
        try:
            return sum(run.status == "completed" for run in log.runs())
        except Exception:
            return 0


def test_what_cannot_be_played_is_told_and_played_the_next_time(folder: Path, capsys) -> None:
    (folder / "small.yaml").write_text(SMALL.replace('"mock:greedy"', '"openai:none"'))
    code = main(["sweep", "small.yaml", "--workers", "1"])
    err = capsys.readouterr().err
    assert code == 5 and "OPENAI_API_KEY" in err and "runs are missing; the same command goes on" in err


def test_runs_that_failed_are_tried_again_by_resume(folder: Path, capsys) -> None:
    """Two runs are cut short, as by a budget; resume goes on with these, by the sweep's name, and needs no file of it."""
    sweep = load_sweep("small.yaml")
    planned = plan(sweep, cells(sweep))
    (folder / "logs").mkdir()
    with open_log("sqlite:///logs/society.db") as log:
        log.prepare()
        first = asyncio.run(_played(log, planned, RunBudget(tokens=20_000)))
        left = len([run for run in log.runs() if run.resumable])
        assert left >= 1 and first.played + left <= 12
    (folder / "small.yaml").unlink()
    assert main(["resume", "--sweep", "small", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == left
    with open_log("sqlite:///logs/society.db") as log:
        assert {run.status for run in log.runs(sweep="small")} == {"completed"} and log.verify().sound
    assert main(["resume", "--sweep", "small"]) == 2
    assert "every run of small" in capsys.readouterr().err
    assert main(["resume", "--sweep", "smal"]) == 2
    assert "did you mean 'small'" in capsys.readouterr().err


async def test_a_purse_is_shared_by_all_runs_and_a_larger_one_goes_on(folder: Path) -> None:
    """Every run of the lake uses some tokens; with a purse for two or three of them the rest is left for later."""
    sweep = load_sweep("small.yaml")
    planned = plan(sweep, cells(sweep))
    with open_log(folder / "s.db") as log:
        log.prepare()
        first = await _played(log, planned, RunBudget(tokens=20_000))
        assert first.code == 4 and 0 < first.played < 12
        assert "20000 tokens" in next(iter(first.failures.values()))
        again = await _played(log, planned, None)
        assert (again.code, again.resumed + first.played + (again.played - again.resumed)) == (0, 12)
        assert still_to_play(log, "small", planned)[1] == 12 and log.verify().sound


async def _played(log: Log, planned: list[Planned], purse: RunBudget | None) -> Tally:
    pool = ModelPool(purse=purse)
    try:
        return await play_all(still_to_play(log, "small", planned)[0], log, "small", pool=pool, parallel=3)
    finally:
        await pool.close()


async def test_a_run_at_the_end_of_its_own_budget_stops_nobody_else(folder: Path) -> None:
    (folder / "lake.yaml").write_text(LAKE + "budget: {tokens: 3000}\n")
    sweep = load_sweep("small.yaml")
    planned = plan(sweep, cells(sweep))
    with open_log(folder / "s.db") as log:
        log.prepare()
        tally = await _played(log, planned, None)
        assert (tally.code, tally.over) == (4, False) and len(tally.failures) + tally.played == 12


async def test_the_board_shows_each_cell_with_what_it_has_and_keeps_no_run_that_ended(folder: Path) -> None:
    sweep = load_sweep("small.yaml")
    planned = plan(sweep, cells(sweep))
    with open_log(folder / "s.db") as log:
        log.prepare()
        first = planned[:5]
        await play_all(still_to_play(log, "small", first)[0], log, "small", pool=ModelPool(), parallel=3)
        left, stood = still_to_play(log, "small", planned)
        board = CellBoard(planned, left)
        assert drawn(board)[-1].split()[:6] == ["0", "of", "4", "cells", "5/12", "runs"]
        assert drawn(board)[0].startswith("mechanism.capacity 50, cast greedy") and "2/3 runs" in drawn(board)[0]
        await play_all(left, log, "small", pool=ModelPool(), parallel=3, watch=board.begin, told=board.told)
    last = drawn(board)
    assert len(last) == 1 and last[0].split()[:6] == ["4", "of", "4", "cells", "12/12", "runs"]
    assert "tokens" in last[0] and "free" in last[0] and stood == 5


def drawn(board: CellBoard) -> list[str]:
    console = Console(width=160, file=io.StringIO())
    console.print(board.table())
    return console.file.getvalue().splitlines()


def test_a_dry_run_plays_nothing_and_counts_calls(folder: Path, capsys) -> None:
    assert main(["sweep", "small.yaml", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["cells"], told["runs"]) == (4, 12) and not (folder / "logs").exists()
    # three agents, two rounds, three seeds: talk, declare and act; the modest arm does not talk
    assert [line["calls"] for line in told["lines"]] == [3 * 3 * 2 * 3, 3 * 3 * 2 * 2] * 2


# The table


def test_the_table_says_for_every_cell_its_mean_and_its_paired_difference(folder: Path, capsys) -> None:
    assert main(["sweep", "small.yaml", "--workers", "1", "--json"]) == 0
    lines = [row for row in json.loads(capsys.readouterr().out)["lines"] if row["metric"] == "total_welfare"]
    by_label = {tuple(row["labels"].values()): row for row in lines}
    with open_log("sqlite:///logs/society.db") as log:
        for (capacity, cast), row in by_label.items():
            values = log.sql(
                "SELECT m.value FROM metric AS m JOIN run AS r ON r.id = m.run_id WHERE m.name = 'total_welfare'"
                " AND NOT m.without_defaulted AND r.cell LIKE :cell",
                {"cell": f'%"cast":"{cast}"%"mechanism.capacity":{capacity}%'},
            ).column("value")
            assert sorted(v["value"] for v in row["values"]) == sorted(values) and len(values) == 3
            assert row["mean"]["value"] == pytest.approx(sum(values) / 3)
    modest = by_label[100, "modest"]
    assert modest["against"] == {"mechanism.capacity": 100, "cast": "greedy"} and modest["comparison"]["paired"]
    assert modest["comparison"]["difference"]["value"] == pytest.approx(modest["mean"]["value"] - by_label[100, "greedy"]["mean"]["value"])  # fmt: skip
    assert "under-powered: with 3 pairs no p-value can fall below 0.25" in modest["comparison"]["note"]
    assert by_label[100, "greedy"]["comparison"] is None


def test_the_table_of_a_sweep_that_is_not_finished_says_what_is_missing(folder: Path, capsys) -> None:
    assert main(["sweep", "small.yaml", "--seeds", "0", "--workers", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["sweep", "small.yaml", "--table"]) == 0
    text = capsys.readouterr().out
    assert text.count("missing") == 2 and "total_welfare" in text
    assert len(held(folder)) == 4


@pytest.mark.postgres
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")
def test_a_sweep_on_two_processes_writes_into_postgresql(folder: Path, capsys) -> None:
    with running_server() as server:
        url = server.format(database="postgres")
        assert main(["sweep", "small.yaml", "--workers", "2", "--log", url, "--quiet"]) == 0
        with open_log(url) as log:
            assert len(log.runs(sweep="small")) == 12 and log.verify().sound
