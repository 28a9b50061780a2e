"""News of a run that is going, as server-sent events: which rounds have grown, and when it is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial

from society.log import RunInfo
from society.views.web.shelf import Shelf

EVERY = 1.0
"""Seconds between two looks at the log."""
QUIET = 15
"""Looks without news after which a comment keeps the connection open."""


async def news(shelf: Shelf, run_id: str, after: int, *, every: float = EVERY) -> AsyncIterator[bytes]:
    """Events for a page that shows the first `after` events of a run; ends when the run has stopped.

    Args:
        shelf: where the log is.
        run_id: which run.
        after: how many events of it the page holds already.
        every: seconds between two looks at the log.
    """
    quiet = 0
    yield b"retry: 2000\n\n"
    while True:
        info = await asyncio.to_thread(shelf.info, run_id)
        over = info.status != "running"
        if info.events > after or over:
            told = await asyncio.to_thread(partial(_told, shelf, info, after, over))
            yield f"id: {info.events}\nevent: news\ndata: {json.dumps(told)}\n\n".encode()
            after, quiet = info.events, 0
        elif (quiet := quiet + 1) % QUIET == 0:
            yield b": still there\n\n"
        if over:
            return
        await asyncio.sleep(every)


def _told(shelf: Shelf, info: RunInfo, after: int, over: bool) -> dict[str, object]:
    found = shelf.log.sql(
        "SELECT DISTINCT round FROM event WHERE run_id = :run AND seq >= :after AND round IS NOT NULL ORDER BY round",
        {"run": info.id, "after": after},
    )
    word = shelf.episode(info).scenario.theme.round
    return {"rounds": found.column("round"), "over": over, "word": word, "events": info.events}
