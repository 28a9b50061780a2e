"""Drawings as SVG text: the same one stands in the page, in the one-file page, in a notebook and in a file for a paper.

Shapes carry plain presentation attributes, which print as they are; a page recolours them by their class, for dark paper.
Words go through `safe` and are escaped, so that no name can close a tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from society.core.errors import BadInput, MissingExtra
from society.views.tables import Cell
from society.views.tables import words as cell_words
from society.views.terminal import safe

INK, FAINT, GRID = "#1a1a1a", "#595959", "#d9d9d9"
COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#aa4499", "#7a6400", "#56606b", "#332288", "#882255")
"""Dark enough for small lines on white; lines differ by dashes and labels as well, so that colour is never needed."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4", "1 4", "12 4", "6 2 2 2")


@dataclass(frozen=True)
class Chart:
    """A drawing, what it shows in words, and its numbers.

    Attributes:
        name: short, for file names and addresses within a page.
        title: what it shows.
        about: how to read it, in a sentence or two.
        svg: the drawing, complete.
        rows: the numbers that are drawn, for a table.
    """

    name: str
    title: str
    about: str
    svg: str
    rows: Sequence[Mapping[str, Cell]] = field(default_factory=tuple)

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write the drawing into a file: .svg, .pdf or .png by its ending.

        Raises:
            BadInput: another ending.
            MissingExtra: PDF and PNG need vl-convert-python.
        """
        where = Path(path)
        if where.suffix == ".svg":
            where.write_text(self.svg + "\n", "utf-8")
            return
        if where.suffix not in (".pdf", ".png"):
            raise BadInput(f"{where}: a drawing is saved as .svg, .pdf or .png")
        try:
            import vl_convert
        except ImportError:
            raise MissingExtra("PDF and PNG need vl-convert: pip install 'society-sandbox[plot]'") from None
        made = vl_convert.svg_to_pdf(self.svg) if where.suffix == ".pdf" else vl_convert.svg_to_png(self.svg, scale=2)
        where.write_bytes(made)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of `rows`."""
        return tuple(self.rows[0]) if self.rows else ()

    def table(self) -> list[list[str]]:
        """The numbers in words, row by row, in the order of `columns`."""
        return [[cell_words(row.get(name)) for name in self.columns] for row in self.rows]


class Drawing:
    """An SVG that is being drawn; y grows downwards, units are pixels."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(
        self,
        points: Sequence[tuple[float, float]],
        *,
        colour: str = INK,
        dash: str = "",
        width: float = 1,
        kind: str = "",
        tip: str = "",
    ) -> None:
        """A line through the points."""
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dashed}{_class(kind)}>'
            f"{_tip(tip)}</polyline>"
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        stroke: str = "none",
        kind: str = "",
        tip: str = "",
        opacity: float = 1,
        round_: int | None = None,
    ) -> None:
        """A rectangle; `tip` shows when it is pointed at, `round_` is where a click leads in a page."""
        leads = f' data-round="{round_}"' if round_ is not None else ""
        seen = f' fill-opacity="{_n(opacity)}"' if opacity != 1 else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(0, width))}" height="{_n(max(0, height))}" fill="{fill}"'
            f' stroke="{stroke}"{seen}{leads}{_class(kind)}>{_tip(tip)}</rect>'
        )

    def dot(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: str = INK,
        stroke: str = "none",
        kind: str = "",
        tip: str = "",
    ) -> None:
        """A filled circle."""
        self._parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}" stroke="{stroke}"{_class(kind)}>'
            f"{_tip(tip)}</circle>"
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        size: float = 12,
        fill: str = INK,
        kind: str = "ink",
        bold: bool = False,
        turned: float = 0,
    ) -> None:
        """Words on one line; whatever would not be seen is written out. `turned`: by so many degrees around their place."""
        weight = ' font-weight="600"' if bold else ""
        if turned:
            weight += f' transform="rotate({_n(turned)} {_n(x)} {_n(y)})"'
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" font-size="{_n(size)}" fill="{fill}"{weight}'
            f"{_class(kind)}>{escape(safe(words))}</text>"
        )

    def svg(self, name: str, title: str, about: str) -> str:
        """The whole drawing, with its title and description for those who cannot see it."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
            f' width="{_n(self.width)}" height="{_n(self.height)}" role="img" font-family="system-ui, sans-serif"'
            f' aria-labelledby="chart-{name}-title chart-{name}-about" class="chart">'
            f'<title id="chart-{name}-title">{escape(safe(title))}</title>'
            f'<desc id="chart-{name}-about">{escape(safe(about))}</desc>{"".join(self._parts)}</svg>'
        )


def short(name: str, most: int = 14) -> str:
    """A name that fits beside a drawing."""
    return name if len(name) <= most else name[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from numbers to places."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low or 1
        return self.start + (value - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, at most a few."""
    if high <= low:
        high = low + 1
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * 0.9999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _tip(words: str) -> str:
    return f"<title>{escape(safe(words))}</title>" if words else ""
