"""Whatever a sweep exports, every interval and p-value can be computed again from it with other packages."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from recomputed import Arms, Value, check, check_survival, read

from society.cli import main
from society.exports.comparison import write_comparison
from society.log.reader import RunInfo
from society.views.arms import arm_of, lines_of
from society.views.comparing import lines_text

LAKE = """
name: lake
rounds: 4
seeds: [7]
mechanism: {kind: common_pool, capacity: 60}
agents: [{name: Ann}, {name: Ben}, {name: Cy}]
stages: {talk: off}
models: {default: "mock:random"}
"""
SWEEP = """
name: noisy
scenarios: [lake.yaml]
seeds: 0-6
replicates: 2
seats: rotated
axes:
  mechanism.capacity: [60, 90, 400]
  cast:
    random: {}
    mixed: {agents: [{name: Ann}, {name: Ben, policy: {kind: scripted, rule: sequence, actions: [5]}}, {name: Cy}]}
    modest: {models.default: "mock:sustainable"}
baseline: {cast: random}
metrics: [total_welfare, survival, gini]
"""


def title(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis} {label}" for axis, label in sorted(labels.items()))


# A whole sweep, from the tables of its log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with noise in it, what its commands wrote, and the tables of its log as `society export` writes them."""
    folder = tmp_path_factory.mktemp("noisy")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.chdir(folder)
        Path("lake.yaml").write_text(LAKE)
        Path("noisy.yaml").write_text(SWEEP)
        assert main(["sweep", "noisy.yaml", "--workers", "1", "--quiet", "-o", "table.csv"]) == 0
        for ending in ("parquet", "jsonl"):
            assert main(["sweep", "noisy.yaml", "--table", "-o", f"table.{ending}"]) == 0
        tables = [word for name in ("run", "metric", "outcome") for word in ("--table", name)]
        assert main(["export", "--all", "--to", "out", "-f", "csv", "-f", "parquet", *tables]) == 0
        out.seek(0)
        out.truncate()
        assert main(["sweep", "noisy.yaml", "--table", "--json"]) == 0
        Path("told.json").write_text(out.getvalue())
    return folder


def exported(folder: Path, form: str, metric: str) -> Arms:
    """The value of every run of the sweep, from the exported tables alone."""
    values = {
        row["run_id"]: row["value"]
        for row in read(folder / f"out/tables/metric.{form}")
        if row["name"] == metric and row["without_defaulted"] in (False, "false")
    }
    arms: dict[str, list[Value]] = {}
    for run in read(folder / f"out/tables/run.{form}"):
        if run["sweep"] == "noisy" and run["status"] == "completed":
            arms.setdefault(title(json.loads(run["cell"])["axes"]), []).append(Value(run["seed"], values[run["id"]]))
    return arms


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("metric", ["total_welfare", "survival", "gini"])
def test_every_number_of_a_sweep_s_table_follows_from_the_tables_of_its_log(
    folder: Path, form: str, metric: str
) -> None:
    arms = exported(folder, "csv" if form == "csv" else "parquet", metric)
    rows = [row for row in read(folder / f"table.{form}") if row["metric"] == metric]
    named = [({axis: row[axis] for axis in ("cast", "mechanism.capacity")}, row) for row in rows]
    told = {title(labels): row for labels, row in named}
    assert len(told) == 9 and all(len(runs) == 14 for runs in arms.values())
    against = {title(x): title({**x, "cast": "random"}) for x, row in named if x["cast"] != "random"}
    for labels, row in named:
        wanted = f"mechanism.capacity {labels['mechanism.capacity']}, cast random"
        assert row["against"] == (None if labels["cast"] == "random" else wanted)
    check(arms, against, told)


def test_the_values_of_runs_that_stand_beside_a_table_are_those_of_the_log(folder: Path) -> None:
    for form in ("csv", "parquet"):
        rows = read(folder / f"table-runs.{form}")
        assert len(rows) == 3 * 9 * 14
        for metric in ("total_welfare", "survival", "gini"):
            arms = exported(folder, form, metric)
            for name, runs in arms.items():
                mine = [r for r in rows if r["metric"] == metric and title({axis: r[axis] for axis in ("cast", "mechanism.capacity")}) == name]  # fmt: skip
                assert sorted((r["seed"], r["value"]) for r in mine) == sorted((run.seed, run.value) for run in runs)


def test_the_survival_of_commons_follows_from_their_outcomes(folder: Path) -> None:
    lives: dict[str, tuple[int, bool]] = {}
    for row in read(folder / "out/tables/outcome.parquet"):
        before = lives.get(row["run_id"], (0, False))
        if not before[1]:
            lives[row["run_id"]] = (row["round"], bool(row["collapsed"]))
    told = {title(arm["labels"]): arm for arm in json.loads((folder / "told.json").read_text())["survival"]}
    arms: dict[str, list[tuple[int, bool]]] = {}
    for run in read(folder / "out/tables/run.parquet"):
        arms.setdefault(title(json.loads(run["cell"])["axes"]), []).append(lives[run["id"]])
    assert set(arms) == set(told) and any(arm["curve"] for arm in told.values())
    for name, lived in arms.items():
        check_survival(lived, told[name])


# Tables nobody has played: few runs, ties, nothing that varies, failed cells, seeds that only some arms have


class Book:
    """Just the tables that arms are read from, in memory."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.row_factory = sqlite3.Row
        self.db.execute("CREATE TABLE metric (run_id, name, without_defaulted, value)")
        self.db.execute("CREATE TABLE outcome (run_id, round, collapsed, stock_before)")

    def sql(self, question: str, values: Mapping[str, Any]) -> list[sqlite3.Row]:
        return self.db.execute(question, dict(values)).fetchall()


def info(number: int, seed: int, status: str, cell: dict[str, Any]) -> RunInfo:
    fields = dict.fromkeys(RunInfo.__dataclass_fields__)
    return RunInfo(**{**fields, "id": f"r{number}", "scenario": "lake", "seed": seed, "status": status, "cell": json.dumps(cell)})  # type: ignore[arg-type]  # fmt: skip


numbers = st.one_of(
    st.none(),
    st.integers(0, 3).map(float),
    st.sampled_from([0.1, 0.2, 0.3, 0.1 + 0.2]),
    st.integers(-640_000, 640_000).map(lambda k: k / 64),
)
statuses = st.sampled_from(["completed"] * 8 + ["invalid", "failed", "paused"])


@st.composite
def sweeps(draw: st.DrawFn) -> list[list[tuple[int, str, float | None]]]:
    """For each of a few arms, its runs: seed, status, value. Sometimes all values are alike, or all differ by one number."""
    kind = draw(st.sampled_from(["any", "few", "shifted", "flat", "apart", "one seed"]))
    seeds = range(1) if kind == "one seed" else range(draw(st.sampled_from([1, 2, 3, 8, 20])))
    first = {seed: draw(numbers) for seed in seeds}
    arms = []
    for arm in range(draw(st.integers(2, 4))):
        mine = [seed + (100 * arm if kind == "apart" else 0) for seed in seeds]
        if kind == "few":
            mine = [seed for seed in mine if draw(st.booleans())]
        runs = []
        for seed in mine:
            for _ in range(draw(st.integers(1, 3)) if kind in ("one seed", "any") else 1):
                value: float | None = {"flat": 0.3, "shifted": (first.get(seed) or 0) + 0.1 * arm}.get(
                    kind, draw(numbers)
                )
                runs.append((seed, draw(statuses), value))
        arms.append(runs)
    return arms


@settings(deadline=None, max_examples=30, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(sweeps())
@example(
    arms=[[(0, "completed", 1.0), (0, "completed", None)], [(0, "completed", 0.3)]]
)  # one of two repetitions has no value
def test_tables_nobody_has_played_agree_with_scipy_and_statsmodels(tmp_path_factory: Any, arms: list[Any]) -> None:
    book, number = Book(), 0
    made, values = [], {}
    for place, runs in enumerate(arms):
        infos = []
        for seed, status, value in runs:
            number += 1
            infos.append(info(number, seed, status, {"axes": {"arm": place}}))
            book.db.execute("INSERT INTO metric VALUES (?, 'gini', 0, ?)", (f"r{number}", value))
        made.append(arm_of(book, {"place": place}, infos, ("gini",)))
        values[f"place {place}"] = [Value(seed, value) for seed, status, value in runs if status == "completed"]
        assert made[-1].invalid == sum(status == "invalid" for _, status, _ in runs)
        assert made[-1].missing == sum(status in ("failed", "paused") for _, status, _ in runs)
    lines = lines_of(made, "gini", dict.fromkeys(range(1, len(made)), 0))
    assert lines_text(lines)
    file = tmp_path_factory.mktemp("table") / "table.csv"
    write_comparison([lines], file)
    told = {f"place {row['place']}": row for row in read(file)}
    check(values, {name: "place 0" for name in told if name != "place 0"}, told)


def test_seeds_that_only_one_arm_has_are_named_under_the_table_and_too_few_pairs_too() -> None:
    book, made = Book(), []
    for place, seeds in enumerate((range(4), range(2, 6))):
        infos = [info(10 * place + seed, seed, "completed", {"axes": {"arm": place}}) for seed in seeds]
        book.db.executemany("INSERT INTO metric VALUES (?, 'gini', 0, ?)", [(one.id, one.seed / 8) for one in infos])
        made.append(arm_of(book, {"place": place}, infos, ("gini",)))
    text = lines_text(lines_of(made, "gini", {1: 0}))
    assert "seeds left out of a difference, for want of a partner or a value: place 1 (4)" in text
    assert "under-powered: with 2 pairs no p-value can fall below 0.5" in text
