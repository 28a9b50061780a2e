"""Who stood together: agreements over the rounds, and the ties between agents as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

from society.views.charts.drawing import COLOURS, FAINT, GRID, INK, Chart, Drawing, Scale, short
from society.views.charts.lines import MOST_LABELS
from society.views.tables import Cell

TieKind = Literal["talked in private", "had an agreement", "acted together", "favoured each other"]
_TIES: dict[TieKind, tuple[int, str, float]] = {
    "talked in private": (5, "", 0.0),
    "had an agreement": (0, "", 5.0),
    "acted together": (1, "7 4", -5.0),
    "favoured each other": (3, "2 3", 10.0),
}
"""For each kind of tie: its colour, its dashes, and how far beside the others its line runs."""


@dataclass(frozen=True, slots=True)
class Span:
    """An agreement: its name, members by seat, and first and last round with just these members."""

    name: str
    members: tuple[int, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Tie:
    """Something between two agents; `strength` from 0 to 1 makes the line thicker, `words` tell the numbers."""

    first: int
    second: int
    kind: TieKind
    strength: float = 0.5
    words: str = ""


def coalition_timeline(names: Sequence[str], spans: Sequence[Span], rounds: Sequence[int], *, round_word: str) -> Chart:
    """Agreements in force, a line an agent; two at a time stand above each other.

    Args:
        names: the agents by seat.
        spans: the agreements; none makes an empty drawing that says so.
        rounds: all rounds that were played.
        round_word: what a round is called.
    """
    lanes = _lanes(spans)
    tall = max(22, 13 * (1 + max(lanes, default=0)) + 6)
    side, head, wide = 118, 26, 960
    drawing = Drawing(wide, head + len(names) * tall + 10)
    x = Scale(0, max(1, len(rounds)), side, wide - 12)
    place_of = {number: place for place, number in enumerate(rounds)}
    drawing.text(side - 8, head - 8, round_word, anchor="end", size=11, fill=FAINT, kind="faint")
    for number in rounds[:: max(1, -(-len(rounds) // MOST_LABELS))]:
        drawing.text(x(place_of[number] + 0.5), head - 8, str(number), anchor="middle", size=11, fill=FAINT, kind="faint")  # fmt: skip
    for seat, name in enumerate(names):
        y = head + seat * tall
        drawing.text(side - 8, y + tall / 2 + 4, short(name), anchor="end", size=12)
        drawing.line([(side, y + tall), (wide - 12, y + tall)], colour=GRID, kind="grid")
    colour_of = {name: k for k, name in enumerate(dict.fromkeys(span.name for span in spans))}
    for span, lane in zip(spans, lanes, strict=True):
        start, end = x(place_of[span.first]), x(place_of[span.last] + 1)
        colour = colour_of[span.name] % len(COLOURS)
        who = ", ".join(names[seat] for seat in span.members)
        tip = f"{span.name}: {who}, {round_word} {span.first} to {span.last}"
        for seat in span.members:
            y = head + seat * tall + 4 + lane * 13
            drawing.box(start + 1, y, end - start - 2, 11, fill=COLOURS[colour], kind=f"f{colour}", opacity=0.25, tip=tip, round_=span.first)  # fmt: skip
            drawing.box(start + 1, y, 3, 11, fill=COLOURS[colour], kind=f"f{colour}")
            if end - start > 30:
                drawing.text(start + 8, y + 9, short(span.name, max(2, int((end - start) / 7))), size=10, fill=INK)
    if not spans:
        drawing.text((side + wide) / 2, head + len(names) * tall / 2, "no agreement was in force", anchor="middle", fill=FAINT, kind="faint")  # fmt: skip
    title, about = (
        "Agreements over time",
        f"Each bar is a declared agreement in force, from {round_word} to {round_word}.",
    )
    rows: list[dict[str, Cell]] = [
        {"agreement": s.name, "members": ", ".join(names[m] for m in s.members), "first": s.first, "last": s.last} for s in spans
    ]  # fmt: skip
    return Chart("agreements", title, about, drawing.svg("agreements", title, about), rows)


def coalition_graph(names: Sequence[str], ties: Sequence[Tie]) -> Chart:
    """The agents in a circle, and between them a line for every kind of tie.

    Args:
        names: the agents by seat.
        ties: at most one of a kind for each pair.
    """
    n, wide, tall = len(names), 640, 420
    drawing = Drawing(wide, tall)
    middle, radius = (235, tall / 2), 145
    at = [
        (
            middle[0] + radius * sin(2 * pi * k / max(1, n)) * (n > 1),
            middle[1] - radius * cos(2 * pi * k / max(1, n)) * (n > 1),
        )
        for k in range(n)
    ]
    for tie in ties:
        colour, dash, beside = _TIES[tie.kind]
        (x1, y1), (x2, y2) = at[min(tie.first, tie.second)], at[max(tie.first, tie.second)]
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1
        dx, dy = -(y2 - y1) / length * beside, (x2 - x1) / length * beside
        drawing.line(
            [(x1 + dx, y1 + dy), (x2 + dx, y2 + dy)], colour=COLOURS[colour], dash=dash, kind=f"s{colour}",
            width=1 + 4 * tie.strength, tip=f"{names[tie.first]} and {names[tie.second]}: {tie.words or tie.kind}",
        )  # fmt: skip
    for seat, (x, y) in enumerate(at):
        drawing.dot(x, y, 7, fill="#ffffff", kind="node", stroke=INK)
        right, level = x - middle[0], y - middle[1]
        anchor = "middle" if abs(right) < 20 else "start" if right > 0 else "end"
        drawing.text(
            x + (13 if anchor == "start" else -13 if anchor == "end" else 0),
            y + 4 + (-16 if anchor == "middle" and level <= 0 else 18 if anchor == "middle" else 0),
            short(names[seat]), anchor=anchor, size=13, bold=True,
        )  # fmt: skip
    used = [kind for kind in _TIES if any(tie.kind == kind for tie in ties)]
    for place, kind in enumerate(used):
        colour, dash, _ = _TIES[kind]
        y = 40 + place * 22
        drawing.line([(470, y - 4), (500, y - 4)], colour=COLOURS[colour], dash=dash, width=3, kind=f"s{colour}")
        drawing.text(508, y, kind, size=12)
    if not ties:
        drawing.text(470, 40, "no ties were found", size=12, fill=FAINT, kind="faint")
    title, about = "Ties between agents", "A line for each kind of tie; the more of it, the thicker."
    rows: list[dict[str, Cell]] = [
        {"agent": names[t.first], "other": names[t.second], "tie": t.kind, "how much": t.words} for t in ties
    ]
    return Chart("ties", title, about, drawing.svg("ties", title, about), rows)


def _lanes(spans: Sequence[Span]) -> list[int]:
    """For each agreement a lane in which no other of the same time and agents stands."""
    lanes: list[int] = []
    for place, span in enumerate(spans):
        taken = {
            lanes[k]
            for k, other in enumerate(spans[:place])
            if other.first <= span.last and span.first <= other.last and set(other.members) & set(span.members)
        }
        lanes.append(next(lane for lane in range(len(spans)) if lane not in taken))
    return lanes
