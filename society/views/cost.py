"""What models used: calls, tokens and US dollars by agent, stage, model, cell, scenario or run. Unknown is unknown, never 0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from society.core.errors import BadInput, did_you_mean
from society.core.exact import Json
from society.log import Log
from society.log.views import CALL_SUMS
from society.views.tables import Cell, text_table

BY = {"agent": "g.name", "stage": "c.stage", "model": "c.model", "cell": "r.cell", "scenario": "r.scenario", "sweep": "r.sweep", "run": "c.run_id"}  # fmt: skip
"""What costs can be told by, and where that stands."""
_SUMS = ("tries", "answered", "unpriced", "recalled", "cut_off", "tokens_in", "tokens_cached", "tokens_out", "usd", "cut_off_usd")  # fmt: skip
_COUNTS = _SUMS[:5]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which calls: of these runs, or of this sweep, or of the whole log; by what."""

    by: tuple[str, ...] = ("model",)
    runs: tuple[str, ...] = ()
    sweep: str | None = None

    def __post_init__(self) -> None:
        for name in self.by:
            if name not in BY:
                raise BadInput(f"costs are not told by {name[:40]!r}{did_you_mean(name, BY)} (known: {', '.join(BY)})")

    @property
    def where(self) -> str:
        """The condition, on the run `r`."""
        if self.runs:
            listed = ", ".join("'" + run.replace("'", "''") + "'" for run in self.runs)
            return f" WHERE r.id IN ({listed})"
        return "" if self.sweep is None else " WHERE r.sweep = '{}'".format(self.sweep.replace("'", "''"))

    @property
    def sql(self) -> str:
        """The question in SQL."""
        dims = ", ".join(BY[name] for name in self.by)
        named = ", ".join(f"{BY[name]} AS {'in_cell' if name == 'cell' else name}" for name in self.by)
        names = " JOIN agent AS g ON g.run_id = c.run_id AND g.seat = c.agent" if "agent" in self.by else ""
        return f"SELECT {named}, {CALL_SUMS} FROM model_call AS c JOIN run AS r ON r.id = c.run_id{names}{self.where} GROUP BY {dims} ORDER BY {dims}"  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What one group used.

    Attributes:
        group: by what it was grouped.
        tries, answered: calls sent, and those that were answered; recalled: of the latter, those that needed no call.
        tokens_in, tokens_cached, tokens_out: as far as known; None: nothing is.
        usd: as far as known; None: nothing is. unpriced: answers whose cost is not known, and not in it.
        cut_off: calls whose answer never came; they may have been billed, for at most `cut_off_usd`.
    """

    group: Mapping[str, str]
    tries: int
    answered: int
    unpriced: int
    recalled: int
    cut_off: int
    tokens_in: int | None
    tokens_cached: int | None
    tokens_out: int | None
    usd: float | None
    cut_off_usd: float | None


@dataclass(frozen=True, slots=True)
class PriceDate:
    """The days on which the prices a model was charged at were looked up; None where a price table did not say."""

    model: str
    first: str | None
    last: str | None


def costs(log: Log, asked: Asked) -> list[Line]:
    """What was used, by group."""
    merged: dict[tuple[str, ...], dict[str, float | None]] = {}
    for row in log.sql(asked.sql.replace(":", "\\:")).rows():
        key = tuple(_cell(row["in_cell"]) if name == "cell" else str(row[name] or "") for name in asked.by)
        sums = merged.setdefault(key, dict.fromkeys(_SUMS))
        for name in _SUMS:
            if row[name] is not None:
                sums[name] = (sums[name] or 0) + float(row[name])
    return [_line(dict(zip(asked.by, key, strict=True)), merged[key]) for key in sorted(merged)]


def total_of(lines: Sequence[Line]) -> Line:
    """All groups together."""
    return _line({}, {name: _sum([getattr(line, name) for line in lines]) for name in _SUMS})


def price_dates(log: Log, asked: Asked) -> list[PriceDate]:
    """How old the prices are, of each model that was charged for."""
    question = (
        "SELECT p.model, MIN(p.as_of) AS first, MAX(p.as_of) AS last, SUM(CASE WHEN p.as_of IS NULL THEN 1 ELSE 0 END) AS undated "
        f"FROM price AS p JOIN run AS r ON r.id = p.run_id{asked.where} GROUP BY p.model ORDER BY p.model"
    )
    return [
        PriceDate(row["model"], None if row["undated"] else row["first"], row["last"])
        for row in log.sql(question.replace(":", "\\:")).rows()
    ]


def costs_text(lines: Sequence[Line], dates: Sequence[PriceDate]) -> str:
    """A table with the total, and under it what limits the numbers."""
    if not lines:
        return "no model was asked"
    total = total_of(lines)
    rows: list[dict[str, Cell]] = [_row(line) for line in lines]
    if len(lines) > 1:
        names = list(lines[0].group)
        rows.append({**_row(total), **dict.fromkeys(names, ""), names[0]: "in all"})
    parts = [text_table(rows, list(rows[0]), places=4), ""]
    known = "US dollars as they were charged when the calls were made; a dash is unknown, never 0"
    parts.append(known)
    if total.unpriced:
        parts.append(
            f"{total.unpriced} of {total.answered} answers have no known price and are in no sum: see society.toml"
        )
    if total.cut_off:
        most = "nobody knows how much" if total.cut_off_usd is None else f"at most ${total.cut_off_usd:.4f}"
        parts.append(
            f"{total.cut_off} calls were sent and never answered; they may have been billed, {most}, and are in no sum"
        )
    if total.recalled:
        parts.append(f"{total.recalled} answers needed no call: from the response cache, or shared with another run")
    parts += [f"prices of {date.model}: {_dated(date)}" for date in dates]
    return "\n".join(parts)


def costs_json(lines: Sequence[Line], dates: Sequence[PriceDate]) -> dict[str, Json]:
    """The same for machines."""
    return {
        "lines": [_plain(line) for line in lines],
        "total": _plain(total_of(lines)),
        "prices": [{"model": date.model, "as_of_first": date.first, "as_of_last": date.last} for date in dates],
    }


def _row(line: Line) -> dict[str, Cell]:
    usd: Cell = line.usd
    if line.unpriced:
        usd = None if not line.usd else f"at least {line.usd:.4f}"
    return {
        **line.group,
        "calls": line.answered,
        "tokens in": line.tokens_in,
        "of these cached": line.tokens_cached,
        "tokens out": line.tokens_out,
        "usd": usd,
    }


def _plain(line: Line) -> dict[str, Json]:
    return {**line.group, **{name: getattr(line, name) for name in _SUMS}}


def _line(group: Mapping[str, str], sums: Mapping[str, float | None]) -> Line:
    tries, answered, unpriced, recalled, cut_off = (int(sums[name] or 0) for name in _COUNTS)
    into, cached, out = (_whole(sums[name]) for name in ("tokens_in", "tokens_cached", "tokens_out"))
    return Line(
        group, tries, answered, unpriced, recalled, cut_off, into, cached, out, sums["usd"], sums["cut_off_usd"]
    )


def _whole(count: float | None) -> int | None:
    return None if count is None else int(count)


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _cell(point: str | None) -> str:
    """A cell of a sweep in words; empty for a run of no sweep."""
    axes = json.loads(point).get("axes", {}) if point else {}
    return ", ".join(f"{axis} {label}" for axis, label in axes.items())


def _dated(date: PriceDate) -> str:
    if date.first is None:
        return "the price table does not say of which day" + ("" if date.last is None else f", or of {date.last}")
    return f"as of {date.first}" + ("" if date.first == date.last else f" to {date.last}")
