"""A comparison of arms as tables for other tools: what it came to, and the value of every run it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from society.core.exact import Json
from society.exports.files import WRITERS
from society.log.frame import Frame
from society.views.arms import Line
from society.views.comparing import lines_json

Row = dict[str, Any]  # Any: cells of a table
_LINE: dict[str, type] = {
    "metric": str, "runs": int, "units": int, "unit_is": str, "invalid": int, "missing": int,
    "mean": float, "mean_low": float, "mean_high": float, "mean_method": str,
    "bca_low": float, "bca_high": float, "bca_method": str,
    "against": str, "paired": bool, "compared": int, "left_out": int,
    "difference": float, "difference_low": float, "difference_high": float, "difference_method": str,
    "difference_bca_low": float, "difference_bca_high": float,
    "p": float, "p_holm": float, "test": str, "exact": bool, "smallest_p": float,
    "effect": float, "effect_is": str, "detectable": float, "note": str,
}  # fmt: skip
"""What is told of an arm under a metric, after its labels."""
_VALUE: dict[str, type] = {"metric": str, "run": str, "seed": int, "unit": str, "value": float}
"""What is told of a run under a metric, after the labels of its arm."""


def write_comparison(tables: Sequence[Sequence[Line]], file: Path) -> list[Path]:
    """Write a line an arm and metric into a file, and a line a run and metric into one beside it (`NAME-runs`).

    Args:
        tables: the lines of each metric, as `society.views.arms.lines_of` gives them.
        file: ends in .csv, .jsonl or .parquet.

    Raises:
        MissingExtra: Parquet needs polars.
    """
    told = [row for lines in tables for row in lines_json(lines)]
    axes = list(dict.fromkeys(axis for row in told for axis in _map(row["labels"])))
    beside = file.with_stem(f"{file.stem}-runs")
    write = WRITERS[file.suffix.removeprefix(".")]
    write([_frame([_line(row) for row in told], axes, _LINE)], file)
    write([_frame([value for row in told for value in _values(row)], axes, _VALUE)], beside)
    return [file, beside]


def _line(row: Mapping[str, Json]) -> Row:
    mean, bca, found = _map(row["mean"]), _map(row["bootstrap"]), _map(row["comparison"])
    gap, gap_bca, test = _map(found.get("difference")), _map(found.get("bootstrap")), _map(found.get("test"))
    against = _map(row["against"])
    return {
        **{name: row[name] for name in ("metric", "labels", "runs", "units", "unit_is", "invalid", "missing", "p_holm")},
        **{name: found.get(name) for name in ("paired", "left_out", "effect", "detectable")},
        "mean": mean.get("value"), "mean_low": mean.get("low"), "mean_high": mean.get("high"),
        "mean_method": mean.get("method"),
        "bca_low": bca.get("low"), "bca_high": bca.get("high"), "bca_method": bca.get("method"),
        "against": ", ".join(f"{axis} {label}" for axis, label in against.items()) or None,
        "compared": found.get("runs"),
        "difference": gap.get("value"), "difference_low": gap.get("low"), "difference_high": gap.get("high"),
        "difference_method": gap.get("method"),
        "difference_bca_low": gap_bca.get("low"), "difference_bca_high": gap_bca.get("high"),
        "p": test.get("p"), "test": test.get("method"), "exact": test.get("exact"), "smallest_p": test.get("smallest"),
        "effect_is": found.get("effect_name"), "note": found.get("note") or None,
    }  # fmt: skip


def _values(row: Mapping[str, Json]) -> list[Row]:
    values = row["values"]
    assert isinstance(values, list), "lines_json lists the value of each run"
    return [{"metric": row["metric"], "labels": row["labels"], **_map(value)} for value in values]


def _frame(rows: Sequence[Row], axes: Sequence[str], columns: Mapping[str, type]) -> Frame:
    """The rows with a column for each axis before the others; an axis called like one of these gets a mark."""
    named = {axis: axis if axis not in columns else f"{axis} (axis)" for axis in axes}
    values = [
        [None if (label := row["labels"].get(axis)) is None else str(label) for axis in axes]
        + [row[c] for c in columns]
        for row in rows
    ]
    types = {**dict.fromkeys(named.values(), str), **columns}
    return Frame([*named.values(), *columns], values, types=types)


def _map(value: Json) -> dict[str, Any]:  # Any: as above
    return dict(value) if isinstance(value, Mapping) else {}
