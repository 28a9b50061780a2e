"""Runs as a log of Inspect, the evaluation framework of the UK AI Security Institute, for `inspect view`.

A run is a sample: the scenario is its task, its seed names it, a repeated seed is another epoch. Its messages are the story,
its events the calls to models with their prompts, round by round; its scores are the collective metrics.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from society.core.errors import MissingExtra
from society.core.exact import plain
from society.log import Log, RunInfo
from society.log.tables import ModelCall
from society.run import Run
from society.views.calls import STAGE_OF_CALL
from society.views.story import STAGES, Line, Story, tell

if TYPE_CHECKING:
    from inspect_ai.event import Event, ModelEvent
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatMessage, ModelUsage
    from inspect_ai.scorer import Score

_STOPS: dict[str | None, Literal["stop", "max_tokens", "content_filter", "unknown"]] = {
    "stop": "stop",
    "length": "max_tokens",
    "filtered": "content_filter",
    "refusal": "content_filter",
}


def write_inspect_logs(log: Log, runs: Sequence[RunInfo], folder: Path) -> list[Path]:
    """One Inspect log for each scenario and set of models, named after them.

    Raises:
        MissingExtra: inspect_ai is not installed.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError:
        raise MissingExtra("an Inspect log needs inspect_ai: pip install 'society-sandbox[inspect]'") from None
    groups: dict[tuple[str, str], list[RunInfo]] = {}
    for run in runs:
        groups.setdefault((run.scenario, run.models), []).append(run)
    written: list[Path] = []
    for (scenario, _), members in groups.items():
        path = folder / f"{scenario}_{_digest(*(run.id for run in members))[:8]}.eval"
        write_eval_log(_eval_log(log, members), str(path.absolute()), format="eval")
        written.append(path)
    return written


def _eval_log(log: Log, runs: Sequence[RunInfo]) -> EvalLog:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalResults, EvalSpec, EvalStats

    first = runs[0]
    samples: list[EvalSample] = []
    for run in runs:
        epoch = 1 + sum(earlier.seed == run.seed for earlier in runs[: len(samples)])
        samples.append(_sample(log, run, epoch))
    name = _digest(*(run.id for run in runs))
    finished = [run for run in runs if not run.resumable]
    usage: dict[str, ModelUsage] = {}
    for sample in samples:
        for model, used in sample.model_usage.items():
            usage[model] = usage[model] + used if model in usage else used
    return EvalLog(
        status="success" if len(finished) == len(runs) else "cancelled",
        eval=EvalSpec(
            eval_id=name[:22],
            run_id=name[22:44],
            task_id=_digest(first.scenario)[:22],
            created=first.started,
            task=first.scenario,
            dataset=EvalDataset(
                name=first.scenario, samples=len(runs), sample_ids=sorted({str(sample.id) for sample in samples})
            ),
            model=first.models,
            config=EvalConfig(epochs=max(sample.epoch for sample in samples)),
            packages={"society-sandbox": first.version},
            metadata={"runs": [run.id for run in runs], "heads": [run.head for run in runs]},
        ),
        results=EvalResults(total_samples=len(runs), completed_samples=len(finished), scores=_means(samples)),
        stats=EvalStats(
            started_at=min(run.started for run in runs),
            completed_at=max(run.ended or run.started for run in runs),
            model_usage=usage,
        ),
        samples=samples,
    )


def _sample(log: Log, info: RunInfo, epoch: int) -> EvalSample:
    from inspect_ai.log import EvalSample, EvalSampleLimit
    from inspect_ai.model import ModelOutput

    run = Run(info.id, log)
    story = tell(run.episode)
    about = " ".join(run.episode.scenario.about.split())
    budget = info.status == "paused"
    return EvalSample(
        id=f"{info.scenario}-{info.seed}",
        epoch=epoch,
        input=about or info.scenario,
        target="",
        messages=list(_messages(story)),
        output=ModelOutput.from_content(model=info.models, content=story.ending),
        scores=_scores(run),
        metadata={
            "run": info.id,
            "head": info.head,
            "status": info.status,
            "reason": info.reason,
            "agents": list(story.names),
            "models": list(story.models),
        },
        events=list(_events(log, info, story)),
        model_usage=_usage(log, info.id),
        started_at=info.started,
        completed_at=info.ended,
        uuid=_digest(info.id)[:22],
        limit=EvalSampleLimit(type="operator", limit=1, reason=info.reason) if budget else None,
    )


def _messages(story: Story) -> Iterator[ChatMessage]:
    """The story as a conversation: agents' own words are an assistant's, everything else is told by the user."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser

    for place, line in enumerate(story.lines):
        speaks = ChatMessageAssistant if line.quoted else ChatMessageUser
        yield speaks(id=f"m{place}", content=_told(story, line), metadata=_facts(story, line))


def _events(log: Log, info: RunInfo, story: Story) -> Iterator[Event]:
    """A span a round; in it, stage by stage, the calls and what came of them."""
    from inspect_ai.event import InfoEvent, SpanBeginEvent, SpanEndEvent

    now = datetime.fromisoformat(info.started)
    calls = log.calls(info.id)
    for number in sorted({line.round for line in story.lines} | {call.round for call in calls}):
        span = f"{story.theme.round} {number}"
        within: dict[str, Any] = {"span_id": span, "working_start": 0.0}
        yield SpanBeginEvent(id=span, name=span, type="round", uuid=f"{span} begins", timestamp=now, **within)
        for stage in STAGES:
            asked = [
                call for call in calls if call.round == number and STAGE_OF_CALL.get(call.stage, "decide") == stage
            ]
            for place, call in enumerate(asked):
                event = _asked(log, story, call, span=span, uuid=f"{span}, {stage}, call {place}")
                now = max(now, event.completed or event.timestamp)
                yield event
            told = [line for line in story.lines if line.round == number and line.stage == stage]
            for place, line in enumerate(told):
                yield InfoEvent(
                    source=stage,
                    data=_told(story, line),
                    metadata=_facts(story, line),
                    uuid=f"{span}, {stage}, line {place}",
                    timestamp=now,
                    **within,
                )
        yield SpanEndEvent(id=span, uuid=f"{span} ends", timestamp=now, **within)


def _asked(log: Log, story: Story, call: ModelCall, *, span: str, uuid: str) -> ModelEvent:
    """One call, with its whole prompt."""
    from inspect_ai.event import ModelEvent
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, GenerateConfig, ModelOutput

    roles: dict[str, Any] = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    output = ModelOutput.from_content(
        model=call.model,
        content=_encodable(call.text or ""),
        stop_reason=_STOPS.get(call.finish, "unknown"),
        error=call.error or None,
    )
    output.time = call.seconds
    output.usage = _used(call.tokens_in, call.tokens_out, call.usd)
    agent = story.names[call.agent]
    return ModelEvent(
        model=call.model,
        role=f"{agent}, {call.stage}",
        input=[
            roles[role](id=f"{call.prompt}-{place}", content=_encodable(content))
            for place, (role, content) in enumerate(log.prompt(call))
        ],
        tools=[],
        tool_choice="none",
        config=GenerateConfig(),
        output=output,
        error=call.error or None,
        span_id=span,
        uuid=uuid,
        timestamp=datetime.fromisoformat(call.issued),
        completed=None if call.ended is None else datetime.fromisoformat(call.ended),
        working_start=0.0,
        metadata={"agent": agent, "stage": call.stage, "attempt": call.attempt, "status": call.status},
    )


def _told(story: Story, line: Line) -> str:
    """A line with who it is about; an agent's own words stand apart."""
    name = "" if line.agent is None else story.names[line.agent]
    note = f" ({line.note})" if line.note else ""
    if line.quoted:
        to = "everybody" if line.to is None else ", ".join(story.names[seat] for seat in line.to)
        return _encodable(f"{name} to {to}{note}:\n\n{line.words}")
    return _encodable(f"{name}: {line.words}{note}" if name else f"{line.words}{note}")


def _facts(story: Story, line: Line) -> dict[str, Any]:  # Any: JSON
    agent = {} if line.agent is None else {"agent": story.names[line.agent]}
    return {"round": line.round, "stage": line.stage, "kind": line.kind, **agent, **dict(line.values)}


def _scores(run: Run) -> dict[str, Score]:
    """The metrics that apply to the run."""
    from inspect_ai.scorer import Score

    return {
        name: Score(
            value=float(measured.value),
            explanation=None if measured.numerator is None else f"{measured.numerator} / {measured.denominator}",
            metadata={
                "exact": str(plain(measured.value)),
                "without_defaulted": None
                if (less := run.outcome.without_defaulted[name].value) is None
                else float(less),
            },
        )
        for name, measured in run.outcome.measured.items()
        if measured.value is not None
    }


def _means(samples: Sequence[EvalSample]) -> list[Any]:  # Any: EvalScore, known only where inspect_ai is
    """Each metric's mean over the runs to which it applies, and how many those are."""
    from inspect_ai.log import EvalMetric, EvalScore

    values: dict[str, list[float]] = {}
    for sample in samples:
        for name, score in (sample.scores or {}).items():
            values.setdefault(name, []).append(score.as_float())
    return [
        EvalScore(
            name=name,
            scorer=name,
            scored_samples=len(found),
            unscored_samples=len(samples) - len(found),
            metrics={"mean": EvalMetric(name="mean", value=sum(found) / len(found))},
        )
        for name, found in sorted(values.items())
    ]


def _usage(log: Log, run: str) -> dict[str, ModelUsage]:
    found: dict[str, ModelUsage] = {}
    for row in log.frame("call_cost", run=run):
        used = _used(row["tokens_in"], row["tokens_out"], row["usd"])
        model = str(row["model"])
        if used is not None:
            found[model] = found[model] + used if model in found else used
    return found


def _used(tokens_in: int | None, tokens_out: int | None, usd: float | None) -> ModelUsage | None:
    """What is known to have been used; None where nothing is."""
    from inspect_ai.model import ModelUsage

    if tokens_in is None and tokens_out is None:
        return None
    total = (tokens_in or 0) + (tokens_out or 0)
    return ModelUsage(input_tokens=tokens_in or 0, output_tokens=tokens_out or 0, total_tokens=total, total_cost=usd)


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _encodable(words: str) -> str:
    """Words that can be written as UTF-8: half of a surrogate pair is spelled out."""
    return words.encode("utf-8", "backslashreplace").decode()
