"""The runs of a log, searched, filtered, sorted and cut into pages by the database.

Nothing that a reader asks for becomes SQL: values are parameters, columns come from a list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any
from urllib.parse import urlencode

from society.core.errors import BadInput
from society.log import Log
from society.metrics import METRICS

PER_PAGE = 50
MOST_PAGES = 1_000_000
HEADLINES = ("total_welfare", "welfare_efficiency", "survival", "gini", "over_use", "defaulted_share")
STATUSES = ("completed", "running", "paused", "interrupted", "invalid", "failed")
_OWN = {
    "run": "r.id", "scenario": "r.scenario", "models": "r.models", "seed": "r.seed", "status": "r.status",
    "rounds": "r.rounds_played", "calls": "r.calls", "usd": "r.usd",
}  # fmt: skip
SORTS = (*_OWN, *sorted(METRICS))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked of the table; empty words ask for nothing.

    Attributes:
        words: stand in the id, the scenario or the models.
        scenario, model, status, sweep: exactly these.
        sort: a column of `SORTS`; down: the largest first.
        page: counted from 1.
    """

    words: str = ""
    scenario: str = ""
    model: str = ""
    status: str = ""
    sweep: str = ""
    sort: str = "run"
    down: bool = True
    page: int = 1

    def address(self, **other: Any) -> str:  # Any: words, truths and numbers
        """The address of the table as asked, with some things otherwise."""
        asked = replace(self, **other)
        plain = Asked()
        named = {
            "q": asked.words, "scenario": asked.scenario, "model": asked.model, "status": asked.status,
            "sweep": asked.sweep,
        }  # fmt: skip
        given = {name: value for name, value in named.items() if value}
        if (asked.sort, asked.down) != (plain.sort, plain.down):
            given |= {"sort": asked.sort, "order": "down" if asked.down else "up"}
        if asked.page != 1:
            given["page"] = str(asked.page)
        return f"/?{urlencode(given)}" if given else "/"


def read_asked(given: dict[str, str]) -> Asked:
    """The question in the parameters of an address.

    Raises:
        BadInput: a parameter that makes no sense; it is named.
    """
    unknown = set(given) - {"q", "scenario", "model", "status", "sweep", "sort", "order", "page"}
    if unknown:
        raise BadInput(f"no parameter is called {min(unknown)[:40]!r}")
    for name, value in given.items():
        if len(value) > 400:
            raise BadInput(f"{name} is too long")
    sort, order, page = given.get("sort") or "run", given.get("order") or "down", given.get("page") or "1"
    status = given.get("status", "")
    if sort not in SORTS:
        raise BadInput(f"runs cannot be sorted by {sort[:40]!r}")
    if order not in ("up", "down"):
        raise BadInput("order is up or down")
    if not (page.isascii() and page.isdecimal() and 1 <= int(page[:9]) <= MOST_PAGES):
        raise BadInput(f"{page[:40]!r} is no page")
    if status and status not in STATUSES:
        raise BadInput(f"{status[:40]!r} is no status of a run")
    return Asked(
        given.get("q", ""), given.get("scenario", ""), given.get("model", ""), status, given.get("sweep", ""),
        sort, order == "down", int(page),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of the table; numbers are None where they are not known or do not apply."""

    id: str
    name: str
    scenario: str
    models: str
    seed: int
    status: str
    rounds: str
    calls: int
    usd: float | None
    sweep: str | None
    started: str
    headlines: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class RunsPage:
    """One page of the table.

    Attributes:
        found: how many runs fit; pages: how many pages they fill.
        columns: the metrics that `headlines` of the rows hold.
        scenarios, models, sweeps: what there is to choose from.
    """

    asked: Asked
    rows: tuple[RunRow, ...]
    found: int
    pages: int
    columns: tuple[str, ...]
    scenarios: tuple[str, ...]
    models: tuple[str, ...]
    sweeps: tuple[str, ...]


def runs_page(log: Log, asked: Asked) -> RunsPage:
    """What was asked for."""
    left = log.left_behind()
    where, values = _where(asked, left)
    found = int(log.sql(f"SELECT COUNT(*) FROM run AS r{where}", values).values[0][0])
    columns = HEADLINES if asked.sort in (*_OWN, *HEADLINES) else (*HEADLINES, asked.sort)
    by = _OWN.get(asked.sort, "m.value")
    join = ""
    if asked.sort not in _OWN:
        join = " LEFT JOIN metric AS m ON m.run_id = r.id AND m.name = :sorted AND m.without_defaulted = :no"
        values |= {"sorted": asked.sort, "no": False}
    way = "DESC" if asked.down else "ASC"
    page = log.sql(
        "SELECT r.id, r.name, r.scenario, r.models, r.seed, r.status, r.rounds_played, r.rounds_planned, r.calls, r.usd, r.sweep,"
        f" r.started FROM run AS r{join}{where} ORDER BY {by} IS NULL, {by} {way}, r.id DESC LIMIT :most OFFSET :first",
        {**values, "most": PER_PAGE, "first": (asked.page - 1) * PER_PAGE},
    ).rows()
    measured = _measured(log, [row["id"] for row in page])
    rows = tuple(
        RunRow(
            row["id"], row["name"], row["scenario"], row["models"], row["seed"],
            "interrupted" if row["id"] in left else row["status"],
            f"{row['rounds_played']} of {row['rounds_planned']}", row["calls"], row["usd"], row["sweep"], row["started"],
            tuple(measured.get((row["id"], name)) for name in columns),
        )
        for row in page
    )  # fmt: skip
    models = {model for line in _column(log, "models") for model in line.split(",")}
    return RunsPage(
        asked, rows, found, max(1, ceil(found / PER_PAGE)), columns,
        _column(log, "scenario"), tuple(sorted(models)), _column(log, "sweep"),
    )  # fmt: skip


def _where(asked: Asked, left: frozenset[str]) -> tuple[str, dict[str, Any]]:  # Any: SQL values
    parts: list[str] = []
    values: dict[str, Any] = {}  # Any: SQL values
    if asked.words:
        for place, word in enumerate(asked.words.split()[:8]):
            sought = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values[f"word{place}"] = f"%{sought}%"
            parts.append(f"LOWER(r.id || ' ' || r.scenario || ' ' || r.models) LIKE :word{place} ESCAPE '\\'")
    for name, value in (("scenario", asked.scenario), ("sweep", asked.sweep)):
        if value:
            parts.append(f"r.{name} = :{name}")
            values[name] = value
    if asked.model:
        sought = asked.model.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        parts.append("',' || r.models || ',' LIKE :model ESCAPE '\\'")
        values["model"] = f"%,{sought},%"
    if asked.status in ("running", "interrupted") and left:
        names = {f"left{place}": run for place, run in enumerate(sorted(left))}
        listed = ", ".join(f":{name}" for name in names)
        values |= names
        parts.append(
            f"(r.status = 'interrupted' OR r.id IN ({listed}))"
            if asked.status == "interrupted"
            else f"r.status = 'running' AND r.id NOT IN ({listed})"
        )
    elif asked.status:
        parts.append("r.status = :status")
        values["status"] = asked.status
    return (" WHERE " + " AND ".join(parts) if parts else ""), values


def _measured(log: Log, ids: list[str]) -> dict[tuple[str, str], float | None]:
    if not ids:
        return {}
    named = {f"id{place}": run for place, run in enumerate(ids)}
    found = log.sql(
        f"SELECT run_id, name, value FROM metric WHERE run_id IN ({', '.join(f':{n}' for n in named)})"
        " AND without_defaulted = :no",
        {**named, "no": False},
    )
    return {(run, name): value for run, name, value in found.values}


def _column(log: Log, name: str) -> tuple[str, ...]:
    found = log.sql(f"SELECT DISTINCT {name} FROM run WHERE {name} IS NOT NULL ORDER BY {name}")
    return tuple(str(row[0]) for row in found.values)
