"""Two runs side by side, aligned by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from society.core.exact import show
from society.episode import Episode
from society.log import RunInfo
from society.metrics import METRICS
from society.views.charts.drawing import Chart, Drawing
from society.views.charts.lines import Series, lines
from society.views.charts.timeline import measured_rounds
from society.views.settings import differences
from society.views.web.rounds import Card, card_of
from society.views.web.shelf import Shelf

MOST_AT_ONCE = 300
"""Rows of agents in both runs; of longer ones, rounds are fetched as the reader comes to them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One round of both runs; None where a run had no such round."""

    number: int
    first: Card | None
    second: Card | None
    lazy: bool = False

    @property
    def agents(self) -> int:
        """How many rows the table of the round has."""
        return max(len(card.deeds) for card in (self.first, self.second) if card is not None)


def pair_of(first: Episode, second: Episode, number: int) -> Pair:
    """One round of both."""
    cards = [
        next((card_of(episode, played) for played in episode.rounds if played.number == number), None)
        for episode in (first, second)
    ]
    return Pair(number, cards[0], cards[1])


def compare_values(shelf: Shelf, infos: Sequence[RunInfo]) -> dict[str, Any]:  # Any: what templates show
    """All that the page of two runs shows."""
    first, second = (shelf.episode(info) for info in infos)
    numbers = sorted({played.number for episode in (first, second) for played in episode.rounds})
    rows = sum(len(episode.rounds) * len(episode.names) for episode in (first, second))
    lazy = rows > MOST_AT_ONCE
    pairs = [Pair(n, None, None, lazy=True) if lazy else pair_of(first, second, n) for n in numbers]
    return {
        "infos": infos,
        "names": (first.names, second.names),
        "titles": [f"{e.scenario.name} · {i.name}" for e, i in zip((first, second), infos, strict=True)],
        "abouts": [episode.scenario.about.strip() for episode in (first, second)],
        "round_word": first.scenario.theme.round,
        "pairs": pairs,
        "chart": _chart(first, second),
        "metrics": _metrics(shelf, infos),
        "settings": differences(first, second),
    }


def _chart(first: Episode, second: Episode) -> Chart | None:
    """The stock of both, or what all got where there is none."""
    tables = [measured_rounds(episode) for episode in (first, second)]
    if not all(tables):
        return None
    name = "stock" if all(row["stock"] is not None for table in tables for row in table.values()) else "payoffs"
    rounds = sorted({number for table in tables for number in table})
    series = [
        Series(label, tuple(_float(table[n][name]) if n in table else None for n in rounds))
        for label, table in zip("AB", tables, strict=True)
    ]
    theme = first.scenario.theme
    what = theme.resource if name == "stock" else first.scenario.mechanism.payoff_unit
    title = "The stock of both" if name == "stock" else "What all got together, in both"
    drawing = Drawing(960, 260)
    lines(drawing, series, rounds, width=960, height=260, x_label=theme.round, y_label=what)
    found = [
        {theme.round: n, **{label: table.get(n, {}).get(name) for label, table in zip("AB", tables, strict=True)}}
        for n in rounds
    ]
    about = "A: the first run; B: the second."
    return Chart("both", title, about, drawing.svg("both", title, about), found)


def _float(value: Any) -> float | None:  # Any: an exact number or None
    return None if value is None else float(value)


def _metrics(shelf: Shelf, infos: Sequence[RunInfo]) -> list[tuple[str, str, list[str]]]:
    """Each metric that either run has: name, unit, value in both."""
    tables = []
    for info in infos:
        found = shelf.log.sql(
            "SELECT name, value FROM metric WHERE run_id = :run AND without_defaulted = :no",
            {"run": info.id, "no": False},
        )
        tables.append({str(name): value for name, value in found.values})
    names = [name for name in METRICS if any(table.get(name) is not None for table in tables)]
    return [(name.replace("_", " "), METRICS[name].unit, [show(table.get(name)) for table in tables]) for name in names]


def rows_of(pair: Pair) -> list[tuple[Any, Any]]:  # Any: deeds, or None
    """The agents of a round in both runs, by seat."""
    sides = [card.deeds if card is not None else () for card in (pair.first, pair.second)]
    return list(zip_longest(sides[0], sides[1]))
