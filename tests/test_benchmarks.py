"""The benchmarks run: each in its short form, which says nothing about speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.page import write_page
from benchmarks.results import Benchmark, Measured, Result, at_least, at_most, middle
from benchmarks.suite import BENCHMARKS

LONG = {"thousand", "log_share", "mock", "sweep", "peers"}
NAMES = [pytest.param(one.name, marks=pytest.mark.slow if one.name in LONG else ()) for one in BENCHMARKS]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_yields_numbers_with_names_and_units(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--short", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)[name]
    assert rows
    for row in rows:
        assert row["name"]
        assert row["value"] is None or row["value"] >= 0
        assert row["value"] is not None or row["note"]


def test_an_unknown_name_is_refused_and_the_known_ones_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["htpt"]) == 2
    assert "http" in capsys.readouterr().err


def test_a_target_is_met_on_its_bound_and_missed_beyond_it() -> None:
    assert Result("wall", 1.10, "x", at_most(1.10)).met
    assert Result("wall", 1.11, "x", at_most(1.10)).met is False
    assert Result("rate", 9, "1/s", at_least(10)).met is False
    assert Result("rate", None, "1/s", at_least(10)).met is None
    assert middle("wall", [1.0, 9.0, 1.2], "s").value == 1.2


def test_the_page_shows_every_number_beside_its_target_and_keeps_what_was_not_measured_again(tmp_path: Path) -> None:
    def measured(name: str, *values: float) -> Measured:
        benchmark = Benchmark(name, "one line", lambda size: iter(()))
        return Measured(benchmark, (middle("wall", values, "x", at_most(1.1), "of two"),))

    page, names = tmp_path / "performance.md", ("http", "rules")
    write_page([measured("rules", 1.25, 1.2, 9)], names, page)
    write_page([measured("http", 1.05)], names, page)
    again = page.read_text()
    assert "| wall (of two) | 1.25 | x | ≤ 1.1 MISSED |\n\nMedians of 3." in again
    assert "| wall (of two) | 1.05 | x | ≤ 1.1 met |\n\nOne run." in again
    assert again.index("## http") < again.index("## rules") < again.index("## How it is measured")
    write_page([], names, page)
    absent = Result("peer: wall", None, "", note="skipped: pip install peer")
    write_page([Measured(Benchmark("http", "one line", lambda size: iter(())), (absent,))], names, page)
    assert page.read_text() == again
