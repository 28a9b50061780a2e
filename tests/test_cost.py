"""What models used, told by whatever one asks: exact sums, dated prices, and nothing unknown passed off as nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fault_server import completion, http
from handmade_run import manifest, question, reply
from provider import provider

from society.auditing import audit
from society.cli import main
from society.core.calls import Position
from society.log import open_log

LAKE = """
name: lake
rounds: 2
seeds: [7]
mechanism: {kind: common_pool, capacity: 100}
agents: [{name: Ann}, {name: Ben, model: cheap}, {name: Cy, policy: {kind: scripted, rule: sequence, actions: [5]}}]
stages: {talk: off}
models: {default: "openai:large", cheap: "openai:small"}
"""
SWEEP = """
name: priced
scenarios: [lake.yaml]
seeds: 0-1
axes:
  mechanism.capacity: [50, 100]
metrics: [total_welfare]
"""
PRICES = """
[prices."openai:large"]
input = 1000.0
output = 5000.0
as_of = 2026-11-01
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of 4 runs: in each, Ann and Ben declare and act twice; 12 tokens in and 6 out a call; Ben's price is not known."""
    folder = tmp_path_factory.mktemp("priced")
    answer = http(200, completion('{"action": 3, "intended": 3, "predicted": {}, "forecast": 3}'))
    with pytest.MonkeyPatch.context() as patch, provider(answer) as serving:
        patch.chdir(folder)
        patch.setenv("OPENAI_BASE_URL", serving.server.url)
        patch.setenv("OPENAI_API_KEY", "not-a-key")
        Path("lake.yaml").write_text(LAKE)
        Path("priced.yaml").write_text(SWEEP)
        Path("society.toml").write_text(PRICES)
        assert main(["sweep", "priced.yaml", "--quiet"]) == 0
    return folder


@pytest.fixture
def told(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(folder)

    def ask(*words: str) -> Any:
        capsys.readouterr()
        assert main(["cost", *words]) == 0
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in words else out

    return ask


def test_a_call_costs_what_the_price_table_said(told) -> None:
    """12 x 0.001 + 6 x 0.005 = 0.042 dollars a call."""
    found = told("--json")
    large, small = found["lines"]
    calls = large["answered"]
    assert calls == small["answered"] >= 4 * 2 * 2
    assert (large["model"], large["tokens_in"], large["tokens_out"]) == ("openai:large", 12 * calls, 6 * calls)
    assert large["usd"] == pytest.approx(0.042 * calls) and large["unpriced"] == 0
    assert (small["usd"], small["unpriced"]) == (None, calls)
    assert found["prices"] == [{"model": "openai:large", "as_of_first": "2026-11-01", "as_of_last": "2026-11-01"}]


@pytest.mark.parametrize("by", ["agent", "stage", "model", "cell", "scenario", "sweep", "run"])
def test_every_way_of_telling_adds_up_to_the_same(told, by: str) -> None:
    found, whole = told("--by", by, "--json"), told("--json")["total"]
    assert {name: value for name, value in found["total"].items() if name != "usd"} == {n: v for n, v in whole.items() if n != "usd"}  # fmt: skip
    assert found["total"]["usd"] == pytest.approx(whole["usd"])
    assert sum(line["answered"] for line in found["lines"]) == whole["answered"]
    assert all(line[by] for line in found["lines"])


def test_cells_are_told_by_their_arms_and_several_ways_cross(told) -> None:
    found = told("--sweep", "priced", "--by", "cell", "--by", "agent", "--json")["lines"]
    assert [(line["cell"], line["agent"]) for line in found] == [
        ("mechanism.capacity 100", "Ann"),
        ("mechanism.capacity 100", "Ben"),
        ("mechanism.capacity 50", "Ann"),
        ("mechanism.capacity 50", "Ben"),
    ]


def test_in_words_what_is_unknown_is_a_dash_and_sums_are_lower_bounds(told) -> None:
    text = told("--sweep", "priced")
    lines = text.splitlines()
    assert lines[3].split()[0] == "openai:small" and lines[3].split()[-1] == "-"
    assert lines[4].startswith("in all") and "at least" in lines[4]
    assert "answers have no known price and are in no sum" in text
    assert "prices of openai:large: as of 2026-11-01" in text


def test_the_sql_gives_the_same_rows(told, folder: Path) -> None:
    question_ = told("--by", "stage", "--sql")
    with open_log(folder / "logs/society.db") as log:
        rows = log.sql(question_).rows()
    assert [(row["stage"], row["answered"]) for row in rows] == [(line["stage"], line["answered"]) for line in told("--by", "stage", "--json")["lines"]]  # fmt: skip


def test_prices_stand_in_the_log_under_a_digest(folder: Path) -> None:
    with open_log(folder / "logs/society.db") as log:
        assert log.verify().faults == ()
        rows = log.frame("price").rows()
        assert len(rows) == 4 and {(row["model"], row["input"], row["output"], row["cached"], row["as_of"]) for row in rows} == {("openai:large", 1000, 5000, None, "2026-11-01")}  # fmt: skip


def test_verification_works_out_again_what_each_answer_cost(folder: Path) -> None:
    with open_log(folder / "logs/society.db") as log:
        found = asyncio.run(audit(log))
        priced = len(log.sql("SELECT 1 FROM model_call WHERE usd > 0").rows())
    assert found.report.faults == () and found.derived == len(found.report.runs) == 4 and priced >= 16


def test_a_mistake_is_told_with_its_mend(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folder)
    assert main(["cost", "--by", "modell"]) == 2
    assert "did you mean 'model'" in capsys.readouterr().err
    assert main(["cost", "--sweep", "prized"]) == 2
    assert "did you mean 'priced'" in capsys.readouterr().err


async def test_a_call_that_was_cut_off_is_in_no_sum_and_is_told(tmp_path: Path, capsys) -> None:
    with open_log(tmp_path / "s.db") as log:
        writer = log.start_run(manifest("openai:large"))
        for agent in (0, 1):
            await writer.issue(question(Position(1, "act", 0, agent)), reserved_usd=0.5)
        unusable = question(Position(2, "act", 0, 0))
        for charged in (False, True):  # an error of the provider, and an answer that was none
            tried = await writer.issue(unusable, reserved_usd=0.25)
            await writer.failed(unusable, tried, "no JSON", raw=b"<html>", charged=charged)
        asked = question(Position(1, "act", 0, 2))
        await writer.answered(asked, await writer.issue(asked, reserved_usd=0.5), reply("5"))
        await writer.finish("paused")
    assert main(["cost", "--log", str(tmp_path / "s.db")]) == 0
    assert "3 calls were sent and never answered; they may have been billed, at most $1.2500" in capsys.readouterr().out


def test_a_log_in_which_no_model_was_asked_says_so(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    with open_log("sqlite:///s.db") as log:
        log.prepare()
    assert main(["cost", "--log", "s.db"]) == 0
    assert "no model was asked" in capsys.readouterr().out
