"""What the commons went through: stock, what was asked of it, what it gave, and what it could bear."""

from __future__ import annotations

from society.core.actions import Action
from society.core.exact import Number
from society.episode import Episode, Round
from society.views.charts.drawing import Chart, Drawing
from society.views.charts.lines import Series, lines
from society.views.tables import Cell

WIDTH = 960
_ABOUT = {
    "stock": "the stock each {round} found, and in the end",
    "asked": "what all asked for together",
    "given": "what all were given",
    "taken": "what all chose together",
    "sustainable": "what all could take and still find the same stock again",
    "payoffs": "what all got together",
}


def measured_rounds(episode: Episode) -> dict[int, dict[str, Number | None]]:
    """Stock, asked, given, taken, sustainable and payoffs of each finished round; None for what there is not."""
    return {r.number: _row(episode, r) for r in episode.rounds if r.settled is not None}


def timeline(episode: Episode) -> Chart:
    """Stock, requests, grants and thresholds, round by round; the payoffs of all where there is nothing of the kind."""
    theme = episode.scenario.theme
    played = [r for r in episode.rounds if r.settled is not None]
    table = list(measured_rounds(episode).values())
    names = [name for name in _ABOUT if name != "payoffs" and any(row[name] is not None for row in table)]
    names = names or ["payoffs"]
    if "given" in names and all(row["given"] == row["asked"] for row in table):
        names.remove("given")
    limits = {} if names == ["payoffs"] else episode.scenario.mechanism.thresholds
    left = played[-1].settled.stock_after if played and played[-1].settled else None
    after = () if left is None else (None,)
    series = [Series(name, (*(_float(row[name]) for row in table), *after)) for name in names]
    if left is not None and series[0].name == "stock":
        series[0] = Series("stock", (*series[0].values[:-1], float(left)))
    series += [Series(name, (float(value),) * (len(table) + len(after)), marks=False) for name, value in limits.items()]
    about = "; ".join(f"{name}: {_ABOUT[name].format(round=theme.round)}" for name in names)
    about += "".join(f"; {name}: {float(value):g}" for name, value in limits.items())
    drawing = Drawing(WIDTH, 280)
    if played:
        lines(
            drawing,
            series,
            [*(r.number for r in played), *(played[-1].number + 1 for _ in after)],
            width=WIDTH,
            height=280,
            x_label=theme.round,
            y_label=theme.resource if names != ["payoffs"] else episode.scenario.mechanism.payoff_unit,
            notes=[
                *("the commons has collapsed" if r.settled and r.settled.collapsed else "" for r in played),
                *("" for _ in after),
            ],
            end="end" if after else "",
        )
    else:
        drawing.text(WIDTH / 2, 140, f"no {theme.round} is finished yet", anchor="middle")
    title = f"The {theme.resource}, {theme.round} by {theme.round}"
    rows: list[dict[str, Cell]] = [{theme.round: r.number, **{n: row[n] for n in names}} for r, row in zip(played, table, strict=True)]  # fmt: skip
    return Chart("timeline", title, f"{about}.", drawing.svg("timeline", title, about), rows)


def _row(episode: Episode, played: Round) -> dict[str, Number | None]:
    settled = played.settled
    assert settled is not None, "only finished rounds are drawn"
    asked = _total([a.legal for a in played.actions.values()])
    phase = episode.phase(played.number)
    before = phase.game.state_from_plain(settled.state_before)
    bearable = phase.scenario.mechanism.sustainable(before.physical)
    requested = settled.granted is not None
    return {
        "stock": settled.stock_before,
        "asked": asked if requested else None,
        "given": sum(settled.granted) if settled.granted is not None else None,
        "taken": None if requested else settled.total,
        "sustainable": bearable,
        "payoffs": sum(settled.payoffs),
    }


def _total(actions: list[Action]) -> Number | None:
    amounts = [a for a in actions if not isinstance(a, (str, tuple))]
    return sum(amounts) if amounts and len(amounts) == len(actions) else None


def _float(value: Number | None) -> float | None:
    return None if value is None else float(value)
