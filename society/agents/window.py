"""The part of a history that still fits into a prompt.

The text only grows, line by line, so that servers find the beginning of each prompt in their caches. When it would become too
long, the older half of the rounds is dropped at once, and one line says so and gives the totals of what is gone; then it grows
again. Every entry is rendered once, whatever the length of the episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from society.agents.plain import Plain
from society.agents.transcript import Transcript
from society.core.actions import amount_of
from society.core.exact import Number, show
from society.core.policy import Happened, Seen
from society.core.stem import Stem

CHARACTERS_PER_TOKEN = 4


def tokens_in(text: str) -> int:
    """Tokens of a text, estimated at four characters each, rounded up; other scripts than ASCII count a token a letter."""
    if text.isascii():
        return -(-len(text) // CHARACTERS_PER_TOKEN)
    plain = len(text.encode("ascii", "ignore"))
    return -(-plain // CHARACTERS_PER_TOKEN) + len(text) - plain


class _Line(NamedTuple):
    """One line of the text: its length, what it counts for (with its line end), and what it tells."""

    length: int
    tokens: int
    entry: Seen


class Window:
    """One agent's history as lines, cut to a number of tokens.

    Attributes:
        most_tokens: what the lines together may come to.
        stem: the text that was told last, for the hashes of prompts that begin with it; None before there is any.
    """

    def __init__(self, transcript: Transcript, most_tokens: int) -> None:
        self.transcript, self.most_tokens = transcript, most_tokens
        self._seen = 0
        self._latest: Seen | None = None
        self._clear()

    def _clear(self) -> None:
        self._lines: list[_Line] = []
        self._tokens = 0
        self._dropped: tuple[int, int] | None = None
        self._actions: list[Number | None] = []
        self._payoffs: list[Number | None] = []
        self._text = ""
        self.stem: Stem | None = None

    def text(self, history: Sequence[Seen]) -> str:
        """The lines for this history, which starts with the entries that were given last time."""
        if self._seen and not self._goes_on(history):
            self._seen = 0
            self._clear()
        fresh = history[self._seen :]
        added: list[str] = []
        for entry in fresh:
            line = self.transcript.line(entry)
            tokens = tokens_in(line) + 1
            self._lines.append(_Line(len(line), tokens, entry))
            self._tokens += tokens
            added.append(line)
        if added:
            self._seen += len(fresh)
            self._latest = fresh[-1]
            more = "\n".join(["", *added] if self._text else added)
            self._text += more
            self.stem = Stem(more, self.stem)
        if self._tokens > self.most_tokens:
            self._drop_older_half()
        return self._text

    def _goes_on(self, history: Sequence[Seen]) -> bool:
        """Whether a history begins with what was seen so far."""
        if len(history) < self._seen:
            return False
        known = history[self._seen - 1]
        return known is self._latest or known == self._latest

    def halve(self) -> bool:
        """Drop the older half now, as when a server finds the prompt too long; False when one round is left."""
        return self._drop_older_half(self._tokens // 2)

    def _drop_older_half(self, most: int | None = None) -> bool:
        """Whole rounds go, until no more than half of what is allowed is left; the last round always stays."""
        goal = self.most_tokens // 2 if most is None else most
        newest = self._lines[-1].entry.round if self._lines else 0
        keep, tokens = 0, self._tokens
        while keep < len(self._lines) and tokens > goal and self._lines[keep].entry.round < newest:
            current = self._lines[keep].entry.round
            while self._lines[keep].entry.round == current:
                tokens -= self._lines[keep].tokens
                keep += 1
        if not keep:
            return False
        gone, self._lines = self._lines[:keep], self._lines[keep:]
        for line in gone:
            if isinstance(line.entry, Happened):
                self._add_up(line.entry)
        first = self._dropped[0] if self._dropped else gone[0].entry.round
        self._dropped = (first, gone[-1].entry.round)
        summary = self.transcript.omitted(*self._dropped, {"agents": self._totals()})
        kept = sum(line.length + 1 for line in self._lines)
        self._text = f"{summary}\n{self._text[len(self._text) + 1 - kept :]}"
        self.stem = Stem(self._text)
        self._tokens = tokens
        return True

    def _add_up(self, entry: Happened) -> None:
        """Running totals; a total of which some part was hidden or is no amount stays unknown."""
        n = len(entry.payoffs)
        first = not self._payoffs
        actions = [amount_of(action) for action in entry.requested]
        was_actions: list[Number | None] = [0] * n if first else self._actions
        was_payoffs: list[Number | None] = [0] * n if first else self._payoffs
        self._actions = [_sum(was, now) for was, now in zip(was_actions, actions, strict=True)]
        self._payoffs = [_sum(was, now) for was, now in zip(was_payoffs, entry.payoffs, strict=True)]

    def _totals(self) -> list[dict[str, Plain]]:
        me = self.transcript.agent
        return [
            {
                "name": "you" if seat == me else self.transcript.labels[seat],
                "action": None if action is None else show(action, 4),
                "payoff": None if payoff is None else show(payoff, 4),
            }
            for seat, (action, payoff) in enumerate(zip(self._actions, self._payoffs, strict=True))
        ]


def _sum(was: Number | None, now: Number | None) -> Number | None:
    return None if was is None or now is None else was + now
