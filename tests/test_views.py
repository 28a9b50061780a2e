"""Transcripts and tables: complete, in order, and harmless wherever they are shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from society.core.events import Spoke
from society.core.policy import Draft
from society.episode import Episode
from society.mechanisms import MECHANISMS
from society.views.catalogue import fields_of, goals, instruments, mechanisms, metrics
from society.views.rulers import ruler_rows
from society.views.story import STAGES, tell
from society.views.tables import markdown_table, pad, text_table, width
from society.views.terminal import flagged, safe
from society.views.transcript import as_html, as_json, as_markdown, as_text
from tests.handmade_run import events as all_events


def story(words=None, name=None):
    events = list(all_events())
    if name is not None:
        events[0] = replace(events[0], agents=(name, *events[0].agents[1:]))
    if words is not None:
        place = next(k for k, event in enumerate(events) if isinstance(event, Spoke))
        events[place] = replace(events[place], messages=(Draft(None, words),))
    return tell(Episode.from_events(events, run_id="r"))


def test_the_transcript_tells_what_was_said_meant_done_and_got():
    text = as_text(story())
    for part in (
        "Ann           | Let us take 5 each.",
        "Ann to Ben, in private | Just us two?",
        "Cy says nothing  [empty; nothing was said]",
        "Ann means to take 5 units",
        "Ann: take 12 units",
        "gets",
    ):
        assert re.search(re.sub(r"\\? +", r" +", re.escape(part)), text), (part, text)


def test_a_forged_line_never_looks_like_a_speaker():
    """Ben's message holds the line `Cy: I agree`; it stays behind Ben's bar."""
    lines = as_text(story()).splitlines()
    forged = next(line for line in lines if "Cy: I agree" in line)
    assert forged.split("|")[0].strip() == ""
    assert not any(line.strip().startswith("Cy: I agree") for line in lines)


HOSTILE = (
    "\x1b[2J\x1b]8;;http://evil\x07x\x1b]52;c;aGk=\x07 \x9b31m \r\b \u202eevil\u2066 \u200b\u2060 \U000e0041 a\x00b"
)


@pytest.mark.parametrize("show", [as_text, lambda s: as_text(s, colour=True), as_markdown, as_html])
@pytest.mark.parametrize(
    "words", [HOSTILE, "[bold]x[/bold]", "\ud800 lone", "A" * 20_000, "line\n" * 3_000, "e\u0301" * 99]
)
def test_no_control_bidi_or_invisible_character_reaches_a_reader(show, words):
    shown = show(story(words, name="An\u202en"))
    assert not re.search(
        r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800\U000e0041]", shown
    )
    assert "\x1b" not in re.sub(r"\x1b\[\d+m", "", shown)
    shown.encode("utf-8")


def test_escapes_in_a_message_colour_nothing():
    assert "\x1b" not in as_text(story(HOSTILE))
    assert "\\e[2J" in as_text(story(HOSTILE))
    assert flagged(HOSTILE) and not flagged("שלום 你好 👩‍".replace("\u200d", "") + " naïve")


def test_colours_only_repeat_what_the_words_say():
    plain, coloured = as_text(story()), as_text(story(), colour=True)
    assert plain != coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


@given(st.text(max_size=200))
def test_text_is_injective_in_the_words(words):
    """Two different messages never give the same transcript."""
    other = words + "x"
    assert as_text(story(words)) != as_text(story(other))
    assert len(as_text(story(words)).splitlines()) >= len(words.split("\n"))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)


def test_words_become_no_markup_in_html():
    words = "<script>alert(1)</script><img src=x onerror=alert(1)>\"' & </blockquote><h1>SYSTEM</h1>"
    tags = Tags()
    tags.feed(as_html(story(words, name="<i>Ann</i>")))
    assert tags.seen <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "b", "br", "em", "span", "section", "blockquote",
    }  # fmt: skip
    assert as_html(story(words)).count("<h1>") == 1


@pytest.mark.parametrize(
    "words",
    [
        "# SYSTEM",
        "- item",
        "1. one",
        "> quote",
        "**bold**",
        "[x](http://evil)",
        "![x](http://evil)",
        "<b>",
        "| a | b |",
        "---",
        "```",
    ],
)
def test_words_become_no_markup_in_markdown(words):
    line = next(line for line in as_markdown(story(words)).splitlines() if line.startswith("> "))
    assert re.match(r"> \\", line) or not re.search(r"(?<!\\)[*\[\]<>#|`]", line[2:]), line
    assert "](http" not in line.replace("\\]", "")


def test_json_keeps_the_words_verbatim_and_the_numbers_exact():
    told = json.loads(json.dumps(as_json(story(HOSTILE))))
    assert told["lines"][0]["words"] == HOSTILE
    meant = next(line for line in told["lines"] if line["kind"] == "meant")
    assert meant["values"]["intended"] == 5
    assert meant["agent"] == "Ann"


def test_filters_keep_what_fits():
    whole = story()
    assert {line.round for line in whole.only(rounds=[2]).lines} == {2}
    assert {line.stage for line in whole.only(stages=["talk"]).lines} == {"talk"}
    mine = whole.only(agent=1).lines
    assert all(line.agent in (None, 1) or 1 in (line.to or ()) for line in mine)
    assert any(line.kind == "whispered" and line.agent == 0 for line in mine)
    assert {line.stage for line in whole.lines} <= set(STAGES)


def test_an_unfinished_episode_tells_what_there_is():
    events = all_events()
    for end in range(1, len(events)):
        told = tell(Episode.from_events(events[:end], run_id="r"))
        assert as_text(told).endswith("the run is unfinished")


# Tables

ROWS = [{"agent": "Ann", "gain": Fraction(5, 2), "share": None}, {"agent": "王芳", "gain": 120, "share": 0.25}]


def test_a_table_aligns_numbers_and_wide_letters():
    assert text_table(ROWS).splitlines() == [
        "agent  gain  share",
        "-----  ----  -----",
        "Ann     2.5      -",
        "王芳    120   0.25",
    ]


def test_a_markdown_table_keeps_words_in_their_cell():
    assert markdown_table([{"a": "x | y\n| z |"}]).splitlines()[2] == "| x \\| y\\\\n\\| z \\| |"


def test_padding_counts_columns():
    assert width("王芳") == 4 and width("e\u0301") == 1
    assert pad("王芳", 6) == "王芳  " and pad("x", 3, "right") == "  x"


@given(st.text())
def test_safe_text_is_one_harmless_line_and_says_the_same_twice(text):
    shown = safe(text)
    assert "\n" not in shown and "\x1b" not in shown and "\u202e" not in shown
    assert safe(shown) == shown


# Catalogue


@pytest.mark.parametrize("cards", [mechanisms, instruments, goals, metrics])
def test_every_kind_has_a_card_with_a_sentence(cards):
    for name, card in cards().items():
        assert card.name == name
        assert card.summary, name
        json.dumps(card.as_json())


@pytest.mark.parametrize("cards", [mechanisms, instruments, goals])
def test_every_field_says_what_it_means(cards):
    silent = [f"{card.name}.{field.name}" for card in cards().values() for field in card.fields if not field.about]
    assert silent == []


def test_fields_are_told_in_words():
    fields = {field.name: field for field in fields_of(MECHANISMS.type_of("common_pool"))}
    assert fields["capacity"].type == "whole number, 1 to 1000000"
    assert fields["growth"].default == "doubling"
    assert "agents" not in fields


# Rulers


def test_the_rulers_of_the_fishery_are_the_published_ones():
    """100 fish, 5 fishers, doubling: 50 a month for ever and all at the end; four months give 3 * 50 + 100."""
    from society.scenario.load import load
    from society.views.rulers import ruler_lines, ruler_rows

    lines = ruler_lines(ruler_rows(load("fishery").mechanism, 4))
    assert lines[0].startswith("most for all in round 1: 100 at 5 x 20 (exact: ")
    assert "most for all in 4 rounds: 250 (exact: " in "\n".join(lines)


@pytest.mark.parametrize("kind", MECHANISMS.kinds)
def test_every_mechanism_can_be_shown_with_its_rulers(kind):
    from society.views.rulers import instance_of, ruler_lines, ruler_rows

    game = instance_of(MECHANISMS.type_of(kind))
    assert game is not None
    assert all(": " in line for line in ruler_lines(ruler_rows(game)))


@pytest.mark.parametrize(
    ("kind", "agents", "expected"),
    [
        pytest.param("public_goods", 4, {"greed": 12, "fear": 12, "self-interest level": Fraction(2, 5), "selfishness level": 1}, id="the public good: each token costs 3/5 of itself"),
        pytest.param("matrix_game", 2, {"greed": 2, "fear": 1, "self-interest level": Fraction(3, 5), "selfishness level": 2}, id="the prisoner's dilemma 5, 3, 1, 0"),
    ],
)  # fmt: skip
def test_a_mechanism_is_shown_with_the_strength_of_its_dilemma(kind, agents, expected):
    rows = {row["ruler"]: row["value"] for row in ruler_rows(MECHANISMS.parse({"kind": kind, "agents": agents}))}
    assert {name: rows[name] for name in expected} == expected
