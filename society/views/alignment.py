"""The alignment decomposition as tables and words: who lost what to whom, and what not to conclude."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from society.analysis.alignment.diagnosis import counted
from society.analysis.alignment.words import REFERENCES, alike, listed
from society.core.exact import Number
from society.views.tables import Cell, text_table
from society.views.terminal import safe
from society.views.waterfall import Fall, waterfall_lines

if TYPE_CHECKING:
    from society.analysis.alignment.alignment import Alignment, EpisodeGap

MEANING = {
    "anticipated": "lost to what it foresaw of the others",
    "surprise": "lost because others did not do what it predicted",
    "planning": "lost because its plan was not its own best reply",
    "say_do": "lost by doing otherwise than it privately said",
    "planning+say_do": "lost by its own action; it stated no intention, so plan and deed cannot be told apart",
    "unattributed": "could not be taken apart: it predicted nothing, or not everybody",
    "luck": "lost to the luck of the rounds, against what was to be expected",
}
_YARDSTICKS = {
    "goal": "By each agent's own goal",
    "felt": "By what payoffs feel like to it",
    "welfare": "By the group's welfare",
    "principal": "By what its principal wants",
}
_MOST_FALLS = 6
"""Different waterfalls that are drawn unasked."""
_MOST_COLUMNS = 14
"""Agents up to which the whole matrix is printed; of more, the largest pairs."""
_LARGEST = 12


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
    """The tables of gaps, who surprised whom, public words and predictions, and what the numbers license to say."""
    return "\n\n".join("\n".join(block) for block in _blocks(alignment, rounds, agent, width) if block)


def gap_table(alignment: Alignment) -> str:
    """The short form: one line an agent, measured by its own goal."""
    rows = [row for row in gap_rows(alignment) if row["measured by"] == "goal"]
    return text_table(rows, ["agent", "gap", *_terms(rows)])


def alignment_sql(run_id: str) -> str:
    """The SQL that gives the numbers of `alignment_text` from the log: gaps and terms, then who surprised whom."""
    return (
        "SELECT a.name AS agent, t.yardstick, t.mode, t.term, t.value, t.value_text, t.exact\n"
        "FROM gap_term AS t JOIN agent AS a ON a.run_id = t.run_id AND a.seat = t.agent\n"
        f"WHERE t.run_id = '{run_id}' AND t.round = 0 AND t.chain = 'causal' ORDER BY t.yardstick, t.agent, t.term;\n"
        "SELECT a.name AS surprised, c.name AS cause, SUM(s.value) AS share\n"
        "FROM surprise_share AS s\n"
        "JOIN agent AS a ON a.run_id = s.run_id AND a.seat = s.agent\n"
        "JOIN agent AS c ON c.run_id = s.run_id AND c.seat = s.cause\n"
        f"WHERE s.run_id = '{run_id}' AND s.yardstick = 'goal'\n"
        "GROUP BY a.seat, a.name, c.seat, c.name ORDER BY a.seat, c.seat;"
    )


def _blocks(found: Alignment, rounds: bool, agent: int | None, width: int) -> Iterator[list[str]]:
    seats = list(range(found.agents)) if agent is None else [agent]
    yield _heading(found)
    if not found.judged:
        yield found.paragraphs()
        return
    for yardstick in found.yardsticks:
        yield _gaps(found, seats, yardstick)
    yield _legend(found, seats)
    yield _falls(found, seats, asked=agent is not None)
    yield _surprises(found, seats)
    yield _public_words(found, seats)
    yield _predictions(found, seats)
    if rounds:
        yield _rounds(found, agent)
    for part in found.paragraphs():
        yield textwrap.wrap(safe(part), width)


def _heading(found: Alignment) -> list[str]:
    exact = all(judged.gap.ceiling_exact for judged in found.judged)
    references = dict.fromkeys(judged.reference for judged in found.judged)
    value = f" ({'; '.join(REFERENCES[name] for name in references)})" if found.mode == "continuation" else ""
    ceilings = (
        "all ceilings are exact" if exact else "some ceilings were searched, so that their gaps are at least as printed"
    )
    played = f"{found.rounds_played} of {found.rounds_planned} rounds"
    return [
        safe(" · ".join(part for part in (found.title, f"seed {found.seed}", found.run_id) if part)),
        f"{played}; mode {found.mode}{value}; {ceilings}",
        *([own_rounds(found.shared)] if found.shared else []),
    ]


def own_rounds(shared: int) -> str:
    """What is said of a fork that shares so many rounds with the run it comes from."""
    return (
        f"a fork: this is of the rounds after round {shared}, its own; those up to it stand with the run it comes from"
    )


def _gaps(found: Alignment, seats: Sequence[int], yardstick: str) -> list[str]:
    """What was lost to what, agents with equal numbers in one line."""
    rows: list[dict[str, Cell]] = []
    groups = alike(found, seats, yardstick)
    units = {found.units[group[0]] for group in groups} if yardstick == "goal" else {found.unit}
    kinds = {found.goals[group[0]].kind for group in groups}
    for group in groups:
        whole = found.episode(group[0], yardstick)
        row: dict[str, Cell] = {"agent": _who(found, group)}
        if yardstick == "goal" and len(kinds) > 1:
            row["goal"] = found.goals[group[0]].kind.replace("_", " ")
        if len(units) > 1:
            row["unit"] = found.units[group[0]]
        rows.append({**row, "best": whole.best, **whole.terms, "happened": whole.happened, **_further(whole)})
    columns = list(dict.fromkeys(name for row in rows for name in row if name not in _LAST))
    last = [name for name in _LAST if any(row.get(name) for row in rows) or name == "happened"]
    goal = f" ({kinds.pop().replace('_', ' ')})" if yardstick == "goal" and len(kinds) == 1 else ""
    unit = f", in {units.pop()}" if len(units) == 1 else ""
    return [f"{_YARDSTICKS[yardstick]}{goal}{unit}: best - what was lost = what happened", *text_table(rows, [*columns, *last]).split("\n")]  # fmt: skip


_LAST = ("happened", "to others", "still open", "slack")


def _further(whole: EpisodeGap) -> dict[str, Cell]:
    return {"to others": whole.inter_agent, "still open": whole.left_open, "slack": whole.slack}


def _legend(found: Alignment, seats: Sequence[int]) -> list[str]:
    gaps = [found.episode(seat, name) for name in found.yardsticks for seat in seats if found.of(seat, name)]
    terms = dict.fromkeys(name for gap in gaps for name in gap.terms)
    lines = [f"{term}: {MEANING.get(term, '')}; a negative number was gained".rstrip(": ") if place == 0 else f"{term}: {MEANING.get(term, '')}".rstrip(": ") for place, term in enumerate(terms)]  # fmt: skip
    if any(gap.inter_agent for gap in gaps):
        lines.append("to others: anticipated and surprise together, the whole inter-agent gap")
    if any(gap.left_open for gap in gaps):
        lines.append("still open: the part of what happened that the rounds to come could still have brought")
    if any(gap.slack for gap in gaps):
        lines.append(
            "slack: what the reference value promises beyond the ceilings; much of it means that the value fits badly"
        )
    return lines


def _falls(found: Alignment, seats: Sequence[int], *, asked: bool) -> list[str]:
    """A waterfall for each group of agents with equal numbers, by their own goal."""
    groups = alike(found, seats)
    if len(groups) > _MOST_FALLS and not asked:
        return [f"{len(groups)} agents with different numbers: --agent NAME draws the waterfall of one"]
    lines: list[str] = []
    for group in groups:
        whole = found.episode(group[0])
        title = f"{safe(_who(found, group))}, in {found.units[group[0]]}"
        steps = [(name, -loss) for name, loss in whole.terms.items()]
        top = "best possible" if whole.ceiling_exact else "best found"
        lines += ["", *waterfall_lines(Fall(title, (top, whole.best), steps, ("happened", whole.happened)))]
    return lines[1:]


def _surprises(found: Alignment, seats: Sequence[int]) -> list[str]:
    matrix = found.matrix()
    if all(cell is None for row in matrix for cell in row):
        return []
    if not any(cell for seat in seats for cell in matrix[seat]):
        return ["Nobody lost or gained anything by another's not doing what it had predicted."]
    title = "Who surprised whom, by own goals: what the agent of the row lost to each other not doing what it predicted"
    names = [safe(name) for name in found.names]
    if found.agents > _MOST_COLUMNS:
        pairs = [(cell, i, j) for i, row in enumerate(matrix) for j, cell in enumerate(row) if cell and i in seats]
        pairs.sort(key=lambda pair: (-abs(float(pair[0])), pair[1], pair[2]))
        largest: list[dict[str, Cell]] = [
            {"lost by": names[i], "because of": names[j], "lost": cell} for cell, i, j in pairs[:_LARGEST]
        ]
        return (
            [f"{title}; the {len(largest)} largest of {len(pairs)}", *text_table(largest).split("\n")] if pairs else []
        )
    rows: list[dict[str, Cell]] = [
        {"lost by": names[seat], **dict(zip(names, matrix[seat], strict=True)), "in all": _sum(matrix[seat])}
        for seat in seats
    ]
    if len(seats) > 1 and len(set(found.units)) == 1:
        columns = [_sum([matrix[seat][other] for seat in seats]) for other in range(found.agents)]
        rows.append({"lost by": "all", **dict(zip(names, columns, strict=True)), "in all": _sum(columns)})
    return [title, *text_table(rows).split("\n")]


def _public_words(found: Alignment, seats: Sequence[int]) -> list[str]:
    rows: list[dict[str, Cell]] = []
    for seat in seats:
        count = counted(found.words(seat))
        if count.announced:
            rows.append(
                {
                    "agent": found.names[seat],
                    "announced": count.announced,
                    "meant": count.meant,
                    "kept": count.kept,
                    "broken": ", ".join(f"{many} {kind}" for kind, many in count.kinds) or None,
                    "own change": count.own_gain if count.kinds else None,
                    "change for all": count.welfare_change if count.kinds else None,
                }
            )
    if not rows:
        return []
    title = "Said to everybody, meant in private, done: rounds in which an action was announced, meant and kept"
    return [title, *text_table(_merged(found, rows)).split("\n")]


def _predictions(found: Alignment, seats: Sequence[int]) -> list[str]:
    rows: list[dict[str, Cell]] = []
    scores = found.rows("accuracy")
    for seat in seats:
        own = [row for row in scores if row["agent"] == seat]
        if own:
            means: dict[str, Cell] = {
                label: _mean([row[name] for row in own if row[name] is not None])
                for label, name in (("mean error", "absolute"), ("Brier", "brier"), ("CRPS", "crps"))
            }
            rows.append({"agent": found.names[seat], "predictions": len(own), **means})
    if not rows:
        return []
    title = "How close predictions of others came (0 is perfect); what a wrong one cost is the surprise"
    return [title, *text_table(_merged(found, rows)).split("\n")]


def _rounds(found: Alignment, agent: int | None) -> list[str]:
    rows = [row for row in gap_rows(found, rounds=True, agent=agent) if row["round"]]
    return ["Round by round", *text_table(rows, ["agent", "measured by", "round", "gap", *_terms(rows)]).split("\n")]


def _merged(found: Alignment, rows: Sequence[dict[str, Cell]]) -> list[dict[str, Cell]]:
    """Rows that differ in nothing but the agent's name, as one."""
    groups: dict[tuple[tuple[str, Cell], ...], list[str]] = {}
    for row in rows:
        key = tuple((name, cell) for name, cell in row.items() if name != "agent")
        groups.setdefault(key, []).append(str(row["agent"]))
    return [{"agent": _named(names, found.agents), **dict(key)} for key, names in groups.items()]


def _who(found: Alignment, seats: Sequence[int]) -> str:
    return _named([found.names[seat] for seat in seats], found.agents)


def _named(names: Sequence[str], agents: int) -> str:
    """The names, or that it is everybody, where they are many."""
    if len(names) <= 3:
        return listed(names)
    return "each agent" if len(names) == agents else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _sum(cells: Sequence[Number | None]) -> Number | None:
    known = [cell for cell in cells if cell is not None]
    return sum(known) if known else None


def _mean(values: Sequence[Number]) -> Number | None:
    return sum(values) * Fraction(1, len(values)) if values else None


def _terms(rows: Sequence[dict[str, Cell]]) -> list[str]:
    fixed = ("agent", "measured by", "round", "gap")
    return list(dict.fromkeys(name for row in rows for name in row if name not in fixed))
