"""What a notebook shows: a run, its outcome, its alignment and its tables, as HTML that obeys nobody's words."""

from __future__ import annotations

from fractions import Fraction
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import society
from society.analysis.statistics import compare
from society.core.markup import html_table
from society.log import Frame


class Reading(HTMLParser):
    """Collects the tags, and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        if tag not in ("br",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> society.Run:
    log = f"sqlite:///{tmp_path_factory.mktemp('log') / 's.db'}"
    return society.play_sync(society.load("fishery"), model="mock:liar", seed=1, log=log)


def test_a_run_shows_its_headline_numbers_and_opens_its_transcript(run: society.Run) -> None:
    page = Reading(run._repr_html_())
    assert not page.open and {"table", "details", "blockquote"} <= set(page.tags)
    assert not {"script", "style", "html", "head", "img", "a"} & set(page.tags)
    assert run.id in page.words and "total_welfare" in page.words and "100" in page.words
    assert any("My fair share is 10" in words for words in page.words)


def test_an_alignment_shows_every_term_of_every_agent_and_its_paragraph(run: society.Run) -> None:
    page = Reading(run.alignment._repr_html_())
    gap = run.alignment.episode(0)
    assert {f"lost: {term}" for term in gap.terms} <= set(page.words) and set(run.alignment.names) <= set(page.words)
    assert {str(gap.best), str(gap.happened), *map(str, gap.terms.values())} <= set(page.words)
    gaps, surprises = 1 + 2 * 5, 1 + 5
    assert page.tags.count("tr") == gaps + surprises
    assert "".join(run.alignment.text().split()) in "".join("".join(page.words).split())


def test_an_outcome_shows_every_metric(run: society.Run) -> None:
    page = Reading(run.outcome._repr_html_())
    assert set(run.outcome.measured) <= set(page.words)


def test_a_comparison_shows_both_means_the_difference_with_its_intervals_and_the_test() -> None:
    found = compare({1: 2.0, 2: 3.0, 3: 4.0}, {1: 5.0, 2: 5.0, 3: 9.0})
    page = Reading(found._repr_html_())
    assert {"3.0", str(found.second), str(found.difference.value), str(found.difference.low)} <= set(page.words)
    assert {str(found.test.p), found.test.method, found.effect_name, found.note} <= set(page.words)


@given(st.text(min_size=1).filter(str.strip))
def test_no_word_becomes_a_tag(words: str) -> None:
    for shown in (html_table(["a"], [[words]]), Frame([words], [[words]])._repr_html_()):
        page = Reading(shown)
        assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td"} and not page.open


def test_numbers_stand_to_the_right_and_what_does_not_apply_is_empty() -> None:
    table = html_table(["n"], [[Fraction(2, 5)], [None], [True], [3.5]])
    assert table.count("right") == 2 and "2/5" in table and "<td></td>" in table and ">True<" in table
