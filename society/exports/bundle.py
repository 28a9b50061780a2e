"""An export: chosen runs in one folder, in as many forms as wanted, with a page that explains every column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from society.core.errors import BadInput, SocietyError, did_you_mean
from society.exports.files import WRITERS
from society.exports.readme import readme
from society.exports.sheets import sheet, sheet_names
from society.log import Log, RunInfo
from society.run import Run


@dataclass
class Exported:
    """What an export wrote.

    Attributes:
        folder: where.
        files: what each file holds, by its path in the folder; the README first.
        left_out: what was not asked for by name and could not be written, each with its mend.
    """

    folder: Path
    files: dict[str, str]
    left_out: list[str]


def export(
    log: Log,
    runs: Sequence[str],
    to: Path,
    *,
    formats: Sequence[str] = (),
    tables: Sequence[str] = (),
    force: bool = False,
) -> Exported:
    """Write runs into a folder.

    Args:
        log: the log that holds them.
        runs: their ids, unique parts of them, or ``last``.
        to: the folder; it is made if it is not there.
        formats: which of `FORMATS`; none: all that this installation can write.
        tables: only these tables and views; none: all. Concerns csv, jsonl and parquet.
        force: write into a folder that holds something already; files of the same name are replaced.

    Raises:
        BadInput: an unknown run, format or table, or a folder in use.
        MissingExtra: a format that was named needs a package that is missing.
        LogCorrupt: a format that was named needs an analysis, and the rules do not give what the log says.
    """
    for name in formats:
        if name not in FORMATS:
            raise BadInput(f"no format {name!r}{did_you_mean(name, FORMATS)} (known: {', '.join(FORMATS)})")
    chosen = list({run.id: run for run in (log.find(ref) for ref in runs)}.values())
    names = sheet_names(log, tables)
    if to.exists() and not to.is_dir():
        raise BadInput(f"{to} is a file; name a folder with --to")
    if to.is_dir() and not force and any(to.iterdir()):
        raise BadInput(f"{to} is not empty; name another folder, or replace what it holds with --force")
    to.mkdir(parents=True, exist_ok=True)
    done = Exported(to, {"README.md": "this page"}, [])
    for run in chosen if _ALIGNMENT & set(names) else ():
        _complete(log, run, done)
    counts: dict[str, int] = {}
    for name in formats or FORMATS:
        try:
            if name in WRITERS:
                counts |= _tables(log, chosen, names, name, done)
            else:
                _OTHERS[name](log, chosen, done)
        except SocietyError as problem:  # a package is missing, or the rules contradict the log
            if formats:
                raise
            done.left_out.append(f"{name}: {problem}")
    (to / "README.md").write_text(readme(chosen, done.files, counts, done.left_out), "utf-8", "backslashreplace")
    return done


_ALIGNMENT = {"stage_value", "gap_term", "surprise_share"}
"""Tables that are filled when somebody asks for them."""


def _complete(log: Log, run: RunInfo, done: Exported) -> None:
    """Have the decomposition of a finished run in the log: not every run is analysed when it ends."""
    if run.resumable or "gap_term" in log.frame("derived", run=run.id).column("table_name"):
        return
    try:
        Run(run.id, log).keep_alignment()
    except (
        SocietyError
    ) as problem:  # a log that cannot be written, or that its own rules contradict, is exported as it is
        done.left_out.append(f"gap_term, stage_value and surprise_share of {run.id}: {problem}")


def _tables(log: Log, runs: Sequence[RunInfo], names: Sequence[str], form: str, done: Exported) -> dict[str, int]:
    """All tables in one form, and how many rows each has."""
    (done.folder / "tables").mkdir(exist_ok=True)
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = WRITERS[form](sheet(log, name, [run.id for run in runs]), done.folder / f"tables/{name}.{form}")
    done.files[f"tables/*.{form}"] = f"the {len(names)} tables described below, as {_SPELLED[form]}"
    return counts


def _inspect(log: Log, runs: Sequence[RunInfo], done: Exported) -> None:
    from society.exports.inspect_log import write_inspect_logs

    for path in write_inspect_logs(log, runs, done.folder):
        done.files[path.name] = f"an Inspect log; `inspect view start --log-dir {done.folder.name}` shows it"


def _page(log: Log, runs: Sequence[RunInfo], done: Exported) -> None:
    from society.views.web.one_file import one_file

    for run in runs:
        (done.folder / f"{run.id}.html").write_text(one_file(log, run.id), "utf-8", "backslashreplace")
    done.files["RUN.html"] = "the page of each run; it opens from disk and needs neither server nor network"


def _drawings(ending: str) -> Callable[[Log, Sequence[RunInfo], Exported], None]:
    def write(log: Log, runs: Sequence[RunInfo], done: Exported) -> None:
        for run in runs:
            folder = done.folder / "figures" / run.id
            folder.mkdir(parents=True, exist_ok=True)
            for chart in Run(run.id, log).charts():
                chart.save(folder / f"{chart.name}.{ending}")
        done.files[f"figures/RUN/*.{ending}"] = f"what the page draws of each run, as {ending.upper()}"

    return write


_SPELLED = {"csv": "comma-separated values", "jsonl": "JSON, one object a line", "parquet": "Parquet"}
_OTHERS: dict[str, Callable[[Log, Sequence[RunInfo], Exported], None]] = {
    "html": _page,
    "svg": _drawings("svg"),
    "pdf": _drawings("pdf"),
    "inspect": _inspect,
}

FORMATS: tuple[str, ...] = (*WRITERS, *_OTHERS)
"""What an export can hold."""
