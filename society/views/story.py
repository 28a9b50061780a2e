"""An episode as a story: one line for everything that was said, meant, done and got, in the order it happened.

A line keeps the agents' words verbatim; whoever shows it makes them harmless for the place they are shown in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from society.core.actions import Action, action_to_plain
from society.core.events import Acted, Decided, Declared, Settled, Spoke
from society.core.exact import Json, Number, plain, show
from society.core.moves import Move
from society.core.policy import Declaration
from society.core.rows import RuleEvent, Transfer
from society.episode import Episode, Round
from society.governance.institution import HUMAN, REPLY
from society.scenario.model import Theme
from society.views.rule_words import rule_words
from society.views.settings import differences

Stage = Literal["talk", "declare", "act", "decide", "settle"]
STAGES: tuple[Stage, ...] = ("talk", "declare", "act", "decide", "settle")

LineKind = Literal["said", "whispered", "silent", "moved", "meant", "did", "decided", "got", "paid", "rule", "result"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened.

    Attributes:
        round, stage: when.
        kind: what sort of thing; `said` is public, `whispered` is private to those in `to`.
        agent: the seat it is told of; None for what concerns all.
        to: the recipients' seats; None is everybody.
        words: what happened, in the story's words; for said and whispered the agent's own, verbatim.
        note: what a reader must know beside the words: how they were read, such as "defaulted, counts as abstain", and what a
            message announces; else empty.
        values: the numbers behind the words, exact, by name.
    """

    round: int
    stage: Stage
    kind: LineKind
    agent: int | None
    words: str
    to: tuple[int, ...] | None = None
    note: str = ""
    values: tuple[tuple[str, Json], ...] = ()

    @property
    def quoted(self) -> bool:
        """Whether the words are an agent's own."""
        return self.kind in ("said", "whispered")


@dataclass(frozen=True, slots=True)
class Story:
    """All lines of an episode and what stands above them.

    Attributes:
        title: the scenario's name; run_id: the run; seed: its seed.
        names, models: by seat.
        status: completed, invalid or unfinished; ending: why, in words.
        lines: in the order they happened.
        theme: the words of the story.
    """

    title: str
    run_id: str
    seed: int
    names: tuple[str, ...]
    models: tuple[str, ...]
    status: str
    ending: str
    lines: tuple[Line, ...]
    theme: Theme

    def only(
        self, *, rounds: Sequence[int] | None = None, agent: int | None = None, stages: Sequence[Stage] | None = None
    ) -> Story:
        """The same story, only what fits: of some rounds, by or to one agent, in some stages."""
        kept = tuple(
            line
            for line in self.lines
            if (rounds is None or line.round in rounds)
            and (stages is None or line.stage in stages)
            and (agent is None or line.agent in (None, agent) or (line.to is not None and agent in line.to))
        )
        return Story(
            self.title, self.run_id, self.seed, self.names, self.models, self.status, self.ending, kept, self.theme
        )


def tell(episode: Episode) -> Story:
    """The story of an episode, finished or not."""
    scenario = episode.scenario
    teller = Teller(episode.names, scenario.theme)
    forks = {old.rounds[-1].number: differences(old, new) for old, new in pairwise(episode.phases)}

    def fork(played: Round) -> Iterator[Line]:
        """What is said where the rounds end that are shared with another run."""
        if played.number in forks:
            changes = "; ".join(f"{f} is {now} (was {before})" for f, before, now in forks[played.number])
            words = f"forked here: what follows is this run's own{', and ' + changes if changes else ''}"
            yield Line(played.number, "settle", "rule", None, words)

    ended = episode.ended
    if ended is None:
        ending = "the run is unfinished"
    else:
        ending = f"{ended.status} after {ended.rounds} round{'s' if ended.rounds != 1 else ''}" + (
            f": {ended.reason}" if ended.reason else ""
        )
    return Story(
        title=scenario.name,
        run_id=episode.run_id,
        seed=episode.seed,
        names=episode.names,
        models=episode.models,
        status=episode.status,
        ending=ending,
        lines=tuple(
            line
            for phase in episode.phases
            for played in phase.rounds
            for line in (*teller.round(played), *fork(played))
        ),
        theme=scenario.theme,
    )


class Teller:
    """Puts what happened into the words of a theme."""

    def __init__(self, names: tuple[str, ...], theme: Theme) -> None:
        self.names, self.theme = names, theme

    def round(self, played: Round) -> Iterator[Line]:
        """One round: early declarations, talk, declarations, actions, decisions, results."""
        for seat in sorted(played.early):
            yield self.meant(played.early[seat], early=True)
        for turn in played.turns:
            yield from self.spoke(turn)
        for seat in sorted(played.declarations):
            yield self.meant(played.declarations[seat])
        for seat in sorted(played.actions):
            yield self.did(played.actions[seat], played.settled)
        for decision in played.decisions:
            yield self.decided(decision)
        if played.settled is not None:
            yield from self.settled(played.settled)

    def spoke(self, turn: Spoke) -> Iterator[Line]:
        """One turn of talk: its messages and moves, or silence."""
        note = _note(turn.status, turn.error, "clipped" if turn.clipped else "")
        for message in turn.messages:
            kind: LineKind = "said" if message.to is None else "whispered"
            told, values = note, tuple[tuple[str, Json], ...]()
            if message.announced is not None:
                told = _joined(f"announces it will {self.act_words(message.announced)}", note)
                values = (("announced", action_to_plain(message.announced)),)
            yield Line(turn.round, "talk", kind, turn.agent, message.text, message.to, told, values)
        for move in turn.moves:
            yield Line(turn.round, "talk", "moved", turn.agent, self.move_words(move), note=note)
        if not turn.messages and not turn.moves:
            yield Line(turn.round, "talk", "silent", turn.agent, "says nothing", note=note)

    def meant(self, declared: Declared, *, early: bool = False) -> Line:
        """A private declaration."""
        note = _note(declared.status, declared.error, "before the talk" if early else "")
        said = declared.declaration
        if said is None:
            return Line(declared.round, "declare", "meant", declared.agent, "states nothing usable", note=note)
        if not said.valid:
            note = _joined(note, "some stated value was not allowed; the nearest one stands")
        return Line(
            declared.round,
            "declare",
            "meant",
            declared.agent,
            "; ".join(self.intent_words(said, declared.agent)) or "states nothing",
            note=note,
            values=self.intent_values(said, declared.agent),
        )

    def intent_words(self, said: Declaration, agent: int) -> Iterator[str]:
        """What a declaration states, part by part."""
        if said.intended is not None:
            yield f"means to {self.act_words(said.intended)}"
        if said.predicted is not None:
            each = zip(self.others(agent), said.predicted, strict=True)
            known = [f"{self.names[other]} {self.action_words(a)}" for other, a in each if a is not None]
            yield f"expects {', '.join(known)}" if known else "expects nothing certain of the others"
        if said.predicted_total is not None:
            yield f"expects {show(said.predicted_total)} of the others together"
        for belief in said.distribution or ():
            profile = ", ".join(self.action_words(action) for action in belief.actions)
            yield f"{show(100 * belief.probability)} % that the others do {profile}"
        if said.forecast is not None:
            yield f"forecasts a score of {show(said.forecast)}"
        if said.desired is not None:
            yield f"wants {show(said.desired)}"
        if said.objective:
            yield f"is after {json.dumps(said.objective, ensure_ascii=False)}"

    def intent_values(self, said: Declaration, agent: int) -> tuple[tuple[str, Json], ...]:
        """The numbers of a declaration, exact."""
        predicted: Json = None
        if said.predicted is not None:
            each = zip(self.others(agent), said.predicted, strict=True)
            predicted = {self.names[other]: action_to_plain(action) for other, action in each}
        return (
            ("intended", action_to_plain(said.intended)),
            ("predicted", predicted),
            ("predicted_total", _exact(said.predicted_total)),
            ("forecast", _exact(said.forecast)),
            ("desired", _exact(said.desired)),
        )

    def did(self, acted: Acted, settled: Settled | None) -> Line:
        """An action: as executed if the round is settled, else as it legally stands."""
        note = _note(acted.status, acted.error, f"counts as {acted.rule}" if acted.rule else "")
        executed = settled.executed[acted.agent] if settled is not None else acted.legal
        if executed != acted.legal:
            note = _joined(
                note, f"wanted {self.action_words(acted.legal)}; the rules made it {self.action_words(executed)}"
            )
        return Line(
            acted.round,
            "act",
            "did",
            acted.agent,
            self.act_words(executed),
            note=note,
            values=(
                ("submitted", acted.submitted),
                ("legal", action_to_plain(acted.legal)),
                ("executed", action_to_plain(executed)),
            ),
        )

    def decided(self, decision: Decided) -> Line:
        """A further decision that an instrument asked for."""
        rule, by_human, _ = decision.purpose.partition(HUMAN)
        if by_human:
            told = ", ".join(self.act_words(action) for _, action in decision.parts) or "nothing"
            words = f"{rule}: the human says: {told}"
            values = tuple((name, action_to_plain(action)) for name, action in decision.parts)
            note = _note(decision.status, decision.error)
            return Line(decision.round, "decide", "decided", decision.agent, words, note=note, values=values)
        rule, answering, _ = decision.purpose.partition(REPLY)
        parts = [
            f"{name}: {self.action_words(action)}" if name != rule else self.action_words(action)
            for name, action in decision.parts
        ]
        words = f"{rule}{', in answer' if answering else ''}: {', '.join(parts) or 'nothing'}"
        values = tuple((name, action_to_plain(action)) for name, action in decision.parts)
        note = _note(decision.status, decision.error)
        return Line(decision.round, "decide", "decided", decision.agent, words, note=note, values=values)

    def settled(self, settled: Settled) -> Iterator[Line]:
        """Transfers, what happened under rules, payoffs, and the result of a round."""
        for transfer in settled.transfers:
            yield self.paid(settled.round, transfer)
        for event in settled.rule_events:
            yield self.under_rule(settled.round, event)
        for agent, payoff in enumerate(settled.payoffs):
            values: list[tuple[str, Json]] = [("payoff", _exact(payoff)), ("material", _exact(settled.material[agent]))]
            words = f"gets {show(payoff)}"
            if settled.granted is not None:
                granted = settled.granted[agent]
                values.append(("granted", _exact(granted)))
                if granted != settled.executed[agent]:
                    words += f" (granted {show(granted)} of {self.action_words(settled.executed[agent])})"
            yield Line(settled.round, "settle", "got", agent, words, values=tuple(values))
        yield Line(
            settled.round,
            "settle",
            "result",
            None,
            self.result_words(settled),
            values=(
                ("total", _exact(settled.total)),
                ("stock_before", _exact(settled.stock_before)),
                ("stock_after", _exact(settled.stock_after)),
                ("welfare", _exact(sum(settled.payoffs))),
                ("collapsed", settled.collapsed),
            ),
        )

    def result_words(self, settled: Settled) -> str:
        """What a round came to for everybody."""
        parts = []
        if "votes_for" in (settled.facts if isinstance(settled.facts, dict) else {}):
            parts.append(_vote_words(settled.facts))
        if settled.total is not None:
            parts.append(f"{show(settled.total)} {self.theme.resource} in all")
        if settled.stock_before is not None and settled.stock_after is not None:
            parts.append(f"stock {show(settled.stock_before)} -> {show(settled.stock_after)}")
        parts.append(f"together they get {show(sum(settled.payoffs))}")
        if settled.collapsed:
            parts.append("the commons has collapsed")
        for name, members in settled.coalitions:
            parts.append(f"coalition {name}: {', '.join(self.names[seat] for seat in members)}")
        return "; ".join(parts)

    def paid(self, round_: int, row: Transfer) -> Line:
        """Units that changed hands."""
        payee = self.names[row.payee] if row.payee is not None else "nobody"
        words = f"pays {show(row.amount)} to {payee} ({row.rule}: {row.reason.replace('_', ' ')})"
        if row.payer is None:
            source = "the pot" if row.reason == "pot_share" else "outside"
            words = f"{payee} receives {show(row.amount)} from {source} ({row.rule}: {row.reason.replace('_', ' ')})"
        elif row.payee is None and row.reason == "pot":
            words = f"pays {show(row.amount)} into the pot ({row.rule})"
        to = None if row.payee is None else (row.payee,)
        return Line(round_, "settle", "paid", row.payer, words, to, values=(("amount", _exact(row.amount)),))

    def under_rule(self, round_: int, event: RuleEvent) -> Line:
        """Something that happened to or under a rule."""
        agent = event.agents[0] if len(event.agents) == 1 else None
        words = rule_words(event, self.names)
        return Line(
            round_, "settle", "rule", agent, words, values=(("event", event.event), ("amount", _exact(event.amount)))
        )

    def move_words(self, move: Move) -> str:
        """A typed move, such as a proposal."""
        parts: list[str] = [move.kind, *([f"number {move.target}"] if move.target is not None else [])]
        if move.members:
            parts.append(f"with {', '.join(self.names[seat] for seat in move.members)}")
        if move.terms:
            parts.append(", ".join(f"{name} {self.action_words(value)}" for name, value in move.terms))
        if move.quorum is not None:
            parts.append(f"quorum {move.quorum}")
        if move.amount is not None:
            parts.append(show(move.amount))
        if move.to is not None:
            parts.append(f"to {self.names[move.to]}")
        if move.choice:
            parts.append(move.choice)
        return " ".join(parts) + (f" [{move.rule}]" if move.rule else "")

    def act_words(self, action: Action) -> str:
        """``catch 10 fish``, or the word of a choice."""
        if isinstance(action, str):
            return f"choose {action}"
        if isinstance(action, tuple):
            return f"share out {self.action_words(action)}"
        return f"{self.theme.act} {show(action)} {self.theme.resource}"

    def action_words(self, action: Action | None) -> str:
        """An action alone, without its verb."""
        if action is None:
            return "?"
        if isinstance(action, str):
            return action
        if isinstance(action, tuple):
            return " / ".join(show(share) for share in action)
        return show(action)

    def others(self, agent: int) -> list[int]:
        """All seats but one."""
        return [seat for seat in range(len(self.names)) if seat != agent]


def _vote_words(facts: Json) -> str:
    """``the motion passes, 9 votes for, 5 needed``."""
    assert isinstance(facts, dict)
    passed = "passes" if facts["passed"] else "fails"
    return f"the motion {passed}, {facts['votes_for']} votes for, {facts['votes_needed']} needed"


def _exact(number: Number | None) -> Json:
    return None if number is None else plain(number)


def _note(status: str, error: str, more: str = "") -> str:
    told = "" if status == "ok" else status.replace("_", " ")
    return _joined(told, more, error if status != "ok" else "")


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
