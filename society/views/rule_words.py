"""What happened under a rule, as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from society.core.exact import show
from society.core.rows import RuleEvent, RuleEventKind


@dataclass(frozen=True, slots=True)
class _Told:
    """The pieces of one event that its sentence is made of."""

    who: tuple[str, ...]
    detail: str
    amount: str

    @property
    def all(self) -> str:
        return ", ".join(self.who) if self.who else "nobody"

    @property
    def first(self) -> str:
        return self.who[0] if self.who else "somebody"

    @property
    def others(self) -> str:
        return ", ".join(self.who[1:])

    def verb(self, stem: str) -> str:
        """``Ann breaks``, ``Ann, Bo break``; of two words the first is for one agent."""
        one, _, many = stem.partition("|")
        return f"{self.all} {one if len(self.who) == 1 and many else many or one + 's' * (len(self.who) == 1)}"

    @property
    def why(self) -> str:
        return f": {self.detail}" if self.detail else ""

    @property
    def much(self) -> str:
        return f", {self.amount}" if self.amount else ""


_SENTENCES: Mapping[RuleEventKind, Callable[[_Told], str]] = {
    "violation": lambda e: f"{e.verb('break')} the rule" + (f", by {e.amount}" if e.amount else ""),
    "detect": lambda e: f"{e.verb('is|are')} noticed",
    "evade": lambda e: f"{e.verb('is|are')} not noticed" + (f"; {e.amount} would have been due" if e.amount else ""),
    "sanction": lambda e: f"{e.verb('is|are')} sanctioned{e.much}" + (f" ({e.detail})" if e.detail else ""),
    "defy": lambda e: (
        (
            f"{e.verb('announce')} not to pay what the rule asks"
            if e.detail == "announced"
            else f"{e.verb('does|do')} not pay" + (f" {e.amount} that is due" if e.amount else "")
        )
        + (f" ({e.detail})" if e.detail not in ("", "announced") else "")
    ),
    "amend": lambda e: f"the rules are changed by {e.all}{e.why}",
    "overthrow": lambda e: f"OVERTHROWN by {e.all}{e.why}",
    "seizure": lambda e: f"POWER SEIZED by {e.all}{e.why}",
    "lapse": lambda e: e.detail or "the rule lapses",
    "motion": lambda e: f"{e.verb('move')} {e.detail or 'a change'}",
    "vote": lambda e: f"{e.verb('vote')}{e.why}",
    "propose": lambda e: f"{e.verb('make')} {e.detail}",
    "counter": lambda e: f"{e.verb('make')} {e.detail} in answer to another",
    "accept": lambda e: f"{e.verb('accept')} {e.detail}",
    "refuse": lambda e: f"{e.verb('refuse')} {e.detail}",
    "withdraw": lambda e: f"{e.verb('withdraw')} {e.detail}",
    "sign": lambda e: f"{e.verb('sign')} {e.detail}",
    "join": lambda e: f"{e.verb('join')} {e.detail}".rstrip(),
    "leave": lambda e: f"{e.verb('leave')} {e.detail}".rstrip(),
    "agree": lambda e: f"{e.detail} is in force between {e.all}",
    "dissolve": lambda e: f"{e.detail} of {e.all} is dissolved",
    "elect": lambda e: f"{e.verb('is|are')} elected",
    "recall": lambda e: f"{e.first} is recalled" + (f" by {e.others}" if e.others else ""),
    "ignored": lambda e: f"a move of {e.all} does not count{e.why}",
    "transfer": lambda e: f"{e.first} promises {e.amount} to {e.others}",
    "delegate": lambda e: f"{e.first} delegates" + (f" to {e.others}" if e.others else ""),
    "order": lambda e: f"{e.verb('offer')} to {e.detail}",
    "ask": lambda e: f"{e.verb('ask')} the human to decide{e.why}",
}


def rule_words(event: RuleEvent, names: Sequence[str]) -> str:
    """The event as a sentence behind the name of its rule, such as ``quota: Ann breaks the rule, by 2``."""
    amount = "" if event.amount is None else show(event.amount)
    told = _Told(tuple(names[seat] for seat in event.agents), event.detail, amount)
    return f"{event.rule}: {' '.join(_SENTENCES[event.event](told).split())}"
