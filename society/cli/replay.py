"""`society replay [RUN]`: derive an episode again from its log and compare bit by bit."""

from __future__ import annotations

from society.cli.options import DEFAULT_LOG, Json, Log, Run


def replay(run: Run = "last", *, log: Log = DEFAULT_LOG, json: Json = False) -> None:
    """Derive a run again from its log and compare bit by bit; asks no model.

    Exit code 6, and the first event that differs, if it does not come out as the log holds it.
    """
    import asyncio

    from society.cli.output import result, result_json
    from society.log import open_log
    from society.playing import replay as derive

    with open_log(log) as book:
        done = asyncio.run(derive(run, log=book))
    if json:
        result_json(
            {
                "run": done.run,
                "events": done.events,
                "head": done.head,
                "ended": done.ended,
                "shared_rounds": done.shared,
                "agrees": True,
            }
        )
        return
    left = "" if done.ended else "; the run was left there"
    if done.shared:
        left += f"; the first {done.shared} rounds are shared with another run, and told again from the log"
    result(f"{done.run}: all {done.events} events come out as the log holds them{left}\nhead {done.head}")
