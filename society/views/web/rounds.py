"""A round as a reader sees it: who said what to whom, and what each agent meant, did and got, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from society.core.actions import Action
from society.core.events import Acted, Declared, Settled, Spoke
from society.core.exact import Number, show
from society.core.policy import Declaration
from society.episode import Episode, Round
from society.views.story import Line, Teller
from society.views.web.governance import Ruled, ruled

ODD_STATUS = {
    "repaired": "mended without asking again",
    "retried": "asked again, then fine",
    "empty": "no answer",
    "refused": "the model refused",
    "out_of_range": "not allowed; the nearest allowed value stands",
    "truncated": "cut off",
    "defaulted": "unreadable; the scenario chose",
}
"""What a parse status means, where it is not ok."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or a move, or silence.

    Attributes:
        anchor: its address within the page.
        agent: the speaker's seat.
        to: the recipients' seats; None is everybody.
        words: verbatim.
        kind: said, whispered, moved or silent.
        status, error: how the answer was read.
        clipped: some message of the turn was cut.
    """

    anchor: str
    round: int
    turn: int
    agent: int
    to: tuple[int, ...] | None
    words: str
    kind: str
    status: str
    error: str
    clipped: bool

    @property
    def hearers(self) -> tuple[int, ...] | None:
        """The seats that know of it; None is everybody."""
        return None if self.to is None else tuple(dict.fromkeys((self.agent, *self.to)))


@dataclass(frozen=True, slots=True)
class Deed:
    """One agent's row of a round. Words are empty, and numbers None, where nothing was stated or nothing came of it yet.

    Attributes:
        meant, expected, forecast, objective: what it stated in private; `early` is what it stated before the talk.
        intent_status, intent_error: how that was read.
        submitted, did: what it answered and what was carried out.
        changed: what it did differs from what it meant, in words; empty if it does not, or nothing was meant.
        ruled: what the rules made of its action, if they changed it.
        granted, payoff: what came of it.
        action_status, action_error: how its action was read; `counts_as`: what a defaulted one counted as.
    """

    anchor: str
    round: int
    agent: int
    meant: str = ""
    expected: str = ""
    forecast: str = ""
    objective: str = ""
    early: str = ""
    intent_status: str = ""
    intent_error: str = ""
    submitted: str = ""
    did: str = ""
    changed: str = ""
    ruled: str = ""
    granted: str = ""
    payoff: str = ""
    material: str = ""
    action_status: str = ""
    action_error: str = ""
    counts_as: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A round: its title and result in words, what was said, done and decided, and what happened under rules.

    Attributes:
        ruled: what each rule did, in short and entry by entry.
        coalitions: agreements in force: name and members.
        settled: the round is finished; collapsed: the commons died in it.
        lazy: only title and result are filled in; the rest is fetched when it is wanted.
    """

    number: int
    title: str
    result: str
    messages: tuple[Message, ...]
    deeds: tuple[Deed, ...]
    decisions: tuple[Line, ...]
    ruled: tuple[Ruled, ...]
    coalitions: tuple[tuple[str, tuple[int, ...]], ...]
    settled: bool
    collapsed: bool
    lazy: bool = False

    @property
    def columns(self) -> frozenset[str]:
        """Which columns some agent has anything in."""
        names = ("early", "meant", "expected", "forecast", "granted", "payoff")
        found = {name for name in names if any(getattr(deed, name) for deed in self.deeds)}
        return frozenset(found | ({"meant"} if any(deed.intent_status for deed in self.deeds) else set()))

    @property
    def kept_word(self) -> int:
        """How many did what they meant."""
        return sum(1 for deed in self.deeds if deed.meant and deed.did and not deed.changed)

    @property
    def broke_word(self) -> int:
        """How many did otherwise than they meant."""
        return sum(1 for deed in self.deeds if deed.changed)


def card_of(episode: Episode, played: Round) -> Card:
    """What a reader sees of one round."""
    teller = Teller(episode.names, episode.scenario.theme)
    settled = played.settled
    return Card(
        number=played.number,
        title=f"{episode.scenario.theme.round} {played.number}",
        result=_result(teller, settled),
        messages=tuple(m for turn in played.turns for m in _messages(teller, turn)),
        deeds=tuple(_deed(teller, played, seat) for seat in range(len(episode.names))),
        decisions=tuple(teller.decided(decision) for decision in played.decisions),
        ruled=tuple(ruled(episode, settled)) if settled is not None else (),
        coalitions=settled.coalitions if settled is not None else (),
        settled=settled is not None,
        collapsed=settled is not None and settled.collapsed,
    )


def head_of(episode: Episode, played: Round) -> Card:
    """The title and the result of a round alone."""
    teller, settled = Teller(episode.names, episode.scenario.theme), played.settled
    return Card(
        number=played.number,
        title=f"{episode.scenario.theme.round} {played.number}",
        result=_result(teller, settled),
        messages=(),
        deeds=(),
        decisions=(),
        ruled=(),
        coalitions=(),
        settled=settled is not None,
        collapsed=settled is not None and settled.collapsed,
        lazy=True,
    )


def _result(teller: Teller, settled: Settled | None) -> str:
    if settled is None:
        return "not finished"
    facts = settled.facts if isinstance(settled.facts, dict) else {}
    told = [
        f"{name.replace('_', ' ')} {value}" for name, value in facts.items() if isinstance(value, (str, int, float))
    ]
    return "; ".join([teller.result_words(settled).replace(" -> ", " → "), *told])


def _messages(teller: Teller, turn: Spoke) -> list[Message]:
    return [
        Message(
            anchor=f"round-{turn.round}-turn-{turn.turn}-agent-{turn.agent}-{place}",
            round=turn.round,
            turn=turn.turn,
            agent=turn.agent,
            to=line.to,
            words=line.words,
            kind=line.kind,
            status=turn.status,
            error=turn.error,
            clipped=turn.clipped,
        )
        for place, line in enumerate(teller.spoke(turn))
    ]


def _deed(teller: Teller, played: Round, seat: int) -> Deed:
    stated = _stated(teller, played.declarations.get(seat), seat)
    before = played.early.get(seat)
    early = ""
    if before is not None:
        words = teller.intent_words(before.declaration, seat) if before.declaration is not None else ()
        early = "; ".join(words) or "nothing usable"
    done = _done(teller, played.actions.get(seat), played.settled, seat)
    declared = played.declarations.get(seat)
    intended = declared.declaration.intended if declared is not None and declared.declaration is not None else None
    acted = played.actions.get(seat)
    changed = "" if acted is None or intended is None else _difference(teller, intended, acted.legal)
    return Deed(
        anchor=f"round-{played.number}-agent-{seat}",
        round=played.number,
        agent=seat,
        early=early,
        changed=changed,
        **stated,
        **done,
    )


def _stated(teller: Teller, declared: Declared | None, seat: int) -> dict[str, str]:
    if declared is None:
        return {}
    told = {"intent_status": declared.status, "intent_error": declared.error if declared.status != "ok" else ""}
    said = declared.declaration
    if said is None:
        return told
    if not said.valid:
        told["intent_error"] = told["intent_error"] or "some stated value was not allowed; the nearest one stands"
    return told | {
        "meant": teller.action_words(said.intended) if said.intended is not None else "",
        "expected": _expected(teller, said, seat),
        "forecast": show(said.forecast) if said.forecast is not None else "",
        "objective": said.objective or "",
    }


def _expected(teller: Teller, said: Declaration, seat: int) -> str:
    parts: list[str] = []
    if said.predicted is not None:
        each = list(zip(teller.others(seat), said.predicted, strict=True))
        known = [action for _, action in each if action is not None]
        if len(known) == len(each) > 1 and len(set(known)) == 1:
            parts.append(f"{teller.action_words(known[0])} each")
        elif known:
            parts.append(", ".join(f"{teller.names[o]} {teller.action_words(a)}" for o, a in each if a is not None))
    if said.predicted_total is not None:
        parts.append(f"{show(said.predicted_total)} together")
    for belief in said.distribution or ():
        profile = ", ".join(teller.action_words(action) for action in belief.actions)
        parts.append(f"{show(100 * belief.probability)} %: {profile}")
    return "; ".join(parts)


def _done(teller: Teller, acted: Acted | None, settled: Settled | None, seat: int) -> dict[str, str]:
    if acted is None:
        return {}
    executed = settled.executed[seat] if settled is not None else acted.legal
    done = {
        "did": teller.action_words(executed),
        "action_status": acted.status,
        "action_error": acted.error if acted.status != "ok" else "",
        "counts_as": acted.rule or "",
        "submitted": "" if acted.submitted is None else str(acted.submitted),
        "ruled": ""
        if executed == acted.legal
        else f"asked for {teller.action_words(acted.legal)}; the rules made it {teller.action_words(executed)}",
    }
    if settled is not None:
        done["payoff"] = show(settled.payoffs[seat])
        done["material"] = show(settled.material[seat]) if settled.material[seat] != settled.payoffs[seat] else ""
        if settled.granted is not None and settled.granted[seat] != executed:
            done["granted"] = show(settled.granted[seat])
    return done


def _difference(teller: Teller, meant: Action, done: Action) -> str:
    """How an action differs from what was meant; empty if it does not."""
    if meant == done:
        return ""
    if isinstance(meant, (str, tuple)) or isinstance(done, (str, tuple)):
        return f"not {teller.action_words(meant)}"
    gap: Number = done - meant
    return f"+{show(gap)}" if gap > 0 else f"−{show(-gap)}"
