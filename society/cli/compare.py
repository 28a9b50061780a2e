"""`society compare A B ...`: sets of runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log
from society.cli.saving import Output, check_output, save

if TYPE_CHECKING:
    from society.log import Log as Book
    from society.log import RunInfo


def compare(
    arms: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...",
            help="Sets of runs: FIELD=VALUE,... with scenario, model, sweep, seed or an axis of a sweep; or ids of runs.",
        ),
    ],
    *,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-M", metavar="NAME", envvar="SOCIETY_METRIC", help="Which; may be given again."),
    ] = None,
    log: Log = DEFAULT_LOG,
    output: Output = None,
    json: Json = False,
) -> None:
    """Compare sets of runs, each with the first.

    Runs with the same seed are pairs, and several of one seed are averaged first; without common seeds the sets are
    independent samples. Every interval and test says its name; p-values are corrected for all comparisons of a
    metric (Holm). An under-powered comparison says so. For example:
    society compare model=mock:greedy model=mock:sustainable --metric survival -o survival.svg
    """
    from society.cli.extras import need
    from society.cli.output import note, result, result_json
    from society.core.errors import BadInput, did_you_mean
    from society.log import open_log
    from society.metrics import HEADLINES, METRICS
    from society.views.arms import arm_of, lines_of
    from society.views.comparing import lines_json, lines_text, survival_json, survival_text

    need("scipy", "intervals")
    check_output(output)
    metrics = tuple(metric or HEADLINES)
    for name in metrics:
        if name not in METRICS:
            raise BadInput(f"no metric {name[:40]!r}{did_you_mean(name, METRICS)}")
    if len(arms) < 2:
        raise BadInput("two sets of runs are needed, such as model=mock:greedy model=mock:sustainable")
    with open_log(log) as book:
        every = book.runs() if any("=" in words for words in arms) else []
        chosen = [(words, _runs(book, every, words)) for words in arms]
        sets = [arm_of(book, {"arm": words}, runs, metrics) for words, runs in chosen]
        against = dict.fromkeys(range(1, len(sets)), 0)
        tables = [lines_of(sets, name, against) for name in metrics]
        lived = survival_text(sets)
        lives = survival_json(sets)
    for file in save(tables, output) if output is not None else ():
        note(f"wrote {file}")
    if json:
        result_json({"lines": [row for lines in tables for row in lines_json(lines)], "survival": lives})
        return
    result("\n\n".join([lines_text(lines) for lines in tables] + ([lived] if lived else [])))


def _runs(book: Book, runs: list[RunInfo], words: str) -> list[RunInfo]:
    """Those of all runs that are meant.

    Raises:
        BadInput: none are.
    """
    import json

    from society.core.errors import BadInput, did_you_mean

    if "=" not in words:
        return [book.find(ref) for ref in words.split(",")]
    wanted = dict(part.partition("=")[::2] for part in words.split(","))
    fields = ("scenario", "sweep", "seed", "status")
    axes = {cell: json.loads(cell)["axes"] if cell else {} for cell in {run.cell for run in runs}}
    for name in wanted:
        known = {*fields, "model", *(axis for arms in axes.values() for axis in arms)}
        if name not in known:
            raise BadInput(
                f"{words!r}: nothing is called {name[:40]!r}{did_you_mean(name, known)} (known: {', '.join(sorted(known))})"
            )

    def fits(run: RunInfo, name: str, value: str) -> bool:
        if name == "model":
            return value in run.models.split(",")
        return value == str(getattr(run, name) if name in fields else axes[run.cell].get(name))

    found = [run for run in runs if all(fits(run, name, value) for name, value in wanted.items())]
    if not found:
        raise BadInput(f"no run fits {words!r}; `society runs` shows what there is")
    return found
