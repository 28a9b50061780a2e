"""From events to rows: what the events say, in columns. A pure function, so that anybody can check the tables.

Rows are tuples in the order of the table's columns. A row of `action` is told twice: when the agent acts, and again, complete,
when the round is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from society.core.actions import Action, action_to_plain
from society.core.canonical import canonical_json
from society.core.events import Acted, Decided, Declared, Event, Forked, RunStarted, Settled, Spoke
from society.core.exact import Json, Number, plain, tidy
from society.core.policy import Declaration
from society.governance.institution import REPLY
from society.log.text import storable_text

SqlValue: TypeAlias = str | int | float | bytes | bool | None
SqlRow: TypeAlias = tuple[SqlValue, ...]

_PROPOSING = frozenset({"propose", "motion", "accept", "refuse", "withdraw", "sign"})


class Projector:
    """Tells the rows of one run, event by event, in order."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.names: tuple[str, ...] = ()
        self.kinds: dict[str, str] = {}
        self._acted: dict[int, Acted] = {}

    def rows(self, seq: int, event: Event) -> Iterator[tuple[str, SqlRow]]:
        """The rows one event gives, as (table, row)."""
        if isinstance(event, Spoke):
            yield from self._spoke(event)
        elif isinstance(event, Declared):
            yield from self._declared(event)
        elif isinstance(event, Acted):
            self._acted[event.agent] = event
            yield "action", self._action(event, None)
        elif isinstance(event, Decided):
            yield from self._decided(seq, event)
        elif isinstance(event, Settled):
            yield from self._settled(seq, event)
        elif isinstance(event, RunStarted):
            self.names = event.agents
            self.kinds = _rule_kinds(event.scenario)
        elif isinstance(event, Forked):
            self.kinds = _rule_kinds(event.scenario)

    def _spoke(self, event: Spoke) -> Iterator[tuple[str, SqlRow]]:
        here = (self.run_id, event.round, event.turn, event.agent)
        for place, draft in enumerate(event.messages):
            text = storable_text(draft.text)
            announced = _action_pair(draft.announced)
            yield "message", (*here, place, draft.to is None, text, *announced, event.clipped, event.status)
            for recipient in dict.fromkeys(draft.to or ()):
                yield "message_recipient", (*here, place, recipient)

    def _declared(self, event: Declared) -> Iterator[tuple[str, SqlRow]]:
        stated = event.declaration or Declaration()
        others = [seat for seat in range(len(self.names)) if seat != event.agent]
        expected = _expected_total(stated)
        text = None if event.text is None else storable_text(event.text)
        objective = None if stated.objective is None else storable_text(stated.objective)
        yield (
            "intent",
            (
                self.run_id,
                event.round,
                event.agent,
                event.stage,
                *_action_pair(stated.intended),
                *_number_pair(expected),
                self._predicted(stated, others),
                *_number_pair(stated.forecast),
                *_number_pair(stated.desired),
                objective,
                None if event.declaration is None else stated.valid,
                event.status,
                text,
                storable_text(event.error),
            ),
        )
        for other, (amount, exact) in zip(others, _predictions(stated, len(others)), strict=False):
            yield "prediction", (self.run_id, event.round, event.agent, event.stage, other, amount, exact)

    def _predicted(self, stated: Declaration, others: Sequence[int]) -> str | None:
        names = [self.names[seat] for seat in others]

        def named(actions: Iterable[Action | None]) -> dict[str, Json]:
            return {name: action_to_plain(action) for name, action in zip(names, actions, strict=False)}

        if stated.predicted is not None:
            return canonical_json(named(stated.predicted))
        if stated.distribution is not None:
            return canonical_json(
                [{"probability": plain(b.probability), "actions": named(b.actions)} for b in stated.distribution]
            )
        return None

    def _action(self, event: Acted, settled: Settled | None) -> SqlRow:
        submitted = event.submitted
        number = submitted if isinstance(submitted, (int, float)) and not isinstance(submitted, bool) else None
        executed: tuple[SqlValue, SqlValue] = (None, None)
        requested: tuple[SqlValue, SqlValue] = (None, None)
        granted: tuple[SqlValue, SqlValue] = (None, None)
        if settled is not None:
            executed = _action_pair(settled.executed[event.agent])
            if settled.granted is not None:
                requested, granted = executed, _number_pair(settled.granted[event.agent])
        return (
            self.run_id,
            event.round,
            event.agent,
            None if number is None else as_real(number),
            None if submitted is None else canonical_json(submitted),
            *_action_pair(event.legal),
            *executed,
            *requested,
            *granted,
            event.status,
            event.rule,
            storable_text(event.error),
        )

    def _decided(self, seq: int, event: Decided) -> Iterator[tuple[str, SqlRow]]:
        parts: tuple[tuple[str, Action | None], ...] = event.parts or (("", None),)
        error = storable_text(event.error)
        rule = event.purpose.removesuffix(REPLY)
        sanctioning = "sanction" in self.kinds.get(rule, rule)
        here = (self.run_id, event.round)
        for place, (part, choice) in enumerate(parts):
            amount, exact = _action_pair(choice)
            named = storable_text(part)
            yield "decision", (*here, event.agent, event.purpose, seq, named, amount, exact, event.status, error)
            if event.stage == "vote":
                yield "vote", (*here, seq, event.agent, named or "vote", exact, amount, event.status)
            elif sanctioning and part in self.names and isinstance(choice, (int, float, Fraction)) and choice:
                target = self.names.index(part)
                row = (*here, "decision", seq, place, event.agent, target, amount, exact, event.purpose, "")
                yield "sanction", row

    def _settled(self, seq: int, event: Settled) -> Iterator[tuple[str, SqlRow]]:
        here = (self.run_id, event.round)
        for _, acted in sorted(self._acted.items()):
            if acted.round == event.round:
                yield "action", self._action(acted, event)
        self._acted.clear()
        yield (
            "outcome",
            (
                *here,
                *_number_pair(event.total),
                *_number_pair(event.stock_before),
                *_number_pair(event.stock_after),
                *_number_pair(tidy(sum(event.payoffs))),
                event.collapsed,
                event.over,
                canonical_json(event.facts),
                canonical_json(event.state_before),
                canonical_json(event.state_after),
            ),
        )
        for agent, (material, payoff) in enumerate(zip(event.material, event.payoffs, strict=True)):
            yield "payoff", (*here, agent, *_number_pair(material), *_number_pair(payoff))
        for place, t in enumerate(event.transfers):
            amount = _number_pair(t.amount)
            yield "transfer", (*here, place, t.payer, t.payee, *amount, t.rule, storable_text(t.reason))
        for coalition, members in event.coalitions:
            yield "coalition", (*here, storable_text(coalition), len(members))
            for agent in dict.fromkeys(members):
                yield "coalition_member", (*here, storable_text(coalition), agent)
        for place, happened in enumerate(event.rule_events):
            amount = _number_pair(happened.amount)
            who, detail = happened.agents, storable_text(happened.detail)
            yield "rule_event", (*here, place, happened.event, happened.rule, canonical_json(who), detail, *amount)
            if happened.event in _PROPOSING:
                first = who[0] if who else None
                row = (first, canonical_json(who[1:]), happened.rule, detail, *amount)
                yield "proposal", (*here, place, happened.event, *row)
            if happened.event == "sanction":
                for nth, target in enumerate(who):
                    order = place * max(1, len(self.names)) + nth
                    yield "sanction", (*here, "rule", seq, order, None, target, *amount, happened.rule, detail)


def agent_rows(
    run_id: str, names: Sequence[str], setting: RunStarted | Forked
) -> list[tuple[Any, ...]]:  # Any: SQL values
    """The rows of `agent`: a pure function of the manifest, or of the last fork."""
    scenario: Any = setting.scenario if isinstance(setting.scenario, dict) else {}  # Any: JSON
    specs = scenario.get("agents") or ()
    rows = []
    for seat, (name, model) in enumerate(zip(names, setting.models, strict=True)):
        spec = specs[seat] if seat < len(specs) and isinstance(specs[seat], dict) else {}
        principal = spec.get("principal_goal")
        rows.append(
            (
                run_id,
                seat,
                storable_text(name),
                model,
                str((spec.get("policy") or {}).get("kind", "llm")),
                storable_text(str(spec.get("role", ""))),
                storable_text(str(spec.get("persona", ""))),
                canonical_json(spec.get("goal") or {}),
                None if principal is None else canonical_json(principal),
            )
        )
    return rows


def as_real(value: Number | None) -> float | None:
    """The nearest double; None where there is none."""
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _number_pair(value: Number | None) -> tuple[float | None, str | None]:
    if value is None:
        return (None, None)
    return (as_real(value), str(plain(value)))


def _action_pair(action: Action | None) -> tuple[float | None, str | None]:
    """An action as an amount (None where it is none) and exactly, as text."""
    if action is None:
        return (None, None)
    if isinstance(action, str):
        return (None, storable_text(action))
    if isinstance(action, tuple):
        return (None, canonical_json(action_to_plain(action)))
    return _number_pair(action)


def _expected_total(stated: Declaration) -> Number | None:
    """What the agent expects of all others together; None unless it follows from what was stated."""
    if stated.predicted_total is not None:
        return stated.predicted_total
    if stated.predicted is not None:
        return _sum(stated.predicted)
    if stated.distribution is not None:
        sums = [_sum(belief.actions) for belief in stated.distribution]
        if any(s is None for s in sums):
            return None
        return tidy(sum(b.probability * s for b, s in zip(stated.distribution, sums, strict=True) if s is not None))
    return None


def _sum(actions: Sequence[Action | None]) -> Number | None:
    amounts = [a for a in actions if isinstance(a, (int, float, Fraction))]
    return tidy(sum(amounts)) if len(amounts) == len(actions) else None


def _predictions(stated: Declaration, others: int) -> list[tuple[float | None, str | None]]:
    """What is expected of each other agent: the action, or the mean of several amounts."""
    if stated.predicted is not None:
        return [_action_pair(action) for action in stated.predicted]
    if stated.distribution is None:
        return []
    means: list[tuple[float | None, str | None]] = []
    for place in range(others):
        amounts = [(b.probability, b.actions[place]) for b in stated.distribution if place < len(b.actions)]
        mean: Number = 0
        whole = len(amounts) == len(stated.distribution)
        for probability, action in amounts:
            if isinstance(action, (str, tuple)):
                whole = False
                break
            mean += probability * action
        means.append((as_real(mean) if whole else None, None))
    return means


def _rule_kinds(scenario: Json) -> dict[str, str]:
    """The kind of each named instrument of a scenario."""
    instruments: Any = scenario.get("instruments", ()) if isinstance(scenario, dict) else ()  # Any: JSON
    return {str(i["name"]): str(i["kind"]) for i in instruments if isinstance(i, dict) and i.get("name")}
