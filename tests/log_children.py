"""What child processes of the log's tests do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from handmade_run import events, first_round, manifest, play, question, reply

from society.core.calls import Position
from society.log import RunWriter, open_log

MODEL = "openai:large"


def write_for_ever(path: Path, tells: Connection) -> None:
    """Write round after round of one run, going on where it was left, and tell what is safe."""
    log, opening = open_log(path), manifest(MODEL, rounds=10_000)
    writer = log.resume_run("last") if path.exists() and log.runs() else log.start_run(opening)
    asyncio.run(_write_for_ever(writer, tells))


async def _write_for_ever(writer: RunWriter, tells: Connection) -> None:
    opening = writer.manifest
    await writer.stage((opening,))
    number = 0
    while number := number + 1:
        for seat in range(3):
            asked = question(Position(number, "act", 0, seat), MODEL)
            if writer.recall(asked) is None:
                issue = await writer.issue(asked, reserved_usd=0.5)
                tells.send(("sent", number, seat))
                await writer.answered(asked, issue, reply(f"{number} {seat}"))
                tells.send(("safe", number, seat))
        await writer.stage(tuple(replace(event, round=number) for event in first_round()))
        tells.send(("stage", number))


def write_runs(path: Path, runs: int) -> None:
    """Write whole runs, one after the other."""
    asyncio.run(_write_runs(path, runs))


async def _write_runs(path: Path, runs: int) -> None:
    with open_log(path) as log:
        for seed in range(runs):
            writer = log.start_run(manifest(MODEL, seed))
            await play(writer, [manifest(MODEL, seed), *events(MODEL)[1:]])
            await writer.finish("completed")
