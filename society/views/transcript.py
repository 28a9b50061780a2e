"""A story on paper: plain text, markdown, HTML and JSON.

It reads like a play. What is said stands with its speaker, private words say to whom, what is meant in private stands apart,
and what is done and got follows. Agents' words are quoted line by line behind a bar, so that no message can look like another
speaker or like the harness; nothing in them is obeyed by a terminal, a markdown reader or a browser.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from society.core.errors import BadInput, did_you_mean
from society.core.exact import Json
from society.episode import Episode
from society.scenario.seeds import parse_seeds
from society.views.story import STAGES, Line, Story, tell
from society.views.tables import pad
from society.views.tables import width as width_of
from society.views.terminal import safe, safe_lines

_HEADINGS = {
    "talk": "talk",
    "declare": "in private, before acting",
    "act": "action",
    "decide": "decisions",
    "settle": "outcome",
}
_COLOURS = (36, 33, 35, 32, 34, 31)
_BAR = "| "


def as_text(story: Story, *, colour: bool = False, width: int = 100) -> str:
    """For a terminal or a file; colours only repeat what the words say."""
    return "\n".join(_text(story, colour, max(40, width)))


def as_markdown(story: Story) -> str:
    """For a page: rounds are headings, words are quotations."""
    return "\n".join(_markdown(story))


def as_json(story: Story) -> dict[str, Json]:
    """For machines: every line with its words verbatim and its numbers exact."""
    names = story.names
    return {
        "run": story.run_id,
        "scenario": story.title,
        "seed": story.seed,
        "agents": [{"name": name, "model": model} for name, model in zip(names, story.models, strict=True)],
        "status": story.status,
        "ending": story.ending,
        "lines": [
            {
                "round": line.round,
                "stage": line.stage,
                "kind": line.kind,
                "agent": None if line.agent is None else names[line.agent],
                "to": None if line.to is None else [names[seat] for seat in line.to],
                "words": line.words,
                "note": line.note,
                "values": dict(line.values),
            }
            for line in story.lines
        ],
    }


def as_html(story: Story) -> str:
    """One page that needs nothing else: no script, no image, no address."""
    return "\n".join(_html(story))


def _title(story: Story) -> str:
    return " · ".join(filter(None, (story.title, f"seed {story.seed}", story.run_id)))


def _cast(story: Story) -> list[str]:
    """``Ann, Bo (mock:greedy)``, one entry a model."""
    pairs = list(zip(story.names, story.models, strict=True))
    models = list(dict.fromkeys(story.models))
    return [f"{', '.join(name for name, m in pairs if m == model)} ({model})" for model in models]


def _round_title(story: Story, number: int) -> str:
    return f"{story.theme.round} {number}"


def _who(story: Story, line: Line) -> str:
    """``Ann``, ``Ann to Bo, in private``."""
    if line.agent is None or line.kind == "rule":
        return ""
    name = story.names[line.agent]
    if line.kind == "whispered":
        return f"{name} to {', '.join(story.names[seat] for seat in line.to or ())}, in private"
    return name


def _colon(line: Line) -> str:
    """What stands between who did it and what was done."""
    return ":" if line.kind in ("did", "decided", "moved") else ""


def _grouped(story: Story) -> Iterator[tuple[int, list[tuple[str, list[Line]]]]]:
    for number, lines in groupby(story.lines, key=lambda line: line.round):
        yield number, [(stage, list(part)) for stage, part in groupby(lines, key=lambda line: line.stage)]


# Text


def _text(story: Story, colour: bool, width: int) -> Iterator[str]:
    def tint(text: str, code: int | None) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour and code is not None else text

    yield tint(safe(_title(story)), 1)
    yield from textwrap.wrap(safe("; ".join(_cast(story))), width)
    for number, stages in _grouped(story):
        yield ""
        yield tint(safe(_round_title(story, number)).upper(), 1)
        for stage, lines in stages:
            yield tint(f"  {_HEADINGS[stage]}", 2)
            wide = min(28, max((width_of(safe(_who(story, line))) for line in lines if line.quoted), default=0))
            for line in lines:
                code = None if line.agent is None else _COLOURS[line.agent % len(_COLOURS)]
                who = safe(_who(story, line))
                note = f"  [{safe(line.note)}]" if line.note else ""
                if line.quoted:
                    lead = pad(who, wide)
                    for spoken in safe_lines(line.words):
                        for part in textwrap.wrap(spoken, width - wide - 8, drop_whitespace=False) or [""]:
                            yield f"    {tint(lead, code)} {_BAR}{part}".rstrip()
                            lead = " " * wide
                    if line.note:
                        yield f"    {' ' * wide} {note.strip()}"
                else:
                    words = f"{_colon(line)} {safe(line.words)}{note}" if who else f"{safe(line.words)}{note}"
                    indent = " " * (width_of(who) + 2)
                    whole = textwrap.wrap(who + words, width - 4, subsequent_indent=indent)
                    whole[0] = tint(who, code) + whole[0].removeprefix(who)
                    yield from (f"    {part}" for part in whole)
    yield ""
    yield safe(story.ending)


# Markdown


def _md(text: str) -> str:
    """Words that markdown takes for words: no emphasis, link, picture, tag, heading, list or table."""
    shown = re.sub(r"[\\`*_{}\[\]<>#|~$&@]|:(?=//)|(?<=www)\.", r"\\\g<0>", safe(text))
    return re.sub(r"^(\s*\d*)([-+=.)])", r"\1\\\2", shown)


def _markdown(story: Story) -> Iterator[str]:
    yield f"# {_md(_title(story))}"
    yield ""
    yield f"{_md('; '.join(_cast(story)))}"
    for number, stages in _grouped(story):
        yield ""
        yield f"## {_md(_round_title(story, number))}"
        for stage, lines in stages:
            yield ""
            yield f"### {_HEADINGS[stage]}"
            yield ""
            for line in lines:
                who = f"**{_md(_who(story, line))}**" if _who(story, line) else ""
                note = f" *({_md(line.note)})*" if line.note else ""
                if line.quoted:
                    yield f"{who}:{note}"
                    yield ""
                    yield from (f"> {_md(spoken)}  " for spoken in line.words.split("\n"))
                    yield ""
                else:
                    yield " ".join(filter(None, ("-", who + _colon(line), _md(line.words)))) + note
    yield ""
    yield f"*{_md(story.ending)}*"


# HTML

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h3 { font-size: 0.9rem; font-weight: 600; opacity: 0.7; margin: 1rem 0 0.3rem; }
blockquote { margin: 0.1rem 0 0.6rem; padding-left: 0.8rem; border-left: 3px solid currentColor; overflow-wrap: anywhere; }
.whispered { border-left-style: dashed; font-style: italic; }
p { margin: 0.2rem 0; overflow-wrap: anywhere; }
.note { opacity: 0.7; font-size: 0.85em; }
""".strip()


def _html(story: Story) -> Iterator[str]:
    title = escape(safe(_title(story)))
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{title}</h1><p>{escape(safe('; '.join(_cast(story))))}</p>"
    yield from html_rounds(story)
    yield "</body></html>"


def html_rounds(story: Story) -> Iterator[str]:
    """The rounds of a story as a piece of HTML, to stand in a page or a notebook."""

    def words(text: str) -> str:
        return escape(safe(text))

    for number, stages in _grouped(story):
        yield f'<section id="round-{number}"><h2>{words(_round_title(story, number))}</h2>'
        for stage, lines in stages:
            yield f"<h3>{words(_HEADINGS[stage])}</h3>"
            for line in lines:
                who = f"<b>{words(_who(story, line))}</b>" if _who(story, line) else ""
                note = f' <span class="note">{words(line.note)}</span>' if line.note else ""
                if line.quoted:
                    spoken = "<br>".join(words(part) for part in line.words.split("\n"))
                    yield f'<p>{who}{note}</p><blockquote class="{line.kind}" dir="auto">{spoken}</blockquote>'
                else:
                    yield f'<p class="{line.kind}">{who}{_colon(line)} {words(line.words)}{note}</p>'
        yield "</section>"
    yield f"<p><em>{words(story.ending)}</em></p>"


# Choosing


def pick(
    episode: Episode, *, rounds: str | None = None, agent: str | None = None, stages: Sequence[str] | None = None
) -> Story:
    """The story of an episode, only the rounds, the agent and the stages named.

    Raises:
        BadInput: no such rounds, agent or stage.
    """
    story = tell(episode)
    seat = None if agent is None else seat_of(agent, story.names)
    for stage in stages or ():
        if stage not in STAGES:
            raise BadInput(f"no stage {stage[:40]!r}{did_you_mean(stage, STAGES)} ({', '.join(STAGES)})")
    numbers = None
    if rounds is not None:
        try:
            numbers = parse_seeds(rounds)
        except ValueError:
            raise BadInput(f"{rounds[:40]!r} names no rounds; write 3, 2-4 or 1,5") from None
        if not set(numbers) & {played.number for played in episode.rounds}:
            raise BadInput(f"no round {rounds[:40]} was played; there are {len(episode.rounds)}")
    return story.only(rounds=numbers, agent=seat, stages=[s for s in STAGES if s in stages] if stages else None)


def seat_of(agent: str, names: Sequence[str]) -> int:
    """The seat of an agent by its name.

    Raises:
        BadInput: nobody is called that; the nearest name is given.
    """
    if agent not in names:
        raise BadInput(f"no agent {agent[:40]!r}{did_you_mean(agent, names)} ({', '.join(names)})")
    return names.index(agent)


def transcript(episode: Episode, *, style: str = "text") -> str:
    """The whole story of an episode as text, markdown, html or json.

    Raises:
        BadInput: no such style.
    """
    return rendered(tell(episode), style)


def rendered(story: Story, style: str, *, colour: bool = False, width: int = 100) -> str:
    """A story in one of the styles; colour and width are for text only.

    Raises:
        BadInput: no such style.
    """
    if style == "text":
        return as_text(story, colour=colour, width=width)
    if style == "json":
        return json.dumps(as_json(story), indent=2)
    pages = {"markdown": as_markdown, "html": as_html}
    if style not in pages:
        raise BadInput(f"no style {style[:40]!r}; there are text, markdown, html and json")
    return pages[style](story)
