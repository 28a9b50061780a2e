"""Travel times written as a formula, such as ``2 + 6 x/c``: read once, evaluated exactly.

    formula   = term (("+" | "-") term)*
    term      = power (("*" | "/" | nothing) power)*        two factors side by side are multiplied: 10x, 2(x + 1)
    power     = factor ("^" whole number)?
    factor    = number | name | "(" formula ")"

The names are ``x`` (also ``f``, ``flow``), the flow on the edge, and ``c``, the flow of all agents together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from society.core.exact import show

Value = Callable[[Fraction, Fraction], Fraction]
"""The minutes at a flow x, where all agents together are c."""

LONGEST = 200
HIGHEST_POWER = 10
FLOW, ALL = ("x", "f", "flow"), ("c",)
_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]+)|(?P<sign>\*\*|[-+*/^()]))")


class Formula:
    """A formula that was read.

    Raises:
        ValueError: it cannot be read; names the character and what would be right.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > LONGEST:
            raise ValueError(f"a formula of {len(text)} characters; at most {LONGEST} are read")
        self._tokens = list(self._split())
        self._at = 0
        self._value = self._sum()
        if self._at < len(self._tokens):
            raise self._expected("an operator such as + or *")

    def minutes(self, flow: Fraction, everybody: Fraction) -> Fraction:
        """The time at a flow.

        Raises:
            ValueError: the formula divides by zero there.
        """
        try:
            return self._value(flow, everybody)
        except ZeroDivisionError:
            raise ValueError(f"{self.text!r} divides by zero at a flow of {show(flow)}") from None

    def words(self, everybody: Fraction) -> str:
        """The formula as agents read it: the flow as ``users``, and the flow of all as a number."""
        names = {**dict.fromkeys(FLOW, "users"), **dict.fromkeys(ALL, show(everybody, 6)), "**": "^"}
        text, before = "", ""
        for kind, word, _ in self._tokens:
            follows = kind != "sign" or word == "("
            if follows and (before.isalnum() or before == ")"):
                text += " * "
            said = names.get(word, word)
            text += f" {said} " if word in ("+", "-", "*", "/") else said
            before = word
        return text

    def _split(self) -> list[tuple[str, str, int]]:
        found, place = [], 0
        while self.text[place:].strip():
            match = _TOKEN.match(self.text, place)
            if match is None:
                start = place + len(self.text[place:]) - len(self.text[place:].lstrip())
                raise self._wrong(
                    start, f"{self.text[start]!r} has no meaning here; use numbers, x, c, + - * / ^ and brackets"
                )
            kind = str(match.lastgroup)
            found.append((kind, match[kind], match.start(kind)))
            place = match.end()
        return found

    def _wrong(self, place: int, why: str) -> ValueError:
        return ValueError(f"{self.text!r}, character {place + 1}: {why}")

    def _expected(self, wanted: str) -> ValueError:
        if self._at < len(self._tokens):
            _, word, place = self._tokens[self._at]
            return self._wrong(place, f"expected {wanted}, not {word!r}")
        return self._wrong(len(self.text), f"expected {wanted}, but the formula ends")

    def _take(self, *signs: str) -> str | None:
        if self._at < len(self._tokens):
            kind, word, _ = self._tokens[self._at]
            if kind == "sign" and word in signs:
                self._at += 1
                return word
        return None

    def _sum(self) -> Value:
        value = self._product()
        while (sign := self._take("+", "-")) is not None:
            value = _ADD[sign](value, self._product())
        return value

    def _product(self) -> Value:
        value = self._power()
        while True:
            sign = self._take("*", "/")
            if sign is None and not self._factor_follows():
                return value
            value = _TIMES[sign or "*"](value, self._power())

    def _factor_follows(self) -> bool:
        kind, word, _ = self._tokens[self._at] if self._at < len(self._tokens) else ("", "", 0)
        return kind in ("number", "name") or word == "("

    def _power(self) -> Value:
        base = self._factor()
        if self._take("^", "**") is None:
            return base
        kind, word, _ = self._tokens[self._at] if self._at < len(self._tokens) else ("", "", 0)
        if kind != "number" or not word.isdigit() or int(word) > HIGHEST_POWER:
            raise self._expected(f"a whole power of at most {HIGHEST_POWER}")
        self._at += 1
        power = int(word)
        return lambda x, c: base(x, c) ** power

    def _factor(self) -> Value:
        if self._take("(") is not None:
            inside = self._sum()
            if self._take(")") is None:
                raise self._expected("a closing bracket")
            return inside
        if not self._factor_follows():
            raise self._expected("a number, x, c or a bracket")
        kind, word, place = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            constant = Fraction(word)
            return lambda x, c: constant
        if word in FLOW:
            return lambda x, c: x
        if word in ALL:
            return lambda x, c: c
        raise self._wrong(
            place, f"unknown name {word!r}; use x for the flow on the edge and c for the flow of all agents"
        )


_ADD: dict[str, Callable[[Value, Value], Value]] = {
    "+": lambda a, b: lambda x, c: a(x, c) + b(x, c),
    "-": lambda a, b: lambda x, c: a(x, c) - b(x, c),
}
_TIMES: dict[str, Callable[[Value, Value], Value]] = {
    "*": lambda a, b: lambda x, c: a(x, c) * b(x, c),
    "/": lambda a, b: lambda x, c: a(x, c) / b(x, c),
}
