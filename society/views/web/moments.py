"""A run in a few lines: what a reader should see first, each with the place it stands at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from society.core.actions import Action
from society.core.exact import Number
from society.episode import Episode
from society.views.rule_words import rule_words
from society.views.story import Teller

MOST_DEVIATIONS = 3
MOST_AGREEMENTS = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: in which round, where on the page, and in words."""

    round: int
    anchor: str
    words: str


def moments_of(episode: Episode) -> list[Moment]:
    """The end of the commons, the widest gaps between private word and deed, agreements, and changed rules, by round."""
    found = [*_collapse(episode), *_deviations(episode), *_agreements(episode), *_amendments(episode)]
    return sorted(found, key=lambda moment: moment.round)


def _collapse(episode: Episode) -> Iterator[Moment]:
    for settled in episode.settled:
        if settled.collapsed:
            yield Moment(settled.round, f"round-{settled.round}", "the commons collapsed")


def _deviations(episode: Episode) -> list[Moment]:
    teller = Teller(episode.names, episode.scenario.theme)
    found: list[tuple[Number, Moment]] = []
    for played in episode.rounds:
        for seat, acted in played.actions.items():
            stated = played.declarations.get(seat)
            meant = stated.declaration.intended if stated is not None and stated.declaration is not None else None
            if meant is None or acted.status == "defaulted" or meant == acted.legal:
                continue
            words = (
                f"{episode.names[seat]} privately meant to {teller.act_words(meant)},"
                f" but chose to {teller.act_words(acted.legal)}"
            )
            anchor = f"round-{played.number}-agent-{seat}"
            found.append((_gap(meant, acted.legal), Moment(played.number, anchor, words)))
    found.sort(key=lambda pair: (-pair[0], pair[1].round))
    shown = [moment for _, moment in found[:MOST_DEVIATIONS]]
    if len(found) > len(shown):
        last = shown[-1]
        more = f"{last.words}; {len(found) - len(shown)} more did otherwise than meant, over the run"
        shown[-1] = Moment(last.round, last.anchor, more)
    return shown


def _gap(meant: Action, done: Action) -> Number:
    if isinstance(meant, (str, tuple)) or isinstance(done, (str, tuple)):
        return 1
    return done - meant if done > meant else meant - done


def _agreements(episode: Episode) -> Iterator[Moment]:
    known: set[tuple[str, tuple[int, ...]]] = set()
    for settled in episode.settled:
        for name, members in settled.coalitions:
            if (name, members) in known:
                continue
            known.add((name, members))
            if len(known) <= MOST_AGREEMENTS:
                who = ", ".join(episode.names[seat] for seat in members)
                yield Moment(settled.round, f"round-{settled.round}", f"an agreement came into force, {name}: {who}")


def _amendments(episode: Episode) -> Iterator[Moment]:
    for settled in episode.settled:
        for event in settled.rule_events:
            if event.event in ("amend", "overthrow", "seizure"):
                yield Moment(settled.round, f"round-{settled.round}", rule_words(event, episode.names))
