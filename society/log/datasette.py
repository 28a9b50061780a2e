"""What datasette needs to show a log well: descriptions, labels, facets, and the ready questions."""

from __future__ import annotations

from society.core.exact import Json
from society.log.layout import dictionary
from society.log.questions import QUESTIONS

_LABELS = {"run": "name", "agent": "name"}
_FACETS = {
    "run": ("scenario", "models", "status"),
    "run_summary": ("scenario", "models", "status"),
    "intent_outcome": ("scenario", "agent", "action_status"),
    "model_call": ("stage", "status", "model"),
    "rule_event": ("event", "rule"),
    "action": ("status",),
    "event": ("kind",),
    "gap_term": ("yardstick", "chain", "term"),
}
_INNER = ("log_info", "dictionary", "derived", "prompt", "answer_schema")


def metadata(database: str) -> dict[str, Json]:
    """Metadata for one log.

    Args:
        database: how datasette calls it: the file's name without its ending.
    """
    meanings: dict[str, dict[str, str]] = {}
    for table, column, meaning in dictionary():
        meanings.setdefault(table, {})[column] = meaning
    tables: dict[str, Json] = {name: _table(name, columns) for name, columns in meanings.items()}
    queries: dict[str, Json] = {
        question.name: {
            "title": question.asks,
            "description": question.reading,
            "sql": question.sql.strip(),
            **({"params": ["run"]} if question.of_one_run else {}),
        }
        for question in QUESTIONS
    }
    return {
        "title": "society",
        "description": "What agents privately meant, what they did, and what came of it for all. Start with intent_outcome.",
        "databases": {database: {"tables": tables, "queries": queries}},
    }


def _table(name: str, columns: dict[str, str]) -> Json:
    shown: dict[str, Json] = {
        "description": columns[""],
        "columns": {column: meaning for column, meaning in columns.items() if column},
        "size": 50,
    }
    if name in _LABELS:
        shown["label_column"] = _LABELS[name]
    if name in _FACETS:
        shown["facets"] = list(_FACETS[name])
    if name == "run":
        shown["sort_desc"] = "started"
    if name in _INNER:
        shown["hidden"] = True
    return shown
