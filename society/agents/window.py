"""The part of a history that still fits into a prompt.

The text only grows, line by line, so that servers find the beginning of each prompt in their caches. When it would become too
long, the older half of the rounds is dropped at once, and one line says so and gives the totals of what is gone; then it grows
again. Every entry is rendered once, whatever the length of the episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from society.agents.prompting import Plain
from society.agents.transcript import Transcript
from society.core.actions import amount_of
from society.core.exact import Number, show
from society.core.policy import Happened, Seen

CHARACTERS_PER_TOKEN = 4


def tokens_in(text: str) -> int:
    """Tokens of a text, estimated at four characters each, rounded up; other scripts than ASCII count a token a letter."""
    if text.isascii():
        return -(-len(text) // CHARACTERS_PER_TOKEN)
    plain = len(text.encode("ascii", "ignore"))
    return -(-plain // CHARACTERS_PER_TOKEN) + len(text) - plain


@dataclass(frozen=True, slots=True)
class _Line:
    round: int
    text: str
    tokens: int
    entry: Seen


class Window:
    """One agent's history as lines, cut to a number of tokens.

    Attributes:
        most_tokens: what the lines together may come to.
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
        self._summary = ""
        self._text = ""

    def text(self, history: Sequence[Seen]) -> str:
        """The lines for this history, which starts with the entries that were given last time."""
        if self._seen and (len(history) < self._seen or history[self._seen - 1] != self._latest):
            self._seen = 0
            self._clear()
        fresh = history[self._seen :]
        added: list[str] = []
        for entry in fresh:
            line = self.transcript.line(entry)
            self._lines.append(_Line(entry.round, line, tokens_in(line) + 1, entry))
            self._tokens += self._lines[-1].tokens
            added.append(line)
        self._seen += len(fresh)
        self._latest = history[-1] if history else None
        if self._tokens > self.most_tokens and self._drop_older_half():
            self._text = "\n".join([self._summary, *(line.text for line in self._lines)])
        elif added:
            self._text = "\n".join([self._text, *added] if self._text else added)
        return self._text

    def halve(self) -> bool:
        """Drop the older half now, as when a server finds the prompt too long; False when one round is left."""
        dropped = self._drop_older_half(self._tokens // 2)
        if dropped:
            self._text = "\n".join([self._summary, *(line.text for line in self._lines)])
        return dropped

    def _drop_older_half(self, most: int | None = None) -> bool:
        """Whole rounds go, until no more than half of what is allowed is left; the last round always stays."""
        goal = self.most_tokens // 2 if most is None else most
        newest = self._lines[-1].round if self._lines else 0
        keep, tokens = 0, self._tokens
        while keep < len(self._lines) and tokens > goal and self._lines[keep].round < newest:
            current = self._lines[keep].round
            while self._lines[keep].round == current:
                tokens -= self._lines[keep].tokens
                keep += 1
        if not keep:
            return False
        gone, self._lines = self._lines[:keep], self._lines[keep:]
        for line in gone:
            if isinstance(line.entry, Happened):
                self._add_up(line.entry)
        first = self._dropped[0] if self._dropped else gone[0].round
        self._dropped = (first, gone[-1].round)
        self._summary = self.transcript.omitted(*self._dropped, {"agents": self._totals()})
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
