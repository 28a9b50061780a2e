"""Which rows of a log belong to chosen runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from society.core.errors import BadInput, did_you_mean
from society.log.column_types import column_types
from society.log.frame import Frame
from society.log.reader import Reader

_OF_NO_RUN = ("log_info", "dictionary")
_SHARED = {
    "prompt": """
WITH RECURSIVE used(hash) AS (
  SELECT DISTINCT prompt FROM model_call WHERE run_id = :run AND prompt IS NOT NULL
  UNION SELECT p.before FROM prompt AS p JOIN used AS u ON p.hash = u.hash WHERE p.before IS NOT NULL
) SELECT {columns} FROM prompt WHERE hash IN (SELECT hash FROM used) ORDER BY place, hash""",
    "answer_schema": """
SELECT {columns} FROM answer_schema
WHERE hash IN (SELECT answer_schema FROM model_call WHERE run_id = :run) ORDER BY hash""",
}
"""Tables whose rows several runs share: each row is told once, with the first run that uses it."""


def sheet_names(log: Reader, only: Sequence[str] = ()) -> list[str]:
    """The tables and views that belong to runs, all of them or those named.

    Raises:
        BadInput: there is none of that name.
    """
    known = [name for name in log.tables if name not in _OF_NO_RUN]
    for name in only:
        if name not in known:
            raise BadInput(
                f"no table or view {name!r} to export{did_you_mean(name, known)} (known: {', '.join(known)})"
            )
    return [name for name in known if name in only] if only else known


def sheet(log: Reader, name: str, runs: Sequence[str]) -> Iterator[Frame]:
    """The rows of one table, run by run; a log of any length never stands in memory as a whole."""
    told: set[str] = set()
    for run in runs:
        if name not in _SHARED:
            yield log.frame(name, run=run)
            continue
        columns = log.tables[name]
        found = log.sql(_SHARED[name].format(columns=", ".join(columns)), {"run": run})
        fresh = [row for row in found.values if row[0] not in told]
        told |= {str(row[0]) for row in fresh}
        yield Frame(columns, fresh, sql=found.sql, types=column_types()[name])
