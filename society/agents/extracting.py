r"""The JSON objects in a model's words: one rule, in one pass.

1.  What stands between ``<think>`` and ``</think>`` is no answer; an unclosed ``<think>`` takes the rest, a lone ``</think>`` all
    before it.
2.  If all that is left is one JSON value, that value is the only candidate.
3.  Else every outermost ``{ ... }`` is a candidate: braces are counted, and inside them quotes are respected. Prose and code
    fences around them do not matter. Of several, each must be JSON, and none may be cut off.
4.  A single one that is no JSON is mended once (a missing brace, a trailing comma, single quotes), unless it breaks off in the
    middle of a number or word, or mending it would leave out anything it says.

JSON is strict beyond the standard: no duplicate keys, no NaN or infinity, no numeral longer than any quantity, and decimals stay
exact. Every step is linear in the length of the words.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from society.core.errors import Unreadable

MOST_CHARACTERS = 2_000_000
"""Longest answer that is looked at as a whole."""
MOST_SEARCHED = 200_000
"""Longest answer in which objects are searched for."""
MOST_MENDED = 8_000
MOST_NESTING = 32
MOST_CANDIDATES = 16
MOST_DIGITS = 15

_PUNCTUATION = frozenset("{}[]:,\"'`\\\u2018\u2019\u201a\u201c\u201d\u201e")
_AS_JSON = {"True": "true", "False": "false", "None": "null"}
_WORDS = re.compile("True|False|None")
_OPEN, _CLOSE = "<think>", "</think>"
_REFUSALS = (
    "i'm sorry, but i can", "i am sorry, but i can", "i'm sorry, i can", "sorry, but i can", "sorry, i can",
    "i can't help", "i cannot help", "i can't assist", "i cannot assist", "i can't comply", "i cannot comply",
    "i can't participate", "i cannot participate", "i won't participate", "i will not participate", "i must decline",
    "i can't provide", "i cannot provide", "i can't fulfill", "i cannot fulfill", "i'm unable to", "i am unable to",
    "i'm not able to", "i am not able to", "as an ai",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in an answer.

    Attributes:
        candidates: the values that may be the answer, in the order they stand.
        mended: the words were not plainly one JSON value.
        prose: the words without think blocks.
    """

    candidates: tuple[Any, ...]
    mended: bool
    prose: str


def visible(text: str) -> str:
    """The text without blanks at its ends, or nothing if it shows nothing at all."""
    stripped = text.strip().strip("\ufeff").strip()
    if not stripped:
        return ""
    head = stripped[:2000]
    if stripped.isascii() and any(" " < c < "\x7f" for c in head):
        return stripped
    hidden = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Cs", "Cn", "Co"}
    blank = "\u115f\u1160\u3164\uffa0\u2800"
    shown = any(unicodedata.category(c) not in hidden and c not in blank for c in stripped)
    return stripped if shown else ""


def find(text: str) -> Found:
    """The candidates in a model's words.

    Raises:
        Unreadable: the words are too long, or hold too many objects.
    """
    if len(text) > MOST_CHARACTERS:
        raise Unreadable(f"the answer has {len(text)} characters, more than anybody reads")
    prose = visible(without_thoughts(text))
    try:
        return Found((strict_json(prose),), False, prose)
    except _Refused:
        raise
    except Unreadable as problem:
        whole = problem
    if len(prose) > MOST_SEARCHED:
        raise Unreadable(f"no plain JSON in an answer of {len(prose)} characters")
    spans, unclosed = _outermost(prose)
    if len(spans) > MOST_CANDIDATES:
        raise Unreadable(f"{len(spans)} objects in one answer")
    if not spans:
        return Found((), True, prose) if unclosed is None else Found((_mend(prose[unclosed:], whole),), True, prose)
    if unclosed is not None:
        raise Unreadable("the answer holds an object that is cut off")
    if len(spans) > 1:
        return Found(tuple(strict_json(span) for span in spans), True, prose)
    try:
        return Found((strict_json(spans[0]),), True, prose)
    except _Refused:
        raise
    except Unreadable as problem:
        return Found((_mend(spans[0], problem),), True, prose)


def without_thoughts(text: str) -> str:
    """The text without its think blocks."""
    kept: list[str] = []
    at = 0
    while True:
        opens = text.find(_OPEN, at)
        closes = text.find(_CLOSE, at)
        if closes >= 0 and (opens < 0 or closes < opens):
            kept.clear()
            at = closes + len(_CLOSE)
        elif opens >= 0:
            kept.append(text[at:opens])
            if closes < 0:
                return "".join(kept)
            at = closes + len(_CLOSE)
        else:
            kept.append(text[at:])
            return "".join(kept)


def refuses(prose: str) -> bool:
    """Whether words without an answer are a refusal, by how they begin."""
    head = prose[:80].replace("\u2019", "'").lstrip("\"'*_ \n").casefold()
    return head.startswith(_REFUSALS)


class _Refused(Unreadable):
    """JSON by its form, but something in it is not allowed; mending would hide that."""


def strict_json(text: str) -> Any:
    """The JSON value of a text; decimals come as `Decimal`.

    Raises:
        Unreadable: no JSON, a duplicate key, a number that is none, too many digits, too deep.
    """
    if text.count("{") + text.count("[") > MOST_NESTING and _nesting(text) > MOST_NESTING:
        raise _Refused("the answer is nested too deeply")
    try:
        return _STRICT.decode(text)
    except Unreadable:
        raise
    except RecursionError:
        raise _Refused("the answer is nested too deeply") from None
    except ValueError as problem:
        raise Unreadable(f"not valid JSON: {problem}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _Refused(f"the key {twice[:40]!r} stands twice")
    return result


def _constant(word: str) -> Any:
    raise _Refused(f"{word} is not a number")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise _Refused(f"a number of {len(digits)} digits is no quantity")
    return int(digits)


def _decimal(numeral: str) -> Decimal:
    try:
        value = Decimal(numeral)
    except InvalidOperation:
        raise _Refused("that number is out of bounds") from None
    if not value:
        return Decimal(0)
    if len(numeral) > 2 * MOST_DIGITS or abs(value.adjusted()) > MOST_DIGITS:
        raise _Refused("that number is out of bounds")
    return value


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_decimal
)


def _nesting(text: str) -> int:
    """How deep brackets nest outside of strings."""
    depth = deepest = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted, escaped = True, False
        elif character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth = max(0, depth - 1)
    return deepest


def _outermost(text: str) -> tuple[list[str], int | None]:
    """Every outermost ``{ ... }``, and where one starts that is never closed."""
    spans: list[str] = []
    depth = start = 0
    quoted = escaped = False
    for at, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == "{":
            start = at if depth == 0 else start
            depth += 1
        elif depth and character == '"':
            quoted, escaped = True, False
        elif depth and character == "}":
            depth -= 1
            if depth == 0:
                spans.append(text[start : at + 1])
    return spans, start if depth else None


def _mend(text: str, fault: Unreadable) -> Any:
    """The value of slightly broken JSON."""
    if len(text) > MOST_MENDED or _nesting(text) > MOST_NESTING:
        raise fault
    if text[-1].isalnum():
        raise Unreadable("the answer is cut off")  # 1 may have been the beginning of 10
    import json_repair

    mended = json_repair.repair_json(text, ensure_ascii=False)
    if not mended or not isinstance(mended, str):
        raise fault
    value = strict_json(mended)
    if not isinstance(value, dict) or _said(text) != _said(mended):
        raise fault
    return value


def _said(text: str) -> str:
    """What a text says beside its punctuation. Mending may not lose any of it: ``{"action": 2+3}`` is not 2, ``50%`` not 50."""
    plain = "".join(character for character in text if not (character.isspace() or character in _PUNCTUATION))
    return _WORDS.sub(lambda word: _AS_JSON[word[0]], plain)
