"""Playing and announcing a sweep from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from society.cli.cells import CellBoard
from society.cli.extras import need
from society.cli.output import note, result, result_json
from society.cli.performing import INTERRUPTED, stoppable
from society.cli.progress import shown
from society.core.errors import BadInput
from society.models.budget import RunBudget, Spent
from society.models.names import parse_name
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings
from society.rehearsal import Tally as Expected
from society.rehearsal import rehearse
from society.sweep.engine import Left, Tally, play_all
from society.sweep.workers import AT_ONCE, play_on_workers, processors, think_only
from society.views.tables import Cell, text_table, value

if TYPE_CHECKING:
    from society.log import Log
    from society.sweep.file import Sweep
    from society.sweep.grid import Cell as Point
    from society.sweep.grid import Planned


@dataclass(frozen=True, slots=True)
class How:
    """Where and how fast a sweep is played.

    Attributes:
        parallel: runs at a time; workers: processes, or None for as many as help.
        ray: the address of a Ray cluster, or None for this machine without one.
        command: what the user typed, for the log.
    """

    parallel: int
    workers: int | None
    ray: str | None
    command: str


def perform_sweep(
    planned: Sequence[Planned], left: Sequence[Left], log: Log, sweep: Sweep, *, how: How, quiet: bool
) -> tuple[Tally, int]:
    """Play what is left of a sweep, with progress on a terminal.

    Returns:
        what was played, and the exit code: 0 done, 1 a run failed, 4 paused, 5 refused, 130 or 143 interrupted.

    Raises:
        BadInput: several processes for models that are waited for, or a cluster that cannot reach the log.
        MissingExtra: Ray is not installed.
    """
    if how.ray is not None:
        need("ray", "sweeps on a cluster")
        if (log.place.file is not None and how.ray != "local") or log.place.memory:
            raise BadInput("a cluster needs a log that all its machines can reach: --log postgresql://user@host/name")
    if not left:
        return Tally(), 0
    thinks = think_only([one.planned for one in left])
    if how.ray is not None:
        return _on_ray(planned, left, log, sweep, how=how, quiet=quiet, at_once=AT_ONCE if thinks else None)
    if how.workers not in (None, 1) and not thinks:
        raise BadInput(
            "several processes would each press the provider as hard as one may; models are waited for, so one process plays all "
            "runs at once: raise --parallel and SOCIETY_CONCURRENCY, or share the limits with --ray local"
        )
    many = how.workers if how.workers is not None else processors() if thinks else 1
    if many > 1 and len(left) > 1 and not log.place.memory:
        return _on_processes(planned, left, log, sweep, how=how, many=many, quiet=quiet)
    board, tally = CellBoard(planned, left), Tally()

    async def play() -> None:
        pool = ModelPool(purse=_purse(log, sweep))
        try:
            with shown(board, quiet=quiet):
                done = await play_all(
                    left,
                    log,
                    sweep.settings.name,
                    pool=pool,
                    parallel=how.parallel,
                    watch=board.begin,
                    told=board.told,
                    command=how.command,
                )
            tally.add(done)
        finally:
            await pool.close()

    code = stoppable(play())
    return tally, code if code is not None else tally.code


def _on_processes(
    planned: Sequence[Planned], left: Sequence[Left], log: Log, sweep: Sweep, *, how: How, many: int, quiet: bool
) -> tuple[Tally, int]:
    board = CellBoard(planned, left, f"on {many} processes")
    try:
        with shown(board, quiet=quiet):
            tally = play_on_workers(
                left, log.place.url, sweep.settings.name, workers=many, command=how.command, told=board.told
            )
    except KeyboardInterrupt:
        return Tally(), INTERRUPTED
    return tally, tally.code


def _on_ray(
    planned: Sequence[Planned],
    left: Sequence[Left],
    log: Log,
    sweep: Sweep,
    *,
    how: How,
    quiet: bool,
    at_once: int | None,
) -> tuple[Tally, int]:
    from society.sweep.on_ray import Job, cluster, play_on_ray

    assert how.ray is not None, "this is asked for"
    settings, purse, tally = ProviderSettings.read(), _purse(log, sweep), Tally()
    job = Job(log.place.url, sweep.settings.name, how.command, settings, purse is not None)
    with cluster(how.ray, workers=how.workers) as size:
        many = max(1, min(how.workers or size, len(left)))
        board = CellBoard(planned, left, f"on {many} Ray workers")

        async def play() -> None:
            with shown(board, quiet=quiet):
                parallel = many * at_once if at_once else how.parallel
                tally.add(
                    await play_on_ray(left, job, log=log, workers=many, parallel=parallel, purse=purse, told=board.told)
                )

        code = stoppable(play())
    return tally, code if code is not None else tally.code


def _purse(log: Log, sweep: Sweep) -> RunBudget | None:
    """What the sweep may still spend: its budget less what its runs in the log have cost."""
    if sweep.settings.usd is None:
        return None
    spent = sum(run.usd or 0.0 for run in log.runs(sweep=sweep.settings.name))
    return RunBudget(usd=sweep.settings.usd, spent=Spent(usd=spent))


def expected(
    sweep: Sweep, grid: Sequence[Point], planned: Sequence[Planned], left: Sequence[Left] | None, *, json: bool
) -> int:
    """Tell what a sweep would come to: a line a cell and model, from a rehearsal with mocks."""
    pool = ModelPool()
    rows: list[dict[str, Cell]] = []
    whole = Expected()
    missing = [one.planned for one in left] if left is not None else planned
    for cell in grid:
        runs = sum(one.cell is cell for one in missing)
        tallies = asyncio.run(rehearse(cell.scenario, rounds=3)).expected if runs else {}
        for model, tally in tallies.items():
            price = pool.price(parse_name(model))
            whole.add(tally, runs)
            rows.append(
                {
                    **{axis: str(label) for axis, label in cell.labels.items()},
                    "model": model,
                    "runs": runs,
                    "calls": tally.calls * runs,
                    "tokens in": tally.tokens_in * runs,
                    "tokens out": tally.tokens_out * runs,
                    "usd": None if price is None else price.most(tally.tokens_in * runs, tally.tokens_out * runs),
                    "usd at most": None if price is None else price.most(tally.tokens_in * runs, tally.most_out * runs),
                }
            )
    if json:
        told = [{name.replace(" ", "_"): value(cell) for name, cell in row.items()} for row in rows]
        result_json({"sweep": sweep.settings.name, "cells": len(grid), "runs": len(missing), "lines": told})
        return 0
    result(text_table(rows, places=4) if rows else "nothing is left to play")
    unknown = any(row["usd"] is None for row in rows)
    dollars = sum(float(row["usd"]) for row in rows if isinstance(row["usd"], (int, float)))
    cost = f"{'at least ' if unknown else ''}${dollars:.2f}" if dollars or not unknown else "unknown"
    note(
        f"{len(grid)} cells, {len(missing)} of {len(planned)} runs to play, {whole.calls} calls, "
        f"{whole.tokens_in + whole.tokens_out} tokens, cost {cost}; nothing was played"
        + ("; a dash is an unknown price: see society.toml" if unknown else "")
    )
    return 0
