"""Text that every database keeps: NUL and lone surrogates, escaped without loss; secrets, taken out.

SQLite keeps a NUL but counts only up to it, PostgreSQL refuses it, and neither takes a lone surrogate. Such characters, and
the escape character itself (U+0010, which no keyboard makes), are written as U+0010 and four hexadecimal digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

_UNSTORABLE = re.compile("[\x00\x10\ud800-\udfff]")
_ESCAPED = re.compile("\x10([0-9a-f]{4})")

_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")

REDACTED = "[redacted]"
_LEVELS = 3
"""An agent's answer is JSON, in an envelope that is JSON, in an event that is JSON."""
SHORTEST_SECRET = 6
"""Shorter values are no secrets: taking "1234" out of every number would falsify the log."""


def storable_text(text: str) -> str:
    """The text as any database keeps it; `original_text` gives it back."""
    if text.isascii() and "\x00" not in text and "\x10" not in text:
        return text
    return _UNSTORABLE.sub(lambda match: f"\x10{ord(match[0]):04x}", text)


def original_text(stored: str) -> str:
    """Back from `storable_text`."""
    if "\x10" not in stored:
        return stored
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), stored)


def _forms(value: str) -> Iterator[str]:
    """A value as it is, and as it stands in JSON, in JSON within JSON, and once more: the longest form first."""
    forms = {value}
    for _ in range(_LEVELS):
        forms |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
    yield from sorted(forms, key=lambda form: (-len(form), form))


def without_password(words: str) -> str:
    """A command line without the passwords that stand in addresses."""
    return _PASSWORD.sub(rf"\1{REDACTED}@", words)


class Redaction:
    """Takes the exact values of configured secrets out of whatever is about to be stored."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=lambda s: (-len(s), s))
        self._values = tuple(dict.fromkeys(form for value in values for form in _forms(value)))
        self._bytes = tuple(value.encode("utf-8", "surrogatepass") for value in self._values)

    @property
    def values(self) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
        """What is taken out: of texts, and of bytes."""
        return self._values, self._bytes

    def __bool__(self) -> bool:
        return bool(self._values)

    def text(self, text: str) -> str:
        for value in self._values:
            if value in text:
                text = text.replace(value, REDACTED)
        return text

    def bytes(self, raw: bytes) -> bytes:
        for value in self._bytes:
            if value in raw:
                raw = raw.replace(value, REDACTED.encode())
        return raw
