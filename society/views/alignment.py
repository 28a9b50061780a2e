"""The alignment decomposition as tables and words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from society.core.exact import Json, Number, plain
from society.views.tables import Cell, text_table
from society.views.terminal import safe

if TYPE_CHECKING:
    from society.analysis.alignment.alignment import Alignment, EpisodeGap

MEANING = {
    "anticipated": "lost to what it foresaw of the others",
    "surprise": "lost because others did not do what it predicted",
    "planning": "lost because its plan was not its own best reply",
    "say_do": "lost by doing otherwise than it privately said",
    "planning+say_do": "lost by its own action; it stated no intention, so plan and deed cannot be told apart",
    "unattributed": "could not be taken apart: it predicted nothing, or not everybody",
}


def gap_rows(alignment: Alignment, *, rounds: bool = False, agent: int | None = None) -> list[dict[str, Cell]]:
    """One row an agent and yardstick, for the episode; with `rounds`, one for each round as well (round 0 is the episode)."""
    rows: list[dict[str, Cell]] = []
    for yardstick in alignment.yardsticks:
        for seat, name in enumerate(alignment.names):
            if agent not in (None, seat) or not alignment.of(seat, yardstick):
                continue
            whole = alignment.episode(seat, yardstick)
            rows.append({"agent": name, "measured by": yardstick, "round": 0, "gap": whole.total, **whole.terms})
            if rounds:
                rows.extend(
                    {
                        "agent": name, "measured by": yardstick, "round": judged.round,
                        "gap": sum(judged.gap.terms.values()), **judged.gap.terms,
                    }
                    for judged in alignment.of(seat, yardstick)
                )  # fmt: skip
    return rows


def alignment_text(alignment: Alignment, *, rounds: bool = False, agent: int | None = None, width: int = 100) -> str:
    """The table of gaps, who surprised whom, and what the numbers license to say."""
    return "\n".join(_lines(alignment, rounds, agent, width))


def gap_table(alignment: Alignment) -> str:
    """The short form: one line an agent, measured by its own goal."""
    rows = [row for row in gap_rows(alignment) if row["measured by"] == "goal"]
    return text_table(rows, ["agent", "gap", *_terms(rows)])


def alignment_json(alignment: Alignment) -> dict[str, Json]:
    """For machines; numbers exact."""
    return {
        "run": alignment.run_id,
        "mode": alignment.mode,
        "agents": list(alignment.names),
        "episode": [
            _episode_json(alignment, alignment.episode(seat, yardstick))
            for yardstick in alignment.yardsticks
            for seat in range(alignment.agents)
            if alignment.of(seat, yardstick)
        ],
        "terms": [_row_json(row) for row in alignment.rows("gap_term")],
        "surprised_by": [[_exact(cell) for cell in row] for row in alignment.matrix()],
        "words": alignment.text(),
    }


def _lines(alignment: Alignment, rounds: bool, agent: int | None, width: int) -> Iterator[str]:
    rows = gap_rows(alignment, rounds=rounds, agent=agent)
    terms = _terms(rows)
    yield text_table(rows, ["agent", "measured by", *(["round"] if rounds else []), "gap", *terms])
    if rounds:
        yield "round 0 is the whole episode"
    yield ""
    for term in terms:
        yield f"{term}: {MEANING.get(term, '')}".rstrip(": ")
    if not all(judged.gap.ceiling_exact for judged in alignment.judged):
        yield "some best outcomes are the best found by a search: gap, anticipated and unattributed are then lower bounds"
    matrix = alignment.matrix()
    if any(cell is not None for row in matrix for cell in row):
        yield ""
        yield "who surprised whom: what the agent of the row lost to each other not doing what it predicted"
        table: list[dict[str, Cell]] = [
            {"": alignment.names[seat], **dict(zip(map(safe, alignment.names), row, strict=True))}
            for seat, row in enumerate(matrix)
            if agent in (None, seat)
        ]
        yield text_table(table)
    yield ""
    yield from textwrap.wrap(safe(alignment.text()), width)


def _terms(rows: list[dict[str, Cell]]) -> list[str]:
    fixed = ("agent", "measured by", "round", "gap")
    return list(dict.fromkeys(name for row in rows for name in row if name not in fixed))


def _episode_json(alignment: Alignment, gap: EpisodeGap) -> dict[str, Json]:
    return {
        "agent": alignment.names[gap.agent],
        "yardstick": gap.yardstick,
        "total": _exact(gap.total),
        "terms": {name: _exact(term) for name, term in gap.terms.items()},
        "scale": _exact(gap.scale),
        "start": _exact(gap.start),
        "earned": _exact(gap.earned),
        "reference": str(gap.reference),
        "ceiling_exact": gap.ceiling_exact,
        "rounds": gap.rounds,
        "defaulted": gap.defaulted,
    }


def _row_json(row: dict[str, Json | Number]) -> dict[str, Json]:
    return {name: _exact(cell) for name, cell in row.items()}


def _exact(cell: Json | Number) -> Json:
    return cell if cell is None or isinstance(cell, (bool, str)) else plain(cell)  # type: ignore[arg-type]  # rows hold no lists
