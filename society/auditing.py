"""What `society verify` does: the log is checked against itself, and each run is derived again from what was answered.

`society.log.verify` reads rows and asks whether they fit together. Here, above both wings, the same runs are played again from
their journals, so that more of the invariants can be looked at:

    I3, I13       the prompts that the events give have the hashes the journal holds, and the committed answers give the events
    I8            every line of a prompt that tells of a message tells of one that was said, to this agent, in these words
    I10           each answer cost what its tokens cost at the prices the run was charged at
    I13           what was read of an answer, and what an analysis stored of a run, come out of the same again

A run that another version or other prompts played is not derived again. Where a person had a seat, answers are taken as the events
hold them, and only the rules are called again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text

from society import __version__
from society.agents.briefing import templates_used
from society.agents.prompting import Prompts
from society.agents.transcript import parse_history
from society.core.calls import ModelResponse
from society.core.errors import LogCorrupt, SocietyError
from society.core.events import Settled, Spoke
from society.episode import Episode
from society.log import Log
from society.log.findings import Findings, Report
from society.log.journal import response_of
from society.log.results import computed_table, stored_rows
from society.log.tables import ModelCall, columns_of
from society.log.text import REDACTED, storable_text
from society.log.verify_privacy import prompts_read
from society.log.verify_rows import any_bytes, compare
from society.models.envelope import read_completion
from society.models.faults import RetryLater
from society.models.prices import Price
from society.orchestrator import retold
from society.playing import replay
from society.run import Run

OTHER_VERSION, OTHER_PROMPTS, PERSON = "another version played them", "other prompts were used", "a person took part"
WRONG = "their rows are wrong already"


@dataclass(frozen=True)
class Audit:
    """What was found, and how it was looked for.

    Attributes:
        report: faults, and by invariant how many rows it was asked of.
        derived: how many runs were played again from their journals.
        left_out: why others were not, with how many of them.
        seconds: time for the rows, and for playing again.
    """

    report: Report
    derived: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    seconds: tuple[float, float] = (0.0, 0.0)


async def audit(
    log: Log,
    ref: str | None = None,
    *,
    head: str | None = None,
    deep: bool = True,
    told: Callable[[int, int], None] | None = None,
) -> Audit:
    """Check one run, or all and the log as a whole.

    Args:
        log: the log; nothing is written.
        ref: a run.
        head: the hash its last event must have, kept elsewhere.
        deep: derive each run again as well.
        told: told before each run how many are done, and of how many.

    Raises:
        BadInput: no such run.
        LogUnusable: the log cannot be read.
    """
    started = time.perf_counter()
    report = log.verify(ref, head=head)
    middle = time.perf_counter()
    if not deep:
        return Audit(report, seconds=(middle - started, 0.0))
    found, left_out, derived = Findings(), Counter[str](), 0
    suspect = {fault.run for fault in report.faults}
    prompts = Prompts.load()
    for done, run_id in enumerate(report.runs):
        if told is not None:
            told(done, len(report.runs))
        if run_id in suspect or "" in suspect:
            left_out[WRONG] += 1  # what follows from them is no news
            continue
        found.run = run_id
        why_not = await _derive(log, run_id, prompts, found)
        derived += why_not is None
        if why_not is not None:
            left_out[why_not] += 1
    checked = Counter(report.checked)
    checked.update(found.checked)
    whole = replace(report, faults=(*report.faults, *found.faults), checked=dict(checked))
    return Audit(whole, derived, dict(left_out), (middle - started, time.perf_counter() - middle))


async def _derive(log: Log, run_id: str, prompts: Prompts, found: Findings) -> str | None:
    """Play a run again from its journal; returns why that cannot be done, if so."""
    episode = log.episode(run_id)
    _answers(log, run_id, found)
    setting = episode.setting
    if setting.version != __version__:
        return OTHER_VERSION
    if setting.prompts != templates_used(episode.scenario, prompts):
        return OTHER_PROMPTS
    _histories(log, episode, found)
    try:
        if "human" in episode.models:
            last = max((k for k, event in enumerate(episode.events) if isinstance(event, Settled)), default=0)
            retold(episode.events[: last + 1])
            found.count("I13", last)
        else:
            done = await replay(run_id, log=log)
            found.count("I13", done.events)
            found.count("I3", done.calls)
    except LogCorrupt as problem:
        found.fault("event", "", f"I13: it does not come out of what was answered: {_first(problem)}")
        return None
    except (SocietyError, ArithmeticError, LookupError, TypeError, ValueError) as problem:
        found.fault("event", "", f"I13: it cannot be derived again: {_first(problem)}")
        return None
    _results(log, Run(run_id, log), found)
    return PERSON if "human" in episode.models else None


def _histories(log: Log, episode: Episode, found: Findings) -> None:
    """I8: whether the histories in prompts give back who said what to whom, in the shipped wording."""
    said = {
        (event.round, event.turn, event.agent, None if draft.to is None else tuple(sorted(set(draft.to))), draft.text)
        for event in episode.events
        if isinstance(event, Spoke)
        for draft in event.messages
    }
    turns = {(event.round, event.turn) for event in episode.events if isinstance(event, Spoke)}
    with log.connection() as connection:
        for agent, digest, content in prompts_read(connection, episode.run_id):
            with found.about("prompt"):
                for heard in parse_history(content, episode.names, agent):
                    if episode.ended is None and (heard.round, heard.turn) not in turns:
                        continue  # the run was left in this turn, before it was told
                    found.count("I8")
                    among = heard.to is None or agent in (heard.speaker, *heard.to)
                    if (heard.round, heard.turn, heard.speaker, heard.to, heard.text) not in said or not among:
                        what = f"I8: {episode.names[agent]} is told of a message of {episode.names[heard.speaker]} that is none"
                        found.fault("prompt", f"hash {digest[:12]}", what)


def _answers(log: Log, run_id: str, found: Findings) -> None:
    """I10, I13: whether what is stored of each answer is what its bytes say, at the price the run was charged at."""
    prices = sorted(log.frame("price", run=run_id).rows(), key=lambda row: row["since"])
    sql = text(f"SELECT {', '.join(columns_of(ModelCall))} FROM model_call WHERE run_id = :run AND status = 'answered'")
    with log.connection() as connection:
        for row in connection.execute(sql, {"run": run_id}):
            here = f"round {row.round}, {row.stage}, turn {row.turn}, agent {row.agent}, attempt {row.attempt}, issue {row.issue}"
            for what in _unlike(response_of(row), embedded=row.model.partition(":")[0] == "local"):
                found.fault("model_call", here, f"I13: its {what} is not what its bytes say")
            found.count("I13")
            charged = [
                Price(**_price(one)) for one in prices if one["model"] == row.model and one["since"] <= row.ended
            ]
            if row.usd and not row.cached and not any(price.of(response_of(row).usage) == row.usd for price in charged):
                found.fault(
                    "model_call", here, f"I10: {row.usd} USD is not what its tokens cost at any price of the run"
                )


def _unlike(stored: ModelResponse, *, embedded: bool) -> Iterator[str]:
    """The parts of a stored answer that its bytes do not say. An embedded model is its file, whatever the runtime calls it."""
    if REDACTED.encode() in stored.raw:
        return  # taking keys out of bytes may leave what is no answer any more
    try:
        read = read_completion(stored.raw)
    except RetryLater:
        if stored.finish in ("stop", "length"):  # a provider may decline with an error, whose bytes are no answer
            yield "text"
        return
    parts = ["finish", "detail"] if embedded else ["finish", "served_model", "detail"]
    if stored.finish in ("stop", "length"):
        parts.append("text")
    yield from (part for part in parts if _kept(getattr(read, part)) != _kept(getattr(stored, part)))
    if not read.usage.estimated:
        counts = ("tokens_in", "tokens_out", "tokens_cached")
        yield from (count for count in counts if getattr(read.usage, count) != getattr(stored.usage, count))


def _kept(value: Any) -> Any:  # Any: text, or None
    return storable_text(value) if isinstance(value, str) else value


def _price(row: Mapping[str, Any]) -> dict[str, Any]:  # Any: SQL values
    return {name: row[name] for name in ("input", "output", "cached")}


def _results(log: Log, run: Run, found: Findings) -> None:
    """I13: whether what this version stored of a run comes out again."""
    stored = {row["table_name"]: row for row in log.frame("derived", run=run.id).rows()}
    with log.connection() as connection, any_bytes(connection):
        for name, row in stored.items():
            if name == "price" or row["version"] != __version__:
                continue
            rows = run.metric_rows() if name == "metric" else run.alignment_rows(name)
            table = computed_table(name)
            expected = stored_rows(table, run.id, rows)
            found.count(
                "I13", compare(connection, run.id, table, expected, found.fault, source="from the events comes")
            )


def _first(problem: BaseException) -> str:
    return next(iter(str(problem).splitlines()), type(problem).__name__)
