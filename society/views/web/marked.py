"""Agents' words for a page: escaped, and with whatever would not be seen, or not as what it is, written out and marked."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

from society.views.terminal import MOST_MARKS, harmless, safe

_UNUSUAL = re.compile(r"[^\n\x20-\x7e]+")
_SHORT = {"\t": "tab", "\r": "CR", "\x1b": "ESC", "\x00": "NUL", "\b": "BS", "\x07": "BEL", "\u200b": "ZWSP", "\u200d": "ZWJ"}  # fmt: skip


def marked(text: str) -> Markup:
    """The text as HTML: line ends stay, every other control, bidi, zero-width or invisible character becomes a mark.

    A mark shows the number of the character and tells its name when it is pointed at.
    """
    shown: list[str] = []
    end = 0
    for found in _UNUSUAL.finditer(text):
        shown.append(str(escape(text[end : found.start()])))
        shown.extend(_run(found[0]))
        end = found.end()
    shown.append(str(escape(text[end:])))
    return Markup("".join(shown))


def plain(value: object) -> object:
    """What a template prints without saying how: text on one line, escaped; right in an attribute as well."""
    return Markup(escape(safe(value))) if isinstance(value, str) and not isinstance(value, Markup) else value


def _run(text: str) -> list[str]:
    shown: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category[0] == "M" else 0
        if harmless(char, category) and marks <= MOST_MARKS:
            shown.append(char)
        else:
            name = unicodedata.name(char, "CONTROL" if category == "Cc" else "NOT A CHARACTER")
            word = _SHORT.get(char) or f"{ord(char):04X}"
            shown.append(f'<span class="odd" title="U+{ord(char):04X} {name}">{word}</span>')
    return shown


MOST_SHOWN = 1_500
MOST_LINES = 30
MOST_KEPT = 100_000


def parted(text: str) -> tuple[str, str, int]:
    """A text for a page: what is shown at once, what is unfolded, and how many characters are left to the log."""
    lines = text.split("\n", MOST_LINES)
    head = "\n".join(lines[:MOST_LINES])[:MOST_SHOWN]
    if len(text) - len(head) < 100 and len(lines) <= MOST_LINES:
        head = text
    kept = text[len(head) : MOST_KEPT]
    return head, kept, len(text) - len(head) - len(kept)
