"""The state of a governed game as JSON, and from one game into another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from society.core.exact import Json, from_plain, plain
from society.core.ledger import Ledger
from society.core.mechanism import state_from_plain as physical_from_plain
from society.core.mechanism import state_to_plain as physical_to_plain
from society.core.moment import Standing
from society.core.revive import record_to_plain, revive
from society.governance.institution import GovernedState
from society.governance.rulebook import Rulebook


def state_to_plain(state: GovernedState) -> Json:
    """The canonical JSON form of a state."""
    return {
        "physical": physical_to_plain(state.physical),
        "round": state.round,
        "memories": [record_to_plain(memory) for memory in state.memories],
        "standings": [record_to_plain(standing) for standing in state.standings],
        "ledger": record_to_plain(state.ledger),
        "pot": plain(state.pot),
    }


def state_from_plain(book: Rulebook, raw: Any) -> GovernedState:  # Any: JSON
    """Back from `state_to_plain`.

    Raises:
        ValueError: not the shape of a state under these rules.
    """
    return GovernedState(
        physical=physical_from_plain(book.mechanism.state_type, raw["physical"]),
        round=raw["round"],
        memories=tuple(
            revive(instrument.memory_type, memory)
            for instrument, memory in zip(book.instruments, raw["memories"], strict=True)
        ),
        standings=tuple(revive(Standing, standing) for standing in raw["standings"]),
        ledger=revive(Ledger, raw["ledger"]),
        pot=from_plain(raw["pot"]),
    )


def taken_over(
    book: Rulebook, fresh: GovernedState, state: GovernedState, other: Rulebook, *, round: int
) -> GovernedState:
    """A state under other rules as one under these, with `round` to be played next; `fresh` is the first one under these.

    The physical state, agreements and the pot stay. A rule that was there under the same id and of the same kind keeps its
    memory and its standing; any other begins as in a first round.

    Raises:
        ValueError: the other rules govern another mechanism.
    """
    if book.mechanism.kind != other.mechanism.kind or book.mechanism.agents != other.mechanism.agents:
        raise ValueError(f"{book.mechanism.kind} cannot go on from a state of {other.mechanism.kind}")
    kept = {
        (rule, instrument.kind): (memory, standing)
        for rule, instrument, memory, standing in zip(
            other.ids, other.instruments, state.memories, state.standings, strict=True
        )
    }
    rules = [
        kept.get((rule, instrument.kind), first)
        for rule, instrument, *first in zip(book.ids, book.instruments, fresh.memories, fresh.standings, strict=True)
    ]
    return replace(
        state,
        round=round if book.instruments else state.round,
        memories=tuple(memory for memory, _ in rules),
        standings=tuple(standing for _, standing in rules),
    )
