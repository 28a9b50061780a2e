"""Agents' words, made harmless for a terminal: what would move the cursor or fool the eye is shown instead of obeyed."""

from __future__ import annotations

import unicodedata

_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\x1b": "\\e"}
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
MOST_MARKS = 3
"""Combining marks on one letter; natural languages need no more, and a heap of them covers the lines around it."""


def safe(text: str) -> str:
    r"""The text on one line, with every control, bidi, zero-width or otherwise invisible character written out.

    ``\n`` and ``\e`` for line ends and escapes, ``\u{202e}`` for the rest. Letters of every script, emoji and ordinary
    blanks stay as they are; so does a backslash, since the log keeps the words verbatim for whoever needs them exactly.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category[0] == "M" else 0
        if harmless(char, category) and marks <= MOST_MARKS:
            shown.append(char)
        else:
            shown.append(_NAMED.get(char) or f"\\u{{{ord(char):x}}}")
    return "".join(shown)


def safe_lines(text: str) -> list[str]:
    r"""The text line by line, each made safe; only ``\n`` starts a line."""
    return [safe(line) for line in text.split("\n")]


def flagged(text: str) -> bool:
    """Whether the text holds something that would not be seen, or not as what it is."""
    return any(safe(line) != line for line in text.split("\n"))


def harmless(char: str, category: str) -> bool:
    """Whether a character is seen, and as what it is."""
    if char == " ":
        return True
    if (
        category[0] in "CZ" or char in _INVISIBLE
    ):  # controls, formats, surrogates, unassigned; odd blanks and separators
        return False
    return not ("\ufe00" <= char <= "\ufe0e" or "\U000e0100" <= char <= "\U000e01ef")  # U+FE0F only picks emoji style
