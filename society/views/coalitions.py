"""The coalitions of a run by four notions: a story in sections, for the terminal and for the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from society.core.exact import Json, plain, show
from society.views.alignment import own_rounds
from society.views.coalition_figures import ties_figure, timeline_figure
from society.views.tables import Cell, text_table, words
from society.views.terminal import safe

if TYPE_CHECKING:
    from society.analysis.comovement import CoMovement
    from society.analysis.episode_effects import EpisodeEffect
    from society.analysis.four_notions import Coalitions, Declared, Group
    from society.analysis.power_moves import PowerAt
    from society.core.votes import Ballot

_MOST_ROWS = 12
_MANY = 4
_STRENGTHS = (0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the story: its title, sentences, and one table below them (no rows: none).

    `figure` is drawn in characters, for the terminal alone: a page has charts.
    """

    title: str
    sentences: tuple[str, ...]
    rows: tuple[dict[str, Cell], ...] = ()
    figure: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table."""
        return tuple(self.rows[0]) if self.rows else ()

    def table(self) -> list[list[str]]:
        """The table in words, row by row."""
        return [[words(row.get(name)) for name in self.columns] for row in self.rows]


def coalition_sections(found: Coalitions) -> tuple[Section, ...]:
    """The story: the four notions side by side, then one by one, where they disagree, and how power moved."""
    told = _Told(found)
    sections = [
        told.side_by_side(),
        told.declared(),
        told.communicated(),
        told.acted_out(),
        told.effective(),
        told.disagreements(),
        *told.power(),
    ]
    return tuple(section for section in sections if section.sentences or section.rows)


def coalitions_text(found: Coalitions) -> str:
    """The story for the terminal."""
    return "\n\n".join("\n".join(_section_lines(section)) for section in coalition_sections(found))


def _section_lines(section: Section) -> Iterator[str]:
    yield section.title.upper()
    table = text_table(list(section.rows)).splitlines() if section.rows else []
    yield from (f"  {line}" for line in (*section.sentences, *table, *section.figure))


def coalitions_json(found: Coalitions) -> Json:
    """For machines; numbers exact, agents by seat (`names` says who)."""
    shape: Json = plain_record(found)
    return shape


@dataclass(frozen=True, slots=True)
class _Told:
    found: Coalitions

    def who(self, seats: Iterable[int]) -> str:
        """The names; of all agents, where they are many, just that they are all."""
        seats = tuple(seats)
        if len(set(seats)) == len(self.found.names) > _MANY:
            return f"all {len(seats)}"
        return ", ".join(safe(self.found.names[seat]) for seat in seats)

    def groups(self, groups: Iterable[Iterable[int]]) -> str:
        return " | ".join(self.who(group) for group in groups)

    def side_by_side(self) -> Section:
        """One row for each group that some notion names."""
        found = self.found
        apart = [d.members for d in found.disagreements if d.kind == "talking apart"]
        talking = (
            [b for b in found.communicated.partition if 1 < len(b) < len(found.names)]
            if self._talk_stands_out()
            else []
        )
        named = [d.members for d in found.declared if len(d.members) > 1]
        named += [*talking, *apart, *found.acting_together]
        effects = {e.members: e for e in found.effective or ()}
        rows: list[dict[str, Cell]] = []
        for group in dict.fromkeys(named):
            spans = [d for d in found.declared if d.members == group]
            effect = next((d.effect for d in spans if d.effect is not None), effects.get(group))
            rows.append(
                {
                    "group": self.who(group),
                    "declared": "; ".join(_rounds(d) for d in spans) or "no",
                    "talking apart": "yes" if group in talking else "no",
                    "acting together": "flagged" if group in found.acting_together else "no evidence",
                    "effect": "unknown" if effect is None else effect.effect,
                    "members": None if effect is None else effect.inside,
                    "others": None if effect is None else effect.outside,
                    "stable": self._stable(group, effect),
                }
            )
        sentences = []
        if not rows:
            sentences.append(
                "No agreement, no circle of private talk and no joint conduct stands out. That is no proof that there is none."
            )
        elif any(row["stable"] not in {"yes", "unknown"} for row in rows):
            sentences.append("Stable: no member lost by it, and none would have gained by going its own way alone.")
        if found.shared:
            sentences.insert(0, f"{own_rounds(found.shared).capitalize()}.")
        return Section("Who stood together", tuple(sentences), tuple(rows))

    def _talk_stands_out(self) -> bool:
        p = self.found.communicated.p
        return p is not None and p <= 0.05

    def _stable(self, group: Group, effect: EpisodeEffect | None) -> str:
        if effect is None or self.found.alone is None:
            return "unknown"
        lost = [seat for seat in group if effect.gains[seat] < 0]
        tempted = [seat for seat in group if self.found.alone[seat] > 0 and seat not in lost]
        told = [f"{self.who(lost)} lost"] if lost else []
        told += [f"{self.who(tempted)} tempted to leave"] if tempted else []
        return "; ".join(told) or "yes"

    def declared(self) -> Section:
        found = self.found
        if not found.declared:
            return Section("Declared", ("No agreement was in force.",))
        sentences = []
        for one in found.declared:
            told = f"Agreement {one.id} of {self.who(one.members)} was in force in {_rounds(one)}"
            if one.effect is not None:
                told += (
                    f": beside going on as before, its members {_gained(one.effect.inside)}"
                    f" and the others {_gained(one.effect.outside)} ({one.effect.effect})"
                )
            sentences.append(told + ".")
        return Section("Declared", tuple(sentences), figure=timeline_figure(found))

    def communicated(self) -> Section:
        talk = self.found.communicated
        if talk.modularity is None:
            return Section("Communicated", ("There were no private messages.",))
        circles = [block for block in talk.partition if len(block) > 1]
        verdict = (
            "Private messages form no circles."
            if len(circles) in {0, len(talk.messages)}
            else f"Private talk keeps within {self.groups(talk.partition)}."
            if self._talk_stands_out()
            else f"Private talk splits best into {self.groups(talk.partition)}, which chance may well have made."
        )
        proof = (
            f"Modularity {show(talk.modularity, 3)}, p {show(talk.p, 3)} ({talk.method}); reciprocity {show(talk.reciprocity)};"
            " at most 5 in 100 runs of random talk stand out."
        )
        return Section("Communicated", (verdict, proof), figure=ties_figure(self.found))

    def acted_out(self) -> Section:
        found = self.found
        sentences = list(self._test("Co-movement beyond what the state explains", found.behavioural, power=True))
        for one in found.favours:
            sentences += self._test(f"Mutual favours ({one.kind})", one.test, power=False)
        if found.collusion is not None:
            pairs = self.groups(found.collusion.suspects)
            sentences.append(
                f"Choices that helped each other and cost the rest: {pairs or 'nobody'} (collusion table, no test)."
            )
        received = [sum(row[seat] for row in found.sanctions) for seat in range(len(found.names))]
        if any(received):
            parts = [
                f"{safe(name)} {show(100 * got / sum(received), 3)} %"
                for name, got in zip(found.names, received, strict=True)
                if got
            ]
            givers = [seat for seat, row in enumerate(found.sanctions) if any(row)]
            sentences.append(f"Sanctions fell on {', '.join(parts)}; laid by {self.who(givers)}.")
        if found.sanctions_effect is not None:
            cost = found.sanctions_effect
            sentences.append(
                f"  Beside the same rounds without them, those who laid them {_gained(cost.inside)}"
                f" and the others {_gained(cost.outside)} ({cost.effect})."
            )
        return Section("Acted out", tuple(sentences))

    def _test(self, name: str, result: CoMovement, *, power: bool) -> Iterator[str]:
        yield (
            f"{name}: {result.verdict}"
            + (f" ({result.note})" if result.note else "")
            + (f": {self.groups(result.groups)}." if result.groups else ".")
        )
        if result.verdict == "no verdict":
            return
        yield f"  {result.method}; at most {show(100 * result.level)} in 100 runs without a coalition are flagged."
        n = len(self.found.names)
        chances = [(strength, result.power(strength, n)) for strength in _STRENGTHS] if power else []
        seen = [f"{100 * chance:.0f} % at {show(strength)}" for strength, chance in chances if chance is not None]
        if seen:
            yield f"  A pair in a run like this one is found, by how closely its own moves correlate: about {', '.join(seen)}."

    def effective(self) -> Section:
        found = self.found
        moved = [e for e in found.effective or () if e.effective or e.effect != "neutral"]
        sentences = (
            [] if found.effective is None else ["No group gained or lost by acting together."] if not moved else []
        )
        sentences.append(f"Looked at: {found.effective_note}.")
        if len(moved) > _MOST_ROWS:
            sentences.append(f"{len(moved) - _MOST_ROWS} more groups gained no more than these.")
        rows: list[dict[str, Cell]] = [
            {
                "group": self.who(e.members), "members": e.inside, "others": e.outside, "effect": e.effect,
                "stable": self._stable(e.members, e), "rounds without": e.rounds_without,
            }
            for e in moved[:_MOST_ROWS]
        ]  # fmt: skip
        return Section("Effective", tuple(sentences), tuple(rows))

    def disagreements(self) -> Section:
        apart = self.found.disagreements
        sentences = [f"{d.kind}: {self.who(d.members)}" for d in apart[:_MOST_ROWS]]
        if len(apart) > _MOST_ROWS:
            sentences.append(f"and {len(apart) - _MOST_ROWS} more")
        return Section("Where they disagree", tuple(sentences))

    def power(self) -> Iterator[Section]:
        found = self.found
        if not found.power:
            return
        rows: list[dict[str, Cell]] = [
            {
                "from round": p.round, "rule": p.rule, "quota": p.rules.quota,
                "votes": " ".join(show(weight) for weight in p.rules.weights),
                "concentration": p.power.hhi, "decisiveness": p.power.decisiveness, "veto": self.who(p.power.veto),
                "never decide": self.who(p.power.dummies),
                "enough": self.groups(p.power.minimal[:3]) + (" ..." if len(p.power.minimal) > 3 else ""),
                "seizure index": p.seizure_index,
            }
            for p in self._changes()
        ]  # fmt: skip
        yield Section("Power over the rules", tuple(self._seizures()), tuple(rows))
        yield Section("What each has to do with the rules", (), tuple(self._standings()))

    def _changes(self) -> Iterator[PowerAt]:
        """The first round of every rule, and those in which its votes are others than before."""
        last: dict[str, Ballot] = {}
        for one in self.found.power:
            if last.get(one.rule) != one.rules:
                last[one.rule] = one.rules
                yield one

    def _seizures(self) -> Iterator[str]:
        for one in self.found.seizures:
            alone = "; ".join(self.who(group) for group in one.seizure.alone)
            told = f", after which {alone} can rule alone" if alone else ""
            carriers = self.who(one.seizure.carried_by)
            yield f"Seizure in round {one.round} ({one.rule}), carried by {carriers}{told}; concentration {_signed(one.seizure.rise)}."
            if one.seizure.minimal and one.seizure.minimal != (one.seizure.carried_by,):
                yield f"  Enough for it were {self.groups(one.seizure.minimal)}."
            if one.effect is not None:
                yield (
                    f"  Beside the same rounds under unchanged rules, those who carried it {_gained(one.effect.inside)}"
                    f" and the others {_gained(one.effect.outside)} ({one.effect.effect})."
                )
        if not self.found.seizures:
            yield "Nobody seized power."

    def _standings(self) -> Iterator[dict[str, Cell]]:
        for seat, one in enumerate(self.found.standings):
            yield {
                "agent": self.who([seat]), "motions": one.moved, "passed": one.passed,
                "share of motions": one.proposals.value, "share of sanctions laid": one.sanctions.value,
                "share of payoffs": one.resources.value,
            }  # fmt: skip


def _rounds(one: Declared) -> str:
    return f"round {one.first}" if one.first == one.last else f"rounds {one.first} to {one.last}"


def _gained(amount: Any) -> str:  # Any: any number
    if amount == 0:
        return "gained nothing"
    return f"gained {show(amount)}" if amount > 0 else f"lost {show(-amount)}"


def _signed(rise: Any) -> str:  # Any: any number
    if rise == 0:
        return "as before"
    return f"{show(rise, 3)} higher" if rise >= 0 else f"{show(-rise, 3)} lower"


def plain_record(value: Any) -> Any:  # Any: walks every type a result holds
    """A result as JSON values, field by field."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain_record(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain_record(item) for item in value]
    return plain(value)
