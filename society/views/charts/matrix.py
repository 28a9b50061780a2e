"""Tables of numbers between agents, or of agents over rounds, shaded by size; the number stands in the cell."""

from __future__ import annotations

from collections.abc import Sequence

from society.core.actions import Action
from society.core.exact import Number, show
from society.episode import Episode
from society.views.charts.drawing import COLOURS, FAINT, GRID, Chart, Drawing, short
from society.views.story import Teller
from society.views.tables import Cell

LOSS, GAIN, AMOUNT = COLOURS[1], COLOURS[2], COLOURS[0]
_DEEPEST = 0.55
"""Opacity of the largest cell: the number in it stays readable on light and on dark paper."""


def surprise_matrix(names: Sequence[str], cells: Sequence[Sequence[Number | None]], *, unit: str) -> Chart:
    """Who surprised whom.

    Args:
        names: the agents by seat.
        cells: cells[i][j] is what i lost to j not doing what i had predicted; None where i predicted nobody, and for i itself.
        unit: of the values.
    """
    n = len(names)
    wide = 54 if n <= 12 else 40
    side, head = 118, 24 + round(4.6 * min(12, max(len(name) for name in names)))
    drawing = Drawing(side + n * wide + 60, head + n * 28 + 8)
    drawing.text(side - 8, head - 22, "because of →", anchor="end", size=11, fill=FAINT, kind="faint")
    drawing.text(side - 8, head - 8, "lost by ↓", anchor="end", size=11, fill=FAINT, kind="faint")
    most = max([abs(float(cell)) for row in cells for cell in row if cell is not None], default=0) or 1
    for seat, name in enumerate(names):
        drawing.text(side + (seat + 0.5) * wide, head - 8, short(name, 12), size=12, turned=-40)
        drawing.text(side - 8, head + seat * 28 + 18, short(name), anchor="end", size=12)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            x, y = side + j * wide, head + i * 28
            told = "" if cell is None else f"{names[i]} lost {show(cell)} {unit} because of {names[j]}"
            drawing.box(x, y, wide - 2, 26, fill="none", stroke=GRID, kind="cell")
            if cell is None:
                drawing.text(x + wide / 2 - 1, y + 17, "–" if i != j else "", anchor="middle", size=12, kind="faint", fill=FAINT)  # fmt: skip
                continue
            depth = _DEEPEST * abs(float(cell)) / most
            drawing.box(x, y, wide - 2, 26, fill=LOSS if cell > 0 else GAIN, opacity=depth, kind="loss" if cell > 0 else "gain", tip=told)  # fmt: skip
            drawing.text(x + wide / 2 - 1, y + 17, show(cell, 1), anchor="middle", size=12 if n <= 12 else 10)
    title = "Who surprised whom"
    about = (
        f"The agent of the row lost so much, in {unit}, because the agent of the column did not do what it had predicted;"
        " a number below 0 is a surprise that helped. A dash: it predicted nobody."
    )
    rows: list[dict[str, Cell]] = [
        {"lost by": names[i], **{f"because of {names[j]}": cell for j, cell in enumerate(row)}}
        for i, row in enumerate(cells)
    ]
    return Chart("surprise", title, about, drawing.svg("surprise", title, about), rows)


def deeds(episode: Episode) -> Chart | None:
    """What each agent did in each round; None before any round is finished."""
    settled = episode.settled
    if not settled:
        return None
    theme, names = episode.scenario.theme, episode.names
    teller = Teller(names, theme)
    n, side, head = len(names), 118, 26
    wide = max(7.0, min(46.0, (900 - side) / len(settled)))
    tall = 24 if n <= 12 else 18
    drawing = Drawing(side + wide * len(settled) + 12, head + n * tall + 8)
    levels = [[_level(episode, action) for action in one.executed] for one in settled]
    most = max([abs(level) for row in levels for level in row if level is not None], default=0) or 1
    step = 1 if wide >= 20 else -(-26 // int(wide))
    for place, one in enumerate(settled):
        if place % step == 0:
            drawing.text(side + (place + 0.5) * wide, head - 8, str(one.round), anchor="middle", size=11, fill=FAINT, kind="faint")  # fmt: skip
    drawing.text(side - 8, head - 8, theme.round, anchor="end", size=11, fill=FAINT, kind="faint")
    for seat, name in enumerate(names):
        drawing.text(side - 8, head + seat * tall + tall * 0.68, short(name), anchor="end", size=12)
        for place, one in enumerate(settled):
            level, x, y = levels[place][seat], side + place * wide, head + seat * tall
            words = teller.action_words(one.executed[seat])
            depth = 0.06 if level is None else 0.04 + (_DEEPEST - 0.04) * abs(level) / most
            drawing.box(
                x, y, wide - 1, tall - 2, fill=AMOUNT, opacity=depth, kind="amount", round_=one.round,
                tip=f"{name}, {theme.round} {one.round}: {teller.act_words(one.executed[seat])}",
            )  # fmt: skip
            if wide >= 20 and len(words) * 7 <= wide + 4:
                drawing.text(x + (wide - 1) / 2, y + tall * 0.66, words, anchor="middle", size=11)
            elif wide >= 20:
                drawing.text(x + (wide - 1) / 2, y + tall * 0.66, short(words, max(2, int(wide // 8))), anchor="middle", size=11)  # fmt: skip
    title = f"What each did, {theme.round} by {theme.round}"
    about = "One line an agent; the darker, the more. As carried out, after the rules."
    rows: list[dict[str, Cell]] = [
        {theme.round: one.round, **{name: teller.action_words(one.executed[seat]) for seat, name in enumerate(names)}}
        for one in settled
    ]
    return Chart("deeds", title, about, drawing.svg("deeds", title, about), rows)


def _level(episode: Episode, action: Action) -> float | None:
    level = episode.game.level(action)
    return None if level is None else float(level)
