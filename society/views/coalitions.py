"""The coalitions of a run by four notions, as tables and words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from society.core.exact import Json, plain, show
from society.views.tables import Cell, text_table
from society.views.terminal import safe

if TYPE_CHECKING:
    from society.analysis.comovement import CoMovement
    from society.analysis.four_notions import Coalitions

_MOST_ROWS = 12


def coalitions_text(found: Coalitions) -> str:
    """The four notions below each other, where they disagree, and how power moved."""
    return "\n".join(_lines(found))


def coalitions_json(found: Coalitions) -> Json:
    """For machines; numbers exact, agents by seat (`names` says who)."""
    shape: Json = plain_record(found)
    return shape


def _lines(found: Coalitions) -> Iterator[str]:
    def who(seats: Iterable[int]) -> str:
        return ", ".join(safe(found.names[seat]) for seat in seats)

    yield "DECLARED"
    for agreement in found.declared:
        yield f"  {agreement.id}: {who(agreement.members)}, rounds {agreement.first} to {agreement.last}"
    if not found.declared:
        yield "  none"
    talk = found.communicated
    yield "COMMUNICATED"
    if talk.modularity is None:
        yield "  no private messages"
    else:
        yield f"  {' | '.join(who(block) for block in talk.partition)}"
        yield f"  modularity {show(talk.modularity, 3)}, p {show(talk.p, 3)} ({talk.method}); reciprocity {show(talk.reciprocity)}"
    yield "ACTED OUT"
    yield from _test("co-movement beyond what the state explains", found.behavioural, who)
    yield from _test("mutual favours", found.favours, who)
    if found.collusion is not None:
        pairs = " | ".join(who(pair) for pair in found.collusion.suspects)
        yield f"  helped each other at the others' cost: {pairs or 'nobody'}"
    yield "EFFECTIVE"
    moved = [e for e in found.effective or () if e.effective or e.effect != "neutral"]
    if moved:
        rows: list[dict[str, Cell]] = [
            {
                "group": who(e.members), "members": e.inside, "others": e.outside, "effect": e.effect,
                "nobody inside lost": e.rational,
            }
            for e in moved[:_MOST_ROWS]
        ]  # fmt: skip
        yield text_table(rows)
        if len(moved) > _MOST_ROWS:
            yield f"  and {len(moved) - _MOST_ROWS} groups that gained no more"
    elif found.effective:
        yield "  no group gained or lost by acting together"
    yield f"  {found.effective_note}"
    if found.disagreements:
        yield "WHERE THEY DISAGREE"
        yield from (f"  {d.kind}: {who(d.members)}" for d in found.disagreements[:_MOST_ROWS])
        if len(found.disagreements) > _MOST_ROWS:
            yield f"  and {len(found.disagreements) - _MOST_ROWS} more"
    if found.power:
        yield "POWER"
        yield text_table(
            [
                {
                    "round": p.round, "rule": p.rule, "quota": p.rules.quota, "concentration": p.power.hhi,
                    "decisiveness": p.power.decisiveness, "veto": who(p.power.veto), "seizure index": p.seizure_index,
                }
                for p in found.power
            ]
        )  # fmt: skip
    for seized in found.seizures:
        alone = "; ".join(who(group) for group in seized.seizure.alone)
        told = f", after which {alone} can rule alone" if alone else ""
        yield (
            f"  seizure in round {seized.round} ({seized.rule}), carried by {who(seized.seizure.carried_by)}{told};"
            f" concentration {show(seized.seizure.rise, 3)} higher"
        )


def _test(name: str, result: CoMovement, who: Any) -> Iterator[str]:  # Any: a function of seats
    yield f"  {name}: {result.verdict}" + (f" ({result.note})" if result.note else "")
    if result.verdict != "no verdict":
        yield f"    {result.method}; at most {show(100 * result.level)} in 100 runs without a coalition are flagged"
    for group in result.groups:
        yield f"    {who(group)}"


def plain_record(value: Any) -> Any:  # Any: walks every type a result holds
    """A result as JSON values, field by field."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain_record(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain_record(item) for item in value]
    return plain(value)
