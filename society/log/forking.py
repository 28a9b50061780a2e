"""What a fork shares with the run it comes from: the first rounds, event by event, and the answers they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from society.core.errors import BadInput, LogCorrupt
from society.core.events import Event, Forked, RunStarted, Settled, chain_next, chain_start
from society.log.projection import SqlRow, SqlValue
from society.log.seal import as_written
from society.log.tables import ModelCall, columns_of

if TYPE_CHECKING:
    from society.log.reader import Reader


class Shared(NamedTuple):
    """The part of a run that another one shares.

    Attributes:
        events: its events up to the end of the last shared round.
        calls: rows of the journal without their digest: what was answered in these rounds, at no further cost.
    """

    events: tuple[Event, ...]
    calls: tuple[SqlRow, ...]


NOTHING_SHARED = Shared((), ())


def shared_part(log: Reader, run_id: str, new_id: str, rounds: int) -> Shared:
    """The first rounds of a run, as they stand in a fork of it.

    Raises:
        BadInput: the run has not settled so many rounds.
        LogCorrupt: its events are not those that were hashed.
    """
    stored = log.stored(run_id)
    events = tuple(event for _, event, _ in stored)
    ends = {event.round: place for place, event in enumerate(events) if isinstance(event, Settled)}
    if rounds not in ends:
        known = f"it has finished {len(ends)}" if ends else "it has finished none"
        raise BadInput(f"run {run_id} cannot be forked after round {rounds}: {known}")
    manifest = manifest_of(events)
    head = chain_start(manifest) if manifest is not None else ""
    for body, _, _ in stored[1 : ends[rounds] + 1]:
        head = chain_next(head, body)
    if head != stored[ends[rounds]][2]:
        raise LogCorrupt(
            f"run {run_id} does not verify, so nothing can be shared with it; see `society verify {run_id}`"
        )
    sql = f"SELECT {', '.join(columns_of(ModelCall))} FROM model_call WHERE run_id = :run AND round <= :round"
    with log.connection() as connection:
        found = connection.execute(text(f"{sql} AND status = 'answered'"), {"run": run_id, "round": rounds}).all()
    free: dict[str, SqlValue] = {"run_id": new_id, "issue": 0, "usd": 0.0, "reserved_usd": 0.0, "cached": True}
    calls = [
        tuple(
            free.get(name, value) for name, value in zip(columns_of(ModelCall), as_written(ModelCall, row), strict=True)
        )
        for row in found
    ]
    return Shared(events[: ends[rounds] + 1], tuple(call[:-1] for call in calls))


def shared_events(events: Sequence[Event]) -> tuple[Event, ...]:
    """Of the events of a fork, those that are not its own: up to its last `Forked`; none of any other run."""
    last = max((place for place, event in enumerate(events) if isinstance(event, Forked)), default=None)
    return () if last is None else tuple(events[: last + 1])


def manifest_of(events: Sequence[Event]) -> RunStarted | None:
    """The manifest a run begins with, if it does."""
    return events[0] if events and isinstance(events[0], RunStarted) else None
