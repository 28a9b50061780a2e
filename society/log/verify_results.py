"""Checking what stands beside the events: results of analyses under their digests, and the seal of the run."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from society.log.findings import Findings
from society.log.results import results_digest
from society.log.seal import as_written, seal
from society.log.tables import COMPUTED, columns_of, name_of
from society.log.verify_chain import Chain
from society.log.verify_journal import Calls
from society.log.verify_sessions import session_faults

ENDED = ("completed", "invalid")


def stored_results(connection: Connection, run_id: str, found: Findings) -> None:
    """Whether the results of analyses are as they were stored."""
    sql = text("SELECT table_name, rows, digest, version, computed FROM derived WHERE run_id = :run")
    stored = {row.table_name: row for row in connection.execute(sql, {"run": run_id})}
    for table in COMPUTED:
        name = name_of(table)
        sql_rows = text(f"SELECT {', '.join(columns_of(table))} FROM {name} WHERE run_id = :run")
        rows = [as_written(table, row) for row in connection.execute(sql_rows, {"run": run_id})]
        kept = stored.pop(name, None)
        if kept is None:
            if rows:
                found.fault(name, "", f"its {len(rows)} rows were not stored by an analysis")
        elif (kept.rows, kept.digest) != (len(rows), results_digest(table, rows, kept.version, kept.computed)):
            found.fault(name, "", f"its {len(rows)} rows are not those that were stored")
    for name in stored:
        found.fault("derived", f"table_name {name}", "there is no such table of results")


def closing_faults(connection: Connection, run: Any, chain: Chain, calls: Calls, found: Findings) -> None:  # Any: a row
    """I10, and whether a run that has stopped is as it was then: its row, its agents, its sessions and its journal.

    Runs that were left in a log of a layout before 4 have no seal.
    """
    events, last = len(chain.events), chain.head
    sessions = session_faults(connection, run, found)
    if run["status"] in ENDED or any(session.ended == run["ended"] is not None for session in sessions[-1:]):
        if (run["events"], run["head"]) != (events, last):
            what = f"it counts {run['events']} events up to {run['head']}, the chain has {events} up to {last}"
            found.fault("run", "", what)
        if (run["calls"], run["usd"]) != (calls.answered, run["usd"] if calls.usd is None else calls.usd):
            what = f"I10: it counts {run['calls']} calls for {run['usd']} USD, the journal has {calls.answered}"
            found.fault("run", "", what)
        if run["seal"] != seal(connection, run["id"], calls.digest):
            what = "its row, its agents, its sessions or its journal are not as they were when the run stopped (seal)"
            found.fault("run", "", what)
    elif run["seal"] is not None:
        found.fault("run", "", "it has a seal, though it has not stopped")
