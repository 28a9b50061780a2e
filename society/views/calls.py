"""Every call to a language model, with its prompt and its raw answer."""

from __future__ import annotations

from collections.abc import Iterator

from society.log import Log
from society.views.story import Stage, Story
from society.views.terminal import safe, safe_lines

STAGE_OF_CALL: dict[str, Stage] = {"talk": "talk", "before_talk": "declare", "declare": "declare", "act": "act"}
"""The stage of the story that a call belongs to; all others are decisions."""


def calls_text(log: Log, run: str, story: Story) -> str:
    """The calls behind the lines of a story, each prompt whole, each answer as it came."""
    told = {(line.round, line.stage, line.agent) for line in story.lines}
    lines: list[str] = []
    for call in log.calls(run):
        if (call.round, STAGE_OF_CALL.get(call.stage, "decide"), call.agent) not in told:
            continue
        name = story.names[call.agent] if 0 <= call.agent < len(story.names) else str(call.agent)
        tries = f", attempt {call.attempt + 1}" if call.attempt else ""
        tries += f", try {call.issue + 1}" if call.issue else ""
        lines.append(
            f"CALL  {safe(story.theme.round)} {call.round}, {call.stage}, {safe(name)}{tries}: {safe(call.model)}"
        )
        for role, content in log.prompt(call):
            lines.extend(_quoted(role, content))
        answer = call.text if call.text else call.error or call.detail or ""
        lines.extend(_quoted(f"answer ({call.finish or call.status})", answer))
        lines.append("")
    return "\n".join(lines).rstrip() if lines else "no language model was asked"


def _quoted(title: str, words: str) -> Iterator[str]:
    yield f"  {safe(title)}"
    yield from (f"    | {line}".rstrip() for line in safe_lines(words))
