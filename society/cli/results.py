"""What is told after a run: metrics, key moments, the alignment table, where to look next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from society.cli.conditions import Condition
from society.cli.output import note, result, result_json
from society.cli.performing import Job, Played
from society.core.errors import NotBegun, Paused
from society.metrics import HEADLINES, METRICS
from society.models.names import parse_name
from society.models.pool import ModelPool
from society.playing import with_model
from society.rehearsal import rehearse
from society.views.alignment import gap_table
from society.views.moments import key_moments
from society.views.story import tell
from society.views.sustaining import depletion_sentence
from society.views.tables import Cell, text_table, value
from society.views.terminal import safe_lines
from society.views.transcript import as_text

if TYPE_CHECKING:
    from society.log import Log


def report(played: Sequence[Played], book: Log, conditions: Sequence[Condition], *, json: bool, quiet: bool) -> bool:
    """Tell what came of every job; returns whether a condition holds anywhere."""
    done = [result_ for result_ in played if result_.run is not None]
    held = [
        (one, c) for one in done if one.run for c in conditions if c.holds(one.run.outcome.measured[c.metric].value)
    ]
    if json:
        result_json([_as_json(one, book) for one in played])
    elif len(done) == 1 and len(played) == 1 and not quiet:
        _story(done[0])
    elif done:
        result(text_table([_row(one) for one in done]))
    for one in played:
        if one.error is not None:
            note("\n".join(safe_lines(f"{one.job.title}: {one.error}")))
    if any(isinstance(one.error, Paused) and not isinstance(one.error, NotBegun) for one in played):
        note("`society resume` goes on, and pays for nothing twice; --usd, --tokens and --minutes give another budget")
    for one, condition in held:
        note(f"{one.job.title}: {condition} holds")
    if done and not quiet and not json:
        last = done[-1].run
        assert last is not None, "it is done"
        note(f"\nnext: society transcript {last.id}   the whole story; --calls with every prompt and answer")
        note(f"      society metrics {last.id}      all metrics")
    return bool(held)


def dry_run_report(jobs: Sequence[Job], *, json: bool) -> int:
    """Calls, tokens and cost expected, without a call to any real model; returns the exit code."""
    pool = ModelPool()
    rows: list[dict[str, Cell]] = []
    rehearsed: dict[tuple[int, str | None], Any] = {}  # Any: rehearsals; seeds change little, so one serves all
    for job in jobs:
        key = (id(job.scenario), job.model)
        if key not in rehearsed:
            rehearsed[key] = asyncio.run(rehearse(with_model(job.scenario, job.model)))
        for model, tally in rehearsed[key].expected.items():
            price = pool.price(parse_name(model))
            rows.append(
                {
                    "scenario": job.scenario.name,
                    "seed": job.seed,
                    "model": model,
                    "rounds": rehearsed[key].rounds,
                    "calls": tally.calls,
                    "tokens in": tally.tokens_in,
                    "tokens out": tally.tokens_out,
                    "at most out": tally.most_out,
                    "usd": None if price is None else price.most(tally.tokens_in, tally.tokens_out),
                    "usd at most": None if price is None else price.most(tally.tokens_in, tally.most_out),
                }
            )
    if json:
        result_json([{name.replace(" ", "_"): value(cell) for name, cell in row.items()} for row in rows])
        return 0
    result(text_table(rows, places=4))
    calls = sum(row["calls"] for row in rows if isinstance(row["calls"], int))
    note(f"{len(jobs)} runs, {calls} calls expected; nothing was played. A dash is an unknown price: see society.toml.")
    return 0


def _row(one: Played) -> dict[str, Cell]:
    run = one.run
    assert run is not None, "only those that were played have a row"
    measured = run.outcome.measured
    return {
        "run": run.id,
        "model": ", ".join(dict.fromkeys(run.episode.models)),
        "seed": one.job.seed,
        "status": run.status,
        **{name: measured[name].value for name in HEADLINES},
    }


def _as_json(one: Played, book: Log) -> dict[str, Any]:  # Any: JSON
    shape: dict[str, Any] = {
        "scenario": one.job.scenario.name,
        "model": one.job.model,
        "seed": one.job.seed,
        "run": None,
        "status": "not begun" if one.error is None else "failed",
        "error": None if one.error is None else str(one.error),
    }
    if one.run is not None:
        info = book.find(one.run.id)
        measured = one.run.outcome.measured
        shape |= {
            "run": one.run.id,
            "status": info.status,
            "rounds": info.rounds_played,
            "calls": info.calls,
            "tokens_in": info.tokens_in,
            "tokens_out": info.tokens_out,
            "usd": info.usd,
            "head": info.head,
            "metrics": {
                name: {"value": value(m.value), "numerator": value(m.numerator), "denominator": value(m.denominator)}
                for name, m in measured.items()
            },
        }
    return shape


def _story(one: Played) -> None:
    assert one.run is not None, "only those that were played have a story"
    story = tell(one.run.episode)
    result(as_text(key_moments(story)))
    result("")
    result("What was lost between each agent's goal and what it got (`society align` tells more):\n")
    one.run.keep_alignment()
    result(gap_table(one.run.alignment))
    result("\nWhat the group came to (`society metrics` tells more):\n")
    measured = one.run.outcome.measured
    rows = [{"metric": name, "value": measured[name].value, "unit": METRICS[name].unit} for name in HEADLINES]
    result(text_table(rows))
    warning = depletion_sentence(one.run.episode, measured)
    if warning is not None:
        result("\n" + "\n".join(safe_lines(warning)))
    result(f"\nrun {one.run.id} is {one.run.status}")
