"""How a run and an alignment show themselves in a notebook: pieces of HTML without style sheets or scripts."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from html import escape

from society.core.markup import html_table
from society.episode import Episode
from society.metrics import HEADLINES, Measured
from society.views.story import tell
from society.views.tables import Cell
from society.views.terminal import safe
from society.views.transcript import html_rounds


def run_html(episode: Episode, measured: Mapping[str, Measured]) -> str:
    """A run: what it was, its headline numbers, and its transcript to be opened."""
    story = tell(episode)
    cast = ", ".join(f"{name} ({model})" for name, model in zip(story.names, story.models, strict=True))
    rows = [
        [name, _number(measured[name].value), measured[name].numerator, measured[name].denominator]
        for name in HEADLINES
    ]
    return (
        f"<p><b>{escape(safe(story.title))}</b>, seed {story.seed}, run <code>{escape(story.run_id)}</code>: "
        f"{escape(safe(story.ending))}<br>{escape(safe(cast))}</p>"
        f"{html_table(['metric', 'value', 'numerator', 'denominator'], rows)}"
        f"<details><summary>transcript</summary>{''.join(html_rounds(story))}</details>"
    )


def _number(cell: Cell) -> Cell:
    """A number for the eye; the exact one is in `rows()`."""
    return round(float(cell), 3) if isinstance(cell, (float, Fraction)) else cell
