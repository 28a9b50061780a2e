"""What is said when a run that is played again does not come out as the log holds it: the question or the event, and what differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import unified_diff

from society.core.calls import ModelRequest
from society.core.errors import Diverged
from society.log.journal import Entry


def diverged(request: ModelRequest, entry: Entry, before: Sequence[tuple[str, str]], run: str = "RUN") -> Diverged:
    """The error that shows where the question differs from the journalled one; `before` is the journalled prompt."""
    at = request.at
    old = [line for role, content in before for line in (f"[{role}]", *content.splitlines())]
    new = [line for m in request.messages for line in (f"[{m.role}]", *m.content.splitlines())]
    shown = list(unified_diff(old, new, "journal", "now", lineterm="", n=1))[:30]
    detail = "\n".join(shown) if shown else "the messages are the same; the model, the schema or the sampling differ"
    mend = f"`society fork {run} --round {at.round - 1}` plays a new run that shares the rounds before this one"
    if at.round <= 1:
        mend = "begin a new run with `society run`"
    return Diverged(
        f"round {at.round}, {at.stage}, turn {at.turn}, agent {at.agent}, attempt {at.attempt}: this question is not the one "
        f"the journal holds an answer to ({entry.request_hash[:12]}, now {request.hash[:12]}); the scenario, the prompts or "
        f"the program have changed. Nothing was sent; {mend}.\n{detail}"
    )


def difference(seq: int, held: str, now: str) -> str:
    """What a message about two unequal events says: which one, and the lines that differ."""
    old = json.dumps(json.loads(held), indent=1).splitlines()
    new = json.dumps(json.loads(now), indent=1).splitlines()
    shown = "\n".join(list(unified_diff(old, new, "log", "now", lineterm="", n=1))[:40])
    return f"event {seq} is not the one the log holds; the scenario, the answers or the program have changed\n{shown}"
