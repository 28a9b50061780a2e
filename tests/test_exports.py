"""Runs taken out of a log: every row, in every form, described, and harmless where it lands."""

from __future__ import annotations

import csv
import json
import re
import sys
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from handmade_run import events, play
from hypothesis import given
from hypothesis import strategies as st

import society
from society.cli import main
from society.core.errors import BadInput, MissingExtra
from society.core.events import Spoke
from society.core.policy import Draft
from society.exports import export
from society.exports.files import WRITERS, write_csv, write_jsonl
from society.log import Frame, Log, open_log
from society.views.charts.drawing import Chart, Drawing

FORMULA = '=HYPERLINK("http://evil","x")'
BROKEN = 'one\r\n{"forged": true}\u2028two\x85three\ud800\x00'


@pytest.fixture
async def log(tmp_path: Path):
    """Two runs of hand-made words, one of them hostile, the second unfinished."""
    hostile = list(events("openai:large"))
    place = next(k for k, event in enumerate(hostile) if isinstance(event, Spoke))
    hostile[place] = replace(hostile[place], messages=(Draft(None, FORMULA), Draft(None, BROKEN)))
    with open_log(tmp_path / "society.db") as opened:
        for told, ends in ((hostile, True), (hostile[:-1], False)):
            writer = opened.start_run(told[0], command="society run lake")
            await play(writer, told)
            await writer.finish("completed" if ends else "paused")
        yield opened


def ids(log: Log) -> list[str]:
    return [run.id for run in log.runs()]


def jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def as_json(value):
    return b64encode(value).decode() if isinstance(value, bytes) else value


def test_every_table_holds_exactly_the_rows_of_the_log(log: Log, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    export(log, ids(log), tmp_path / "out", formats=list(WRITERS))
    tables = [name for name in log.tables if name not in ("log_info", "dictionary")]
    for name in tables:
        wanted = [{key: as_json(cell) for key, cell in row.items()} for row in log.frame(name).rows()]
        found = jsonl(tmp_path / f"out/tables/{name}.jsonl")
        order = json.dumps
        assert sorted(found, key=order) == sorted(wanted, key=order), name
        frame = polars.read_parquet(tmp_path / f"out/tables/{name}.parquet")
        assert (frame.height, frame.columns) == (len(wanted), list(log.tables[name])), name
        with (tmp_path / f"out/tables/{name}.csv").open(newline="", encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == len(wanted), name


def test_columns_have_types_even_where_every_cell_is_null(log: Log) -> None:
    polars = pytest.importorskip("polars")
    kinds = dict(log.frame("intent_outcome").to_polars().schema)
    assert (kinds["meant"], kinds["announced_amount"]) == (polars.Float64, polars.Float64)
    assert (kinds["collapsed"], kinds["round"], kinds["agent"]) == (polars.Boolean, polars.Int64, polars.String)
    for name in log.tables:
        frame = log.frame(name)
        for row in frame:
            for column, cell in row.items():
                kind = frame.types[column]
                assert cell is None or isinstance(cell, (int, float) if kind is float else kind), (name, column, cell)


def test_one_run_is_exported_without_the_rows_of_another(log: Log, tmp_path: Path) -> None:
    first = ids(log)[0]
    export(log, [first], tmp_path / "out", formats=["jsonl"])
    for path in (tmp_path / "out/tables").iterdir():
        for row in jsonl(path):
            assert row.get("run_id", row.get("run", row.get("id", first))) == first, path.name


def test_prompts_come_with_the_calls_that_use_them_each_once(log: Log, tmp_path: Path) -> None:
    export(log, ids(log), tmp_path / "out", formats=["jsonl"], tables=["prompt", "model_call", "answer_schema"])
    prompts = [row["hash"] for row in jsonl(tmp_path / "out/tables/prompt.jsonl")]
    used = {row["prompt"] for row in jsonl(tmp_path / "out/tables/model_call.jsonl")}
    assert used and used <= set(prompts) and len(prompts) == len(set(prompts)) == len(log.frame("prompt"))
    assert sorted(p.name for p in (tmp_path / "out/tables").iterdir()) == [
        "answer_schema.jsonl", "model_call.jsonl", "prompt.jsonl",
    ]  # fmt: skip


def test_words_can_neither_break_a_record_nor_become_a_formula(log: Log, tmp_path: Path) -> None:
    export(log, ids(log)[:1], tmp_path / "out", formats=["csv", "jsonl"], tables=["message"])
    told = [row["text"] for row in jsonl(tmp_path / "out/tables/message.jsonl")]
    assert FORMULA in told and BROKEN in told
    text = (tmp_path / "out/tables/message.jsonl").read_text("utf-8")
    assert len(text.splitlines()) == len(told) and text.isascii()
    with (tmp_path / "out/tables/message.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["text"] for row in csv.DictReader(file)]
    assert "'" + FORMULA in cells and len(cells) == len(told)


@given(st.lists(st.tuples(st.none() | st.text(), st.none() | st.integers(), st.booleans(), st.binary()), max_size=5))
def test_any_row_survives_jsonl_and_keeps_its_place_in_csv(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.mktemp("files")
    frame = Frame(["words", "number", "truth", "bytes"], rows)
    assert write_jsonl([frame], folder / "a.jsonl") == len(rows) == write_csv([frame], folder / "a.csv")
    assert [tuple(row.values())[:3] for row in jsonl(folder / "a.jsonl")] == [row[:3] for row in rows]
    with (folder / "a.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [row["number"] for row in read] == ["" if row[1] is None else str(row[1]) for row in rows]
    assert not any(row["words"].startswith(("=", "@", "\t", "\r")) for row in read)


def test_exact_negative_fractions_are_no_formulas(tmp_path: Path) -> None:
    write_csv([Frame(["value_text"], [("-2/5",), ("-3",), ("+1e3",), ("-x",), ("-2/x",)])], tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().split() == ["value_text", "-2/5", "-3", "+1e3", "'-x", "'-2/x"]


def test_the_readme_names_the_runs_with_their_heads_and_describes_every_column(log: Log, tmp_path: Path) -> None:
    export(log, ids(log), tmp_path / "out", formats=["jsonl"])
    page = (tmp_path / "out/README.md").read_text("utf-8")
    for run in log.runs():
        assert run.id in page and run.head in page and run.status in page
    for name, columns in log.tables.items():
        if name not in ("log_info", "dictionary"):
            section = page.split(f"### {name}\n")[1].split("\n### ")[0]
            for column in columns:
                line = next(line for line in section.splitlines() if line.startswith(f"| {column} |"))
                assert len(line.split("|")[3].strip()) > 2, line
    assert page.startswith("---\nconfigs:\n") and "config_name: intent_outcome" in page


def test_an_export_of_the_same_runs_is_the_same_bytes(log: Log, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(log, ids(log), tmp_path / name, formats=["csv", "jsonl"])
    for path in sorted((tmp_path / "a").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path


def test_a_folder_in_use_is_left_alone_unless_it_is_meant(log: Log, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"not empty.*--force"):
        export(log, ["last"], tmp_path / "out", formats=["jsonl"])
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]
    export(log, ["last"], tmp_path / "out", formats=["jsonl"], force=True)
    assert (tmp_path / "out/mine.txt").read_text() == "mine" and (tmp_path / "out/README.md").exists()
    with pytest.raises(BadInput, match="is a file"):
        export(log, ["last"], tmp_path / "out/mine.txt")


@pytest.mark.parametrize(
    ("how", "mend"),
    [
        ({"formats": ["parkett"]}, "did you mean 'parquet'"),
        ({"tables": ["intents"]}, "did you mean 'intent'"),
        ({"runs": ["nobody"]}, "no run 'nobody'"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(log: Log, tmp_path: Path, how: dict, mend: str) -> None:
    arguments = {"runs": ["last"], "to": tmp_path / "out"} | how
    with pytest.raises(BadInput, match=mend):
        export(log, **arguments)
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_told_and_stops_only_who_asked_for_it(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtra, match=r"society-sandbox\[analysis\]"):
        export(log, ["last"], tmp_path / "named", formats=["parquet"])
    done = export(log, ["last"], tmp_path / "all")
    assert any("[analysis]" in reason for reason in done.left_out)
    assert any("[inspect]" in reason for reason in done.left_out)
    assert (tmp_path / "all/tables/run.csv").exists()
    assert "not written: parquet" in (tmp_path / "all/README.md").read_text()


def test_an_inspect_log_is_read_by_inspect_itself(log: Log, tmp_path: Path) -> None:
    reading = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed")
    export(log, ids(log), tmp_path / "out", formats=["inspect"])
    (path,) = (tmp_path / "out").glob("*.eval")
    found = reading.read_eval_log(str(path))
    assert (found.status, found.eval.task, found.eval.model) == ("cancelled", "lake", "openai:large")
    assert [(sample.id, sample.epoch) for sample in found.samples] == [("lake-1", 1), ("lake-1", 2)]
    first = found.samples[0]
    assert next(m.text for m in first.messages if m.role == "assistant").endswith(FORMULA)
    calls = [event for event in first.events if event.event == "model"]
    assert len(calls) == len(log.calls(ids(log)[0])) and all(call.input for call in calls)
    rounds = [event.name for event in first.events if event.event == "span_begin"]
    assert rounds == ["round 1", "round 2"]
    metric = {row["name"]: row["value"] for row in log.frame("metric", run=ids(log)[0]) if not row["without_defaulted"]}
    told = {name: score.value for name, score in first.scores.items()}
    assert told["total_welfare"] is not None and all(told[name] == value for name, value in metric.items() if value is not None and name in told)  # fmt: skip


def test_the_command_exports_what_was_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From playing to the folder, with the decomposition in it although nobody asked for it before."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", "fishery", "--model", "mock:liar", "--seeds", "1-2", "--quiet"]) == 0
    assert main(["export", "--all", "--to", "out", "--json", *(f"--format={name}" for name in ("csv", "jsonl"))]) == 0
    told = json.loads(capsys.readouterr().out.split("\n{", 1)[1].join(["{", ""]))
    assert told["folder"] == "out" and set(told["files"]) == {"README.md", "tables/*.csv", "tables/*.jsonl"}
    runs = {row["id"] for row in jsonl(tmp_path / "out/tables/run.jsonl")}
    assert len(runs) == 2
    assert {row["run_id"] for row in jsonl(tmp_path / "out/tables/gap_term.jsonl")} == runs
    assert main(["export", "last", "--to", "out"]) == 2
    assert "--force" in capsys.readouterr().err


def test_the_page_and_the_figures_of_a_run_stand_in_the_folder(tmp_path: Path) -> None:
    with open_log(tmp_path / "s.db") as log:
        run = society.play_sync(society.load("fishery"), model="mock:liar", seed=1, log=log)
        done = export(log, ["last"], tmp_path / "out", formats=["html", "svg"])
        drawn = {chart.name for chart in run.charts()}
    page = (tmp_path / f"out/{run.id}.html").read_text("utf-8")
    assert "My fair share is 10" in page and "<svg" in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:|//)""", page)
    figures = {path.stem: path.read_text("utf-8") for path in (tmp_path / f"out/figures/{run.id}").glob("*.svg")}
    assert set(figures) == drawn >= {"timeline", "gap-goal", "gap-welfare", "surprise"}
    for name, svg in figures.items():
        assert ElementTree.fromstring(svg).tag.endswith("svg"), name
    assert set(done.files) == {"README.md", "RUN.html", "figures/RUN/*.svg"}


def test_a_figure_is_saved_for_a_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = Drawing(40, 20)
    drawing.text(2, 12, "fish & chips")
    chart = Chart("one", "One", "A figure.", drawing.svg("one", "One", "A figure."))
    chart.save(tmp_path / "one.svg")
    assert "fish &amp; chips" in (tmp_path / "one.svg").read_text()
    with pytest.raises(BadInput, match=r"saved as \.svg, \.pdf or \.png"):
        chart.save(tmp_path / "one.jpg")
    pytest.importorskip("vl_convert", reason="vl-convert is not installed")
    chart.save(tmp_path / "one.pdf")
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF-")
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtra, match=r"society-sandbox\[plot\]"):
        chart.save(tmp_path / "two.pdf")
    assert not (tmp_path / "two.pdf").exists()
