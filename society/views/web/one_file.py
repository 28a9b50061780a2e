"""The page of a run as one HTML file: style, script, drawings and words in it, to be opened from disk or sent to someone."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from society.core.errors import LogCorrupt
from society.log import Log
from society.views.web.findings import alignment_values, coalitions_values
from society.views.web.losses import is_small
from society.views.web.pages import page
from society.views.web.run_page import run_values
from society.views.web.shelf import Shelf
from society.views.web.told import all_calls, all_prompts

MOST_CALLS = 20_000_000
"""Characters of prompts and answers that a file holds; a run with more keeps them in its log alone."""


def one_file(log: Log, run: str = "last", *, calls: bool | None = None, analyses: bool | None = None) -> str:
    """The page of a run, complete in itself: it needs no server, no network and no other file.

    A policy in the page lets nothing run but its own script, which is told by its hash.

    Args:
        log: where the run is.
        run: its id, a unique part of it, or ``last``.
        calls: with every prompt and raw answer; None: if they are not too many for a page.
        analyses: with alignment and coalitions even if that takes minutes; None: if it takes seconds, or the alignment
            stands in the log.

    Raises:
        BadInput: no such run.
        LogCorrupt: its events do not make an episode.
    """
    shelf = Shelf(log)
    info = log.find(run)
    values = run_values(shelf, info, whole=True)
    at, now = values["at"], analyses if analyses is not None else is_small(shelf.episode(info))
    if analyses is not False:
        values["alignment_part"] = _alignment(shelf, info.id, values, now)
        values["coalitions_part"] = page("coalitions.html", at=at, **coalitions_values(shelf, info, now=now))
    stored = calls is not False and _size(log, info.id) <= (MOST_CALLS if calls is None else float("inf"))
    at.stored = stored
    if stored:
        values["places"], values["prompts"] = all_calls(shelf, info), list(all_prompts(shelf, info))
    style, script = _assets()
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; base-uri 'none'; form-action 'none'"
    return page("one_file.html", **values, style=style, script=script, policy=policy)


def _alignment(shelf: Shelf, run_id: str, values: dict[str, object], now: bool) -> str:
    try:
        found = alignment_values(shelf, shelf.info(run_id), now=now)
    except LogCorrupt as problem:
        return page("problem.html", words=str(problem))
    return page("alignment.html", at=values["at"], **found)


def _size(log: Log, run_id: str) -> float:
    asked = log.sql(
        "SELECT COALESCE(SUM(LENGTH(text)), 0) + COALESCE(SUM(LENGTH(raw)), 0) FROM model_call WHERE run_id = :run",
        {"run": run_id},
    )
    prompts = log.sql(
        "WITH RECURSIVE chain(hash) AS (SELECT DISTINCT prompt FROM model_call WHERE run_id = :run AND prompt IS NOT NULL"
        " UNION SELECT p.before FROM prompt AS p JOIN chain AS c ON p.hash = c.hash WHERE p.before IS NOT NULL)"
        " SELECT COALESCE(SUM(LENGTH(p.content)), 0) FROM prompt AS p JOIN chain AS c ON p.hash = c.hash",
        {"run": run_id},
    )
    return float(asked.values[0][0]) + float(prompts.values[0][0])


@cache
def _assets() -> tuple[str, str]:
    folder = files("society.views.web") / "static"
    return (folder / "viewer.css").read_text("utf-8"), (folder / "viewer.js").read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
