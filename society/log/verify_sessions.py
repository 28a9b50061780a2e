"""Checking the sessions of a run: that they tell of all who wrote it, how it stopped, and that each kept to its budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from society.log.findings import Findings
from society.log.sessions import sessions_of, whose
from society.log.used import Bill, bills, seconds_used

SESSIONS_SINCE = 4
"""The layout from which on logs tell of sessions."""


def session_faults(connection: Connection, run: Any, found: Findings) -> list[Any]:  # Any: rows
    """I10, and whether the sessions of a run fit together and end as its row says; returns them."""
    sessions = sessions_of(connection, run["id"])
    found.count("I10", len(sessions))
    if [session.ordinal for session in sessions] != list(range(len(sessions))):
        found.fault("session", "", "they are not counted from 0 without gaps")
    if not sessions and run["schema_version"] >= SESSIONS_SINCE:
        found.fault("session", "", "there is none, and somebody wrote the run")
    for session in sessions:
        told = {session.ended is None, session.seconds is None, session.status is None, session.reason is None}
        if len(told) > 1:
            found.fault("session", f"ordinal {session.ordinal}", "it tells only a part of how it ended")
    if sessions:
        last = sessions[-1]
        if last.ended != run["ended"] or (last.ended is not None and last.status != run["status"]):
            ends = f"{last.status} at {last.ended}, the run is {run['status']} since {run['ended']}"
            found.fault("session", f"ordinal {last.ordinal}", f"it ended as {ends}")
    if any((s.budget_usd, s.budget_tokens, s.budget_minutes) != (None, None, None) for s in sessions):
        budget_faults(sessions, list(bills(connection, run["id"])), found)
    return sessions


def budget_faults(sessions: Sequence[Any], tries: Sequence[Bill], found: Findings) -> None:  # Any: rows
    """I10: a session spends no more than its budget leaves, but for what the calls in flight turn out to have cost beyond what was
    set aside for them; one whose minutes were over when it began asks nothing.

    A try belongs to the session in which it was sent, by the clock of the machine. Where clocks were set back, so that sessions
    overlap, nobody can tell whose a try was, and nothing is said.
    """
    if any((before.ended or before.started) > after.started for before, after in pairwise(sessions)):
        return
    own: list[list[Bill]] = [[] for _ in (None, *sessions)]
    for bill in tries:
        own[1 + whose(sessions, bill.issued)].append(bill)
    seconds = seconds_used(sessions, tries)
    for place, session in enumerate(sessions, 1):
        sent, before = own[place], [bill for part in own[:place] for bill in part]
        if not sent:
            continue
        bounds: tuple[tuple[str, float | None, Callable[[Bill], float]], ...] = (
            ("US dollars", session.budget_usd, lambda bill: bill.usd),
            ("tokens", session.budget_tokens, lambda bill: bill.tokens),
        )
        for unit, budget, of in bounds:
            if budget is None:
                continue
            spent, earlier = sum(map(of, sent)), sum(map(of, before))
            beyond = most_in_flight(sent) * max(map(of, sent))
            if earlier + spent > max(budget, earlier) + beyond:
                what = f"it spent {spent:g} {unit} after {earlier:g} were spent, its budget is {budget:g}, and its calls in flight"
                found.fault("session", f"ordinal {session.ordinal}", f"I10: {what} may have cost {beyond:g} beyond it")
        minutes = sum(seconds[:place]) / 60
        if session.budget_minutes is not None and minutes >= session.budget_minutes:
            what = f"{minutes:.3g} of its {session.budget_minutes:g} minutes were over when it began, and it sent {len(sent)} calls"
            found.fault("session", f"ordinal {session.ordinal}", f"I10: {what}")


def most_in_flight(tries: Sequence[Bill]) -> int:
    """How many of these were in flight together at most; one that never ended counts to the last."""
    moments = sorted(
        [(bill.issued, 0) for bill in tries] + [(bill.ended, 1) for bill in tries if bill.ended is not None]
    )
    most = now = 0
    for _, ends in moments:
        now += -1 if ends else 1
        most = max(most, now)
    return most
