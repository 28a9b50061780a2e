"""Who stood together, drawn: agreements over time, ties between agents, and power over the rules."""

from __future__ import annotations

from society.analysis.comovement import CoMovement
from society.analysis.four_notions import Coalitions
from society.episode import Episode
from society.views.charts.coalitions import Span, Tie, TieKind, coalition_graph, coalition_timeline
from society.views.charts.drawing import COLOURS, Chart, Drawing
from society.views.charts.lines import Series, lines
from society.views.tables import Cell


def alliance_charts(found: Coalitions, episode: Episode) -> list[Chart]:
    """Agreements over time where there were any, the ties between agents, and power where rules are voted on."""
    names, word = episode.names, episode.scenario.theme.round
    rounds = [settled.round for settled in episode.settled]
    charts: list[Chart] = []
    if found.declared:
        spans = [Span(d.id, d.members, d.first, d.last) for d in found.declared]
        charts.append(coalition_timeline(names, spans, rounds, round_word=word))
    ties = ties_of(found)
    if ties:
        charts.append(coalition_graph(names, ties))
    charts += power_charts(found, word)
    return charts


def ties_of(found: Coalitions) -> list[Tie]:
    """Every tie between two agents that some notion of a coalition finds."""
    ties: list[Tie] = []
    n, words = len(found.names), found.communicated.messages
    most = max([words[i][j] + words[j][i] for i in range(n) for j in range(i)], default=0)
    for i in range(n):
        for j in range(i + 1, n):
            if both := words[i][j] + words[j][i]:
                told = f"{words[i][j]} private messages one way, {words[j][i]} the other"
                ties.append(Tie(i, j, "talked in private", both / most, told))
            agreed = {d.id for d in found.declared if {i, j} <= set(d.members)}
            if agreed:
                ties.append(Tie(i, j, "had an agreement", 0.5, ", ".join(sorted(agreed))))
    by_test: tuple[tuple[TieKind, CoMovement], ...] = (
        ("acted together", found.behavioural),
        *(("favoured each other", one.test) for one in found.favours),
    )
    for kind, test in by_test:
        flagged = [pair for pair in test.pairs if pair.p <= test.level]
        ties += [Tie(pair.first, pair.second, kind, 0.4, f"{kind}, p {pair.p:.3f}") for pair in flagged]
    return list({(tie.first, tie.second, tie.kind): tie for tie in ties}.values())


def power_charts(found: Coalitions, round_word: str) -> list[Chart]:
    """The Banzhaf index of each agent, round by round, under each rule that is voted on."""
    charts: list[Chart] = []
    for rule in dict.fromkeys(one.rule for one in found.power):
        at = [one for one in found.power if one.rule == rule]
        series = [
            Series(name, tuple(None if one.power.index is None else float(one.power.index[seat]) for one in at))
            for seat, name in enumerate(found.names[: len(COLOURS)])
        ]
        drawing = Drawing(960, 260)
        rounds = [one.round for one in at]
        lines(
            drawing,
            series,
            rounds,
            width=960,
            height=260,
            x_label=round_word,
            y_label="share of the power",
            notes=["" for _ in at],
        )
        name = f"power-{len(charts)}"
        title = f"Power over the rules ({rule})"
        about = "Each agent's normalised Banzhaf index: how often its vote decides, over all ways to vote."
        rows: list[dict[str, Cell]] = [
            {
                round_word: one.round,
                "quota": one.rules.quota,
                "concentration": one.power.hhi,
                **({} if one.power.index is None else dict(zip(found.names, one.power.index, strict=True))),
            }
            for one in at
        ]
        charts.append(Chart(name, title, about, drawing.svg(name, title, about), rows))
    return charts
