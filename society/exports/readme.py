"""The page of an export that says what every file and every column holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from society import __version__
from society.log import RunInfo
from society.log.column_types import column_types
from society.log.layout import dictionary
from society.views.tables import markdown_table, value

_TYPES = {str: "text", int: "whole number", float: "number", bool: "truth value", bytes: "bytes"}


def readme(
    runs: Sequence[RunInfo], files: Mapping[str, str], sheets: Mapping[str, int], left_out: Sequence[str]
) -> str:
    """The page, in markdown; its head lets dataset viewers find the tables.

    Args:
        runs: what was exported.
        files: what each file holds that is no table.
        sheets: how many rows each table has; the file endings stand in `files`.
        left_out: what could not be written, each with its mend.
    """
    parts = [
        *_front_matter(files, sheets),
        "# Runs of *society*\n",
        "What agents privately meant, what they did, and what came of it for all. Start with `intent_outcome`.\n",
        _runs(runs),
        "\nThe head is the hash of a run's last event: it names the whole run. Keep it elsewhere, and whoever holds the log",
        "can check it with `society verify RUN --head HEAD`. The events with their hashes are in the table `event`.\n",
        "## Files\n",
        *(f"- `{name}`: {meaning}" for name, meaning in files.items()),
        *(f"- not written: {reason}" for reason in left_out),
        "\nNull means *not stated* or *does not apply*, never zero; in CSV it is an empty cell. Columns that end in `_text`",
        "hold exact values, such as `2/5`, beside a number for queries. In CSV, an apostrophe stands before words that a",
        "spreadsheet would take for a formula; bytes are in base64 in CSV and JSONL. Words of agents are verbatim.\n",
        "## Tables\n",
        *(_table(name, rows) for name, rows in sheets.items()),
        f"\nWritten by society {__version__}.",
    ]
    return "\n".join(parts) + "\n"


def _front_matter(files: Mapping[str, str], sheets: Mapping[str, int]) -> list[str]:
    ending = next((e for e in ("parquet", "jsonl", "csv") if any(name.endswith(f".{e}") for name in files)), None)
    if ending is None:
        return []
    named = [f"- config_name: {name}\n  data_files: tables/{name}.{ending}" for name, rows in sheets.items() if rows]
    return ["---", "configs:", *named, "---\n"] if named else []


def _runs(runs: Sequence[RunInfo]) -> str:
    return markdown_table(
        [
            {
                "run": run.id,
                "scenario": run.scenario,
                "models": run.models,
                "seed": str(run.seed),
                "status": run.status,
                "rounds": f"{run.rounds_played}/{run.rounds_planned}",
                "head": run.head,
            }
            for run in runs
        ]
    )


def _table(name: str, rows: int) -> str:
    meanings = {(table, column): meaning for table, column, meaning in dictionary()}
    columns = [
        {"column": column, "type": _TYPES[kind], "meaning": meanings[name, column]}
        for column, kind in column_types()[name].items()
    ]
    count = f"{value(rows)} row{'' if rows == 1 else 's'}"
    return f"### {name}\n\n{meanings[name, '']} ({count})\n\n{markdown_table(columns)}\n"
