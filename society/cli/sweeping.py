"""Playing and announcing a sweep from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from society.cli.output import note, result, result_json
from society.cli.performing import INTERRUPTED, stoppable
from society.cli.progress import Board, shown
from society.models.budget import RunBudget, Spent
from society.models.names import parse_name
from society.models.pool import ModelPool
from society.rehearsal import Tally as Expected
from society.rehearsal import rehearse
from society.sweep.engine import Left, Tally, play_all
from society.sweep.workers import play_on_workers, processors, think_only
from society.views.tables import Cell, text_table, value

if TYPE_CHECKING:
    from society.log import Log
    from society.sweep.file import Sweep
    from society.sweep.grid import Cell as Point
    from society.sweep.grid import Planned


def perform_sweep(
    left: Sequence[Left], log: Log, sweep: Sweep, *, parallel: int, workers: int | None, quiet: bool, command: str
) -> tuple[Tally, int]:
    """Play what is left of a sweep, with progress on a terminal.

    Returns:
        what was played, and the exit code: 0 done, 1 a run failed, 4 paused, 5 refused, 130 or 143 interrupted.
    """
    if not left:
        return Tally(), 0
    many = workers if workers is not None else processors() if think_only([one.planned for one in left]) else 1
    board = Board()
    if many > 1 and len(left) > 1 and not log.place.memory:
        going = board.begin(f"{sweep.settings.name}: {len(left)} runs on {many} processes", len(left))

        def told(tally: Tally) -> None:
            going.round_ = tally.played

        try:
            with shown(board, quiet=quiet):
                tally = play_on_workers(
                    left, log.place.url, sweep.settings.name, workers=many, command=command, told=told
                )
        except KeyboardInterrupt:
            return Tally(), INTERRUPTED
        return tally, tally.code
    tally = Tally()

    async def play() -> None:
        pool = ModelPool(purse=_purse(log, sweep))
        try:
            with shown(board, quiet=quiet):
                done = await play_all(
                    left,
                    log,
                    sweep.settings.name,
                    pool=pool,
                    parallel=parallel,
                    watch=lambda one: board.begin(f"{one.cell.title}, seed {one.seed}", one.cell.scenario.rounds),
                    command=command,
                )
            tally.add(done)
        finally:
            await pool.close()

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
