"""What each agent lost between its goal and what it got: drawn from the rows of the decomposition, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from society.analysis import Alignment, align
from society.core.exact import Number, from_plain, show
from society.episode import Episode
from society.log import Log, RunInfo
from society.views.alignment import MEANING
from society.views.charts.drawing import Chart
from society.views.charts.matrix import surprise_matrix
from society.views.charts.waterfall import Descent, waterfall

Rows: TypeAlias = Sequence[Mapping[str, Any]]  # Any: numbers, words and truths
TABLES = ("stage_value", "gap_term", "surprise_share")
MOST_AT_ONCE = 2_000
"""Rounds times the square of the agents: what is worked out while the reader waits."""
MOST_DRAWN = 8
"""Agents drawn one by one; of more, all together, and a table."""
YARDSTICKS = {
    "goal": "By each agent's own goal",
    "felt": "By what payoffs feel like to it",
    "welfare": "By the group's welfare",
    "principal": "By its principal's goal",
}


@dataclass(frozen=True, slots=True)
class Losses:
    """The decomposition of a run, as its tables hold it.

    Attributes:
        tables: the rows of `TABLES`, by name.
        words: the paragraph that says what the numbers license; empty where only the rows are at hand.
    """

    tables: Mapping[str, Rows]
    words: str = ""


def is_small(episode: Episode) -> bool:
    """Whether an analysis of it takes seconds, not minutes."""
    return len(episode.rounds) * len(episode.names) ** 2 <= MOST_AT_ONCE


def worked_out(episode: Episode) -> Losses:
    """The decomposition, by calling the rules again.

    Raises:
        LogCorrupt: the rules do not give what the log says they gave.
    """
    return losses_from(align(episode))


def losses_from(found: Alignment) -> Losses:
    """The rows of an alignment that is at hand."""
    words = found.text() if found.judged else ""
    return Losses({name: found.rows(name) for name in TABLES}, words)  # type: ignore[arg-type]  # the names are its own


def stored_losses(log: Log, info: RunInfo) -> Losses | None:
    """The decomposition as it stands in the log; None if nobody kept it there."""
    kept = log.sql("SELECT table_name FROM derived WHERE run_id = :run", {"run": info.id}).column("table_name")
    if not set(TABLES) <= set(kept):
        return None
    ask = partial(log.sql, values={"run": info.id})
    return Losses({name: [_exact(row) for row in ask(f"SELECT * FROM {name} WHERE run_id = :run")] for name in TABLES})


def _exact(row: Mapping[str, Any]) -> dict[str, Any]:  # Any: SQL values
    exact = row["value_text"]
    return {**row, "value": from_plain(exact) if exact is not None else row["value"]}


def meanings(losses: Losses) -> list[tuple[str, str]]:
    """The terms there are, with what they mean."""
    terms = dict.fromkeys(str(row["term"]) for row in losses.tables["gap_term"] if row["chain"] == "causal")
    return [(term.replace("_", "-"), MEANING[term]) for term in terms if term in MEANING]


def descents(losses: Losses, names: Sequence[str], yardstick: str) -> list[Descent]:
    """From the best possible to what happened, for each agent that was judged by the yardstick."""
    found: list[Descent] = []
    for seat, name in enumerate(names):
        terms = [
            row
            for row in losses.tables["gap_term"]
            if (row["round"], row["agent"], row["yardstick"], row["chain"]) == (0, seat, yardstick, "causal")
        ]
        if not terms:
            continue
        steps: list[tuple[str, Number]] = [
            (str(row["term"]).replace("_", "-"), row["value"]) for row in terms if row["term"] != "slack"
        ]
        lower = not all(row["exact"] for row in terms)
        found.append(Descent(name, _best(losses, seat, yardstick), tuple(steps), lower))
    return found


def _best(losses: Losses, seat: int, yardstick: str) -> Number:
    """The sum of the rounds' ceilings; with a value of what follows, the ceiling of the whole run."""
    rows = [r for r in losses.tables["stage_value"] if (r["agent"], r["yardstick"]) == (seat, yardstick)]
    values = [r for r in rows if r["stage"] == "V"]
    best: Number
    if values:
        first = min(values, key=lambda row: int(row["round"]))
        slack = [
            r["value"]
            for r in losses.tables["gap_term"]
            if (r["round"], r["agent"], r["yardstick"], r["term"]) == (0, seat, yardstick, "slack")
        ]
        best = first["value"] - sum(slack)
        return best
    best = sum(r["value"] for r in rows if r["stage"] == "W0")
    return best


def surprises(losses: Losses, agents: int, yardstick: str = "goal") -> list[list[Number | None]]:
    """cells[i][j]: what i lost to j not doing what i had predicted, summed over rounds."""
    cells: list[list[Number | None]] = [[None] * agents for _ in range(agents)]
    for row in losses.tables["surprise_share"]:
        if row["yardstick"] == yardstick and row["value"] is not None:
            i, j = int(row["agent"]), int(row["cause"])
            cells[i][j] = (cells[i][j] or 0) + row["value"]
    return cells


def let_down(losses: Losses, episode: Episode) -> str:
    """Who lost most because of whom, in a sentence; empty where nobody lost by a surprise."""
    cells = surprises(losses, len(episode.names))
    known = [(cell, i, j) for i, row in enumerate(cells) for j, cell in enumerate(row) if cell is not None]
    worst = max(known, key=lambda one: one[0], default=None)
    if worst is None or worst[0] <= 0:
        return ""
    loss, i, j = worst
    unit = episode.scenario.mechanism.payoff_unit
    return (
        f"The widest surprise: {episode.names[i]} lost {show(loss, 2)} {unit} because {episode.names[j]} did not do what"
        f" {episode.names[i]} had predicted of it."
    )


def loss_charts(losses: Losses, episode: Episode) -> list[Chart]:
    """The waterfalls by each yardstick, then who surprised whom."""
    names, unit = episode.names, episode.scenario.mechanism.payoff_unit
    charts: list[Chart] = []
    for yardstick, title in YARDSTICKS.items():
        found = descents(losses, names, yardstick)
        if yardstick == "welfare" and len({(d.top, d.steps) for d in found}) == 1:
            found = [Descent("The group", found[0].top, found[0].steps, found[0].lower_bound)]
        if not found:
            continue
        many = len(found) > MOST_DRAWN
        if many:
            found = [_together(found), *sorted(found, key=lambda d: d.end - d.top)[: MOST_DRAWN - 1]]
        shown = f"{title}: all together, and the {MOST_DRAWN - 1} who lost most" if many else title
        charts.append(waterfall(found, name=f"gap-{yardstick}", title=shown, unit=unit))
    cells = surprises(losses, len(names))
    if any(cell is not None for row in cells for cell in row):
        charts.append(surprise_matrix(names, cells, unit=unit))
    return charts


def _together(found: Sequence[Descent]) -> Descent:
    terms = dict.fromkeys(term for one in found for term, _ in one.steps)
    steps = tuple((term, sum(loss for one in found for name, loss in one.steps if name == term)) for term in terms)
    return Descent("All together", sum(one.top for one in found), steps, any(one.lower_bound for one in found))
