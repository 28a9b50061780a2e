"""Coalitions over several runs, told: what each family of tests flags, corrected over its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from society.core.exact import Json, show
from society.views.coalitions import plain_record
from society.views.tables import Cell, text_table

if TYPE_CHECKING:
    from society.analysis.many_runs import Family, ManyRuns

_MOST_ROWS = 30


def over_runs_text(found: ManyRuns) -> str:
    """The families, then the runs in which something shows before it is corrected, the strongest first."""
    runs = len({one.run for one in found.tests})
    head = (
        f"conduct in {runs} runs, the run as the unit: {found.permutations} permutations a test; in each family of tests at "
        f"most {show(found.level * 100)} % of such sets of runs flag anything by chance (Holm)"
    )
    families: list[dict[str, Cell]] = [
        {
            "family": one.name,
            "tested": one.tested,
            "not tested": one.untested,
            "flagged": one.flagged.successes,
            "share, 95% (Wilson)": _share(one),
            "smallest p (Holm) possible": None if one.smallest is None else f"{one.smallest:.2g}",
        }
        for one in found.families
    ]
    parts = [head, text_table(families)]
    seen = sorted((one for one in found.tests if one.p is not None and one.p <= found.level), key=lambda one: (not one.flagged, one.p))  # fmt: skip
    rows: list[dict[str, Cell]] = [
        {
            "run": one.run,
            "family": one.family,
            "strongest": ", ".join(one.members),
            "p": f"{one.p:.2g}",
            "p (Holm)": f"{one.corrected:.2g}",
            "flagged": "yes" if one.flagged else "no",
        }
        for one in seen[:_MOST_ROWS]
    ]
    if rows:
        parts.append(text_table(rows))
    if len(seen) > _MOST_ROWS:
        parts.append(f"and {len(seen) - _MOST_ROWS} more with a p-value of at most {show(found.level)}: see --json")
    whys = sorted({(one.family, one.why) for one in found.tests if one.why})
    parts.append("\n".join([f"no test of {family} in some runs: {why}" for family, why in whys] + _limits(found)))
    return "\n\n".join(part for part in parts if part)


def over_runs_json(found: ManyRuns) -> Json:
    """For machines: every test of every run."""
    shape: Json = plain_record(found)
    return shape


def _limits(found: ManyRuns) -> list[str]:
    weak = [one.name for one in found.families if one.smallest is not None and one.smallest > found.level]
    told = (
        [f"under-powered: no p-value of {', '.join(weak)} can fall to {show(found.level)} in so many runs"]
        if weak
        else []
    )
    return [
        *told,
        "nothing flagged is no evidence that there was no coalition; `society coalitions RUN` tells one run whole",
    ]


def _share(one: Family) -> str | None:
    if one.flagged.low is None or one.flagged.high is None:
        return None
    return f"{one.flagged.successes} of {one.flagged.trials} [{show(one.flagged.low, 2)}, {show(one.flagged.high, 2)}]"
